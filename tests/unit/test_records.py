"""Records as Python objects: conversion to and from plain data, and use with standard and third-party tools."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import json
import pickle
import subprocess
import sys
import typing
import weakref
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from didww._jsonapi.document import decode
from didww._jsonapi.encode import encode
from didww._jsonapi.graph import Graph
from didww._schema.fields import attribute, relationship, status_is
from didww._schema.meta import Meta
from didww._schema.nested import Nested
from didww._schema.registry import all_classes
from didww._schema.resource import Resource, UnknownResource, load
from didww.callback.typed import OrderCallback, callback_of
from didww.enums import OrderStatus
from didww.exceptions import InvalidValueError, NotIncludedError, NotLoadedError, ReadOnlyFieldError
from didww.resources.authentication_method import (
    AuthenticationMethod,
    CredentialsAndIpAuthenticationMethod,
    GenericAuthenticationMethod,
    IpOnlyAuthenticationMethod,
    TwilioAuthenticationMethod,
)
from didww.resources.configuration.base import TrunkConfiguration
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.did_group import DidGroup
from didww.resources.did_history import DidHistory
from didww.resources.emergency_calling_service import EmergencyCallingService
from didww.resources.order import Order
from didww.resources.order_item.base import NumberOrderItem, OrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_out_trunk import VoiceOutTrunk
from support import record_strategies as make

if TYPE_CHECKING:
    from collections.abc import Iterator

every_class = pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
law = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ID = "8d1a3c5e-0000-4000-8000-000000000001"
OTHER = "8d1a3c5e-0000-4000-8000-000000000002"


def nested_classes(cls: type[Nested] = Nested) -> Iterator[type[Nested]]:
    for one in cls.__subclasses__():
        yield one
        yield from nested_classes(one)


def records_of(*data: dict[str, Any], included: tuple[dict[str, Any], ...] = ()) -> list[Any]:
    """The records of a response."""
    return Graph(decode(encode({"data": list(data), "included": included})), load).nodes


def resource_objects(cls: type[Resource]) -> st.SearchStrategy[dict[str, Any]]:
    """Resource objects of a type, as the service may send them."""
    linkage: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in cls._field_map.items():
        if field.place == "relationships":
            one = st.builds(lambda which: {"type": "dids", "id": which}, st.sampled_from([ID, OTHER]))
            data = st.lists(one, max_size=2) if field.kind.name == "many" else st.none() | one
            linkage[name] = st.fixed_dictionaries({"data": data})
    return st.fixed_dictionaries(
        {"type": st.just(cls._type_name), "id": st.just(ID), "attributes": make.raw_attributes(cls)},
        optional={
            "relationships": st.fixed_dictionaries({}, optional=linkage).filter(bool),
            "meta": st.dictionaries(make.texts, make.json_values, max_size=3),
        },
    )


# As plain data, and back


@every_class
@law
@given(data=st.data())
def test_from_dict_reverses_to_dict(cls: type[Resource], data: st.DataObject) -> None:
    """A record written as a dict, even as JSON, reads back equal and without changes."""
    (record,) = records_of(data.draw(resource_objects(cls)))
    back = cls.from_dict(json.loads(json.dumps(record.to_dict())))
    assert type(back) is cls
    assert back == record
    assert back.to_dict() == record.to_dict()
    assert back.changes == {}
    for name, field in cls._field_map.items():
        if field.place == "attributes" and name in record._attributes:
            assert getattr(back, name) == getattr(record, name)
    assert back.meta == record.meta


@every_class
@law
@given(data=st.data())
def test_new_record_stays_new_after_from_dict(cls: type[Resource], data: st.DataObject) -> None:
    """A record without id that is rebuilt from its dict has the same changes to send."""
    fields = [field for field in make.writable_fields(cls, exists=False) if field.on_set is None]
    record = cls(**{field.name: data.draw(make.values_for(field)) for field in fields})
    for name, field in cls._field_map.items():
        if field.place == "relationships" and field.create:
            (target, *_) = [one for one in all_classes() if one.__name__ in field.kind.detail.names]
            setattr(record, name, [target.build(ID)] if field.kind.name == "many" else target.build(ID))
    back = cls.from_dict(json.loads(json.dumps(record.to_dict())))
    assert back.changes == record.changes
    assert back.to_dict() == record.to_dict()
    assert (back.id, back._exists()) == (None, False)


@pytest.mark.parametrize("cls", sorted(nested_classes(), key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
@law
@given(data=st.data())
def test_nested_objects_round_trip_through_dicts(cls: type[Nested], data: st.DataObject) -> None:
    """Class, type and content are the same; a base class gives objects of the class of the type."""
    raw = {"type": cls._type_name or "new_kind", "attributes": data.draw(make.raw_attributes(cls))}
    back = cls.from_dict(raw)
    assert back.to_dict() == raw
    assert isinstance(back, cls)
    assert cls.from_dict(back.to_dict()) == back


def test_base_class_from_dict_selects_the_subclass() -> None:
    """The type decides, for resources and nested objects; unknown types are treated as in a response."""
    assert type(Resource.from_dict({"type": "dids", "id": ID})) is Did
    assert type(Resource.from_dict({"type": "new_things", "id": ID})) is UnknownResource
    assert type(TrunkConfiguration.from_dict({"type": "pstn_configurations"})) is PstnConfiguration
    assert isinstance(OrderItem.from_dict({"type": "did_order_items"}), NumberOrderItem)
    assert type(OrderItem.from_dict({"type": "new_items"})) is OrderItem
    with pytest.raises(InvalidValueError, match=r"Resource\.from_dict expects a resource object"):
        Resource.from_dict({"id": ID})
    with pytest.raises(InvalidValueError, match=r"Did\.from_dict expects the type 'dids', got 'orders'"):
        Did.from_dict({"type": "orders", "id": ID})
    with pytest.raises(InvalidValueError, match=r"SipConfiguration\.from_dict expects the type"):
        SipConfiguration.from_dict({"type": "pstn_configurations", "attributes": {}})


@pytest.mark.parametrize("wrong", [None, [], "x", {"data": {"type": "dids", "id": ID}}, {"type": 5}])
def test_from_dict_rejects_other_json(wrong: Any) -> None:
    """A document, a list or text raises an error that says what is accepted."""
    with pytest.raises(InvalidValueError, match=r"Did\.from_dict expects a resource object.*`data`"):
        Did.from_dict(wrong)


def test_records_can_be_built_for_unit_tests() -> None:
    """The id and the relevant fields are enough; read-only fields may be included, and changes are tracked."""
    group = DidGroup.from_dict({"id": OTHER, "attributes": {"prefix": "4420"}, "meta": {"total_count": 5}})
    did = Did.from_dict(
        {
            "id": ID,
            "attributes": {"number": "442079460000", "terminated": False},
            "relationships": {"did_group": {"data": {"type": "did_groups", "id": OTHER}}, "order": {"data": None}},
        },
        included=[group.to_dict()],
    )
    assert (did.number, did.description, did.order) == ("442079460000", None, None)
    assert did.did_group is not None
    assert (did.did_group.prefix, did.did_group.meta.total_count) == ("4420", 5)
    did.description = "x"
    assert did.changes == {"attributes": {"description": "x"}}
    with pytest.raises(NotIncludedError):
        _ = did.identity


def test_from_dict_copies_its_input() -> None:
    """Changing the dict later does not change the record, and vice versa."""
    data: dict[str, Any] = {"id": ID, "attributes": {"dst_prefixes": ["1"]}, "meta": {"spent_amount": "1.0"}}
    trunk = VoiceOutTrunk.from_dict(data)
    data["attributes"]["dst_prefixes"].append("2")
    data["meta"].clear()
    trunk.dst_prefixes.append("3")
    assert (trunk.dst_prefixes, trunk.meta.spent_amount) == (["1", "3"], Decimal("1.0"))
    assert data["attributes"] == {"dst_prefixes": ["1", "2"]}


def test_callbacks_round_trip_through_dicts() -> None:
    """A typed callback is a record too."""
    callback = callback_of({"type": "orders", "id": ID, "status": "completed"}, b"signed")
    assert OrderCallback.from_dict(callback.to_dict()) == callback


def test_inspecting_an_invalid_record_does_not_raise() -> None:
    """A wrong list item raises when it is sent, not when a debugger, a mock or a comparison inspects it."""
    sip = SipConfiguration(host="sip.example.com")
    sip.codec_ids.append("bad")  # type: ignore[arg-type] # on purpose
    trunk = VoiceInTrunk(name="Main")
    trunk.configuration = SipConfiguration(host="sip.example.com")
    trunk.configuration.codec_ids.append("bad")  # type: ignore[arg-type] # on purpose
    for record in (sip, trunk):
        assert not hasattr(record, "__dict__")
        assert not hasattr(record, "changes")
        assert "codec_ids" in repr(record)
        assert dict(inspect.getmembers(record))
        assert Mock(spec=record) is not None
        assert record == copy.copy(record)
        assert record not in (SipConfiguration(host="sip.example.com"), VoiceInTrunk(name="Main"))
        with pytest.raises(InvalidValueError, match=r"codec_ids\[0\] must be Codec"):
            record.to_dict()
    with pytest.raises(InvalidValueError, match=r"codec_ids\[0\] must be Codec"):
        _ = trunk.changes


# JSON by the tools of others


def test_vars_returns_the_to_dict_form() -> None:
    """`vars()`, the last resort of JSON encoders, gives what `to_dict()` gives."""
    from fastapi.encoders import jsonable_encoder

    trunk = VoiceInTrunk.from_dict({"id": ID, "attributes": {"name": "a", "weight": 5}})
    trunk.configuration = SipConfiguration(host="sip.example.com")
    group = DidGroup.from_dict({"id": ID, "meta": {"total_count": 5}})
    for record in (trunk, trunk.configuration, group, group.meta, VoiceInTrunk(name="new")):
        assert jsonable_encoder(record) == record.to_dict()
        assert json.loads(json.dumps([record], default=vars)) == [record.to_dict()]


async def asked(app: Any, method: str, path: str, body: bytes = b"") -> Any:
    """The JSON that an ASGI application answers."""
    messages: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    headers = [(b"content-type", b"application/json")]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": headers}
    await app(scope, receive, send)
    assert messages[0]["status"] == 200
    return json.loads(b"".join(message.get("body", b"") for message in messages))


def test_fastapi_route_accepts_and_returns_records() -> None:
    """It works with and without an annotation; the OpenAPI document shows an object."""
    from fastapi import Body, FastAPI
    from fastapi.encoders import jsonable_encoder
    from pydantic import BaseModel, TypeAdapter, ValidationError

    app = FastAPI()

    @app.get("/did")
    def did() -> Did:
        return Did.build(ID)

    @app.get("/plain")
    def plain():  # type: ignore[no-untyped-def] # no annotation is the point
        return {"numbers": [Did.build(ID)]}

    @app.post("/dids")
    def dids(did: Did = Body()) -> list[Did]:  # noqa: B008, FAST002 annotations are text here
        return [did]

    async def all_of_them() -> list[Any]:
        sent = json.dumps(Did.build(ID, description="x").to_dict()).encode()
        return [
            await asked(app, "GET", "/did"),
            await asked(app, "GET", "/plain"),
            await asked(app, "POST", "/dids", sent),
        ]

    bare = Did.build(ID).to_dict()
    changed = Did.build(ID, description="x").to_dict()
    assert asyncio.run(all_of_them()) == [bare, {"numbers": [bare]}, [changed]]
    assert app.openapi()["paths"].keys() == {"/did", "/plain", "/dids"}
    adapter = TypeAdapter(list[Did])
    (back,) = adapter.validate_json(adapter.dump_json([Did.build(ID, description="x")]))
    assert back.to_dict() == {"type": "dids", "id": ID, "attributes": {"description": "x"}}
    assert adapter.validate_python([back])[0] is back
    with pytest.raises(ValidationError, match="expects the type 'dids'"):
        adapter.validate_python([{"type": "orders", "id": ID}])

    class Line(BaseModel):
        did: Did
        configuration: SipConfiguration | None = None

    sip = SipConfiguration(host="sip.example.com")
    line = Line(did=back, configuration=sip)
    assert jsonable_encoder(line) == {"did": back.to_dict(), "configuration": sip.to_dict()}
    assert Line.model_validate_json(line.model_dump_json()) == line


# Attributes that are not there


def partial() -> Any:
    """A number in a response that includes nothing."""
    return records_of({"type": "dids", "id": ID, "attributes": {"number": "442079460000"}})[0]


def test_hasattr_is_false_for_fields_not_loaded() -> None:
    """`getattr` returns its default, while reading raises an error that says what to do."""
    did = partial()
    assert not hasattr(did, "order")
    assert getattr(did, "order", None) is None
    with pytest.raises(NotIncludedError, match="include='order'"):
        _ = did.order
    built = Did.build(ID)
    assert not hasattr(built, "number")
    assert not hasattr(Order.build(ID), "is_pending")
    assert not hasattr(Country.build(ID), "meta")
    assert hasattr(did, "number")
    assert not hasattr(did, "nmuber")
    for name in ("number", "order", "meta"):
        with pytest.raises(NotLoadedError, match=r"Did\.build\(\) sets only the id"):
            getattr(built, name)
    with pytest.raises(NotLoadedError, match=r"Order\.status was not loaded"):
        _ = Order.build(ID).is_pending
    with pytest.raises(NotLoadedError) as caught:
        _ = built.number
    copied = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(copied, AttributeError)
    assert "sets only the id" in str(copied)


@pytest.mark.parametrize("record", [partial(), Did.build(ID), Did(), VoiceInTrunk(name="a")], ids=repr)
def test_introspection_skips_fields_not_loaded(record: Any) -> None:
    """`inspect.getmembers`, a mock with the record as its spec, and `dir` work."""
    members = dict(inspect.getmembers(record))
    assert members["type"] == record.type
    assert "order" not in members or members["order"] is None
    assert Mock(spec=record).id is not None
    strange = records_of({"type": "dids", "id": ID, "attributes": {"brand_new": 1}})[0]
    assert {"brand_new", "number", "to_dict"} <= set(dir(strange))
    assert "attributes" not in dir(strange)


# The language's own tools


@every_class
def test_type_hints_can_be_resolved(cls: type[Resource]) -> None:
    """`typing.get_type_hints` and `inspect.get_annotations` resolve every name, also of other resources."""
    hints = typing.get_type_hints(cls)
    assert not [name for name, hint in hints.items() if isinstance(hint, (str, typing.ForwardRef))]
    assert {name for name, field in cls._field_map.items() if field.place != "meta"} <= set(hints)
    own = inspect.get_annotations(cls, eval_str=True)
    assert own.keys() <= hints.keys()
    assert not [name for name, hint in own.items() if isinstance(hint, str)]
    assert dict(own) == dict(cls.__annotations__)


def test_relationship_type_hints_name_the_target_class() -> None:
    """A relationship is annotated with the class that it leads to."""
    assert typing.get_type_hints(Did)["order"] == (Order | None)
    assert Did.__annotations__["description"] == (str | None)
    assert Did.__annotations__.get("nothing", 5) == 5
    assert (str | None) in Did.__annotations__.values()


def test_copy_replace_works() -> None:
    """`copy.replace` (Python 3.13) returns a copy with the new values as changes; the record stays as it is."""
    replace = getattr(copy, "replace", lambda record, **fields: type(record).__replace__(record, **fields))
    did = partial()
    twin = replace(did, description="x", voice_in_trunk=VoiceInTrunk.build(OTHER))
    assert (twin.id, twin.number, twin.description) == (ID, "442079460000", "x")
    assert set(twin.changes) == {"attributes", "relationships"}
    assert did.changes == {}
    sip = SipConfiguration(host="a", port=5060)
    moved = replace(sip, host="b")
    assert (sip.host, moved.host, moved.port) == ("a", "b", 5060)
    with pytest.raises(ReadOnlyFieldError, match=r"Did\.number"):
        replace(did, number="1")


def test_records_support_weak_references() -> None:
    """Weak caches of records work."""
    kept = weakref.WeakValueDictionary[str, Any]()
    did, sip, meta = partial(), SipConfiguration(), DidGroup.from_dict({"id": ID}).meta
    kept["did"], kept["sip"], kept["meta"] = did, sip, meta
    assert kept["did"] is did
    del did, sip, meta
    gc.collect()  # a record and the response that it came in hold each other
    assert not kept


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_records_support_every_pickle_protocol(protocol: int) -> None:
    """This includes linked records, cycles, meta, nested objects and changes."""
    trunk, other = records_of(
        {
            "type": "voice_in_trunks",
            "id": ID,
            "attributes": {"configuration": {"type": "sip_configurations", "attributes": {"codec_ids": [9]}}},
            "relationships": {"voice_in_trunk_group": {"data": {"type": "voice_in_trunk_groups", "id": ID}}},
        },
        {"type": "voice_in_trunks", "id": OTHER, "attributes": {"name": "other"}},
        included=(
            {
                "type": "voice_in_trunk_groups",
                "id": ID,
                "relationships": {"voice_in_trunks": {"data": [{"type": "voice_in_trunks", "id": ID}]}},
                "meta": {"trunks_count": 1},
            },
        ),
    )
    assert trunk.voice_in_trunk_group.voice_in_trunks[0] is trunk
    assert trunk.voice_in_trunk_group.meta.trunks_count == 1
    trunk.configuration.codec_ids.append(10)
    order = Order(items=[DidOrderItem(sku_id=ID, qty=1)])
    back, same, new, built = pickle.loads(pickle.dumps((trunk, other, order, Did.build(ID)), protocol))
    assert back.to_dict() == trunk.to_dict()
    assert back.changes == trunk.changes != {}
    assert back.voice_in_trunk_group.voice_in_trunks[0] is back
    assert back.voice_in_trunk_group.meta == {"trunks_count": 1}
    assert (same.name, new.changes, built.id) == ("other", order.changes, ID)


# Statuses


def with_status() -> list[type[Resource]]:
    return [cls for cls in all_classes() if "status" in cls._field_map]


@pytest.mark.parametrize("cls", with_status(), ids=lambda cls: cls.__name__)
def test_every_status_value_has_a_property(cls: Any) -> None:
    """For each status value there is one property `is_<value>`, true for that value only."""
    statuses = cls._field_map["status"].kind.detail
    names = {f"is_{one.name.lower()}" for one in statuses}
    assert {name for name, one in vars(cls).items() if isinstance(one, type(status_is(OrderStatus.PENDING)))} == names
    for status in [*statuses, statuses("brand_new")]:
        record = cls.from_dict({"id": ID, "attributes": {"status": status.value}})
        true = {name for name in names if getattr(record, name) is True}
        assert true == {f"is_{status.name.lower()}"} & names
        assert all(getattr(record, name) is False for name in names - true)
    with pytest.raises(ReadOnlyFieldError):
        setattr(cls(), min(names), True)
    assert "`status` is" in getattr(cls, min(names)).__doc__


def test_all_resources_with_a_status_have_properties() -> None:
    """There are six of them."""
    assert len(with_status()) == 7


# Meta


@every_class
def test_meta_is_a_mapping_on_every_resource(cls: Any) -> None:
    """It is empty if the response has none, and members can be read as from a dict."""
    (without, strange) = records_of(
        {"type": cls._type_name, "id": ID}, {"type": cls._type_name, "id": OTHER, "meta": {"brand_new": [1]}}
    )
    for empty in (without.meta, cls().meta):
        assert isinstance(empty, Mapping)
        assert isinstance(empty, Meta)
        assert (len(empty), list(empty), empty == {}, "x" in empty, empty.get("x", 5)) == (0, [], True, False, 5)
        with pytest.raises(KeyError):
            empty["x"]
    assert strange.meta["brand_new"] == [1] == strange.meta.brand_new
    assert dict(strange.meta) == {**strange.meta} == {"brand_new": [1]} == strange.meta == strange.meta.to_dict()
    assert list(strange.meta.items()) == [("brand_new", [1])]
    assert list(strange.meta.values()) == [[1]]
    assert list(strange.meta.keys()) == ["brand_new"]
    assert "brand_new=[1]" in repr(strange.meta)
    assert strange.changes == without.changes == {}


def test_meta_offers_raw_members_and_typed_attributes() -> None:
    """Brackets return the raw value, attributes the converted one."""
    service = EmergencyCallingService.from_dict({"id": ID, "meta": {"setup_price": "1.50", "monthly_price": "2.0"}})
    assert (service.meta["setup_price"], service.meta.get("monthly_price")) == ("1.50", "2.0")
    assert service.meta.setup_price == Decimal("1.50")
    event = DidHistory.from_dict({"id": ID, "meta": {"from": "1", "to": None}})
    assert (event.meta["from"], event.meta.from_, event.meta["to"]) == ("1", "1", None)
    assert records_of({"type": "new_things", "id": ID, "meta": {"a": 1}})[0].meta == {"a": 1}


# Base classes of nested objects


def test_nested_objects_have_base_classes() -> None:
    """`isinstance` works for known and unknown types alike."""

    def method(type: str) -> Any:
        raw = {"authentication_method": {"type": type, "attributes": {"secret_sauce": 1}}}
        return VoiceOutTrunk.from_dict({"id": ID, "attributes": raw}).authentication_method

    for cls in (CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod, IpOnlyAuthenticationMethod):
        assert type(method(cls._type_name)) is cls
        assert isinstance(method(cls._type_name), AuthenticationMethod)
    assert type(method("new_method")) is GenericAuthenticationMethod
    assert issubclass(GenericAuthenticationMethod, AuthenticationMethod)
    assert issubclass(SipConfiguration, TrunkConfiguration)
    assert issubclass(PstnConfiguration, TrunkConfiguration)
    raw: Any = {"configuration": {"type": "new_kind", "attributes": {"a": 1}}, "name": "a"}
    trunk: Any = VoiceInTrunk.from_dict({"id": ID, "attributes": raw})
    assert type(trunk.configuration) is TrunkConfiguration
    assert (trunk.configuration.a, trunk.configuration.type) == (1, "new_kind")
    order: Any = Order.from_dict({"id": ID, "attributes": {"items": [{"type": "new", "attributes": {"mrc": "1"}}]}})
    assert order.items[0].mrc == Decimal(1)


def test_unknown_nested_object_is_sent_back_unchanged() -> None:
    """An object of an unknown type can be copied from one trunk to another; a bare base class is rejected."""
    raw = {"type": "new_method", "attributes": {"secret_sauce": 1}}
    method: Any = GenericAuthenticationMethod.from_dict(raw)
    trunk = VoiceOutTrunk(authentication_method=method)
    assert trunk.changes == {"attributes": {"authentication_method": raw}}
    wrong: Any
    for wrong in (AuthenticationMethod(), GenericAuthenticationMethod(), SipConfiguration()):
        with pytest.raises(InvalidValueError, match=r"VoiceOutTrunk\.authentication_method must be"):
            VoiceOutTrunk(authentication_method=wrong)


# Secrets


def test_repr_masks_credential_usernames() -> None:
    """A repr masks them like passwords; attributes read unchanged."""
    sip = SipConfiguration.from_dict(
        {
            "type": "sip_configurations",
            "attributes": {"auth_user": "hidden-user", "incoming_auth_username": "hidden-user"},
        }
    )
    method = CredentialsAndIpAuthenticationMethod.from_dict(
        {
            "type": "credentials_and_ip",
            "attributes": {"username": "hidden-user"},
        }
    )
    assert "hidden-user" not in repr((sip, method))
    assert (sip.auth_user, method.username) == ("hidden-user", "hidden-user")


# Tests that freeze time

FREEZE = """
import datetime as module, sys

real, real_date = module.datetime, module.date


class FrozenType(type):
    def __instancecheck__(cls, one):
        return isinstance(one, real)

    def __subclasscheck__(cls, one):
        return issubclass(one, real)


class FakeDatetime(real, metaclass=FrozenType):
    pass


def swap(old, new):
    for one in list(sys.modules.values()):
        for name, value in list(vars(one).items()):
            if value is old and not name.startswith("real") and name != "FakeDatetime":
                setattr(one, name, new)


def freeze():
    swap(real, FakeDatetime)


def thaw():
    swap(FakeDatetime, real)


def check():
    from didww.resources.order import Order
    from didww.resources.export import Export
    import typing

    order = Order.from_dict({"id": "1", "attributes": {"created_at": "2026-03-01T00:00:00.000Z", "amount": "1"}})
    assert order.created_at.year == 2026, order.created_at
    export = Export(export_type="cdr_in", filters={"from": real(2026, 3, 1, tzinfo=module.timezone.utc)})
    assert export.filters["from"] == "2026-03-01 00:00:00"
    assert "created_at" in typing.get_type_hints(Order)


def buy():
    from didww import DidOrderItem, Order
    from didww.emulator import Emulator

    with Emulator() as emulator:
        client = emulator.client()
        group = client.did_groups().first(
            filter={"needs_registration": False, "is_available": True}, include="stock_keeping_units"
        )
        order = Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)])
        order = client.orders().wait(client.orders().create(order).data).data
        assert client.orders().list(filter={"created_at_gteq": order.created_at}).data == [order]
"""


@pytest.mark.parametrize(
    "program",
    [
        "import didww.resources.order; freeze(); check()",
        "freeze(); check(); thaw(); check()",
        "freeze(); import didww._schema.types; thaw(); check()",
        "import didww._schema.types; freeze(); import didww.resources.order; thaw(); check()",
        "check(); freeze(); check()",
        pytest.param("import didww.emulator; freeze(); buy(); thaw(); buy()", marks=pytest.mark.slow),
        pytest.param("freeze(); buy(); thaw(); buy()", marks=pytest.mark.slow),
    ],
)
def test_fields_work_under_frozen_time(program: str) -> None:
    """Tools that freeze time replace `datetime` in all modules; fields first read then or later are the same."""
    done = subprocess.run([sys.executable, "-c", FREEZE + program], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


def declare(annotation: str, make: Any) -> type[Resource]:
    """A resource class with one field, made in this module."""
    namespace = {"__module__": __name__, "__qualname__": "Made", "__annotations__": {"price": annotation}}
    return type(Resource)("Made", (Resource,), {**namespace, "price": make("A price.")}, type="made")


def test_unresolvable_annotation_raises_at_class_creation() -> None:
    """A misspelled type, or one imported for type checkers only, would otherwise pass as a resource class."""
    with pytest.raises(TypeError, match=r"Made\.price names 'Decimil'"):
        declare("Decimil | None", attribute)
    assert declare("Decimal | None", attribute)._field_map["price"].kind.name == "decimal"


@pytest.mark.parametrize(("annotation", "make"), [("City", attribute), ("str", relationship)])
def test_misplaced_annotations_raise_at_class_creation(annotation: str, make: Any) -> None:
    """A resource class among the attributes, or a plain type among the relationships, is an error."""
    with pytest.raises(TypeError, match=r"Made\.price is declared among the"):
        _ = declare(annotation, make)._field_map["price"].kind


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls._type_name)
def test_completion_offers_fields_and_public_methods(cls: type[Resource]) -> None:
    """Internals of the declaration are hidden."""
    methods = {"build", "changes", "from_dict", "id", "meta", "to_dict", "type"}
    properties = {name for name in dir(cls) if isinstance(inspect.getattr_static(cls, name), property)}
    assert {name for name in dir(cls) if not name.startswith("_")} <= {*cls._field_map, *methods, *properties}
