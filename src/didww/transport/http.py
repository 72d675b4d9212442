"""The synchronous transport over httpx2: pooled connections, no redirects, no cookies, a strict deadline.

httpx2 times single socket operations, which a server that drips bytes defeats. So each socket operation is limited to
what is left of the deadline (`_Backend`). What cannot be bounded from here is the system's name lookup.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, cast

from didww.calls.effects import Response
from didww.transport import base

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    import httpx2

    from didww.calls.effects import Opened, Request
    from didww.exceptions import DidwwClientError

__all__ = ["HttpTransport", "HttpxOpened", "headers_of", "limits", "translate"]


class HttpxOpened:
    """An answer of httpx2 whose body is still on the wire."""

    __slots__ = ("chunks", "deadline", "headers", "request", "response", "status")

    def __init__(self, request: Request, response: httpx2.Response, deadline: float, chunks: Any) -> None:
        self.request = request
        self.response = response
        self.deadline = deadline
        self.chunks = chunks
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = headers_of(response)


class HttpTransport:
    """Exchanges requests over pooled connections.

    Args:
        proxy: Address of a proxy; the environment's proxies (`HTTPS_PROXY` ...) are used if it is left out.
        verify: False, or an `ssl.SSLContext` of the caller's own, in place of the system's certificates.
    """

    def __init__(self, *, proxy: str | None = None, verify: bool | ssl.SSLContext = True) -> None:
        self._proxy = proxy
        self._verify: bool | ssl.SSLContext = verify
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._clock = _Clock()
        self._pid = 0
        self._closed = False

    def _connected(self) -> httpx2.Client:
        client = self._client
        if client is not None and self._pid == os.getpid() and not self._closed:
            return client
        with self._lock:
            if self._closed:
                raise base.closed()
            if self._client is None or self._pid != os.getpid():
                # After a fork the connections are the parent's: leave them alone, make new ones.
                self._client, self._pid = self._new_client(), os.getpid()
            return self._client

    def _new_client(self) -> httpx2.Client:
        import httpx2

        client = httpx2.Client(
            follow_redirects=False, proxy=self._proxy, verify=self._verify, limits=limits(), timeout=None
        )
        # httpx2 has no argument for the network backend of its pools; a test fails if this stops working.
        for transport in (client._transport, *client._mounts.values()):
            if transport is not None:
                pool: Any = cast("Any", transport)._pool
                pool._network_backend = _Backend(pool._network_backend, self._clock)
        return client

    def _exchange(self, request: Request, deadline: float) -> httpx2.Response:
        import httpx2

        client = self._connected()
        left = base.remaining(deadline)
        timeout = {"connect": left, "read": left, "write": left, "pool": left}
        self._clock.deadline = deadline
        return client.send(
            httpx2.Request(
                request.method,
                request.url,
                headers=request.headers,
                content=request.body,
                extensions={"timeout": timeout},
            ),
            stream=True,
        )

    def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for an answer with its whole body, unpacked."""
        try:
            response = self._exchange(request, deadline)
            try:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > base.MOST_BYTES:
                        raise base.too_large(request)
                return Response(response.status_code, headers_of(response), bytes(body))
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = translate(error, request)
        # Outside the handler, so that no context leads to an exception that holds the request and its key.
        raise failure

    def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for an answer whose body is still on the wire."""
        try:
            response = self._exchange(request, deadline)
            return HttpxOpened(request, response, deadline, response.iter_raw())
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = translate(error, request)
        raise failure

    def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent."""
        if not isinstance(opened, HttpxOpened):
            raise TypeError(f"{opened!r} was not opened by this transport")
        try:
            self._clock.deadline = opened.deadline
            return next(opened.chunks, b"")
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = translate(error, opened.request)
        raise failure

    def release(self, opened: Opened) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        if isinstance(opened, HttpxOpened):
            opened.response.close()

    def close(self) -> None:
        """Close all connections; calls after this raise `ClientClosedError`."""
        with self._lock:
            self._closed = True
            client, self._client = self._client, None
        if client is not None and self._pid == os.getpid():
            client.close()


def limits() -> httpx2.Limits:
    """How many connections the pool keeps, and how long."""
    import httpx2

    return httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=30)


def headers_of(response: httpx2.Response) -> dict[str, str]:
    """The headers of an answer, names in lower case."""
    return dict(response.headers)


def translate(error: BaseException, request: Request) -> BaseException:
    """The error of this package for one of httpx2; anything else as it is."""
    import httpx2

    failure: DidwwClientError
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        failure = base.too_late(request, request_sent=False)
    elif isinstance(error, httpx2.TimeoutException):
        failure = base.too_late(request)
    elif isinstance(error, (httpx2.ConnectError, httpx2.ProxyError, httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
        failure = base.cannot_connect(request, base.reason(error))
    elif isinstance(error, (httpx2.HTTPError, httpx2.StreamError)):
        failure = base.broken(request, base.reason(error))
    else:
        return error
    return failure


class _Clock(threading.local):
    """The deadline of what this thread is doing."""

    deadline: float = float("inf")


class _Stream:
    """A network stream whose operations end with the deadline."""

    def __init__(self, inner: Any, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        import httpcore2

        if base.passed(self._clock.deadline):
            raise httpcore2.ReadTimeout("the deadline passed")
        data: bytes = self._inner.read(max_bytes, _shorter(timeout, self._clock))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _shorter(timeout, self._clock))

    def close(self) -> None:
        self._inner.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        inner = self._inner.start_tls(ssl_context, server_hostname, _shorter(timeout, self._clock))
        return _Stream(inner, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _Backend:
    """A network backend whose streams know the deadline."""

    def __init__(self, inner: Any, clock: _Clock) -> None:
        self._inner = inner
        self._clock = clock

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        return _Stream(
            self._inner.connect_tcp(host, port, timeout=_shorter(timeout, self._clock), **options), self._clock
        )

    def connect_unix_socket(self, path: str, timeout: float | None = None, **options: Any) -> _Stream:
        stream = self._inner.connect_unix_socket(path, timeout=_shorter(timeout, self._clock), **options)
        return _Stream(stream, self._clock)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


def _shorter(timeout: float | None, clock: _Clock) -> float | None:
    left = base.remaining(clock.deadline)
    return left if timeout is None or (left is not None and left < timeout) else timeout
