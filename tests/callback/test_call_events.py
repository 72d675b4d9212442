"""Call Events and CDR Streaming: body formats, credentials, typed events and limits."""

from __future__ import annotations

import base64
import gzip
import json
import pickle
import re
import time
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    CallbackRejectedError,
    CallEvent,
    CallEventVerifier,
    InboundCallConnect,
    InboundCallEnd,
    InboundCallEvent,
    InboundCallStart,
    InboundCdr,
    InvalidValueError,
    OutboundCallConnect,
    OutboundCallEnd,
    OutboundCallEvent,
    OutboundCallStart,
    OutboundCdr,
    UnknownCallEvent,
)
from didww.callback.call_events import call_event_of
from support.real_time import patient, seconds

TOKEN = {"X-Auth-Token": "test-token"}
START = {
    "type": "incoming-call-start-event",
    "id": "10-10282FC6-5F632C460006A397-AC8C7700",
    "attributes": {
        "time_start": "2026-09-17T09:31:18.123456+00:00",
        "did_number": "442079460001",
        "src_number": "12025550101",
    },
}
OUT = {
    "type": "outbound-call-connect-event",
    "id": "20-1",
    "attributes": {
        "source_ip": "192.0.2.1",
        "source_port": 5060,
        "call_id": "abc@192.0.2.1",
        "time_start": "2026-09-17T09:31:18.123456+00:00",
        "time_connect": "2026-09-17T11:31:20+02:00",
        "pop": "NYC",
        "src_number": "12025550101",
        "dst_number": "442079460001",
        "rate": "0.004",
        "initial_billing_interval": 1,
        "diversion": ["<sip:12025550102@192.0.2.1>"],
    },
}
OUT_CDR = {
    "type": "outbound-cdr",
    "id": "5a4b5f1c-0c9b-4c53-9c2f-2f3f6d0b4d11",
    "attributes": {
        "time_start": "2026-09-17T09:31:18.123456+00:00",
        "time_connect": None,
        "duration": 0,
        "success": False,
        "disconnect_code": 486,
        "disconnect_reason": "Busy Here",
        "rate": 0.004,
        "price": 0.1,
        "call_type": "INTERNATIONAL",
    },
}
IN_CDR = {
    "type": "inbound-cdr",
    "id": "6a4b5f1c-0c9b-4c53-9c2f-2f3f6d0b4d12",
    "attributes": {
        "time_start": "2026-09-17 09:31:18.123456",
        "time_end": "2026-09-17T09:33:18.000001",
        "duration": 119,
        "success": True,
        "routing_attempt": 1,
        "is_last_cdr": True,
        "transport_protocol_id": None,
        "tf_amount": 0.25,
        "sub_customer_trm_rate": None,
    },
}


def read(body: Any, verifier: CallEventVerifier | None = None, **headers: str) -> list[CallEvent]:
    """What a request with this body tells."""
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return (verifier or CallEventVerifier(headers=TOKEN)).verify(
        method="POST", url="/calls", headers={**TOKEN, **headers}, body=body
    )


def reason(body: bytes, verifier: CallEventVerifier | None = None, **headers: str) -> str:
    """Why it is refused."""
    with pytest.raises(CallbackRejectedError) as caught:
        read(body, verifier, **headers)
    return caught.value.reason


@pytest.mark.parametrize(
    ("raw", "cls", "values"),
    [
        (
            START,
            InboundCallStart,
            {
                "time_start": datetime(2026, 9, 17, 9, 31, 18, 123456, UTC),
                "did_number": "442079460001",
                "call_id": None,
            },
        ),
        (
            OUT,
            OutboundCallConnect,
            {
                "source_port": 5060,
                "rate": Decimal("0.004"),
                "time_connect": datetime(2026, 9, 17, 9, 31, 20, tzinfo=UTC),
                "diversion": ["<sip:12025550102@192.0.2.1>"],
                "p_charge_info": None,
            },
        ),
        (
            OUT_CDR,
            OutboundCdr,
            {"time_connect": None, "success": False, "rate": Decimal("0.004"), "price": Decimal("0.1"), "duration": 0},
        ),
        (
            IN_CDR,
            InboundCdr,
            {
                "time_start": datetime(2026, 9, 17, 9, 31, 18, 123456, UTC),
                "time_end": datetime(2026, 9, 17, 9, 33, 18, 1, UTC),
                "tf_amount": Decimal("0.25"),
                "sub_customer_trm_rate": None,
                "trm_rate": None,
                "is_last_cdr": True,
            },
        ),
    ],
)
def test_event_has_typed_attributes(raw: dict[str, Any], cls: type[CallEvent], values: dict[str, Any]) -> None:
    """Times are in UTC, money is exact, missing attributes are None, and the raw data is kept."""
    (found,) = read(raw)
    assert type(found) is cls
    assert (found.type, found.id) == (raw["type"], raw["id"])
    assert {name: getattr(found, name) for name in values} == values
    assert found.to_dict() == {"type": raw["type"], "id": raw["id"], **raw["attributes"]}


@pytest.mark.parametrize(
    ("type", "classes"),
    [
        ("incoming-call-start-event", (InboundCallStart, InboundCallEvent)),
        ("incoming-call-connect-event", (InboundCallConnect, InboundCallEvent)),
        ("incoming-call-end-event", (InboundCallEnd, InboundCallEvent)),
        ("outbound-call-start-event", (OutboundCallStart, OutboundCallEvent)),
        ("outbound-call-connect-event", (OutboundCallConnect, OutboundCallEvent)),
        ("outbound-call-end-event", (OutboundCallEnd, OutboundCallEvent)),
        ("inbound-cdr", (InboundCdr,)),
        ("outbound-cdr", (OutboundCdr,)),
        ("fax-event", (UnknownCallEvent,)),
    ],
)
def test_each_event_type_has_a_class(type: str, classes: tuple[Any, ...]) -> None:
    """The classes of one direction share a base class, for handlers of all its events."""
    (found,) = read({"type": type, "id": "1", "attributes": {"new": 1.5}})
    assert all(isinstance(found, cls) for cls in (*classes, CallEvent))
    assert found.new == 1.5  # type: ignore[attr-defined]


def test_every_documented_attribute_is_declared() -> None:
    """The names copied here from the documentation are the names of the classes."""
    charges = ["rate", "connection_fee", "initial_interval", "next_interval", "duration", "amount"]
    inbound = [
        "time_start",
        "time_end",
        "time_connect",
        "duration",
        "success",
        "src_number",
        "src_name",
        "did_number",
        "dst_number",
        "trunk_destination",
        "routing_attempt",
        "is_last_cdr",
        "is_redirected",
        "early_media_present",
        "local_tag",
        "term_call_id",
        "out_pop_id",
        "transport_protocol_id",
        "user_agent",
        "disconnect_initiator",
        "internal_disconnect_code",
        "internal_disconnect_reason",
        "legb_disconnect_code",
        "legb_disconnect_reason",
        "customer_vat",
    ]
    inbound += [f"{kind}_{name}" for kind in ("tf", "trm", "metered_channels") for name in [*charges, "amount_no_vat"]]
    inbound += [f"sub_customer_{kind}_{name}" for kind in ("tf", "trm") for name in charges]
    outbound = [
        "source_ip",
        "source_port",
        "source_protocol",
        "call_id",
        "call_type",
        "time_start",
        "time_end",
        "time_connect",
        "pop",
        "disconnect_code",
        "disconnect_reason",
        "success",
        "duration",
        "billing_duration",
        "initial_billing_interval",
        "next_billing_interval",
        "rate",
        "price",
        "customer_vat",
        "src_number",
        "original_src_number",
        "dst_number",
        "user_agent",
        "trunk_name",
        "p_charge_info",
    ]
    assert set(InboundCdr._field_map) - {"type", "id"} == set(inbound)
    assert set(OutboundCdr._field_map) - {"type", "id"} == set(outbound)
    start = [
        "source_ip",
        "source_port",
        "call_id",
        "time_start",
        "time_connect",
        "pop",
        "original_src_number",
        "src_number",
        "dst_number",
        "trunk_name",
        "rate",
        "initial_billing_interval",
        "next_billing_interval",
        "p_charge_info",
        "diversion",
    ]
    assert set(OutboundCallConnect._field_map) - {"type", "id"} == set(start)
    ended = {"time_start", "time_connect", "time_end", "duration", "did_number", "src_number", "call_id"}
    assert set(InboundCallEnd._field_map) - {"type", "id"} == ended


def packed(body: bytes) -> bytes:
    return gzip.compress(body)


LINES = b"\n".join(json.dumps(one).encode() for one in (IN_CDR, OUT_CDR, START))


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (json.dumps(START).encode(), 1),
        (json.dumps(START, indent=2).encode(), 1),
        (json.dumps([START, OUT]).encode(), 2),
        (LINES, 3),
        (LINES + b"\n", 3),
        (b"\n\n" + LINES.replace(b"\n", b"\r\n\r\n") + b"\r\n", 3),
        (b"\xef\xbb\xbf" + LINES, 3),
        (b"\n".join([json.dumps(START).encode()] * 1000), 1000),
        (b"[]", 0),
    ],
    ids=["object", "indented", "array", "lines", "ended", "CR LF", "mark", "thousand", "empty"],
)
@pytest.mark.parametrize("gzipped", [False, True])
def test_all_body_formats_are_parsed(body: bytes, count: int, gzipped: bool) -> None:
    """A body is one object, an array or one object per line, plain or compressed, in one gzip member or several."""
    if not gzipped:
        assert len(read(body)) == count
        return
    middle = len(body) // 2
    for sent in (packed(body), packed(body[:middle]) + packed(body[middle:]), packed(body) + b"\0" * 7):
        assert len(read(sent, **{"Content-Encoding": "GZIP"})) == count


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"1",
        b"nothing",
        b'{"a": 1',
        b'{"a": 1} {"b": 2}',
        b"[[]]",
        LINES + b"\nx",
        b"{}\n" * 10_001,
        b"\n" * 20_001 + b"{}\n{}",
        b"\xff",
    ],
)
def test_invalid_body_is_rejected(body: bytes) -> None:
    """The whole body is rejected, so that DIDWW sends it again."""
    assert reason(body) == "malformed"


def test_unknown_event_object_is_kept() -> None:
    """One unexpected object does not block the rest of its batch."""
    odd: list[Any] = [
        {},
        {"type": 7},
        {"type": "inbound-cdr", "attributes": [1]},
        {"type": "inbound-cdr", "id": {"a": 1}},
    ]
    found = read([*odd, START])
    assert [type(one) for one in found] == [
        UnknownCallEvent,
        UnknownCallEvent,
        InboundCdr,
        InboundCdr,
        InboundCallStart,
    ]
    assert len({one.key for one in found}) == 5
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize("raw", [{"type": "inbound-cdr", "id": "1", "attributes": {"duration": 42}}, {"page": 1}])
def test_event_round_trips_through_its_dict(raw: dict[str, Any]) -> None:
    """Its own class or a base rebuilds it with the same key; another class raises."""
    event = call_event_of(raw)
    for cls in (type(event), CallEvent):
        again = cls.from_dict(json.loads(json.dumps(event.to_dict())))
        assert type(again) is type(event)
        assert (again, again.key) == (event, event.key)
    with pytest.raises(InvalidValueError, match=f"Use {type(event).__name__}.from_dict"):
        OutboundCdr.from_dict({"type": None, **event.to_dict()})


@pytest.mark.parametrize("value", ["soon", 7, [], {}, True, "9999-99-99", 1e400, "nan", "x" * 10_000])
def test_attribute_of_unexpected_type_reads_raw(value: Any) -> None:
    """Nothing raises and nothing is lost."""
    raw = {
        "type": "outbound-cdr",
        "id": "1",
        "attributes": {name: value for name in OutboundCdr._field_map if name not in ("type", "id")},
    }
    body = json.dumps(raw).replace("Infinity", "1e400").encode()
    if value == 1e400:
        assert reason(body) == "malformed"
        return
    (found,) = read(body)
    for name in raw["attributes"]:  # type: ignore[attr-defined]
        getattr(found, name)
    assert found.to_dict()["time_start"] == value
    repr(found)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "missing"),
        ({"X-Auth-Token": "test-token"}, "missing"),
        ({"Authorization": basic("me:secret-word")}, "missing"),
        ({"Authorization": basic("me:secret-word"), "X-Auth-Token": "test-tokem"}, "mismatch"),
        ({"Authorization": basic("me:other"), "X-Auth-Token": "test-token"}, "mismatch"),
        ({"Authorization": basic("you:secret-word"), "X-Auth-Token": "test-token"}, "mismatch"),
        ({"Authorization": "Bearer secret-word", "X-Auth-Token": "test-token"}, "missing"),
        ({"Authorization": "Basic %%%", "X-Auth-Token": "test-token"}, "missing"),
        ({"Authorization": "Basic é", "X-Auth-Token": "test-token"}, "missing"),
        ({"Authorization": basic("me:secret-word"), "x-auth-token": "test-token"}, None),
        ({"authorization": "basic " + basic("me:secret-word")[6:], "X-Auth-Token": "test-token"}, None),
    ],
)
def test_all_configured_credentials_are_checked(headers: dict[str, str], why: str | None) -> None:
    """The reason says what is wrong and reveals no secret."""
    verifier = CallEventVerifier(basic_auth=("me", "secret-word"), headers=TOKEN)
    request: dict[str, Any] = {"method": "POST", "url": "", "headers": headers, "body": json.dumps(START).encode()}
    if why is None:
        assert verifier.verify(**request)
        return
    with pytest.raises(CallbackRejectedError) as caught:
        verifier.verify(**request)
    assert caught.value.reason == why
    assert not re.search("secret-word|test-token", f"{caught.value}{verifier!r}")


def test_password_may_contain_any_unicode_text() -> None:
    """It is sent as UTF-8; servers decode headers as Latin-1."""
    verifier = CallEventVerifier(basic_auth=("jörg", "päß"), headers={"X-Key": "schlüssel"})
    headers = {"Authorization": basic("jörg:päß"), "X-Key": "schlüssel".encode().decode("latin-1")}
    assert verifier.verify(method="POST", url="", headers=headers, body=json.dumps(START).encode())


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({}, "basic_auth"),
        ({"headers": {}}, "basic_auth"),
        ({"basic_auth": ("me", "")}, "basic_auth"),
        ({"basic_auth": ("m:e", "x")}, "basic_auth"),
        ({"basic_auth": "me:x"}, "basic_auth"),
        ({"basic_auth": ("me", None)}, "basic_auth"),
        ({"headers": {"X-A": ""}}, "headers"),
        ({"headers": {"X-A": " x"}}, "headers"),
        ({"unprotected": True, "max_bytes": 0}, "max_bytes"),
    ],
)
def test_unprotected_verifier_must_be_requested_explicitly(options: Any, field: str) -> None:
    """A verifier without any credentials is never the default."""
    with pytest.raises(InvalidValueError) as caught:
        CallEventVerifier(**options)
    assert caught.value.field == field
    assert CallEventVerifier(unprotected=True).verify(method="POST", url="", headers={}, body=b'{"id": "1"}')


@patient
def test_body_size_is_limited() -> None:
    """The limit applies before and after decompression, and a gzip bomb is not decompressed beyond it."""
    verifier = CallEventVerifier(headers=TOKEN, max_bytes=10_000)
    bomb = packed(b" " * 50_000_000)
    assert len(bomb) > 10_000
    assert reason(bomb, verifier, **{"Content-Encoding": "gzip"}) == "too_large"
    small = packed(b" " * 5_000_000)
    assert len(small) < 10_000
    assert reason(small, verifier, **{"Content-Encoding": "gzip"}) == "too_large"
    many = packed(b"") * 20_000 + packed(b"{}")
    started = time.monotonic()
    assert len(read(many, **{"Content-Encoding": "gzip"})) == 1
    assert time.monotonic() - started < seconds(2)
    assert reason(packed(b"") * 400, verifier, **{"Content-Encoding": "gzip"}) == "malformed"
    for broken in (packed(LINES)[:-9], b"plain", packed(LINES) + b"tail"):
        assert reason(broken, **{"Content-Encoding": "gzip"}) == "malformed"
    assert reason(zlib.compress(LINES), **{"Content-Encoding": "deflate"}) == "malformed"
    with pytest.raises(CallbackRejectedError, match="POST"):
        verifier.verify(method="GET", url="", headers=TOKEN, body=b"{}")
    assert reason(b'{"a":' * 2000, verifier) in ("malformed", "too_large")


@given(body=st.binary(max_size=300), gzipped=st.booleans())
def test_arbitrary_bodies_are_rejected_or_kept(body: bytes, gzipped: bool) -> None:
    """There is one class of error."""
    try:
        found = read(body, **({"Content-Encoding": "gzip"} if gzipped else {}))
    except CallbackRejectedError:
        return
    assert all(one.key for one in found)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*InboundCdr._field_map, *OutboundCallConnect._field_map, "new"])


@given(
    type=st.sampled_from(["inbound-cdr", "outbound-call-start-event", "fax"]) | JSON,
    attributes=st.dictionaries(NAMES, JSON),
    id=JSON,
)
def test_any_json_attribute_can_be_read(type: Any, attributes: dict[str, Any], id: Any) -> None:
    """Reading any attribute of any event never fails."""
    (found,) = read({"type": type, "id": id, "attributes": attributes})
    assert found.key
    repr(found)
    for name in found._field_map:
        getattr(found, name)
    assert found.to_dict() == {**attributes, "type": type, "id": id} or "id" in attributes or "type" in attributes


@patient
def test_parsing_a_batch_is_fast() -> None:
    """A thousand complete compressed records take a small part of the time that DIDWW waits."""
    record = {"type": "inbound-cdr", "id": "1", "attributes": dict.fromkeys(InboundCdr._field_map, "0.25")}
    body = packed(b"\n".join([json.dumps(record).encode()] * 1000))
    started = time.perf_counter()
    found = read(body, **{"Content-Encoding": "gzip"})
    assert sum(one.tf_amount or 0 for one in found if isinstance(one, InboundCdr)) == 250
    assert time.perf_counter() - started < seconds(2)
