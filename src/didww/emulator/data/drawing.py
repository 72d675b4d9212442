"""Records drawn from a seed: when the calls and messages of a day are, and random bits for each.

Those of a line on a day depend only on the seed, the line and the day. They are drawn as integers, and sorted by time.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from functools import cache
from hashlib import md5
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["clock", "draw", "splitmix64", "time_of"]

# Relative number of calls by hour of the day.
_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 14, 16, 18, 17, 14, 10, 8, 6, 4, 3, 2, 1)
_WEEKEND = 0.35
_MAX_A_DAY = 1 << 16

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15
_FIELDS = 1024


def draw(
    names: list[str],
    writers: list[Callable[[str, int, int], str]],
    start: datetime,
    end: datetime,
    seed: int,
    a_day: float,
) -> Iterator[tuple[str, str]]:
    """Yield the records of some lines in order of time: time and CSV lines.

    Args:
        names: Names of the lines, which determine their records.
        writers: For each line, a function of the day, the second and random bits that returns the CSV lines.
        start: Start of the period.
        end: End of the period, exclusive.
        seed: The emulator's seed.
        a_day: Mean number of records of a line per weekday.
    """
    day, times = start.date(), clock()
    while day <= end.date():
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        first = max(0, math.ceil((start - midnight).total_seconds()))
        last = min(86400, math.ceil((end - midnight).total_seconds()))
        shown = day.isoformat()
        # One integer per call: second, line, index within the line; sorting gives the order of time.
        drawn: list[int] = []
        roots: list[int] = []
        for place, name in enumerate(names):
            root = int.from_bytes(md5(f"{seed}/{name}/{day}".encode(), usedforsecurity=False).digest()[:8], "big")
            roots.append(root)
            for n in range(_count(root, day, a_day)):
                bits = splitmix64(root, n)
                second = _hour_of()[bits & (_FIELDS - 1)] * 3600 + (bits >> 10) % 3600
                if first <= second < last:
                    drawn.append(second << 48 | place << 16 | n)
        drawn.sort()
        for packed in drawn:
            second, place, n = packed >> 48, packed >> 16 & 0xFFFFFFFF, packed & 0xFFFF
            moment = f"{shown} {times[second]}"
            yield moment, writers[place](shown, second, splitmix64(roots[place] ^ _GOLDEN, n))
        day += timedelta(days=1)


def splitmix64(root: int, n: int) -> int:
    """Return 64 pseudorandom bits (splitmix64)."""
    x = (root + (n + 1) * _GOLDEN) & _MASK
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & _MASK
    return x ^ x >> 31


def _count(root: int, day: date, a_day: float) -> int:
    """Return the number of calls of a line on a day: mostly few, sometimes many."""
    mean = a_day * (_WEEKEND if day.weekday() >= 5 else 1.0)
    part = ((root >> 11) + 0.5) / (1 << 53)
    return min(_MAX_A_DAY - 1, round(-math.log(part) * mean))


def time_of(day: str, second: int) -> str:
    """Return the time of a second from the beginning of a day, also if it is on the next one."""
    if second < 86400:
        return f"{day} {clock()[second]}"
    return f"{date.fromisoformat(day) + timedelta(days=1)} {clock()[second - 86400]}"


@cache
def clock() -> list[str]:
    """Return every second of a day as text, plus the hours that a call can last beyond it."""
    return [f"{s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}" for s in range(86400)]


@cache
def _hour_of() -> list[int]:
    """Return the hours by draw from 0 to 1023."""
    whole = sum(_HOURS)
    ends = [sum(_HOURS[: n + 1]) * _FIELDS / whole for n in range(24)]
    return [next(hour for hour, end in enumerate(ends) if draw < end) for draw in range(_FIELDS)]
