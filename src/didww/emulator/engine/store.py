"""The SQLite store, with one table per type. Access control is left to its callers.

All values are passed as parameters; names in statements come from declarations only.
"""

from __future__ import annotations

import re
import sqlite3
import threading
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from didww.emulator.engine.schema import JSON_KINDS, Table, table_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

__all__ = ["DISK_FULL_RETRY_DELAY", "Record", "Row", "Store", "is_disk_full", "valid_id"]

Record: TypeAlias = dict[str, Any]
"""A record as plain JSON values by name: `id`, attributes, a to-one relationship's id, hidden columns, `private`."""
Row: TypeAlias = tuple[Any, ...]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
LAYOUT = "7"
"""Layout version of state files. Raise it whenever columns or catalog rows change, so that old files are refused:
rows in a file are never generated again."""
_CANNOT_WRITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
_BASE = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS filled (type TEXT, owner INTEGER, PRIMARY KEY (type, owner)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at TEXT, reads INTEGER, owner INTEGER, type TEXT, record TEXT, name TEXT, payload TEXT
);
CREATE INDEX IF NOT EXISTS events_at ON events (at);
CREATE INDEX IF NOT EXISTS events_record ON events (record);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY, owner INTEGER, type TEXT, record TEXT, method TEXT, url TEXT, fields TEXT, state TEXT,
    next_at TEXT, attempts TEXT
);
CREATE INDEX IF NOT EXISTS deliveries_next ON deliveries (next_at);
CREATE TABLE IF NOT EXISTS calls (id INTEGER PRIMARY KEY, owner INTEGER, kind TEXT, line TEXT, at TEXT, row TEXT);
CREATE INDEX IF NOT EXISTS calls_at ON calls (owner, kind, at);
CREATE TABLE IF NOT EXISTS charges (
    call INTEGER PRIMARY KEY, trunk TEXT, number TEXT, answered INTEGER, seconds INTEGER, price INTEGER
);
CREATE TABLE IF NOT EXISTS streamed (
    id INTEGER PRIMARY KEY, owner INTEGER, direction TEXT, kind TEXT, next_at TEXT, body TEXT
);
CREATE INDEX IF NOT EXISTS streamed_next ON streamed (next_at);
CREATE INDEX IF NOT EXISTS streamed_kind ON streamed (owner, kind, direction, next_at);
CREATE TABLE IF NOT EXISTS files (export TEXT PRIMARY KEY, contents BLOB);
CREATE TABLE IF NOT EXISTS links (
    source TEXT, name TEXT, place INTEGER, target TEXT, PRIMARY KEY (source, name, place)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS links_target ON links (target, name);
"""
MAX_COUNTS = 1000
DISK_FULL_RETRY_DELAY = 1.0
"""Seconds until a failed write is retried."""
BATCH_SIZE = 500  # ids in one statement; SQLite takes some thousands of parameters


class Store:
    """Rows of all types, in memory or in a file.

    Args:
        path: The file; memory if None.
        seed: The seed that it belongs to.
        lock: Lock that its users hold, if there are several threads.

    Raises:
        ValueError: The file was made by another version of the emulator, or with another seed.
    """

    def __init__(self, path: str | None, seed: int, lock: threading.Lock | None = None) -> None:
        self.connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512
        )
        # An emulator in a test is often just dropped; the connection must not outlive it, nor end while a thread uses
        # it.
        self._closing = weakref.finalize(self, _close, self.connection, lock or threading.Lock())
        execute = self.connection.execute
        if path:
            # One emulator at a time: each remembers what the other would change.
            execute("PRAGMA locking_mode = EXCLUSIVE")
            try:
                execute("PRAGMA journal_mode = WAL")
                execute("BEGIN IMMEDIATE")
                execute("COMMIT")
            except sqlite3.OperationalError as error:
                self.close()
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise
                raise ValueError(f"{path} is used by another emulator, or another program.") from None
            execute("PRAGMA synchronous = NORMAL")
            execute("PRAGMA cache_spill = OFF")  # what is not committed needs no room
        else:
            execute("PRAGMA journal_mode = MEMORY")
            execute("PRAGMA synchronous = OFF")
        self.connection.create_function("fold", 1, _fold, deterministic=True)
        self.connection.executescript(_BASE)
        if self.get_meta("layout") is None:
            execute("ANALYZE")  # makes the table of statistics
        self._made: set[str] = set()
        self._counts: dict[tuple[Any, ...], int] = {}
        self._counted_at = -1
        self._alone = path is None
        wanted = f"{LAYOUT}/{seed}"
        kept = self.get_meta("layout") or wanted
        if kept != wanted:
            self.connection.close()
            layout, _, other = kept.partition("/")
            why = (
                f"of seed {other}, and this is seed {seed}"
                if layout == LAYOUT
                else f"of another version (layout {layout}; this one reads {LAYOUT})"
            )
            raise ValueError(f"{path} holds the state of an emulator {why}. Take another file, or remove it.")
        self.set_meta("layout", wanted)

    def close(self) -> None:
        """Close the file; whoever holds the lock gives it back first."""
        self._closing()

    def get_meta(self, name: str) -> str | None:
        """Return an internal value, or None."""
        row = self.connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Store an internal value."""
        self.connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def replace(self, source: sqlite3.Connection) -> None:
        """Replace all contents with those of another database."""
        source.backup(self.connection)
        self._forget()

    def copy(self) -> sqlite3.Connection:
        """Return an in-memory copy of the database."""
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.backup(connection)
        return connection

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Run a transaction; nested calls join the outer one."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise

    @contextmanager
    def trial(self) -> Generator[None]:
        """Run a transaction and roll it back. It needs no disk space."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            self._roll_back()

    def _roll_back(self) -> None:
        if self.connection.in_transaction:  # some errors have ended it
            self.connection.execute("ROLLBACK")
        self._forget()

    def _forget(self) -> None:
        self._made.clear()
        self._counts.clear()
        self._counted_at = -1

    def table(self, type: str) -> Table:
        """Return the table of a type, created if needed.

        Raises:
            KeyError: There is no such type.
        """
        table = table_of(type)
        if table is None:
            raise KeyError(type)
        if type not in self._made:
            execute = self.connection.execute
            there = {row[1] for row in execute(f'PRAGMA table_info("{type}")')}
            if not there:
                for statement in table.statements:
                    execute(statement)
                self.connection.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", table.statistics)
                execute("ANALYZE sqlite_schema")  # reads the statistics, makes none
            elif new := [statement for name, statement in table.additions.items() if name not in there]:
                # A file of an earlier version of the package, whose declarations had fewer members.
                for statement in (*new, *table.statements[1:]):
                    execute(statement)
            self._made.add(type)
        return table

    # Reading

    def row(self, table: Table, owner: int, id: str) -> Row | None:
        """Return the row with this id if it is visible to the owner."""
        if table.shared:
            cursor = self.connection.execute(f'SELECT {table.selected} FROM "{table.type}" WHERE id = ?', (id,))  # noqa: S608
        else:
            cursor = self.connection.execute(
                f'SELECT {table.selected} FROM "{table.type}" WHERE id = ? AND owner = ?',  # noqa: S608
                (id, owner),
            )
        row: Row | None = cursor.fetchone()
        return row

    def count(self, source: str, values: Mapping[str, Any]) -> int:
        """Return the row count of a FROM clause; cached until the next write, since each page needs it."""
        if self._counted_at != self.connection.total_changes or not self._alone or len(self._counts) > MAX_COUNTS:
            self._counts.clear()
            self._counted_at = self.connection.total_changes
        key = (source, *values.values())
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = int(self.connection.execute(f"SELECT count(*) {source}", values).fetchone()[0])
        return count

    def rows_by_id(self, table: Table, ids: Iterable[str]) -> dict[str, Row]:
        """Return the rows with these ids, of any owner; unknown ids are omitted."""
        found: dict[str, Row] = {}
        for part in _batches(list(ids)):
            places = ", ".join("?" * len(part))
            rows = self.connection.execute(
                f'SELECT {table.selected} FROM "{table.type}" WHERE id IN ({places})',  # noqa: S608
                part,
            )
            found.update((row[0], row) for row in rows)
        return found

    def rows_where(
        self, table: Table, owner: int, equals: Mapping[str, Any], order: str = "rowid", limit: int = -1
    ) -> list[Row]:
        """Return visible rows whose columns equal these values (a list: any of them), ordered by a column."""
        where, values = _equal(table, owner, equals)
        column, _, direction = order.partition(" ")
        if column != "rowid" and column not in table.by_name:
            raise KeyError(column)
        text = (
            f'SELECT {table.selected} FROM "{table.type}" WHERE {where} '  # noqa: S608
            f'ORDER BY "{column}"{" DESC" if direction == "DESC" else ""}, rowid LIMIT ?'
        )
        return self.connection.execute(text, (*values, limit)).fetchall()

    def count_where(self, table: Table, owner: int, equals: Mapping[str, Any]) -> int:
        """Return how many rows `rows_where` would return."""
        where, values = _equal(table, owner, equals)
        row = self.connection.execute(f'SELECT count(*) FROM "{table.type}" WHERE {where}', values).fetchone()  # noqa: S608
        return int(row[0])

    def rows_linking(self, table: Table, column: str, ids: Sequence[str], type: str | None) -> Iterator[Row]:
        """Yield rows whose to-one `column` is one of these ids (of this type, if polymorphic)."""
        also = f' AND "{column}_type" = ?' if type is not None else ""
        for part in _batches(list(ids)):
            places = ", ".join("?" * len(part))
            values = part if type is None else [*part, type]
            yield from self.connection.execute(
                f'SELECT {table.selected} FROM "{table.type}" WHERE "{column}" IN ({places}){also} ORDER BY rowid',  # noqa: S608
                values,
            )

    def links(self, name: str, sources: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Yield source and target of the links of one name, in order."""
        for part in _batches(list(sources)):
            places = ", ".join("?" * len(part))
            yield from self.connection.execute(
                f"SELECT source, target FROM links WHERE name = ? AND source IN ({places}) ORDER BY source, place",  # noqa: S608
                [name, *part],
            )

    # Writing

    def insert(self, table: Table, owner: int | None, records: Iterable[Mapping[str, Any]]) -> None:
        """Insert records; missing columns are null.

        Raises:
            ValueError: An id cannot be a path segment.
        """
        names = [column.name for column in table.columns]
        # The place in a row of the values that are kept as JSON.
        encoded = [(n, column.name) for n, column in enumerate(table.columns, start=2) if column.kind in JSON_KINDS]

        def rows() -> Iterator[list[Any]]:
            for record in records:
                id = record["id"]
                if not _ID.fullmatch(id):
                    raise ValueError(f"no id for a path: {id!r}")
                row = [owner, id, *map(record.get, names)]
                for n, name in encoded:
                    if row[n] is not None:
                        row[n] = table.to_column(name, row[n])
                yield row

        self.connection.executemany(table.insert, rows())

    def update(self, table: Table, id: str, changes: Mapping[str, Any]) -> None:
        """Update columns of a row."""
        if not changes:
            return
        sets = ", ".join(f'"{table.by_name[name].name}" = ?' for name in changes)
        values = [table.to_column(name, value) for name, value in changes.items()]
        self.connection.execute(f'UPDATE "{table.type}" SET {sets} WHERE id = ?', [*values, id])  # noqa: S608

    def delete(self, table: Table, id: str) -> None:
        """Delete a row and its links."""
        self.connection.execute(f'DELETE FROM "{table.type}" WHERE id = ?', (id,))  # noqa: S608
        self.connection.execute("DELETE FROM links WHERE source = ? OR target = ?", (id, id))

    def link(self, source: str, name: str, targets: Sequence[str]) -> None:
        """Replace the links of one name."""
        self.connection.execute("DELETE FROM links WHERE source = ? AND name = ?", (source, name))
        self.connection.executemany(
            "INSERT INTO links VALUES (?, ?, ?, ?)", [(source, name, n, target) for n, target in enumerate(targets)]
        )

    def point(self, table: Table, column: str, id: str, type: str | None, ids: Sequence[str]) -> None:
        """Make exactly these rows refer to `id` in their to-one `column`."""
        also = f', "{column}_type" = NULL' if type is not None else ""
        self.connection.execute(f'UPDATE "{table.type}" SET "{column}" = NULL{also} WHERE "{column}" = ?', (id,))  # noqa: S608
        for target in ids:
            self.update(table, target, {column: id} if type is None else {column: id, f"{column}_type": type})

    # Initial rows

    def filled(self, type: str, owner: int) -> bool:
        """Return whether the initial rows of a type exist for an owner (0 for shared rows)."""
        row = self.connection.execute("SELECT 1 FROM filled WHERE type = ? AND owner = ?", (type, owner)).fetchone()
        return row is not None

    def mark_filled(self, type: str, owner: int) -> None:
        """Record that the initial rows of a type exist."""
        self.connection.execute("INSERT OR IGNORE INTO filled VALUES (?, ?)", (type, owner))


def _close(connection: sqlite3.Connection, lock: threading.Lock) -> None:
    # A thread that died with the lock must not keep the program from ending.
    taken = lock.acquire(timeout=2)
    try:
        connection.close()
    finally:
        if taken:
            lock.release()


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error means that the disk is full or not writable."""
    return isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _CANNOT_WRITE


def valid_id(text: str) -> bool:
    """Return whether a text can be an id, that is, a path segment."""
    return _ID.fullmatch(text) is not None


def _equal(table: Table, owner: int, equals: Mapping[str, Any]) -> tuple[str, list[Any]]:
    terms: list[str] = []
    values: list[Any] = []
    if not table.shared:
        terms.append("owner = ?")
        values.append(owner)
    for name, value in equals.items():
        column = "id" if name == "id" else table.by_name[name].name
        if value is None:
            terms.append(f'"{column}" IS NULL')
        elif isinstance(value, (list, tuple, set, frozenset)):
            several: list[Any] = list(value)  # pyright: ignore[reportUnknownArgumentType]
            terms.append(f'"{column}" IN ({", ".join("?" * len(several))})')
            values += several
        else:
            terms.append(f'"{column}" = ?')
            values.append(value)
    return " AND ".join(terms) or "1", values


def _batches(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), BATCH_SIZE):
        yield ids[start : start + BATCH_SIZE]


def _fold(text: Any) -> Any:
    return text.casefold() if isinstance(text, str) else text
