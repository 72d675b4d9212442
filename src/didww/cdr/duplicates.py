"""Find the rows of a file that a dataset has already.

Rows are the same if they have the same call ID and attempt. Those without a call ID are compared as a whole: if a file
has three equal ones, and the dataset two, one is new. The same record always has about the same start (`MARGIN`), so
only rows near each other in time are compared, and files of other times are not read. Memory is bounded: rows are
compared in slices of time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.cdr.arrow import pa, pc
from didww.cdr.duck import reader_of, text
from didww.cdr.schema import dataset_columns
from didww.cdr.staging import parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from didww.cdr.arrow import Batch
    from didww.cdr.staging import Staged

__all__ = ["ANY_TIME", "MARGIN", "Span", "Watch", "without_duplicates"]

MARGIN: Final = timedelta(minutes=10)
"""Maximum difference between the starts of two records of the same attempt."""
_SLICE: Final = 1_000_000
"""Rows that are compared at once, about."""
_HOUR: Final = 3_600_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Watch:
    """Watches the rows of a file for the same call ID and attempt.

    Attributes:
        certain: Whether it has none so far. False, too, if the file is not in the order of time, about.
    """

    def __init__(self) -> None:
        self.certain = True
        self._recent: Any = None
        self._latest = self._dropped = datetime.min.replace(tzinfo=UTC) + 2 * MARGIN

    def see(self, batch: Batch) -> None:
        """Compare the rows of a batch with each other, and with the last ones before it."""
        if not self.certain or not batch.num_rows:
            return
        rows: Any = pa.Table.from_batches([batch.select(["time_start", "call_id", "attempt"])])
        ends = pc.min_max(rows.column("time_start"))
        if self._recent is not None:
            if ends["min"].as_py() - MARGIN < self._dropped:
                self.certain = False
                return
            rows = pa.concat_tables([self._recent, rows])
        self.certain = _unique(rows)
        self._latest = max(self._latest, ends["max"].as_py())
        # The next batch may begin before the end of this one.
        keep = self._latest - 2 * MARGIN
        self._recent = rows.filter(pc.greater_equal(rows.column("time_start"), pa.scalar(keep)))
        self._dropped = max(self._dropped, keep) if self._recent.num_rows < rows.num_rows else self._dropped


def _unique(rows: Any) -> bool:
    """Return whether no two rows have the same call ID and attempt."""
    ids = rows.column("call_id")
    known = rows.filter(pc.is_valid(ids)) if ids.null_count else rows
    grouped = known.group_by(["call_id", "attempt"], use_threads=False).aggregate([])
    return bool(grouped.num_rows == known.num_rows)


def without_duplicates(
    connection: Any, staged: Staged, existing: str | None, spans: Sequence[Span], folder: Path, *, certain: bool
) -> tuple[Path | None, int]:
    """Return a file with the rows that are new, and how many are not.

    Args:
        connection: A connection of DuckDB.
        staged: The file.
        existing: The table of the rows that the dataset has, in SQL; None if it has none near these.
        spans: The times that these have.
        folder: Folder for a new file.
        certain: Whether the rows of the file differ from each other.

    Returns:
        The file itself if all its rows are new, a new file, or None if no row is new; and the number of duplicates.
    """
    slices = _slices(connection, staged.path)
    tables = (_table(staged.path), existing or f"(select * from {_table(staged.path)} limit 0)")
    counts = [
        _count(connection, tables, span) if not certain or any(map(span.is_near, spans)) else 0 for span in slices
    ]
    duplicates = sum(counts)
    if not duplicates:
        return staged.path, 0
    if duplicates == staged.rows:
        return None, duplicates
    path = folder / f"{staged.path.stem}-new.parquet"
    writer = parquet_writer(path)
    try:
        for span, found in zip(slices, counts, strict=True):
            for batch in _new(connection, tables, span, found):
                writer.write_batch(batch.cast(writer.schema))
    finally:
        writer.close()
    return path, duplicates


class Span(NamedTuple):
    """A span of time: from the first until before the last."""

    first: datetime
    last: datetime

    def is_near(self, other: Span) -> bool:
        """Return whether records of another span can be the same as those of this one."""
        return self.first - MARGIN <= other.last and other.first - MARGIN <= self.last


ANY_TIME: Final = Span(
    datetime.min.replace(tzinfo=UTC) + 2 * MARGIN,
    datetime.max.replace(tzinfo=UTC) - 2 * MARGIN,
)
"""Of files whose times are not known."""


def _slices(connection: Any, path: Path) -> list[Span]:
    """Return spans of whole hours with about `_SLICE` rows each, or one hour."""
    query = f"select epoch_us(time_start) // {_HOUR} as hour, count(*) from {_table(path)} group by 1 order by 1"
    spans: list[Span] = []
    first, rows = None, 0
    for hour, count in connection.execute(query).fetchall():
        if first is None or rows + count > _SLICE:
            first, rows = hour, 0
            spans.append(Span(_time(hour), _time(hour + 1)))
        rows += count
        spans[-1] = Span(spans[-1].first, _time(hour + 1))
    return spans


def _time(hour: int) -> datetime:
    return _EPOCH + timedelta(hours=hour)


def _table(path: Path) -> str:
    return f"read_parquet({text(str(path))}, file_row_number = true)"


def _count(connection: Any, tables: tuple[str, str], span: Span) -> int:
    ((found,),) = connection.execute(f"{_duplicates(tables, span)} select count(*) from duplicates").fetchall()
    return int(found)


def _new(connection: Any, tables: tuple[str, str], span: Span, found: int) -> Iterator[Batch]:
    names = _names("w.")
    known = "where n not in (select n from duplicates)" if found else ""
    within = f"{'and' if known else 'where'} {_within(span)}"
    query = f"{_duplicates(tables, span)} select {names} from w {known} {within} order by n"
    yield from reader_of(connection.sql(query))


def _names(prefix: str = "") -> str:
    return ", ".join(f'{prefix}"{column.name}"' for column in dataset_columns())


def _within(span: Span, margin: timedelta = timedelta(0)) -> str:
    first, last = ((time + change).isoformat() for time, change in zip(span, (-margin, margin), strict=True))
    return f"time_start >= timestamptz '{first}' and time_start < timestamptz '{last}'"


def _duplicates(tables: tuple[str, str], span: Span) -> str:
    """Return the tables `w`, rows of a span and around it, and `duplicates`, the numbers of those not to be added."""
    staged, existing = tables
    equal = " and ".join(f'p."{name}" is not distinct from h."{name}"' for name, *_ in dataset_columns())
    return f"""
        with w as (select *, file_row_number as n from {staged} where {_within(span, MARGIN)}),
        e as (select {_names()} from {existing} where {_within(span, MARGIN)}),
        ids as (
            select n, time_start, call_id, attempt, row_number() over (partition by call_id, attempt order by n) as k
            from w where call_id is not null
        ),
        had as (select distinct call_id, attempt, true as had from e where call_id is not null),
        plain as (
            select *, row_number() over (partition by {_names()} order by n) as k
            from w where call_id is null and {_within(span)}
        ),
        rows_had as (select {_names()}, count(*) as many from e where call_id is null group by all),
        duplicates as (
            select ids.n from ids left join had
            on ids.call_id = had.call_id and ids.attempt is not distinct from had.attempt
            where {_within(span)} and (k > 1 or had.had)
            union all
            select p.n from plain p join rows_had h on {equal} where p.k <= h.many
        )
    """
