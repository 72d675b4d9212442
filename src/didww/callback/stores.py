"""Track handled events so that duplicates are ignored: in memory, or in a file shared between processes.

An event is claimed before it is handled. A claim that is never completed, because its process died, expires after a few
minutes.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self

from didww._util.fork import in_sqlite
from didww.exceptions import DidwwClientError, InvalidValueError

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["MemoryStore", "SeenStore", "SqliteStore"]

Claim = Literal["mine", "busy", "done"]
LEASE: Final = 300.0
"""Seconds. DIDWW waits 60 seconds for a response, and makes its third attempt after 11 minutes."""
KEEP: Final = 7 * 86400.0
"""Seconds. DIDWW makes up to ten attempts within four days."""
_PATIENCE: Final = 5.0


class SeenStore(Protocol):
    """Tracks the events that a receiver has handled. All methods must be thread-safe.

    Attributes:
        blocking: Whether methods may block. If so, they are called in a thread instead of the event loop.
    """

    blocking: bool

    def claim(self, key: str) -> Claim:
        """Claim an event.

        Returns `mine` if the caller should handle it, `busy` if it is being handled, and `done` if it was handled.
        """
        ...

    def done(self, key: str) -> None:
        """Mark the event as handled."""
        ...

    def release(self, key: str) -> None:
        """Give up the claim, so that the event can be claimed again."""
        ...


class MemoryStore:
    """Remembers the most recent events in memory, for one process.

    Args:
        most: Maximum number of events. The oldest are dropped first.
        lease: Seconds after which an unfinished claim expires.
    """

    blocking = False

    def __init__(self, most: int = 100_000, *, lease: float = LEASE) -> None:
        if most < 1:
            raise InvalidValueError(f"most must be at least 1, got {most}.", field="most")
        self._most = most
        self._lease = lease
        self._lock = threading.Lock()
        self._claims: OrderedDict[str, float | None] = OrderedDict()  # time of the claim, or None once handled

    def claim(self, key: str) -> Claim:
        """Claim an event."""
        now = time.monotonic()
        with self._lock:
            claimed_at = self._claims.get(key, -float("inf"))
            if claimed_at is None:
                return "done"
            if now - claimed_at < self._lease:
                return "busy"
            self._claims[key] = now
            self._claims.move_to_end(key)
            if len(self._claims) > self._most:
                self._claims.popitem(last=False)
            return "mine"

    def done(self, key: str) -> None:
        """Mark the event as handled."""
        with self._lock:
            self._claims[key] = None

    def release(self, key: str) -> None:
        """Give up the claim."""
        with self._lock:
            if self._claims.get(key) is not None:
                del self._claims[key]


class SqliteStore:
    """Remembers events in a SQLite file, shared by the threads and processes of one host, across restarts.

    Args:
        path: The file; created if missing. Must not be on a network drive.
        keep: Seconds to remember an event.
        lease: Seconds after which an unfinished claim expires.

    Raises:
        DidwwClientError: The file cannot be used. Methods may raise this too.
    """

    blocking = True

    def __init__(self, path: str | PathLike[str], *, keep: float = KEEP, lease: float = LEASE) -> None:
        if keep <= lease:
            raise InvalidValueError(f"keep must be greater than lease ({lease:g} s), got {keep:g}.", field="keep")
        self._path = path
        self._keep = keep
        self._lease = lease
        self._swept = 0.0
        self._process = 0
        self._open: sqlite3.Connection | None = None
        # Report a wrong path when the program starts, not when the first callback arrives.
        self._execute("SELECT 1 FROM seen LIMIT 1")
        self.close()

    def claim(self, key: str) -> Claim:
        """Claim an event."""
        now = time.time()
        if now - self._swept > 3600:
            self._swept = now
            self._execute("DELETE FROM seen WHERE at < ?", now - self._keep)
        # If the clock was set back since, the claim lies in the future; abs() lets it expire too.
        taken = self._execute(
            "INSERT INTO seen (key, at, done) VALUES (?1, ?2, 0) ON CONFLICT (key) DO UPDATE SET at = ?2"
            " WHERE NOT done AND abs(?2 - at) >= ?3 RETURNING key",
            key,
            now,
            self._lease,
        )
        if taken:
            return "mine"
        return "done" if self._execute("SELECT 1 FROM seen WHERE key = ? AND done", key) else "busy"

    def done(self, key: str) -> None:
        """Mark the event as handled."""
        self._execute(
            "INSERT INTO seen (key, at, done) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET done = 1", key, time.time()
        )

    def release(self, key: str) -> None:
        """Give up the claim."""
        self._execute("DELETE FROM seen WHERE key = ? AND NOT done", key)

    def close(self) -> None:
        """Close the file. It is reopened when needed."""
        with in_sqlite:
            if self._open is not None and self._process == os.getpid():
                self._open.close()
                self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _execute(self, statement: str, *values: object) -> list[Any]:
        try:
            with in_sqlite:
                return self._connection().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise DidwwClientError(f"Cannot remember callbacks in {self._path}: {error}.") from error

    def _connection(self) -> sqlite3.Connection:
        if self._open is None or self._process != os.getpid():
            if self._open is not None:
                _inherited.append(self._open)
            self._open, self._process = _opened(self._path), os.getpid()
            weakref.finalize(self, _close, self._open, self._process)
        return self._open


def _opened(path: str | PathLike[str]) -> sqlite3.Connection:
    end = time.monotonic() + _PATIENCE
    while True:
        connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            # A killed process loses nothing; a power failure may lose the last few writes.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, at REAL NOT NULL, done INTEGER NOT NULL)"
                " WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            connection.close()
            # While another process creates the file, SQLite reports it as busy without waiting.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return connection


_inherited: list[sqlite3.Connection] = []
"""Connections of parent processes. Closing one in a child would release the parent's locks."""


def _close(connection: sqlite3.Connection, process: int) -> None:
    if process == os.getpid():
        connection.close()
