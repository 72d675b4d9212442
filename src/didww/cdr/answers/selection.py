"""Calls with some values."""

from __future__ import annotations

import contextlib
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import answered as was_answered
from didww.cdr.answers.dimensions import between, in_direction, named
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["all_of", "where"]


def where(
    calls: Any,
    *,
    direction: str | None,
    start: datetime | None,
    end: datetime | None,
    answered: bool | None,
    values: Mapping[str, Any],
) -> Any:
    """Return the calls of a table that have some values. See `Calls.where`."""
    calls = between(in_direction(calls, direction), start, end)
    if answered is not None:
        if not isinstance(answered, bool):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(f"answered must be True or False, not {answered!r:.80}.", field="answered")
        calls = calls.filter(was_answered(calls) if answered else ~was_answered(calls))
    for name, value in values.items():
        (dimension,) = named([name], field=name, doing="selected").values()
        own = dimension.of(calls)
        if value is None:
            calls = calls.filter(own.isnull())
            continue
        several = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
        if not several:
            raise InvalidValueError(f"{name} has no value. Pass one, or several.", field=name)
        calls = calls.filter(own.isin([_value(name, dimension.type, each) for each in several]))
    return calls


_TYPES: Final[Mapping[str, tuple[type, Callable[[str], Any], str]]] = {
    "int64": (int, int, "an integer"),
    "date": (date, date.fromisoformat, "a date, such as 2026-11-30"),
    "string": (str, str, "text"),
}
"""By type of a dimension: that of its values, a function that makes one of a text, and its name."""


def _value(name: str, kind: str, value: Any) -> Any:
    """Return a value of a dimension, which can be a text of it."""
    type, parse, what = _TYPES[kind]
    if isinstance(value, type) and not isinstance(value, bool | datetime):
        return value
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            return parse(value.strip())
    raise InvalidValueError(f"{name} must be {what}, not {value!r:.80}.", field=name)


def all_of(calls: Any) -> Answer:
    """Return all columns and rows of a table, in the order of the engine."""
    return Answer(calls, {name: str(type) for name, type in calls.schema().items()}, sort=None)
