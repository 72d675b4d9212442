"""Log the events of calls to the `didww` logger and call the hooks of the client. Log lines contain no secrets.

Logs one line for each response (INFO), each failure and retry (WARNING) and each request (DEBUG), with the method, the
URL without its query, status, seconds, attempt and request id.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec.structs import replace

from didww._core.events import RequestFailed, RequestStarted, ResponseReceived, RetryScheduled, ScopeDiffers
from didww._util.masking import SECRET_HEADERS, masked, secrets_of
from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.effects import Request

__all__ = ["notify"]

log: Final = logging.getLogger("didww")
log.addHandler(logging.NullHandler())  # silent unless the program configures logging


def notify(event: Any, observers: tuple[tuple[type, Callable[[Any], object]], ...]) -> list[object]:
    """Log `event`, call the hooks for its type, and return their results."""
    line = _LINES.get(cast("type[Any]", type(event)))
    hooks = [hook for kind, hook in observers if isinstance(event, kind)]
    if line is not None:
        level, words = line
        if log.isEnabledFor(level):
            text, arguments = words(event)
            log.log(level, text, *arguments)
        if hooks:
            event = replace(event, request=_masked(event.request))
    return [hook(event) for hook in hooks]


def _masked(request: Request) -> Request:
    """Return a copy of the request without secrets in its headers, for hooks."""
    headers = {name: "***" if name.lower() in SECRET_HEADERS else value for name, value in request.headers.items()}
    return replace(request, headers=headers)


def _request_started(event: RequestStarted) -> tuple[str, tuple[object, ...]]:
    return "%s %s: attempt %d", (event.request.method, event.request.redacted_url, event.attempt)


def _response_received(event: ResponseReceived) -> tuple[str, tuple[object, ...]]:
    response = event.response
    arguments = (event.request.method, event.request.redacted_url, response.status, event.seconds, event.attempt)
    request_id = masked(response.headers.get("x-request-id", "none"), secrets_of(event.request.headers))
    return (
        "%s %s: %d in %.3f s (attempt %d, request id %s)",
        (*arguments, printable(request_id)),
    )


def _request_failed(event: RequestFailed) -> tuple[str, tuple[object, ...]]:
    arguments = (
        event.request.method,
        event.request.redacted_url,
        type(event.error).__name__,
        event.seconds,
        event.attempt,
    )
    return "%s %s: %s after %.3f s (attempt %d)", arguments


def _retry_scheduled(event: RetryScheduled) -> tuple[str, tuple[object, ...]]:
    arguments = (event.request.method, event.request.redacted_url, event.wait, event.reason)
    return "%s %s: retrying in %.2f s (%s)", arguments


def _scope_differs(event: ScopeDiffers) -> tuple[str, tuple[object, ...]]:
    text = "The token service granted the scope %s instead of %s"
    return text, (printable(event.granted[:100]), event.requested)


_LINES: Final[dict[type, tuple[int, Callable[[Any], tuple[str, tuple[object, ...]]]]]] = {
    RequestStarted: (logging.DEBUG, _request_started),
    ResponseReceived: (logging.INFO, _response_received),
    RequestFailed: (logging.WARNING, _request_failed),
    RetryScheduled: (logging.WARNING, _retry_scheduled),
    ScopeDiffers: (logging.WARNING, _scope_differs),
}
