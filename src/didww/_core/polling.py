"""Poll a record until a background job of the service finishes, such as an order or an export.

The resource's declaration (`WaitSpec`) says which statuses end the wait. The polling interval grows. Nothing is stored
on the server: after an interruption, wait again with the same id.
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
"""Minimum timeout, in seconds, of the last request of a wait."""


def wait(
    configuration: Configuration,
    cls: type[R],
    id: str | UUID | R,
    until: Until[R] | None,
    timeout: float,
    on_update: Callable[[R], object] | None = None,
) -> Call[ApiResponse[R]]:
    """Fetch the record repeatedly until it meets the condition, and return the last response."""
    record_id = id_of(cls, id, "wait")
    condition = _Condition(cls, until)
    if on_update is not None and not callable(on_update):
        raise InvalidValueError(
            f"on_update must be a function that takes the record, got {type(on_update).__name__}.", field="on_update"
        )
    remaining = checked_timeout(timeout)
    end = (yield from clock()) + remaining
    pause, record, last_error = FIRST_PAUSE, cast("R | None", None), cast("DidwwError | None", None)
    while True:
        limit = max(remaining, LAST_LOOK)
        retry_after = 0.0
        try:
            response = yield from find(
                configuration.replaced(timeout=min(configuration.timeout, limit)), cls, record_id, QueryParams()
            )
        except (ApiConnectionError, UnexpectedResponseError, RateLimitError, ServerError) as error:
            # Until a first request succeeds, the URL or the API key may be wrong.
            if record is None and not (isinstance(error, ApiTimeoutError) and configuration.timeout > limit):
                raise
            last_error, retry_after = error, getattr(error, "retry_after", None) or 0.0
        else:
            if on_update is not None and (record is None or _state(record) != _state(response.data)):
                yield callback(on_update, response.data)
            record, last_error = response.data, None
            if condition.reached(record):
                return response
            condition.check(record)
        remaining = end - (yield from clock())
        if remaining <= 0:
            raise _timeout_error(cls, record_id, condition.status(record), timeout, last_error)
        yield Sleep(min(max(pause, retry_after), remaining))
        pause = min(pause * GROWTH, MAX_PAUSE)
        remaining = end - (yield from clock())


class _Condition(Generic[R]):
    """The condition that ends a wait."""

    def __init__(self, cls: type[R], until: Until[R] | None) -> None:
        outcome = cls._outcome
        if outcome is None and until is None:
            raise InvalidValueError(
                f"until must be set for {cls._path}().wait, to a function that takes the record.", field="until"
            )
        if outcome is not None and isinstance(until, str):
            try:
                cls._field_map[outcome.field].dump(until)
            except InvalidValueError as error:
                raise InvalidValueError(f"until: {error}", field="until") from None
        elif until is not None and not callable(until):
            raise InvalidValueError(
                f"until must be a status or a function that takes the record, got {type(until).__name__}.",
                field="until",
            )
        self._cls = cls
        self._until = until
        self._outcome = outcome

    def status(self, record: R | None) -> str:
        """Return the status of `record`, or an empty string if it has none."""
        return str(getattr(record, self._outcome.field)) if record is not None and self._outcome is not None else ""

    def reached(self, record: R) -> bool:
        """Return whether `record` meets the condition."""
        if callable(self._until):
            return bool(self._until(record))
        assert self._outcome is not None  # noqa: S101 checked by the constructor
        return self.status(record) in ((self._until,) if self._until is not None else self._outcome.success)

    def check(self, record: R) -> None:
        """Check that `record` can still meet the condition.

        Raises:
            WaitError: It cannot anymore, or not without someone's action.
        """
        outcome, status = self._outcome, self.status(record)
        if outcome is None:
            return
        stalled = self._until is None and status in outcome.blocked
        if not stalled and status not in outcome.terminal:
            return
        reasons = tuple(_reasons(record, outcome.reasons))
        why = f": {'; '.join(reasons)}" if reasons else ""
        consequence = "it needs action to continue" if stalled else f"it cannot become {self._name(outcome)}"
        raise WaitError(
            f"{self._cls.__name__} {record.id} is {status}{why}; {consequence}.", resource=record, reasons=reasons
        )

    def _name(self, outcome: WaitSpec) -> str:
        if self._until is None:
            return " or ".join(outcome.success)
        return str(self._until) if isinstance(self._until, str) else "what until= expects"


def _reasons(record: Resource, fields: tuple[str, ...]) -> Iterator[str]:
    for name in fields:
        value = getattr(record, name, None)
        values = cast("list[Any]", value if isinstance(value, list) else [value])
        yield from (str(reason) for reason in values if reason)


def _state(record: Resource) -> object:
    return record._object.attributes, record._object.relationships


def _timeout_error(
    cls: type[Resource], id: str, status: str, timeout: float, last_error: DidwwError | None
) -> ApiTimeoutError:
    state = f"still {status}" if status else "not ready"
    last = f" The last request failed: {last_error}" if last_error is not None else ""
    error = ApiTimeoutError(
        f"{cls.__name__} {id} is {state} after {timeout:g} s. The service continues: wait again with the id {id!r}."
        f"{last}",
        phase="waiting for the record",
    )
    error.elapsed = timeout
    return error
