"""Asynchronous transport over httpx2: pooled connections and a strict deadline, on asyncio and trio.

The deadline is a cancel scope around each step; cancellation by the caller passes through. Code shared with the
synchronous transport is in `httpx_common`.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import threading
import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
import anyio.to_thread
import httpx2
from anyio.lowlevel import current_token

from didww._core.effects import Response
from didww.exceptions import DidwwClientError, DidwwError
from didww.transport import errors, httpx_common, httpx_deadlines
from didww.transport.body import ACCEPT_ENCODING, Body, lower_headers

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Coroutine

    from didww._core.effects import Opened, Request, Stream

__all__ = ["AsyncHttpTransport"]

T = TypeVar("T")

# Clients of a parent process. They cannot be closed in the forked child, where their event loop does not run, and
# garbage collection would emit a warning.
_inherited: list[httpx2.AsyncClient] = []


class _Progress(httpx_common.Progress):
    """Progress of an exchange; closes a connection that was not fully established."""

    __slots__ = ("_connection",)

    def __init__(self, phase: str = errors.POOL) -> None:
        super().__init__(phase)
        self._connection: Any = None

    async def on_step(self, step: str, info: dict[str, Any]) -> None:
        """Record a step of httpx2."""
        self.trace(step, info)
        if step == "connection.connect_tcp.complete":
            self._connection = info["return_value"]

    async def hang_up(self) -> None:
        """Close a connection that is being established: httpx2 loses it if the TLS handshake is canceled."""
        if self._connection is not None and not self.sent:
            with anyio.CancelScope(shield=True):
                await self._connection.aclose()


class AsyncHttpTransport:
    """Sends requests over pooled connections. Safe to share between the tasks of an event loop.

    A connection belongs to the event loop that opened it. A forked child, or a new event loop after the first one was
    closed, opens new connections. Use by two running event loops raises an error.

    Args:
        proxy: URL of a proxy. Defaults to the environment (`HTTPS_PROXY`, `NO_PROXY` ...).
        verify: An SSL context with the trusted certificates. Defaults to the system's.
    """

    def __init__(self, *, proxy: str | None = None, verify: bool | ssl.SSLContext = True) -> None:
        self._proxy = proxy
        self._verify: bool | ssl.SSLContext = verify
        self._closed = False
        self._lock = threading.Lock()
        self._client: httpx2.AsyncClient | None = None
        self._owner: tuple[int, object] = (0, None)

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        client, (process, token) = getattr(self, "_client", None), getattr(self, "_owner", (0, None))
        if client is None or is_finalizing():
            return
        self._client = None  # a recorded warning keeps its source alive
        if process != os.getpid():
            _inherited.append(client)
            return
        try:
            if httpx_deadlines.is_open(client):
                text = "unclosed AsyncDidwwClient: its connections are still open. Use `async with`, or await close()."
                warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
        finally:
            httpx_deadlines.hang_up(client, getattr(token, "native_token", None))

    async def send(self, request: Request, deadline: float) -> Response:
        """Send `request` and return the response with its whole body, decompressed."""
        progress = _Progress()
        return await self._in_time(self._whole(request, progress), request, deadline, progress)

    async def open(self, request: Request, deadline: float) -> Opened:
        """Send `request` and return the response before its body is read."""
        progress = _Progress()
        # The body is streamed as sent, so it must not be compressed.
        response = await self._in_time(self._sent(request, "identity", progress), request, deadline, progress)
        return httpx_common.Opened(request, deadline, response, response.aiter_raw())

    async def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body as sent, empty at the end."""
        exchange = cast("httpx_common.Opened", opened)
        progress = _Progress(errors.READING)
        return await self._in_time(_next_chunk(exchange.chunks), exchange.request, exchange.deadline, progress)

    async def release(self, opened: Opened) -> None:
        """Return the connection to the pool, or close it if the body was not fully read."""
        exchange = cast("httpx_common.Opened", opened)
        # Even if the task is being canceled.
        with anyio.CancelScope(shield=True):
            await exchange.chunks.aclose()
            await exchange.response.aclose()

    async def close(self) -> None:
        """Close all connections. Later calls raise `ClientClosedError`."""
        self._closed = True
        client, self._client = self._client, None
        # Connections of another event loop, or of the parent process, cannot be closed here.
        if client is not None and self._owner == _here():
            await client.aclose()

    async def _whole(self, request: Request, progress: _Progress) -> Response:
        response = await self._sent(request, ACCEPT_ENCODING, progress)
        try:
            headers = lower_headers(response.headers.raw)
            body = Body(response.status_code, headers)
            async for chunk in response.aiter_raw():
                body.feed(chunk)
            return Response(response.status_code, headers, body.whole())
        finally:
            await response.aclose()

    async def _sent(self, request: Request, encodings: str, progress: _Progress) -> httpx2.Response:
        client = self._loop_client()
        http_request = httpx_common.request_for(request, encodings, {"trace": progress.on_step}, _content_of(request))
        httpx_deadlines.posting.set(request.method == "POST")
        try:
            response = await client.send(http_request, stream=True)
            progress.at_end = partial(httpx_deadlines.check_surplus, client, response.extensions["network_stream"])
            return response  # noqa: TRY300 the rest handles failures
        except BaseException:
            await progress.hang_up()
            raise

    def _loop_client(self) -> httpx2.AsyncClient:
        owner = _here()
        with self._lock:
            if self._client is not None and self._owner == owner:
                return self._client
            if self._client is not None and self._owner[0] == owner[0] and _running(self._owner[1]):
                raise DidwwClientError(
                    "This client is in use by another event loop, which owns its connections. "
                    "Create one client per event loop."
                )
            client = httpx_common.make_client(httpx2.AsyncClient, self._proxy, self._verify)
            httpx_deadlines.bind_async(client)
            self._client, self._owner = client, owner
            return client

    async def _in_time(self, step: Coroutine[Any, Any, T], request: Request, deadline: float, progress: _Progress) -> T:
        remaining = deadline - time.monotonic()
        if self._closed or remaining <= 0:
            step.close()
            raise self._refused(request, progress)
        with anyio.move_on_after(remaining):
            try:
                return await step
            except Exception as error:  # noqa: BLE001 converted or re-raised
                failure = self._explained(error, request, progress)
            raise failure
        raise errors.deadline_exceeded(request, request_sent=progress.sent, phase=progress.phase)

    def _refused(self, request: Request, progress: _Progress) -> Exception:
        if self._closed:
            return errors.client_closed()
        phase = progress.phase if progress.sent else ""
        return errors.deadline_exceeded(request, request_sent=progress.sent, phase=phase)

    def _explained(self, error: Exception, request: Request, progress: _Progress) -> Exception:
        if self._closed and not isinstance(error, DidwwError):
            # httpx2 raises RuntimeError if the client was closed after our check.
            if type(error) is RuntimeError:
                return errors.client_closed()
            return errors.closed_meanwhile(request, progress.phase)
        return httpx_common.explained(error, request, progress)


def _content_of(request: Request) -> bytes | AsyncIterator[bytes] | None:
    return _stream(request.body) if request.body is not None and not isinstance(request.body, bytes) else request.body


async def _stream(body: Stream) -> AsyncIterator[bytes]:
    """Generate the body in a thread, since it may be read from disk and encrypted."""
    pieces: Any = iter(body)
    size = 0
    over = threading.Event()

    def close() -> None:
        with contextlib.suppress(AttributeError, ValueError):  # not a generator, or one running in a thread
            pieces.close()

    def take() -> bytes:
        piece = next(pieces, b"")
        if over.is_set():
            close()
        return piece

    try:
        while piece := await anyio.to_thread.run_sync(take):
            yield piece
            size += len(piece)
            callback_result = body.sent(size)
            if inspect.isawaitable(callback_result):
                await callback_result
    finally:
        # The error of a canceled task may keep the generator and its open file alive. The thread may still be in it.
        over.set()
        close()


async def _next_chunk(chunks: Any) -> bytes:
    async for chunk in chunks:
        if chunk:
            return cast("bytes", chunk)
    return b""


def _here() -> tuple[int, object]:
    """Return the current process and event loop."""
    return os.getpid(), current_token()


def _running(loop: Any) -> bool:
    """Return whether an event loop is still usable; only known for asyncio, False for trio."""
    is_closed = getattr(getattr(loop, "native_token", loop), "is_closed", None)
    return is_closed is not None and not is_closed()
