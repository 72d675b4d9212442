"""Months: how long a number, a channel or a service is paid for."""

from __future__ import annotations

import calendar
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = ["add_month", "last_day", "subtract_month"]


def add_month(moment: datetime, day: int | None = None) -> datetime:
    """The same day of the next month, or its last.

    Args:
        moment: From when.
        day: The day of the month at which it began, if `moment` is the last of a short month.

    Example:
        >>> from datetime import datetime
        >>> add_month(datetime(2026, 1, 31)).day, add_month(datetime(2026, 2, 28), 31).day
        (28, 31)
    """
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return moment.replace(year=year, month=month, day=min(day or moment.day, calendar.monthrange(year, month)[1]))


def last_day(end: date) -> str:
    """The last day that is paid for, if what is paid for ends at `end`."""
    return f"{end - timedelta(days=1):%Y-%m-%d}"


def subtract_month(end: date, day: int | None = None) -> date:
    """When a month that ends then began: the same day of the month before, or its last.

    Args:
        end: The end.
        day: The day of the month at which it began, if `end` is the last of a short month.
    """
    year, month = end.year - (end.month == 1), (end.month - 2) % 12 + 1
    return end.replace(year=year, month=month, day=min(day or end.day, calendar.monthrange(year, month)[1]))
