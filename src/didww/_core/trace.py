"""The trace of one call: its attempts and outcome, for tracing."""

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
    """The state of a running call.

    Attributes:
        request: The request of the first attempt.
        attempts: Number of attempts so far.
        status: HTTP status of the last response; None if there is none.
        request_id: `X-Request-Id` of the last response, or None.
        error: The error that ended the call, or None.
        in_doubt: Whether the server may have processed the last attempt although no response confirmed it.
        sent_at: When the last attempt was sent, by the monotonic clock.
        confidential: Whether to keep the bodies of responses from hooks.
        span: The span of the tracer.
    """

    __slots__ = ("attempts", "confidential", "error", "in_doubt", "request", "request_id", "sent_at", "span", "status")

    def __init__(self, request: Request, *, confidential: bool = False) -> None:
        self.request = request
        self.confidential = confidential
        self.sent_at = 0.0
        self.attempts = 0
        self.status: int | None = None
        self.request_id: str | None = None
        self.error: BaseException | None = None
        self.in_doubt = False
        self.span: Any = None

    def respond(self, status: int, headers: Mapping[str, str]) -> None:
        """Record a response."""
        self.status, self.request_id = status, headers.get("x-request-id")


class Tracing(Protocol):
    """A tracer of calls."""

    def begin(self, trace: CallTrace) -> None:
        """Start the span of a call, in the thread or task that runs it."""
        ...

    def end(self, trace: CallTrace) -> None:
        """End the span of a call, in the same thread or task."""
        ...


def with_trace(configuration: Configuration, trace: CallTrace, inner: Callable[[CallTrace], Call[T]]) -> Call[T]:
    """Run `inner`, which updates `trace`, between the begin and end of its span."""
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
