"""Durations: `90`, `"30 days"`, `"1 h 30 min"`, or a `timedelta`."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import TypeAlias

__all__ = ["Duration", "parse_duration"]

Duration: TypeAlias = float | str | timedelta
"""Seconds, a `timedelta`, or text: `"30 days"`, `"1.5 h"`, `"1 day 12 hours"`, `"500 ms"`."""

_UNITS = {
    "ms": 0.001,
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "w": 604800,
    "week": 604800,
}
_PART = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*(?:,|and\b)?", re.ASCII | re.IGNORECASE)
_LONGEST = 100 * 366 * 86400


def parse_duration(value: Duration) -> float:
    """Return a duration in seconds.

    Raises:
        ValueError: It is not a duration from 0 to 100 years.

    Example:
        >>> parse_duration("30 days"), parse_duration("1 h 30 min"), parse_duration(2.5)
        (2592000.0, 5400.0, 2.5)
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        seconds = _parse_units(value)
    else:
        try:
            seconds = float(value)
        except OverflowError:
            seconds = math.inf
        except TypeError:
            raise ValueError(f"{value!r:.80} is not a duration. Write for example '30 days'.") from None
    if not math.isfinite(seconds) or not 0 <= seconds <= _LONGEST:
        # An integer of thousands of digits has no text in Python.
        shown = "The value" if isinstance(value, int) and value.bit_length() > 1000 else repr(value)
        raise ValueError(f"{shown} is not a duration from 0 to 100 years.")
    return seconds


def _parse_units(text: str) -> float:
    total, at = 0.0, 0
    while at < len(text.rstrip()):
        part = _PART.match(text, at)
        unit = _unit(part[2]) if part is not None else None
        if part is None or unit is None:
            known = "ms, s, min, h, days, weeks"
            raise ValueError(f"{text[:80]!r} is not a duration. Write numbers with units ({known}), such as '30 days'.")
        if not part[2] and (at or part.end() < len(text.rstrip())):
            raise ValueError(f"{text[:80]!r} is not a duration: {part[1]} has no unit.")
        total, at = total + float(part[1]) * unit, part.end()
    if not at:
        raise ValueError("An empty string is not a duration. Write for example '30 days'.")
    return total


def _unit(name: str) -> float | None:
    name = name.lower()
    return 1 if not name else _UNITS.get(name) or _UNITS.get(name.removesuffix("s"))
