"""Call Events and CDR Streaming of the emulator, taken by the SDK's own receivers."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from unittest import mock

import httpcore2
import pytest

from didww import (
    CallbackReceiver,
    CredentialsAndIpAuthenticationMethod,
    Did,
    SipConfiguration,
    VoiceInTrunk,
    VoiceOutTrunk,
)
from didww.callback.call_event_verifier import CallEventVerifier
from didww.callback.call_events import (
    InboundCallConnect,
    InboundCallEnd,
    InboundCallStart,
    InboundCdr,
    OutboundCallEnd,
    OutboundCallStart,
    OutboundCdr,
)
from didww.emulator import Emulator, FarEnd
from didww.emulator.controls import call_sender, call_streams, sending
from didww.enums import Codec, OnCliMismatchAction
from didww.transport import httpx_common
from support.http_receiver import HttpReceiver

NUMBER = "442079460001"
CREDENTIALS = ("didww", "test-password")
TOKEN = {"X-Auth-Token": "test-token"}


class Receiver(HttpReceiver):
    """A receiver of events that are protected by a password and a header."""

    def events(self) -> list[Any]:
        verifier = CallEventVerifier(basic_auth=CREDENTIALS, headers=TOKEN)
        return [
            event
            for headers, body in self.requests
            for event in verifier.verify(method="POST", url=self.url, headers=headers, body=body)
        ]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        yield made


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as made:
        made.clock.freeze("2026-11-02T10:00:00Z")
        client = made.client()
        configuration = SipConfiguration(host="127.0.0.1", port=5070, codec_ids=[Codec.PCMU])
        trunk = client.voice_in_trunks().create(VoiceInTrunk(name="Main", configuration=configuration)).data
        made.state.seed({"dids": [{"number": NUMBER}]})
        did = client.dids().one(filter={"number": NUMBER})
        client.dids().update(Did(id=did.id, voice_in_trunk=trunk))
        yield made


def settings(receiver: Receiver) -> dict[str, Any]:
    return {"username": CREDENTIALS[0], "password": CREDENTIALS[1], "headers": TOKEN}


def test_events_of_a_call_come_at_their_times_with_one_id(emulator: Emulator, receiver: Receiver) -> None:
    emulator.call_events.set("events", receiver.url, **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=60)
    emulator.call_events.settle()
    assert [type(event) for event in receiver.events()] == [InboundCallStart, InboundCallConnect]
    emulator.clock.advance("60 s")
    emulator.call_events.settle()
    events = receiver.events()
    assert [type(event) for event in events] == [InboundCallStart, InboundCallConnect, InboundCallEnd]
    assert len({event.id for event in events}) == 1
    assert events[2].duration == 60
    assert (events[2].time_end - events[2].time_connect).total_seconds() == 60
    assert [event.did_number for event in events] == [NUMBER] * 3
    for headers, body in receiver.requests:
        assert headers["Content-Type"] == "application/vnd.api+json"
        assert headers["User-Agent"] == "CDR-streamer"
        assert isinstance(json.loads(body), dict)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the system verifies certificates")
def test_requests_share_the_trusted_certificates(
    emulator: Emulator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx_common, "_trusted", {})
    load = mock.Mock(wraps=httpcore2.default_ssl_context)
    monkeypatch.setattr(httpcore2, "default_ssl_context", load)
    emulator.call_events.set("events", receiver.url, direction="inbound", **settings(receiver))
    emulator.calls.inbound(NUMBER, count=5, duration=0)
    emulator.call_events.settle(60)
    assert len(receiver.requests) == 10
    assert load.call_count == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the system verifies certificates")
def test_what_cannot_be_sent_waits(emulator: Emulator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here because no certificates can be loaded: an event fails, records are tried again after a pause, not at once."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/certificates.pem")
    emulator.call_events.set("events", receiver.url, direction="inbound", **settings(receiver))
    emulator.call_events.set("cdrs", receiver.url, direction="inbound", **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=0)
    deliveries = emulator.call_events.settle()
    assert sorted((one.kind, one.state) for one in deliveries) == [
        ("cdrs", "waiting"),
        ("events", "failed"),
        ("events", "failed"),
    ]
    assert all("cannot be sent" in (one.error or "") for one in deliveries)
    monkeypatch.delenv("SSL_CERT_FILE")
    emulator.clock.advance("3 s")
    assert emulator.call_events.settle()[0].state == "delivered"


def test_records_come_in_one_batch_when_the_call_has_ended(emulator: Emulator, receiver: Receiver) -> None:
    emulator.call_events.set("cdrs", receiver.url, gzip=True, **settings(receiver))
    emulator.calls.inbound(NUMBER, count=3, duration=60)
    emulator.call_events.settle()
    assert receiver.requests == []
    emulator.clock.advance("60 s")
    emulator.call_events.settle()
    ((headers, body),) = receiver.requests
    assert headers["Content-Encoding"] == "gzip"
    assert headers["Content-Type"] == "text/plain"
    assert gzip.decompress(body).count(b"\n") == 3
    records = receiver.events()
    assert [type(record) for record in records] == [InboundCdr] * 3
    first = records[0]
    assert first.success is True
    assert first.duration == 60
    assert first.trunk_destination == f"sip:{NUMBER}@127.0.0.1"
    assert (first.routing_attempt, first.is_last_cdr, first.disconnect_initiator) == (1, True, 3)


def test_records_of_an_unanswered_call(emulator: Emulator, receiver: Receiver) -> None:
    emulator.call_events.set("cdrs", receiver.url, **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=0, code="486")
    emulator.call_events.settle()
    (record,) = receiver.events()
    assert (record.success, record.time_connect, record.internal_disconnect_code) == (False, None, 486)


def test_records_are_sent_again_after_three_seconds(emulator: Emulator, receiver: Receiver) -> None:
    receiver.statuses = [503, 500]
    emulator.call_events.set("cdrs", receiver.url, **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=0)
    for _ in range(3):
        emulator.call_events.settle()
        emulator.call_events.settle()
        emulator.clock.advance("3 s")
    states = [one.state for one in reversed(emulator.call_events.deliveries())]
    assert states == ["waiting", "waiting", "delivered"]
    assert len(receiver.requests) == 3
    assert len({body for _, body in receiver.requests}) == 1


def test_events_are_not_sent_again(emulator: Emulator, receiver: Receiver) -> None:
    receiver.statuses = [503]
    emulator.call_events.set("events", receiver.url, direction="inbound", **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=0)
    emulator.call_events.settle()
    emulator.clock.advance("1 min")
    emulator.call_events.settle()
    assert [one.state for one in reversed(emulator.call_events.deliveries())] == ["failed", "delivered"]


def test_outbound_calls_have_their_own_streams(emulator: Emulator, receiver: Receiver) -> None:
    emulator.call_events.set("events", receiver.url, direction="outbound", **settings(receiver))
    emulator.call_events.set("cdrs", receiver.url, direction="outbound", **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=5)
    trunk = VoiceOutTrunk(
        name="Out",
        on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL,
        authentication_method=CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"]),
    )
    emulator.calls.outbound(emulator.client().voice_out_trunks().create(trunk).data.id, duration=0)
    emulator.call_events.settle()
    kinds = [type(event) for event in receiver.events()]
    assert sorted(kind.__name__ for kind in kinds) == sorted(
        kind.__name__ for kind in (OutboundCallStart, OutboundCallEnd, OutboundCdr)
    )


def test_records_are_lost_if_too_many_wait(
    emulator: Emulator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert call_streams.MAX_QUEUED == 10_000
    monkeypatch.setattr(call_streams, "MAX_QUEUED", 10)
    emulator.call_events.set("cdrs", receiver.url, direction="inbound", **settings(receiver))
    emulator.calls.inbound(NUMBER, count=12, duration=60)
    (stream,) = emulator.call_events.show()
    assert (stream.queued, stream.lost) == (10, 2)


def test_secrets_are_not_shown(emulator: Emulator, receiver: Receiver) -> None:
    shown = emulator.call_events.set("events", receiver.url, **settings(receiver))
    assert "test-password" not in repr(shown)
    assert "test-token" not in repr(shown)
    assert shown[0].headers == ["X-Auth-Token"]
    emulator.call_events.set("events", "")
    assert emulator.call_events.show() == []


def test_only_loopback_addresses_unless_allowed(emulator: Emulator) -> None:
    emulator.call_events.set("events", "http://192.0.2.1/calls")
    emulator.calls.inbound(NUMBER, duration=0)
    emulator.call_events.settle()
    assert {one.state for one in emulator.call_events.deliveries()} == {"refused"}
    assert "192.0.2.1" in (emulator.call_events.deliveries()[0].error or "")


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"kind": "calls", "url": "http://127.0.0.1/"}, "kind"),
        ({"kind": "events", "url": "127.0.0.1:80"}, "url"),
        ({"kind": "events", "url": "http://user:secret@127.0.0.1/"}, "url"),
        ({"kind": "events", "url": "http://127.0.0.1/", "direction": "up"}, "direction"),
        ({"kind": "events", "url": "http://127.0.0.1/", "headers": {"Content-Length": "3"}}, "headers"),
        ({"kind": "events", "url": "http://127.0.0.1/", "username": "a:b"}, "username"),
        ({"kind": "events", "url": "http://127.0.0.1/", "headers": {"X Y": "1"}}, "headers"),
        ({"kind": "events", "url": "http://127.0.0.1/", "headers": {"X-Y": 1}}, "headers"),
        ({"kind": "events", "url": "http://127.0.0.1/", "password": 5}, "headers, username and password"),
        ({"kind": "events", "url": "http://127.0.0.1/", "headers": {"X-Y": "a\r\nb"}}, "headers"),
    ],
)
def test_wrong_arguments_are_named(emulator: Emulator, arguments: dict[str, Any], names: str) -> None:
    with pytest.raises(ValueError, match=rf"^{names}\b"):
        emulator.call_events.set(**arguments)


def test_a_receiver_that_hangs_delays_only_its_own_stream(
    emulator: Emulator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, go_on = Event(), Event()

    def send(method: str, url: str, *arguments: Any, **options: Any) -> sending.Attempt:
        if "hangs" in url:
            hanging.set()
            assert go_on.wait(60)
        return sending.send_request(method, url, *arguments, **options)

    monkeypatch.setattr(call_sender, "send_request", send)
    emulator.call_events.set("events", f"{receiver.url}/hangs", direction="inbound", **settings(receiver))
    emulator.call_events.set("cdrs", receiver.url, direction="inbound", **settings(receiver))
    emulator.calls.inbound(NUMBER, duration=0)
    assert hanging.wait(60)
    while not emulator.call_events.deliveries(kind="cdrs"):
        assert not go_on.wait(0.01)
    assert emulator.call_events.deliveries(kind="events") == []
    go_on.set()
    emulator.call_events.settle(60)
    assert [one.state for one in emulator.call_events.deliveries(kind="events")] == ["delivered"] * 2


def test_own_headers_replace_those_of_the_service(emulator: Emulator, receiver: Receiver) -> None:
    headers = {"user-agent": "test", **TOKEN}
    emulator.call_events.set("events", receiver.url, **{**settings(receiver), "headers": headers})
    emulator.calls.inbound(NUMBER, duration=0)
    emulator.call_events.settle()
    sent = [(name.lower(), value) for name, value in receiver.requests[0][0].items()]
    assert [value for name, value in sent if name == "user-agent"] == ["test"]


def test_a_real_call_is_told_while_it_lasts_even_if_the_clock_stands_still(
    emulator: Emulator, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is frozen: events come when they happen."""
    pytest.importorskip("aiosipua")
    from support.sip_memory_network import MemoryNetwork
    from support.sip_side import Side

    network = MemoryNetwork({"127.0.0.1": FarEnd(ringing=0, talks=0.1)})
    monkeypatch.setattr(emulator.calls, "_sip", Side(network))
    for kind in ("events", "cdrs"):
        emulator.call_events.set(kind, receiver.url, direction="inbound", **settings(receiver))
    report = emulator.calls.ring(NUMBER)
    emulator.call_events.settle(60)
    network.close()
    assert report.answered
    kinds = [type(event) for event in receiver.events()]
    assert kinds.count(InboundCdr) == 1
    assert [kind for kind in kinds if kind is not InboundCdr] == [InboundCallStart, InboundCallConnect, InboundCallEnd]


def test_a_sink_takes_the_records_of_a_call(emulator: Emulator, tmp_path: Path) -> None:
    """From the emulator over HTTP to the dataset: an attempt is a row."""
    pytest.importorskip("pyarrow")
    from didww.cdr import CallSink

    batches: list[int] = []
    with CallSink(tmp_path / "streamed", account="main") as sink:
        app = CallbackReceiver(CallEventVerifier(basic_auth=CREDENTIALS, headers=TOKEN))
        sink.attach(app)
        receiver = Receiver()
        receiver.handle = lambda headers, body: (
            app.handle(method="POST", url="/calls", headers=headers, body=body).status
        )
        with receiver:
            emulator.call_events.set("cdrs", receiver.url, direction="inbound", gzip=True, **settings(receiver))
            emulator.calls.inbound(NUMBER, count=3, duration=0)
            emulator.call_events.settle(60)
        batches += [one.count for one in emulator.call_events.deliveries()]
        sink.flush()
        assert sink.dataset.sql("SELECT count(*) AS n FROM calls").to_arrow_table().to_pylist() == [{"n": 3}]
    assert batches == [3]
