"""Test legs: what they send, and that every leg ends, whatever the network and the far end do."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from didww.emulator.sip.leg import Leg
from didww.emulator.sip.messages import (
    SipRequest,
    SipResponse,
    cseq_of,
    media_of,
    new_request,
    new_response,
    parse,
    tag_of,
)
from didww.emulator.sip.model import Credentials, SessionTimer, Target, Transport
from didww.emulator.sip.sdp_answer import make_answer
from support.sip_peer import ANSWER, Run, Script, make_leg, perfect, sent_by

SOURCE = Target("udp", "192.0.2.1", 5060)
CONTACT = ("Contact", "<sip:main@192.0.2.1:5060>")


def methods(messages: list[SipRequest | SipResponse]) -> list[str]:
    return [m.method if isinstance(m, SipRequest) else str(m.status_code) for m in messages]


def start(leg: Leg) -> SipRequest:
    leg.start(0.0)
    (invite,) = sent_by(leg)
    assert isinstance(invite, SipRequest)
    return invite


def respond(
    leg: Leg, request: SipRequest, code: int, now: float, *headers: tuple[str, str], tag: str = "main"
) -> list[str]:
    body = ANSWER.encode() if 200 <= code < 300 and request.method == "INVITE" else b""
    leg.receive(new_response(request, code, tag=tag, headers=(CONTACT, *headers), body=body), SOURCE, now)
    return methods(peek(leg))


def peek(leg: Leg) -> list[SipRequest | SipResponse]:
    leg.last = sent_by(leg)
    return leg.last


def answered(**options: object) -> tuple[Leg, SipRequest]:
    leg = make_leg(**options)
    invite = start(leg)
    headers = [("Session-Expires", "1800;refresher=uac")] if options.get("timer") else []
    assert respond(leg, invite, 200, 1.0, *headers, ("Allow", "UPDATE")) == ["ACK"]
    return leg, invite


def ask(
    leg: Leg, invite: SipRequest, method: str, now: float, *headers: tuple[str, str], cseq: int = 1, body: bytes = b""
) -> SipResponse | None:
    request = new_request(
        method,
        "sip:didww@192.0.2.9:5060",
        [
            ("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKfar{method}{cseq};rport"),
            ("From", f"{invite.get_header('To')};tag=main"),
            ("To", invite.get_header("From") or ""),
            ("Call-ID", leg.sip_call_id),
            ("CSeq", f"{cseq} {method}"),
            CONTACT,
            *headers,
        ],
        body,
    )
    leg.receive(request, SOURCE, now)
    responses = [message for message in peek(leg) if isinstance(message, SipResponse)]
    return responses[0] if responses else None


def test_plain_call():
    """INVITE, 180, 200, ACK, and BYE of the caller."""
    leg = make_leg()
    invite = start(leg)
    assert respond(leg, invite, 100, 0.1) == []
    assert leg.state == "calling"
    assert respond(leg, invite, 180, 0.2) == []
    assert (leg.state, leg.ringing_at) == ("ringing", 0.2)
    assert respond(leg, invite, 200, 1.0) == ["ACK"]
    assert (leg.state, leg.answered_at, leg.remote_media) == ("talking", 1.0, ("192.0.2.1", 40000, 0))
    leg.hang_up(5.0)
    (bye,) = sent_by(leg)
    assert respond(leg, bye, 200, 5.1) == []
    leg.due(40.0)
    assert leg.finished
    assert leg.result is not None
    assert (leg.result.code, leg.result.ended_by, leg.ended_at) == (200, "caller", 5.0)
    assert [step.message for step in leg.steps[:5:2]] == ["INVITE", "180 Ringing", "ACK"]


def test_answer_without_ringing():
    leg, _ = answered()
    assert leg.ringing_at is None


def test_far_end_hangs_up():
    leg, invite = answered()
    response = ask(leg, invite, "BYE", 3.0)
    assert response is not None
    assert response.status_code == 200
    assert "received=192.0.2.1;rport=5060" in (response.get_header("Via") or "")
    assert leg.result is not None
    assert leg.result.ended_by == "far end"
    assert ask(leg, invite, "BYE", 3.5) is not None  # the response was lost
    leg.due(40.0)
    assert leg.finished


@pytest.mark.parametrize("code", [302, 404, 486, 503, 603])
def test_refusal_is_acknowledged_each_time(code: int):
    leg = make_leg()
    invite = start(leg)
    assert respond(leg, invite, code, 1.0) == ["ACK"]
    assert respond(leg, invite, code, 1.5) == ["ACK"]
    assert leg.result is not None
    assert (leg.result.code, bool(leg.result.contacts)) == (code, code == 302)
    leg.due(40.0)
    assert leg.finished


def test_cancel_waits_for_a_provisional_response():
    leg = make_leg()
    invite = start(leg)
    leg.cancel(1.0)
    assert sent_by(leg) == []
    assert respond(leg, invite, 100, 1.1) == ["CANCEL"]
    assert respond(leg, invite, 487, 1.2) == ["ACK"]
    assert leg.result is not None
    assert (leg.result.code, leg.result.ended_by) == (487, "caller")


def test_late_answer_after_cancel_is_ended():
    leg = make_leg()
    invite = start(leg)
    respond(leg, invite, 180, 0.5)
    leg.cancel(1.0)
    assert methods(sent_by(leg)) == ["CANCEL"]
    assert respond(leg, invite, 200, 1.1) == ["ACK", "BYE"]
    assert respond(leg, invite, 200, 1.6) == ["ACK"]
    assert leg.answered_at is None


@pytest.mark.parametrize("code", [180, 200])
def test_far_end_that_wakes_up_after_timer_b_is_stopped(code: int):
    leg = make_leg(timer_b=4.0)
    invite = start(leg)
    leg.due(4.0)
    sent_by(leg)
    assert leg.result is not None
    assert (leg.result.code, leg.result.ended_by, leg.finished) == (408, "timeout", False)
    assert respond(leg, invite, code, 5.0) == (["CANCEL"] if code == 180 else ["ACK", "BYE"])
    run_out(leg)
    assert leg.finished


def test_answer_after_refusal_is_ended():
    leg = make_leg()
    invite = start(leg)
    respond(leg, invite, 486, 1.0, tag="busy")
    assert respond(leg, invite, 200, 1.1, tag="late") == ["ACK", "BYE"]


def test_other_forks_are_ended():
    leg, invite = answered()
    assert respond(leg, invite, 200, 1.2, tag="other") == ["ACK", "BYE"]
    assert respond(leg, invite, 200, 1.5) == ["ACK"]
    assert leg.state == "talking"


def test_bye_that_is_only_provisionally_responded_ends():
    leg, _ = answered()
    leg.hang_up(2.0)
    (bye,) = sent_by(leg)
    respond(leg, bye, 100, 2.1)
    assert len(run_out(leg)) <= 11
    assert leg.finished


def test_texts_of_the_far_end_cannot_control_a_terminal():
    leg = make_leg()
    response = new_response(
        start(leg), 486, tag="x", reason="\x1b[2JBusy", headers=[("Server", "\x1b[31mred" + "x" * 999)]
    )
    leg.receive(response, SOURCE, 1.0)
    assert leg.result is not None
    assert leg.result.reason == "?[2JBusy"
    assert "\x1b" not in leg.user_agent + "".join(step.message for step in leg.steps)
    assert len(leg.user_agent) == 200


def test_network_error():
    leg = make_leg()
    start(leg)
    leg.unreachable(0.1, "Connection refused")
    assert leg.result is not None
    assert (leg.result.code, leg.result.ended_by, leg.finished) == (503, "network", True)


# Digest

SECRET = Credentials("alice", "open sesame")
CHALLENGE = ("WWW-Authenticate", 'Digest realm="a", nonce="n1", qop="auth"')
PROXY = ("Proxy-Authenticate", 'Digest realm="{}", nonce="n2", algorithm=SHA-256, qop="auth,auth-int"')


def test_each_realm_is_answered_once():
    leg = make_leg(credentials=SECRET)
    invite = start(leg)
    seen = []
    for code, header in [
        (401, CHALLENGE),
        (407, (PROXY[0], PROXY[1].format("b"))),
        (407, (PROXY[0], PROXY[1].format("c"))),
    ]:
        assert respond(leg, invite, code, 1.0, header) == ["ACK", "INVITE"]
        invite = leg.last[1]
        seen.append(len(invite.get_header_values("Authorization") + invite.get_header_values("Proxy-Authorization")))
    assert seen == [1, 2, 3]
    assert respond(leg, invite, 407, 1.0, (PROXY[0], PROXY[1].format("b"))) == ["ACK"]
    assert leg.result is not None
    assert leg.result.code == 407


def test_stale_nonce_is_answered_once_more():
    leg = make_leg(credentials=SECRET)
    invite = start(leg)
    stale = (CHALLENGE[0], CHALLENGE[1].replace("n1", "n2") + ", stale=TRUE")
    respond(leg, invite, 401, 1.0, CHALLENGE)
    assert respond(leg, leg.last[1], 401, 1.0, stale) == ["ACK", "INVITE"]
    assert 'nonce="n2"' in (leg.last[1].get_header("Authorization") or "")
    assert respond(leg, leg.last[1], 401, 1.0, stale) == ["ACK"]


def test_bye_is_authenticated_if_asked():
    leg, _ = answered(credentials=SECRET)
    leg.hang_up(2.0)
    (bye,) = sent_by(leg)
    assert respond(leg, bye, 407, 2.1, (PROXY[0], PROXY[1].format("b"))) == ["BYE"]
    again = leg.last[0]
    assert 'uri="sip:main@192.0.2.1:5060"' in (again.get_header("Proxy-Authorization") or "")
    assert cseq_of(again)[0] == cseq_of(bye)[0] + 1
    assert respond(leg, again, 407, 2.2, (PROXY[0], PROXY[1].format("b"))) == []


def test_a_nonce_is_counted_in_later_requests_too():
    """RFC 7616, section 3.4: a repeated count would be a replay."""
    leg = make_leg(credentials=Credentials("user", "secret"))
    challenge = ("WWW-Authenticate", 'Digest realm="a", nonce="1", qop="auth"')
    assert respond(leg, start(leg), 401, 0.1, challenge) == ["ACK", "INVITE"]
    invite = leg.last[1]
    assert respond(leg, invite, 200, 1.0) == ["ACK"]
    leg.hang_up(2.0)
    (bye,) = sent_by(leg)
    assert respond(leg, bye, 401, 2.1, challenge) == ["BYE"]
    counts = [message.get_header("Authorization") or "" for message in (invite, leg.last[0])]
    assert ["nc=00000001" in counts[0], "nc=00000002" in counts[1]] == [True, True]


def test_the_end_of_a_long_ladder_is_kept():
    """The first 150 messages and the last 50."""
    leg = make_leg()
    invite = start(leg)
    for number in range(300):
        respond(leg, invite, 180, 1 + number / 1000)
    leg.cancel(2.0)
    respond(leg, invite, 487, 2.1)
    assert [step.message for step in leg.steps[-3:]] == ["CANCEL", "487 Request Terminated", "ACK"]
    assert len(leg.steps) == 200
    assert leg.steps[150].note == "after 104 more messages"


def test_no_secrets_in_steps():
    leg = make_leg(credentials=SECRET)
    respond(leg, start(leg), 401, 1.0, CHALLENGE)
    value = leg.last[1].get_header("Authorization") or ""
    response = re.findall(r'response="(\w+)"', value)[0]
    shown = repr(leg.steps) + repr(leg.result) + repr(leg)
    assert "sesame" not in shown
    assert response not in shown
    assert "sesame" not in value


# In the dialog


@pytest.mark.parametrize(
    ("method", "code"),
    [("OPTIONS", 200), ("INFO", 200), ("NOTIFY", 200), ("UPDATE", 200), ("REFER", 603), ("MESSAGE", 405), ("FOO", 501)],
)
def test_requests_of_the_far_end(method: str, code: int):
    leg, invite = answered()
    response = ask(leg, invite, method, 2.0)
    assert response is not None
    assert response.status_code == code
    assert leg.state == "talking"


def test_request_of_an_unknown_dialog():
    leg, invite = answered()
    request = new_request(
        "BYE",
        "sip:didww@192.0.2.9",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx"),
            ("From", "<sip:x@example.com>;tag=unknown"),
            ("To", invite.get_header("From") or ""),
            ("Call-ID", leg.sip_call_id),
            ("CSeq", "1 BYE"),
        ],
    )
    leg.receive(request, SOURCE, 2.0)
    assert methods(sent_by(leg)) == ["481"]
    assert leg.state == "talking"


@pytest.mark.parametrize(
    ("method", "code"), [("INFO", 200), ("OPTIONS", 200), ("NOTIFY", 200), ("UPDATE", 491), ("BYE", 481)]
)
def test_requests_before_the_answer(method: str, code: int):
    """They do not fail, which would end the call; what changes the session has to wait."""
    leg = make_leg()
    invite = start(leg)
    respond(leg, invite, 183, 0.5)
    response = ask(leg, invite, method, 1.0)
    assert response is not None
    assert response.status_code == code
    assert respond(leg, invite, 200, 2.0) == ["ACK"]


def test_unknown_extension():
    leg, invite = answered()
    response = ask(leg, invite, "INVITE", 2.0, ("Require", "timer, teleport"))
    assert response is not None
    assert (response.status_code, response.get_header("Unsupported")) == (420, "teleport")


def test_hold():
    """A re-INVITE is answered with the next version of the own SDP, and repeated until the ACK."""
    leg, invite = answered()
    offer = ANSWER.replace("sendrecv", "sendonly").replace("40000", "40002")
    response = ask(leg, invite, "INVITE", 2.0, body=offer.encode())
    assert response is not None
    assert response.status_code == 200
    assert "a=recvonly" in response.text
    assert "o=- 1 2 IN IP4 192.0.2.9" in response.text
    assert leg.remote_media == ("192.0.2.1", 40002, None)  # no silence while it holds
    assert leg.next_due() == 2.5
    leg.due(2.5)
    assert methods(sent_by(leg)) == ["200"]
    ask(leg, invite, "ACK", 2.6)
    leg.due(20.0)
    assert sent_by(leg) == []
    second = ask(leg, invite, "INVITE", 21.0, cseq=2, body=offer.encode())
    assert second is not None
    assert "o=- 1 2 IN" in second.text


def test_an_invite_without_an_offer_gets_one():
    """An UPDATE without SDP, which refreshes the session, gets none."""
    leg, invite = answered()
    response = ask(leg, invite, "INVITE", 2.0)
    assert response is not None
    assert "m=audio 30000" in response.text
    ask(leg, invite, "ACK", 2.1)
    refreshed = ask(leg, invite, "UPDATE", 3.0, cseq=2)
    assert refreshed is not None
    assert (refreshed.status_code, refreshed.body) == (200, b"")


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_change_before_the_ack_of_another_is_refused(method: str):
    leg, invite = answered()
    first = ask(leg, invite, "INVITE", 2.0)
    second = ask(leg, invite, method, 2.1, cseq=2)
    assert first is not None
    assert second is not None
    assert (first.status_code, second.status_code) == (200, 491)


@pytest.mark.parametrize(("body", "early"), [(ANSWER.encode(), True), (b"Welcome", False), (b"", False)])
def test_early_media_needs_sdp(body: bytes, early: bool):
    leg = make_leg()
    leg.receive(new_response(start(leg), 183, tag="main", headers=(CONTACT,), body=body), SOURCE, 0.5)
    assert leg.early_media is early


@pytest.mark.parametrize(("transport", "repeats"), [("udp", True), ("tcp", False)])
def test_refusals_of_reinvites_are_repeated_over_udp_only(transport: Transport, repeats: bool):
    leg, invite = answered()
    request = invite_without_codec(leg, invite)
    leg.receive(request, SOURCE._replace(transport=transport), 2.0)
    assert methods(sent_by(leg)) == ["488"]
    leg.due(2.5)
    assert methods(sent_by(leg)) == (["488"] if repeats else [])


@pytest.mark.parametrize(
    ("body", "payload_type"),
    [
        (ANSWER, 0),
        (ANSWER.replace("AVP 0 8", "AVP 8 0"), 8),
        (ANSWER.replace("AVP 0 8", "AVP 18"), None),
        (ANSWER.replace("sendrecv", "inactive"), None),
        (ANSWER.replace("a=sendrecv\r\n", "").replace("t=0 0\r\n", "t=0 0\r\na=sendonly\r\n"), None),
    ],
)
def test_silence_is_sent_as_agreed(body: str, payload_type: int | None):
    """In a codec that the emulator has, unless the far end holds."""
    media = media_of(body.encode())
    assert media is not None
    assert media.payload_type == payload_type


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        ("RTP/AVP", "RTP/SAVP", None),
        ("a=sendrecv\r\n", "", ["a=sendrecv"]),
        ("t=0 0\r\n", "t=0 0\r\na=inactive\r\n", ["a=sendrecv"]),  # that of the stream counts
        ("m=audio 40000", "m=audio 0", ["m=audio 0 RTP/AVP 0 8 101"]),
    ],
)
def test_answers_to_offers(old: str, new: str, lines: list[str] | None):
    """Encryption that was not offered is refused; a stream that was disabled stays so."""
    answer = make_answer(make_leg()._offer, ANSWER.replace(old, new).encode())
    assert (lines is None) is (answer == "")
    assert all(line in answer.split("\r\n") for line in lines or [])


def test_the_answer_in_an_ack_says_where_media_goes():
    """If the INVITE had no offer."""
    leg, invite = answered()
    ask(leg, invite, "INVITE", 2.0)
    ask(leg, invite, "ACK", 2.1, body=ANSWER.replace("40000", "40004").encode())
    assert leg.remote_media == ("192.0.2.1", 40004, 0)


def test_a_refresh_takes_over_contact_and_media():
    """Of the response, as of a request (RFC 3261, section 12.2.1.2)."""
    leg, _ = answered(timer=SessionTimer(expires=1800, minimum=90, refresh=1))
    leg.due(901.0)
    (refresh,) = sent_by(leg)
    assert isinstance(refresh, SipRequest)
    headers = (("Contact", "<sip:moved@192.0.2.1:5070>"), ("Session-Expires", "1800;refresher=uac"))
    body = ANSWER.replace("40000", "40006").encode()
    leg.receive(new_response(refresh, 200, tag="main", headers=headers, body=body), SOURCE, 901.1)
    assert leg.remote_media == ("192.0.2.1", 40006, 0)
    leg.take()
    leg.hang_up(902.0)
    (bye,) = sent_by(leg)
    assert isinstance(bye, SipRequest)
    assert bye.uri == "sip:moved@192.0.2.1:5070"


def invite_without_codec(leg: Leg, invite: SipRequest) -> SipRequest:
    """Return a re-INVITE whose only codec was not offered."""
    return new_request(
        "INVITE",
        "sip:didww@192.0.2.9:5060",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother;rport"),
            ("From", f"{invite.get_header('To')};tag=main"),
            ("To", invite.get_header("From") or ""),
            ("Call-ID", leg.sip_call_id),
            ("CSeq", "1 INVITE"),
            CONTACT,
        ],
        ANSWER.replace("RTP/AVP 0 8 101", "RTP/AVP 9").encode(),
    )


def test_lost_ack_of_reinvite_ends_the_call():
    leg, invite = answered()
    ask(leg, invite, "INVITE", 2.0)
    sent = run_out(leg)
    assert "BYE" in sent
    assert leg.result is not None
    assert leg.result.code == 408


def test_many_infos_do_not_hide_the_bye():
    leg, invite = answered()
    for number in range(1, 200):
        ask(leg, invite, "INFO", 2.0, cseq=number)
    response = ask(leg, invite, "BYE", 3.0, cseq=200)
    assert response is not None
    assert response.status_code == 200
    assert leg.result is not None


def test_record_route():
    leg = make_leg()
    invite = start(leg)
    routes = [("Record-Route", "<sip:192.0.2.1:5070;lr>, <sip:192.0.2.50;lr>")]
    leg.receive(
        parse(bytes(new_response(invite, 200, tag="main", headers=[*routes, CONTACT], body=ANSWER.encode()))),
        SOURCE,
        1.0,
    )
    outgoing = leg.take()[0]
    ack = parse(outgoing.data)
    assert ack.get_header_values("Route") == ["<sip:192.0.2.50;lr>", "<sip:192.0.2.1:5070;lr>"]
    assert isinstance(ack, SipRequest)
    assert ack.uri == "sip:main@192.0.2.1:5060"
    assert outgoing.target.host == "192.0.2.1"


# Session timers

TIMER = SessionTimer(expires=1800, minimum=90)


def test_interval_too_small():
    leg = make_leg(timer=TIMER)
    invite = start(leg)
    assert invite.get_header("Session-Expires") == "1800;refresher=uac"
    assert respond(leg, invite, 422, 1.0, ("Min-SE", "3600")) == ["ACK", "INVITE"]
    invite = leg.last[1]
    assert (invite.get_header("Session-Expires"), invite.get_header("Min-SE")) == ("3600;refresher=uac", "3600")


def test_a_nonce_is_counted():
    leg = make_leg(timer=TIMER, credentials=Credentials("user", "password"))
    challenge = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n1", qop="auth"')
    assert respond(leg, start(leg), 401, 1.0, challenge) == ["ACK", "INVITE"]
    first = leg.last[1]
    assert respond(leg, first, 422, 2.0, ("Min-SE", "3600")) == ["ACK", "INVITE"]
    counts = [invite.get_header("Authorization").partition("nc=")[2][:8] for invite in (first, leg.last[1])]
    assert counts == ["00000001", "00000002"]


def test_ever_greater_intervals_end():
    leg = make_leg(timer=TIMER)
    invite, count = start(leg), 0
    while leg.result is None:
        count += 1
        respond(leg, invite, 422, 1.0, ("Min-SE", str(3600 + count)))
        invite = leg.last[-1]
    assert count < 10
    assert leg.result.code == 422


@pytest.mark.parametrize(("refresh", "method"), [(1, "INVITE"), (2, "UPDATE"), (3, "UPDATE")])
def test_refresh(refresh: int, method: str):
    leg, invite = answered(timer=TIMER._replace(refresh=refresh))
    assert leg.next_due() is not None
    leg.due(901.0)
    (request,) = sent_by(leg)
    assert isinstance(request, SipRequest)
    assert request.method == method
    theirs = ask(leg, invite, "UPDATE", 901.1)
    assert theirs is not None
    assert theirs.status_code == 491
    expected = ["ACK"] if method == "INVITE" else []
    assert respond(leg, request, 200, 901.2, ("Session-Expires", "1800;refresher=uac")) == expected
    leg.due(1802.0)
    assert method in methods(sent_by(leg))


def test_refresh_after_glare():
    leg, _ = answered(timer=TIMER)
    leg.due(901.0)
    (request,) = sent_by(leg)
    assert respond(leg, request, 491, 901.1) == ["ACK"]
    leg.due(904.0)
    assert "INVITE" in methods(sent_by(leg))


@pytest.mark.parametrize("code", [408, 481, None])
def test_refresh_that_fails_ends_the_call(code: int | None):
    leg, _ = answered(timer=TIMER)
    leg.due(901.0)
    (request,) = sent_by(leg)
    sent = run_out(leg) if code is None else respond(leg, request, code, 901.1)
    assert "BYE" in sent
    assert leg.result is not None


def test_session_expires():
    """The far end was to refresh, and did not."""
    leg = make_leg(timer=TIMER)
    respond(leg, start(leg), 200, 1.0, ("Session-Expires", "90;refresher=uas"))
    assert "BYE" in run_out(leg)
    assert leg.result is not None
    assert leg.result.ended_by == "timeout"


def test_session_interval_of_the_far_end_too_small():
    leg, invite = answered(timer=TIMER)
    response = ask(leg, invite, "UPDATE", 2.0, ("Session-Expires", "60"))
    assert response is not None
    assert (response.status_code, response.get_header("Min-SE")) == (422, "90")


@pytest.mark.parametrize("value", ["x", "0", ";refresher=uac"])
def test_session_timer_without_an_interval_is_not_agreed_to(value: str):
    leg, invite = answered()
    response = ask(leg, invite, "UPDATE", 2.0, ("Session-Expires", value))
    assert response is not None
    assert (response.status_code, response.get_header("Session-Expires")) == (200, None)
    assert response.get_header("Require") is None


def test_cancel_of_no_request():
    leg, invite = answered()
    response = ask(leg, invite, "CANCEL", 2.0)
    assert response is not None
    assert response.status_code == 481
    assert leg.state == "talking"


def run_out(leg: Leg, longest: float = 10_000.0) -> list[str]:
    """Run the timers of a leg until none is left."""
    sent = methods(sent_by(leg))
    while (at := leg.next_due()) is not None:
        assert at < longest
        leg.due(at)
        sent += methods(sent_by(leg))
    return sent


# Laws

DELAYS = st.floats(0.0, 3.0)
FATES = st.lists(st.lists(DELAYS, max_size=3).map(tuple), min_size=1, max_size=40)
SCRIPTS = st.builds(
    Script,
    code=st.sampled_from([200, 200, 302, 404, 486, 503, 603, None]),
    after=st.floats(0.0, 20.0),
    rings=st.lists(st.floats(0.0, 10.0), max_size=4).map(tuple),
    forks=st.integers(0, 3),
    hangs_up=st.none() | st.floats(0.0, 30.0),
    challenge=st.booleans(),
    ignores_cancel=st.booleans(),
    endless=st.booleans(),
)
TIMES = st.none() | st.floats(0.0, 40.0)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(script=SCRIPTS, fates=FATES, cancel_at=TIMES, transport=st.sampled_from(["udp", "tcp"]))
def test_every_leg_ends(script: Script, fates: list[tuple[float, ...]], cancel_at: float | None, transport: Transport):
    """Under loss, duplication and reordering, every leg ends in bounded time, with bounded messages."""
    leg = make_leg(credentials=SECRET, transport=transport)
    run = Run(leg, script, itertools.cycle(fates), cancel_at=cancel_at, hang_up_at=110.0)
    run.run()
    assert leg.result is not None
    assert leg.finished
    assert leg.next_due() is None
    assert run.now <= 110 + 64 + 32 + 32
    assert len(run.sent) <= 1000
    assert len(leg.steps) <= 201
    assert b"sesame" not in b"".join(run.sent)
    byes: dict[str, set[str]] = {}
    for data in run.sent:
        message = parse(data)
        if isinstance(message, SipRequest) and message.method == "BYE":
            byes.setdefault(tag_of(message.get_header("To")), set()).add(message.get_header("CSeq") or "")
    assert all(len(numbers) == 1 for numbers in byes.values())


@settings(max_examples=200, deadline=None)
@given(script=SCRIPTS, cancel_at=TIMES, losses=st.lists(st.booleans(), max_size=30))
def test_every_answer_is_acknowledged_and_ended(script: Script, cancel_at: float | None, losses: list[bool]):
    """If messages get through at last, every final response is acknowledged and every dialog is ended."""
    alternating = [() if lost and number % 2 else (0.02,) for number, lost in enumerate(losses)]
    leg = make_leg(credentials=SECRET)
    run = Run(leg, script, itertools.chain(alternating, perfect()), cancel_at=cancel_at, hang_up_at=110.0)
    run.run()
    assert leg.finished
    assert run.peer.finals <= run.peer.acked
    assert run.peer.established <= run.peer.ended.keys()
    assert all(len(branches - {"theirs"}) <= 1 for branches in run.peer.ended.values())
