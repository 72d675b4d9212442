"""What a trunk's configuration makes of a call: order, limits, request URI, caller ID, headers, offer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    Codec,
    DidwwClient,
    PstnConfiguration,
    ReroutingDisconnectCode,
    SipConfiguration,
    VoiceInTrunk,
    VoiceInTrunkGroup,
)
from didww.emulator import Emulator
from didww.emulator.sip.caller_id import caller_user, quoted, safe_domain, safe_user
from didww.emulator.sip.model import Candidate, Invite, Route, SessionTimer
from didww.emulator.sip.routing import get_route
from didww.enums import (
    CliFormat,
    DiversionInjectMode,
    DiversionRelayPolicy,
    MediaEncryptionMode,
    RxDtmfFormat,
    StirShakenMode,
    TransportProtocol,
    TxDtmfFormat,
)
from support.sip_account import buy_number, route_to_group

CALLER = "12025550123"
DOMAIN = "emulator.example.com"


@pytest.fixture
def number(emulator: Emulator, client: DidwwClient) -> str:
    """Return a number without a route."""
    return buy_number(emulator, client)


def route_of(emulator: Emulator, number: str, caller: str = CALLER, seed: int = 1, **details: Any) -> Route:
    """Return the route of a call."""
    with emulator.engine.locked():
        session = emulator.engine.session(emulator.key)
        return get_route(session, number, caller, random=Random(seed), **details)


Place = Callable[..., tuple[Invite, Candidate, Route]]


@pytest.fixture
def place(emulator: Emulator, client: DidwwClient, number: str) -> Place:
    """Return a function that routes the number to a trunk, and returns the INVITE of a call, its trunk and route."""

    def place(
        settings: dict[str, Any] | None = None, *, trunk: dict[str, Any] | None = None, **call: Any
    ) -> tuple[Invite, Candidate, Route]:
        inside: dict[str, Any] = {"host": "pbx.example.com", "codec_ids": [Codec.PCMU], **(settings or {})}
        made = client.voice_in_trunks().create(
            VoiceInTrunk(name="Main", configuration=SipConfiguration(**inside), **(trunk or {}))
        )
        did = client.dids().one(filter={"number": number})
        did.voice_in_trunk = made.data
        client.dids().update(did)
        route = route_of(emulator, number, **call)
        (candidate,) = route.candidates
        assert candidate.invite is not None
        return candidate.invite, candidate, route

    return place


def headers(invite: Invite) -> dict[str, str]:
    """Return the further headers of an INVITE."""
    return dict(invite.headers)


def test_the_plain_trunk(place: Place, number: str) -> None:
    """The number is the user of the request URI and in To; the caller is in From."""
    invite, candidate, route = place()
    assert invite.uri == f"sip:{number}@pbx.example.com"
    assert invite.callee == f"<sip:{number}@pbx.example.com>"
    assert invite.caller == f"<sip:{CALLER}@{DOMAIN}>"
    assert (invite.headers, invite.credentials, invite.session_timer) == ((), None, None)
    assert candidate.destination is not None
    assert candidate.destination[:3] == ("pbx.example.com", None, "udp")
    assert route.notes[0] == "The number is routed to trunk Main."


@pytest.mark.parametrize(
    ("settings", "uri"),
    [
        ({"username": "+{DID}", "port": 5070}, "sip:+{number}@pbx.example.com:5070"),
        ({"username": "agent-{DID}-x"}, "sip:agent-{number}-x@pbx.example.com"),
        ({"username": "a<b>;c"}, "sip:a%3Cb%3E;c@pbx.example.com"),
        ({"host": "2001:db8::1", "port": 5060}, "sip:{number}@[2001:db8::1]:5060"),
        ({"transport_protocol_id": TransportProtocol.TCP}, "sip:{number}@pbx.example.com;transport=tcp"),
        ({"username": "{CALL_CPC}"}, "sip:{number}@pbx.example.com"),  # empty for this number
        ({"transport_protocol_id": TransportProtocol.TLS}, "sip:{number}@pbx.example.com;transport=tls"),
    ],
)
def test_request_uris(place: Place, number: str, settings: dict[str, Any], uri: str) -> None:
    """The request URI has the pattern of the trunk, its host, port and transport."""
    invite, _, _ = place(settings)
    assert invite.uri == uri.format(number=number)


def test_the_category_is_for_toll_free_numbers(place: Place, number: str) -> None:
    """Calls to other numbers have none, and a note says so."""
    invite, _, route = place({"username": "{CALL_CPC}{DID}"})
    assert invite.uri == f"sip:{number}@pbx.example.com"
    assert any("toll-free" in note for note in route.notes)


@pytest.mark.parametrize(
    ("caller", "cli_format", "prefix", "expected"),
    [
        (CALLER, CliFormat.E164, None, CALLER),
        (CALLER, CliFormat.RAW, "+", f"+{CALLER}"),
        ("442079460001", CliFormat.LOCAL, None, "2079460001"),
        ("442079460001", CliFormat.LOCAL, "0", "02079460001"),
        (CALLER, CliFormat.LOCAL, None, CALLER),
        (CALLER, CliFormat.E164, "#9", f"%239{CALLER}"),
    ],
)
def test_caller_ids(
    place: Place, number: str, caller: str, cli_format: CliFormat, prefix: str | None, expected: str
) -> None:
    """The caller ID has the trunk's format and prefix."""
    assert number.startswith("44")
    invite, _, _ = place(trunk={"cli_format": cli_format, "cli_prefix": prefix}, caller=caller)
    assert invite.caller == f"<sip:{expected}@{DOMAIN}>"


@pytest.mark.parametrize("caller", ["", "anonymous"])
def test_withheld_callers(place: Place, caller: str) -> None:
    """A withheld number is not sent anywhere."""
    invite, _, _ = place(
        {"stir_shaken_mode": StirShakenMode.PAI, "cnam_lookup": True},
        trunk={"cli_prefix": "+"},
        caller=caller,
        caller_name="Alex",
        attestation="A",
    )
    assert invite.caller == "<sip:anonymous@anonymous.invalid>"
    assert headers(invite)["Privacy"] == "id"
    assert "P-Asserted-Identity" not in headers(invite)


@pytest.mark.parametrize(
    ("lookup", "caller", "name"),
    [(True, CALLER, '"A \\"B\\"" '), (False, CALLER, ""), (True, "442079460001", "")],
)
def test_names_of_callers(place: Place, lookup: bool, caller: str, name: str) -> None:
    """A name is sent with CNAM lookup, for callers of the United States; else a note says why not."""
    invite, _, route = place({"cnam_lookup": lookup}, caller=caller, caller_name='A "B"')
    assert invite.caller == f"{name}<sip:{caller}@{DOMAIN}>"
    assert any("name is not sent" in note for note in route.notes) is not bool(name)


def test_credentials(place: Place) -> None:
    """A trunk with authentication has its own From, and its password is not shown."""
    invite, _, _ = place(
        {
            "auth_enabled": True,
            "auth_user": "me",
            "auth_password": "hidden-word",
            "auth_from_user": "from me",
            "auth_from_domain": "x.example.com",
        }
    )
    assert invite.caller == "<sip:from%20me@x.example.com>"
    assert invite.credentials is not None
    assert (invite.credentials.username, invite.credentials.password) == ("me", "hidden-word")
    assert "hidden-word" not in repr(invite)


@pytest.mark.parametrize(
    ("relay", "inject", "expected"),
    [
        ("none", "none", []),
        ("as_is", "none", [f"<sip:442079460002@{DOMAIN}>;reason=unconditional"]),
        ("sip", "none", [f"<sip:442079460002@{DOMAIN}>;reason=unconditional"]),
        ("tel", "did_number", [f"<sip:NUMBER@{DOMAIN}>", "<tel:+442079460002>;reason=unconditional"]),
        ("none", "did_number", [f"<sip:NUMBER@{DOMAIN}>"]),
    ],
)
def test_diversions(place: Place, number: str, relay: str, inject: str, expected: list[str]) -> None:
    """Diversion headers are relayed and added as the trunk says."""
    invite, _, _ = place(
        {"diversion_relay_policy": DiversionRelayPolicy(relay), "diversion_inject_mode": DiversionInjectMode(inject)},
        diversion="442079460002",
    )
    assert [value for name, value in invite.headers if name == "Diversion"] == [
        value.replace("NUMBER", number) for value in expected
    ]


INDICATED = {"P-Attestation-Indicator", "P-Origination-ID"}
NOTHING = set[str]()


@pytest.mark.parametrize(
    ("mode", "attestation", "names", "noted"),
    [
        ("disabled", "A", NOTHING, False),
        ("pai", None, NOTHING, False),
        ("pai", "B", {"P-Asserted-Identity", *INDICATED}, False),
        ("verstat", "C", {"P-Stir-Verstat", *INDICATED}, False),
        ("original", "A", NOTHING, True),
        ("original_pai", "A", {"P-Asserted-Identity", *INDICATED}, True),
    ],
)
def test_attestations(place: Place, mode: str, attestation: str | None, names: set[str], noted: bool) -> None:
    """The attestation is in the headers of the mode; a note says that there is no Identity header."""
    invite, _, route = place({"stir_shaken_mode": StirShakenMode(mode)}, attestation=attestation)
    assert set(headers(invite)) == names
    assert headers(invite).get("P-Attestation-Indicator", attestation) == attestation
    assert any("Identity header" in note for note in route.notes) is noted


def test_the_offer(place: Place) -> None:
    """Codecs are offered in their order, with the payload types of RFC 3551 or dynamic ones."""
    invite, _, _ = place({"codec_ids": [Codec.PCMA, Codec.SPEEX, Codec.TELEPHONE_EVENT, Codec.G726_32, Codec.G729]})
    lines = invite.offer.split("\r\n")
    assert "m=audio {port} RTP/AVP 8 96 101 97 18" in lines
    assert [line for line in lines if line.startswith("a=")] == [
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:96 speex/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=rtpmap:97 G726-32/8000",
        "a=rtpmap:18 G729/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=sendrecv",
    ]
    assert lines[-1] == ""


@pytest.mark.parametrize(
    ("sent", "accepted", "offered"),
    [
        (TxDtmfFormat.RFC_2833, RxDtmfFormat.SIP_INFO, True),
        (TxDtmfFormat.DISABLED, RxDtmfFormat.RFC_2833, True),
        (TxDtmfFormat.DISABLED, RxDtmfFormat.SIP_INFO, False),
    ],
)
def test_telephone_events(place: Place, sent: TxDtmfFormat, accepted: RxDtmfFormat, offered: bool) -> None:
    """Telephone events are offered only if DTMF is sent or accepted so."""
    invite, _, _ = place(
        {
            "codec_ids": [Codec.PCMU, Codec.TELEPHONE_EVENT],
            "tx_dtmf_format_id": sent,
            "rx_dtmf_format_id": accepted,
        }
    )
    assert ("telephone-event" in invite.offer) is offered


@pytest.mark.parametrize(
    ("mode", "profile", "note"),
    [
        ("disabled", "RTP/AVP", ""),
        ("srtp_sdes", "RTP/SAVP", "SRTP"),
        ("srtp_dtls", "RTP/AVP", "DTLS"),
        ("zrtp", "RTP/AVP", "ZRTP"),
    ],
)
def test_encryption(place: Place, mode: str, profile: str, note: str) -> None:
    """SDES is offered with a key; what is not emulated is noted."""
    invite, _, route = place({"media_encryption_mode": MediaEncryptionMode(mode)})
    assert f" {profile} 0\r\n" in invite.offer
    assert ("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" in invite.offer) is (mode == "srtp_sdes")
    assert any(note in text for text in route.notes[1:]) or not note
    assert "inline" not in "".join(route.notes)


def test_timers(place: Place) -> None:
    """Timers, redirects and rerouting codes are those of the trunk."""
    invite, candidate, _ = place(
        {
            "sst_enabled": True,
            "sst_min_timer": 60,
            "sst_max_timer": 1800,
            "sst_session_expires": 600,
            "sst_refresh_method_id": 2,
            "sst_accept_501": False,
            "sip_timer_b": 4000,
            "dns_srv_failover_timer": 2500,
            "max_30x_redirects": 3,
            "resolve_ruri": True,
            "rerouting_disconnect_code_ids": [ReroutingDisconnectCode.SIP_486_BUSY_HERE],
        },
        trunk={"ringing_timeout": 20, "capacity_limit": 7},
    )
    assert invite.session_timer == SessionTimer(600, 90, 2, accept_501=False)
    assert (invite.timer_b, invite.max_redirects, candidate.failover) == (4.0, 3, 2.5)
    assert (candidate.ringing_timeout, candidate.resolve_uri, candidate.rerouting) == (20.0, True, frozenset({90}))
    assert [(limit.key[0], limit.most) for limit in candidate.limits] == [("trunk", 7)]


def test_groups(emulator: Emulator, client: DidwwClient, number: str) -> None:
    """Trunks are tried by priority, and the notes say so."""
    route_to_group(client, number, "Main", "Backup")
    route = route_of(emulator, number)
    assert (route.group, [candidate.trunk for candidate in route.candidates]) == ("Failover", ["Main", "Backup"])
    assert route.notes[0] == (
        "The number is routed to the trunk group Failover, whose trunks are tried in the order Main, Backup."
    )
    assert not any("drawn by weight" in note for note in route.notes)


def test_weights_share_the_calls(emulator: Emulator, client: DidwwClient, number: str) -> None:
    """Of two trunks of one priority, that of weight 30 gets three times as many calls first; one behind gets none."""
    route_to_group(client, number, "Main", "Backup", "Last")
    for trunk in client.voice_in_trunks().list().data:
        trunk.priority = 2 if trunk.name == "Last" else 1
        trunk.weight = {"Main": 30, "Backup": 10, "Last": 60_000}[trunk.name]
        client.voice_in_trunks().update(trunk)
    firsts = Counter(route_of(emulator, number, seed=seed).candidates[0].trunk for seed in range(400))
    assert set(firsts) == {"Main", "Backup"}
    assert 270 <= firsts["Main"] <= 330
    assert "Main (weight 30)" in route_of(emulator, number).notes[1]


def test_phone_numbers_and_group_limits(emulator: Emulator, client: DidwwClient, number: str) -> None:
    """A trunk that forwards to a phone number reroutes on any code; the group's limit counts."""
    trunk = client.voice_in_trunks().create(
        VoiceInTrunk(name="Phone", configuration=PstnConfiguration(dst="442079460009"))
    )
    group = client.voice_in_trunk_groups().create(
        VoiceInTrunkGroup(name="Group", capacity_limit=2, voice_in_trunks=[trunk.data])
    )
    did = client.dids().one(filter={"number": number})
    did.voice_in_trunk_group = group.data
    did.capacity_limit = 4
    client.dids().update(did)
    route = route_of(emulator, did.id)
    (candidate,) = route.candidates
    assert (candidate.kind, candidate.shown, candidate.invite) == ("pstn", "442079460009", None)
    assert int(ReroutingDisconnectCode.RINGING_TIMEOUT) in candidate.rerouting
    assert {limit.key[0]: limit.most for limit in route.limits if limit.key[0] != "channels"} == {"did": 4, "group": 2}


def test_registrations(place: Place, number: str) -> None:
    """A trunk that registers has no destination of its own."""
    _, candidate, _ = place({"host": None, "enabled_sip_registration": True, "use_did_in_ruri": True})
    assert (candidate.kind, candidate.destination, candidate.did_as_user) == ("registration", None, True)
    assert candidate.invite is not None
    assert candidate.invite.uri == f"sip:{number}@{DOMAIN}"


def test_no_route(emulator: Emulator, number: str) -> None:
    """A number without a trunk is answered with 404."""
    route = route_of(emulator, number)
    assert (route.refused, route.candidates) == ((404, "Not Found"), ())
    assert route.notes == ("The number is routed to no trunk.",)


def test_terminated(emulator: Emulator, client: DidwwClient, number: str) -> None:
    """A terminated number takes no calls."""
    did = client.dids().one(filter={"number": number})
    did.terminated = True
    client.dids().update(did)
    assert route_of(emulator, number).refused == (403, "DID service expired")


def test_unknown_numbers(emulator: Emulator, number: str) -> None:
    """A number of nobody is an error."""
    with pytest.raises(LookupError, match="no number"):
        route_of(emulator, f"{number}9")


@given(st.text(max_size=30), st.sampled_from(["e164", "local", "raw", None]), st.text(max_size=7))
def test_nothing_ends_a_header(text: str, cli_format: str | None, prefix: str) -> None:
    """Whatever is stored, a user part, a host and a name stay within their place."""
    for part in (safe_user(text), safe_domain(text), caller_user(text, cli_format, prefix, "44")):
        assert part.isascii()
        assert not set(part) & set('<>"@ \r\n\t#')
    assert not set(quoted(text)) & set("\r\n\0")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"blocked": True}, "DID is blocked"),
        ({"awaiting_registration": True}, "DID awaits registration"),
        ({"expires_at": "2020-01-01T00:00:00.000Z"}, "DID service expired"),
    ],
)
def test_numbers_that_take_no_calls(emulator: Emulator, number: str, changes: dict[str, Any], reason: str) -> None:
    """Calls are refused before any trunk, with a note."""
    with emulator.engine.locked():
        session = emulator.engine.session(emulator.key)
        session.update("dids", session.find("dids", number=number)[0]["id"], changes)
    route = route_of(emulator, number)
    assert (route.refused, route.candidates) == ((403, reason), ())
    assert route.notes == (f"The call is refused: {reason}.",)


@pytest.mark.parametrize(("cpc", "value"), [("ordinary", "01"), ("cellular", "02"), ("payphone", "03"), ("test", "04")])
def test_categories_of_toll_free_numbers(emulator: Emulator, place: Place, number: str, cpc: str, value: str) -> None:
    """The placeholder becomes the number of the category."""
    with emulator.engine.locked():
        session = emulator.engine.session(emulator.key)
        (did,), (free,) = session.find("dids", number=number), session.find("did_group_types", name="Toll-free")
        group = next(iter(session.find("did_groups", did_group_type=free["id"], limit=1)))
        session.update("dids", did["id"], {"did_group": group["id"]})
    invite, _, _ = place({"username": "{CALL_CPC}{DID}"}, cpc=cpc)
    assert invite.uri == f"sip:{value}{number}@pbx.example.com"


def test_channels(emulator: Emulator, number: str, place: Place) -> None:
    """Own channels come first, then those of the capacity group; without any, a note says that nothing is counted."""
    with emulator.engine.locked():
        session = emulator.engine.session(emulator.key)
        did = session.find("dids", number=number)[0]["id"]
        session.update("dids", did, {"channels_included_count": 0, "dedicated_channels_count": 0})
    _, _, route = place()
    assert route.limits == ()
    assert any("no channels" in note for note in route.notes)
    with emulator.engine.locked():
        session.update("dids", did, {"channels_included_count": 2, "dedicated_channels_count": 1})
    (limit,) = route_of(emulator, number).limits
    assert (limit.key, limit.most, limit.overflow) == (("channels", did), 3, None)
    with emulator.engine.locked():
        shared = session.insert(
            "shared_capacity_groups",
            {
                "name": "Shared",
                "shared_channels_count": 4,
                "metered_channels_count": 5,
                "capacity_pool": session.find("capacity_pools")[0]["id"],
            },
        )["id"]
        session.update("dids", did, {"shared_capacity_group": shared})
    (limit,) = route_of(emulator, number).limits
    assert limit.most == 3
    assert limit.overflow is not None
    assert (limit.overflow.key, limit.overflow.most, limit.overflow.name) == (
        ("channels", shared),
        9,
        "capacity group Shared",
    )
