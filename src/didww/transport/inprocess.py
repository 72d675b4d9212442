"""Transport without sockets: a function in the same process handles requests, e.g. the emulator.

The function returns the response or raises. It can also return a network disturbance. Then the transport waits or
disconnects within the deadline, like one with a socket.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, TypeAlias, cast

from msgspec import Struct

from didww._core.effects import Request, Response
from didww.transport import errors
from didww.transport.body import ProgressBody, check_length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from didww._core.effects import Opened

__all__ = ["AsyncInProcessTransport", "Disturbance", "Handled", "InProcessTransport", "Streamed", "reader_of"]

_CHUNK = 1 << 16
_DRIPS = 20


class Disturbance(Struct, frozen=True):
    """Simulated network problem of a response.

    Attributes:
        latency: Seconds before the first byte.
        drip: Seconds from the first byte to the last.
        cut: Number of body bytes after which the connection is lost; None if it is not.
        lost: Whether the connection is lost before the first byte.
    """

    latency: float = 0.0
    drip: float = 0.0
    cut: int | None = None
    lost: bool = False

    def pieces(self, read: Callable[[int, int], bytes], size: int | None) -> Iterator[tuple[bytes, float]]:
        """Iterate over the pieces of a body that arrive, each with the pause before it.

        Args:
            read: Called with an offset and a maximum size, returns bytes of the body; empty at the end.
            size: Size of the body; None if unknown.
        """
        step = max(1, -(-size // _DRIPS)) if self.drip and size is not None else _CHUNK
        at = 0
        while self.cut is None or at < self.cut:
            chunk = read(at, step if self.cut is None else min(step, self.cut - at))
            if not chunk:
                return
            yield chunk, self.drip / _DRIPS
            at += len(chunk)
        yield b"", 0.0  # connection lost

    def breaks(self, size: int) -> bool:
        """Return whether the connection is lost before a body of `size` bytes is complete."""
        return self.lost or (self.cut is not None and self.cut <= size)


class Streamed(Response, frozen=True):
    """A response whose body is generated while it is read.

    Attributes:
        read: Called with an offset and a maximum size, returns bytes of the body; empty at the end.
    """

    read: Callable[[int, int], bytes]


def reader_of(response: Response) -> tuple[Callable[[int, int], bytes], int | None]:
    """Return a function that reads the body of a response, and the size of the body if known."""
    if isinstance(response, Streamed):
        length = response.headers.get("content-length")
        return response.read, None if length is None else int(length)
    body = response.body
    return lambda at, size: body[at : at + size], len(body)


Handled: TypeAlias = "Response | tuple[Response, Disturbance | None]"
_QUIET = Disturbance()


class _Opened:
    """A response whose body is read in pieces."""

    __slots__ = ("_pieces", "_request", "deadline", "headers", "status")

    def __init__(self, request: Request, response: Response, disturbance: Disturbance, deadline: float) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self.deadline = deadline
        self._request = request
        self._pieces = disturbance.pieces(*reader_of(response))

    def next_chunk(self) -> tuple[bytes, float]:
        """Return the next piece, empty at the end, and the seconds to wait before it."""
        for chunk, pause in self._pieces:
            if not chunk:
                raise errors.connection_lost(self._request, _BROKEN, phase=errors.READING)
            return chunk, pause
        return b"", 0.0

    def deadline_exceeded(self) -> Exception:
        """Return the error for a deadline exceeded before the next piece."""
        return errors.deadline_exceeded(self._request, request_sent=True, phase=errors.READING)


_BROKEN = "the server closed the connection"


class InProcessTransport:
    """Handles each request with `handle(request)`, in the caller's thread.

    Args:
        handle: Returns the response. Must be thread-safe.
    """

    def __init__(self, handle: Callable[[Request], Handled]) -> None:
        self._handle = handle
        self._closed = False

    def send(self, request: Request, deadline: float) -> Response:
        """Return the response of the function."""
        response, disturbance = self.exchange(request)
        if disturbance is not None:
            pause, failure = _whole(request, response, disturbance, deadline)
            time.sleep(pause)
            if failure is not None:
                raise failure
        return response

    def open(self, request: Request, deadline: float) -> Opened:
        """Return the response of the function before its body is read."""
        response, disturbance = self.exchange(request)
        if disturbance is not None:
            pause, failure = _first_byte(request, disturbance, deadline)
            time.sleep(pause)
            if failure is not None:
                raise failure
        check_length(response.status, response.headers)
        return _Opened(request, response, disturbance or _QUIET, deadline)

    def read(self, opened: Opened) -> bytes:
        """Return the next piece of the body, empty at the end."""
        chunk, pause, failure = self.piece(opened)
        if pause:
            time.sleep(pause)
        if failure is not None:
            raise failure
        return chunk

    def exchange(self, request: Request) -> tuple[Response, Disturbance | None]:
        """Return the response of the function, and the network disturbance."""
        if self._closed:
            raise errors.client_closed()
        body = request.body
        if body is not None and not isinstance(body, bytes):
            request = Request(request.method, request.url, request.headers, b"".join(ProgressBody(body)))
        handled = self._handle(request)
        response, disturbance = (handled, None) if isinstance(handled, Response) else handled
        if request.method == "HEAD":
            response = Response(response.status, response.headers, b"")
        return response, disturbance

    def piece(self, opened: Opened) -> tuple[bytes, float, Exception | None]:
        """Return the next piece of a body, the seconds to wait before it, and the error to raise after that."""
        if self._closed:
            raise errors.client_closed()
        response = cast("_Opened", opened)
        chunk, pause = response.next_chunk()
        remaining = response.deadline - time.monotonic() if pause else math.inf
        return chunk, min(pause, max(remaining, 0.0)), response.deadline_exceeded() if pause > remaining else None

    def release(self, opened: Opened) -> None:
        """Do nothing: there is no connection to release."""

    def close(self) -> None:
        """Close the transport. Later calls raise `ClientClosedError`."""
        self._closed = True


class AsyncInProcessTransport:
    """Handles each request with `handle(request)`, for the asynchronous client.

    Args:
        handle: Returns the response. Must not block.
    """

    def __init__(self, handle: Callable[[Request], Handled]) -> None:
        self._inner = InProcessTransport(handle)

    async def send(self, request: Request, deadline: float) -> Response:
        """Return the response of the function."""
        response, disturbance = await self._exchange(request)
        if disturbance is not None:
            await _outcome(*_whole(request, response, disturbance, deadline))
        return response

    async def _exchange(self, request: Request) -> tuple[Response, Disturbance | None]:
        await _let_others_run()
        body = request.body
        if body is not None and not isinstance(body, bytes):
            import inspect

            whole = bytearray()
            for piece in body:
                whole += piece
                callback_result = body.sent(len(whole))
                if inspect.isawaitable(callback_result):
                    await callback_result
            request = Request(request.method, request.url, request.headers, bytes(whole))
        return self._inner.exchange(request)

    async def open(self, request: Request, deadline: float) -> Opened:
        """Return the response of the function before its body is read."""
        response, disturbance = await self._exchange(request)
        if disturbance is not None:
            await _outcome(*_first_byte(request, disturbance, deadline))
        check_length(response.status, response.headers)
        return _Opened(request, response, disturbance or _QUIET, deadline)

    async def read(self, opened: Opened) -> bytes:
        """Return the next piece of the body, empty at the end."""
        await _let_others_run()
        chunk, pause, failure = self._inner.piece(opened)
        if pause:
            await _outcome(pause, failure)
        return chunk

    async def release(self, opened: Opened) -> None:
        """Do nothing: there is no connection to release."""

    async def close(self) -> None:
        """Close the transport. Later calls raise `ClientClosedError`."""
        self._inner.close()


def _first_byte(request: Request, disturbance: Disturbance, deadline: float) -> tuple[float, Exception | None]:
    """Return the seconds until the first byte, and the error to raise then if there is none."""
    remaining = deadline - time.monotonic()
    if disturbance.latency > remaining:
        return max(remaining, 0.0), errors.deadline_exceeded(request, request_sent=True, phase=errors.RESPONSE)
    failure = errors.connection_lost(request, _BROKEN, phase=errors.RESPONSE) if disturbance.lost else None
    return disturbance.latency, failure


def _whole(
    request: Request, response: Response, disturbance: Disturbance, deadline: float
) -> tuple[float, Exception | None]:
    """Return the seconds until the whole response, and the error to raise then if it does not arrive."""
    first, failure = _first_byte(request, disturbance, deadline)
    if failure is not None:
        return first, failure
    remaining = deadline - time.monotonic()
    pause = first + disturbance.drip
    if pause > remaining:
        return max(remaining, 0.0), errors.deadline_exceeded(request, request_sent=True, phase=errors.READING)
    broken = disturbance.breaks(len(response.body))
    return pause, errors.connection_lost(request, _BROKEN, phase=errors.READING) if broken else None


async def _outcome(pause: float, failure: Exception | None) -> None:
    from anyio import sleep

    await sleep(pause)
    if failure is not None:
        raise failure


async def _let_others_run() -> None:
    """Let other tasks run and cancellation take effect, which a loop over records would otherwise prevent."""
    from anyio.lowlevel import checkpoint

    await checkpoint()
