"""What a filter takes: aliases for the values of the filter dictionaries, each with the rule behind it.

A type checker sees the values; `FilterRule` tells the builder of requests and the emulator what they mean.
Source: filters sheet of API 2026-04-16.
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
    "include_paths",
    "includes",
    "sort_keys",
    "way_to_id",
]


class Detour(NamedTuple):
    """How a filter that the service does not have is resolved: by a field of a record, through another filter.

    Attributes:
        type: The type of the record that the filter names by its id.
        field: The field of it that holds the value.
        filter: The filter that the service has.
    """

    type: str
    field: str
    filter: str


class Shortest(NamedTuple):
    """How short a text may be, unless another filter narrows the list.

    Attributes:
        length: Fewest characters.
        beside: The filters that narrow it; with one of them, any length will do.
    """

    length: int
    beside: tuple[str, ...]


class FilterRule(NamedTuple):
    """How a filter's value is read.

    Attributes:
        value: Its kind.
        compares: What the value is to the field: all of it, a part of it, its lowest, its highest, or the last day.
        multiple: Whether a comma list is read as several values; otherwise a comma is part of the value.
        every: Whether all values of a comma list must hold, and not any of them.
        nullable: Whether the service allows an empty value: it matches records that have none.
        never_empty: Whether every record has a value, so that an empty one, although allowed, never matches.
        case_insensitive: Whether upper and lower case are the same.
        form: What texts must look like, by its name in `didww._core.query`; empty for any text.
        shortest: How short a text may be; None for any length.
        alias: The filter that this is an older name of; empty for none.
        ignored: Whether the service accepts it and ignores it.
        detour: How it is resolved by another filter, if the service does not have it.
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
"""One value; None matches records that have none."""
Texts: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True)]
"""One value, or several of which any may match."""
RequiredText: TypeAlias = Annotated[str, FilterRule(nullable=True, never_empty=True)]
"""One value; every record has one."""
RequiredTexts: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True)]
"""One value, or several of which any may match; every record has one."""
References: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, form="reference")]
"""One of DIDWW's references, which hold no comma, or several of which any may match."""
CountryCodes: TypeAlias = Annotated[
    _SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, form="iso")
]
"""One code of two capital letters (ISO 3166-1), or several of which any may match."""
RegionCodes: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, form="iso_region")]
"""One code with that of its country, e.g. `US-CA` (ISO 3166-2), or several of which any may match."""
EveryText: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, every=True)]
"""One value, or several which must all hold."""
AnyCase: TypeAlias = Annotated[
    _SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, case_insensitive=True)
]
"""Like `RequiredTexts`, in upper or lower case."""
Part: TypeAlias = Annotated[str, FilterRule(compares="contains")]
"""Text found anywhere in the field."""
OptionalPart: TypeAlias = Annotated[str | None, FilterRule(compares="contains", nullable=True)]
"""Text found anywhere in the field; None matches records that have none."""
Id: TypeAlias = Annotated[_OneId, FilterRule(form="id")]
"""The id of a record, or the record."""
OptionalId: TypeAlias = Annotated[_OneId | None, FilterRule(nullable=True, form="id")]
"""Like `Id`; None matches records that have none."""
Ids: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id")]
"""One id, or several of which any may match; records count as their ids."""
OptionalIds: TypeAlias = Annotated[_SeveralIds | None, FilterRule(multiple=True, nullable=True, form="id")]
"""Like `Ids`; None matches records that have none."""
RequiredIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, nullable=True, never_empty=True, form="id")]
"""Like `Ids`; every record has one."""
EveryId: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, every=True, form="id")]
"""One id, or several which must all hold; records count as their ids."""
IgnoredIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id", ignored=True)]
"""Like `Ids`, but without effect: the service takes it and returns everything."""
TrunkIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id", alias="voice_in_trunk.id")]
"""Like `Ids`; an older name of `voice_in_trunk.id`."""
TrunkGroupIds: TypeAlias = Annotated[_SeveralIds, FilterRule(multiple=True, form="id", alias="voice_in_trunk_group.id")]
"""Like `Ids`; an older name of `voice_in_trunk_group.id`."""
DidId: TypeAlias = Annotated[_OneId, FilterRule(form="id", detour=Detour("dids", field="number", filter="did_number"))]
"""The id of a DID, or the DID: its number is what is asked for. For an id, the DID is requested first."""
Digits: TypeAlias = Annotated[str, FilterRule(form="digits")]
"""One value, of digits alone."""
OptionalDigits: TypeAlias = Annotated[str | None, FilterRule(nullable=True, form="digits")]
"""One value, of digits alone; None matches records that have none."""
OptionalDigitPart: TypeAlias = Annotated[str | None, FilterRule(compares="contains", nullable=True, form="digits")]
"""Digits found anywhere in the field; None matches records that have none."""
NanpPart: TypeAlias = Annotated[str, FilterRule(compares="contains", form="nanp")]
"""Digits found anywhere in the six of area code and exchange, without the country code."""
NumberPart: TypeAlias = Annotated[
    str,
    FilterRule(
        compares="contains",
        form="digits",
        shortest=Shortest(3, beside=("country.id", "region.id", "city.id", "did_group.id")),
    ),
]
"""Digits found anywhere in the number: at least 3, unless a country, region, city or DID group stands beside it."""
OptionalDigitLists: TypeAlias = Annotated[_SeveralTexts | None, FilterRule(multiple=True, nullable=True, form="digits")]
"""One value of digits alone, or several of which any may match; None matches records that have none."""
RequiredDigitLists: TypeAlias = Annotated[
    _SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, form="digits")
]
"""One value of digits alone, or several of which any may match; every record has one."""
AreaPrefixes: TypeAlias = Annotated[_SeveralTexts | None, FilterRule(multiple=True, nullable=True, form="area")]
"""One prefix without the country code, the whole of it, or several of which any may match."""
NanpCodes: TypeAlias = Annotated[_SeveralTexts, FilterRule(multiple=True, nullable=True, never_empty=True, form="nanp")]
"""One code of the North American numbering plan, or several of which any may match."""
OptionalNanpCodes: TypeAlias = Annotated[_SeveralTexts | None, FilterRule(multiple=True, nullable=True, form="nanp")]
"""Like `NanpCodes`; None matches records that have none."""
OptionalCounts: TypeAlias = Annotated[
    str | int | Sequence[str | int] | None, FilterRule(multiple=True, nullable=True, form="digits")
]
"""One number, or several of which any may match; None matches records that have none."""
Bool: TypeAlias = Annotated[bool, FilterRule("boolean")]
"""True or False."""
AtLeast: TypeAlias = Annotated[int, FilterRule("integer", compares="gteq")]
"""A whole number; the field is as large or larger."""
Since: TypeAlias = Annotated[datetime | str, FilterRule("datetime", compares="gteq")]
"""A datetime with a time zone, or ISO 8601 text; the field is then or later."""
Until: TypeAlias = Annotated[datetime | str, FilterRule("datetime", compares="lteq")]
"""A datetime with a time zone, or ISO 8601 text; the field is then or earlier."""
UntilDay: TypeAlias = Annotated[datetime | str, FilterRule("datetime", compares="lteq_day")]
"""A datetime with a time zone, or ISO 8601 text; the field is on that day or earlier, to the end of the day."""


@cache
def filter_types(cls: type[Resource]) -> dict[str, Any]:
    """Return the types of the values that the filters of `cls` take, by the filter's name."""
    at_fields = {
        f"{field.name}{ending}": value for field in cls._field_map.values() for ending, value in field.filters.items()
    }
    return dict(sorted({**at_fields, **cls._filters}.items()))


@cache
def filter_rules(cls: type[Resource]) -> dict[str, FilterRule]:
    """Return the rules of the filters of `cls`, by the filter's name."""
    return {name: cast("FilterRule", annotation.__metadata__[0]) for name, annotation in filter_types(cls).items()}


@cache
def sort_keys(cls: type[Resource]) -> tuple[str, ...]:
    """Return the keys that a list of `cls` can be sorted by, each without a minus and with it."""
    at_fields = [field.name for field in cls._field_map.values() if field.sort]
    return tuple(key for name in sorted([*at_fields, *cls._sorts]) for key in (name, f"-{name}"))


@cache
def includes(cls: type[Resource]) -> tuple[str, ...]:
    """Return the relationships of `cls` that a response can include."""
    return tuple(sorted(field.name for field in cls._field_map.values() if field.include))


@cache
def include_paths(cls: type[Resource]) -> tuple[str, ...]:
    """Return the include paths that editors complete: two steps deep, and the longer ones that are declared."""
    second = {
        f"{name}.{step}"
        for name in includes(cls)
        for target in cls._field_map[name].kind.detail.names
        for step in includes(class_named(target))
    }
    return tuple(sorted({*includes(cls), *second, *cls._includes}))


UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
"""The form of ids."""

# What a text that is no id probably is instead, by name and form of the filter that finds it; the first one counts.
_SEARCHES: Final = {
    ("iso", "iso"): re.compile(r"[A-Za-z]{2}"),
    ("iso", "iso_region"): re.compile(r"[A-Za-z]{2}-[A-Za-z0-9]{1,3}"),
    ("number", "digits"): re.compile(r"[0-9]{6,15}"),
    ("npanxx", "nanp"): re.compile(r"[0-9]{6}"),
    ("name", ""): re.compile(r"(?=.*[^0-9]).{3,}"),
}


def way_to_id(cls: type[Resource] | None, text: str, *, found_first: bool, named: bool = True) -> str:
    """The sentence that says how `text`, which is no id of a `cls`, finds one; empty if it does not.

    Args:
        cls: The class of the record that is meant; None if that is not known.
        text: What was given for its id.
        found_first: Whether the record has to be found by another request.
        named: Whether any other text is taken for a name.
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
