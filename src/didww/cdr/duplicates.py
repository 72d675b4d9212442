"""Find the rows of a file that a dataset has already.

Rows are the same if they have the same call ID and attempt, and start within ten minutes (`MARGIN`) of each other. So a
row is left out only if such a row stays. Those without a call ID are compared as a whole: if a file has three equal
ones, and the dataset two, one is new. Files of other times are not read. Memory is bounded: rows are compared in slices
of time, one after the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.cdr.arrow import pa, pc
from didww.cdr.duck import files_text, reader_of
from didww.cdr.schema import dataset_columns
from didww.cdr.staging import UNFINISHED, parquet_writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from didww.cdr.arrow import Batch
    from didww.cdr.staging import Staged

__all__ = ["ANY_TIME", "MARGIN", "Span", "Watch", "microseconds", "without_duplicates"]

MARGIN: Final = 600_000_000
"""Maximum difference between the starts of two records of the same attempt, in microseconds."""
_SLICE: Final = 1_000_000
"""Rows that are compared at once, about."""
_HOUR: Final = 3_600_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FETCHED: Final = 10_000


def microseconds(time: datetime) -> int:
    """Return a time in microseconds since 1970; unlike a time, it can be outside of the years 1 to 9999."""
    return (time - _EPOCH) // timedelta(microseconds=1)


_YEAR_1: Final = microseconds(datetime(1, 1, 1, tzinfo=UTC))
_YEAR_10000: Final = microseconds(datetime(9999, 12, 31, tzinfo=UTC)) + 24 * _HOUR


class Watch:
    """Watches the rows of a file for the same call ID and attempt.

    Attributes:
        certain: Whether it has none so far. False, too, if the file is not in the order of time, about.
    """

    def __init__(self) -> None:
        self.certain = True
        self._recent: Any = None
        self._latest = self._dropped = _YEAR_1

    def see(self, batch: Batch) -> None:
        """Compare the rows of a batch with each other, and with the last ones before it."""
        if not self.certain or not batch.num_rows:
            return
        times = batch.column("time_start").cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        rows: Any = pa.table([times, *batch.select(["call_id", "attempt"]).columns], ["us", "call_id", "attempt"])
        ends = pc.min_max(times)
        if self._recent is not None:
            if ends["min"].as_py() - MARGIN < self._dropped:
                self.certain = False
                return
            rows = pa.concat_tables([self._recent, rows])
        self.certain = _unique(rows)
        self._latest = max(self._latest, ends["max"].as_py())
        # The next batch may begin before the end of this one.
        keep = self._latest - 2 * MARGIN
        self._recent = rows.filter(pc.greater_equal(rows.column("us"), keep))
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
    table = _table(staged.path)
    slices = _slices(connection, table)
    connection.execute("create or replace temp table dropped (slice integer, n bigint)")
    connection.execute("create or replace temp table kept (call_id text, attempt integer, us bigint)")
    for number, (span, plain) in enumerate(slices):
        if not certain or any(map(span.is_near, spans)):
            tables = (table, existing or f"(from {table} limit 0)")
            _compare(connection, number, span, tables, plain=plain, certain=certain)
    ((duplicates,),) = connection.execute("select count(*) from dropped").fetchall()
    if not duplicates:
        return staged.path, 0
    if duplicates == staged.rows:
        return None, duplicates
    path = folder / f"{staged.path.stem}-new{UNFINISHED}"
    writer = parquet_writer(path)
    try:
        for number, (span, _) in enumerate(slices):
            for batch in _new(connection, number, span, table):
                writer.write_batch(batch.cast(writer.schema))
    finally:
        writer.close()
    return path, duplicates


class Span(NamedTuple):
    """A span of time: from the first until before the last, in microseconds since 1970."""

    first: int
    last: int

    def is_near(self, other: Span) -> bool:
        """Return whether records of another span can be the same as those of this one."""
        return self.first - MARGIN <= other.last and other.first - MARGIN <= self.last


ANY_TIME: Final = Span(_YEAR_1, _YEAR_10000)
"""Of files whose times are not known."""


def _slices(connection: Any, table: str) -> list[tuple[Span, bool]]:
    """Return spans of whole hours with about `_SLICE` rows each, or one hour; and whether a row has no call ID."""
    query = f"""
        select (epoch_us(time_start) - {_YEAR_1}) // {_HOUR} as hour, count(*), count(call_id)
        from {table} group by 1 order by 1
    """
    slices: list[tuple[Span, bool]] = []
    rows = 0
    for hour, count, known in connection.execute(query).fetchall():
        span, plain = Span(_YEAR_1 + hour * _HOUR, _YEAR_1 + (hour + 1) * _HOUR), known < count
        if slices and rows + count <= _SLICE:
            before, had = slices.pop()
            span, plain, rows = Span(before.first, span.last), plain or had, rows + count
        else:
            rows = count
        slices.append((span, plain))
    return slices


def _table(path: Path) -> str:
    return f"read_parquet({files_text([path])}, file_row_number = true)"


def _new(connection: Any, number: int, span: Span, table: str) -> Iterator[Batch]:
    """Yield the rows of a slice that are not dropped."""
    dropped = f"select n from dropped where slice = {number}"
    query = f"""
        select {_names()} from {table} where {_within(span)} and file_row_number not in ({dropped})
        order by file_row_number
    """
    yield from reader_of(connection.sql(query))


def _names() -> str:
    return ", ".join(f'"{column.name}"' for column in dataset_columns())


def _within(span: Span, margin: int = 0) -> str:
    first, last = span.first - margin, span.last + margin
    return f"time_start >= make_timestamptz({first}::bigint) and time_start < make_timestamptz({last}::bigint)"


def _compare(connection: Any, number: int, span: Span, tables: tuple[str, str], *, plain: bool, certain: bool) -> None:
    """Add the rows of a slice that are not new to the table `dropped`."""
    names = [name for name, *_ in dataset_columns()]
    values = {
        "slice": number,
        "staged": tables[0],
        "existing": tables[1],
        "within": _within(span),
        "near": _within(span, MARGIN),
        "since": span.last - MARGIN,
        "names": _names(),
        "equal": " and ".join(f'p."{name}" is not distinct from h."{name}"' for name in names),
    }
    connection.execute(_KNOWN.format(**values))
    if plain:
        connection.execute(_PLAIN.format(**values))
    if not certain:
        connection.execute(_REPEATED.format(**values))
        _drop_later(connection, number)
        connection.execute(_KEPT.format(**values))


def _drop_later(connection: Any, number: int) -> None:
    """Of rows with the same ID and attempt over a longer time, drop those that are near one that stays."""
    result = connection.execute(
        f"select call_id, attempt, us, n from ids where longest > {MARGIN} and (k = 1 or later > {MARGIN}) order by all"
    )
    key: Any = None
    kept = 0
    found: list[int] = []
    while rows := result.fetchmany(_FETCHED):
        for call_id, attempt, us, n in rows:
            if (call_id, attempt) == key and us - kept <= MARGIN:
                found.append(n)
            else:
                key, kept = (call_id, attempt), us
    if found:
        later = pa.table({"n": pa.array(found, pa.int64())})
        connection.register("didww_later", later)
        connection.execute(f"insert into dropped select {number}, n from didww_later")
        connection.unregister("didww_later")


# An ID and attempt of the dataset is looked up by the hours of the times that are near it.
_KNOWN: Final = f"""
    create or replace temp table ids as
    select file_row_number as n, epoch_us(time_start) as us, call_id, attempt
    from {{staged}} where {{within}} and call_id is not null;
    insert into dropped
    with had as (
        select call_id, attempt, us,
            unnest(list_distinct([(us - {_YEAR_1 + MARGIN}) // {_HOUR}, (us - {_YEAR_1 - MARGIN}) // {_HOUR}])) as hour
        from (
            select call_id, attempt, epoch_us(time_start) as us
            from {{existing}} where {{near}} and call_id is not null
            union all from kept
        )
    )
    select {{slice}}, n from (select *, (us - {_YEAR_1}) // {_HOUR} as hour from ids) w semi join had h
    on w.call_id = h.call_id and w.attempt is not distinct from h.attempt and w.hour = h.hour
    and h.us between w.us - {MARGIN} and w.us + {MARGIN}
"""

_PLAIN: Final = """
    insert into dropped
    with p as (
        select {names}, file_row_number as n, row_number() over (partition by {names} order by file_row_number) as k
        from {staged} where {within} and call_id is null
    ),
    h as (select {names}, count(*) as many from {existing} where {within} and call_id is null group by all)
    select {slice}, n from p join h on {equal} where k <= many
"""

# Rows in the order of time: `later` is the time since the first, `longest` that of the last.
_REPEATED: Final = f"""
    create or replace temp table ids as
    select *, us - min(us) over same as later, max(us) over same - min(us) over same as longest,
        row_number() over (partition by call_id, attempt order by us, n) as k
    from ids where n not in (select n from dropped where slice = {{slice}})
    window same as (partition by call_id, attempt);
    insert into dropped select {{slice}}, n from ids where k > 1 and later <= {MARGIN}
"""

_KEPT: Final = """
    create or replace temp table kept as
    select call_id, attempt, us from ids
    where us >= {since} and n not in (select n from dropped where slice = {slice})
"""
