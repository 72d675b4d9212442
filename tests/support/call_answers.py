"""The answers about call records in plain Python, as the documentation defines them."""

from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["anomalies", "concurrency", "summary"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number_of(row: dict[str, Any]) -> str | None:
    return row["did_number"] if row["direction"] == "inbound" else row["source"] if row["cli"] is None else row["cli"]


OF: dict[str, Callable[[dict[str, Any]], Any]] = {
    "hour": lambda row: row["time_start"].hour,
    "weekday": lambda row: row["time_start"].isoweekday(),
    "day": lambda row: row["time_start"].date(),
    "month": lambda row: f"{row['time_start']:%Y-%m}",
    "number": number_of,
    "country": lambda row: row["source_country" if row["direction"] == "inbound" else "destination_country"],
}


def value_of(name: str, row: dict[str, Any]) -> Any:
    return OF[name](row) if name in OF else row[name]


def rounded(number: Fraction | None, digits: int) -> Decimal | None:
    """A number that is not negative, rounded half up."""
    if number is None:
        return None
    return Decimal(int(number * 10**digits + Fraction(1, 2))).scaleb(-digits)


def ordered(rows: Iterable[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows in order of some columns; null comes last."""
    return sorted(rows, key=lambda row: [(row[name] is None, _bytes(row[name])) for name in names])


def _bytes(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else "" if value is None else value


def grouped(rows: Iterable[dict[str, Any]], by: Sequence[str]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[tuple(value_of(name, row) for name in by)].append(row)
    return groups


def calls_of(rows: Sequence[dict[str, Any]]) -> int:
    return len({row["call_id"] for row in rows} - {None}) + sum(row["call_id"] is None for row in rows)


def summary(rows: Sequence[dict[str, Any]], by: Sequence[str]) -> list[dict[str, Any]]:
    groups = grouped(rows, by)
    if not by and not groups:
        groups[()] = []
    found = []
    for key, own in groups.items():
        answered = sum(row["time_connect"] is not None for row in own)
        seconds = sum(row["duration"] or 0 for row in own)
        found.append(
            {
                **dict(zip(by, key, strict=True)),
                "calls": calls_of(own),
                "attempts": len(own),
                "answered": answered,
                "asr": rounded(Fraction(100 * answered, len(own)), 2) if own else None,
                "acd": rounded(Fraction(seconds, answered), 1) if answered else None,
                "minutes": rounded(Fraction(seconds, 60), 2),
                "cost": sum((row["cost"] or Decimal(0) for row in own), Decimal(0)),
            }
        )
    return ordered(found, by)


def second(time: datetime) -> int:
    return (time - EPOCH) // timedelta(seconds=1)


def interval(row: dict[str, Any]) -> tuple[int, int]:
    begin = second(row["time_start"])
    if row["time_end"] is not None:
        return begin, second(row["time_end"])
    return begin, second(row["time_connect"] or row["time_start"]) + (row["duration"] or 0)


def concurrency(
    rows: Sequence[dict[str, Any]],
    by: Sequence[str],
    step: int | None,
    capacity: int,
    start: datetime | None,
    end: datetime | None,
) -> list[dict[str, Any]]:
    """Count the channels at each second at which something begins or ends."""
    found = []
    groups = grouped(rows, by)
    if not by and not groups:
        groups[()] = []
    for key, own in groups.items():
        spans = [
            (max(begin, second(start)) if start else begin, min(finish, second(end)) if end else finish)
            for begin, finish in map(interval, own)
        ]
        spans = [(begin, finish) for begin, finish in spans if finish > begin]
        if not spans and not by and not step:
            nothing = {"peak": 0, "peak_at": None, "channel_minutes": 0, "capacity": capacity}
            found.append({**nothing, "times_full": 0, "full_seconds": 0})
        if not spans:
            continue
        last = max(finish for _, finish in spans)
        times = {time for span in spans for time in span}
        if step:
            times |= set(range(min(times) // step * step, last, step))
        points = sorted(times)
        slots: dict[int, dict[str, Any]] = {}
        before = 0
        for time, following in itertools.pairwise(points):
            level = sum(begin <= time < finish for begin, finish in spans)
            slot = slots.setdefault(
                time // step * step if step else 0, {"peak": -1, "at": 0, "use": 0, "times": 0, "full": 0}
            )
            if level > slot["peak"]:
                slot |= {"peak": level, "at": time}
            slot["use"] += level * (following - time)
            slot["times"] += level >= capacity > before
            slot["full"] += following - time if level >= capacity else 0
            before = level
        found.extend(
            {
                **({"time": EPOCH + timedelta(seconds=name)} if step else {}),
                **dict(zip(by, key, strict=True)),
                "peak": slot["peak"],
                "peak_at": EPOCH + timedelta(seconds=slot["at"]),
                "channel_minutes": rounded(Fraction(slot["use"], 60), 2),
                "capacity": capacity,
                "times_full": slot["times"],
                "full_seconds": slot["full"],
            }
            for name, slot in slots.items()
        )
    return ordered(found, [*(["time"] if step else []), *by])


MEASURES: dict[str, Callable[[Sequence[dict[str, Any]]], Decimal]] = {
    "cost": lambda rows: sum((row["cost"] or Decimal(0) for row in rows), Decimal(0)).quantize(
        Decimal("0.000001"), ROUND_HALF_UP
    ),
    "failures": lambda rows: Decimal(sum(row["time_connect"] is None for row in rows)),
    "short_calls": lambda rows: Decimal(
        sum(row["time_connect"] is not None and (row["duration"] or 0) < 6 for row in rows)
    ),
}


def anomalies(
    rows: Sequence[dict[str, Any]], *, threshold: Decimal, min_days: int, smallest: Decimal
) -> dict[tuple[Any, ...], Decimal]:
    """The score of each cell, to be compared with a tolerance of its last digit."""
    days: dict[Any, set[date]] = defaultdict(set)
    first: dict[Any, date] = {}
    for row in rows:
        account, day = (row["account"], row["direction"]), row["time_start"].date()
        days[account].add(day)
        first[*account, row["trunk"]] = min(first.get((*account, row["trunk"]), day), day)
    found = {}
    cells = grouped(rows, ["account", "direction", "trunk", "hour", "day"])
    for name, measure in MEASURES.items():
        for key, own in cells.items():
            *cell, day = key
            others = sum(each >= first[tuple(cell[:3])] for each in days[tuple(cell[:2])]) - 1
            if others < min_days:
                continue
            values = [measure(them) for other, them in cells.items() if other[:4] == key[:4] and other[4] != day]
            values += [Decimal(0)] * (others - len(values))
            value, mean = measure(own), sum(values) / others
            deviation = (sum((each - mean) ** 2 for each in values) / (others - 1)).sqrt()
            least = max(mean / 10, Decimal("0.01")) if name == "cost" else max(mean, Decimal(1)).sqrt()
            score = (value - mean) / max(deviation, least)
            if value - mean >= smallest and value > mean and score + Decimal("0.05") >= threshold:
                found[*key, name] = (score + Decimal("0.05")).quantize(Decimal("0.1"), ROUND_FLOOR)
    return found
