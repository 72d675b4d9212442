"""A transport over a `requests.Session` of the caller's own: its proxies, adapters, certificates and hooks as they are.

For those who have a session that gets through their company's network. requests itself is never imported before the
caller's session was; what an error of it means is told by the names of urllib3's classes, whichever version it is.
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
# Seconds in which requests may say by itself what it waited for: its word on what was sent is better than ours.
_GRACE = 0.05
_LONGEST = 1e6

# Errors of urllib3 and ssl that come before the first byte of the request.
_UNSENT = {
    "ConnectTimeoutError",
    "NameResolutionError",
    "NewConnectionError",
    "SSLCertVerificationError",
}
# Frames in which nothing has been sent yet: of requests and http.client, as module and function.
_BEFORE = {
    ("requests.models", "prepare"),
    ("requests.sessions", "get_adapter"),
    ("requests.adapters", "get_connection"),
    ("requests.adapters", "get_connection_with_tls_context"),
    ("http.client", "putheader"),
}
# Frames in which a connection is being made, or got ready for: the request has not been sent.
_LOADING = {
    ("requests.adapters", "cert_verify"),
    ("urllib3.util.ssl_", "create_urllib3_context"),
    ("urllib3.util.ssl_", "ssl_wrap_socket"),
}
_CONNECTING = {*_LOADING, ("urllib3.connection", "connect")}
# What requests was at, by frames of an error; the first that fits.
_PHASES = {
    ("urllib3.connection", "connect"): errors.CONNECTING,
    ("http.client", "getresponse"): errors.ANSWER,
    ("http.client", "send"): errors.SENDING,
}
_BELOW = {"requests", "urllib3", "urllib", "http", "idna", "encodings", "email"}
_TIMEOUTS = {"ConnectTimeoutError", "ConnectTimeout", "ReadTimeoutError", "ReadTimeout", "TimeoutError"}


class _Opened:
    """A response whose body is still on the wire."""

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


class SessionTransport:
    """Exchanges requests over the caller's session, which is used as it is and never closed.

    The headers of a request win over the session's; the session's other headers, its `auth`, its cookies and its
    `params` go along, as with any request over it.

    requests bounds single waits only, and cannot be interrupted. So it works in a thread, which is left behind when the
    deadline comes first: it ends when requests does, and what it got is closed. An adapter with retries, or a session
    or an adapter that sends in a way of its own, may have sent the request before; so errors of connecting over these
    always count as sent.

    Args:
        session: The caller's session.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session
        self._closed = False

    def send(self, request: Request, deadline: float) -> Response:
        """Exchange `request` for a response with its whole body, unpacked."""
        return self._in_time(lambda: self._whole(request, deadline), request, deadline, answered=False)

    def open(self, request: Request, deadline: float) -> Opened:
        """Exchange `request` for a response whose body is still on the wire."""
        return self._in_time(lambda: self._opened(request, deadline, "identity"), request, deadline, answered=False)

    def read(self, opened: Opened) -> bytes:
        """The next bytes of the body as they were sent, empty at its end."""
        answer = cast("_Opened", opened)
        return self._in_time(lambda: self._chunk(answer), answer.request, answer.deadline, answered=True)

    def release(self, opened: Opened) -> None:
        """Give the connection back to the session, or close it if the body was not read to its end."""
        cast("_Opened", opened).response.close()

    def close(self) -> None:
        """Stop using the session, which stays open; calls after this raise `ClientClosedError`."""
        self._closed = True

    def _whole(self, request: Request, deadline: float) -> Response:
        answer = self._opened(request, deadline, ACCEPT_ENCODING)
        try:
            body = Body(answer.status, answer.headers)
            while chunk := self._chunk(answer):
                body.feed(chunk)
            return Response(answer.status, answer.headers, body.whole())
        finally:
            self.release(answer)

    def _chunk(self, answer: _Opened) -> bytes:
        if self._closed:
            raise errors.closed_meanwhile(answer.request, errors.READING)
        if time.monotonic() >= answer.deadline:
            raise errors.deadline_exceeded(answer.request, request_sent=True, phase=errors.READING)
        try:
            return next(filter(None, answer.chunks), b"")
        except Exception as error:  # noqa: BLE001 explained, or raised again
            failure = self._explained(error, answer.request, answered=True)
        raise failure

    def _in_time(self, step: Callable[[], T], request: Request, deadline: float, *, answered: bool) -> T:
        """What `step` comes to, if it does so before the deadline."""
        left = deadline - time.monotonic()
        if self._closed:
            raise errors.client_closed()
        if left <= 0:
            raise errors.deadline_exceeded(request, request_sent=answered, phase=errors.READING if answered else "")
        if left > _LONGEST:
            return step()
        outcome: Future[T] = Future()
        context = copy_context()

        def work() -> None:
            try:
                outcome.set_result(context.run(step))
            except BaseException as error:  # noqa: BLE001 raised again where it is waited for
                outcome.set_exception(error)

        failure: Exception | None = None
        try:
            threading.Thread(target=work, name="didww-session", daemon=True).start()
        except RuntimeError as error:
            failure = errors.connection_lost(request, f"no thread for it ({error})", request_sent=answered)
        if failure is not None:
            raise failure
        finished, _ = wait((outcome,), left + _GRACE)
        if finished:
            return outcome.result()
        outcome.add_done_callback(_close_late)
        raise errors.deadline_exceeded(request, request_sent=True, phase=errors.READING if answered else "")

    def _opened(self, request: Request, deadline: float, packings: str) -> _Opened:
        left = deadline - time.monotonic()
        longest = None if left > _LONGEST else max(left, 1e-3)
        try:
            if request.method == "POST":  # nobody can tell from outside how long each connection was idle
                self._drop_idle(request.url)
            response = self._session.request(
                request.method,
                request.url,
                data=content_of(request),
                headers=with_encoding(request.headers, packings),
                timeout=(longest, longest),
                allow_redirects=False,
                stream=True,
                proxies=self._proxies(request.url),
            )
            return _Opened(request, deadline if longest else math.inf, response)
        except Exception as error:  # noqa: BLE001 explained, or raised again
            failure = self._explained(error, request, answered=False)
        raise failure

    def _proxies(self, url: str) -> Any:
        """Return what switches all proxies off for this machine itself, which to a proxy would mean another machine."""
        origin = origin_of(url)
        if origin is None or not is_loopback(origin.host):
            return None
        return dict.fromkeys((*self._session.proxies, "http", "https", "all"))

    def _drop_idle(self, url: str) -> None:
        """Close the idle connections that a request to `url` might be sent over; those in use are left alone."""
        adapter: Any = self._session.get_adapter(url)
        proxies: dict[str, Any] = getattr(adapter, "proxy_manager", {})
        for manager in (getattr(adapter, "poolmanager", None), *proxies.values()):
            clear = getattr(manager, "clear", None)
            if clear is not None:
                clear()

    def _explained(self, error: Exception, request: Request, *, answered: bool) -> Exception:
        """The error of this package for one of requests or urllib3; any other, e.g. of a hook, as it is."""
        from requests.exceptions import InvalidProxyURL, InvalidSchema, InvalidURL, MissingSchema, RequestException

        frames = _frames(error)
        if ("requests.hooks", "dispatch_hook") in frames:
            return error  # of a hook of the caller's, which runs after the response arrived
        if not isinstance(error, RequestException) and not _from_below(error):
            return error
        found = list(errors.causes(error))
        frames = frames.union(*map(_frames, found))
        if isinstance(error, ValueError):
            # The same errors come of the address and the headers of a request, and of those of the response.
            if not _is_before(frames):
                what = "what came back is not HTTP, or has a header that HTTP does not allow"
                return errors.connection_lost(request, what, phase=_phase(frames, answered=answered))
            if ("requests.adapters", "SOCKSProxyManager") in frames:
                what = "the session's proxy is a SOCKS one, which needs one more package: pip install 'requests[socks]'"
                return errors.unsendable(request, what)
            if isinstance(error, InvalidProxyURL) or ("requests.adapters", "proxy_manager_for") in frames:
                return errors.unsendable(request, "the session's proxy has no usable address")
            if isinstance(error, (InvalidSchema, InvalidURL, MissingSchema)):
                return errors.unsendable(request, "its address cannot be used; check base_url / DIDWW_BASE_URL")
            # Their texts show the header, which may be the key.
            return errors.unsendable(request, "a header holds characters that HTTP does not allow")
        names = {type(cause).__name__ for cause in found}
        # A proxy that refuses to connect us is told by a text alone.
        refused = any(
            str(cause).startswith("Tunnel connection failed") for cause in found if isinstance(cause, OSError)
        )
        unsent = not answered and (refused or bool(names & _UNSENT or frames & _CONNECTING))
        sent = not (unsent and self._tries_once(request))
        if unsent and frames & _LOADING:
            fault = certificates.fault(self._files(request.url))
            if not fault and ("requests.adapters", "cert_verify") in frames:  # its own, which no setting names
                fault = str(error)[:1].lower() + str(error)[1:]
            if fault:
                return errors.unsendable(request, fault)
        phase = errors.CONNECTING if unsent else _phase(frames, answered=answered)
        if names & _TIMEOUTS:
            return errors.deadline_exceeded(request, request_sent=sent, phase=phase)
        if unsent:
            return errors.unreachable(request, error, request_sent=sent)
        what = "the response was cut off" if answered else "the connection broke"
        return errors.connection_lost(request, what, phase=phase)

    def _files(self, url: str) -> Iterator[certificates.NamedFile]:
        """The files that requests loads for `url`, each with what names it."""
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
        """Whether nothing was sent before the attempt that failed: nobody but requests sends, and it sends once."""
        from requests import Session
        from requests.adapters import HTTPAdapter

        adapter: Any = self._session.get_adapter(request.url)
        steps = (self._session.request, self._session.send, adapter.send)
        plain = [getattr(step, "__func__", None) for step in steps] == [Session.request, Session.send, HTTPAdapter.send]
        return plain and getattr(getattr(adapter, "max_retries", None), "total", None) in (0, False)


def _close_late(outcome: Future[Any]) -> None:
    """Close a response that came after the deadline."""
    if outcome.exception() is None and isinstance(outcome.result(), _Opened):
        outcome.result().response.close()


def _is_before(frames: set[tuple[str, str]]) -> bool:
    """Whether an error that came through `frames` was raised before anything was sent."""
    sending = ("requests.sessions", "send") in frames
    return bool(frames & _BEFORE) and not (sending and ("requests.models", "prepare") in frames)


def _phase(frames: set[tuple[str, str]], *, answered: bool) -> str:
    """What the exchange was at, as far as an error tells."""
    if answered:
        return errors.READING
    told = (phase for step, phase in _PHASES.items() if step in frames)
    return next(told, "")


def _frames(error: BaseException) -> set[tuple[str, str]]:
    """Module and function of each frame that the error came through."""
    found: set[tuple[str, str]] = set()
    where = error.__traceback__
    while where is not None:
        found.add((where.tb_frame.f_globals.get("__name__", ""), where.tb_frame.f_code.co_name))
        where = where.tb_next
    return found


def _from_below(error: Exception) -> bool:
    """Whether it was raised by what lies below the session, and not by the caller's own hook or adapter."""
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    module = where.tb_frame.f_globals.get("__name__", "") if where is not None else ""
    return type(error).__module__.startswith(("urllib3", "http.")) or module.partition(".")[0] in _BELOW


def _chunks(response: requests.Response, headers: dict[str, str]) -> Iterator[bytes]:
    """The body as it was sent.

    `read1` gives what has come, where `read` and `stream` wait until they have all that they were asked for; a server
    that drips would keep them forever. A redirect was read by requests already, and what stands in for a connection
    in tests and caches cannot be relied on: both are had unpacked only.
    """
    raw: Any = response.raw
    if response.is_redirect or not type(raw).__module__.startswith("urllib3") or not hasattr(raw, "read1"):
        headers.pop("content-encoding", None)
        return response.iter_content(_CHUNK)
    return iter(lambda: cast("bytes", raw.read1(_CHUNK, decode_content=False)), b"")
