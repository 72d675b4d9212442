"""Numbers and times as text for people."""

from __future__ import annotations

from decimal import Decimal
from math import floor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date, datetime

__all__ = [
    "MONTHS",
    "NONE",
    "NO_TRUNK",
    "TO",
    "WEEKDAYS",
    "compact",
    "count",
    "day",
    "days",
    "duration",
    "moment",
    "money",
    "percent",
    "short",
]

NONE: Final = "\N{EN DASH}"
"""For a number that there is none of."""
NO_TRUNK: Final = "(no trunk)"
TO: Final = "\N{EN DASH}"
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS: Final = ((1_000_000_000, "bn"), (1_000_000, "M"), (1_000, "k"))
_ROUNDED_UP: Final = 0.9995
"""From this share of a unit on, three digits are those of the unit."""


def count(value: float | Decimal) -> str:
    """Return a number as a whole one, rounded half up.

    Example:
        >>> from decimal import Decimal
        >>> count(1234567), count(Decimal("12.5"))
        ('1,234,567', '13')
    """
    return f"{floor(value + Decimal('0.5')) if isinstance(value, Decimal) else floor(value + 0.5):,}"


def short(value: float) -> str:
    """Return a number with three digits at most, for the labels of an axis.

    Example:
        >>> short(1500), short(2_000_000), short(12), short(0.25), short(999_999)
        ('1.5k', '2M', '12', '0.25', '1M')
    """
    size, unit = next(((size, unit) for size, unit in _UNITS if abs(value) >= size * _ROUNDED_UP), (1, ""))
    scaled = value / size
    return f"{scaled:,.0f}{unit}" if abs(scaled) >= 999.5 else f"{scaled:.3g}{unit}"


def compact(value: int) -> str:
    """Return a number of up to 99,999 as it is, and a larger one with three digits.

    Example:
        >>> compact(54321), compact(1_234_567)
        ('54,321', '1.23M')
    """
    return count(value) if value < 100_000 else short(value)


def percent(part: float | Decimal, whole: float | Decimal) -> str:
    """Return a share in percent; a dash if there is nothing to share.

    Example:
        >>> percent(2, 3)
        '66.7%'
    """
    return f"{float(part) / float(whole):.1%}" if whole else NONE


def duration(seconds: float | Decimal) -> str:
    """Return seconds as a duration.

    Example:
        >>> duration(48), duration(95), duration(7260)
        ('48 s', '1 min 35 s', '2 h 1 min')
    """
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    return f"{total // 3600:,} h {total % 3600 // 60} min"


def money(value: Decimal | float, places: int = 2) -> str:
    """Return an amount in US dollars.

    Example:
        >>> from decimal import Decimal
        >>> money(Decimal("1234.5")), money(Decimal("-0.0035"), 4)
        ('$1,234.50', '-$0.0035')
    """
    return f"{'-' if value < 0 else ''}${abs(value):,.{places}f}"


def day(value: date) -> str:
    """Return a date.

    Example:
        >>> from datetime import date
        >>> day(date(2026, 11, 3))
        'Nov 3, 2026'
    """
    return f"{MONTHS[value.month - 1]} {value.day}, {value.year}"


def days(first: date, last: date) -> str:
    """Return a period of days.

    Example:
        >>> from datetime import date
        >>> days(date(2026, 9, 1), date(2026, 9, 1))
        'Sep 1, 2026'
    """
    if first == last:
        return day(first)
    start = day(first) if first.year != last.year else f"{MONTHS[first.month - 1]} {first.day}"
    return f"{start} {TO} {day(last)}"


def moment(value: datetime) -> str:
    """Return a time to the minute.

    Example:
        >>> from datetime import datetime
        >>> moment(datetime(2026, 11, 3, 9, 5))
        'Nov 3, 2026, 09:05'
    """
    return f"{day(value)}, {value:%H:%M}"
