"""Callbacks as Python objects: a class for each type, with all data kept."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest

from didww import (
    AddressVerificationCallback,
    AddressVerificationStatus,
    Callback,
    EmergencyVerificationCallback,
    EmergencyVerificationStatus,
    ExportCallback,
    ExportStatus,
    InvalidValueError,
    OrderCallback,
    OrderStatus,
    ReadOnlyFieldError,
    UnknownCallback,
    VoiceOutTrunkCallback,
    VoiceOutTrunkStatus,
)
from didww.callback import typed
from didww.callback.signature import signed_text


def callback_of(fields: dict[str, Any], url: str = "https://hooks.example.com/didww") -> Callback:
    """The callback that a signed request to `url` with these fields makes."""
    signed = signed_text(url, fields)
    assert signed is not None
    return typed.callback_of(dict(fields), signed)


FIELDS: list[tuple[type[Callback], dict[str, Any], dict[str, Any]]] = [
    (OrderCallback, {"type": "orders", "id": "1", "status": "completed"}, {"status": OrderStatus.COMPLETED}),
    (OrderCallback, {"type": "orders", "id": "1", "status": "frozen"}, {"status": OrderStatus("frozen")}),
    (
        ExportCallback,
        {"type": "exports", "id": "1", "status": "completed", "url": "https://api.example.com/a.csv.gz"},
        {"status": ExportStatus.COMPLETED, "url": "https://api.example.com/a.csv.gz"},
    ),
    (ExportCallback, {"type": "exports", "id": "1", "status": "completed"}, {"url": None}),
    (
        AddressVerificationCallback,
        {"type": "address_verifications", "id": "1", "status": "approved", "reject_reason": ""},
        {"status": AddressVerificationStatus.APPROVED, "reject_reason": None, "reject_comment": None},
    ),
    (
        AddressVerificationCallback,
        {
            "type": "address_verifications",
            "id": "1",
            "status": "rejected",
            "reject_reason": "Document expired",
            "reject_comment": "Send a new one",
        },
        {"reject_reason": "Document expired", "reject_reasons": "Document expired", "reject_comment": "Send a new one"},
    ),
    (
        AddressVerificationCallback,
        {"type": "address_verifications", "id": "1", "status": "rejected", "reject_reasons": "Document expired"},
        {"reject_reason": "Document expired", "reject_reasons": "Document expired"},
    ),
    (
        EmergencyVerificationCallback,
        {
            "type": "emergency_verifications",
            "id": "1",
            "status": "rejected",
            "reject_reasons": "Wrong address",
            "emergency_calling_service_id": "2",
        },
        {
            "status": EmergencyVerificationStatus.REJECTED,
            "reject_reason": "Wrong address",
            "reject_reasons": "Wrong address",
            "emergency_calling_service_id": "2",
        },
    ),
    (
        EmergencyVerificationCallback,
        {"type": "emergency_verifications", "id": "1", "status": "rejected", "reject_reason": "Wrong address"},
        {"reject_reason": "Wrong address", "reject_reasons": "Wrong address", "emergency_calling_service_id": None},
    ),
    (
        VoiceOutTrunkCallback,
        {
            "type": "voice_out_trunks",
            "id": "1",
            "status": "blocked",
            "threshold_reached": True,
            "created_at": "2026-06-25T08:21:41.795Z",
        },
        {
            "status": VoiceOutTrunkStatus.BLOCKED,
            "threshold_reached": True,
            "created_at": datetime(2026, 6, 25, 8, 21, 41, 795000, UTC),
        },
    ),
    (UnknownCallback, {"type": "faxes", "id": "1", "status": "sent"}, {"id": "1", "status": "sent"}),
    (UnknownCallback, {"type": "faxes"}, {"id": None, "status": None}),
]


@pytest.mark.parametrize(("cls", "fields", "read"), FIELDS)
def test_type_field_selects_the_class(cls: type[Callback], fields: dict[str, Any], read: dict[str, Any]) -> None:
    """Fields are converted, and the raw values are kept."""
    found = callback_of(copy.deepcopy(fields))
    assert type(found) is cls
    assert isinstance(found, Callback)
    assert found.type == fields["type"]
    assert {name: getattr(found, name) for name in read} == read
    assert found.to_dict() == fields


@pytest.mark.parametrize(("cls", "fields", "read"), FIELDS)
def test_unknown_fields_can_be_read(cls: type[Callback], fields: dict[str, Any], read: dict[str, Any]) -> None:
    """A field that DIDWW adds later can already be read."""
    found: Any = callback_of({**fields, "reason_code": "42"})
    assert found.reason_code == "42"
    assert found.to_dict()["reason_code"] == "42"
    with pytest.raises(AttributeError, match="has no field 'reason_cod'"):
        _ = found.reason_cod
    assert type(found) is cls
    assert {name: getattr(found, name) for name in read} == read


TRUNK = {
    "type": "voice_out_trunks",
    "id": "1",
    "status": "active",
    "threshold_reached": False,
    "created_at": "2026-06-25T08:21:41.795Z",
}


@pytest.mark.parametrize(("raw", "value"), [(True, True), (False, False), ("true", True), ("false", False)])
def test_boolean_fields_read_as_booleans(raw: Any, value: Any) -> None:
    """As text, "false" would be truthy; the signature is the same for both."""
    found = callback_of({**TRUNK, "threshold_reached": raw})
    assert isinstance(found, VoiceOutTrunkCallback)
    assert found.threshold_reached is value


@pytest.mark.parametrize("status", ["blocked", 5, True])
def test_declared_fields_are_converted_to_their_types(status: Any) -> None:
    """The JSON type does not matter: the signature covers the text, and numbers become text where it is declared."""
    found: Any = callback_of({**TRUNK, "id": 7, "status": status})
    assert (found.id, found.status) == ("7", {"blocked": "blocked", 5: "5", True: "true"}[status])
    assert isinstance(found.status, VoiceOutTrunkStatus)
    assert found.created_at == datetime(2026, 6, 25, 8, 21, 41, 795000, UTC)


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"threshold_reached": "yes"}, "threshold_reached must be true or false, got 'yes'"),
        ({"threshold_reached": 1}, "threshold_reached must be true or false, got '1'"),
        ({"created_at": "yesterday"}, r"created_at must be a date and time \(ISO 8601\), got 'yesterday'"),
        ({"created_at": True}, "created_at must be a date and time"),
        ({"id": None}, "id is missing"),
        ({"status": ""}, "status is missing"),
        ({"threshold_reached": None}, "threshold_reached is missing"),
        ({"created_at": ""}, "created_at is missing"),
    ],
)
def test_callback_with_a_wrongly_typed_field_is_rejected(field: dict[str, Any], why: str) -> None:
    """It is rejected before any handler sees it."""
    with pytest.raises(ValueError, match=why):
        callback_of({**TRUNK, **field})


def test_callback_is_immutable() -> None:
    """A callback states what happened."""
    found: Any = callback_of({"type": "orders", "id": "1", "status": "completed"})
    with pytest.raises(ReadOnlyFieldError):
        found.status = "canceled"
    found.to_dict()["status"] = "canceled"
    assert found.status == "completed"


def test_key_distinguishes_events_from_duplicates() -> None:
    """A duplicate has the same key in any field order; any other signed data has another key."""
    order = {"type": "orders", "id": "1", "status": "completed"}
    different = [
        order,
        {**order, "status": "canceled"},
        {**order, "id": "2"},
        {**order, "type": "exports"},
        {**order, "more": "1"},
        TRUNK,
        {**TRUNK, "created_at": "2026-06-26T08:21:41.795Z"},
        {"type": "faxes", "id": "1"},
        {"type": "faxes", "id": "1", "page": "2"},
    ]
    keys = [callback_of(one).key for one in different]
    assert len(set(keys)) == len(keys)
    assert [callback_of(dict(reversed(one.items()))).key for one in different] == keys
    assert callback_of(order, "https://hooks.example.com/other").key not in keys
    assert callback_of(TRUNK, "https://hooks.example.com/other").key == callback_of(TRUNK).key  # its own members alone


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"": ""}, None),
        ({"": None}, None),
        ({"created_at": "2026-06-25T08:21:41.795Z", "threshold_reached": "true"}, None),
        ({"id": 1}, None),
        ({"2": ""}, "https://hooks.example.com/didww?tenant=4"),
    ],
)
def test_key_depends_on_the_signed_data(fields: dict[str, Any], url: str | None) -> None:
    """Data with the same signature has the same key, so a replay cannot count as a new event."""
    trunk = {
        "type": "voice_out_trunks",
        "id": "1",
        "status": "blocked",
        "threshold_reached": True,
        "created_at": "2026-06-25T08:21:41.795Z",
    }
    called = "https://hooks.example.com/didww?tenant=42"
    changed = {name: value for name, value in {**trunk, **fields}.items() if value is not ...}
    assert signed_text(url or called, changed) == signed_text(called, trunk)
    assert callback_of(changed, url or called).key == callback_of(trunk, called).key


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"id1": "", "id": ...}, None),
        ({"status": "completedtypeorders", "type": ...}, None),
        ({"2": ""}, "https://hooks.example.com/didww?tenant=4"),
    ],
)
def test_key_of_a_single_callback_covers_its_whole_text(fields: dict[str, Any], url: str | None) -> None:
    """Regrouping the text gives no other valid callback."""
    order = {"type": "orders", "id": "1", "status": "completed"}
    called = "https://hooks.example.com/didww?tenant=42"
    changed = {name: value for name, value in {**order, **fields}.items() if value is not ...}
    assert signed_text(url or called, changed) == signed_text(called, order)
    try:
        assert callback_of(changed, url or called).key == callback_of(order, called).key
    except ValueError as error:
        assert "is missing" in str(error)


@pytest.mark.parametrize("type", ["orders", "faxes"])
def test_only_outbound_trunk_events_come_in_arrays(type: str) -> None:
    """Objects of other types in an array could hide the text of their neighbors."""
    with pytest.raises(ValueError, match=f"an array with several callbacks contains one of type {type}"):
        typed.callback_of({"type": type, "id": "1", "status": "x"}, b"", alone=False)


def test_callbacks_compare_by_content() -> None:
    """Tests can compare them, also after pickling and copying."""
    one = callback_of({"type": "orders", "id": "1", "status": "completed"})
    same = callback_of({"type": "orders", "id": "1", "status": "completed"})
    other = callback_of({"type": "orders", "id": "1", "status": "canceled"})
    assert one == same != other
    assert len({one, same, other}) == 2
    assert one == copy.deepcopy(one) == pickle.loads(pickle.dumps(one))
    assert one != {"type": "orders"}
    assert one == callback_of(one.to_dict(), "https://hooks.example.com/other")
    assert {copy.deepcopy(one).key, pickle.loads(pickle.dumps(one)).key} == {one.key}
    assert repr(one) == "OrderCallback(type='orders', id='1', status=<OrderStatus.COMPLETED: 'completed'>)"


@pytest.mark.parametrize(("cls", "fields", "read"), FIELDS)
def test_callback_round_trips_through_its_dict(
    cls: type[Callback], fields: dict[str, Any], read: dict[str, Any]
) -> None:
    """It survives JSON, its own class, `Callback`, pydantic, copies and pickles unchanged."""
    sent = json.loads(json.dumps(callback_of(fields).to_dict()))
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(cls)
    for again in (cls.from_dict(sent), Callback.from_dict(sent), adapter.validate_python(sent)):
        assert type(again) is cls
        assert again == callback_of(fields)
        assert {name: getattr(again, name) for name in read} == read
        same = [again, cls.from_dict(dict(reversed(sent.items()))), copy.copy(again), copy.deepcopy(again)]
        same += [pickle.loads(pickle.dumps(again, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
        assert {one.key for one in same} == {again.key}
        assert all(one == again for one in same)


def test_from_dict_validates_like_a_request() -> None:
    """A dict with the text "false" holds False; an invalid one raises with the reason."""
    assert VoiceOutTrunkCallback.from_dict({**TRUNK, "threshold_reached": "false"}).threshold_reached is False
    assert VoiceOutTrunkCallback.from_dict(TRUNK).key == callback_of(TRUNK).key
    assert OrderCallback.from_dict({"id": "1", "status": "completed"}).type == "orders"
    for cls, data, why in (
        (OrderCallback, {"id": "1"}, "status is missing; orders callbacks require id, status"),
        (OrderCallback, {**TRUNK}, "Use VoiceOutTrunkCallback.from_dict"),
        (UnknownCallback, {**TRUNK}, "Use VoiceOutTrunkCallback.from_dict"),
        (Callback, {"id": "1"}, "type is missing"),
        (OrderCallback, {"id": ["1"], "status": "completed"}, "id must be a string"),
        (VoiceOutTrunkCallback, {**TRUNK, "threshold_reached": "yes"}, "threshold_reached must be true or false"),
        (OrderCallback, "x", "must get a dict"),
    ):
        with pytest.raises(InvalidValueError, match=why):
            cls.from_dict(data)  # type: ignore[arg-type] # one is no dict
        with pytest.raises(pydantic.ValidationError, match=why):
            pydantic.TypeAdapter(cls).validate_python(data)


def test_callback_cannot_be_constructed_directly() -> None:
    """The error says where callbacks come from."""
    for fields in ({}, {"id": "1", "status": "completed"}):
        with pytest.raises(ReadOnlyFieldError, match=r"Get it from CallbackVerifier.verify, or use OrderCallback.from"):
            OrderCallback(**fields)  # type: ignore[call-arg] # by a caller without a checker
