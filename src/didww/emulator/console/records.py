"""Records of all accounts for the console.

Records are read as a client reads them: the documents of the emulator, decoded by the SDK. So the declared columns and
relationships serve here, too. Reading has no side effects: it inserts no rows and draws no random numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from didww._jsonapi.document import decode
from didww._jsonapi.graph import Graph
from didww._schema.columns import columns_of, includes_of
from didww._schema.registry import all_classes
from didww._schema.resource import load
from didww.emulator.console import queries
from didww.emulator.console.cells import Cell, cells_of, columns_with_values, title_of
from didww.emulator.console.masking import mask
from didww.emulator.engine.accounts import NOBODY
from didww.emulator.engine.documents import collection, related_rows
from didww.emulator.engine.query import parse
from didww.emulator.engine.schema import table_of
from didww.emulator.engine.session import AccountSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww._schema.resource import Resource
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
    "count_type",
    "get_page",
    "get_record",
    "get_summary",
    "list_types",
    "read_only_session",
]

PAGE_SIZE = 50
MAX_LINKED = 50
MAX_SEARCH = 100


class TypeCount(NamedTuple):
    """A type and its number of records; `shared` if they belong to no account."""

    type: str
    records: int
    shared: bool


class RecordSummary(NamedTuple):
    """A record in a list, and the account it belongs to, if any."""

    id: str
    owner: int | None
    cells: list[Cell]


class Page(NamedTuple):
    """A page of a list.

    Attributes:
        type: The type.
        shared: Whether the records belong to no account.
        search: The text that the records match.
        total: The number of records on all pages.
        number, last: The number of this page and of the last one.
        headings: The columns that have a value.
        details: Whether the first column leads elsewhere, so that records need a link of their own.
        records: The records.
    """

    type: str
    shared: bool
    search: str
    total: int
    number: int
    last: int
    headings: list[str]
    details: bool
    records: list[RecordSummary]


class RelationshipView(NamedTuple):
    """A relationship: type, id and title of its targets; `more` is the number of omitted targets."""

    name: str
    many: bool
    targets: list[tuple[str, str, str]]
    more: int


class RecordView(NamedTuple):
    """A record with its columns, attributes and relationships."""

    type: str
    id: str
    owner: int | None
    title: str
    cells: list[Cell]
    attributes: dict[str, Any]
    meta: dict[str, Any]
    links: list[RelationshipView]


class _ReadOnlySession(AccountSession):
    """A session that does not insert initial rows of accounts, since that would change later ids."""

    def touch(self, type: str) -> Table:
        table = self.runtime.store.table(type)
        return super().touch(type) if table.shared else table


def read_only_session(runtime: Runtime, owner: int) -> AccountSession:
    """Return the session of an account that reads without side effects."""
    return _ReadOnlySession(runtime, owner, "", version=None)


def list_types(emulator: Emulator) -> list[TypeCount]:
    """Return all types with operations, those with account records first."""
    types: list[TypeCount] = []
    with emulator.engine.locked() as runtime:
        for cls in all_classes():
            table = table_of(cls._type_name)
            # Available DIDs are ranges, not records.
            if table is None or cls._type_name == "available_dids" or not (cls._operations or cls._extra_operations):
                continue
            types.append(TypeCount(cls._type_name, count_type(runtime, cls._type_name), table.shared))
    return sorted(types, key=lambda kind: (kind.shared, not kind.records, kind.type))


def count_type(runtime: Runtime, type: str) -> int:
    """Return the number of records of a type in all accounts."""
    return queries.count(runtime, read_only_session(runtime, NOBODY).touch(type))


def get_page(emulator: Emulator, type: str, number: int = 1, search: str = "") -> Page | None:
    """Return a page of records of a type, account records newest first; None if there is no such type.

    Args:
        emulator: The emulator.
        type: The type.
        number: Number of the page, from 1.
        search: Words that the records, or the related records in their columns, must contain.
    """
    table = table_of(type)
    if table is None:
        return None
    search = search[:MAX_SEARCH]
    paths = [path for column in columns_of(table.cls) for path in column.paths]
    with emulator.engine.locked() as runtime:
        _touch_all(runtime, table, paths)
        total = queries.count(runtime, table, search, paths)
        last = max(1, -(-total // PAGE_SIZE))
        number = min(number, last)
        rows = queries.rows(runtime, table, search, paths, limit=PAGE_SIZE, offset=(number - 1) * PAGE_SIZE)
        records = _load(runtime, table, rows, _viewer(emulator, runtime))
    listed = [RecordSummary(record.id, owner, cells_of(record)) for owner, record in records]
    headings = columns_with_values([record.cells for record in listed])
    details = any(record.cells[0].links for record in listed if record.cells)
    return Page(type, table.shared, search, total, number, last, headings, details, listed)


def get_record(emulator: Emulator, type: str, id: str) -> RecordView | None:
    """Return a record of any account, or None."""
    table = table_of(type)
    if table is None:
        return None
    with emulator.engine.locked() as runtime:
        read_only_session(runtime, NOBODY).touch(type)
        found = queries.row(runtime, table, id)
        if found is None:
            return None
        owner, row = found
        ((_, record),) = _load(runtime, table, [found], _viewer(emulator, runtime))
        session = read_only_session(runtime, owner or NOBODY)
        links: list[RelationshipView] = []
        for name in table.visible_relations:
            relation = table.relations[name]
            others = related_rows(session, table, relation, [row]).get(id, [])
            targets = [(other.type, each[0], _title(other, each)) for other, each in others[:MAX_LINKED]]
            links.append(RelationshipView(name, relation.many, targets, max(0, len(others) - MAX_LINKED)))
    cells = [cell for cell in cells_of(record) if cell.text]
    attributes: dict[str, Any] = mask(record._object.attributes)
    meta: dict[str, Any] = mask(dict(record._object.meta or {}))
    return RecordView(type, id, owner, title_of(record), cells, attributes, meta, links)


def get_summary(runtime: Runtime, type: str, id: str) -> tuple[int | None, list[Cell]]:
    """Return the account of a record and its cells that have a value; none if it does not exist."""
    table = table_of(type)
    found = None if table is None else queries.row(runtime, table, id)
    if table is None or found is None:
        return None, []
    ((owner, record),) = _load(runtime, table, [found], NOBODY)
    return owner, [cell for cell in cells_of(record) if cell.text]


def _viewer(emulator: Emulator, runtime: Runtime) -> int:
    """Return the account whose stock the catalog shows: the emulator's own."""
    return queries.owner_of_key(runtime, emulator.key) or NOBODY


def _load(
    runtime: Runtime, table: Table, rows: Sequence[tuple[int | None, Row]], viewer: int
) -> list[tuple[int | None, Resource]]:
    """Return rows as records, with the related records that their columns need."""
    include = ",".join(includes_of(table.cls, [path for column in columns_of(table.cls) for path in column.paths]))
    records: dict[str, Resource] = {}
    for owner in dict.fromkeys(owner for owner, _ in rows):
        session = read_only_session(runtime, viewer if owner is None else owner)
        query = parse(table, f"include={include}", listed=True, now=session.now(), version=None)
        own = [row for other, row in rows if other == owner]
        document = decode(collection(session, table, own, query, total=None))
        for record in Graph(document, load).nodes:
            records[record.id] = record
    return [(owner, records[row[0]]) for owner, row in rows]


def _touch_all(runtime: Runtime, table: Table, paths: Sequence[str]) -> None:
    """Create the shared rows of a type and of the types that its columns lead to."""
    session = read_only_session(runtime, NOBODY)
    session.touch(table.type)
    for path in paths:
        here = table
        for name in path.split("."):
            relation = here.relations.get(name)
            if relation is None:
                break
            for type in relation.targets:
                here = session.touch(type)


def _title(table: Table, row: Row) -> str:
    names = ("number", "name", "reference", "area_name", "description")
    return next(
        (str(row[table.place[name]]) for name in names if name in table.attributes and row[table.place[name]]), ""
    )
