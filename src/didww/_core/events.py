"""Events of a call, for logging, hooks and tracing."""

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
    "ScopeDiffers",
    "observers_for",
]


class RequestStarted(Struct, frozen=True):
    """A request is about to be sent.

    Attributes:
        request: The request; hooks receive it with the API key masked.
        attempt: The attempt number, starting at 1.
    """

    request: Request
    attempt: int


class ResponseReceived(Struct, frozen=True):
    """A response was received, including error responses.

    Attributes:
        request: The request.
        attempt: The attempt number, starting at 1.
        response: The response.
        seconds: Elapsed time of the attempt.
    """

    request: Request
    attempt: int
    response: Response
    seconds: float


class RequestFailed(Struct, frozen=True):
    """A request failed without a response.

    Attributes:
        request: The request.
        attempt: The attempt number, starting at 1.
        error: The error.
        seconds: Elapsed time of the attempt.
    """

    request: Request
    attempt: int
    error: Exception
    seconds: float


class RetryScheduled(Struct, frozen=True):
    """A retry is scheduled.

    Attributes:
        request: The request.
        attempt: Number of the failed attempt.
        reason: The HTTP status, `unsent` or `broken`.
        wait: Seconds until the retry.
    """

    request: Request
    attempt: int
    reason: str | int
    wait: float


class ScopeDiffers(Struct, frozen=True):
    """The token service granted another scope than requested.

    Attributes:
        requested: The scope that was requested.
        granted: The scope that was granted.
    """

    requested: str
    granted: str


Event: TypeAlias = RequestStarted | ResponseReceived | RequestFailed | RetryScheduled | ScopeDiffers
Observer: TypeAlias = Callable[[Any], object]


def observers_for(
    on_request: Callable[[RequestStarted], object] | None,
    on_response: Callable[[ResponseReceived], object] | None,
    on_retry: Callable[[RetryScheduled], object] | None,
) -> tuple[tuple[type, Observer], ...]:
    """Return the hooks of a client, each with its event type."""
    hooks: tuple[tuple[type, Observer | None], ...] = (
        (RequestStarted, on_request),
        (ResponseReceived, on_response),
        (RetryScheduled, on_retry),
    )
    return tuple((event, hook) for event, hook in hooks if hook is not None)
