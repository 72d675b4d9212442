"""Synchronous transport over httpx2: pooled connections and a strict deadline.

Shared code is in `httpx_common`, socket deadlines in `httpx_deadlines`. This module and httpx2 are imported when a
client is created, so that requests import nothing: a process forked while another thread is importing would deadlock.
"""

from __future__ import annotations

import codecs
import os
import sys
import threading
import warnings
from functools import partial
from typing import TYPE_CHECKING, cast

import httpx2

from didww._core.effects import Response
from didww.exceptions import DidwwError
from didww.transport import errors, httpx_common, httpx_deadlines
from didww.transport.body import ACCEPT_ENCODING, Body, content_of, lower_headers

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from didww._core.effects import Opened, Request

__all__ = ["HttpTransport"]

codecs.lookup("idna")  # the first DNS lookup would import it


class _Pool:
    """The connections of one process."""

    __slots__ = ("client", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.client: httpx2.Client | None = None


class HttpTransport:
    """Sends requests over pooled connections. Thread-safe, and safe to use in forked children.

    The deadline limits everything except the system's DNS lookup, and a TLS-in-TLS handshake (an https proxy in front
    of an https host) that the proxy sends byte by byte.

    Args:
        proxy: URL of a proxy. Defaults to the environment (`HTTPS_PROXY`, `NO_PROXY` ...).
        verify: An SSL context with the trusted certificates. Defaults to the system's.
    """

    def __init__(self, *, proxy: str | None = None, verify: bool | ssl.SSLContext = True) -> None:
        self._proxy = proxy
        self._verify: bool | ssl.SSLContext = verify
        self._closed = False
        self._pools: dict[int, _Pool] = {}

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        pools: dict[int, _Pool] = getattr(self, "_pools", {})
        self._pools = {}  # a recorded warning keeps its source alive
        own = pools.get(os.getpid())
        # No warning at interpreter exit, or in a forked child that never used the client.
        unclosed = (
            own is not None and own.client is not None and not is_finalizing() and httpx_deadlines.is_open(own.client)
        )
        try:
            if unclosed:
                text = "unclosed DidwwClient: its connections are still open. Use `with`, or call close()."
                warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
        finally:
            for pool in pools.values():
                if pool.client is not None:
                    httpx_deadlines.abandon(pool.client)

    def send(self, request: Request, deadline: float) -> Response:
        """Send `request` and return the response with its whole body, decompressed."""
        progress = httpx_common.Progress()
        try:
            response = self._sent(request, deadline, ACCEPT_ENCODING, progress)
            try:
                headers = lower_headers(response.headers.raw)
                body = Body(response.status_code, headers)
                for chunk in response.iter_raw():
                    body.feed(chunk)
                return Response(response.status_code, headers, body.whole())
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 converted or re-raised
            failure = self._explained(error, request, progress)
        raise failure

    def open(self, request: Request, deadline: float) -> Opened:
        """Send `request` and return the response before its body is read."""
        progress = httpx_common.Progress()
        try:
            # The body is streamed as sent, so it must not be compressed.
            response = self._sent(request, deadline, "identity", progress)
            return httpx_common.Opened(request, deadline, response, response.iter_raw())
        except Exception as error:  # noqa: BLE001 converted or re-raised
            failure = self._explained(error, request, progress)
        raise failure

    def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body as sent, empty at the end."""
        exchange = cast("httpx_common.Opened", opened)
        if self._closed:
            raise errors.client_closed()
        chunks: Iterator[bytes] = exchange.chunks
        try:
            return next(filter(None, chunks), b"")
        except Exception as error:  # noqa: BLE001 converted or re-raised
            failure = self._explained(error, exchange.request, httpx_common.Progress(errors.READING))
        raise failure

    def release(self, opened: Opened) -> None:
        """Return the connection to the pool, or close it if the body was not fully read."""
        cast("httpx_common.Opened", opened).response.close()

    def close(self) -> None:
        """Close all connections. Later calls raise `ClientClosedError`."""
        self._closed = True
        pool = self._pools.get(os.getpid())
        if pool is not None:
            with pool.lock:
                client, pool.client = pool.client, None
            if client is not None:
                client.close()

    def _sent(
        self, request: Request, deadline: float, encodings: str, progress: httpx_common.Progress
    ) -> httpx2.Response:
        client = self._client()
        timeout = httpx_deadlines.DeadlineTimeout(deadline)
        if not timeout:
            raise errors.deadline_exceeded(request, request_sent=False)
        timeouts = {"connect": timeout, "read": timeout, "write": timeout, "pool": timeout}
        extensions = {"timeout": timeouts, "trace": progress.trace}
        httpx_deadlines.posting.set(request.method == "POST")
        response = client.send(
            httpx_common.request_for(request, encodings, extensions, content_of(request)), stream=True
        )
        progress.at_end = partial(httpx_deadlines.check_surplus, client, response.extensions["network_stream"])
        return response

    def _client(self) -> httpx2.Client:
        if self._closed:
            raise errors.client_closed()
        pool = self._pools.get(os.getpid())
        client = pool.client if pool is not None else None
        return client if client is not None else self._new_client()

    def _new_client(self) -> httpx2.Client:
        # One pool per process, so that parent and child never write to the same socket. A lock of the parent may have
        # been held when the child was forked; `setdefault` needs no lock.
        process = os.getpid()
        pool = self._pools.setdefault(process, _Pool())
        with pool.lock:
            if self._closed:
                raise errors.client_closed()
            if pool.client is None:
                for other in [known for known in self._pools if known != process]:
                    inherited = self._pools.pop(other).client
                    if inherited is not None:
                        httpx_deadlines.abandon(inherited)
                client = httpx_common.make_client(httpx2.Client, self._proxy, self._verify)
                httpx_deadlines.bind(client)
                pool.client = client
            return pool.client

    def _explained(self, error: Exception, request: Request, progress: httpx_common.Progress) -> Exception:
        if self._closed and not isinstance(error, DidwwError):
            # httpx2 raises RuntimeError if the client was closed after our check.
            if type(error) is RuntimeError:
                return errors.client_closed()
            return errors.closed_meanwhile(request, progress.phase)
        return httpx_common.explained(error, request, progress)
