"""Ticks of scales: round numbers, and beginnings of hours, days and months."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from didww._util.extras import need
from didww.cdr.report.numbers import MONTHS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["day_ticks", "time_ticks", "value_ticks"]

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_STEPS: Final = tuple(_HOUR * n for n in (1, 3, 6, 12, 24, 48, 24 * 7, 24 * 14))
_MONTHS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000)


def value_ticks(most: float, number: int, *, whole: bool = False) -> list[float]:
    """Return ticks of a scale from zero up to the first one that is not below `most`.

    Args:
        most: Largest value.
        number: Number of intervals, about.
        whole: Whether the values are whole numbers.

    Example:
        >>> value_ticks(873, 4)
        [0.0, 250.0, 500.0, 750.0, 1000.0]
    """
    need("matplotlib")
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(number, integer=whole, steps=[1, 2, 2.5, 5, 10])
    ticks = [float(tick) for tick in locator.tick_values(0, most if most > 0 else 1)]
    return [tick for tick in ticks if tick >= 0]


def time_ticks(start: datetime, end: datetime, most: int) -> list[tuple[datetime, str]]:
    """Return at most about `most` ticks between two times, with their labels.

    Example:
        >>> start = datetime(2026, 9, 1)
        >>> [label for _, label in time_ticks(start, datetime(2026, 12, 1), 6)]
        ['Sep 2026', 'Oct', 'Nov', 'Dec']
    """
    for step in _STEPS:
        if (end - start) / step <= most:
            return [(time, _label(time, step)) for time in _multiples(start, end, step)]
    span = (end.year - start.year) * 12 + end.month - start.month
    step_months = next((step for step in _MONTHS if span / step <= most), _MONTHS[-1])
    ticks = [(time, _month(time, step_months)) for time in _months(start, end, step_months)]
    if ticks and step_months < 12 and ticks[0][0].month != 1:
        ticks[0] = (ticks[0][0], f"{ticks[0][1]} {ticks[0][0].year}")
    return ticks


def day_ticks(first: date, last: date, most: int) -> list[tuple[int, str]]:
    """Return ticks between two days: the number of days since the first one, and the label.

    Example:
        >>> from datetime import date
        >>> day_ticks(date(2026, 9, 1), date(2026, 9, 3), 4)
        [(0, 'Sep 1'), (1, 'Sep 2'), (2, 'Sep 3')]
    """
    start, end = (datetime(each.year, each.month, each.day, tzinfo=UTC) for each in (first, last))
    ticks = time_ticks(start, end, min(most, max((last - first).days, 1)))
    return [((time - start).days, label) for time, label in ticks]


def _multiples(start: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    """Yield the multiples of a step; those of weeks are Mondays."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    time = midnight + timedelta(days=-start.weekday() % 7) if step >= 7 * _DAY else midnight
    while True:
        if time >= start:
            yield time
        if end - time < step:
            return
        time += step


def _label(time: datetime, step: timedelta) -> str:
    return f"{time:%H:%M}" if step < _DAY and time.hour else f"{MONTHS[time.month - 1]} {time.day}"


def _months(start: datetime, end: datetime, step: int) -> Iterator[datetime]:
    first = start.year if step < 12 else -(-start.year // (step // 12)) * (step // 12)
    year, month = first, 1
    while year <= MAXYEAR and (time := datetime(year, month, 1, tzinfo=start.tzinfo)) <= end:
        if time >= start:
            yield time
        year, month = year + (month + step - 1) // 12, (month + step - 1) % 12 + 1


def _month(time: datetime, step: int) -> str:
    if step >= 12:
        return str(time.year)
    return f"{MONTHS[time.month - 1]} {time.year}" if time.month == 1 else MONTHS[time.month - 1]
