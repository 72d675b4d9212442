"""A dataset of call records: Parquet files in folders by account, direction and month, which any engine reads.

A file is complete before it gets its name, so readers never see a part of one. Adding records again adds only those
that are new, so an interrupted call is repeated as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww._core.call_rows import check_record_class
from didww._core.csv_rows import MAX_DECOMPRESSED
from didww._core.download import check_max_bytes
from didww._util.extras import need
from didww._util.text import shown
from didww.cdr.schema import PARTITIONS, arrow_schema, dataset_columns
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import duckdb
    import polars as pl
    from pyarrow import RecordBatch, Table
    from pyarrow.fs import FileSystem

    from didww._core.call_rows import RejectedRow
    from didww._core.download import Progress
    from didww.cdr.duplicates import Span
    from didww.cdr.store import Store
    from didww.resources.call import CallRecord

__all__ = ["Appended", "CallDataset", "checked_account"]

# Windows drops a dot at the end of the name of a folder.
_ACCOUNT: Final = re.compile(r"(?=.{1,100}\Z)[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")


class Appended(NamedTuple):
    """What was added to a dataset.

    Attributes:
        rows: Number of records added.
        duplicates: Number of records that the dataset had already, or that the source had twice.
        rejected: Number of rows that are not valid.
    """

    rows: int
    duplicates: int
    rejected: int


def checked_account(account: str) -> str:
    """Return the name of an account.

    Raises:
        InvalidValueError: It cannot be the name of a folder of a dataset.
    """
    if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValueError(
            f"account must be up to 100 letters, digits, '.', '_' and '-', got {shown(account)}.", field="account"
        )
    return account


class CallDataset:
    """A dataset of call records in a folder, or in an object store.

    The folders are `account=default/direction=inbound/month=2026-11/`, as Hive has them. The columns and their types
    are those of docs/reference/call-dataset.md: amounts are decimals, times are in UTC. The folder need not exist.

    Args:
        path: The folder; a path in `filesystem`, such as `bucket/calls`; or an address such as `s3://bucket/calls`.
        filesystem: A file system of `pyarrow.fs`. Defaults to the one of the machine.

    Raises:
        InvalidValueError: An argument is not valid, or pyarrow is not installed.

    Source: docs/reference/call-dataset.md.

    Example:
        >>> import tempfile
        >>> from didww.resources.call import InboundCall
        >>> from datetime import datetime, UTC
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     dataset = CallDataset(folder)
        ...     call = InboundCall(datetime(2026, 11, 1, tzinfo=UTC), call_id="a", attempt=1)
        ...     print(dataset.append([call]))
        ...     print(dataset.append([call]))
        Appended(rows=1, duplicates=0, rejected=0)
        Appended(rows=0, duplicates=1, rejected=0)
    """

    def __init__(self, path: str | os.PathLike[str], *, filesystem: FileSystem | None = None) -> None:
        need("pyarrow")
        from didww.cdr.store import Store

        self._store: Store = Store(path, filesystem)
        self._spans: dict[str, Span | None] = {}

    def __repr__(self) -> str:
        return f"CallDataset({self._store.root!r})"

    @property
    def path(self) -> str:
        """The folder, or the path in the file system."""
        return self._store.root

    @property
    def files(self) -> list[str]:
        """The paths of the Parquet files, in the file system of the dataset."""
        return [part.path for part in self._store.parts()]

    @property
    def accounts(self) -> list[str]:
        """The names of its accounts."""
        return sorted({part.account for part in self._store.parts()})

    # Adding records

    def append(
        self,
        source: Any,
        *,
        account: str | None = None,
        record_class: type[CallRecord] | None = None,
        rejects: list[RejectedRow] | None = None,
        max_bytes: int = MAX_DECOMPRESSED,
        progress: Callable[[Progress], None] | None = None,
    ) -> Appended:
        """Add the records that the dataset does not have, and return how many.

        Records are the same if they have the same account, call ID and attempt, and start within ten minutes of each
        other. Those without a call ID are the same if all their values are; a source can have several of them. Each
        file of the source is added as a whole, a month at a time: after an interruption, call it again.

        On this machine, other processes that add records at the same time wait. In an object store, add from one
        process at a time: two could add the same records.

        Args:
            source: Exports (`.csv.gz` or `.csv`): a path, a folder, or an iterable of paths such as `FetchedFiles`. Or
                record objects, or Arrow record batches with columns of the dataset: an iterable, or a table.
            account: Name of the account that the records are of: letters, digits, `.`, `_` and `-`. Defaults to the
                column `account` of Arrow batches, such as those of another dataset, and without it to `default`.
            record_class: Class of the records of exports. Defaults to the class that the header of each file fits.
            rejects: List for the rows that are not valid. Without it, the first raises `CallFileError`, and nothing of
                its file is added.
            max_bytes: Maximum size of each decompressed file, in bytes. Defaults to 10 GiB.
            progress: Called with the bytes of the files that were read, and their size.

        Raises:
            CallFileError: A file cannot be read, is damaged, or has other records; or a row is not valid.
            DidwwClientError: The folder cannot be written.
            InvalidValueError: An argument is not valid, or the folder of the dataset has exports.
        """
        from didww.cdr.adding import Adding
        from didww.cdr.sources import opened_source

        if account is not None:
            checked_account(account)
        check_record_class(record_class)
        files = opened_source(source, record_class, rejects, check_max_bytes(max_bytes), progress)
        before = 0 if rejects is None else len(rejects)
        rows = duplicates = 0
        with self._store.writing() as folder, Adding(self._store, account, folder, self._spans) as adding:
            for file in files:
                for new, known in adding.add(file):
                    rows += new
                    duplicates += known
        return Appended(rows, duplicates, 0 if rejects is None else len(rejects) - before)

    # Reading

    def batches(
        self,
        columns: Sequence[str] | None = None,
        *,
        account: str | None = None,
        direction: str | None = None,
        month: str | None = None,
    ) -> Iterator[RecordBatch]:
        """Yield the records as Arrow record batches, with constant memory use.

        Args:
            columns: Names of columns. Defaults to all, with those of the folders: account, direction and month.
            account: Only those of this account.
            direction: Only `inbound` or `outbound` ones.
            month: Only those of a month, such as `2026-11`.

        Raises:
            CallFileError: A file of the dataset is damaged.
            InvalidValueError: There is no such column.
        """
        dataset = self._dataset({"account": account, "direction": direction, "month": month})
        names = _known(columns)
        from didww.cdr.store import readable

        with readable(self.path):
            # Few batches ahead: the default holds dozens of MiB.
            yield from dataset.to_batches(columns=names, batch_readahead=2, fragment_readahead=1)

    def arrow(
        self,
        columns: Sequence[str] | None = None,
        *,
        account: str | None = None,
        direction: str | None = None,
        month: str | None = None,
    ) -> Table:
        """Return the records as an Arrow table. The arguments are those of `batches`.

        Raises:
            CallFileError: A file of the dataset is damaged.
            InvalidValueError: There is no such column.
        """
        dataset = self._dataset({"account": account, "direction": direction, "month": month})
        names = _known(columns)
        from didww.cdr.store import readable

        with readable(self.path):
            table: Table = dataset.to_table(columns=names)
        return table

    def polars(self, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the records as a polars data frame, without copying them.

        Raises:
            InvalidValueError: There is no such column, or polars is not installed.
        """
        frame: pl.DataFrame = need("polars", "").from_arrow(self.arrow(columns))
        return frame

    def pandas(self, columns: Sequence[str] | None = None) -> Any:
        """Return the records as a `pandas.DataFrame` with Arrow types, without copying them.

        Raises:
            InvalidValueError: There is no such column, or pandas is not installed.
        """
        table: Any = self.arrow(columns)
        return table.to_pandas(types_mapper=need("pandas", "").ArrowDtype)

    def relation(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """Return the records as a relation of DuckDB, which reads only what a query needs.

        Args:
            connection: A connection of DuckDB. Defaults to a new one, in memory and with UTC times.

        Raises:
            InvalidValueError: DuckDB is not installed.
        """
        from didww.cdr.duck import connect

        if connection is None:
            connection = connect()
        return connection.sql(f"select * from {self._store.table(connection, self._store.parts())}")

    def sql(self, query: str, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """Return the result of a query in DuckDB's SQL, in which the table of the records is `calls`.

        Args:
            query: The query, such as `select trunk, sum(cost) from calls group by trunk`.
            connection: A connection of DuckDB, in which this makes a temporary view `calls`. Defaults to a new one.

        Raises:
            InvalidValueError: DuckDB is not installed.
        """
        from didww.cdr.duck import connect

        if connection is None:
            connection = connect()
        self.view(connection)
        return connection.sql(query)

    def view(self, connection: duckdb.DuckDBPyConnection, *, account: str | None = None) -> None:
        """Make a temporary view `calls` of the records that the dataset has now.

        Args:
            connection: A connection of DuckDB.
            account: Only those of this account.
        """
        parts = [part for part in self._store.parts() if account in (None, part.account)]
        connection.execute(
            f"create or replace temporary view calls as select * from {self._store.table(connection, parts)}"
        )

    def calls(
        self, *, account: str | None = None, direction: str | None = None, month: str | None = None
    ) -> Iterator[CallRecord]:
        """Yield the records as objects. The arguments are those of `batches`."""
        from didww.cdr.records import records_of

        for batch in self.batches(account=account, direction=direction, month=month):
            yield from records_of(batch)

    def _dataset(self, partition: dict[str, str | None]) -> Any:
        wanted = [(name, value) for name, value in partition.items() if value is not None]
        parts = [part for part in self._store.parts() if all(getattr(part, name) == value for name, value in wanted)]
        return self._store.dataset(parts, arrow_schema())


def _known(columns: Iterable[str] | None) -> list[str] | None:
    if columns is None:
        return None
    from didww._util.suggest import did_you_mean

    known = [*(column.name for column in dataset_columns()), *PARTITIONS]
    names = [columns] if isinstance(columns, str) else list(columns)
    for name in names:
        if name not in known:
            raise InvalidValueError(
                f"There is no column {shown(name)}.{did_you_mean(str(name), known)}", field="columns"
            )
    return names
