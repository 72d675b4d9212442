"""Write batches of call records to Parquet files that are not yet part of a dataset: one for each month.

A thread writes while the next batch is read. Rows are held until they fill a row group.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.cdr.arrow import pa, pc, pq
from didww.cdr.blocks import held_schema
from didww.cdr.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from didww.cdr.arrow import Batch

__all__ = ["ROW_GROUP", "UNFINISHED", "Staged", "Staging", "month_of", "parquet_writer"]

UNFINISHED: Final = ".unfinished"
"""Ending of files that are not part of a dataset yet: not one that engines read."""
ROW_GROUP: Final = 1 << 17
"""Rows of a row group, about."""
_MAX_HELD: Final = 2 * ROW_GROUP
"""Maximum number of rows that wait for their row group, in all months together."""
_UNIQUE: Final = ("call_id",)
_AHEAD: Final = 2
"""Number of batches that wait for the thread: it takes longer for those that fill a row group."""
_MAX_OPEN: Final = 24
"""Maximum number of files that are written at once; a further month closes the one that was used least recently."""


class Staged(NamedTuple):
    """A complete file that is not yet part of the dataset.

    Attributes:
        path: The file.
        account: The account.
        direction: `inbound` or `outbound`.
        month: The month, such as `2026-11`.
        rows: Number of rows.
        first: Start of the first call.
        last: Start of the last call.
    """

    path: Path
    account: str
    direction: str
    month: str
    rows: int
    first: datetime
    last: datetime


class Staging:
    """Writes batches to files in a folder; a context manager.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, str, str], _Month] = {}
        self._finished: list[Staged] = []
        self._thread = ThreadPoolExecutor(1, "didww-parquet")
        self._pending: deque[Future[None]] = deque()
        self._number = 0

    def add(self, account: str, direction: str, batch: Batch, see: Callable[[Batch], None]) -> None:
        """Write a batch, in the thread, as soon as those before it are complete.

        Args:
            account: Its account.
            direction: Its direction.
            batch: The rows.
            see: Called with the batch, in the thread. All calls have returned when `finish` returns.
        """
        self._wait(_AHEAD)
        if batch.num_rows:
            self._pending.append(self._thread.submit(self._write, account, direction, batch, see))

    def finish(self) -> list[Staged]:
        """Complete all files and return them."""
        self._wait(0)
        with written(self._folder):
            self._finished.extend(month.close() for month in self._open.values())
        self._open.clear()
        return self._finished

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        for month in self._open.values():
            with suppress(OSError):
                month.abandon()

    def _wait(self, ahead: int) -> None:
        """Wait until at most some batches are left to write."""
        while len(self._pending) > ahead:
            self._pending.popleft().result()

    def _write(self, account: str, direction: str, batch: Batch, see: Callable[[Batch], None]) -> None:
        see(batch)
        with written(self._folder):
            self._add(account, direction, batch)

    def _add(self, account: str, direction: str, batch: Batch) -> None:
        for month, first, last, rows in _by_month(batch):
            key = (account, direction, month)
            writer = self._open.pop(key, None)
            if writer is None:
                if len(self._open) >= _MAX_OPEN:
                    self._finished.append(self._open.pop(next(iter(self._open))).close())
                self._number += 1
                writer = _Month(self._folder / f"{self._number}{UNFINISHED}", key)
            self._open[key] = writer
            writer.add(rows, first, last)
            while sum(each.waiting for each in self._open.values()) >= _MAX_HELD:
                max(self._open.values(), key=lambda each: each.waiting).flush()


class _Month:
    """The file of a month.

    Attributes:
        waiting: Number of rows that are not written yet.
    """

    def __init__(self, path: Path, key: tuple[str, str, str]) -> None:
        self._path = path
        self._key = key
        self._writer = parquet_writer(path)
        self._held: list[Batch] = []
        self._rows = self.waiting = 0
        self._first: datetime | None = None
        self._last: datetime | None = None

    def add(self, batch: Batch, first: datetime, last: datetime) -> None:
        self._held.append(batch)
        self.waiting += batch.num_rows
        self._rows += batch.num_rows
        self._first = first if self._first is None else min(first, self._first)
        self._last = last if self._last is None else max(last, self._last)
        if self.waiting >= ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        table = pa.Table.from_batches(self._held, held_schema()).unify_dictionaries()
        self._held, self.waiting = [], 0
        self._writer.write_table(table, row_group_size=2 * ROW_GROUP)

    def close(self) -> Staged:
        if self._held:
            self.flush()
        self._writer.close()
        assert self._first is not None  # noqa: S101 for type checkers: a month has rows
        assert self._last is not None  # noqa: S101 the same
        return Staged(self._path, *self._key, self._rows, self._first, self._last)

    def abandon(self) -> None:
        self._writer.close()


def parquet_writer(path: Path) -> Any:
    """Return a writer of a file of a dataset, which takes dictionaries for texts that repeat."""
    schema = held_schema()
    times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
    options: dict[str, Any] = {
        # Without the Arrow schema, all engines read the same types: texts, not dictionaries.
        "store_schema": False,
        # Values that are all different are larger and slower with a dictionary.
        "use_dictionary": [name for name in schema.names if name not in times and name not in _UNIQUE],
        "column_encoding": dict.fromkeys(times, "DELTA_BINARY_PACKED"),
        # Only times are in order, so that their ranges tell which row groups a query needs.
        "write_statistics": times,
    }
    try:
        return pq.ParquetWriter(path, schema, store_decimal_as_integer=True, **options)
    except TypeError:  # an earlier version of pyarrow
        return pq.ParquetWriter(path, schema, **options)


def _by_month(batch: Batch) -> list[tuple[str, datetime, datetime, Batch]]:
    """Split a batch by the month of `time_start`: month, start of the first and of the last call, and rows."""
    starts = batch.column("time_start")
    first, last = _range(starts)
    if (first.year, first.month) == (last.year, last.month):
        return [(month_of(first), first, last, batch)]
    months: Any = pc.floor_temporal(starts, unit="month")
    parts: list[tuple[str, datetime, datetime, Batch]] = []
    for month in sorted(pc.unique(months).to_pylist()):
        rows = batch.filter(pc.equal(months, pa.scalar(month, starts.type)))
        parts.append((month_of(month), *_range(rows.column("time_start")), rows))
    return parts


def _range(starts: Any) -> tuple[datetime, datetime]:
    ends = pc.min_max(starts)
    return ends["min"].as_py(), ends["max"].as_py()


def month_of(time: datetime) -> str:
    """Return the month of a time as the folders of a dataset have it, such as `2026-11`."""
    return f"{time.year:04}-{time.month:02}"
