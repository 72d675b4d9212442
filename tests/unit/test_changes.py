"""Laws of change tracking, for every declared resource."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import strategies as make
from didww.jsonapi.document import decode
from didww.jsonapi.encode import encode, resource_document
from didww.jsonapi.graph import Graph
from didww.resources.base import Resource, load
from didww.resources.registry import all_classes

CLASSES = [cls for cls in all_classes() if any(field.place == "attributes" for field in cls._fields.values())]
every_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ID = "8d1a3c5e-0000-4000-8000-000000000001"


def loaded(cls: type[Resource], attributes: dict[str, Any]) -> Any:
    body = encode({"data": {"type": cls.type_, "id": ID, "attributes": attributes}})
    return Graph(decode(body), load).nodes[0]


def read_all(record: Any) -> None:
    for name, field in type(record)._fields.items():
        if field.place == "attributes" and name in record._attributes:
            getattr(record, name)


@every_class
@law
@given(data=st.data())
def test_reading_changes_nothing(cls: type[Resource], data: st.DataObject) -> None:
    """Whatever was loaded, reading every field leaves nothing to send, and nothing of it is lost."""
    attributes = data.draw(make.raw_attributes(cls))
    record = loaded(cls, attributes)
    assert record.changes == {}
    read_all(record)
    assert record.changes == {}
    assert record.to_dict()["attributes"] == attributes
    for name in attributes:
        if name.startswith("zz_"):
            assert getattr(record, name) == attributes[name], "an unknown attribute reads as it came"


@every_class
@law
@given(data=st.data())
def test_what_is_assigned_is_sent_and_nothing_else(cls: type[Resource], data: st.DataObject) -> None:
    """Assigning some fields, None included, sends exactly these; reading others in between adds nothing."""
    record = loaded(cls, data.draw(make.raw_attributes(cls)))
    fields = [field for field in make.writable_fields(cls, exists=True) if field.implies is None]
    chosen = data.draw(st.lists(st.sampled_from(fields), unique=True)) if fields else []
    expected = {}
    for field in chosen:
        value = data.draw(make.values_for(field))
        read_all(record)
        setattr(record, field.name, value)
        expected[field.name] = field.dump(value)
    assert record.changes.get("attributes", {}) == expected
    assert record.to_dict()["attributes"].items() >= expected.items()


@every_class
@law
@given(data=st.data())
def test_what_is_changed_in_place_is_sent_and_nothing_else(cls: type[Resource], data: st.DataObject) -> None:
    """Items added to and taken from a list, and fields of a nested object, make exactly their attribute a change."""
    fields = [field for field in make.writable_fields(cls, exists=True) if field.kind.name in ("list", "object", "map")]
    if not fields:
        return
    field = data.draw(st.sampled_from(fields))
    attributes = data.draw(make.raw_attributes(cls))
    attributes[field.name] = data.draw(make.known_values(field.kind))
    record = loaded(cls, attributes)
    read_all(record)
    value = getattr(record, field.name)
    before = field.dump(getattr(loaded(cls, attributes), field.name))
    if field.kind.name == "list":
        value.append(data.draw(make._values(field.kind.detail)))
        if data.draw(st.booleans()):
            del value[0]
    elif field.kind.name == "map":
        value["added"] = "x"
    else:
        inner = data.draw(st.sampled_from(make.writable_members(type(value))))
        setattr(value, inner.name, data.draw(make.values_for(inner)))
    after = field.dump(value)
    assert record.changes.get("attributes", {}) == ({} if after == before else {field.name: after})


@pytest.mark.parametrize("cls", all_classes(), ids=lambda cls: cls.__name__)
def test_secrets_are_masked(cls: type[Resource]) -> None:
    """A secret, on the resource or inside a nested object, is not in the repr; that there is one is."""
    for owner in [
        cls,
        *(
            one
            for field in cls._fields.values()
            if field.place == "attributes" and field.kind.name == "object"
            for one in field.kind.detail
        ),
    ]:
        for name, field in owner._fields.items():
            if field.secret:
                raw = {name: "hidden-value"}
                shown = loaded(cls, raw) if owner is cls else owner._loaded(owner.type_, raw)
                assert "hidden-value" not in repr(shown)
                assert f"{name}='***'" in repr(shown)
                assert getattr(shown, name) == "hidden-value"


@every_class
@law
@given(data=st.data())
def test_a_new_record_round_trips_through_its_document(cls: type[Resource], data: st.DataObject) -> None:
    """What a create document carries reads back as the values that were set."""
    fields = [field for field in make.writable_fields(cls, exists=False) if field.implies is None]
    values = {field.name: data.draw(make.values_for(field)) for field in fields}
    record = cls(**values)
    document = resource_document(cls.type_, ID, record._pending(), {})
    back = Graph(decode(encode(document)), load).nodes[0]
    assert back.to_dict()["attributes"] == record.to_dict()["attributes"]
    for field in fields:
        if field.kind.name != "object" and not (field.kind.name == "list" and field.kind.detail.mutable):
            assert getattr(back, field.name) == getattr(record, field.name)


@every_class
@law
@given(data=st.data())
def test_copies_and_pickles_are_equal_and_independent(cls: type[Resource], data: st.DataObject) -> None:
    """A copy and a pickle hold the same; what is changed in one is not changed in the other."""
    attributes = data.draw(make.raw_attributes(cls))
    record = loaded(cls, attributes)
    read_all(record)
    for twin in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
        assert twin == record
        assert twin.to_dict() == record.to_dict()
        assert twin.changes == {}
        for field in make.writable_fields(cls, exists=True):
            if field.implies is None:
                setattr(twin, field.name, data.draw(make.values_for(field)))
        for value in list(twin._state.values.values() if twin._state else []):
            if isinstance(value, list):
                value.clear()
        assert record.changes == {}
        assert record.to_dict()["attributes"] == attributes


@every_class
@law
@given(junk=st.data())
def test_no_shape_of_an_answer_is_refused(cls: type[Resource], junk: st.DataObject) -> None:
    """Members of a wrong type are handed out as they came, and repr, to_dict and reading never fail."""
    names = [name for name, field in cls._fields.items() if field.place == "attributes"]
    attributes = junk.draw(st.dictionaries(st.sampled_from(names), make.json_values, max_size=5))
    record = loaded(cls, attributes)
    read_all(record)
    assert repr(record)
    assert record.to_dict()["attributes"] == attributes
    assert record.changes == {}


@law
@given(body=st.binary(max_size=200) | make.json_values.map(lambda value: encode({"data": value})))
def test_any_bytes_decode_or_are_refused_as_no_document(body: bytes) -> None:
    """Decoding ends in a document or in NotJsonApi, never in another error."""
    from didww.jsonapi.document import NotJsonApi

    try:
        document = decode(body)
    except NotJsonApi:
        return
    for node in Graph(document, load).nodes:
        assert repr(node)
