"""The value types of filters: type aliases, each annotated with its `FilterRule`.

Type checkers see the value types; requests and the emulator apply the `FilterRule`.
Source: tests/contract/filters.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Final, Literal, NamedTuple, TypeAlias, cast
from uuid import UUID

from didww._schema.registry import class_named
from didww._schema.resource import Resource
from didww._schema.versions import EVERY_VERSION, Versions

__all__ = [
    "UUID_TEXT",
    "AnyCase",
    "AreaPrefixes",
    "AtLeast",
    "Bool",
    "CountryCodes",
    "Detour",
    "DidId",
    "Digits",
    "EveryId",
    "EveryText",
    "FilterRule",
    "Id",
    "Ids",
    "IgnoredIds",
    "NanpCodes",
    "NanpPart",
    "NumberPart",
    "OptionalCounts",
    "OptionalDigitLists",
    "OptionalDigitPart",
    "OptionalDigits",
    "OptionalId",
    "OptionalIds",
    "OptionalNanpCodes",
    "OptionalPart",
    "OptionalText",
    "Part",
    "References",
    "RegionCodes",
    "RequiredDigitLists",
    "RequiredIds",
    "RequiredText",
    "RequiredTexts",
    "Shortest",
    "Since",
    "Text",
    "Texts",
    "TrunkGroupIds",
    "TrunkIds",
    "Until",
    "UntilDay",
    "filter_rules",
    "filter_types",
    "filter_versions",
    "include_paths",
    "includes",
    "sort_keys",
    "sort_versions",
    "way_to_id",
]


class Detour(NamedTuple):
    """How to resolve a filter that the service does not support: by a field of a record, with another filter.

    Attributes:
        type: The type of the record whose id is the filter value.
        field: The field of this record that holds the value.
        filter: The filter that the service supports.
    """

    type: str
    field: str
    filter: str


class Shortest(NamedTuple):
    """The minimum length of a text, unless another filter narrows the list.

    Attributes:
        length: Minimum number of characters.
        beside: Filters that narrow the list; with any of them, there is no minimum.
    """

    length: int
    beside: tuple[str, ...]


class FilterRule(NamedTuple):
    """How the value of a filter is interpreted.

    Attributes:
        value: The value type.
        compares: The comparison with the field: equal, contains, minimum, maximum, or last day (inclusive).
        multiple: Whether a comma separates values; otherwise it is part of the value.
        every: Whether all values must match, instead of any of them.
        nullable: Whether the service accepts an empty value, which matches records without a value.
        never_empty: Whether every record has a value, so an empty filter value, although accepted, never matches.
        case_insensitive: Whether the comparison ignores case.
        form: The text format, by its name in `didww._core.query`; empty for any text.
        shortest: The minimum length of a text, or None for any length.
        alias: The filter that this is a legacy name of; empty for none.
        ignored: Whether the service accepts it and ignores it.
        detour: How to resolve it with another filter, if the service does not support it.
    """

    value: Literal["text", "boolean", "integer", "datetime"] = "text"
    compares: Literal["equal", "contains", "gteq", "lteq", "lteq_day"] = "equal"
    multiple: bool = False
    every: bool = False
    nullable: bool = False
    never_empty: bool = False
    case_insensitive: bool = False
    form: Literal["", "id", "digits", "area", "nanp", "iso", "iso_region", "reference"] = ""
    shortest: Shortest | None = None
    alias: str = ""
    ignored: bool = False
    detour: Detour | None = None


_OneId: TypeAlias = str | UUID | Resource
_SeveralIds: TypeAlias = _OneId | Sequence[_OneId]
_SeveralTexts: TypeAlias = str | Sequence[str]

Text: TypeAlias = Annotated[str, FilterRule()]
"""One value."""
OptionalText: TypeAlias = Annotated[str | None, FilterRule(nullable=True)]
"""One value; None matches records without a value."""
Texts: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True)]
"""One value, or several values; records match any of them."""
RequiredText: TypeAlias = Annotated[str, FilterRule(nullable=True, never_empty=True)]
"""One value. Every record has a value, so None is not accepted."""
RequiredTexts: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True)]
"""One value, or several values; records match any of them. Every record has a value."""
References: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, form="reference")]
"""One DIDWW reference, which contains no comma, or several; records match any of them."""
CountryCodes: TypeAlias = Annotated[
    _SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, form="iso")
]
"""One ISO 3166-1 code of two capital letters, or several; records match any of them."""
RegionCodes: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, form="iso_region")]
"""One ISO 3166-2 code with the country, e.g. `US-CA`, or several; records match any of them."""
EveryText: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, every=True)]
"""One value, or several values; records match all of them."""
AnyCase: TypeAlias = Annotated[
    _SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, case_insensitive=True)
]
"""Like `RequiredTexts`, ignoring case."""
Part: TypeAlias = Annotated[str, FilterRule(compares="contains")]
"""Text contained anywhere in the field."""
OptionalPart: TypeAlias = Annotated[str | None, FilterRule(compares="contains", nullable=True)]
"""Text contained anywhere in the field; None matches records without a value."""
Id: TypeAlias = Annotated[_OneId, FilterRule(form="id")]
"""A record or its id."""
OptionalId: TypeAlias = Annotated[_OneId | None, FilterRule(nullable=True, form="id")]
"""Like `Id`; None matches records without a value."""
Ids: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id")]
"""One record or id, or several; records match any of them."""
OptionalIds: TypeAlias = Annotated[_SeveralIds | None, FilterRule(multiple=True, nullable=True, form="id")]
"""Like `Ids`; None matches records without a value."""
RequiredIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, nullable=True, never_empty=True, form="id")]
"""Like `Ids`. Every record has a value."""
EveryId: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, every=True, form="id")]
"""One record or id, or several; records match all of them."""
IgnoredIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id", ignored=True)]
"""Like `Ids`, but without effect: the service accepts the filter and returns all records."""
TrunkIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id", alias="voice_in_trunk.id")]
"""Like `Ids`; a legacy name of `voice_in_trunk.id`."""
TrunkGroupIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id", alias="voice_in_trunk_group.id")]
"""Like `Ids`; a legacy name of `voice_in_trunk_group.id`."""
DidId: TypeAlias = Annotated[_OneId, FilterRule(form="id", detour=Detour("dids", field="number", filter="did_number"))]
"""A DID or its id. The filter uses the number of the DID; for an id, the DID is requested first."""
Digits: TypeAlias = Annotated[str, FilterRule(form="digits")]
"""One value, digits only."""
OptionalDigits: TypeAlias = Annotated[str | None, FilterRule(nullable=True, form="digits")]
"""One value, digits only; None matches records without a value."""
OptionalDigitPart: TypeAlias = Annotated[str | None, FilterRule(compares="contains", nullable=True, form="digits")]
"""Digits contained anywhere in the field; None matches records without a value."""
NanpPart: TypeAlias = Annotated[str, FilterRule(compares="contains", form="nanp")]
"""Digits contained anywhere in the six digits of area code and exchange, without the country code."""
NumberPart: TypeAlias = Annotated[
    str,
    FilterRule(
        compares="contains",
        form="digits",
        shortest=Shortest(3, beside=("country.id", "region.id", "city.id", "did_group.id")),
    ),
]
"""Digits contained anywhere in the number: at least 3, unless combined with a country, region, city or DID group."""
OptionalDigitLists: TypeAlias = Annotated[_SeveralTexts | None, FilterRule(multiple=True, nullable=True, form="digits")]
"""One value, digits only, or several; records match any of them. None matches records without a value."""
RequiredDigitLists: TypeAlias = Annotated[
    _SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, form="digits")
]
"""One value, digits only, or several; records match any of them. Every record has a value."""
AreaPrefixes: TypeAlias = Annotated[_SeveralTexts | None, FilterRule(multiple=True, nullable=True, form="area")]
"""One complete prefix without the country code, or several; records match any of them."""
NanpCodes: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, form="nanp")]
"""One code of the North American Numbering Plan, or several; records match any of them."""
OptionalNanpCodes: TypeAlias = Annotated[_SeveralTexts | None, FilterRule(multiple=True, nullable=True, form="nanp")]
"""Like `NanpCodes`; None matches records without a value."""
OptionalCounts: TypeAlias = Annotated[
    str | int | Sequence[str | int] | None, FilterRule(multiple=True, nullable=True, form="digits")
]
"""One number, or several; records match any of them. None matches records without a value."""
Bool: TypeAlias = Annotated[bool, FilterRule("boolean")]
"""True or False."""
AtLeast: TypeAlias = Annotated[int, FilterRule("integer", compares="gteq")]
"""An integer; the field is equal or greater."""
Since: TypeAlias = Annotated[datetime | str, FilterRule("datetime", compares="gteq")]
"""A datetime with a time zone, or ISO 8601 text; the field is at that time or later."""
Until: TypeAlias = Annotated[datetime | str, FilterRule("datetime", compares="lteq")]
"""A datetime with a time zone, or ISO 8601 text; the field is at that time or earlier."""
UntilDay: TypeAlias = Annotated[datetime | str, FilterRule("datetime", compares="lteq_day")]
"""A datetime with a time zone, or ISO 8601 text; the field is at the end of that day or earlier."""


@cache
def filter_types(cls: type[Resource]) -> dict[str, Any]:
    """Return the value types of the filters of `cls`, by filter name."""
    at_fields = {
        f"{field.name}{ending}": value for field in cls._field_map.values() for ending, value in field.filters.items()
    }
    return dict(sorted({**at_fields, **cls._filters}.items()))


@cache
def filter_rules(cls: type[Resource]) -> dict[str, FilterRule]:
    """Return the rules of the filters of `cls`, by filter name."""
    return {name: cast("FilterRule", annotation.__metadata__[0]) for name, annotation in filter_types(cls).items()}


@cache
def filter_versions(cls: type[Resource]) -> dict[str, Versions]:
    """Return the versions of the filters of `cls` that not every API version has, by filter name.

    A filter has those of its annotation, or else those of its field.
    """
    found = {f"{field.name}{ending}": field.versions for field in cls._field_map.values() for ending in field.filters}
    for name, annotation in filter_types(cls).items():
        own = [part for part in annotation.__metadata__ if isinstance(part, Versions)]
        found[name] = own[0] if own else found.get(name) or _versions_at(cls, name)
    return _limited(found)


@cache
def sort_versions(cls: type[Resource]) -> dict[str, Versions]:
    """Return the versions of the sort keys of `cls` that not every API version has, by sort key."""
    return _limited({name: _versions_at(cls, name.removeprefix("-")) for name in sort_keys(cls)})


def _versions_at(cls: type[Resource], path: str) -> Versions:
    """Return the versions of the field that a dotted path begins with."""
    field = cls._field_map.get(path.partition(".")[0])
    return EVERY_VERSION if field is None else field.versions


def _limited(versions: dict[str, Versions]) -> dict[str, Versions]:
    return {name: range_ for name, range_ in versions.items() if range_ != EVERY_VERSION}


@cache
def sort_keys(cls: type[Resource]) -> tuple[str, ...]:
    """Return the sort keys of a list of `cls`, ascending and descending (with a minus)."""
    at_fields = [field.name for field in cls._field_map.values() if field.sort]
    return tuple(key for name in sorted([*at_fields, *cls._sorts]) for key in (name, f"-{name}"))


@cache
def includes(cls: type[Resource]) -> tuple[str, ...]:
    """Return the relationships of `cls` that a response can include."""
    return tuple(sorted(field.name for field in cls._field_map.values() if field.include))


@cache
def include_paths(cls: type[Resource]) -> tuple[str, ...]:
    """Return the include paths for completion in editors: up to two steps, and the longer ones that are declared."""
    second = {
        f"{name}.{step}"
        for name in includes(cls)
        for target in cls._field_map[name].kind.detail.names
        for step in includes(class_named(target))
    }
    return tuple(sorted({*includes(cls), *second, *cls._includes}))


UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
"""The format of ids."""

# What an invalid id probably is, by name and format of the filter that finds it; the first match applies.
_SEARCHES: Final = {
    ("iso", "iso"): re.compile(r"[A-Za-z]{2}"),
    ("iso", "iso_region"): re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,3}"),
    ("number", "digits"): re.compile(r"[0-9]{6,15}"),
    ("npanxx", "nanp"): re.compile(r"[0-9]{6}"),
    ("name", ""): re.compile(r"(?=.*[^0-9]).{3,}"),
}


def way_to_id(cls: type[Resource] | None, text: str, *, found_first: bool, named: bool = True) -> str:
    """Return a sentence that suggests a filter for `text`, which is not an id of `cls`; empty if there is none.

    Args:
        cls: The class of the record, or None if unknown.
        text: The invalid id.
        found_first: Whether the record must be found with another request.
        named: Whether to treat any other text as a name.
    """
    searched = filter_rules(cls) if cls is not None and "list" in cls._operations else {}
    likely = [key for key, pattern in _SEARCHES.items() if pattern.fullmatch(text)]
    fitting = [name for name, form in likely if name in searched and searched[name].form == form]
    name = fitting[0] if fitting else "name"
    if cls is None or not fitting or (name == "name" and not named):
        return ""
    text = text.upper() if name == "iso" else text
    if found_first:
        return f" Find it first: {cls._path}().one(filter={{{name!r}: {text!r}}})."
    return f" Filter by {name!r} instead: {{{name!r}: {text!r}}}."
