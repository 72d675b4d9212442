"""What the httpx2 clients do with their sockets: operations that end with the call's deadline, and early responses.

httpx2 times single socket operations, which a server that drips one byte at a time defeats. So its network backend is
replaced by one that limits each operation to the time left until the deadline; the deadline travels in the timeouts of
the request (`DeadlineTimeout`). One thing cannot be bounded here: the name lookup of the system, which no thread can
interrupt.

A server that refuses a request may exchange and hang up while the body is still on its way. Then the next write fails,
and httpx2 goes on to read the response. With the event loop's streams nothing is left to read by then; so the
asynchronous client listens while it writes.

A connection is not used again if bytes came behind its last response, which would be read as the response to the next
request; nor by a POST if it was idle for a second, as the server may be closing it just then, and nobody could tell
whether the request was carried out.

This module is the only one that reaches into httpx2's private parts (`bind`, `abandon`, `is_open`, `hang_up`,
`check_surplus`).
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Self

import httpcore2

from didww.transport import base
from didww.transport.cancellation import interruption

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import httpx2

__all__ = ["DeadlineTimeout", "abandon", "bind", "bind_async", "check_surplus", "hang_up", "is_open", "posting"]

posting: Final = ContextVar("posting", default=False)
"""Whether the request that looks for a connection is a POST."""

_LONGEST = 1e6
_SLICE = 1 << 14
_MAX_EARLY = 1 << 20
"""Bytes of a response that are taken in while the request is still being written."""
_LAST_WORDS = 0.2
"""Seconds that are left to take in the rest of a response when writing has failed."""
_TURNS = 8
"""Turns of an event loop in which bytes that lie ready have come to whoever waits for them."""


class DeadlineTimeout(float):
    """A timeout that remembers the moment it stands for.

    To everybody else it is the number of seconds that were left when it was made: a sane timeout, should a later
    httpx2 no longer use our backend.
    """

    __slots__ = ("deadline",)
    deadline: float

    def __new__(cls, deadline: float) -> Self:
        """A timeout that ends at `deadline`."""
        # The system's calls take no infinity; nobody waits eleven days.
        made = super().__new__(cls, min(max(deadline - time.monotonic(), 0.0), _LONGEST))
        made.deadline = deadline
        return made


def bind(client: httpx2.Client) -> None:
    """Have all sockets of `client` keep to the deadlines."""
    backend = _Backend()
    for pool in _pools(client):
        pool._network_backend = backend


def bind_async(client: httpx2.AsyncClient) -> None:
    """Have all sockets of `client` listen while they write."""
    for pool in _pools(client):
        pool._network_backend = _AsyncBackend(pool._network_backend)


def abandon(client: httpx2.Client) -> None:
    """Drop the connections of `client`, which belong to the parent process.

    Its locks may have been held by a thread that the fork left behind; so nothing is locked here, only this process'
    copies of the sockets are closed, which the parent does not notice.
    """
    for connection in _connections(client):
        connection.close()


def is_open(client: httpx2.Client | httpx2.AsyncClient) -> bool:
    """Whether `client` holds a connection that was not closed."""
    return any(not connection.is_closed() for connection in _connections(client))


def hang_up(client: httpx2.AsyncClient, loop: Any) -> None:
    """Close the connections of `client`, which nobody can await any more.

    Args:
        client: What they belong to.
        loop: The event loop that made them. One that was closed cannot close them; they go with their objects then.
    """
    import asyncio

    def close() -> None:
        for connection in _connections(client):
            closing = connection.aclose()
            # Its first step closes the socket; the rest would wait until that is done.
            with contextlib.suppress(StopIteration, Exception):
                closing.send(None)
            closing.close()

    elsewhere = getattr(loop, "is_running", bool)() and asyncio._get_running_loop() is not loop
    if getattr(loop, "is_closed", bool)():
        return
    if elsewhere:
        loop.call_soon_threadsafe(close)
    else:
        close()


def check_surplus(client: httpx2.Client | httpx2.AsyncClient, stream: Any) -> None:
    """Keep a connection from being used again if bytes came behind the response that was just read.

    Args:
        client: What the connection belongs to.
        stream: The connection's `network_stream`.
    """
    for connection in _connections(client):
        http: Any = connection
        while http is not None and not hasattr(http, "_h11_state"):
            http = getattr(http, "_connection", None)  # of the host behind a proxy
        if http is not None and http._network_stream is stream and http._h11_state.trailing_data[0]:
            stream.spoiled = True


def _connections(client: httpx2.Client | httpx2.AsyncClient) -> Iterator[Any]:
    for pool in _pools(client):
        yield from pool.connections


def _pools(client: httpx2.Client | httpx2.AsyncClient) -> Iterator[Any]:
    # httpx2 has no argument for the backend. Where these names are gone, its own timeouts are what remains; a test
    # fails then (test_dripping_headers_end_at_the_deadline).
    private: Any = client
    mounts: dict[Any, Any] = getattr(private, "_mounts", {})
    for transport in (getattr(private, "_transport", None), *mounts.values()):
        pool = getattr(transport, "_pool", None)
        if hasattr(pool, "_network_backend"):
            yield pool


def _left(timeout: float | None) -> float | None:
    return DeadlineTimeout(timeout.deadline) if isinstance(timeout, DeadlineTimeout) else timeout


class _Unreachable(httpcore2.ConnectError):
    """No connection to `dialed`, which is the proxy if there is one."""

    dialed = ""


class _Backend(httpcore2.NetworkBackend):
    """Makes connections within the deadline, whatever the number of addresses."""

    def __init__(self) -> None:
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        problem: Exception = OSError(None, "the name has no address")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            problem, found = error, []
        for place, (_, _, _, _, address) in enumerate(found):
            left = _left(timeout)
            # A share of the time for each address: a first one that is dead must not use up the time of the others.
            share = left if left is None else left / (len(found) - place)
            try:
                stream = self._inner.connect_tcp(str(address[0]), port, share, local_address, socket_options)
            except (httpcore2.ConnectTimeout, httpcore2.ConnectError) as error:
                problem = error
            else:
                return _Stream(stream)
        if isinstance(problem, httpcore2.ConnectTimeout):
            raise problem
        failure = _Unreachable(problem)
        failure.dialed = f"{host}:{port}"
        raise failure


class _Kept:
    """A connection that is kept for the next request, or not.

    Attributes:
        spoiled: Whether bytes came that belong to no request.
        used_at: When something last came in.
    """

    spoiled = False
    used_at = 0.0

    def unfit(self) -> bool:
        """Whether the request that looks for a connection must not have this one."""
        return self.spoiled or (posting.get() and time.monotonic() - self.used_at > base.MAX_IDLE)


class _Stream(_Kept, httpcore2.NetworkStream):
    """A connection, plain or TLS, whose operations end with the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner
        self.used_at = time.monotonic()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(timeout)
        if left == 0:
            raise httpcore2.ReadTimeout
        interrupting = interruption.get()
        try:
            if interrupting is None:
                return self._inner.read(max_bytes, left)
            with interrupting.using(self._inner.get_extra_info("socket")):
                return self._inner.read(max_bytes, left)
        finally:
            self.used_at = time.monotonic()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In slices, as the backend below gives the same time to each part that the system takes.
        for start in range(0, len(buffer), _SLICE):
            left = _left(timeout)
            if left == 0:
                raise httpcore2.WriteTimeout
            self._inner.write(buffer[start : start + _SLICE], left)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout)
        if left == 0:
            self.close()
            raise httpcore2.ConnectTimeout
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        # An idle connection on which something can be read is closed by the pool instead of being used.
        return (info == "is_readable" and self.unfit()) or self._inner.get_extra_info(info)


class _AsyncBackend(httpcore2.AsyncNetworkBackend):
    """Makes connections that listen while they write."""

    def __init__(self, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 httpcore2's own
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return _AsyncStream(await self._inner.connect_tcp(host, port, timeout, local_address, socket_options))

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _AsyncStream(_Kept, httpcore2.AsyncNetworkStream):
    """A connection, plain or TLS, that keeps what comes while it writes."""

    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner
        self.used_at = time.monotonic()
        self._early = bytearray()
        self._ended = False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 httpcore2's own
        if self._early or self._ended:
            piece = bytes(self._early[:max_bytes])
            del self._early[:max_bytes]
            return piece
        try:
            return await self._inner.read(max_bytes, timeout)
        finally:
            self.used_at = time.monotonic()

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 httpcore2's own
        if len(buffer) < _SLICE and not self._inner.get_extra_info("is_readable"):
            await self._inner.write(buffer, timeout)  # the system takes so little at once
            return
        import anyio
        from anyio.lowlevel import checkpoint

        failure: Exception | None = None
        async with anyio.create_task_group() as listening:
            listening.start_soon(self._listen)
            try:
                await checkpoint()  # until it listens
                for start in range(0, len(buffer), _SLICE):
                    await self._catch_up()
                    await self._inner.write(buffer[start : start + _SLICE], timeout)
                listening.cancel_scope.cancel()
            except Exception as error:  # noqa: BLE001 raised below, as a task group would wrap it
                failure = error
                # What had come by then is at hand, or will never be.
                listening.cancel_scope.deadline = anyio.current_time() + _LAST_WORDS
        if failure is not None:
            raise failure

    async def _listen(self) -> None:
        # What ends the connection is told again to whoever reads next.
        with contextlib.suppress(httpcore2.ReadError, ssl.SSLError):
            while len(self._early) < _MAX_EARLY:
                piece = await self._inner.read(_SLICE)
                self._early += piece
                if not piece:
                    self._ended = True
                    return

    async def _catch_up(self) -> None:
        """Take in what has come already, before a write that fails would throw it away."""
        from anyio.lowlevel import checkpoint

        for _ in range(_TURNS):
            if not self._inner.get_extra_info("is_readable"):
                return
            await checkpoint()

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 httpcore2's own
    ) -> httpcore2.AsyncNetworkStream:
        return _AsyncStream(await self._inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        unfit = info == "is_readable" and (bool(self._early) or self._ended or self.unfit())
        return unfit or self._inner.get_extra_info(info)
