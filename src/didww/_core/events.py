"""What a call tells of itself while it goes on, for the log, for hooks and for traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from didww._core.effects import Request, Response

__all__ = [
    "Event",
    "Observer",
    "RequestFailed",
    "RequestStarted",
    "ResponseReceived",
    "RetryScheduled",
    "observers_for",
]


class RequestStarted(Struct, frozen=True):
    """A request is about to go out.

    Attributes:
        request: The request; hooks get it with the key masked in its headers.
        attempt: 1 for the first time.
    """

    request: Request
    attempt: int


class ResponseReceived(Struct, frozen=True):
    """A response arrived, perhaps one that says no.

    Attributes:
        request: The request.
        attempt: 1 for the first time.
        response: The response.
        seconds: How long it took.
    """

    request: Request
    attempt: int
    response: Response
    seconds: float


class RequestFailed(Struct, frozen=True):
    """No response arrived.

    Attributes:
        request: The request.
        attempt: 1 for the first time.
        error: What happened instead.
        seconds: How long it took.
    """

    request: Request
    attempt: int
    error: Exception
    seconds: float


class RetryScheduled(Struct, frozen=True):
    """The request will be sent again.

    Attributes:
        request: The request.
        attempt: Number of the attempt that failed.
        reason: A status, or `unsent`, or `broken`.
        wait: Seconds until then.
    """

    request: Request
    attempt: int
    reason: str | int
    wait: float


Event: TypeAlias = RequestStarted | ResponseReceived | RequestFailed | RetryScheduled
Observer: TypeAlias = Callable[[Any], object]


def observers_for(
    on_request: Callable[[RequestStarted], object] | None,
    on_response: Callable[[ResponseReceived], object] | None,
    on_retry: Callable[[RetryScheduled], object] | None,
) -> tuple[tuple[type, Observer], ...]:
    """The hooks of a client, each with the event that it is for."""
    hooks: tuple[tuple[type, Observer | None], ...] = (
        (RequestStarted, on_request),
        (ResponseReceived, on_response),
        (RetryScheduled, on_retry),
    )
    return tuple((event, hook) for event, hook in hooks if hook is not None)
