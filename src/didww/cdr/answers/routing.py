"""Numbers whose calls reach no trunk, and numbers without calls."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from didww._util.extras import need
from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import DIMENSIONS, answered, between, check_period, in_direction, literal
from didww.cdr.answers.exact import count_where
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["dead_numbers", "unrouted"]

_TIME: Final = "timestamp('UTC', 6)"
_SIGNS: Final = re.compile(r"[\s().-]")
"""What people write between the digits of a number."""


def unrouted(
    calls: Any, *, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
) -> Answer:
    """Return the numbers whose calls reached no trunk. See `Calls.unrouted`."""
    calls = between(in_direction(calls, "inbound"), start, end)
    calls = calls.filter(calls["trunk"].isnull())
    found = calls.group_by(number=calls["did_number"]).agg(
        calls=calls["call_id"].nunique() + count_where(calls["call_id"].isnull()),
        callers=calls["source"].nunique(),
        first_call=calls["time_start"].min(),
        last_call=calls["time_start"].max(),
    )
    schema = {"number": "string", "calls": "int64", "callers": "int64", "first_call": _TIME, "last_call": _TIME}
    return Answer(found, schema, sort=("-calls", "number"), limit=limit)


def dead_numbers(
    calls: Any,
    numbers: Iterable[Any],
    *,
    direction: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    unanswered: bool = False,
) -> Answer:
    """Return the numbers without calls. See `Calls.dead_numbers`."""
    ibis: Any = need("ibis")
    check_period(start, end)
    calls = in_direction(calls, direction)
    calls = calls.mutate(number=DIMENSIONS["number"].of(calls), answered=answered(calls))
    inside = calls["time_start"].notnull()
    if start is not None:
        inside &= calls["time_start"] >= literal(start)
    if end is not None:
        inside &= calls["time_start"] < literal(end)
    counted = inside & calls["answered"] if unanswered else inside
    seen = calls.group_by(called="number").agg(
        attempts=count_where(inside),
        counted=count_where(counted),
        last_call=calls["time_start"].max(),
        last_answered=calls["answered"].ifelse(calls["time_start"], ibis.null(_TIME)).max(),
    )
    own = ibis.literal(_texts(numbers), "array<string>").unnest().name("number").as_table()
    found = own.left_join(seen, own["number"] == seen["called"])
    found = found.mutate(attempts=ibis.coalesce(found["attempts"], ibis.literal(0, "int64")))
    found = found.filter(ibis.coalesce(found["counted"], ibis.literal(0, "int64")) == 0)
    schema = {"number": "string", "attempts": "int64", "last_call": _TIME, "last_answered": _TIME}
    return Answer(found, schema, sort=("number",))


def _texts(numbers: Iterable[Any]) -> list[str]:
    """Return each number once, as digits."""
    if isinstance(numbers, str) or not isinstance(numbers, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError("numbers must be several numbers; put a single one in a list.", field="numbers")
    found: dict[str, None] = {}
    for each in numbers:
        text = getattr(each, "number", each)
        digits = _SIGNS.sub("", text).removeprefix("+") if isinstance(text, str) else ""
        if not (digits.isascii() and digits.isdigit()):
            raise InvalidValueError(f"numbers must be phone numbers, or DIDs, not {text!r:.80}.", field="numbers")
        found[digits] = None
    return list(found)
