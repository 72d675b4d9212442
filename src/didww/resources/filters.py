"""What a filter takes: aliases for the values of the filter dictionaries, each with the rule behind it.

A type checker sees the values; `Match` tells the builder of requests and the sandbox what they mean. The ending of a
filter's name says the rest: `_contains`, `_gteq`, `_lteq`, `_in`. Source: filters sheet of API 2026-04-16.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, cast, get_args
from uuid import UUID

from didww.resources.base import Resource

__all__ = [
    "AnyCase",
    "Detour",
    "DidId",
    "Digits",
    "Flag",
    "Id",
    "Ids",
    "Match",
    "Moment",
    "Number",
    "OptionalDigitLists",
    "OptionalIds",
    "OptionalText",
    "OptionalTexts",
    "Text",
    "Texts",
    "filter_rules",
    "names_in",
]


class Detour(NamedTuple):
    """How a filter that the service does not have is answered: by a field of a record, through another filter.

    Attributes:
        type: The type of the record that the filter names by its id.
        field: The field of it that holds the value.
        filter: The filter that the service has.
    """

    type: str
    field: str
    filter: str


class Match(NamedTuple):
    """How a filter's value is read.

    Attributes:
        value: Its kind.
        many: Whether a comma list matches any of its values.
        blank: Whether an empty value is allowed: it matches records that have none.
        any_case: Whether upper and lower case are the same.
        form: What texts must look like: a record's id, or digits and nothing else; empty for any text.
        detour: How it is answered by another filter, if the service does not have it.
    """

    value: Literal["text", "boolean", "integer", "moment"] = "text"
    many: bool = False
    blank: bool = False
    any_case: bool = False
    form: Literal["", "id", "digits"] = ""
    detour: Detour | None = None


Text: TypeAlias = Annotated[str, Match()]
"""One value."""
OptionalText: TypeAlias = Annotated[str | None, Match(blank=True)]
"""One value; None matches records that have none."""
Texts: TypeAlias = Annotated[str | Sequence[str], Match(many=True)]
"""One value, or several of which any may match."""
OptionalTexts: TypeAlias = Annotated[str | Sequence[str] | None, Match(many=True, blank=True)]
"""One value, or several of which any may match; None matches records that have none."""
AnyCase: TypeAlias = Annotated[str | Sequence[str] | None, Match(many=True, blank=True, any_case=True)]
"""Like `OptionalTexts`, in upper or lower case."""
Id: TypeAlias = Annotated[str | UUID | Resource, Match(form="id")]
"""The id of a record, or the record."""
Ids: TypeAlias = Annotated[str | UUID | Resource | Sequence[str | UUID | Resource], Match(many=True, form="id")]
"""One id, or several of which any may match; records count as their ids."""
OptionalIds: TypeAlias = Annotated[
    str | UUID | Resource | Sequence[str | UUID | Resource] | None, Match(many=True, blank=True, form="id")
]
"""Like `Ids`; None matches records that have none."""
DidId: TypeAlias = Annotated[
    str | UUID | Resource, Match(form="id", detour=Detour("dids", field="number", filter="did_number"))
]
"""The id of a DID, or the DID: its number is what is asked for. For an id, the DID is requested first."""
Digits: TypeAlias = Annotated[str, Match(form="digits")]
"""One value, of digits alone."""
OptionalDigitLists: TypeAlias = Annotated[str | Sequence[str] | None, Match(many=True, blank=True, form="digits")]
"""One value of digits alone, or several of which any may match; None matches records that have none."""
Flag: TypeAlias = Annotated[bool, Match("boolean")]
"""True or False."""
Number: TypeAlias = Annotated[int, Match("integer")]
"""A whole number."""
Moment: TypeAlias = Annotated[datetime | str, Match("moment")]
"""A datetime with a time zone, or ISO 8601 text."""


def filter_rules(filter_type: Any) -> dict[str, Match]:
    """The filters that a filter dictionary declares, with their rules."""
    if filter_type is None:
        return {}
    annotations = cast("dict[str, Any]", filter_type.__annotations__)
    return {name: cast("Match", annotation.__metadata__[0]) for name, annotation in annotations.items()}


def names_in(literal: Any) -> tuple[str, ...]:
    """The names that a `Literal` declares; none for None."""
    return () if literal is None else cast("tuple[str, ...]", get_args(literal))
