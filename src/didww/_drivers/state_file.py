"""A small SQLite file with the state of a directory, readable only by its owner."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from typing import TYPE_CHECKING, Any, Final, Self

from didww._util.fork import in_sqlite
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["StateFile"]

_FORMAT: Final = 1
_PATIENCE: Final = 60.0
_CACHE: Final = 32 << 10
"""Memory for the state, in KiB. A larger state is slower."""


class StateFile:
    """An open state.

    Args:
        path: The file; created if missing.

    Raises:
        DidwwClientError: The file cannot be used. Methods may raise this, too.
    """

    tables: str
    """The statements that create the tables."""

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
                self._create()
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

    def _create(self) -> None:
        """Create the tables of a new file.

        Raises:
            DidwwClientError: The file has another format.
        """
        ((found,),) = self._db.execute("PRAGMA user_version")
        if found == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {self.tables}; PRAGMA user_version = {_FORMAT}; COMMIT")
        elif found != _FORMAT:
            raise DidwwClientError(
                f"{self._path} was written by a newer version of this package. Update the package to use it."
            )

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
