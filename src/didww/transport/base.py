"""What a transport is: something that exchanges one request for one response, within a deadline.

`deadline` is a moment of `time.monotonic()`, or infinity; it bounds the whole exchange: connecting, TLS, sending,
headers, body. A transport raises `ApiTimeoutError`, `ApiConnectionError` (`request_sent=False` when certainly no byte
of the request reached the server), `ClientClosedError`, or `UnexpectedResponseError` for a body that cannot be taken
in. It follows no redirect and keeps no cookie. What a response means, and whether to ask again, is left to
`didww._core`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from didww._core.effects import Opened, Request, Response

__all__ = ["MAX_IDLE", "AsyncTransport", "Transport"]

MAX_IDLE: Final = 1.0
"""Seconds that a connection may have been idle to carry a POST.

The server may be closing one that was idle for longer just then, and nobody could tell whether the POST was carried
out.
"""


class Transport(Protocol):
    """A synchronous transport; safe to share between threads."""

    def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for a response with its whole body, unpacked."""
        ...

    def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for a response whose body is still on the wire."""
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
        """Exchange `request` for a response with its whole body, unpacked."""
        ...

    async def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for a response whose body is still on the wire."""
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
