"""The fluent form of a request's query: includes, filters, sorting, page, sparse fieldsets.

Collects and encodes; what a resource allows is checked where the request is built (`didww._core.query`).
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
"""Records in a page that a request may ask for. Most lists give an account 100 unless the service allows it more."""


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
        """Have related resources in the response: relationship names, nested with dots (`did_group.country`)."""
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
            raise InvalidValueError(f"filter takes a name as text, not {name!r}.", field="filter")
        self.filters[name.strip()] = value
        return self

    def sort(self, *names: str) -> Self:
        """Order by these, the first one first; a minus in front means descending."""
        self.sorts += _names(names, "sort")
        return self

    def page(self, number: int | None = None, size: int | None = None) -> Self:
        """Ask for one page; what is left out stays as it was.

        Args:
            number: Number of the page, from 1.
            size: Records on a page, 1 to 1000. Defaults to 50, for cities and areas to 1000. Most lists take 100 at
                most, unless the service allows the account more.
        """
        for name, value, most in (("number", number, _BEYOND - 1), ("size", size, MAX_RECORDS)):
            if value is None:
                continue
            whole = whole_number(value)
            if whole is None or not 1 <= whole <= most:
                raise InvalidValueError(
                    f"page: {name} must be a whole number from 1{f' to {most}' if name == 'size' else ''}, "
                    f"got {shown(value)}.",
                    field="page",
                )
            setattr(self, f"page_{name}", whole)
        return self

    def fields(self, type: str, *names: str) -> Self:
        """Have only these attributes and relationships of resources of `type`; with no names, none at all."""
        if not isinstance(type, str) or not type.strip():  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"fields takes the type of resources as text, e.g. 'dids', not {type!r}.", field="fields"
            )
        self.fieldsets.setdefault(type, []).extend(_names(names, "fields"))
        return self

    def param(self, name: str, value: str) -> Self:
        """A raw query parameter, sent as it is and not checked: for what the service has and this SDK does not know."""
        for what, text in (("name", name), ("value", value)):
            if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
                raise InvalidValueError(f"param takes its {what} as text, not {text!r}.", field="param")
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
            InvalidValueError: A filter's value cannot be written in a query.
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
        """Return the query parameters by name, with the values of filters as they were given.

        Such a dict is what the raw calls take: `client.get("/dids", params.to_dict())`.

        Example:
            >>> QueryParams().include("order").filter("blocked", True).page(size=100).to_dict()
            {'include': 'order', 'filter[blocked]': True, 'page[size]': 100}
        """
        return dict(self._members())

    def encode(self) -> str:
        """The query as it stands in a URL, percent-encoded; empty if there is none.

        Raises:
            InvalidValueError: A value cannot be written in a query.
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
    found: list[str] = []
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise InvalidValueError(f"{where} takes names as text, not {name!r}.", field=where)
        # One comma list is what the service reads; accept it as it may be written by hand too.
        found += [part.strip() for part in name.split(",") if part.strip()]
    return found


def encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Percent-encode names and values as a query.

    Raises:
        InvalidValueError: One of them cannot be written in UTF-8.
    """
    from urllib.parse import quote

    # Built by hand because '+' for a space is form encoding; a query is safer with %20.
    try:
        return "&".join(f"{quote(name, safe='.')}={quote(value, safe='.,:-_')}" for name, value in pairs)
    except UnicodeEncodeError as error:
        raise InvalidValueError(
            f"The query holds a lone surrogate, which UTF-8 cannot carry: {error.object!r}."
        ) from None


def param_text(name: str, value: object) -> str:
    """`value` as the text of the query parameter `name`; errors call a filter by its own name."""
    if type(value) is str:
        return value
    return filter_text(value, name[len("filter[") : -1] if name.startswith("filter[") else name)


def filter_text(value: object, name: str) -> str:
    """`value` as a filter's text.

    Raises:
        InvalidValueError: It cannot be written, e.g. a list with a comma inside an item.
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
                f"filter {name!r}: an empty list would match nothing; leave the filter out.", field=name
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
        f"filter {name!r} takes text, a number, True or False, a datetime or a list of these, "
        f"not {type(value).__name__}.",
        field=name,
    )
