"""Records of all accounts for the console.

Reading has no side effects: it inserts no rows and draws no random numbers.
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

_DETAIL_ONLY = JSON_KINDS | {"boolean"}  # shown only on the page of a record
PAGE_SIZE = 50
COLUMNS = 4
MAX_LINKED = 50
_LEADING = ("number", "name", "description", "status", "reference", "iso", "prefix", "balance")
"""Attributes listed first, where a type has them."""


class TypeCount(NamedTuple):
    """A type and its number of records; `shared` if they belong to no account."""

    type: str
    records: int
    shared: bool


class RecordSummary(NamedTuple):
    """A record in a list; `account` is the beginning of the hash of its key."""

    id: str
    account: str
    values: list[Any]


class Page(NamedTuple):
    """A page of a list."""

    type: str
    shared: bool
    total: int
    number: int
    last: int
    names: list[str]
    records: list[RecordSummary]


class RelationshipView(NamedTuple):
    """A relationship: type, id and title of its targets; `more` is the number of omitted targets."""

    name: str
    many: bool
    targets: list[tuple[str, str, str]]
    more: int


class RecordView(NamedTuple):
    """A record with its attributes and relationships."""

    type: str
    id: str
    account: str
    attributes: dict[str, Any]
    links: list[RelationshipView]


class _ReadOnlySession(AccountSession):
    """A session that does not insert initial rows of accounts, since that would change later ids."""

    def touch(self, type: str) -> Table:
        table = self.runtime.store.table(type)
        return super().touch(type) if table.shared else table


def list_types(emulator: Emulator) -> list[TypeCount]:
    """Return all types with operations, those with account records first."""
    types: list[TypeCount] = []
    with emulator.engine.locked() as runtime:
        for cls in all_classes():
            table = table_of(cls._type_name)
            # Available DIDs are ranges, not records.
            if table is None or cls._type_name == "available_dids" or not (cls._operations or cls._extra_operations):
                continue
            types.append(TypeCount(cls._type_name, _count(runtime, table), table.shared))
    return sorted(types, key=lambda kind: (kind.shared, not kind.records, kind.type))


def get_page(emulator: Emulator, type: str, number: int) -> Page | None:
    """Return a page of records of a type, account records newest first; None if there is no such type."""
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
    """Return a record of any account, or None."""
    table = table_of(type)
    if table is None:
        return None
    with emulator.engine.locked() as runtime:
        session = _ReadOnlySession(runtime, NOBODY, "")
        session.touch(type)
        rows = runtime.store.connection.execute(
            f'SELECT owner, {table.selected} FROM "{type}" WHERE id = ? AND {_visible(table)}',  # noqa: S608 declared names
            (id,),
        ).fetchone()
        if rows is None:
            return None
        owner, row = rows[0], rows[1:]
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
    # Negative owners are hold accounts for pending orders, which no account can see.
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
