"""What is known about the files of one type of call records in a directory: a SQLite file in it.

The state is what decides. New rows are first written to a file with another name. The transaction that notes that file
also notes its rows and where to go on. Only then is the file renamed, which is made up for after a crash.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from didww._core.call_exports_new import Known
from didww._drivers.state_file import StateFile
from didww._util.fork import in_sqlite

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BATCH", "CallState"]

BATCH: Final = 2000
"""Number of rows that are looked up together."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS downloads (name TEXT PRIMARY KEY, export TEXT NOT NULL, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS streams (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, until TEXT NOT NULL, known_from TEXT NOT NULL,
    columns TEXT NOT NULL
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


class CallState(StateFile):
    """The state of the files of one type of call records."""

    tables = _TABLES

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._rows("CREATE TEMP TABLE equal (key BLOB PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID")

    # Files of `fetch`

    def has_download(self, name: str, export_id: str, size: int) -> bool:
        """Return whether a file was downloaded from an export, and had this size."""
        of = (name, export_id, size)
        return bool(self._rows("SELECT 1 FROM downloads WHERE name = ? AND export = ? AND size = ?", *of))

    def note_download(self, name: str, export_id: str, size: int) -> None:
        """Note the export that a file was downloaded from, and its size in bytes."""
        self._rows("INSERT OR REPLACE INTO downloads (name, export, size) VALUES (?, ?, ?)", *(name, export_id, size))

    # Files of `fetch_new`

    def streams(self) -> list[str]:
        """Return the names of the streams, which are type and filter."""
        return [name for (name,) in self._rows("SELECT name FROM streams ORDER BY name")]

    def known(self, stream: str) -> Known | None:
        """Return how far a stream was fetched; None before the first time."""
        found = self._rows("SELECT until, known_from FROM streams WHERE name = ?", stream)
        return Known(*map(_time, found[0])) if found else None

    def stream(self, name: str) -> int:
        """Return the number of a stream, which is added in this transaction if it is new."""
        self._rows("INSERT OR IGNORE INTO streams (name, until, known_from, columns) VALUES (?, '', '', '')", name)
        return int(self._rows("SELECT id FROM streams WHERE name = ?", name)[0][0])

    def set_columns(self, stream: int, columns: str) -> bool:
        """Note the columns of an export; return whether they are those of the one before, or it is the first."""
        ((before,),) = self._rows("SELECT columns FROM streams WHERE id = ?", stream)
        self._rows("UPDATE streams SET columns = ? WHERE id = ?", columns, stream)
        return before in ("", columns)

    def set_known(self, stream: int, known: Known) -> None:
        """Note how far a stream was fetched, and forget the rows that do not matter anymore."""
        until, known_from = (f"{each:%Y-%m-%d %H:%M:%S}" for each in known)
        self._rows("UPDATE streams SET until = ?, known_from = ? WHERE id = ?", until, known_from, stream)
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

    def new_files(self, stream: str) -> list[tuple[str, int]]:
        """Return the files of a stream that no call has returned, with their numbers of rows."""
        of = "stream = (SELECT id FROM streams WHERE name = ?) AND state = 'new'"
        found = self._rows(f"SELECT name, rows FROM files WHERE {of} ORDER BY rowid", stream)  # noqa: S608 no input
        return [(str(name), int(rows)) for name, rows in found]

    def set_returned(self, names: list[str], *, returned: bool) -> None:
        """Note that a call returns files, or that it did not; all or nothing."""
        before, after = ("new", "returned") if returned else ("returned", "new")
        with in_sqlite, self.transaction():  # so that no other thread waits for this one with that lock
            for name in names:
                self._rows("UPDATE files SET state = ? WHERE name = ? AND state = ?", after, name, before)

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
