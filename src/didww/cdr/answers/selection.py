"""Calls with some values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import answered as was_answered
from didww.cdr.answers.dimensions import between, in_direction, named
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = ["all_of", "where"]


def where(
    calls: Any,
    *,
    direction: str | None,
    start: datetime | None,
    end: datetime | None,
    answered: bool | None,
    values: Mapping[str, str | Iterable[str] | None],
) -> Any:
    """Return the calls of a table that have some values. See `Calls.where`."""
    calls = between(in_direction(calls, direction), start, end)
    if answered is not None:
        calls = calls.filter(was_answered(calls) if answered else ~was_answered(calls))
    for name, value in values.items():
        (dimension,) = named([name], field=name).values()
        own = dimension.of(calls)
        if value is None:
            calls = calls.filter(own.isnull())
        else:
            several = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
            if not several:
                raise InvalidValueError(f"{name} has no value. Pass one, or several.", field=name)
            calls = calls.filter(own.isin(several))
    return calls


def all_of(calls: Any) -> Answer:
    """Return all columns and rows of a table, in the order of the engine."""
    return Answer(calls, {name: str(type) for name, type in calls.schema().items()}, sort=None)
