"""Telling what a call does: to the log `didww`, and to the hooks of the client. No secret is in what is logged.

One line for each response (INFO), for each failure and each retry (WARNING), and for each request that goes out
(DEBUG): method, address without its query, status, seconds, attempt, request id.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec.structs import replace

from didww._core.events import RequestFailed, RequestStarted, ResponseReceived, RetryScheduled
from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.effects import Request

__all__ = ["notify"]

_SECRET: Final = frozenset({"api-key", "authorization", "cookie", "proxy-authorization"})

log: Final = logging.getLogger("didww")
log.addHandler(logging.NullHandler())  # silent, unless the program sets logging up


def notify(event: Any, observers: tuple[tuple[type, Callable[[Any], object]], ...]) -> list[object]:
    """Log `event`, call each hook that is for its type, and return what the hooks returned."""
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
    """The request as hooks get it: whatever they encode or store, the key is not in it."""
    headers = {name: "***" if name.lower() in _SECRET else value for name, value in request.headers.items()}
    return replace(request, headers=headers)


def _sending(event: RequestStarted) -> tuple[int, str, tuple[object, ...]]:
    return logging.DEBUG, "%s %s: attempt %d", (event.request.method, event.request.redacted_url, event.attempt)


def _response_received(event: ResponseReceived) -> tuple[int, str, tuple[object, ...]]:
    response = event.response
    known = (event.request.method, event.request.redacted_url, response.status, event.seconds, event.attempt)
    return (
        logging.INFO,
        "%s %s: %d in %.3f s (attempt %d, request id %s)",
        (*known, printable(response.headers.get("x-request-id", "none"))),
    )


def _failed(event: RequestFailed) -> tuple[int, str, tuple[object, ...]]:
    known = (event.request.method, event.request.redacted_url, type(event.error).__name__, event.seconds, event.attempt)
    return logging.WARNING, "%s %s: %s after %.3f s (attempt %d)", known


def _retrying(event: RetryScheduled) -> tuple[int, str, tuple[object, ...]]:
    known = (event.request.method, event.request.redacted_url, event.wait, event.reason)
    return logging.WARNING, "%s %s: again in %.2f s (%s)", known


_LINES: Final[dict[type, Callable[[Any], tuple[int, str, tuple[object, ...]]]]] = {
    RequestStarted: _sending,
    ResponseReceived: _response_received,
    RequestFailed: _failed,
    RetryScheduled: _retrying,
}
