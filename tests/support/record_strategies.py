"""Hypothesis strategies built from the declarations: raw JSON from a server, and values that a caller may write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from didww._schema.fields import Field
from didww._schema.record import Record
from didww._schema.resource import Resource
from didww._schema.types import FieldType
from didww.enums import OpenIntEnum

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
moments = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)).map(
    lambda moment: moment - timedelta(microseconds=moment.microsecond % 1000)
)
amounts = st.decimals(min_value=Decimal(-(10**9)), max_value=Decimal(10**9), places=4)
unknown_names = st.from_regex(r"zz_[a-z]{1,8}", fullmatch=True)


def raw_values(kind: FieldType) -> st.SearchStrategy[Any]:
    """Generate raw JSON of `kind`, in all of its forms."""
    name = kind.name
    if name == "text":
        return texts
    if name == "integer":
        return st.integers(-(2**31), 2**31)
    if name == "boolean":
        return st.booleans()
    if name == "decimal":
        return amounts.map(lambda amount: format(amount, "f")) | st.integers(0, 100)
    if name == "datetime":
        return moments.map(
            lambda moment: moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        ) | moments.map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S"))
    if name == "date":
        return st.dates().map(str)
    if name == "enum":
        known = st.sampled_from([member.value for member in kind.detail])
        return known | (st.integers(9000, 9999) if issubclass(kind.detail, OpenIntEnum) else texts)
    if name == "list":
        return st.lists(raw_values(kind.detail), max_size=4)
    if name == "map":
        return st.dictionaries(texts, json_values, max_size=4)
    if name == "text or map":
        return texts | st.dictionaries(texts, json_values, max_size=4)
    assert name == "object", name
    shapes = [
        st.fixed_dictionaries({"type": st.just(cls._type_name), "attributes": raw_attributes(cls)})
        for cls in kind.detail
    ]
    unknown = st.fixed_dictionaries(
        {"type": unknown_names, "attributes": st.dictionaries(texts, json_values, max_size=3)}
    )
    return st.one_of(*shapes, unknown)


def raw_attributes(cls: type[Record]) -> st.SearchStrategy[dict[str, Any]]:
    """Generate attributes as a server might send them: some missing, some null, some unknown."""
    known = {
        field.member: st.none() | raw_values(field.kind) if field.nullable else raw_values(field.kind)
        for field in cls._field_map.values()
        if field.place == "attributes"
    }
    declared = st.fixed_dictionaries({}, optional=known)
    return st.builds(
        lambda known, unknown: {**known, **unknown}, declared, st.dictionaries(unknown_names, json_values, max_size=2)
    )


def values_for(field: Field) -> st.SearchStrategy[Any]:
    """Generate Python values that may be assigned to `field`."""
    values = _list_values(field) if field.kind.name == "list" else _single_values(field)
    return st.none() | values if field.clearable else values


def _single_values(field: Field) -> st.SearchStrategy[Any]:
    if field.ge is not None or field.le is not None:
        return st.integers(field.ge or 0, field.le or 2**31)
    form = field.form
    if form is not None and field.kind.name == "enum":
        return _values(field.kind).filter(lambda value: form.fits(value.value))
    if form is not None:
        longest = field.max_length
        ascii_ = st.characters(min_codepoint=32, max_codepoint=126)
        return st.from_regex(form.pattern, alphabet=ascii_).map(lambda text: text[:longest]).filter(form.fits)
    if field.max_length is not None:
        return st.text(st.characters(exclude_categories=["Cs"]), max_size=min(field.max_length, 20))
    return _values(field.kind)


def _list_values(field: Field) -> st.SearchStrategy[Any]:
    if field.alike:
        classes = st.sampled_from([cls for cls in field.kind.detail.detail if _writable(cls)])
        return classes.flatmap(lambda cls: st.lists(st.builds(cls, **_writable(cls)), min_size=1, max_size=4))
    return st.lists(items_for(field), min_size=field.ge or 0, max_size=min(field.le or 4, 4), unique=field.distinct)


def items_for(field: Field) -> st.SearchStrategy[Any]:
    """Generate Python values that may be added to the list of `field`."""
    if field.form is not None:
        return st.from_regex(field.form.pattern).filter(field.form.fits)
    return _values(field.kind.detail)


def _values(kind: FieldType) -> st.SearchStrategy[Any]:
    name = kind.name
    if name == "decimal":
        return amounts | st.integers(0, 1000) | amounts.map(str)
    if name == "datetime":
        return moments
    if name == "enum":
        return st.sampled_from(list(kind.detail))
    if name == "list":
        return st.lists(_values(kind.detail), max_size=4)
    if name == "object":
        return st.one_of(*[st.builds(cls, **_writable(cls)) for cls in kind.detail if _writable(cls)])
    return raw_values(kind)


def _writable(cls: type[Record]) -> dict[str, st.SearchStrategy[Any]]:
    # Fields that drag others along are tested by name elsewhere.
    return {
        name: values_for(field)
        for name, field in cls._field_map.items()
        if field.place == "attributes" and field.create and field.on_set is None
    }


def writable_fields(cls: type[Resource], *, exists: bool) -> list[Field]:
    """Return the attributes of `cls` that may be written."""
    return [
        field
        for field in cls._field_map.values()
        if field.place == "attributes" and (field.update if exists else field.create)
    ]


def known_values(field: Field) -> st.SearchStrategy[Any]:
    """Generate raw JSON of `field` that can be written back: known shapes and values only."""
    kind = field.kind
    if kind.name == "object":
        writable = [cls for cls in kind.detail if writable_members(cls)]
        return st.one_of(*[st.builds(cls, **_writable(cls)).map(lambda item: item.to_dict()) for cls in writable])
    if kind.name == "list":
        items = items_for(field)
        if kind.detail.name == "enum":
            items = st.sampled_from([member.value for member in kind.detail.detail])
        return st.lists(items, min_size=1, max_size=4, unique=field.distinct)
    return raw_values(kind)


def writable_members(cls: type[Record]) -> list[Field]:
    """Return the fields of a nested object that may be written and do not set others."""
    return [field for field in cls._field_map.values() if field.create and field.on_set is None]
