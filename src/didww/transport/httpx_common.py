"""Code shared by the two httpx2 transports: create clients and requests, and convert errors.

It imports httpx2, so it is imported only when a client is created.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore2
import httpx2

from didww.exceptions import InvalidValueError
from didww.transport import certificates, errors
from didww.transport.body import lower_headers, with_encoding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from didww._core.effects import Request

__all__ = ["Opened", "Progress", "default_verification", "explained", "make_client", "request_for"]

C = TypeVar("C", httpx2.Client, httpx2.AsyncClient)

# Parsing the URL is a third of the work of building a request, and most calls repeat a URL.
_url = lru_cache(maxsize=256)(httpx2.URL)


# First words of the httpx2 trace events before the request itself is sent.
_CONNECTING = ("connection", "proxy", "socks")
_PHASES = {"receive_response_headers": errors.RESPONSE, "receive_response_body": errors.READING}


class Progress:
    """Progress of an exchange, from httpx2's `trace` extension.

    Attributes:
        phase: Current phase, one of those in `errors`.
        at_end: Called when the response body was fully read, before its connection returns to the pool.
    """

    __slots__ = ("_ours", "_refused", "at_end", "phase")

    def __init__(self, phase: str = errors.POOL) -> None:
        self.phase = phase
        self.at_end: Callable[[], object] | None = None
        self._ours = False
        self._refused = False

    @property
    def sent(self) -> bool:
        """Whether any byte of the request may have been sent."""
        return self.phase not in (errors.POOL, errors.CONNECTING) and not self._refused

    @property
    def responded(self) -> bool:
        """Whether the response head has arrived."""
        return self.phase == errors.READING

    def trace(self, step: str, info: dict[str, Any]) -> None:
        """Record a step.

        Unknown steps count as sending the request, so that a new httpx2 event cannot make a purchase look safe to
        retry.
        """
        layer, _, suffix = step.partition(".")
        name, _, event = suffix.rpartition(".")
        if name == "response_closed":
            return  # may belong to another request; sends nothing
        if event == "started":
            # The CONNECT request to a proxy is not our request.
            http_request = info.get("request")
            self._ours = layer not in _CONNECTING and (http_request is None or http_request.method != b"CONNECT")
            if not self._ours:
                self.phase = errors.CONNECTING if self.phase == errors.POOL else self.phase
            elif self.phase in (errors.POOL, errors.CONNECTING, errors.SENDING):
                self.phase = _PHASES.get(name, errors.SENDING)
        elif self._ours and name == "receive_response_headers" and event == "complete":
            self.phase = errors.READING
        elif name == "receive_response_body" and event == "complete":
            if self.at_end is not None:
                self.at_end()
        elif self._ours and name == "send_request_headers" and event == "failed":
            # An invalid header is detected before any header is written. The same error can occur later, after bytes
            # have been sent.
            self._refused = isinstance(info.get("exception"), httpcore2.LocalProtocolError)


class Opened:
    """A response whose body has not been read yet."""

    __slots__ = ("chunks", "deadline", "headers", "request", "response", "status")

    def __init__(self, request: Request, deadline: float, response: httpx2.Response, chunks: Any) -> None:
        self.request = request
        self.deadline = deadline
        self.response = response
        self.chunks = chunks
        self.status: int = response.status_code
        self.headers = lower_headers(response.headers.raw)


# Loopback addresses never go through a proxy, for which they would mean another machine.
_DIRECT = dict.fromkeys(
    f"all://{host}" for host in ("localhost", "127.0.0.1", "127.0.0.0/8", "[::1]", "[::ffff:127.0.0.0]/104")
)


class UnusableFileError(Exception):
    """A certificate file cannot be loaded; the message says which, and why."""


_trusted: dict[tuple[object, ...], ssl.SSLContext] = {}


def default_verification() -> ssl.SSLContext | bool:
    """Return what verifies certificates by default: a context that all clients share, or True.

    A context opens the key log when it is created. On Windows and macOS the system itself verifies.
    """
    return _default_context() if sys.platform == "linux" and not os.environ.get("SSLKEYLOGFILE") else True


def _default_context() -> ssl.SSLContext:
    """Return a context that trusts the system's certificates, or those that the environment names.

    Clients share it, since loading the certificates takes most of the time of creating a client. Nothing in it belongs
    to one client: its connections could use it in several threads, too. A changed
    variable, file or folder gives another one.
    """
    paths = ssl.get_default_verify_paths()
    names = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    places = [name or "" for name in (*names, paths.openssl_cafile, paths.openssl_capath)]
    state = (*names, *(_state(path) for place in places for path in place.split(os.pathsep)))
    context = _trusted.get(state)
    if context is None:
        context = httpcore2.default_ssl_context()
        _trusted.clear()
        _trusted[state] = context
    return context


def _state(path: str) -> tuple[object, ...] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 avoids importing pathlib
    except OSError:
        return None
    return path, found.st_ino, found.st_size, found.st_mtime_ns


def make_client(kind: type[C], proxy: str | None, verify: bool | ssl.SSLContext) -> C:  # noqa: FBT001 httpx2's own
    """Create a client without redirects, cookies and timeouts of its own.

    Raises:
        InvalidValueError: The proxy, from the argument or the environment, is invalid.
        UnusableFileError: A certificate file cannot be loaded.
    """
    files = certificates.from_environment() if verify is True else certificates.key_log()
    if isinstance(verify, str):
        files = [certificates.authorities("verify", verify), *files]
    try:
        # OpenSSL silently ignores missing folders, and would then trust no certificate.
        if any(file.setting == "SSL_CERT_DIR" for file in files) and (problem := certificates.fault(files)):
            raise UnusableFileError(problem)
        return kind(
            proxy=proxy,
            mounts=_DIRECT,
            verify=default_verification() if verify is True else verify,
            timeout=None,
            follow_redirects=False,
            # 30 seconds: shorter than the idle timeout of common servers and load balancers.
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnusableFileError(
            certificates.fault(files) or f"the certificates of the system cannot be used ({reason})"
        ) from None
    except ImportError:
        problem = (
            "A SOCKS proxy (proxy=, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY in the environment) needs an extra "
            "package: pip install 'httpx2[socks]'."
        )
    except (ValueError, httpx2.InvalidURL):
        # The error's message may contain the proxy's password.
        problem = (
            "The proxy URL must be like http://host:port. Check proxy=, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY "
            "in the environment."
        )
    raise InvalidValueError(problem, field="proxy")


def request_for(
    request: Request,
    encodings: str,
    extensions: dict[str, Any],
    content: bytes | Iterable[bytes] | AsyncIterator[bytes] | None,
) -> httpx2.Request:
    """Return `request` with `content` as an httpx2 request, created without the client to avoid its default headers."""
    return httpx2.Request(
        request.method,
        _url(request.url),
        headers=with_encoding(request.headers, encodings),
        content=content,
        extensions=extensions,
    )


def explained(error: Exception, request: Request, progress: Progress) -> Exception:
    """Convert an httpx2 error to one of this package; return any other error unchanged.

    Args:
        error: The error that was raised.
        request: The request that was being sent.
        progress: Its progress.
    """
    sent, phase = progress.sent, progress.phase
    if isinstance(error, UnusableFileError):
        return errors.unsendable(request, str(error))
    if isinstance(error, httpx2.TimeoutException):
        return errors.deadline_exceeded(request, request_sent=sent, phase=phase)
    if isinstance(error, httpx2.ConnectError):
        return errors.unreachable(request, error, request_sent=sent)
    if not sent:
        if isinstance(error, httpx2.ProxyError):
            problem = f"the proxy refused to connect to it ({str(error)[:80]})"
            return errors.unsendable(request, problem, transient=True)
        if isinstance(error, (httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
            return errors.unsendable(request, "its URL is invalid; check base_url / DIDWW_BASE_URL")
        if isinstance(error, (httpx2.LocalProtocolError, UnicodeError)):
            # Their messages show the header, which may be the API key.
            return errors.unsendable(request, "a header contains characters that HTTP does not allow")
    # httpx2 passes on unchanged: TLS errors, and h11's error for a body that does not match its Content-Length.
    if isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ssl.SSLError)) or (
        type(error).__module__ == "h11._util"
    ):
        return errors.connection_lost(request, _breakage(error, progress), request_sent=sent, phase=phase)
    return error


def _breakage(error: Exception, progress: Progress) -> str:
    if isinstance(error, httpx2.RemoteProtocolError):
        if progress.responded:
            return "the response is incomplete"
        if "disconnected" in str(error):
            return "the server closed the connection without a response"
        return "the response is not valid HTTP"
    if isinstance(error, (httpx2.NetworkError, ssl.SSLError)):
        root = next((cause for cause in errors.causes(error) if isinstance(cause, OSError)), None)
        reason = root.strerror if root is not None else None
        return f"the connection was lost ({reason})" if reason else "the connection was lost"
    if progress.phase == errors.SENDING:
        return "the length of its body does not match its Content-Length"
    return "the response is not valid HTTP"
