"""Build request queries with chained calls: includes, filters, sorting, page and sparse fieldsets.

Collects and encodes parameters. `didww._core.query` checks them against the resource when it builds the request.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self, cast

from didww._util.coerce import is_uuid, truth_value, whole_number
from didww._util.datetimes import utc_text
from didww._util.text import shown
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAX_RECORDS", "QueryParams"]

MAX_RECORDS: Final = 1000
"""Largest page size of a request. Most lists return at most 100 records, unless DIDWW raises the account's limit."""


class QueryParams:
    """The query of a request. Each method changes the object and returns it, so calls can be chained.

    Example:
        >>> params = QueryParams().filter("country.id", "uuid").include("country").sort("name").page(1, 25)
        >>> params.encode()
        'include=country&filter%5Bcountry.id%5D=uuid&sort=name&page%5Bnumber%5D=1&page%5Bsize%5D=25'

    Source: tests/contract/facts/
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
        """Include related records in the response, by relationship names such as `order` or `did_group.country`."""
        self.includes += [name for name in _names(names, "include") if name not in self.includes]
        return self

    def filter(self, name: str, value: object) -> Self:
        """Return only records that match.

        Args:
            name: The filter, such as `country.id` or `created_at_gteq`.
            value: Text, a number, True or False, a datetime with a time zone, an enum member, or a list of these to
                match any of them. None matches records without a value.
        """
        if not isinstance(name, str) or not name.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(f"filter must have text as its name, got {name!r}.", field="filter")
        self.filters[name.strip()] = value
        return self

    def sort(self, *names: str) -> Self:
        """Sort by these keys, the first one first. A leading minus means descending."""
        self.sorts += _names(names, "sort")
        return self

    def page(self, number: int | None = None, size: int | None = None) -> Self:
        """Request one page. An argument of None keeps the current value.

        Args:
            number: Page number, starting at 1.
            size: Records per page, 1 to 1000. Defaults to 50, or 1000 for cities and areas. Most lists return at most
                100 records, unless DIDWW raises the account's limit.
        """
        for name, value, maximum in (("number", number, _BEYOND - 1), ("size", size, MAX_RECORDS)):
            if value is None:
                continue
            whole = whole_number(value)
            if whole is None or not 1 <= whole <= maximum:
                raise InvalidValueError(
                    f"page: {name} must be a whole number from 1{f' to {maximum}' if name == 'size' else ''}, "
                    f"got {shown(value)}.",
                    field="page",
                )
            setattr(self, f"page_{name}", whole)
        return self

    def fields(self, type: str, *names: str) -> Self:
        """Return only these attributes and relationships of records of `type`. Without names, return none."""
        if not isinstance(type, str) or not type.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"fields must have text as the resource type, such as 'dids', got {type!r}.", field="fields"
            )
        self.fieldsets.setdefault(type, []).extend(_names(names, "fields"))
        return self

    def param(self, name: str, value: str) -> Self:
        """Add a raw query parameter, which is not checked, for features that this SDK does not support yet."""
        for what, text in (("name", name), ("value", value)):
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
                raise InvalidValueError(f"param must have text as its {what}, got {text!r}.", field="param")
        self.extra[name] = value
        return self

    def copy(self) -> QueryParams:
        """Return an independent copy."""
        return QueryParams().merge(self)

    def merge(self, other: QueryParams) -> Self:
        """Add all parameters of `other`, which overrides filters and pages set in both."""
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
        """Return the query as pairs of names and values, not percent-encoded.

        Raises:
            InvalidValueError: A filter value cannot be encoded.
        """
        return [(name, param_text(name, value)) for name, value in self._members()]

    def _members(self) -> Iterator[tuple[str, Any]]:
        if self.includes:
            yield "include", ",".join(self.includes)
        for name, value in self.filters.items():
            yield f"filter[{name}]", value
        if self.sorts:
            yield "sort", ",".join(self.sorts)
        if self.page_number is not None:
            yield "page[number]", self.page_number
        if self.page_size is not None:
            yield "page[size]", self.page_size
        for type, names in self.fieldsets.items():
            yield f"fields[{type}]", ",".join(dict.fromkeys(names))
        yield from self.extra.items()

    def to_dict(self) -> dict[str, Any]:
        """Return the query parameters as a dict, with the original filter values.

        Raw requests accept such a dict: `client.get("/dids", params.to_dict())`.

        Example:
            >>> QueryParams().include("order").filter("blocked", True).page(size=100).to_dict()
            {'include': 'order', 'filter[blocked]': True, 'page[size]': 100}
        """
        return dict(self._members())

    def encode(self) -> str:
        """Return the percent-encoded query, or an empty string without parameters.

        Raises:
            InvalidValueError: A value cannot be encoded.
        """
        return encoded(self.pairs())

    def __repr__(self) -> str:
        return f"QueryParams({', '.join(f'{name}={value}' for name, value in self.pairs())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QueryParams):
            return NotImplemented
        return self.pairs() == other.pairs()

    __hash__ = None  # type: ignore[assignment] # pyright: ignore[reportAssignmentType] # mutable


_BEYOND = 1 << 63


def _names(names: Iterable[object], where: str) -> list[str]:
    parsed: list[str] = []
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise InvalidValueError(f"{where} must have text as names, got {name!r}.", field=where)
        # Accept comma-separated lists, the format of the API.
        parsed += [part.strip() for part in name.split(",") if part.strip()]
    return parsed


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Percent-encode names and values as a query.

    Raises:
        InvalidValueError: A name or value cannot be encoded as UTF-8.
    """
    from urllib.parse import quote

    # Not `urlencode`, which encodes a space as '+'; '%20' is safer in a query.
    try:
        return "&".join(f"{quote(name, safe='.')}={quote(value, safe='.,:-_')}" for name, value in pairs)
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            f"The query must be text that UTF-8 can encode, got a lone surrogate: {error.object!r}. Remove it."
        ) from None


def param_text(name: str, value: object) -> str:
    """Return `value` as the text of the query parameter `name`. Errors use the plain filter name."""
    if type(value) is str:
        return value
    return filter_text(value, name[len("filter[") : -1] if name.startswith("filter[") else name)


def filter_text(value: object, name: str) -> str:
    """Return `value` as the text of a filter.

    Raises:
        InvalidValueError: `value` cannot be encoded, such as a list with a comma in an item.
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [filter_text(item, name) for item in cast("list[object]", value)]
        for item in items:
            if "," in item:
                raise InvalidValueError(
                    f"filter {name!r} must be a list of texts without a comma, got {item!r:.200}: a comma separates "
                    "values. Filter by id instead.",
                    field=name,
                )
        if not items:
            raise InvalidValueError(
                f"filter {name!r} must have a value, got an empty list, which would match nothing. Omit the filter.",
                field=name,
            )
        return ",".join(items)
    if value is None:
        return ""
    if (truth := truth_value(value)) is not None:
        return "true" if truth else "false"
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return utc_text(value, f"filter {name!r}", field=name)
    if isinstance(value, str) or is_uuid(value):
        return str(value)
    if (whole := whole_number(value)) is not None and abs(whole) < _BEYOND:
        return str(whole)
    if getattr(value, "id", None) is not None and name.endswith("id"):
        return str(cast("Any", value).id)
    raise InvalidValueError(
        f"filter {name!r} must be text, a number, True or False, a datetime or a list of these, "
        f"got {type(value).__name__}.",
        field=name,
    )
