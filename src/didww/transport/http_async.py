"""The asynchronous transport over httpx2: pooled connections, no redirects, no cookies, a strict deadline.

The deadline is a cancel scope around the whole exchange, on asyncio and trio alike.
"""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from didww.calls.effects import Response
from didww.transport import base
from didww.transport.http import HttpxOpened, headers_of, limits, translate

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    import httpx2

    from didww.calls.effects import Opened, Request

    T = TypeVar("T")

__all__ = ["AsyncHttpTransport"]


class AsyncHttpTransport:
    """Exchanges requests over pooled connections of one event loop.

    Args:
        proxy: Address of a proxy; the environment's proxies (`HTTPS_PROXY` ...) are used if it is left out.
        verify: False, or an `ssl.SSLContext` of the caller's own, in place of the system's certificates.
    """

    def __init__(self, *, proxy: str | None = None, verify: bool | ssl.SSLContext = True) -> None:
        self._proxy = proxy
        self._verify: bool | ssl.SSLContext = verify
        self._client: httpx2.AsyncClient | None = None
        self._pid = 0
        self._closed = False

    def _connected(self) -> httpx2.AsyncClient:
        if self._closed:
            raise base.closed()
        if self._client is None or self._pid != os.getpid():
            import httpx2

            self._client, self._pid = (
                httpx2.AsyncClient(
                    follow_redirects=False, proxy=self._proxy, verify=self._verify, limits=limits(), timeout=None
                ),
                os.getpid(),
            )
        return self._client

    async def _exchange(self, request: Request) -> httpx2.Response:
        import httpx2

        content = httpx2.Request(request.method, request.url, headers=request.headers, content=request.body)
        return await self._connected().send(content, stream=True)

    async def _whole(self, request: Request) -> Response:
        response = await self._exchange(request)
        try:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > base.MOST_BYTES:
                    raise base.too_large(request)
            return Response(response.status_code, headers_of(response), bytes(body))
        finally:
            await _close(response)

    async def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for an answer with its whole body, unpacked."""
        return await _within(deadline, request, lambda: self._whole(request))

    async def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for an answer whose body is still on the wire."""
        response = await _within(deadline, request, lambda: self._exchange(request))
        return HttpxOpened(request, response, deadline, response.aiter_raw())

    async def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent."""
        if not isinstance(opened, HttpxOpened):
            raise TypeError(f"{opened!r} was not opened by this transport")

        async def following() -> bytes:
            async for chunk in opened.chunks:
                return bytes(chunk)
            return b""

        return await _within(opened.deadline, opened.request, following)

    async def release(self, opened: Opened) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        if isinstance(opened, HttpxOpened):
            await _close(opened.response)

    async def close(self) -> None:
        """Close all connections; calls after this raise `ClientClosedError`."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            await client.aclose()


async def _within(deadline: float, request: Request, exchange: Callable[[], Awaitable[T]]) -> T:
    """The outcome of `exchange`, or the error that says it took too long."""
    import anyio

    left = base.remaining(deadline)
    failure: BaseException | None = None
    with anyio.move_on_after(math.inf if left is None else left):
        try:
            return await exchange()
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = translate(error, request)
    # Outside the handler, so that no context leads to an exception that holds the request and its key.
    raise failure if failure is not None else base.too_late(request)


async def _close(response: httpx2.Response) -> None:
    import anyio

    # Also when the task is being cancelled: the connection must go back to its pool.
    with anyio.CancelScope(shield=True):
        await response.aclose()
