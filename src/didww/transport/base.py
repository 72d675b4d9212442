"""What a transport is: something that exchanges one request for one answer, within a deadline.

`deadline` is a moment of `time.monotonic()`, or infinity. It bounds the whole exchange. A transport raises
`ConnectionFailed` (with `request_sent=False` when certainly no byte of the request went out), `DeadlineExceeded` or
`ClientClosedError`, and never follows a redirect. What an answer means is left to `didww.calls`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from didww.exceptions import ClientClosedError, ConnectionFailed, DeadlineExceeded, UnexpectedResponse

if TYPE_CHECKING:
    from didww.calls.effects import Opened, Request, Response

__all__ = ["AsyncTransport", "Transport"]

MOST_BYTES = 256 << 20
"""Largest answer that is taken into memory, unpacked."""


class Transport(Protocol):
    """A synchronous transport; safe to share between threads."""

    def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for an answer with its whole body."""
        ...

    def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for an answer whose body is still on the wire."""
        ...

    def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent, empty at its end."""
        ...

    def release(self, opened: Opened) -> None:
        """Done with `opened`, read to its end or not."""
        ...

    def close(self) -> None:
        """Close all connections; whatever is called after this raises `ClientClosedError`."""
        ...


class AsyncTransport(Protocol):
    """An asynchronous transport; safe to share between tasks."""

    async def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for an answer with its whole body."""
        ...

    async def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for an answer whose body is still on the wire."""
        ...

    async def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent, empty at its end."""
        ...

    async def release(self, opened: Opened) -> None:
        """Done with `opened`, read to its end or not."""
        ...

    async def close(self) -> None:
        """Close all connections; whatever is called after this raises `ClientClosedError`."""
        ...


# The errors of all transports, in the same words. Each is raised outside of any handler: the HTTP library's own
# exceptions hold the request, and with it the key.


def closed() -> ClientClosedError:
    """The client was closed."""
    return ClientClosedError("This client is closed. Make a new one, or keep the `with` block open around the call.")


def too_late(request: Request, *, request_sent: bool = True) -> DeadlineExceeded:
    """The deadline came first."""
    return DeadlineExceeded(
        f"{request.method} {place(request)} did not end in time. "
        "Allow more with timeout=, or client.with_options(timeout=...).",
        request_sent=request_sent,
    )


def cannot_connect(request: Request, why: str) -> ConnectionFailed:
    """No connection came about; nothing was sent."""
    parts = urlsplit(request.url)
    return ConnectionFailed(
        f"Cannot connect to {parts.scheme}://{parts.netloc} ({why}). Is the address right, and the server running? "
        "Check base_url or DIDWW_BASE_URL; the local DIDWW is started with `didww sandbox`.",
        request_sent=False,
    )


def broken(request: Request, why: str) -> ConnectionFailed:
    """The connection broke after something was sent."""
    return ConnectionFailed(f"{request.method} {place(request)} got no whole answer: {why}.")


def too_large(request: Request) -> UnexpectedResponse:
    """The answer does not fit."""
    return UnexpectedResponse(f"{request.method} {place(request)} was answered with more than {MOST_BYTES >> 20} MiB.")


def place(request: Request) -> str:
    """Where a request goes, without its query."""
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def reason(error: BaseException) -> str:
    """An error of a socket in a few words."""
    return str(error).strip().rstrip(".") or type(error).__name__


def remaining(deadline: float) -> float | None:
    """Seconds until `deadline`, at least a little; None for no end."""
    return None if deadline == float("inf") else max(deadline - time.monotonic(), 0.001)


def passed(deadline: float) -> bool:
    """Whether `deadline` is over."""
    return time.monotonic() >= deadline
