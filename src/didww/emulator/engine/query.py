"""The query of a request: include, fields, filter, sort and page, each checked against the declaration.

`sql` translates filters for the store.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from didww.emulator.controls.clock import stamp
from didww.emulator.engine import overrides
from didww.emulator.engine.errors import HttpError, bad_filter_value, bad_page
from didww.emulator.engine.schema import table_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww._schema.filter_rules import FilterRule
    from didww.emulator.engine.schema import Table

__all__ = ["Filter", "Page", "Query", "Tree", "parse"]

Tree: TypeAlias = "dict[str, Tree]"
"""Relationships to include, each with its nested includes."""
_NOTHING_IF_EMPTY = ("include", "sort")
_MAX_NUMBER = 10**12  # beyond any real page number, within SQLite's integers


class Filter(NamedTuple):
    """A validated filter: matches any of `values`, all of them if `every`, and null if `nullable`."""

    values: tuple[Any, ...]
    nullable: bool = False
    case_insensitive: bool = False
    every: bool = False
    compares: str = "equal"

    @classmethod
    def by(cls, match: FilterRule, values: tuple[Any, ...]) -> Filter:
        """Return a filter that compares by its rule; without values it matches records without a value."""
        return cls(
            values,
            nullable=not values,
            case_insensitive=match.case_insensitive,
            every=match.every,
            compares=match.compares,
        )


class Page(NamedTuple):
    """A page of a list."""

    number: int
    size: int


class Query:
    """The parsed query parameters of a request."""

    __slots__ = ("fields", "filters", "include", "kept", "page", "sorts")

    def __init__(self) -> None:
        self.include: Tree | None = None
        self.fields: dict[str, frozenset[str]] = {}
        self.filters: dict[str, Filter] = {}
        self.sorts: list[tuple[str, bool]] = []
        self.page: Page | None = None
        self.kept: list[tuple[str, str]] = []
        """The parameters repeated in links to other pages."""

    def link(self, path: str, number: int, size: int) -> str:
        """Return the URL of another page; brackets are percent-encoded."""
        pairs = [*self.kept, ("page[number]", str(number)), ("page[size]", str(size))]
        return f"{path}?{urlencode(pairs, quote_via=quote, safe=',')}"


def parse(table: Table, text: str, *, listed: bool, now: datetime, version: str | None) -> Query:
    """Parse the query `text` of a request to `table`; filter, sort and page apply to lists only.

    Args:
        table: The table.
        text: The query.
        listed: Whether the request lists records.
        now: The time.
        version: API version whose names are allowed; None for those of all versions.

    Raises:
        HttpError: A parameter or value is not allowed.
    """
    query = Query()
    page: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        family, _, key = name.partition("[")
        key = key.removesuffix("]")
        if family == "page":
            page[key] = value
            continue
        if family not in ("include", "fields", "filter", "sort") or (not value and family in _NOTHING_IF_EMPTY):
            continue
        if family in ("include", "sort") and not value:
            continue
        query.kept.append((name, value))
        if family == "include":
            query.include = _include(table, value, query.include or {}, version)
        elif family == "fields":
            query.fields[key or value] = _fieldset(key or value, value, version)
        elif listed and family == "filter":
            match, made = _filter(table, key, value, now, version)
            if not match.ignored:
                query.filters[key] = made
        elif listed:
            query.sorts += _sorts(table, value, version)
    if listed and table.paginated:
        query.page = _page(page, table.cls._page_size, table.cls._largest_page)
    _check_lengths(table, query.filters)
    return query


def _include(table: Table, value: str, tree: Tree, version: str | None) -> Tree:
    for path in filter(None, value.split(",")):
        here, at = [table], tree
        for part in path.split("."):
            following = list(dict.fromkeys(target for table in here for target in _targets(table, part, version)))
            if not following:
                detail = f"{part} is not a valid includable relationship of {here[0].type}"
                raise HttpError(400, "Invalid include", detail, code="112")
            here, at = following, at.setdefault(part, {})
    return tree


def _targets(table: Table, name: str, version: str | None) -> list[Table]:
    """Return the target tables of a relationship; empty if it cannot be included."""
    if name not in table.view(version).includable:
        return []
    return [found for type in table.relations[name].targets if (found := table_of(type)) is not None]


def _fieldset(type: str, value: str, version: str | None) -> frozenset[str]:
    table = table_of(type)
    if table is None or not table.view(version).exists:
        raise HttpError(400, "Invalid resource", f"{type} is not a valid resource.", code="101")
    view = table.view(version)
    names = frozenset(name for name in value.split(",") if name)
    for name in sorted(names):
        # The id is always present; clients may still request it.
        if name not in view.attributes and name not in view.relations and name != "id":
            raise HttpError(400, "Invalid field", f"{name} is not a valid field for {type}.", code="104")
    return names


def _sorts(table: Table, value: str, version: str | None) -> list[tuple[str, bool]]:
    keys: list[tuple[str, bool]] = []
    for part in filter(None, value.split(",")):
        name = part.removeprefix("-")
        if name not in table.view(version).sorts:
            raise HttpError(
                400, "Invalid sort criteria", f"{name} is not a valid sort criteria for {table.type}", code="114"
            )
        keys.append((name, part.startswith("-")))
    return keys


def _filter(table: Table, name: str, value: str, now: datetime, version: str | None) -> tuple[FilterRule, Filter]:
    match = table.view(version).filters.get(name)
    if match is None:
        raise HttpError(400, "Filter not allowed", f"{name} is not allowed.", code="102")
    condition = read_filter(match, name, value)
    days = overrides.HISTORY_DAYS.get(table.type)
    if days is not None and match.value == "datetime" and condition.values[0] < stamp(now - timedelta(days=days)):
        raise HttpError(400, "Invalid filter value", f"Date must be within the last {days} days.", code="107")
    known = table.known_values(name)
    unknown = [] if known is None else [value for value in condition.values if value not in known]
    if unknown:
        raise bad_filter_value(name, unknown[0])
    return match, condition


def _check_lengths(table: Table, filters: Mapping[str, Filter]) -> None:
    for name, one in filters.items():
        shortest = table.filters[name].shortest
        if shortest is not None and len(one.values[0]) < shortest.length and filters.keys().isdisjoint(shortest.beside):
            raise bad_filter_value(name, one.values[0])


def read_filter(match: FilterRule, name: str, value: str) -> Filter:
    """Parse a filter value by its rule.

    Raises:
        HttpError: The value is invalid (400).
    """
    return Filter.by(match, _READERS[match.value](match, name, value))


def _booleans(match: FilterRule, name: str, value: str) -> tuple[Any, ...]:  # noqa: ARG001 called by a table
    if value not in ("true", "false"):
        raise bad_filter_value(name, value)
    return (value == "true",)


def _numbers(match: FilterRule, name: str, value: str) -> tuple[Any, ...]:  # noqa: ARG001 called by a table
    number = _integer(value.removeprefix("-"))
    if number is None:
        raise bad_filter_value(name, value)
    return (-number if value.startswith("-") else number,)


def _datetimes(match: FilterRule, name: str, value: str) -> tuple[Any, ...]:
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad_filter_value(name, value) from None
    if match.compares == "lteq_day":
        moment = moment.replace(hour=23, minute=59, second=59, microsecond=999999)
    return (stamp(moment),)


def _strings(match: FilterRule, name: str, value: str) -> tuple[Any, ...]:
    values = tuple(part for part in value.split(",") if part) if match.multiple else (value,) if value else ()
    if not values and not (match.nullable and not value):
        raise bad_filter_value(name, value)
    return values


_READERS = {"boolean": _booleans, "integer": _numbers, "datetime": _datetimes, "text": _strings}


def _page(given: Mapping[str, str], usual: int, most: int) -> Page:
    for key in given:
        if key not in ("number", "size"):
            raise HttpError(400, "Page parameter not allowed", f"{key} is not an allowed page parameter.", code="105")
    numbers = {"number": 1, "size": usual}
    for key, value in given.items():
        number = _integer(value)
        if not number:
            raise bad_page(key, value)
        if key == "size" and number > most:
            raise HttpError(400, "Invalid page value", f"size exceeds maximum page size of {most}.", code="118")
        numbers[key] = number
    return Page(min(numbers["number"], _MAX_NUMBER), numbers["size"])


def _integer(text: str) -> int | None:
    """Return digits as an integer; None for anything else, or if it exceeds the store's integers."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
