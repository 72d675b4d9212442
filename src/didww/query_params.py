"""The fluent form of a request's query: includes, filters, sorting, page, sparse fieldsets.

Collects and encodes; what a resource allows is checked where the request is built (`didww.calls.query`).
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, cast

from didww.exceptions import InvalidValue
from didww.times import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["QueryParams"]


class QueryParams:
    """The query of a request, built call by call; each call returns the same object.

    Example:
        >>> params = QueryParams().filter("country.id", "uuid").include("country").sort("name").page(1, 25)
        >>> params.encode()
        'include=country&filter%5Bcountry.id%5D=uuid&sort=name&page%5Bnumber%5D=1&page%5Bsize%5D=25'

    Source: behaviour sheet, section 7.
    """

    __slots__ = ("extra", "fieldsets", "filters", "includes", "page_number", "page_size", "sorts")

    def __init__(self) -> None:
        self.includes: list[str] = []
        self.filters: dict[str, Any] = {}
        self.sorts: list[str] = []
        self.page_number: int | None = None
        self.page_size: int | None = None
        self.fieldsets: dict[str, list[str]] = {}
        self.extra: dict[str, str] = {}

    def include(self, *names: str) -> Self:
        """Have related resources in the answer: relationship names, nested with dots (`did_group.country`)."""
        self.includes += [name for name in _names(names, "include") if name not in self.includes]
        return self

    def filter(self, name: str, value: object) -> Self:
        """Keep only what matches.

        Args:
            name: The filter, e.g. `country.id` or `created_at_gteq`.
            value: Text, a number, True or False, a datetime with a time zone, an enum member, or a list of these
                where any may match. None is the empty value: records that have none.
        """
        if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValue(f"filter takes a name as text, not {name!r}.", field="filter")
        self.filters[name.strip()] = value
        return self

    def sort(self, *names: str) -> Self:
        """Order by these, the first one first; a minus in front means descending."""
        self.sorts += _names(names, "sort")
        return self

    def page(self, number: int, size: int | None = None) -> Self:
        """One page only: `number` counts from 1, `size` is 1 to 1000 (the service's default is 50)."""
        for name, value, most in (("number", number, None), ("size", size, 1000)):
            if value is None and name == "size":
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, int)
                or value < 1
                or value >= _BEYOND
                or (most is not None and value > most)
            ):
                raise InvalidValue(
                    f"page: {name} is a whole number from 1{f' to {most}' if most else ''}, not {_brief(value)}.",
                    field="page",
                )
        self.page_number, self.page_size = number, size
        return self

    def fields(self, type: str, *names: str) -> Self:
        """Have only these attributes and relationships of resources of `type`; with no names, none at all."""
        if not isinstance(type, str) or not type.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValue(
                f"fields takes the type of resources as text, e.g. 'dids', not {type!r}.", field="fields"
            )
        self.fieldsets.setdefault(type, []).extend(_names(names, "fields"))
        return self

    def param(self, name: str, value: str) -> Self:
        """A raw query parameter, sent as it is and not checked: for what the service has and this SDK does not know."""
        for what, text in (("name", name), ("value", value)):
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
                raise InvalidValue(f"param takes its {what} as text, not {text!r}.", field="param")
        self.extra[name] = value
        return self

    def copy(self) -> QueryParams:
        """An independent copy."""
        return QueryParams().merge(self)

    def merge(self, other: QueryParams) -> Self:
        """Add everything of `other`; where both set the same filter or page, `other` wins."""
        self.include(*other.includes)
        self.filters.update(other.filters)
        self.sorts += other.sorts
        self.page_number = other.page_number or self.page_number
        self.page_size = other.page_size or self.page_size
        for type, names in other.fieldsets.items():
            self.fields(type, *names)
        self.extra.update(other.extra)
        return self

    def pairs(self) -> list[tuple[str, str]]:
        """The query as name and value pairs, not yet percent-encoded.

        Raises:
            InvalidValue: A filter's value cannot be written in a query.
        """
        found: list[tuple[str, str]] = []
        if self.includes:
            found.append(("include", ",".join(self.includes)))
        found += [(f"filter[{name}]", filter_text(value, name)) for name, value in self.filters.items()]
        if self.sorts:
            found.append(("sort", ",".join(self.sorts)))
        if self.page_number is not None:
            found.append(("page[number]", str(self.page_number)))
        if self.page_size is not None:
            found.append(("page[size]", str(self.page_size)))
        found += [(f"fields[{type}]", ",".join(dict.fromkeys(names))) for type, names in self.fieldsets.items()]
        found += self.extra.items()
        return found

    def encode(self) -> str:
        """The query as it stands in a URL, percent-encoded; empty if there is none.

        Raises:
            InvalidValue: A value cannot be written in a query.
        """
        from urllib.parse import quote

        # Built by hand because '+' for a space is form encoding; a query is safer with %20.
        try:
            return "&".join(f"{quote(name, safe='.')}={quote(value, safe='.,:-_')}" for name, value in self.pairs())
        except UnicodeEncodeError as error:
            raise InvalidValue(
                f"The query holds a lone surrogate, which UTF-8 cannot carry: {error.object!r}."
            ) from None

    def __repr__(self) -> str:
        return f"QueryParams({', '.join(f'{name}={value}' for name, value in self.pairs())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QueryParams):
            return NotImplemented
        return self.pairs() == other.pairs()

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # mutable


_BEYOND = 1 << 63


def _brief(value: object) -> str:
    """`value` for a message; integers of thousands of digits have no text in Python."""
    return repr(value) if not isinstance(value, int) or abs(value) < _BEYOND else "one of more than 63 bits"


def _names(names: Iterable[object], where: str) -> list[str]:
    found: list[str] = []
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise InvalidValue(f"{where} takes names as text, not {name!r}.", field=where)
        # One comma list is what the service reads; accept it as it may be written by hand too.
        found += [part.strip() for part in name.split(",") if part.strip()]
    return found


def filter_text(value: object, name: str) -> str:
    """`value` as a filter's text.

    Raises:
        InvalidValue: It cannot be written, e.g. a list with a comma inside an item.
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [filter_text(item, name) for item in cast("list[object]", value)]
        for item in items:
            if "," in item:
                raise InvalidValue(
                    f"filter {name!r}: the value {item!r} holds a comma, which separates values here.", field=name
                )
        if not items:
            raise InvalidValue(f"filter {name!r}: an empty list would match nothing; leave the filter out.", field=name)
        return ",".join(items)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return utc_text(value, f"filter {name!r}")
    if isinstance(value, str) or (isinstance(value, int) and abs(value) < _BEYOND):
        return str(value)
    if getattr(value, "id", None) is not None and name.endswith("id"):
        return str(cast("Any", value).id)
    raise InvalidValue(
        f"filter {name!r} takes text, a number, True or False, a datetime or a list of these, "
        f"not {type(value).__name__}.",
        field=name,
    )
