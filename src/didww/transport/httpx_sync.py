"""The synchronous transport over httpx2: pooled connections and a strict deadline.

What is particular to httpx2 lies in `httpx_common`, what bounds its sockets in `httpx_deadlines`. This module is
imported when a client is made, and httpx2 with it: a process that was forked while another thread is in the middle of
an import would wait for it without end, so nothing is left to be imported by a request.
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

codecs.lookup("idna")  # the first name lookup would import it


class _Pool:
    """The connections of one process."""

    __slots__ = ("client", "lock")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.client: httpx2.Client | None = None


class HttpTransport:
    """Exchanges requests over pooled connections; safe to share between threads, and with forked children.

    The deadline bounds everything but the system's lookup of the host's name, and the handshake of TLS inside TLS
    (an https proxy in front of an https host) against a proxy that drips it.

    Args:
        proxy: Address of a proxy; otherwise those of the environment are used (`HTTPS_PROXY`, `NO_PROXY` ...).
        verify: A context with the certificates to trust, instead of the usual ones.
    """

    def __init__(self, *, proxy: str | None = None, verify: bool | ssl.SSLContext = True) -> None:
        self._proxy = proxy
        self._verify: bool | ssl.SSLContext = verify
        self._closed = False
        self._pools: dict[int, _Pool] = {}

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        pools: dict[int, _Pool] = getattr(self, "_pools", {})
        self._pools = {}  # whoever records warnings keeps their source
        own = pools.get(os.getpid())
        # At the end of the interpreter, and in a forked child that never used it, there is nothing to be said.
        unclosed = (
            own is not None and own.client is not None and not is_finalizing() and httpx_deadlines.is_open(own.client)
        )
        try:
            if unclosed:
                text = "unclosed DidwwClient: its connections are still open; use `with`, or close()."
                warnings.warn(text, ResourceWarning, source=self, stacklevel=2)
        finally:
            for pool in pools.values():
                if pool.client is not None:
                    httpx_deadlines.abandon(pool.client)

    def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for a response with its whole body, unpacked."""
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
        except Exception as error:  # noqa: BLE001 explained, or raised again
            failure = self._explained(error, request, progress)
        raise failure

    def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for a response whose body is still on the wire."""
        progress = httpx_common.Progress()
        try:
            # Handed out as they come, packed bytes would be of no use.
            response = self._sent(request, deadline, "identity", progress)
            return httpx_common.Opened(request, deadline, response, response.iter_raw())
        except Exception as error:  # noqa: BLE001 explained, or raised again
            failure = self._explained(error, request, progress)
        raise failure

    def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent, empty at its end."""
        exchange = cast("httpx_common.Opened", opened)
        if self._closed:
            raise errors.client_closed()
        chunks: Iterator[bytes] = exchange.chunks
        try:
            return next(filter(None, chunks), b"")
        except Exception as error:  # noqa: BLE001 explained, or raised again
            failure = self._explained(error, exchange.request, httpx_common.Progress(errors.READING))
        raise failure

    def release(self, opened: Opened) -> None:
        """Give the connection back, or close it if the body was not read to its end."""
        cast("httpx_common.Opened", opened).response.close()

    def close(self) -> None:
        """Close all connections; calls after this raise `ClientClosedError`."""
        self._closed = True
        pool = self._pools.get(os.getpid())
        if pool is not None:
            with pool.lock:
                client, pool.client = pool.client, None
            if client is not None:
                client.close()

    def _sent(
        self, request: Request, deadline: float, packings: str, progress: httpx_common.Progress
    ) -> httpx2.Response:
        client = self._client()
        until = httpx_deadlines.DeadlineTimeout(deadline)
        if not until:
            raise errors.deadline_exceeded(request, request_sent=False)
        timeouts = {"connect": until, "read": until, "write": until, "pool": until}
        extensions = {"timeout": timeouts, "trace": progress.trace}
        httpx_deadlines.posting.set(request.method == "POST")
        response = client.send(
            httpx_common.request_for(request, packings, extensions, content_of(request)), stream=True
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
        # One pool for each process, so that parent and child never write to the same socket. A lock of the parent's
        # may have been held when the child was forked; `setdefault` needs none.
        process = os.getpid()
        pool = self._pools.setdefault(process, _Pool())
        with pool.lock:
            if self._closed:
                raise errors.client_closed()
            if pool.client is None:
                for other in [known for known in self._pools if known != process]:
                    left_behind = self._pools.pop(other).client
                    if left_behind is not None:
                        httpx_deadlines.abandon(left_behind)
                client = httpx_common.make_client(httpx2.Client, self._proxy, self._verify)
                httpx_deadlines.bind(client)
                pool.client = client
            return pool.client

    def _explained(self, error: Exception, request: Request, progress: httpx_common.Progress) -> Exception:
        if self._closed and not isinstance(error, DidwwError):
            # A RuntimeError is httpx2's own word for a client that was closed between our look and its.
            if type(error) is RuntimeError:
                return errors.client_closed()
            return errors.closed_meanwhile(request, progress.phase)
        return httpx_common.explained(error, request, progress)
