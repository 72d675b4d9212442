"""What a receiver has handled, so that the same again is dropped: in memory, or in a file that processes share.

An event is claimed before it is handled. A claim that nobody ends, because a process died, lapses after some minutes.
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
"""Seconds; DIDWW waits 60 for a response, and its third attempt comes after 11 minutes."""
KEEP: Final = 7 * 86400.0
"""Seconds; the ten attempts of DIDWW are over in four days."""
_PATIENCE: Final = 5.0


class SeenStore(Protocol):
    """Where a receiver keeps what it has handled. All methods may be called from several threads at once.

    Attributes:
        blocking: Whether its methods may take long enough to hold up an event loop; they are called in a thread then.
    """

    blocking: bool

    def claim(self, key: str) -> Claim:
        """Begin to handle an event: `mine` if nobody has, `busy` if somebody is at it, `done` if it was handled."""
        ...

    def done(self, key: str) -> None:
        """It was handled."""
        ...

    def release(self, key: str) -> None:
        """It was not handled; it may come again."""
        ...


class MemoryStore:
    """Remembers the last events in memory, for one process.

    Args:
        most: How many; the oldest are forgotten.
        lease: Seconds after which an event that was begun and never ended may be begun again.
    """

    blocking = False

    def __init__(self, most: int = 100_000, *, lease: float = LEASE) -> None:
        if most < 1:
            raise InvalidValueError(f"most is at least 1, not {most}.", field="most")
        self._most = most
        self._lease = lease
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, float | None] = OrderedDict()  # when it was begun; None: it is done

    def claim(self, key: str) -> Claim:
        """Begin to handle an event."""
        now = time.monotonic()
        with self._lock:
            begun = self._kept.get(key, -float("inf"))
            if begun is None:
                return "done"
            if now - begun < self._lease:
                return "busy"
            self._kept[key] = now
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
            return "mine"

    def done(self, key: str) -> None:
        """It was handled."""
        with self._lock:
            self._kept[key] = None

    def release(self, key: str) -> None:
        """It was not handled."""
        with self._lock:
            if self._kept.get(key) is not None:
                del self._kept[key]


class SqliteStore:
    """Remembers events in a file that threads and processes of one machine share; it survives restarts.

    Args:
        path: The file; made if it is not there. Not on a network drive.
        keep: Seconds that an event is remembered.
        lease: Seconds after which an event that was begun and never ended may be begun again.

    Raises:
        DidwwClientError: The file cannot be used; from its methods as well.
    """

    blocking = True

    def __init__(self, path: str | PathLike[str], *, keep: float = KEEP, lease: float = LEASE) -> None:
        if keep <= lease:
            raise InvalidValueError(f"keep is more than lease ({lease:g} s), not {keep:g}.", field="keep")
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
        """Begin to handle an event."""
        now = time.time()
        if now - self._swept > 3600:
            self._swept = now
            self._execute("DELETE FROM seen WHERE at < ?", now - self._keep)
        # The time of a claim that a clock, set back since, has put into the future lapses as well.
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
        """It was handled."""
        self._execute(
            "INSERT INTO seen (key, at, done) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET done = 1", key, time.time()
        )

    def release(self, key: str) -> None:
        """It was not handled."""
        self._execute("DELETE FROM seen WHERE key = ? AND NOT done", key)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
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
            # A process that is killed loses nothing; a loss of power may lose the last moments.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY, at REAL NOT NULL, done INTEGER NOT NULL)"
                " WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            connection.close()
            # Whoever comes second while the file is made is told at once that it is busy.
            if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return connection


_inherited: list[sqlite3.Connection] = []
"""Connections of parents; a child that closed one would let go of its parent's locks."""


def _close(connection: sqlite3.Connection, process: int) -> None:
    if process == os.getpid():
        connection.close()
