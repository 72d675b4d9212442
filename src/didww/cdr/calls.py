"""Questions about call records: the same on DuckDB, PostgreSQL and Spark, by Ibis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cdr.answer import fetched
from didww.cdr.answers import anomalies, concurrency, places, routing, selection, summary
from didww.cdr.answers.query import sql as query_sql

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date, datetime
    from decimal import Decimal
    from pathlib import Path

    import pyarrow as pa

    from didww.cdr.answer import Answer

__all__ = ["Calls"]


class Calls:
    """Call records to ask questions about: `open_calls` returns them for exports and datasets.

    Each answer is an Ibis expression, which the engine of the table computes when you read it: DuckDB in this process,
    or PostgreSQL or Spark. Each has the same result on all of them. An inbound call has a record for each routing
    attempt, so answers have `attempts`, the records, and `calls`, the distinct call IDs; records without a call ID are
    calls of their own. A record is answered if it has `time_connect`. Times are in UTC.

    Args:
        table: An Ibis table with the columns of a dataset of calls (docs/reference/call-dataset.md), and `account`,
            `direction` and `month`. The time zone of the session must be UTC, as Ibis sets it.

    Source: docs/explanation/call-answers.md.
    """

    def __init__(self, table: Any) -> None:
        self._table = table

    @property
    def table(self) -> Any:
        """The calls as an Ibis table (`ibis.expr.types.Table`)."""
        return self._table

    def where(
        self,
        *,
        direction: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        answered: bool | None = None,
        **values: str | int | date | Iterable[str | int | date] | None,
    ) -> Calls:
        """Return the calls with some values, to ask questions about them.

        Args:
            direction: `inbound` or `outbound`.
            start: First time of the start of a call.
            end: End of the period, exclusive.
            answered: Whether calls were answered.
            values: A value, or several, of `trunk`, `number`, `country`, `hour`, `weekday`, `day` or another name of
                `summary(by=)`; None selects the calls without a value.

        Raises:
            InvalidValueError: There is no such name, or a value is invalid.
        """
        return Calls(
            selection.where(self._table, direction=direction, start=start, end=end, answered=answered, values=values)
        )

    def summary(
        self,
        by: str | Iterable[str] = (),
        *,
        direction: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        sort: str | Iterable[str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Count calls, answers, minutes and cost, in all or by what you group them by.

        The columns are those of `by`, and: `calls`, distinct calls; `attempts`, the records; `answered`, the answered
        attempts; `asr`, the answer-seizure ratio, answered of 100 attempts; `acd`, the duration of all for each
        answered attempt, in seconds; `minutes`, connected; `cost`, US dollars.

        Args:
            by: One or several of `hour`, `weekday`, `day`, `month`, `number`, `country`, `trunk`, `trunk_group`,
                `capacity_group`, `disconnect_code`, `direction` and `account`; also as text, `"trunk,hour"`.
            direction: `inbound` or `outbound`; both by default.
            start: First time of the start of a call.
            end: End of the period, exclusive.
            sort: Columns to sort by, such as `"-cost"` for the highest first. Defaults to those of `by`.
            limit: The most rows.

        Raises:
            InvalidValueError: A name is not known, or a time has no time zone.

        Source: docs/explanation/call-answers.md.
        """
        return summary.summary(self._table, by, direction=direction, start=start, end=end, sort=sort, limit=limit)

    def concurrency(
        self,
        by: str | Iterable[str] = (),
        *,
        every: str | None = None,
        capacity: int | Mapping[str, int] | None = None,
        direction: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        sort: str | Iterable[str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Return the peak of channels in use, and how often and how long they were all in use.

        A record uses a channel from its start, ringing included, until its end; both are whole seconds. The columns
        are `time` with `every`, those of `by`, and: `peak`, the most channels in use at the same time; `peak_at`, when
        that was first; `channel_minutes`, their use; and with `capacity`: `capacity`; `times_full`, how often all came
        into use; `full_seconds`, for how long.

        Args:
            by: One or several of `trunk`, `number`, `capacity_group`, `trunk_group`, `country`, `direction` and
                `account`. In all by default.
            every: `hour` or `day` for a row for each one from the first call until the last, in UTC.
            capacity: Number of channels; or for each value of `by`.
            direction: `inbound` or `outbound`; both by default.
            start: Start of the period. Calls that began earlier count from then on.
            end: End of the period, exclusive.
            sort: Columns to sort by, such as `"-peak"`. Defaults to `time` and those of `by`.
            limit: The most rows.

        Raises:
            InvalidValueError: A name is not known, a capacity is not positive, or a time has no time zone.

        Source: docs/explanation/call-answers.md.
        """
        return concurrency.concurrency(
            self._table,
            by,
            every=every,
            capacity=capacity,
            direction=direction,
            start=start,
            end=end,
            sort=sort,
            limit=limit,
        )

    def anomalies(
        self,
        *,
        direction: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        threshold: float | Decimal = 4,
        min_days: int = 5,
        min_cost: float | Decimal = 1,
        min_count: int = 5,
        short: int = 6,
        limit: int | None = None,
    ) -> Answer:
        """Find hours of trunks whose cost, failures or short calls are far above the usual.

        Each hour of a trunk is compared with the same hour of its other days, without itself. The columns are `day`,
        `hour`, `account`, `direction`, `trunk`; `measure`: `cost`, `failures` (attempts that were not answered) or
        `short_calls`; `value`, that of the hour; `usual`, the mean of the other days; `deviation`, their standard
        deviation; `score`, how many deviations the value is above the usual. The highest score comes first.

        Args:
            direction: `inbound` or `outbound`; both by default.
            start: First time of the hours to return. The usual is that of all days.
            end: End of the hours to return, exclusive.
            threshold: Least score, in deviations.
            min_days: Least number of other days, from 2.
            min_cost: Least excess of cost, in US dollars.
            min_count: Least excess of failures, or short calls.
            short: Answered calls of fewer seconds are short.
            limit: The most rows.

        Raises:
            InvalidValueError: A limit is negative, or a time has no time zone.

        Source: docs/explanation/call-answers.md.
        """
        return anomalies.anomalies(
            self._table,
            direction=direction,
            start=start,
            end=end,
            threshold=threshold,
            min_days=min_days,
            min_cost=min_cost,
            min_count=min_count,
            short=short,
            limit=limit,
        )

    def new_places(
        self,
        by: str = "country",
        *,
        direction: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Find places that calls came from, or went to, for the first time.

        The columns are `direction`, `place`, `first_call`, `calls`, `attempts`, `answered`, `numbers` (how many of
        yours), `minutes` and `cost`. The highest cost comes first. The answer is empty if there are no calls before
        `start` to compare with.

        Args:
            by: `country`, or where the record has none, the calling code of the number; `network` of a country; or
                `calling_code`.
            direction: `inbound` or `outbound`; both by default.
            start: Places without calls before this time are new. Defaults to one day before the last call.
            end: End of the period, exclusive.
            limit: The most rows.

        Raises:
            InvalidValueError: `by` is not known, or a time has no time zone.

        Source: docs/explanation/call-answers.md.
        """
        return places.new_places(self._table, by, direction=direction, start=start, end=end, limit=limit)

    def unrouted(
        self, *, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Answer:
        """Find numbers with calls that reached no trunk.

        The columns are `number`, `calls`, `callers` (distinct), `first_call` and `last_call`. The most calls come
        first.

        Args:
            start: First time of the start of a call.
            end: End of the period, exclusive.
            limit: The most rows.

        Raises:
            InvalidValueError: A time has no time zone.

        Source: docs/explanation/call-answers.md.
        """
        return routing.unrouted(self._table, start=start, end=end, limit=limit)

    def dead_numbers(
        self,
        numbers: Iterable[Any],
        *,
        direction: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        unanswered: bool = False,
    ) -> Answer:
        """Find numbers without calls, to cancel or to repair.

        The columns are `number`, `attempts` in the period, `last_call` and `last_answered` in all calls.

        Args:
            numbers: Your numbers, or the records of `client.dids().iterate()`.
            direction: `inbound` or `outbound` calls only.
            start: Start of the period. Defaults to all calls.
            end: End of the period, exclusive.
            unanswered: Whether numbers whose calls are never answered are dead, too.

        Raises:
            InvalidValueError: A number is not one, or a time has no time zone.

        Source: docs/explanation/call-answers.md.
        """
        return routing.dead_numbers(
            self._table, numbers, direction=direction, start=start, end=end, unanswered=unanswered
        )

    def sql(self, query: str) -> Answer:
        """Return the answer to a query in the SQL of the engine; the calls are the table `calls`.

        Args:
            query: A query, such as `SELECT trunk, sum(cost) AS cost FROM calls GROUP BY trunk ORDER BY cost DESC`.

        Raises:
            InvalidValueError: The query is empty.
        """
        return query_sql(self._table, query)

    def arrow(self) -> pa.Table:
        """Return all calls as an Arrow table."""
        return selection.all_of(self._table).arrow()

    def polars(self) -> Any:
        """Return all calls as a `polars.DataFrame`.

        Raises:
            InvalidValueError: polars is not installed.
        """
        return selection.all_of(self._table).polars()

    def pandas(self) -> Any:
        """Return all calls as a `pandas.DataFrame`.

        Raises:
            InvalidValueError: pandas is not installed.
        """
        return selection.all_of(self._table).pandas()

    def __len__(self) -> int:
        return int(fetched(self._table.aggregate(n=self._table.count()))["n"][0].as_py())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(self._table.columns)})"

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        title: str = "Call report",
        capacity: int | Mapping[str, int] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        progress: Callable[[str], None] | None = None,
    ) -> Path:
        """Write a report: one page of HTML with plots, for screens of any size and for print.

        It has traffic by hour and weekday, answer ratio, duration and failures by trunk, disconnect codes, cost by
        country and day, channels in use, unusual hours, new places, calls that reached no trunk, and a table for each
        plot. The page is complete in itself, has no script, and shows sums only: it is small for any number of calls.

        Args:
            path: The file. It is replaced when the page is complete; a device or a pipe is written to.
            title: Title of the page.
            capacity: Number of channels that you have: for inbound calls, or for each direction, as in
                `{"inbound": 30, "outbound": 10}`.
            start: Start of the period. Unlike `where`, this leaves the calls of other times to compare with.
            end: End of the period, exclusive.
            progress: Called with the name of each question, such as `trunks`, before it is asked.

        Returns:
            The file.

        Raises:
            InvalidValueError: `capacity` is not valid, or a package of the extra is not installed.
            OSError: The file cannot be written.
        """
        from didww.cdr.report import write_report

        return write_report(self, path, title=title, capacity=capacity, start=start, end=end, progress=progress)

    def _repr_html_(self) -> str:
        from didww.cdr.report import for_notebook

        return for_notebook(self)
