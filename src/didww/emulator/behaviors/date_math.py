"""Arithmetic of calendar months."""

from __future__ import annotations

import calendar
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = ["add_month", "last_day", "subtract_month"]


def add_month(moment: datetime, day: int | None = None) -> datetime:
    """Return the same day of the next month, or its last day.

    Args:
        moment: Start.
        day: Billing day. Defaults to the day of `moment`.

    Example:
        >>> from datetime import datetime
        >>> add_month(datetime(2026, 1, 31)).day, add_month(datetime(2026, 2, 28), 31).day
        (28, 31)
    """
    year, month = moment.year + moment.month // 12, moment.month % 12 + 1
    return moment.replace(year=year, month=month, day=min(day or moment.day, calendar.monthrange(year, month)[1]))


def last_day(end: date) -> str:
    """Return the last paid day of a period that ends at `end`."""
    return f"{end - timedelta(days=1):%Y-%m-%d}"


def subtract_month(end: date, day: int | None = None) -> date:
    """Return the same day of the previous month, or its last day.

    Args:
        end: End.
        day: Billing day. Defaults to the day of `end`.
    """
    year, month = end.year - (end.month == 1), (end.month - 2) % 12 + 1
    return end.replace(year=year, month=month, day=min(day or end.day, calendar.monthrange(year, month)[1]))
