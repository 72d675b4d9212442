"""The trace of one call, for traces: begun, so many attempts, this outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from didww._core.effects import callback

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww._core.effects import Call, Request
    from didww.configuration import Configuration

__all__ = ["CallTrace", "Tracing", "with_trace"]

T = TypeVar("T")


class CallTrace:
    """What is known of a call while it goes on.

    Attributes:
        request: The request of its first attempt.
        attempts: How often it was sent, or tried to.
        status: The status of the last response; None if there was none.
        request_id: The `X-Request-Id` of that response, or None.
        error: What it ended with; None if there was a response.
        in_doubt: Whether the last attempt may have been carried out without its caller having seen the response.
        span: The tracer's own.
    """

    __slots__ = ("attempts", "error", "in_doubt", "request", "request_id", "span", "status")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.attempts = 0
        self.status: int | None = None
        self.request_id: str | None = None
        self.error: BaseException | None = None
        self.in_doubt = False
        self.span: Any = None

    def respond(self, status: int, headers: Mapping[str, str]) -> None:
        """Note a response."""
        self.status, self.request_id = status, headers.get("x-request-id")


class Tracing(Protocol):
    """Follows each call."""

    def begin(self, trace: CallTrace) -> None:
        """It begins, in this thread or task."""
        ...

    def end(self, trace: CallTrace) -> None:
        """It ended, in the same thread or task."""
        ...


def with_trace(configuration: Configuration, trace: CallTrace, inner: Callable[[CallTrace], Call[T]]) -> Call[T]:
    """`inner`, which keeps the trace up to date, with its beginning and its end told."""
    tracing = configuration.tracing
    if tracing is None:
        return (yield from inner(trace))
    yield callback(tracing.begin, trace)
    try:
        return (yield from inner(trace))
    except BaseException as error:
        trace.error = error
        raise
    finally:
        yield callback(tracing.end, trace)
