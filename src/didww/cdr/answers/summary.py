"""Calls, answers, minutes and cost, in all or by what you group them by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import answered, between, in_direction, named
from didww.cdr.answers.exact import MONEY_SUM, count_where, ratio, total

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["COLUMNS", "summary"]

COLUMNS: Final = {
    "calls": "int64",
    "attempts": "int64",
    "answered": "int64",
    "asr": "decimal(18, 2)",
    "acd": "decimal(18, 1)",
    "minutes": "decimal(18, 2)",
    "cost": MONEY_SUM,
}
"""The columns of a summary after those that it groups by, and their types."""


def summary(
    calls: Any,
    by: str | Iterable[str] = (),
    *,
    direction: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    sort: str | Iterable[str] | None = None,
    limit: int | None = None,
) -> Answer:
    """Return calls, answers, minutes and cost of a table of calls. See `Calls.summary`."""
    groups = named(by)
    calls = between(in_direction(calls, direction), start, end)
    found = calls.aggregate(
        by=[group.of(calls).cast(group.type).name(name) for name, group in groups.items()],
        calls=calls["call_id"].nunique() + count_where(calls["call_id"].isnull()),
        attempts=calls.count(),
        answered=count_where(answered(calls)),
        seconds=total(calls["duration"]),
        cost=total(calls["cost"], MONEY_SUM),
    )
    found = found.mutate(
        asr=ratio(found["answered"] * 100, found["attempts"], 2),
        acd=ratio(found["seconds"], found["answered"], 1),
        minutes=ratio(found["seconds"] * 10, found["seconds"] * 0 + 600, 2),
    )
    schema = {**{name: group.type for name, group in groups.items()}, **COLUMNS}
    return Answer(found, schema, sort=list(groups) if sort is None else sort, limit=limit)
