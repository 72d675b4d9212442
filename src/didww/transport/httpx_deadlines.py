"""Network backends for httpx2 that enforce the deadline of a call and receive early responses.

httpx2 applies timeouts to single socket operations, which a server that sends one byte at a time defeats. So its
network backend is replaced by one that limits each operation to the time remaining until the deadline. The deadline is
passed in the timeouts of the request (`DeadlineTimeout`). Only the system's DNS lookup cannot be limited, because it
cannot be interrupted.

A server that rejects a request may respond and close the connection while the body is still being sent. Then the next
write fails, and httpx2 continues to read the response. With asyncio streams, nothing is left to read by then, so the
asynchronous client reads while it writes.

A connection is not reused if extra bytes followed its last response, since they would be read as the response to the
next request. It is not reused for a POST if it was idle for a second, since the server may be closing it, and the
client could not know whether the request was processed.

This is the only module that uses private parts of httpx2 (`bind`, `abandon`, `is_open`, `hang_up`, `check_surplus`).
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
"""Whether the request that needs a connection is a POST."""

_MAX_TIMEOUT = 1e6
_SLICE = 1 << 14
_MAX_EARLY = 1 << 20
"""Maximum bytes of a response to receive while the request is still being written."""
_READ_AFTER_FAILURE = 0.2
"""Seconds to receive the rest of a response after writing has failed."""
_ITERATIONS = 8
"""Event loop iterations after which a waiting reader has received available bytes."""


class DeadlineTimeout(float):
    """A timeout that stores its deadline.

    As a float, it is the number of seconds remaining when it was created: a reasonable timeout if a later httpx2 no
    longer uses our backend.
    """

    __slots__ = ("deadline",)
    deadline: float

    def __new__(cls, deadline: float) -> Self:
        """Create a timeout that ends at `deadline`."""
        # System calls do not accept infinity; the maximum is eleven days.
        timeout = super().__new__(cls, min(max(deadline - time.monotonic(), 0.0), _MAX_TIMEOUT))
        timeout.deadline = deadline
        return timeout


def bind(client: httpx2.Client) -> None:
    """Make all sockets of `client` respect the deadlines."""
    backend = _Backend()
    for pool in _pools(client):
        pool._network_backend = backend


def bind_async(client: httpx2.AsyncClient) -> None:
    """Make all sockets of `client` read while they write."""
    for pool in _pools(client):
        pool._network_backend = _AsyncBackend(pool._network_backend)


def abandon(client: httpx2.Client) -> None:
    """Drop the connections of `client`, which belong to the parent process.

    A thread of the parent may have held its locks during the fork, so no lock is taken. Only this process's copies of
    the sockets are closed, which does not affect the parent.
    """
    for connection in _connections(client):
        connection.close()


def is_open(client: httpx2.Client | httpx2.AsyncClient) -> bool:
    """Return whether `client` has an open connection."""
    return any(not connection.is_closed() for connection in _connections(client))


def hang_up(client: httpx2.AsyncClient, loop: Any) -> None:
    """Close the connections of `client` without awaiting.

    Args:
        client: The client that owns them.
        loop: The event loop that opened them. If it is closed, the connections are left to garbage collection.
    """
    import asyncio

    def close() -> None:
        for connection in _connections(client):
            closing = connection.aclose()
            # The first step closes the socket; the rest would wait for completion.
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
    """Prevent reuse of a connection if extra bytes followed the response that was just read.

    Args:
        client: The client that owns the connection.
        stream: The connection's `network_stream`.
    """
    for connection in _connections(client):
        http: Any = connection
        while http is not None and not hasattr(http, "_h11_state"):
            http = getattr(http, "_connection", None)  # the tunneled connection behind a proxy
        if http is not None and http._network_stream is stream and http._h11_state.trailing_data[0]:
            stream.has_surplus = True


def _connections(client: httpx2.Client | httpx2.AsyncClient) -> Iterator[Any]:
    for pool in _pools(client):
        yield from pool.connections


def _pools(client: httpx2.Client | httpx2.AsyncClient) -> Iterator[Any]:
    # httpx2 has no argument for the backend. If these private names disappear, only its own timeouts apply, and
    # test_dripping_headers_end_at_the_deadline fails.
    private: Any = client
    mounts: dict[Any, Any] = getattr(private, "_mounts", {})
    for transport in (getattr(private, "_transport", None), *mounts.values()):
        pool = getattr(transport, "_pool", None)
        if hasattr(pool, "_network_backend"):
            yield pool


def _remaining(timeout: float | None) -> float | None:
    return DeadlineTimeout(timeout.deadline) if isinstance(timeout, DeadlineTimeout) else timeout


class _Unreachable(httpcore2.ConnectError):
    """Cannot connect to `dialed`: the server, or the proxy if there is one."""

    dialed = ""


class _Backend(httpcore2.NetworkBackend):
    """Opens connections within the deadline, for any number of addresses."""

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
            addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            problem, addresses = error, []
        for index, (_, _, _, _, address) in enumerate(addresses):
            remaining = _remaining(timeout)
            # Each address gets a share of the time, so that an unreachable first one does not use up all of it.
            share = remaining if remaining is None else remaining / (len(addresses) - index)
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


class _Reusable:
    """A connection that may be reused for the next request.

    Attributes:
        has_surplus: Whether extra bytes followed a response.
        used_at: When bytes were last received.
    """

    has_surplus = False
    used_at = 0.0

    def unfit(self) -> bool:
        """Return whether the current request must not reuse this connection."""
        return self.has_surplus or (posting.get() and time.monotonic() - self.used_at > base.MAX_IDLE)


class _Stream(_Reusable, httpcore2.NetworkStream):
    """A connection, plain or TLS, whose operations end with the deadline."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner
        self.used_at = time.monotonic()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        remaining = _remaining(timeout)
        if remaining == 0:
            raise httpcore2.ReadTimeout
        token = interruption.get()
        try:
            if token is None:
                return self._inner.read(max_bytes, remaining)
            with token.using(self._inner.get_extra_info("socket")):
                return self._inner.read(max_bytes, remaining)
        finally:
            self.used_at = time.monotonic()

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # In slices, because the inner backend applies the timeout to each partial write.
        for start in range(0, len(buffer), _SLICE):
            remaining = _remaining(timeout)
            if remaining == 0:
                raise httpcore2.WriteTimeout
            self._inner.write(buffer[start : start + _SLICE], remaining)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        remaining = _remaining(timeout)
        if remaining == 0:
            self.close()
            raise httpcore2.ConnectTimeout
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, remaining))

    def get_extra_info(self, info: str) -> Any:
        # The pool closes an idle connection that is readable instead of reusing it.
        return (info == "is_readable" and self.unfit()) or self._inner.get_extra_info(info)


class _AsyncBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections that read while they write."""

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


class _AsyncStream(_Reusable, httpcore2.AsyncNetworkStream):
    """A connection, plain or TLS, that buffers bytes received while it writes."""

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
            await self._inner.write(buffer, timeout)  # small enough to be written at once
            return
        import anyio
        from anyio.lowlevel import checkpoint

        failure: Exception | None = None
        async with anyio.create_task_group() as readers:
            readers.start_soon(self._listen)
            try:
                await checkpoint()  # until it reads
                for start in range(0, len(buffer), _SLICE):
                    await self._catch_up()
                    await self._inner.write(buffer[start : start + _SLICE], timeout)
                readers.cancel_scope.cancel()
            except Exception as error:  # noqa: BLE001 raised below, as a task group would wrap it
                failure = error
                # Bytes received before the failure are available now, or never.
                readers.cancel_scope.deadline = anyio.current_time() + _READ_AFTER_FAILURE
        if failure is not None:
            raise failure

    async def _listen(self) -> None:
        # An error that ends the connection is raised again by the next read.
        with contextlib.suppress(httpcore2.ReadError, ssl.SSLError):
            while len(self._early) < _MAX_EARLY:
                piece = await self._inner.read(_SLICE)
                self._early += piece
                if not piece:
                    self._ended = True
                    return

    async def _catch_up(self) -> None:
        """Receive bytes that are already available, before a failed write would discard them."""
        from anyio.lowlevel import checkpoint

        for _ in range(_ITERATIONS):
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
