"""A transport over a `requests.Session` of the caller's own: its proxies, certificates, adapters and hooks as they are.

The session is used and never changed or closed. The deadline bounds the connecting, the waiting for the first byte and
each pause in the body; it is checked between the pieces of the body. A server that drips its headers is not bounded:
requests has no way to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.calls.effects import Response
from didww.transport import base

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import requests

    from didww.calls.effects import Opened, Request
    from didww.exceptions import DidwwClientError

__all__ = ["SessionTransport"]

CHUNK = 1 << 16


class _Opened:
    __slots__ = ("chunks", "deadline", "headers", "request", "response", "status")

    def __init__(self, request: Request, response: requests.Response, deadline: float) -> None:
        self.request = request
        self.response = response
        self.deadline = deadline
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.headers.items()}
        self.chunks: Iterator[bytes] = response.raw.stream(CHUNK, decode_content=False)


class SessionTransport:
    """Exchanges requests over the caller's session."""

    def __init__(self, session: requests.Session) -> None:
        self._session: requests.Session | None = session

    def _exchange(self, request: Request, deadline: float) -> requests.Response:
        session = self._session
        if session is None:
            raise base.closed()
        left = base.remaining(deadline)
        return session.request(
            request.method,
            request.url,
            headers=request.headers,
            data=request.body,
            timeout=None if left is None else (left, left),
            allow_redirects=False,
            stream=True,
        )

    def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for an answer with its whole body, unpacked."""
        try:
            response = self._exchange(request, deadline)
            try:
                body = bytearray()
                for chunk in response.iter_content(CHUNK):
                    body += chunk
                    if len(body) > base.MOST_BYTES:
                        raise base.too_large(request)
                    if base.passed(deadline):
                        raise base.too_late(request)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Response(response.status_code, headers, bytes(body))
            finally:
                response.close()
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = _translate(error, request)
        # Outside the handler, so that no context leads to an exception that holds the request and its key.
        raise failure

    def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for an answer whose body is still on the wire."""
        try:
            return _Opened(request, self._exchange(request, deadline), deadline)
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = _translate(error, request)
        raise failure

    def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent."""
        if not isinstance(opened, _Opened):
            raise TypeError(f"{opened!r} was not opened by this transport")
        if base.passed(opened.deadline):
            raise base.too_late(opened.request)
        try:
            return next(opened.chunks, b"")
        except Exception as error:  # noqa: BLE001 translated, or raised again
            failure = _translate(error, opened.request)
        raise failure

    def release(self, opened: Opened) -> None:
        """Give the connection back to the session."""
        if isinstance(opened, _Opened):
            opened.response.close()

    def close(self) -> None:
        """Forget the session, which stays the caller's; calls after this raise `ClientClosedError`."""
        self._session = None


def _translate(error: BaseException, request: Request) -> BaseException:
    """The error of this package for one of requests or urllib3; anything else as it is."""
    import requests.exceptions as of_requests
    import urllib3.exceptions as of_urllib3

    failure: DidwwClientError
    if isinstance(error, of_requests.ConnectTimeout):
        failure = base.too_late(request, request_sent=False)
    elif any(isinstance(one, (of_requests.Timeout, of_urllib3.ReadTimeoutError)) for one in (error, *error.args)):
        failure = base.too_late(request)
    elif isinstance(error, of_requests.ConnectionError) and _not_connected(error):
        failure = base.cannot_connect(request, _root(error))
    elif isinstance(error, (of_requests.RequestException, of_urllib3.HTTPError)):
        failure = base.broken(request, type(error).__name__)
    else:
        return error
    return failure


def _not_connected(error: Any) -> bool:
    import urllib3.exceptions as of_urllib3

    cause = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    return isinstance(
        cause, (of_urllib3.NewConnectionError, of_urllib3.NameResolutionError, of_urllib3.ProxyError)
    ) or (type(error).__name__ in ("ProxyError", "SSLError"))


def _root(error: Any) -> str:
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    text = str(cause)
    return text.rsplit(": ", 1)[-1][:200]
