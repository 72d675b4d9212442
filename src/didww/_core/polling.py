"""Waiting for what the service does in the background: an order to be filled, an export to be prepared.

What ends a wait stands in the resource's declaration (`outcome`); here it is only looked for, at growing intervals.
A wait leaves nothing behind: after an interruption, wait again with the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Generic, TypeAlias, TypeVar, cast

from didww._core.effects import Call, Sleep, callback, clock
from didww._core.operations import find, id_of
from didww._schema.resource import Resource
from didww.configuration import checked_timeout
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    DidwwError,
    InvalidValueError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    WaitError,
)
from didww.query_params import QueryParams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from didww._core.response import ApiResponse
    from didww._schema.resource import WaitSpec
    from didww.configuration import Configuration

__all__ = ["Until", "wait"]

R = TypeVar("R", bound=Resource)
Until: TypeAlias = str | Callable[[R], bool]

FIRST_PAUSE: Final = 0.5
MAX_PAUSE: Final = 5.0
GROWTH: Final = 1.5
LAST_LOOK: Final = 1.0
"""Seconds that the last look may take when the time of the wait is over."""


def wait(
    configuration: Configuration,
    cls: type[R],
    id: str | UUID | R,
    until: Until[R] | None,
    timeout: float,
    on_update: Callable[[R], object] | None = None,
) -> Call[ApiResponse[R]]:
    """Ask for the record again and again until it is as wanted."""
    given = id_of(cls, id, "wait")
    wanted = _Wanted(cls, until)
    if on_update is not None and not callable(on_update):
        raise InvalidValueError("on_update is a function of the record.", field="on_update")
    left = checked_timeout(timeout)
    end = (yield from clock()) + left
    pause, record, trouble = FIRST_PAUSE, cast("R | None", None), cast("DidwwError | None", None)
    while True:
        limit = max(left, LAST_LOOK)
        asked = 0.0
        try:
            response = yield from find(
                configuration.replaced(timeout=min(configuration.timeout, limit)), cls, given, QueryParams()
            )
        except (ApiConnectionError, UnexpectedResponseError, RateLimitError, ServerError) as error:
            # Before the first look that went well, it may be the address or the key that is wrong.
            if record is None and not (isinstance(error, ApiTimeoutError) and configuration.timeout > limit):
                raise
            trouble, asked = error, getattr(error, "retry_after", None) or 0.0
        else:
            if on_update is not None and (record is None or _state(record) != _state(response.data)):
                yield callback(on_update, response.data)
            record, trouble = response.data, None
            if wanted.reached(record):
                return response
            wanted.check(record)
        left = end - (yield from clock())
        if left <= 0:
            raise _late(cls, given, wanted.status(record), timeout, trouble)
        yield Sleep(min(max(pause, asked), left))
        pause = min(pause * GROWTH, MAX_PAUSE)
        left = end - (yield from clock())


class _Wanted(Generic[R]):
    """What a wait is for."""

    def __init__(self, cls: type[R], until: Until[R] | None) -> None:
        outcome = cls._outcome
        if outcome is None and until is None:
            raise InvalidValueError(f"{cls._path}().wait needs until=: a function of the record.", field="until")
        if outcome is not None and isinstance(until, str):
            try:
                cls._field_map[outcome.field].dump(until)
            except InvalidValueError as error:
                raise InvalidValueError(f"until: {error}", field="until") from None
        elif until is not None and not callable(until):
            raise InvalidValueError("until is a status, or a function of the record.", field="until")
        self._cls = cls
        self._until = until
        self._outcome = outcome

    def status(self, record: R | None) -> str:
        """The state of `record`, as far as it is known and has a name."""
        return str(getattr(record, self._outcome.field)) if record is not None and self._outcome is not None else ""

    def reached(self, record: R) -> bool:
        """Whether `record` is as wanted."""
        if callable(self._until):
            return bool(self._until(record))
        assert self._outcome is not None  # noqa: S101 checked when this was made
        return self.status(record) in ((self._until,) if self._until is not None else self._outcome.success)

    def check(self, record: R) -> None:
        """Nothing, as long as `record` may still become as wanted.

        Raises:
            WaitError: It cannot any more, or not by itself.
        """
        outcome, status = self._outcome, self.status(record)
        if outcome is None:
            return
        stalled = self._until is None and status in outcome.blocked
        if not stalled and status not in outcome.terminal:
            return
        reasons = tuple(_reasons(record, outcome.reasons))
        why = f": {'; '.join(reasons)}" if reasons else ""
        then = "it goes on only after somebody has acted" if stalled else f"it will not become {self._name(outcome)}"
        raise WaitError(f"{self._cls.__name__} {record.id} is {status}{why}; {then}.", resource=record, reasons=reasons)

    def _name(self, outcome: WaitSpec) -> str:
        if self._until is None:
            return " or ".join(outcome.success)
        return str(self._until) if isinstance(self._until, str) else "what was waited for"


def _reasons(record: Resource, fields: tuple[str, ...]) -> Iterator[str]:
    for name in fields:
        value = getattr(record, name, None)
        yield from (str(one) for one in cast("list[Any]", value if isinstance(value, list) else [value]) if one)


def _state(record: Resource) -> object:
    return record._object.attributes, record._object.relationships


def _late(cls: type[Resource], id: str, status: str, timeout: float, trouble: DidwwError | None) -> ApiTimeoutError:
    state = f"still {status}" if status else "not known to be as wanted"
    last = f" The last look failed: {trouble}" if trouble is not None else ""
    error = ApiTimeoutError(
        f"{cls.__name__} {id} is {state} after {timeout:g} s. It goes on at the service: wait again with the id {id!r}."
        f"{last}",
        phase="waiting for the record",
    )
    error.elapsed = timeout
    return error
