"""Transport protocols: send one request and return one response, within a deadline.

`deadline` is a `time.monotonic()` time, or infinity. It limits the whole exchange: connecting, TLS, sending, headers,
body. A transport raises `ApiTimeoutError`, `ApiConnectionError` (`request_sent=False` only if no byte of the request
can have reached the server), `ClientClosedError`, or `UnexpectedResponseError` for an unusable body. It does not follow
redirects or store cookies. `didww._core` interprets responses and decides on retries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from didww._core.effects import Opened, Request, Response

__all__ = ["MAX_IDLE", "AsyncTransport", "Transport"]

MAX_IDLE: Final = 1.0
"""Maximum idle seconds of a connection that is reused for a POST.

The server may be closing a connection that was idle for longer. The client could not know whether the POST was
processed.
"""


class Transport(Protocol):
    """Synchronous transport. Thread-safe."""

    def send(self, request: Request, deadline: float) -> Response:
        """Send `request` and return the response with its whole body, decompressed."""
        ...

    def open(self, request: Request, deadline: float) -> Opened:
        """Send `request` and return the response before its body is read."""
        ...

    def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body as sent, empty at the end."""
        ...

    def release(self, opened: Opened) -> None:
        """Release the connection of `opened`, even if its body was not fully read."""
        ...

    def close(self) -> None:
        """Close all connections. Later calls raise `ClientClosedError`."""
        ...


class AsyncTransport(Protocol):
    """Asynchronous transport. Safe to share between tasks."""

    async def send(self, request: Request, deadline: float) -> Response:
        """Send `request` and return the response with its whole body, decompressed."""
        ...

    async def open(self, request: Request, deadline: float) -> Opened:
        """Send `request` and return the response before its body is read."""
        ...

    async def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body as sent, empty at the end."""
        ...

    async def release(self, opened: Opened) -> None:
        """Release the connection of `opened`, even if its body was not fully read."""
        ...

    async def close(self) -> None:
        """Close all connections. Later calls raise `ClientClosedError`."""
        ...
