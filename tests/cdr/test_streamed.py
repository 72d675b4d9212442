"""Streamed records as call records: the mapping, odd values, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import InboundCdr, InvalidValueError, OutboundCdr
from didww.callback.call_events import call_event_of
from didww.cdr.schema import dataset_columns
from didww.cdr.streamed import MAPPINGS, record_of
from didww.enums import CallStatus, DisconnectInitiator
from didww.resources.call import InboundCall, OutboundCall, columns_of
from support.hypothesis_profiles import law

INBOUND: dict[str, Any] = {
    "type": "inbound-cdr",
    "id": "6a4b5f1c-0c9b-4c53-9c2f-2f3f6d0b4d12",
    "attributes": {
        "time_start": "2026-09-17 09:31:18.123456",
        "time_connect": "2026-09-17T09:31:20.000000",
        "time_end": "2026-09-17T09:33:18.000001",
        "duration": 118,
        "success": True,
        "src_number": "12025550101",
        "src_name": "Alex Example",
        "did_number": "442079460001",
        "dst_number": "desk",
        "trunk_destination": "sip:desk@sip.example.com",
        "routing_attempt": 2,
        "is_last_cdr": True,
        "local_tag": "26-26-3F1808BB",
        "disconnect_initiator": 3,
        "internal_disconnect_code": 200,
        "internal_disconnect_reason": "Bye",
        "legb_disconnect_code": 200,
        "tf_amount": 0.25,
        "trm_amount": None,
        "metered_channels_amount": 0.003,
        "customer_vat": 0.0,
        "user_agent": None,
    },
}
OUTBOUND: dict[str, Any] = {
    "type": "outbound-cdr",
    "id": "5a4b5f1c-0c9b-4c53-9c2f-2f3f6d0b4d11",
    "attributes": {
        "time_start": "2026-09-17T11:31:18.123456+02:00",
        "time_connect": None,
        "time_end": "2026-09-17T09:31:20.000000+00:00",
        "duration": 0,
        "billing_duration": None,
        "success": False,
        "call_id": "abc@192.0.2.1",
        "disconnect_code": 486,
        "disconnect_reason": "Busy Here",
        "trunk_name": "Dialer",
        "original_src_number": "442079460002",
        "src_number": "442079460001",
        "dst_number": "12025550101",
        "rate": 0.004,
        "price": 0,
        "call_type": "INTERNATIONAL",
        "p_charge_info": "",
        "source_ip": "192.0.2.1",
    },
}


def record(raw: dict[str, Any], **changes: Any) -> Any:
    """The call record of a streamed object, as it comes out of the receiver and the spool."""
    changed = {**raw, "attributes": {**raw["attributes"], **changes}}
    fields = call_event_of(changed).to_dict()
    return record_of(msgspec.json.decode(msgspec.json.encode(fields)))


def test_inbound_record() -> None:
    """Each attribute of an inbound record has its column; the rest is in `extra`."""
    assert record(INBOUND) == InboundCall(
        time_start=datetime(2026, 9, 17, 9, 31, 18, 123456, UTC),
        time_connect=datetime(2026, 9, 17, 9, 31, 20, tzinfo=UTC),
        time_end=datetime(2026, 9, 17, 9, 33, 18, 1, UTC),
        status=CallStatus.COMPLETED,
        source="12025550101",
        source_name="Alex Example",
        did_number="442079460001",
        duration=118,
        attempt=2,
        disconnect_code="200",
        disconnect_reason="Bye",
        disconnect_initiator=DisconnectInitiator.ORIGINATION,
        trunk="sip:desk@sip.example.com",
        destination="sip:desk@sip.example.com",
        toll_free=Decimal("0.25"),
        metered=Decimal("0.003"),
        cost=Decimal("0.253"),
        call_id="26-26-3F1808BB",
        extra={
            "id": "6a4b5f1c-0c9b-4c53-9c2f-2f3f6d0b4d12",
            "dst_number": "desk",
            "is_last_cdr": "true",
            "legb_disconnect_code": "200",
            "customer_vat": "0.0",
        },
    )


def test_outbound_record() -> None:
    """Each attribute of an outbound record has its column; times become UTC."""
    assert record(OUTBOUND) == OutboundCall(
        time_start=datetime(2026, 9, 17, 9, 31, 18, 123456, UTC),
        time_end=datetime(2026, 9, 17, 9, 31, 20, tzinfo=UTC),
        status=CallStatus.FAILED,
        source="442079460002",
        cli="442079460001",
        destination="12025550101",
        duration=0,
        disconnect_code="486",
        disconnect_reason="Busy Here",
        trunk="Dialer",
        call_type="International",
        rate=Decimal("0.004"),
        cost=Decimal(0),
        call_id="abc@192.0.2.1",
        extra={"id": "5a4b5f1c-0c9b-4c53-9c2f-2f3f6d0b4d11", "source_ip": "192.0.2.1"},
    )


@pytest.mark.parametrize(
    ("raw", "changes", "attribute", "value"),
    [
        (INBOUND, {"duration": "42"}, "duration", 42),
        (INBOUND, {"duration": 42.0}, "duration", 42),
        (INBOUND, {"success": None}, "status", None),
        (INBOUND, {"disconnect_initiator": 1}, "disconnect_initiator", DisconnectInitiator.SYSTEM),
        (INBOUND, {"disconnect_initiator": 2}, "disconnect_initiator", None),
        (INBOUND, {"internal_disconnect_code": None, "legb_disconnect_code": 503}, "disconnect_code", "503"),
        (INBOUND, {"trunk_destination": ""}, "destination", "desk"),
        (INBOUND, {"trunk_destination": ""}, "trunk", None),
        (INBOUND, {"call_id": "26-1"}, "call_id", "26-1"),
        (INBOUND, {"local_tag": None}, "call_id", INBOUND["id"]),
        (INBOUND, {"routing_attempt": None}, "call_id", INBOUND["id"]),
        (INBOUND, {"tf_amount": None, "metered_channels_amount": None}, "cost", Decimal(0)),
        (OUTBOUND, {"call_id": None}, "call_id", OUTBOUND["id"]),
        (OUTBOUND, {"rate": "0.004"}, "rate", Decimal("0.004")),
        (OUTBOUND, {"price": 1e-9}, "cost", Decimal("1E-9")),
        (OUTBOUND, {"price": 0.1 + 0.2}, "cost", Decimal("0.3")),
        (OUTBOUND, {"price": "1e-999999"}, "cost", Decimal(0)),
        (OUTBOUND, {"price": "0e999999", "duration": "0e999999"}, "cost", Decimal(0)),
        (OUTBOUND, {"price": 123456789.123}, "cost", Decimal("123456789.123")),
        (OUTBOUND, {"call_type": "ORIGIN_BASED"}, "call_type", "Origin based"),
        (OUTBOUND, {"call_type": "SATELLITE"}, "call_type", "SATELLITE"),
    ],
)
def test_odd_values(raw: dict[str, Any], changes: dict[str, Any], attribute: str, value: Any) -> None:
    """Values of other types are converted where nothing is lost; missing ones have a substitute or are None."""
    assert getattr(record(raw, **changes), attribute) == value


def test_unconfirmed_values_are_kept() -> None:
    """A value without a column, or without a known meaning, stays in `extra`."""
    call = record(INBOUND, disconnect_initiator=7, routing_attempt=None, new=[1, {"a": "b"}])
    assert call.extra["disconnect_initiator"] == "7"
    assert call.extra["local_tag"] == "26-26-3F1808BB"
    assert call.extra["new"] == '[1,{"a":"b"}]'


@pytest.mark.parametrize(
    ("raw", "changes", "field"),
    [
        (INBOUND, {"time_start": None}, "time_start"),
        (INBOUND, {"time_start": "yesterday"}, "time_start"),
        (INBOUND, {"time_start": 1789000000}, "time_start"),
        (OUTBOUND, {"time_end": "0001-01-01T00:00:00+14:00"}, "time_end"),
        (INBOUND, {"duration": True}, "duration"),
        (INBOUND, {"duration": 1.5}, "duration"),
        (INBOUND, {"duration": 2**31}, "duration"),
        (INBOUND, {"routing_attempt": [1]}, "routing_attempt"),
        (INBOUND, {"success": "yes"}, "success"),
        (OUTBOUND, {"price": "free"}, "price"),
        (OUTBOUND, {"price": "NaN"}, "price"),
        (OUTBOUND, {"price": 1e9}, "price"),
        (OUTBOUND, {"duration": "1e999999"}, "duration"),
        (OUTBOUND, {"rate": "9e999999999999999999"}, "rate"),
        (OUTBOUND, {"rate": "-999999999.9999999999"}, "rate"),
        (OUTBOUND, {"trunk_name": {"name": "x"}}, "trunk_name"),
    ],
)
def test_refused_values(raw: dict[str, Any], changes: dict[str, Any], field: str) -> None:
    """A value that cannot be converted is refused by its name in the stream."""
    with pytest.raises(InvalidValueError) as caught:
        record(raw, **changes)
    assert caught.value.field == field
    assert str(caught.value).startswith(field)


def test_other_events_are_refused() -> None:
    """Only CDRs are call records."""
    with pytest.raises(InvalidValueError, match="type must be inbound-cdr or outbound-cdr, got 'orders'"):
        record_of({"type": "orders"})


@pytest.mark.parametrize(("event", "cls"), [(InboundCdr, InboundCall), (OutboundCdr, OutboundCall)])
def test_mapping_is_complete(event: type[Any], cls: type[Any]) -> None:
    """Every source is an attribute of the stream, and every attribute of a record is mapped or not sent."""
    mapped = MAPPINGS[event._type_name]
    attributes = {declared.attribute for declared in columns_of(cls)}
    not_sent = {
        InboundCall: {"cli", "source_country", "source_network", "trunk_group", "capacity_group", "cnam"},
        OutboundCall: {"destination_country", "destination_network"},
    }[cls]
    assert {item.attribute for item in mapped} == attributes - not_sent
    sources = {source for item in mapped for source in item.sources}
    assert sources - set(event._field_map) <= {"call_id"}  # seen in events of inbound calls
    assert attributes <= {column.name for column in dataset_columns()}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda values: st.lists(values, max_size=2) | st.dictionaries(st.text(), values, max_size=2),
    max_leaves=3,
)


@law(200)
@given(st.data(), st.sampled_from([INBOUND, OUTBOUND]))
def test_any_object_is_a_record_or_is_refused(data: st.DataObject, raw: dict[str, Any]) -> None:
    """Any JSON object of these types gives a record that fits the dataset, or an error with a field."""
    names = st.sampled_from(sorted({*raw["attributes"], "call_id", "new"}))
    changes = data.draw(st.dictionaries(names, json_values, max_size=5))
    try:
        call = record(raw, **changes)
    except InvalidValueError as error:
        assert error.field
    else:
        assert call.time_start.tzinfo is UTC
        assert json.dumps(dict(call.extra))
        for declared in columns_of(type(call)):
            value = getattr(call, declared.attribute)
            assert value is None or isinstance(value, declared.type)


def table() -> list[str]:
    """The lines of the table in docs/how-to/stream-call-records.md."""
    lines: list[str] = []
    for kind, mapped in MAPPINGS.items():
        for column, sources, confirmed, note in mapped:
            names = ", ".join(f"`{source}`" for source in sources)
            lines.append(f"| `{kind}` | `{column}` | {names} | {note} | {'yes' if confirmed else 'no'} |")
    return lines


def test_page_has_the_mapping() -> None:
    """The page for users has the mapping, line by line."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "stream-call-records.md"
    found = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith(("| `in", "| `out"))]
    assert found == table()
