"""Callbacks as Python objects: a class for each type, everything kept, nothing made up."""

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
from didww.callback.request_validator import signed_text


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
def test_the_type_tells_the_class(cls: type[Callback], fields: dict[str, Any], read: dict[str, Any]) -> None:
    """Each field reads as its type; all of them are kept as they came."""
    found = callback_of(copy.deepcopy(fields))
    assert type(found) is cls
    assert isinstance(found, Callback)
    assert found.type == fields["type"]
    assert {name: getattr(found, name) for name in read} == read
    assert found.to_dict() == fields


@pytest.mark.parametrize(("cls", "fields", "read"), FIELDS)
def test_what_is_new_is_kept(cls: type[Callback], fields: dict[str, Any], read: dict[str, Any]) -> None:
    """A field that DIDWW adds one day can be read already."""
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
def test_a_boolean_is_one(raw: Any, value: Any) -> None:
    """As text, "false" would count as true; the signature is the same for both."""
    found = callback_of({**TRUNK, "threshold_reached": raw})
    assert isinstance(found, VoiceOutTrunkCallback)
    assert found.threshold_reached is value


@pytest.mark.parametrize("status", ["blocked", 5, True])
def test_declared_fields_are_of_their_kind(status: Any) -> None:
    """However JSON wrote them: the signature covers their text, and numbers where text belongs become it."""
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
def test_what_is_not_of_its_kind_is_no_callback(field: dict[str, Any], why: str) -> None:
    """It is refused before any handler sees it."""
    with pytest.raises(ValueError, match=why):
        callback_of({**TRUNK, **field})


def test_a_callback_is_not_changed() -> None:
    """It says what was."""
    found: Any = callback_of({"type": "orders", "id": "1", "status": "completed"})
    with pytest.raises(ReadOnlyFieldError):
        found.status = "canceled"
    found.to_dict()["status"] = "canceled"
    assert found.status == "completed"


def test_the_key_tells_events_from_repetitions() -> None:
    """The same again has the same key, in any order of fields; whatever else is signed has another."""
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
def test_the_key_is_that_of_what_is_signed(fields: dict[str, Any], url: str | None) -> None:
    """What keeps the signature keeps the key: who has seen a callback cannot make it count as another one."""
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
def test_the_key_of_what_comes_alone_is_that_of_the_whole_text(fields: dict[str, Any], url: str | None) -> None:
    """However its text is grouped, it is no other callback, or none."""
    order = {"type": "orders", "id": "1", "status": "completed"}
    called = "https://hooks.example.com/didww?tenant=42"
    changed = {name: value for name, value in {**order, **fields}.items() if value is not ...}
    assert signed_text(url or called, changed) == signed_text(called, order)
    try:
        assert callback_of(changed, url or called).key == callback_of(order, called).key
    except ValueError as error:
        assert "is missing" in str(error) or "has no type" in str(error)


@pytest.mark.parametrize("type", ["orders", "faxes"])
def test_several_at_once_are_events_of_outbound_trunks(type: str) -> None:
    """Nothing else comes in arrays of several; objects of other types would hide text of their neighbors."""
    with pytest.raises(ValueError, match=f"an array of several holds one of {type}"):
        typed.callback_of({"type": type, "id": "1", "status": "x"}, b"", alone=False)


def test_callbacks_are_equal_by_content() -> None:
    """So that tests can compare them; they survive a pickle and a copy."""
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
def test_a_callback_comes_back_from_its_dict(cls: type[Callback], fields: dict[str, Any], read: dict[str, Any]) -> None:
    """Through JSON, by its own class, by `Callback` and by pydantic, as whole as it was; copies and pickles as well."""
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


def test_what_comes_back_is_checked_as_what_came() -> None:
    """A dict with "false" as text holds False; one that is no callback is refused, with the reason."""
    assert VoiceOutTrunkCallback.from_dict({**TRUNK, "threshold_reached": "false"}).threshold_reached is False
    assert VoiceOutTrunkCallback.from_dict(TRUNK).key == callback_of(TRUNK).key
    assert OrderCallback.from_dict({"id": "1", "status": "completed"}).type == "orders"
    for cls, data, why in (
        (OrderCallback, {"id": "1"}, "a callback of orders has id and status; status is missing"),
        (OrderCallback, {**TRUNK}, "Use VoiceOutTrunkCallback.from_dict"),
        (UnknownCallback, {**TRUNK}, "Use VoiceOutTrunkCallback.from_dict"),
        (Callback, {"id": "1"}, "it has no type"),
        (OrderCallback, {"id": ["1"], "status": "completed"}, "id must be text"),
        (VoiceOutTrunkCallback, {**TRUNK, "threshold_reached": "yes"}, "threshold_reached must be true or false"),
        (OrderCallback, "x", "takes a dict"),
    ):
        with pytest.raises(InvalidValueError, match=why):
            cls.from_dict(data)  # type: ignore[arg-type] # one is no dict
        with pytest.raises(pydantic.ValidationError, match=why):
            pydantic.TypeAdapter(cls).validate_python(data)


def test_a_callback_is_not_made_up() -> None:
    """Its class says where one comes from."""
    for fields in ({}, {"id": "1", "status": "completed"}):
        with pytest.raises(
            ReadOnlyFieldError, match=r"Take it from CallbackVerifier.verify, or write OrderCallback.from"
        ):
            OrderCallback(**fields)  # type: ignore[call-arg] # by a caller without a checker
