"""A transport without a socket: requests are answered by a function in the same process, e.g. the sandbox's engine.

Nothing here waits, so there is no deadline to keep. What the function answers, and what it raises, is left to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from didww.calls.effects import Request
from didww.transport import failures
from didww.transport.body import Told, check_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.calls.effects import Opened, Response

__all__ = ["AsyncInProcessTransport", "InProcessTransport"]

_CHUNK = 1 << 16


class _Opened:
    """An answer whose body is handed out in pieces."""

    __slots__ = ("_body", "_position", "headers", "status")

    def __init__(self, response: Response) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._body = response.body
        self._position = 0

    def next_chunk(self) -> bytes:
        """The next piece, empty at the end."""
        chunk = self._body[self._position : self._position + _CHUNK]
        self._position += len(chunk)
        return chunk


class InProcessTransport:
    """Answers each request with `handle(request)`, in the caller's thread.

    Args:
        handle: Answers a request; may be called by several threads at once.
    """

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle
        self._closed = False

    def send(self, request: Request, deadline: float) -> Response:  # noqa: ARG002 nothing is waited for
        """The answer of the function."""
        if self._closed:
            raise failures.client_closed()
        body = request.body
        if body is not None and not isinstance(body, bytes):
            request = Request(request.method, request.url, request.headers, b"".join(Told(body)))
        return self._handle(request)

    def open(self, request: Request, deadline: float) -> Opened:
        """The answer of the function, its body to be read in pieces."""
        response = self.send(request, deadline)
        check_length(response.status, response.headers)
        return _Opened(response)

    def read(self, opened: Opened) -> bytes:
        """The next piece of the body, empty at its end."""
        if self._closed:
            raise failures.client_closed()
        return cast("_Opened", opened).next_chunk()

    def release(self, opened: Opened) -> None:
        """Nothing to do: no connection is held."""

    def close(self) -> None:
        """Calls after this raise `ClientClosedError`."""
        self._closed = True


class AsyncInProcessTransport:
    """The same for the asynchronous client.

    Args:
        handle: Answers a request, without waiting for anything.
    """

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._inner = InProcessTransport(handle)

    async def send(self, request: Request, deadline: float) -> Response:
        """The answer of the function."""
        await _let_others_run()
        body = request.body
        if body is not None and not isinstance(body, bytes):
            import inspect

            whole = bytearray()
            for piece in body:
                whole += piece
                told = body.sent(len(whole))
                if inspect.isawaitable(told):
                    await told
            request = Request(request.method, request.url, request.headers, bytes(whole))
        return self._inner.send(request, deadline)

    async def open(self, request: Request, deadline: float) -> Opened:
        """The answer of the function, its body to be read in pieces."""
        return _Opened(await self.send(request, deadline))

    async def read(self, opened: Opened) -> bytes:
        """The next piece of the body, empty at its end."""
        await _let_others_run()
        return self._inner.read(opened)

    async def release(self, opened: Opened) -> None:
        """Nothing to do: no connection is held."""

    async def close(self) -> None:
        """Calls after this raise `ClientClosedError`."""
        self._inner.close()


async def _let_others_run() -> None:
    """Let other tasks have their turn and a cancellation arrive, which a loop over records would else keep out."""
    from anyio.lowlevel import checkpoint

    await checkpoint()
