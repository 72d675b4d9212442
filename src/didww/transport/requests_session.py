"""A transport over the caller's `requests.Session`, with its proxies, adapters, certificates and hooks.

requests is imported only if the caller passes a session. Its errors are classified by the names of urllib3's classes,
which are the same in all versions. An error that does not prove that nothing was sent counts as sent.
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
# Seconds to wait for requests' own timeout error, which says more than ours about what was sent.
_GRACE = 0.05
_MAX_TIMEOUT = 1e6

# Errors of urllib3 and ssl that come before the first byte of the request.
_UNSENT = {
    "ConnectTimeoutError",
    "NameResolutionError",
    "NewConnectionError",
    "SSLCertVerificationError",
}
_TIMEOUTS = {"ConnectTimeoutError", "ConnectTimeout", "ReadTimeoutError", "ReadTimeout", "TimeoutError"}
# Methods that must be requests' own for an error to prove that nothing was sent.
_SESSION_METHODS = ("request", "send", "prepare_request", "get_adapter", "merge_environment_settings")
_ADAPTER_METHODS = ("send", "build_response")


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


class _Hooks:
    """The response hooks of a request, between two that record when they start and end.

    Hooks run after the response has arrived. So a later error is not a send error, and an error inside a hook is the
    caller's own.
    """

    __slots__ = ("_depth", "_responses")

    def __init__(self, prepared: requests.PreparedRequest) -> None:
        self._responses: list[requests.Response] = []
        self._depth = 0  # a hook may send the request again, with these hooks
        prepared.hooks["response"] = [self._begin, *prepared.hooks.get("response", ()), self._end]

    def _begin(self, response: requests.Response, **_: object) -> None:
        self._responses.append(response)
        self._depth += 1

    def _end(self, *_: object, **__: object) -> None:
        self._depth -= 1

    @property
    def responded(self) -> bool:
        """Whether a response has arrived."""
        return bool(self._responses)

    def close(self) -> None:
        """Close the responses after an error."""
        for response in self._responses:
            response.close()

    @property
    def running(self) -> bool:
        """Whether one of the caller's hooks is running or has raised."""
        return self._depth > 0


class SessionTransport:
    """Sends requests over the caller's session, which is not modified or closed.

    Request headers override the session's. The session's other headers, its `auth`, cookies and `params` are sent as
    usual.

    requests limits only single socket operations and cannot be interrupted. So it runs in a thread, which is abandoned
    if the deadline is exceeded: the thread ends when requests returns, and its response is closed.

    Whether a request was sent decides whether an order may be repeated. Errors prove that nothing was
    sent only if requests' own methods send: a session or an adapter that overrides them, or an adapter with retries,
    may already have sent the request. All errors over these count as sent.

    Args:
        session: The caller's session.
    """

    def __init__(self, session: requests.Session) -> None:
        self._session = session
        self._closed = False

    def send(self, request: Request, deadline: float) -> Response:
        """Send `request` and return the response with its complete, decompressed body."""
        return self._in_time(lambda: self._whole(request, deadline), request, deadline)

    def open(self, request: Request, deadline: float) -> Opened:
        """Send `request` and return a response whose body has not been read."""
        return self._in_time(lambda: self._opened(request, deadline, "identity"), request, deadline)

    def read(self, opened: Opened) -> bytes:
        """Return the next bytes of the body, still compressed; empty at the end."""
        response = cast("_Opened", opened)
        return self._in_time(lambda: self._chunk(response), response.request, response.deadline, reading=True)

    def release(self, opened: Opened) -> None:
        """Return the connection to the session, or close it if the body was not read completely."""
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
            failure = self._explained(error, response.request, own=True, reading=True)
        raise failure

    def _in_time(self, step: Callable[[], T], request: Request, deadline: float, *, reading: bool = False) -> T:
        """Return the result of `step`, or raise an error at the deadline."""
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
            except BaseException as error:  # noqa: BLE001 raised again by `result`
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
        if self._is_plain(request.url):
            response = self._send(request, encodings, timeout)
        else:
            response = self._send_by_caller(request, encodings, timeout)
        return _Opened(request, deadline if timeout else math.inf, response)

    def _send(self, request: Request, encodings: str, timeout: float | None) -> requests.Response:
        """Send as `requests.Session.request` does, in steps, so that errors of each step are known."""
        from requests import Request as Unprepared

        headers = with_encoding(request.headers, encodings)
        unprepared = Unprepared(
            request.method, request.url, headers=headers, data=content_of(request) or {}, auth=_own_auth(request)
        )
        failure: Exception
        try:
            prepared = self._session.prepare_request(unprepared)
        except ValueError as error:
            failure = errors.unsendable(request, _fault_of_request(error)) if _is_known(error) else error
        else:
            hooks = _Hooks(prepared)
            try:
                settings = self._session.merge_environment_settings(
                    prepared.url, self._proxies(request.url), True, None, None
                )
                if request.method == "POST":  # the idle time of a connection is not known
                    self._drop_idle(request.url)
                return self._session.send(prepared, timeout=(timeout, timeout), allow_redirects=False, **settings)
            except Exception as error:  # noqa: BLE001 converted or re-raised
                hooks.close()
                failure = (
                    error if hooks.running else self._explained(error, request, own=True, proof=not hooks.responded)
                )
        raise failure

    def _send_by_caller(self, request: Request, encodings: str, timeout: float | None) -> requests.Response:
        """Send over a session or an adapter that overrides methods: no error proves that nothing was sent."""
        auth = _own_auth(request)
        own: dict[str, Any] = {} if auth is None else {"auth": auth}
        try:
            if request.method == "POST":
                self._drop_idle(request.url)
            return self._session.request(
                request.method,
                request.url,
                data=content_of(request),
                headers=with_encoding(request.headers, encodings),
                **own,
                timeout=(timeout, timeout),
                allow_redirects=False,
                stream=True,
                proxies=self._proxies(request.url),
            )
        except Exception as error:  # noqa: BLE001 converted or re-raised
            failure = self._explained(error, request)
        raise failure

    def _proxies(self, url: str) -> dict[str, Any]:
        """Return settings that disable all proxies for loopback URLs, which mean another machine to a proxy."""
        origin = origin_of(url)
        if origin is None or not is_loopback(origin.host):
            return {}
        return dict.fromkeys((*self._session.proxies, "http", "https", "all"))

    def _drop_idle(self, url: str) -> None:
        """Close the idle connections that a request to `url` could use."""
        adapter: Any = self._session.get_adapter(url)
        proxies: dict[str, Any] = getattr(adapter, "proxy_manager", {})
        for manager in (getattr(adapter, "poolmanager", None), *proxies.values()):
            clear = getattr(manager, "clear", None)
            if clear is not None:
                clear()

    def _explained(
        self, error: Exception, request: Request, *, own: bool = False, proof: bool = False, reading: bool = False
    ) -> Exception:
        """Convert an error of requests or urllib3 to one of this package; return any other error unchanged.

        Args:
            error: The error.
            request: The request.
            own: Whether requests raised it for certain, and not a method of the caller's.
            proof: Whether an error of connecting proves that nothing was sent.
            reading: Whether the body was being read.
        """
        from requests.exceptions import HTTPError, RequestException, SSLError

        lower = type(error).__module__.startswith(("urllib3", "http."))
        known = (RequestException, OSError, ValueError) if own else RequestException
        if isinstance(error, HTTPError) or not (lower or isinstance(error, known)):
            return error  # of the caller's own
        chain = list(errors.causes(error))
        names = {type(cause).__name__ for cause in chain}
        phase = errors.READING if reading else errors.RESPONSE if "ReadTimeoutError" in names else ""
        if proof:
            fault = self._fault(error, chain, names, request)
            if fault:
                return errors.unsendable(request, fault)
        # A proxy that refuses the connection is recognizable only by the text.
        refused = any(
            str(cause).startswith("Tunnel connection failed") for cause in chain if isinstance(cause, OSError)
        )
        connecting = not reading and (refused or bool(names & _UNSENT))
        sent = not (proof and connecting)
        if connecting:
            phase = errors.CONNECTING
        if names & _TIMEOUTS:
            return errors.deadline_exceeded(request, request_sent=sent, phase=phase)
        if connecting or (isinstance(error, SSLError) and not reading):
            return errors.unreachable(request, error, request_sent=sent)
        if isinstance(error, ValueError) and not reading:
            what = "the response is not valid HTTP, or has an invalid header"
        else:
            what = "the response is incomplete" if reading else "the connection was lost"
        return errors.connection_lost(request, what, phase=phase)

    def _fault(self, error: Exception, chain: list[BaseException], names: set[str], request: Request) -> str:
        """Return the invalid setting that kept the request from being sent, or an empty string."""
        from requests.exceptions import InvalidHeader, RequestException, SSLError

        of_file = any(isinstance(cause, OSError) and cause.filename is not None for cause in chain)
        bare = isinstance(error, OSError) and not isinstance(
            error, RequestException
        )  # requests' own, of a missing file
        if of_file or bare or isinstance(error, SSLError):
            fault = certificates.fault(self._files(request.url))
            if fault and (of_file or bare or "SSLCertVerificationError" not in names):
                return fault
            return str(error)[:1].lower() + str(error)[1:] if bare else ""
        if isinstance(error, InvalidHeader):  # those of the request were checked before
            return ""
        if names & {"ProxySchemeUnknown", "LocationParseError", "LocationValueError"}:
            return "the URL of the session's proxy is invalid"
        return _fault_of_request(error) if _is_known(error) else ""

    def _files(self, url: str) -> Iterator[certificates.NamedFile]:
        """Yield the files that requests loads for `url`, each with the setting that names it."""
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

    def _is_plain(self, url: str) -> bool:
        """Return whether requests' own methods send, and send once."""
        from requests import Session
        from requests.adapters import HTTPAdapter

        if not _inherits(self._session, Session, _SESSION_METHODS):
            return False
        try:
            adapter: Any = self._session.get_adapter(url)
        except ValueError:  # no adapter: sending raises the error
            return True
        once = getattr(getattr(adapter, "max_retries", None), "total", None) in (0, False)
        return once and _inherits(adapter, HTTPAdapter, _ADAPTER_METHODS)


def _own_auth(request: Request) -> Callable[[Any], Any] | None:
    """Return an `auth` of requests that keeps our token, which the session's `auth` or netrc would replace."""
    token = request.headers.get("Authorization")
    if token is None:
        return None

    def keep(prepared: Any) -> Any:
        prepared.headers["Authorization"] = token
        return prepared

    return keep


def _close_late(outcome: Future[Any]) -> None:
    """Close a response that arrived after the deadline."""
    if outcome.exception() is None and isinstance(outcome.result(), _Opened):
        outcome.result().response.close()


def _inherits(value: object, cls: type, methods: tuple[str, ...]) -> bool:
    """Return whether `value` has the `methods` of `cls`, and none of its own."""
    return all(getattr(getattr(value, name), "__func__", None) is getattr(cls, name) for name in methods)


def _is_known(error: Exception) -> bool:
    """Return whether `error` is one that requests raises of the address or the headers of a request."""
    from requests.exceptions import InvalidHeader, InvalidProxyURL, InvalidSchema, InvalidURL, MissingSchema

    return isinstance(
        error, (InvalidHeader, InvalidProxyURL, InvalidSchema, InvalidURL, MissingSchema, UnicodeEncodeError)
    )


def _fault_of_request(error: Exception) -> str:
    """Return what is wrong with a request that requests rejected. The error's text may contain the key."""
    from requests.exceptions import InvalidHeader, InvalidProxyURL, InvalidSchema

    if isinstance(error, InvalidProxyURL):
        return "the URL of the session's proxy is invalid"
    if isinstance(error, InvalidSchema) and "SOCKS" in str(error):
        return "the session's SOCKS proxy needs an extra package: pip install 'requests[socks]'"
    if isinstance(error, (InvalidHeader, UnicodeEncodeError)):
        return "a header contains characters that HTTP does not allow"
    return "its URL is invalid; check base_url / DIDWW_BASE_URL"


def _chunks(response: requests.Response, headers: dict[str, str]) -> Iterator[bytes]:
    """Yield the body as it was sent.

    `read1` returns the bytes that have arrived. `read` and `stream` wait for the requested number, which a slow server
    could delay forever. requests has already read the body of a redirect, and the objects that replace connections in
    tests and caches may lack `read1`: these bodies are yielded decompressed.
    """
    raw: Any = response.raw
    if response.is_redirect or not type(raw).__module__.startswith("urllib3") or not hasattr(raw, "read1"):
        headers.pop("content-encoding", None)
        return response.iter_content(_CHUNK)
    return iter(lambda: cast("bytes", raw.read1(_CHUNK, decode_content=False)), b"")
