"""Waiting for what the service does in the background: an order to be filled, an export to be prepared.

What ends a wait stands in the resource's declaration (`outcome`); here it is only looked for, at growing intervals.
A wait leaves nothing behind: after an interruption, wait again with the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from didww.calls.effects import Call, Now, Sleep
from didww.calls.operations import find
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


def wait(
    configuration: Configuration, cls: type[R], id: str | R, until: Until[R] | None, timeout: float
) -> Call[ApiResponse[R]]:
    """Ask for the record again and again until it is as wanted."""
    given = id.id if isinstance(id, Resource) else id
    outcome = cls.outcome
    if outcome is None and until is None:
        raise InvalidValue(f"{cls.path}().wait needs until=: a function of the record.", field="until")
    end = (yield Now()) + checked_timeout(timeout)
    pause = FIRST_PAUSE
    while True:
        answer = yield from find(configuration, cls, given, QueryParams())
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
            raise DeadlineExceeded(
                f"{cls.__name__} {record.id} is still {state or 'not as wanted'} after {timeout:g} s. "
                f"It goes on at the service: wait again with the id {record.id!r}."
            )
        yield Sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST_PAUSE)


def _reached(record: Any, state: str, until: Until[Any] | None, reached: tuple[str, ...]) -> bool:
    if until is None:
        return state in reached
    return state == until if isinstance(until, str) else bool(until(record))


def _wanted(until: Until[Any] | None, reached: tuple[str, ...]) -> str:
    if until is None:
        return " or ".join(reached)
    return str(until) if isinstance(until, str) else "what was waited for"
