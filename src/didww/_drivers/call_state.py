"""What is known about the files of one type of call records in a directory: a SQLite file in it.

The state is what decides. New rows are first written to a file with another name. The transaction that notes that file
also notes its rows and where to go on. Only then is the file renamed, which is made up for after a crash.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Self

from didww._core.call_exports_new import Known
from didww._util.fork import in_sqlite
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["BATCH", "CallState"]

BATCH: Final = 2000
"""Number of rows that are looked up together."""
_FORMAT: Final = 1
_PATIENCE: Final = 60.0
_CACHE: Final = 32 << 10
"""Memory for the state, in KiB. A larger state is slower."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS downloads (name TEXT PRIMARY KEY, export TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, origin TEXT NOT NULL, until TEXT NOT NULL,
    known_from TEXT NOT NULL, export TEXT NOT NULL, exported_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS files (
    name TEXT PRIMARY KEY, stream INTEGER NOT NULL, rows INTEGER NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS seen (
    stream INTEGER NOT NULL, key BLOB NOT NULL, time TEXT NOT NULL, PRIMARY KEY (stream, key)
) WITHOUT ROWID;
"""


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class CallState:
    """An open state.

    Args:
        path: The file; created if missing.

    Raises:
        DidwwClientError: The file cannot be used. Methods may raise this, too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            # Readable only by its owner, as are the files of calls.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise DidwwClientError(f"Cannot write {path}: {error.strerror or error}.") from None
        with self._checked(), in_sqlite:
            self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            with self._checked(), in_sqlite:
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute(f"PRAGMA cache_size = -{_CACHE}")
                self._db.executescript(_TABLES)
                self._db.execute(f"PRAGMA user_version = {_FORMAT}")
                self._db.execute("CREATE TEMP TABLE equal (key BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; a transaction that has not ended is undone."""
        with in_sqlite:
            self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextlib.contextmanager
    def _checked(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DidwwClientError(
                f"Cannot use {self._path}, which has the state of the directory: {error}. If the file is damaged, "
                "fetch into another directory."
            ) from None

    def _rows(self, statement: str, *values: object) -> list[Any]:
        with self._checked(), in_sqlite:
            return self._db.execute(statement, values).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Generator[None]:
        """Write all or nothing."""
        self._rows("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._rows("ROLLBACK")
            raise
        self._rows("COMMIT")

    # Files of `fetch`

    def export_of(self, name: str) -> str:
        """Return the id of the export that a file was downloaded from; empty if it is not known."""
        found = self._rows("SELECT export FROM downloads WHERE name = ?", name)
        return str(found[0][0]) if found else ""

    def note_download(self, name: str, export_id: str) -> None:
        """Note the export that a file was downloaded from."""
        self._rows("INSERT OR REPLACE INTO downloads (name, export) VALUES (?, ?)", name, export_id)

    # Files of `fetch_new`

    def streams(self) -> dict[str, str]:
        """Return the names of the streams, which are type and filter, and the address of the service of each."""
        return dict(self._rows("SELECT name, origin FROM streams"))

    def known(self, stream: str) -> Known | None:
        """Return how far a stream was fetched; None before the first time."""
        found = self._rows("SELECT until, known_from, export, exported_at FROM streams WHERE name = ?", stream)
        if not found:
            return None
        until, known_from, export, exported_at = found[0]
        return Known(_time(until), _time(known_from), export, _time(exported_at))

    def stream(self, name: str, origin: str) -> int:
        """Return the number of a stream, which is added in this transaction if it is new."""
        self._rows(
            "INSERT OR IGNORE INTO streams (name, origin, until, known_from, export, exported_at)"
            " VALUES (?, ?, '', '', '', '')",
            *(name, origin),
        )
        return int(self._rows("SELECT id FROM streams WHERE name = ?", name)[0][0])

    def set_known(self, stream: int, known: Known) -> None:
        """Note how far a stream was fetched, and forget the rows that do not matter anymore."""
        until, known_from, exported_at = (
            f"{each:%Y-%m-%d %H:%M:%S}" for each in (known.until, known.known_from, known.exported_at)
        )
        self._rows(
            "UPDATE streams SET until = ?, known_from = ?, export = ?, exported_at = ? WHERE id = ?",
            *(until, known_from, known.export_id, exported_at, stream),
        )
        self._rows("DELETE FROM seen WHERE stream = ? AND time < ?", stream, known_from)

    def files(self, state: str = "") -> list[str]:
        """Return the names of the files, or of those in a state: `written`, `new` or `returned`."""
        return [name for (name,) in self._rows("SELECT name FROM files WHERE ? IN ('', state) ORDER BY rowid", state)]

    def add_file(self, name: str, stream: int, rows: int) -> None:
        """Note a file that is written, and is to be renamed."""
        self._rows("INSERT INTO files (name, stream, rows, state) VALUES (?, ?, ?, 'written')", name, stream, rows)

    def renamed(self, name: str) -> None:
        """Note that a file has its name."""
        self._rows("UPDATE files SET state = 'new' WHERE name = ? AND state = 'written'", name)

    def hand_over(self, stream: str) -> list[tuple[str, int]]:
        """Return the new files of a stream with their numbers of rows, which then are not new anymore."""
        of = "stream = (SELECT id FROM streams WHERE name = ?) AND state = 'new'"
        found = self._rows(f"SELECT name, rows FROM files WHERE {of} ORDER BY rowid", stream)  # noqa: S608 no input
        self._rows(f"UPDATE files SET state = 'returned' WHERE {of}", stream)  # noqa: S608 the same
        return [(str(name), int(rows)) for name, rows in found]

    def equal_before(self, key: bytes) -> int:
        """Return how often this was called with a key before, since the state was opened."""
        (found,) = self._rows(
            "INSERT INTO equal (key, n) VALUES (?, 0) ON CONFLICT (key) DO UPDATE SET n = n + 1 RETURNING n", key
        )
        return int(found[0])

    def add_seen(self, stream: int, rows: list[tuple[bytes, str]]) -> set[bytes]:
        """Note rows by their keys and times; return the keys of those that were not known before.

        Args:
            stream: Number of the stream.
            rows: At most `BATCH` rows.
        """
        marks = ", ".join("?" * len(rows))
        known = {
            key
            for (key,) in self._rows(
                f"SELECT key FROM seen WHERE stream = ? AND key IN ({marks})",  # noqa: S608 no input
                *(stream, *(key for key, _ in rows)),
            )
        }
        with self._checked(), in_sqlite:
            self._db.executemany(
                "INSERT OR IGNORE INTO seen (stream, key, time) VALUES (?, ?, ?)",
                sorted((stream, key, time) for key, time in rows if key not in known),
            )
        return {key for key, _ in rows} - known
