"""The contents of a report: the questions that it asks about the calls, and the key figures."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from didww.cdr.report.drawing import named
from didww.cdr.report.numbers import NONE, compact, count, days, duration, moment, money, percent
from didww.cdr.report.page import Figure
from didww.cdr.report.plots.anomalies import anomalies
from didww.cdr.report.plots.channels import channels
from didww.cdr.report.plots.codes import codes
from didww.cdr.report.plots.costs import costs
from didww.cdr.report.plots.failures import failures
from didww.cdr.report.plots.places import new_places, unrouted
from didww.cdr.report.plots.traffic import traffic
from didww.cdr.report.plots.trunks import trunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from didww.cdr.calls import Calls
    from didww.cdr.report.parts import Plot

__all__ = ["Contents", "contents", "overview"]

_Rows: TypeAlias = "Sequence[Mapping[str, Any]]"

_HOURLY: Final = 15
"""Up to this number of days, the channels are those of each hour; else of each day."""
_CHANNEL_DAYS: Final = 1000
"""The channels of up to this number of days are drawn, the last ones: a record can have a time in another century."""
_NEW_DAYS: Final = 7
"""Places are new if their first call is in the last days of this number, and other calls are older."""
_ACCOUNTS: Final = 10
"""Accounts that are named."""


_OF_DIRECTIONS: Final = (
    ("trunks", "trunk", trunks),
    ("failed attempts", "trunk,hour", failures),
    ("disconnect codes", "disconnect_code", codes),
)
"""Plots of each direction: the step, what the calls are grouped by, and the plot of its rows."""


class Contents(NamedTuple):
    """What a page shows.

    Attributes:
        covers: What data it covers, in lines.
        figures: The key figures.
        plots: The plots.
    """

    covers: tuple[str, ...]
    figures: tuple[Figure, ...]
    plots: tuple[Plot, ...]


_NOTHING: Final = Contents(("There are no calls.",), (), ())


def contents(
    every_call: Calls,
    capacity: Mapping[str, int],
    progress: Callable[[str], None],
    start: datetime | None = None,
    end: datetime | None = None,
) -> Contents:
    """Return the contents of a report.

    Args:
        every_call: The calls; those of other times tell what is usual and known, and which channels are in use at the
            beginning.
        capacity: Number of channels by direction.
        progress: Called with the name of each question, before it is asked.
        start: Start of the period.
        end: End of the period, exclusive.
    """
    progress("totals")
    calls = every_call.where(start=start, end=end)
    totals = calls.summary(by=("account", "direction")).rows
    by_day = calls.summary(by=("day", "country")).rows
    if not by_day:
        return _NOTHING
    first, last = _period(by_day)
    progress("channels in use")
    every = "hour" if (last - first).days < _HOURLY else "day"
    low, high = _midnight(last, -_CHANNEL_DAYS), _midnight(last, 2)
    is_long = low > _midnight(first, 0)
    low, high = (low if start is None else max(low, start)), (high if end is None else min(high, end))

    def channels_in_use(direction: str, start: datetime | None, end: datetime | None, every: str | None) -> Any:
        number = capacity.get(direction)
        return every_call.concurrency(every=every, capacity=number, direction=direction, start=start, end=end).rows

    in_use = {each: channels_in_use(each, low, high, every) for each in _directions(totals)}
    whole = {each: channels_in_use(each, start, end, None)[0] for each in in_use} if is_long else {}
    plots = [
        *_of_traffic(calls, progress),
        costs(by_day),
        *(
            channels(rows, direction, every, capacity.get(direction), whole.get(direction))
            for direction, rows in in_use.items()
        ),
        *_of_changes(every_call, (start, end), first, last, progress),
    ]
    figures = (*_figures(totals), *_peaks(in_use | {each: [row] for each, row in whole.items()}))
    return Contents(_covers(totals, first, last), figures, tuple(plot for plot in plots if plot is not None))


def overview(calls: Calls) -> Contents:
    """Return the first part of a report, which takes few questions: the key figures and the traffic."""
    totals = calls.summary(by=("account", "direction")).rows
    by_day = calls.summary(by="day").rows
    if not by_day:
        return _NOTHING
    plot = traffic(calls.summary(by=("weekday", "hour")).rows)
    return Contents(_covers(totals, *_period(by_day)), _figures(totals), () if plot is None else (plot,))


def _of_traffic(calls: Calls, progress: Callable[[str], None]) -> Iterator[Plot | None]:
    progress("traffic")
    yield traffic(calls.summary(by=("weekday", "hour")).rows)
    for name, by, draw in _OF_DIRECTIONS:
        progress(name)
        for direction, rows in _by_direction(calls, by).items():
            yield draw(rows, direction)


def _of_changes(
    calls: Calls,
    period: tuple[datetime | None, datetime | None],
    first: date,
    last: date,
    progress: Callable[[str], None],
) -> Iterator[Plot | None]:
    start, end = period
    progress("unusual hours")
    yield anomalies(calls.anomalies(start=start, end=end).rows, first, last)
    progress("new places")
    since = _midnight(last, -_NEW_DAYS) if start is None else max(start, _midnight(last, -_NEW_DAYS))
    yield new_places(calls.new_places(start=since, end=end).rows, since)
    progress("calls without a trunk")
    yield unrouted(calls.unrouted(start=start, end=end).rows)


def _by_direction(calls: Calls, by: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return a summary for each direction; one question is faster than two."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in calls.summary(by=f"direction,{by}"):
        found.setdefault(row["direction"], []).append(row)
    return found


def _period(by_day: _Rows) -> tuple[date, date]:
    every = [row["day"] for row in by_day]
    return min(every), max(every)


def _midnight(day: date, days: int) -> datetime:
    """Return the beginning of the day so many days later; within the years that there are."""
    found = date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def _directions(totals: _Rows) -> list[str]:
    return sorted({row["direction"] for row in totals})


def _covers(totals: _Rows, first: date, last: date) -> tuple[str, ...]:
    records = sum(row["attempts"] for row in totals)
    accounts = sorted({row["account"] for row in totals})
    parts = _of_each(totals, "attempts", count) or _directions(totals)[0]
    lines = [f"{days(first, last)}, times in UTC. {count(records)} {'record' if records == 1 else 'records'}: {parts}."]
    if accounts != ["default"]:
        more = f" and {count(len(accounts) - _ACCOUNTS)} more" if len(accounts) > _ACCOUNTS else ""
        names = ", ".join(named(each, "") for each in accounts[:_ACCOUNTS])
        lines.append(f"{'Account' if len(accounts) == 1 else 'Accounts'}: {names}{more}.")
    return tuple(lines)


def _figures(totals: _Rows) -> tuple[Figure, ...]:
    answered, attempts, minutes = (sum(row[name] for row in totals) for name in ("answered", "attempts", "minutes"))
    return (
        Figure("Calls", count(sum(row["calls"] for row in totals)), _of_each(totals, "calls", compact)),
        Figure("Answered", percent(answered, attempts), f"of {count(attempts)} attempts"),
        Figure("Average duration", duration(minutes * 60 / answered) if answered else NONE, "of answered calls"),
        Figure("Minutes", count(minutes), _of_each(totals, "minutes", count)),
        Figure("Cost", money(sum((row["cost"] for row in totals), Decimal(0))), _of_each(totals, "cost", money)),
    )


def _of_each(totals: _Rows, name: str, shown: Callable[[Any], str]) -> str:
    """Return the part of each direction, if there are both."""
    directions = _directions(totals)
    parts = [f"{shown(sum(row[name] for row in totals if row['direction'] == each))} {each}" for each in directions]
    return ", ".join(parts) if len(parts) > 1 else ""


def _peaks(in_use: Mapping[str, _Rows]) -> Iterator[Figure]:
    """Yield the peak of channels; of both directions, in one figure."""
    peaks: dict[str, tuple[int, datetime]] = {}
    for direction, rows in in_use.items():
        top = max((row["peak"] for row in rows), default=0)
        if top:
            peaks[direction] = (top, next(row["peak_at"] for row in rows if row["peak"] == top))
    if len(peaks) == 1:
        ((top, when),) = peaks.values()
        yield Figure("Peak channels", count(top), moment(when))
    elif peaks:
        values = " / ".join(count(top) for top, _ in peaks.values())
        yield Figure("Peak channels", values, " / ".join(peaks))
