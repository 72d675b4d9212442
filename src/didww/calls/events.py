"""What a call tells of itself while it goes on, for the log, for hooks and for traces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from didww.calls.effects import Request, Response

__all__ = ["Answered", "Event", "Failed", "Observer", "Retrying", "Sending", "observers_for"]


class Sending(Struct, frozen=True):
    """A request is about to go out.

    Attributes:
        request: The request; its headers hold the key.
        attempt: 1 for the first time.
    """

    request: Request
    attempt: int


class Answered(Struct, frozen=True):
    """An answer came, perhaps one that says no.

    Attributes:
        request: The request.
        attempt: 1 for the first time.
        response: The answer.
        seconds: How long it took.
    """

    request: Request
    attempt: int
    response: Response
    seconds: float


class Failed(Struct, frozen=True):
    """No answer came.

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


class Retrying(Struct, frozen=True):
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


Event: TypeAlias = Sending | Answered | Failed | Retrying
Observer: TypeAlias = Callable[[Any], object]


def observers_for(
    on_request: Callable[[Sending], object] | None,
    on_response: Callable[[Answered], object] | None,
    on_retry: Callable[[Retrying], object] | None,
) -> tuple[tuple[type, Observer], ...]:
    """The hooks of a client, each with the event that it is for."""
    hooks: tuple[tuple[type, Observer | None], ...] = (
        (Sending, on_request),
        (Answered, on_response),
        (Retrying, on_retry),
    )
    return tuple((event, hook) for event, hook in hooks if hook is not None)
