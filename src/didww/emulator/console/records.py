"""The records of all accounts as the console shows them.

Looking changes nothing: no rows are made, no random number is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from didww._schema.registry import all_classes
from didww.emulator.console.formatting import mask
from didww.emulator.engine.accounts import NOBODY
from didww.emulator.engine.documents import related_rows
from didww.emulator.engine.schema import JSON_KINDS, table_of
from didww.emulator.engine.session import AccountSession

if TYPE_CHECKING:
    from didww.emulator.emulator import Emulator
    from didww.emulator.engine.schema import Table
    from didww.emulator.engine.session import Runtime
    from didww.emulator.engine.store import Row

__all__ = [
    "Page",
    "RecordSummary",
    "RecordView",
    "RelationshipView",
    "TypeCount",
    "get_page",
    "get_record",
    "list_types",
]

_DETAIL_ONLY = JSON_KINDS | {"boolean"}  # what a list of records leaves to the record's own page
PAGE_SIZE = 50
COLUMNS = 4
MAX_LINKED = 50
_LEADING = ("number", "name", "description", "status", "reference", "iso", "prefix", "balance")
"""Attributes that come first in a list, where a type has them."""


class TypeCount(NamedTuple):
    """A type, and how many records of it there are; `shared` if they belong to nobody."""

    type: str
    records: int
    shared: bool


class RecordSummary(NamedTuple):
    """A record in a list: the account is the first letters of the hash of its key."""

    id: str
    account: str
    values: list[Any]


class Page(NamedTuple):
    """A part of a list."""

    type: str
    shared: bool
    total: int
    number: int
    last: int
    names: list[str]
    records: list[RecordSummary]


class RelationshipView(NamedTuple):
    """Where a relationship leads: type, id and a name to show; `more` are left out."""

    name: str
    many: bool
    targets: list[tuple[str, str, str]]
    more: int


class RecordView(NamedTuple):
    """A record with all that belongs to it."""

    type: str
    id: str
    account: str
    attributes: dict[str, Any]
    links: list[RelationshipView]


class _ReadOnlySession(AccountSession):
    """A view that leaves the first rows of accounts unmade: their ids would be other ones than without a look."""

    def touch(self, type: str) -> Table:
        table = self.runtime.store.table(type)
        return super().touch(type) if table.shared else table


def list_types(emulator: Emulator) -> list[TypeCount]:
    """All types that can be asked for, those with records of accounts first."""
    found: list[TypeCount] = []
    with emulator.engine.locked() as runtime:
        for cls in all_classes():
            table = table_of(cls._type_name)
            # Numbers in stock are a range, not records.
            if table is None or cls._type_name == "available_dids" or not (cls._operations or cls._extra_operations):
                continue
            found.append(TypeCount(cls._type_name, _count(runtime, table), table.shared))
    return sorted(found, key=lambda kind: (kind.shared, not kind.records, kind.type))


def get_page(emulator: Emulator, type: str, number: int) -> Page | None:
    """A part of the records of a type, an account's newest first; None if there is no such type."""
    table = table_of(type)
    if table is None:
        return None
    with emulator.engine.locked() as runtime:
        total = _count(runtime, table)
        last = max(1, -(-total // PAGE_SIZE))
        number = min(number, last)
        rows = runtime.store.connection.execute(
            f'SELECT owner, {table.selected} FROM "{type}" WHERE {_visible(table)}'  # noqa: S608 declared names
            f" ORDER BY rowid {'' if table.shared else 'DESC'} LIMIT ? OFFSET ?",
            (PAGE_SIZE, (number - 1) * PAGE_SIZE),
        ).fetchall()
        accounts = _accounts(runtime)
        records = [(row[0], _attributes(runtime, table, row[0], row[1:])) for row in rows]
    names = _columns(table, [record for _, record in records])
    listed = [
        RecordSummary(row[1], accounts.get(owner, ""), [record.get(name) for name in names])
        for row, (owner, record) in zip(rows, records, strict=True)
    ]
    return Page(type, table.shared, total, number, last, names, listed)


def get_record(emulator: Emulator, type: str, id: str) -> RecordView | None:
    """A record of any account; None if there is none."""
    table = table_of(type)
    if table is None:
        return None
    with emulator.engine.locked() as runtime:
        session = _ReadOnlySession(runtime, NOBODY, "")
        session.touch(type)
        found = runtime.store.connection.execute(
            f'SELECT owner, {table.selected} FROM "{type}" WHERE id = ? AND {_visible(table)}',  # noqa: S608 declared names
            (id,),
        ).fetchone()
        if found is None:
            return None
        owner, row = found[0], found[1:]
        session = _ReadOnlySession(runtime, owner or NOBODY, "")
        links: list[RelationshipView] = []
        for name in table.visible_relations:
            relation = table.relations[name]
            others = related_rows(session, table, relation, [row]).get(id, [])
            targets = [(other.type, each[0], _title(other, each)) for other, each in others[:MAX_LINKED]]
            links.append(RelationshipView(name, relation.many, targets, max(0, len(others) - MAX_LINKED)))
        account = _accounts(runtime).get(owner, "")
        return RecordView(type, id, account, _attributes(runtime, table, owner, row), links)


def _visible(table: Table) -> str:
    # Owners below zero hold the numbers of pending orders; no account sees them.
    return "1" if table.shared else "owner > 0"


def _count(runtime: Runtime, table: Table) -> int:
    _ReadOnlySession(runtime, NOBODY, "").touch(table.type)
    row = runtime.store.connection.execute(f'SELECT count(*) FROM "{table.type}" WHERE {_visible(table)}').fetchone()  # noqa: S608
    return int(row[0])


def _accounts(runtime: Runtime) -> dict[int | None, str]:
    return dict(runtime.store.connection.execute("SELECT id, substr(key, 1, 8) FROM accounts").fetchall())


def _attributes(runtime: Runtime, table: Table, owner: int | None, row: Row) -> dict[str, Any]:
    record = table.record(row)
    runtime.behavior(table.type).attributes(_ReadOnlySession(runtime, owner or NOBODY, ""), record)
    attributes: dict[str, Any] = mask({name: record[name] for name in table.attributes})
    return attributes


def _columns(table: Table, records: list[dict[str, Any]]) -> list[str]:
    single = [
        name
        for name in table.attributes
        if table.by_name[name].kind not in _DETAIL_ONLY and any(record[name] is not None for record in records)
    ]
    first = [name for name in _LEADING if name in single]
    return [*first, *(name for name in single if name not in first)][:COLUMNS]


def _title(table: Table, row: Row) -> str:
    return next(
        (str(row[table.place[name]]) for name in _LEADING[:3] if name in table.attributes and row[table.place[name]]),
        "",
    )
