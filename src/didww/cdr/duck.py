"""Connections of DuckDB: with UTC times, no downloads of extensions, and limited memory."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from didww._util.extras import need

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    import duckdb
    from pyarrow import RecordBatchReader

__all__ = ["OnDemand", "connect", "files_text", "prepare", "reader_of", "text"]


def connect(
    *, memory: str | None = None, folder: str | os.PathLike[str] | None = None, database: str = ":memory:"
) -> duckdb.DuckDBPyConnection:
    """Return a new connection.

    Args:
        memory: Limit of its memory, such as `512MB`. Defaults to that of DuckDB, most of the machine's.
        folder: Folder for what does not fit. Defaults to a private one among the temporary files of the machine.
        database: The file of a database. Defaults to one in memory.
    """
    config = {"autoinstall_known_extensions": "false"}
    if memory is not None:
        config["memory_limit"] = memory
    # DuckDB's default is the current directory.
    config["temp_directory"] = str(_spill_folder() if folder is None else folder)
    connection = need("duckdb").connect(database, config=config)
    prepare(connection)
    return connection  # type: ignore[no-any-return]


_PATTERN: Final = re.compile(r"[*?[]")


@cache
def _spilled(process: int) -> tuple[Path, Iterator[int]]:
    """Return the folder of a process for what does not fit, which is deleted at its end, and numbers."""
    folder = Path(tempfile.mkdtemp(prefix="didww-duckdb-"))

    def clear() -> None:
        if os.getpid() == process:  # not one that was forked
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(clear)
    return folder, count()


def _spill_folder() -> Path:
    """Return the path of a folder for a connection; DuckDB creates it when it is needed."""
    folder, numbers = _spilled(os.getpid())
    return folder / str(next(numbers))


class OnDemand:
    """A connection that is opened when it is first used; a context manager.

    Args:
        memory: Limit of its memory.
        folder: Folder for what does not fit.
    """

    def __init__(self, memory: str, folder: Path) -> None:
        self._memory = memory
        self._folder = folder
        self._connection: duckdb.DuckDBPyConnection | None = None

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection."""
        if self._connection is None:
            self._connection = connect(memory=self._memory, folder=self._folder)
        return self._connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._connection is not None:
            self._connection.close()


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Show times in UTC."""
    connection.execute("set TimeZone = 'UTC'")


def text(value: str) -> str:
    """Return a text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def files_text(paths: Iterable[Path]) -> str:
    """Return a list of files in SQL. What would be a pattern in their names stands for itself."""
    names = (_PATTERN.sub(lambda found: f"[{found[0]}]", str(path)) for path in paths)
    return f"[{', '.join(map(text, names))}]"


def reader_of(relation: Any) -> RecordBatchReader:
    """Return the rows of a relation as record batches."""
    # The name of this method depends on the version of DuckDB.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read()  # type: ignore[no-any-return]
