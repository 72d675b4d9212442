"""Log the events of calls to the `didww` logger and call the hooks of the client. Log lines contain no secrets.

Logs one line for each response (INFO), each failure and retry (WARNING) and each request (DEBUG), with the method, the
URL without its query, status, seconds, attempt and request id.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec.structs import replace

from didww._core.events import RequestFailed, RequestStarted, ResponseReceived, RetryScheduled, ScopeDiffers
from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.effects import Request

__all__ = ["notify"]

_SECRET: Final = frozenset({"api-key", "authorization", "cookie", "proxy-authorization"})

log: Final = logging.getLogger("didww")
log.addHandler(logging.NullHandler())  # silent unless the program configures logging


def notify(event: Any, observers: tuple[tuple[type, Callable[[Any], object]], ...]) -> list[object]:
    """Log `event`, call the hooks for its type, and return their results."""
    line = _LINES.get(cast("type[Any]", type(event)))
    hooks = [hook for kind, hook in observers if isinstance(event, kind)]
    if line is not None:
        level, text, arguments = line(event)
        if log.isEnabledFor(level):
            log.log(level, text, *arguments)
        if hooks:
            event = replace(event, request=_masked(event.request))
    return [hook(event) for hook in hooks]


def _masked(request: Request) -> Request:
    """Return a copy of the request without secrets in its headers, for hooks."""
    headers = {name: "***" if name.lower() in _SECRET else value for name, value in request.headers.items()}
    return replace(request, headers=headers)


def _request_started(event: RequestStarted) -> tuple[int, str, tuple[object, ...]]:
    return logging.DEBUG, "%s %s: attempt %d", (event.request.method, event.request.redacted_url, event.attempt)


def _response_received(event: ResponseReceived) -> tuple[int, str, tuple[object, ...]]:
    response = event.response
    arguments = (event.request.method, event.request.redacted_url, response.status, event.seconds, event.attempt)
    return (
        logging.INFO,
        "%s %s: %d in %.3f s (attempt %d, request id %s)",
        (*arguments, printable(response.headers.get("x-request-id", "none"))),
    )


def _request_failed(event: RequestFailed) -> tuple[int, str, tuple[object, ...]]:
    arguments = (
        event.request.method,
        event.request.redacted_url,
        type(event.error).__name__,
        event.seconds,
        event.attempt,
    )
    return logging.WARNING, "%s %s: %s after %.3f s (attempt %d)", arguments


def _retry_scheduled(event: RetryScheduled) -> tuple[int, str, tuple[object, ...]]:
    arguments = (event.request.method, event.request.redacted_url, event.wait, event.reason)
    return logging.WARNING, "%s %s: retrying in %.2f s (%s)", arguments


def _scope_differs(event: ScopeDiffers) -> tuple[int, str, tuple[object, ...]]:
    text = "The token service granted the scope %s instead of %s"
    return logging.WARNING, text, (printable(event.granted[:100]), event.requested)


_LINES: Final[dict[type, Callable[[Any], tuple[int, str, tuple[object, ...]]]]] = {
    RequestStarted: _request_started,
    ResponseReceived: _response_received,
    RequestFailed: _request_failed,
    RetryScheduled: _retry_scheduled,
    ScopeDiffers: _scope_differs,
}
