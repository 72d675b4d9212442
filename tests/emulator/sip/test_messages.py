"""Test messages: what is malformed is a ValueError, and what is not can be built and read again."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didww.emulator.sip.messages import (
    MAX_MESSAGE,
    SipRequest,
    challenges_of,
    cseq_of,
    digest_answer,
    media_of,
    new_response,
    parse,
    tag_of,
    uri_in,
)
from didww.emulator.sip.model import Credentials, Target
from didww.emulator.sip.sdp_answer import make_answer, next_version
from support.sip_peer import ANSWER, make_leg, sent_by

SOURCE = Target("udp", "192.0.2.1", 5060)
BYE = (
    b"BYE sip:didww@192.0.2.9 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport\r\n"
    b"From: <sip:a@example.com>;tag=main\r\nTo: <sip:b@example.com>;tag=b\r\nCall-ID: c\r\nCSeq: 7 BYE\r\n\r\n"
)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
        b"SIP/2.0\r\n\r\n",
        b"SIP/2.0 abc OK\r\n\r\n",
        BYE.replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"),
        BYE.replace(b"CSeq: 7 BYE", b"CSeq: seven BYE"),
        BYE.replace(b"CSeq: 7 BYE", b"CSeq: 99999999999 BYE"),
        BYE.replace(b"Call-ID: c\r\n", b""),
        BYE.replace(b"BYE sip", b"B\x00E sip"),
        BYE.replace(b"\r\n\r\n", b"\r\nX: " + b"a" * 9000 + b"\r\n\r\n"),
        BYE.replace(b"\r\n\r\n", b"\r\nX: a" * 300 + b"\r\n\r\n"),
        BYE + b"a" * MAX_MESSAGE,
        BYE.replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\nv=0"),
    ],
)
def test_malformed(data: bytes):
    with pytest.raises(ValueError):
        parse(data)


def test_keep_alive_before_a_message():
    assert cseq_of(parse(b"\r\n\r\n" + BYE)) == (7, "BYE")


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_garbage_is_a_value_error(data: bytes):
    with contextlib.suppress(ValueError):
        parse(data)


def mutated(text: bytes) -> st.SearchStrategy[bytes]:
    """Return messages with some bytes replaced, added or removed."""
    change = st.tuples(st.integers(0, len(text)), st.integers(0, 12), st.binary(max_size=12))

    def apply(changes: list[tuple[int, int, bytes]]) -> bytes:
        data = text
        for at, length, put in changes:
            data = data[:at] + put + data[at + length :]
        return data

    return st.lists(change, min_size=1, max_size=6).map(apply)


LEG_INVITE = make_leg()
LEG_INVITE.start(0.0)
(INVITE,) = sent_by(LEG_INVITE)
assert isinstance(INVITE, SipRequest)
HEADERS = [
    ("Contact", "<sip:main@192.0.2.1:5060;transport=udp>"),
    ("Record-Route", "<sip:192.0.2.1;lr>"),
    ("Session-Expires", "1800;refresher=uas"),
    ("Min-SE", "90"),
    ("WWW-Authenticate", 'Digest realm="x", nonce="n", qop="auth"'),
    ("Content-Type", "application/sdp"),
]
RESPONSES = st.sampled_from([180, 200, 302, 401, 422, 486]).flatmap(
    lambda code: mutated(bytes(new_response(INVITE, code, tag="main", headers=HEADERS, body=ANSWER.encode())))
)
OFFER = (
    BYE.replace(b"BYE", b"INVITE")
    .replace(b";tag=b\r", f";tag={tag_of(INVITE.get_header('From'))}\r".encode())
    .replace(b"\r\n\r\n", b"\r\nRequire: timer\r\nSession-Expires: 1800\r\n\r\n" + ANSWER.encode())
)


@settings(max_examples=300, deadline=None)
@given(st.lists(RESPONSES | mutated(BYE) | mutated(OFFER), max_size=6))
def test_garbage_never_raises_out_of_a_leg(messages: list[bytes]):
    """Messages that parse are taken, whatever they have in them, and the leg still ends."""
    leg = make_leg(credentials=Credentials("alice", "open sesame"))
    leg.start(0.0)
    leg.take()
    for number, data in enumerate([*messages, bytes(new_response(INVITE, 200, tag="main", headers=HEADERS)), OFFER]):
        try:
            message = parse(data)
        except ValueError:
            continue
        leg.receive(message, SOURCE, float(number))
        for outgoing in leg.take():
            parse(outgoing.data)
    leg.hang_up(20.0)
    for _ in range(500):
        leg.take()
        at = leg.next_due()
        if at is None:
            break
        leg.due(at)
    assert leg.finished


@pytest.mark.parametrize(
    "body", [b"", b"v=0", b"\xff\xfe", ANSWER.replace("40000", "999999").encode(), b"m=audio x\r\n"]
)
def test_sdp_without_audio(body: bytes):
    assert media_of(body) is None


@given(mutated(ANSWER.encode()))
def test_garbage_in_sdp(body: bytes):
    media_of(body)
    make_answer(ANSWER, body)


def test_next_version():
    assert next_version("v=0\r\no=- 1 9 IN IP4 192.0.2.1\r\n") == "v=0\r\no=- 1 10 IN IP4 192.0.2.1\r\n"


def test_source_of_a_request():
    message = parse(BYE)
    assert isinstance(message, SipRequest)
    response = new_response(message, 200, source=SOURCE._replace(port=5099))
    assert (response.get_header("Via") or "").endswith(";branch=z9hG4bK1;received=192.0.2.1;rport=5099")


@pytest.mark.parametrize(
    ("value", "uri"),
    [
        ('"A <b>" <sip:c@example.com;x=1>;q=0.5', "sip:c@example.com;x=1"),
        ("sip:c@example.com;q=0.5", "sip:c@example.com"),
        ("*", "*"),
    ],
)
def test_uri_in(value: str, uri: str):
    assert uri_in(value) == uri


@pytest.mark.parametrize(
    ("value", "tag"), [("<sip:a@b;tag=x>", ""), ("<sip:a@b>;tag=y", "y"), ("sip:a@b;tag=z", "z"), (None, "")]
)
def test_tag_of(value: str | None, tag: str):
    assert tag_of(value) == tag


def test_digest():
    """RFC 2617, section 3.5, whose answer is known."""
    invite = INVITE
    assert isinstance(invite, SipRequest)
    value = 'Digest Realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5c"'
    response = new_response(invite, 401, headers=[("WWW-Authenticate", "Basic x"), ("WWW-Authenticate", value)])
    credentials = Credentials("Mufasa", "Circle Of Life")
    (challenge,) = challenges_of(response)
    answer = digest_answer(credentials, challenge, "GET", "/dir/index.html", count=1, cnonce="0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in answer
    assert "Circle" not in repr((credentials, challenge))
    assert "nc=00000002" in digest_answer(credentials, challenge, "GET", "/", count=2, cnonce="0a4f113b")
    odd = Credentials('us"er', "x")
    assert 'username="us\\"er"' in digest_answer(odd, challenge, "GET", "/", count=1, cnonce="0a4f113b")
