"""Transport over the caller's own `requests.Session`, with its proxies, adapters, certificates and hooks.

It is meant for users whose session is already configured for their company's network. requests is imported only after
the caller has created a session. Errors are classified by the names of urllib3's classes, for any urllib3 version. An
error that does not prove that nothing was sent counts as sent.
"""

from __future__ import annotations

import math
import os
import threading
import time
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar, cast

from didww._core.effects import Response
from didww._util.urls import is_loopback, origin_of
from didww.transport import certificates, errors
from didww.transport.body import ACCEPT_ENCODING, Body, check_length, content_of, with_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from didww._core.effects import Opened, Request

__all__ = ["SessionTransport"]

T = TypeVar("T")

_CHUNK = 1 << 16
# Extra seconds for requests to raise its own timeout, which shows better than ours whether the request was sent.
_GRACE = 0.05
_MAX_TIMEOUT = 1e6

# Errors of urllib3 and ssl that occur before the first byte of the request is sent.
_UNSENT = {
    "ConnectTimeoutError",
    "NameResolutionError",
    "NewConnectionError",
    "SSLCertVerificationError",
}
_TIMEOUTS = {"ConnectTimeoutError", "ConnectTimeout", "ReadTimeoutError", "ReadTimeout", "TimeoutError"}


class _Opened:
    """A response whose body has not been read yet."""

    __slots__ = ("chunks", "deadline", "headers", "request", "response", "status")

    def __init__(self, request: Request, deadline: float, response: requests.Response) -> None:
        self.request = request
        self.deadline = deadline
        self.response = response
        self.status: int = response.status_code
        self.headers = {name.lower(): value for name, value in response.headers.items()}
        self.chunks = _chunks(response, self.headers)
        try:
            check_length(self.status, self.headers)
        except BaseException:
            response.close()
            raise


class _Hooks:
    """The session's response hooks, wrapped by two that record when they start and end.

    Hooks run after the response has arrived. So a later error is not a send error, and an error inside a hook is the
    caller's own.
    """

    __slots__ = ("chain", "responded", "running")

    def __init__(self, session: requests.Session) -> None:
        own = session.hooks.get("response") or []
        self.responded = False
        self.running = False
        self.chain: list[Callable[..., Any]] = [self._begin, *(own if isinstance(own, list) else [own]), self._end]

    def _begin(self, *_: object, **__: object) -> None:
        self.responded = self.running = True

    def _end(self, *_: object, **__: object) -> None:
        self.running = False


class SessionTransport:
    """Sends requests over the caller's session, which is not modified or closed.

    Request headers override the session's. The session's other headers, its `auth`, cookies and `params` are sent as
    usual.

    requests limits only single socket operations and cannot be interrupted. So it runs in a thread, which is abandoned
    if the deadline is exceeded: the thread ends when requests returns, and its response is closed. An adapter with
    retries, or a session or adapter that overrides how requests are sent, may already have sent the request, so
    connection errors over these always count as sent.

    Args:
        session: The caller's session.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session
        self._closed = False

    def send(self, request: Request, deadline: float) -> Response:
        """Send `request` and return the response with its whole body, decompressed."""
        return self._in_time(lambda: self._whole(request, deadline), request, deadline)

    def open(self, request: Request, deadline: float) -> Opened:
        """Send `request` and return the response before its body is read."""
        return self._in_time(lambda: self._opened(request, deadline, "identity"), request, deadline)

    def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body as sent, empty at the end."""
        response = cast("_Opened", opened)
        return self._in_time(lambda: self._chunk(response), response.request, response.deadline, reading=True)

    def release(self, opened: Opened) -> None:
        """Return the connection to the session's pool, or close it if the body was not fully read."""
        cast("_Opened", opened).response.close()

    def close(self) -> None:
        """Stop using the session, which stays open. Later calls raise `ClientClosedError`."""
        self._closed = True

    def _whole(self, request: Request, deadline: float) -> Response:
        response = self._opened(request, deadline, ACCEPT_ENCODING)
        try:
            body = Body(response.status, response.headers)
            while chunk := self._chunk(response):
                body.feed(chunk)
            return Response(response.status, response.headers, body.whole())
        finally:
            self.release(response)

    def _chunk(self, response: _Opened) -> bytes:
        if self._closed:
            raise errors.closed_meanwhile(response.request, errors.READING)
        if time.monotonic() >= response.deadline:
            raise errors.deadline_exceeded(response.request, request_sent=True, phase=errors.READING)
        try:
            return next(filter(None, response.chunks), b"")
        except Exception as error:  # noqa: BLE001 converted or re-raised
            failure = self._explained(error, response.request, reading=True)
        raise failure

    def _in_time(self, step: Callable[[], T], request: Request, deadline: float, *, reading: bool = False) -> T:
        """Return the result of `step`, or raise if the deadline is exceeded."""
        remaining = deadline - time.monotonic()
        if self._closed:
            raise errors.client_closed()
        if remaining <= 0:
            raise errors.deadline_exceeded(request, request_sent=reading, phase=errors.READING if reading else "")
        if remaining > _MAX_TIMEOUT:
            return step()
        outcome: Future[T] = Future()
        context = copy_context()

        def work() -> None:
            try:
                outcome.set_result(context.run(step))
            except BaseException as error:  # noqa: BLE001 re-raised in the waiting thread
                outcome.set_exception(error)

        failure: Exception | None = None
        try:
            threading.Thread(target=work, name="didww-session", daemon=True).start()
        except RuntimeError as error:
            failure = errors.connection_lost(request, f"cannot start a thread ({error})", request_sent=reading)
        if failure is not None:
            raise failure
        finished, _ = wait((outcome,), remaining + _GRACE)
        if finished:
            return outcome.result()
        outcome.add_done_callback(_close_late)
        raise errors.deadline_exceeded(request, request_sent=True, phase=errors.READING if reading else "")

    def _opened(self, request: Request, deadline: float, encodings: str) -> _Opened:
        remaining = deadline - time.monotonic()
        timeout = None if remaining > _MAX_TIMEOUT else max(remaining, 1e-3)
        hooks = _Hooks(self._session)
        try:
            if request.method == "POST":  # the idle time of a connection is not known
                self._drop_idle(request.url)
            response = self._session.request(
                request.method,
                request.url,
                data=content_of(request),
                headers=with_encoding(request.headers, encodings),
                timeout=(timeout, timeout),
                allow_redirects=False,
                stream=True,
                proxies=self._proxies(request.url),
                hooks={"response": hooks.chain},
            )
            return _Opened(request, deadline if timeout else math.inf, response)
        except Exception as error:  # noqa: BLE001 converted or re-raised
            failure = error if hooks.running else self._explained(error, request, responded=hooks.responded)
        raise failure

    def _proxies(self, url: str) -> Any:
        """Return settings that disable all proxies for loopback URLs, or None for other URLs."""
        origin = origin_of(url)
        if origin is None or not is_loopback(origin.host):
            return None
        return dict.fromkeys((*self._session.proxies, "http", "https", "all"))

    def _drop_idle(self, url: str) -> None:
        """Close the idle connections that a request to `url` could use, but not those in use."""
        adapter: Any = self._session.get_adapter(url)
        proxies: dict[str, Any] = getattr(adapter, "proxy_manager", {})
        for manager in (getattr(adapter, "poolmanager", None), *proxies.values()):
            clear = getattr(manager, "clear", None)
            if clear is not None:
                clear()

    def _explained(
        self, error: Exception, request: Request, *, responded: bool = False, reading: bool = False
    ) -> Exception:
        """Convert an error of requests or urllib3 to one of this package; return any other error unchanged."""
        from requests.exceptions import ConnectionError, RequestException, SSLError, Timeout

        chain = list(errors.causes(error))
        names = {type(cause).__name__ for cause in chain}
        of_file = any(isinstance(cause, OSError) and cause.filename is not None for cause in chain)
        bare = isinstance(error, OSError) and not isinstance(
            error, RequestException
        )  # raised by requests for a missing file
        if of_file or bare or isinstance(error, SSLError):
            fault = "" if responded or reading else certificates.fault(self._files(request.url))
            if fault:
                return errors.unsendable(request, fault)
        phase = errors.READING if reading else ""
        if isinstance(error, ValueError):
            fault = "" if responded or reading else _fault_of_request(error, names)
            if fault:
                return errors.unsendable(request, fault)
            if not responded and not isinstance(error, RequestException):
                return error
            problem = "the response is not valid HTTP, or has an invalid header"
            return errors.connection_lost(request, problem, phase=phase)
        if not isinstance(error, (ConnectionError, Timeout)) and not _is_lower(error):
            return error
        # A proxy that refuses the connection can only be recognized by the error message.
        refused = any(
            str(cause).startswith("Tunnel connection failed") for cause in chain if isinstance(cause, OSError)
        )
        unsent = not reading and not responded and (refused or bool(names & _UNSENT))
        sent = not (unsent and self._tries_once(request))
        if unsent:
            phase = errors.CONNECTING
        elif not reading and "ReadTimeoutError" in names:
            phase = errors.RESPONSE
        if names & _TIMEOUTS:
            return errors.deadline_exceeded(request, request_sent=sent, phase=phase)
        if unsent:
            return errors.unreachable(request, error, request_sent=sent)
        problem = "the response is incomplete" if reading else "the connection was lost"
        return errors.connection_lost(request, problem, phase=phase)

    def _files(self, url: str) -> Iterator[certificates.NamedFile]:
        """Iterate over the files that requests loads for `url`."""
        chosen = self._session.merge_environment_settings(url, {}, None, None, None)
        verify, cert = chosen["verify"], chosen["cert"]
        if isinstance(verify, str):
            variables = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if self._session.trust_env else ()
            named = (variable for variable in variables if os.environ.get(variable) == verify)
            yield certificates.authorities(next(named, "session.verify"), verify)
        if cert:
            path, key = (cert, None) if isinstance(cert, str) else cert
            yield certificates.identity("session.cert", path, key)
        yield from certificates.key_log()

    def _tries_once(self, request: Request) -> bool:
        """Return whether requests sends only once: no retries, and no overridden send method."""
        from requests import Session
        from requests.adapters import HTTPAdapter

        adapter: Any = self._session.get_adapter(request.url)
        steps = (self._session.request, self._session.send, adapter.send)
        plain = [getattr(step, "__func__", None) for step in steps] == [Session.request, Session.send, HTTPAdapter.send]
        return plain and getattr(getattr(adapter, "max_retries", None), "total", None) in (0, False)


def _close_late(outcome: Future[Any]) -> None:
    """Close a response that arrived after the deadline."""
    if outcome.exception() is None and isinstance(outcome.result(), _Opened):
        outcome.result().response.close()


def _fault_of_request(error: ValueError, names: set[str]) -> str:
    """Return why requests refused to send a request, or an empty string if the response may be at fault."""
    from requests.exceptions import InvalidHeader, InvalidProxyURL, InvalidSchema, InvalidURL, MissingSchema

    if "SOCKS" in str(error):
        return "the session's SOCKS proxy needs an extra package: pip install 'requests[socks]'"
    if isinstance(error, InvalidProxyURL) or "ProxySchemeUnknown" in names:
        return "the URL of the session's proxy is invalid"
    if isinstance(error, (InvalidSchema, InvalidURL, MissingSchema)):
        return "its URL is invalid; check base_url / DIDWW_BASE_URL"
    # Only requests encode text; urllib3 has its own InvalidHeader for responses.
    if isinstance(error, UnicodeEncodeError) or (isinstance(error, InvalidHeader) and "HTTPError" not in names):
        # The error's message shows the header, which may be the API key.
        return "a header contains characters that HTTP does not allow"
    return ""


def _is_lower(error: Exception) -> bool:
    """Return whether `error` is an unwrapped error of urllib3 or http.client."""
    return type(error).__module__.startswith(("urllib3", "http."))


def _chunks(response: requests.Response, headers: dict[str, str]) -> Iterator[bytes]:
    """Iterate over the body as sent.

    `read1` returns available bytes, while `read` and `stream` wait for the full size, which a slow server could delay
    forever. Redirects were already read by requests, and stand-ins for connections in tests and caches are unreliable:
    both are read decompressed.
    """
    raw: Any = response.raw
    if response.is_redirect or not type(raw).__module__.startswith("urllib3") or not hasattr(raw, "read1"):
        headers.pop("content-encoding", None)
        return response.iter_content(_CHUNK)
    return iter(lambda: cast("bytes", raw.read1(_CHUNK, decode_content=False)), b"")
