"""The asynchronous transport over httpx2: pooled connections and a strict deadline, on asyncio and trio alike.

The deadline is a cancel scope around each step; a cancellation by the caller passes through untouched. What is
particular to httpx2 lies in `httpx_common`, which is imported when the first request is sent.
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

# The clients of a parent process: they can neither be closed in the forked child, where their event loop is not, nor
# be collected without a warning.
_left_behind: list[httpx2.AsyncClient] = []


class _Progress(httpx_common.Progress):
    """How far an exchange has come; hangs up if that was not far enough."""

    __slots__ = ("_connection",)

    def __init__(self, phase: str = errors.POOL) -> None:
        super().__init__(phase)
        self._connection: Any = None

    async def tell(self, step: str, info: dict[str, Any]) -> None:
        """Note each step of httpx2."""
        self.trace(step, info)
        if step == "connection.connect_tcp.complete":
            self._connection = info["return_value"]

    async def hang_up(self) -> None:
        """Close a connection that was just being made: httpx2 forgets it when the TLS handshake is cancelled."""
        if self._connection is not None and not self.sent:
            with anyio.CancelScope(shield=True):
                await self._connection.aclose()


class AsyncHttpTransport:
    """Exchanges requests over pooled connections; safe to share between the tasks of an event loop.

    A connection belongs to the loop that made it. Where a forked child, or another event loop after the first one was
    closed, goes on with it, connections are made anew; two loops at once are refused.

    Args:
        proxy: Address of a proxy; otherwise those of the environment are used (`HTTPS_PROXY`, `NO_PROXY` ...).
        verify: A context with the certificates to trust, instead of the usual ones.
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
        self._client = None  # whoever records warnings keeps their source
        if process != os.getpid():
            _left_behind.append(client)
            return
        try:
            if httpx_deadlines.is_open(client):
                text = "unclosed AsyncDidwwClient: its connections are still open; use `async with`, or await close()."
                warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
        finally:
            httpx_deadlines.hang_up(client, getattr(token, "native_token", None))

    async def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for a response with its whole body, unpacked."""
        progress = _Progress()
        return await self._in_time(self._whole(request, progress), request, deadline, progress)

    async def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for a response whose body is still on the wire."""
        progress = _Progress()
        # Handed out as they come, packed bytes would be of no use.
        response = await self._in_time(self._sent(request, "identity", progress), request, deadline, progress)
        return httpx_common.Opened(request, deadline, response, response.aiter_raw())

    async def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent, empty at its end."""
        exchange = cast("httpx_common.Opened", opened)
        progress = _Progress(errors.READING)
        return await self._in_time(_next_chunk(exchange.chunks), exchange.request, exchange.deadline, progress)

    async def release(self, opened: Opened) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        exchange = cast("httpx_common.Opened", opened)
        # Also when the task is being cancelled.
        with anyio.CancelScope(shield=True):
            await exchange.chunks.aclose()
            await exchange.response.aclose()

    async def close(self) -> None:
        """Close all connections; calls after this raise `ClientClosedError`."""
        self._closed = True
        client, self._client = self._client, None
        # Those of another loop, or of the parent process, cannot be closed from here.
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

    async def _sent(self, request: Request, packings: str, progress: _Progress) -> httpx2.Response:
        client = self._of_this_loop()
        made = httpx_common.request_for(request, packings, {"trace": progress.tell}, _content_of(request))
        httpx_deadlines.posting.set(request.method == "POST")
        try:
            response = await client.send(made, stream=True)
            progress.at_end = partial(httpx_deadlines.check_surplus, client, response.extensions["network_stream"])
            return response  # noqa: TRY300 what follows is for failures alone
        except BaseException:
            await progress.hang_up()
            raise

    def _of_this_loop(self) -> httpx2.AsyncClient:
        owner = _here()
        with self._lock:
            if self._client is not None and self._owner == owner:
                return self._client
            if self._client is not None and self._owner[0] == owner[0] and _running(self._owner[1]):
                raise DidwwClientError(
                    "This client is in use by another event loop, which has its connections. "
                    "Make one client for each event loop."
                )
            client = httpx_common.make_client(httpx2.AsyncClient, self._proxy, self._verify)
            httpx_deadlines.bind_async(client)
            self._client, self._owner = client, owner
            return client

    async def _in_time(self, step: Coroutine[Any, Any, T], request: Request, deadline: float, progress: _Progress) -> T:
        left = deadline - time.monotonic()
        if self._closed or left <= 0:
            step.close()
            raise self._refused(request, progress)
        with anyio.move_on_after(left):
            try:
                return await step
            except Exception as error:  # noqa: BLE001 explained, or raised again
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
            # A RuntimeError is httpx2's own word for a client that was closed between our look and its.
            if type(error) is RuntimeError:
                return errors.client_closed()
            return errors.closed_meanwhile(request, progress.phase)
        return httpx_common.explained(error, request, progress)


def _content_of(request: Request) -> bytes | AsyncIterator[bytes] | None:
    return _stream(request.body) if request.body is not None and not isinstance(request.body, bytes) else request.body


async def _stream(body: Stream) -> AsyncIterator[bytes]:
    """The body as it is made, without holding up other tasks: it may be read from a disk and encrypted."""
    pieces: Any = iter(body)
    size = 0
    over = threading.Event()

    def close() -> None:
        with contextlib.suppress(AttributeError, ValueError):  # no generator, or one at work in a thread
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
            told = body.sent(size)
            if inspect.isawaitable(told):
                await told
    finally:
        # The error of a cancelled task may keep it, and the file that it reads, for long. The thread may be in it yet.
        over.set()
        close()


async def _next_chunk(chunks: Any) -> bytes:
    async for chunk in chunks:
        if chunk:
            return cast("bytes", chunk)
    return b""


def _here() -> tuple[int, object]:
    """The process and the event loop that are running this."""
    return os.getpid(), current_token()


def _running(loop: Any) -> bool:
    """Whether an event loop can still be meant: asyncio's tells, trio's is not asked."""
    is_closed = getattr(getattr(loop, "native_token", loop), "is_closed", None)
    return is_closed is not None and not is_closed()
