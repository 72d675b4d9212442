"""Waiting for what the service does in the background: an order to be filled, an export to be prepared.

What ends a wait stands in the resource's declaration (`outcome`); here it is only looked for, at growing intervals.
A wait leaves nothing behind: after an interruption, wait again with the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from didww.calls.effects import Call, Now, Sleep
from didww.calls.operations import find, id_of
from didww.configuration import checked_timeout
from didww.exceptions import DeadlineExceeded, InvalidValue, WaitEnded
from didww.query_params import QueryParams
from didww.resources.base import Resource

if TYPE_CHECKING:
    from didww.calls.answer import ApiResponse
    from didww.configuration import Configuration

__all__ = ["Until", "wait"]

R = TypeVar("R", bound=Resource)
Until: TypeAlias = str | Callable[[R], bool]

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
GROWTH = 1.5
LAST_LOOK = 1.0
"""Seconds that the last look may take when the time of the wait is over."""


def wait(
    configuration: Configuration, cls: type[R], id: str | R, until: Until[R] | None, timeout: float
) -> Call[ApiResponse[R]]:
    """Ask for the record again and again until it is as wanted."""
    given = id_of(cls, id, "wait")
    outcome = cls.outcome
    if outcome is None and until is None:
        raise InvalidValue(f"{cls.path}().wait needs until=: a function of the record.", field="until")
    if outcome is not None and isinstance(until, str):
        try:
            cls._fields[outcome.field].dump(until)
        except InvalidValue as error:
            raise InvalidValue(f"until: {error}", field="until") from None
    left = checked_timeout(timeout)
    end = cast("float", (yield Now())) + left
    pause, state = FIRST_PAUSE, ""
    while True:
        limit = max(left, LAST_LOOK)
        try:
            answer = yield from find(
                configuration.replaced(timeout=min(configuration.timeout, limit)), cls, given, QueryParams()
            )
        except DeadlineExceeded:
            if configuration.timeout <= limit:
                raise
            raise _late(cls, given, state, timeout) from None
        record = answer.data
        state = str(getattr(record, outcome.field)) if outcome is not None else ""
        if _reached(record, state, until, outcome.reached if outcome is not None else ()):
            return answer
        if outcome is not None and state in outcome.ends:
            raise WaitEnded(
                f"{cls.__name__} {record.id} is {state}; it will not become {_wanted(until, outcome.reached)}.",
                resource=record,
            )
        left = end - cast("float", (yield Now()))
        if left <= 0:
            raise _late(cls, given, state, timeout)
        yield Sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE)
        left = end - cast("float", (yield Now()))


def _late(cls: type[Resource], id: str, state: str, timeout: float) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"{cls.__name__} {id} is {f'still {state}' if state else 'not known to be as wanted'} after {timeout:g} s. "
        f"It goes on at the service: wait again with the id {id!r}."
    )


def _reached(record: Any, state: str, until: Until[Any] | None, reached: tuple[str, ...]) -> bool:
    if until is None:
        return state in reached
    return state == until if isinstance(until, str) else bool(until(record))


def _wanted(until: Until[Any] | None, reached: tuple[str, ...]) -> str:
    if until is None:
        return " or ".join(reached)
    return str(until) if isinstance(until, str) else "what was waited for"
