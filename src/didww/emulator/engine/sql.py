"""Filters and sort keys as SQL: over columns, columns of related records, or computed expressions."""

# ruff: noqa: S608 names come from declarations, values are parameters
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from didww.emulator.engine import overrides

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from didww.emulator.engine.query import Filter
    from didww.emulator.engine.schema import Table

__all__ = ["Conditions"]

_ENDINGS = ("_contains", "_gteq", "_lteq", "_in")
_OPERATORS = {"gteq": ">=", "lteq": "<=", "lteq_day": "<="}


class Conditions:
    """The WHERE and ORDER BY of one query, with its parameters.

    Args:
        table: The table that is queried, under the alias `t0`.
        owner: The requesting account.
        touch: Returns the filled table of a type; called for every type that the query reads.
    """

    def __init__(self, table: Table, owner: int, touch: Callable[[str], Table]) -> None:
        self.table = table
        self.values: dict[str, Any] = {"owner": owner}
        self._touch = touch
        self._terms: list[str] = [] if table.shared else ["t0.owner = :owner"]
        self._aliases = 0

    @property
    def where(self) -> str:
        """The WHERE clause's condition."""
        return " AND ".join(self._terms) or "1"

    def narrow(self, filters: Mapping[str, Filter]) -> None:
        """Restrict the rows to those that match all filters."""
        for name, filter in filters.items():
            self._terms.append(self._term(self.table, "t0", name, filter))

    def order(self, sorts: Sequence[tuple[str, bool]]) -> str:
        """Return the keys of the ORDER BY clause. Nulls come last, or first in descending order."""
        terms: list[str] = []
        sorts = sorts or [
            (name.removeprefix("-"), name.startswith("-")) for name in overrides.ORDER.get(self.table.type, ())
        ]
        for name, descending in sorts:
            expression, nullable = self._sort_key(
                self.table, "t0", overrides.ALIASES.get((self.table.type, name), name)
            )
            direction = " DESC" if descending else ""
            nulls = (" NULLS FIRST" if descending else " NULLS LAST") if nullable else ""
            terms.append(f"{expression}{direction}{nulls}")
        terms.append("t0.rowid DESC" if sorts and sorts[0][1] else "t0.rowid")
        return ", ".join(terms)

    def _sort_key(self, table: Table, alias: str, name: str) -> tuple[str, bool]:
        head, _, rest = name.partition(".")
        if rest:
            other = self._touch(table.ones[head].targets[0])
            inner = self._alias()
            key, _ = self._sort_key(other, inner, rest)
            return f'(SELECT {key} {self._from(other, inner)}{inner}.id = {alias}."{head}")', True
        worked_out = self._computed(table, alias, name)
        if worked_out is not None:
            return worked_out, False
        column = table.by_name[name]
        expression = f'{alias}."{name}"'
        return (f"CAST({expression} AS REAL)" if column.kind == "decimal" else expression), column.nullable

    # One filter

    def _term(self, table: Table, alias: str, name: str, filter: Filter) -> str:
        match = table.filters.get(name)
        name = match.alias if match is not None and match.alias else overrides.ALIASES.get((table.type, name), name)
        name = _field(table, name)
        worked_out = self._computed(table, alias, name)
        if worked_out is not None:
            return self._compare(worked_out, filter)
        head, _, rest = name.partition(".")
        if rest:
            return self._related(table, alias, head, rest, filter)
        if name == "id":
            return self._compare(f"{alias}.id", filter)
        return self._compare(f'{alias}."{name}"', filter, listed=table.by_name[name].kind == "list")

    def _computed(self, table: Table, alias: str, name: str) -> str | None:
        """Return the expression of a computed value; None for a column."""
        if (table.type, name) not in overrides.EXPRESSIONS:
            return None
        expression, types = overrides.EXPRESSIONS[table.type, name]
        for type in types:
            self._touch(type)
        return f"({expression.format(t=alias)})"

    def _related(self, table: Table, alias: str, head: str, rest: str, filter: Filter) -> str:
        if head in table.ones:
            if rest == "id":
                return self._compare(f'{alias}."{head}"', filter)
            other = self._touch(table.ones[head].targets[0])
            inner = self._alias()
            term = self._term(other, inner, rest, filter)
            return f'{alias}."{head}" IN (SELECT {inner}.id {self._from(other, inner)}{term})'
        if (table.type, head) in overrides.REVERSED:
            type, back = overrides.REVERSED[table.type, head]
            return self._of_many(alias, self._touch(type), back, rest, filter)
        relation = table.relations.get(head)
        if relation is not None:
            other = self._touch(relation.targets[0])
            if relation.inverse is not None:
                return self._of_many(alias, other, relation.inverse, rest, filter)
            linked = f"FROM links WHERE name = {self._value(head)}"
            if filter.every and rest == "id":
                mine = f"SELECT target {linked} AND source = {alias}.id"
                return f"NOT EXISTS (SELECT 1 FROM {self._each(filter.values)} WHERE value NOT IN ({mine}))"
            inner = self._alias()
            term = self._term(other, inner, rest, filter)
            targets = f"SELECT {inner}.id {self._from(other, inner)}{term}"
            return f"{alias}.id IN (SELECT source {linked} AND target IN ({targets}))"
        # An object's type, e.g. configuration.type.
        column = table.by_name[head]
        return self._compare(f'json_extract({alias}."{column.name}", {self._value(f"$.{rest}")})', filter)

    def _of_many(self, alias: str, other: Table, back: str, rest: str, filter: Filter) -> str:
        inner = self._alias()
        if filter.nullable:  # none at all
            return f'NOT EXISTS (SELECT 1 {self._from(other, inner)}{inner}."{back}" = {alias}.id)'
        term = self._term(other, inner, rest, filter)
        return f'{alias}.id IN (SELECT {inner}."{back}" {self._from(other, inner)}{term})'

    def _compare(self, expression: str, filter: Filter, *, listed: bool = False) -> str:
        if filter.nullable:
            return f"({expression} IS NULL OR {expression} = '')"
        if filter.compares == "contains":
            return self._any_in(expression, filter.values)
        if filter.compares in _OPERATORS:
            return f"{expression} {_OPERATORS[filter.compares]} {self._value(filter.values[0])}"
        if listed:
            # Texts stand in the JSON of a list with their quotes, which no text inside one can imitate.
            texts = [msgspec.json.encode(value).decode() for value in filter.values]
            return self._all_in(expression, texts) if filter.every else self._any_in(expression, texts)
        if filter.case_insensitive:
            return f"fold({expression}) IN ({self._list(filter)})"
        if len(filter.values) == 1:
            return f"{expression} = {self._value(filter.values[0])}"
        return f"{expression} IN ({self._list(filter)})"

    def _list(self, filter: Filter) -> str:
        values = [value.casefold() for value in filter.values] if filter.case_insensitive else list(filter.values)
        return f"SELECT value FROM {self._each(values)}"

    def _any_in(self, expression: str, values: Sequence[str]) -> str:
        return f"EXISTS (SELECT 1 FROM {self._each(values)} WHERE instr({expression}, value) > 0)"

    def _all_in(self, expression: str, values: Sequence[str]) -> str:
        return f"NOT EXISTS (SELECT 1 FROM {self._each(values)} WHERE instr({expression}, value) = 0)"

    def _each(self, values: Sequence[Any]) -> str:
        # One parameter for the whole list: a list may be longer than SQLite takes parameters, or terms.
        return f"json_each({self._value(msgspec.json.encode(values).decode())})"

    def _value(self, value: Any) -> str:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def _from(self, other: Table, alias: str) -> str:
        """Return a FROM clause of the visible rows of a type, up to the next condition."""
        own = "" if other.shared else f"{alias}.owner = :owner AND "
        return f'FROM "{other.type}" AS {alias} WHERE {own}'

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"


def _field(table: Table, name: str) -> str:
    """Return the field of a filter: its name without the comparison suffix."""
    if name in table.by_name or (table.type, name) in overrides.EXPRESSIONS:
        return name
    ending = next((suffix for suffix in _ENDINGS if name.endswith(suffix)), "")
    return name.removesuffix(ending)
