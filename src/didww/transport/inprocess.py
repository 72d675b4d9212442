"""A transport without a socket: requests are answered by a function in the same process, e.g. the sandbox's engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.transport.base import closed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.calls.effects import Opened, Request, Response

__all__ = ["AsyncInProcessTransport", "InProcessTransport"]

CHUNK = 1 << 16


class _Opened:
    """An answer whose body is handed out in pieces."""

    __slots__ = ("_body", "_position", "headers", "status")

    def __init__(self, response: Response) -> None:
        self.status: int = response.status
        self.headers: Mapping[str, str] = response.headers
        self._body = response.body
        self._position = 0

    def read(self) -> bytes:
        chunk = self._body[self._position : self._position + CHUNK]
        self._position += len(chunk)
        return chunk


class InProcessTransport:
    """Answers each request with `handle(request)`."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle: Callable[[Request], Response] | None = handle

    def send(self, request: Request, deadline: float) -> Response:  # noqa: ARG002 a function call has no deadline
        """The answer of the function."""
        handle = self._handle
        if handle is None:
            raise closed()
        return handle(request)

    def open(self, request: Request, deadline: float) -> Opened:
        """The answer of the function, its body to be read in pieces."""
        return _Opened(self.send(request, deadline))

    def read(self, opened: Opened) -> bytes:
        """The next piece."""
        return opened.read() if isinstance(opened, _Opened) else b""

    def release(self, opened: Opened) -> None:
        """Nothing to do: no connection is held."""

    def close(self) -> None:
        """Forget the function; calls after this raise `ClientClosedError`."""
        self._handle = None


class AsyncInProcessTransport:
    """The same for the asynchronous client."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._inner = InProcessTransport(handle)

    async def send(self, request: Request, deadline: float) -> Response:
        """The answer of the function."""
        return self._inner.send(request, deadline)

    async def open(self, request: Request, deadline: float) -> Opened:
        """The answer of the function, its body to be read in pieces."""
        return self._inner.open(request, deadline)

    async def read(self, opened: Opened) -> bytes:
        """The next piece."""
        return self._inner.read(opened)

    async def release(self, opened: Opened) -> None:
        """Nothing to do: no connection is held."""

    async def close(self) -> None:
        """Forget the function; calls after this raise `ClientClosedError`."""
        self._inner.close()
