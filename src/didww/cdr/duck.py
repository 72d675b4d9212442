"""Connections of DuckDB: with UTC times, no downloads of extensions, and limited memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cdr.extras import need

if TYPE_CHECKING:
    import os

    import duckdb
    from pyarrow import RecordBatchReader

__all__ = ["connect", "prepare", "reader_of", "text"]


def connect(
    *, memory: str | None = None, folder: str | os.PathLike[str] | None = None, database: str = ":memory:"
) -> duckdb.DuckDBPyConnection:
    """Return a new connection.

    Args:
        memory: Limit of its memory, such as `512MB`. Defaults to that of DuckDB, most of the machine's.
        folder: Folder for what does not fit. Defaults to one in the current directory.
        database: The file of a database. Defaults to one in memory.
    """
    config = {"autoinstall_known_extensions": "false"}
    if memory is not None:
        config["memory_limit"] = memory
    if folder is not None:
        config["temp_directory"] = str(folder)
    connection = need("duckdb").connect(database, config=config)
    prepare(connection)
    return connection  # type: ignore[no-any-return]


def prepare(connection: duckdb.DuckDBPyConnection) -> None:
    """Show times in UTC."""
    connection.execute("set TimeZone = 'UTC'")


def text(value: str) -> str:
    """Return a text in SQL."""
    return "'" + value.replace("'", "''") + "'"


def reader_of(relation: Any) -> RecordBatchReader:
    """Return the rows of a relation as record batches."""
    # The name of this method depends on the version of DuckDB.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read()  # type: ignore[no-any-return]
