"""Times and periods of a command line: a day, a month, the last seven days. All are in UTC, as those of the service."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

import click

from didww.cli.parameters import duration

__all__ = ["DateTime", "Period", "add_months", "date_time", "month", "since"]

_DAY: Final = timedelta(days=1)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DURATION_AT_LEAST: Final = re.compile(r"\d+ *[a-z]?", re.IGNORECASE | re.ASCII)
_MONTH: Final = re.compile(r"(\d{4})-(\d\d)", re.ASCII)


class DateTime(NamedTuple):
    """A time, or the beginning of a day.

    Attributes:
        time: The time, or 00:00 of the day.
        whole_day: Whether it is a day.
    """

    time: datetime
    whole_day: bool

    @property
    def end(self) -> datetime:
        """The end of the day; the time itself if it is not a day."""
        return self.time + _DAY if self.whole_day else self.time


def date_time(value: Any) -> DateTime:
    """Return the time of a text such as `2026-11-01` or `2026-11-01 14:30`."""
    if isinstance(value, DateTime):
        return value
    text = str(value).strip()
    try:
        if _DATE.fullmatch(text):
            return DateTime(datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC), whole_day=True)
        parsed = datetime.fromisoformat(text) if _DATE.match(text) else None
    except ValueError:
        parsed = None
    if parsed is None:
        raise click.BadParameter(f"{text!r:.80} is not a date. Write 2026-11-01, or 2026-11-01T14:30 in UTC.")
    time = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return DateTime(time.replace(microsecond=0), whole_day=False)


def since(value: Any) -> datetime | timedelta:
    """Return the time of a text such as `2026-11-01`, or the duration of one such as `7d`."""
    if isinstance(value, (datetime, timedelta)):
        return value
    text = str(value).strip()
    return duration(text) if _DURATION_AT_LEAST.fullmatch(text) else date_time(text).time


def month(value: Any) -> Period:
    """Return the period of a month such as `2026-11`."""
    match = _MONTH.fullmatch(str(value).strip())
    if match is None or not 1 <= int(match[2]) <= 12 or match[1] == "0000":
        raise click.BadParameter(f"{value!r:.80} is not a month. Write 2026-11.")
    start = datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC)
    return Period(start, add_months(start, 1))


class Period(NamedTuple):
    """A period of time; its end is not included."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M} UTC"

    @property
    def name(self) -> str:
        """The period for the name of a file, such as `2026-11-01_2026-11-30`: whole days are included."""
        if all(each.time() == datetime.min.time() for each in self):
            last = self.end - _DAY
            return f"{self.start:%Y-%m-%d}" + (f"_{last:%Y-%m-%d}" if last > self.start else "")
        return f"{self.start:%Y-%m-%dT%H%M}_{self.end:%Y-%m-%dT%H%M}"


def add_months(start: datetime, months: int) -> datetime:
    """Return the beginning of the month that is so many months after that of a time; before it if negative."""
    count = start.year * 12 + start.month - 1 + months
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)
