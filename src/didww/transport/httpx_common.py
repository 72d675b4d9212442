"""What the two httpx2 transports share: how clients and requests are made, and what httpx2's errors mean.

Imports httpx2, and so is itself imported only when a client that needs it is made.
"""

from __future__ import annotations

import ssl
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

__all__ = ["Opened", "Progress", "explained", "make_client", "request_for"]

C = TypeVar("C", httpx2.Client, httpx2.AsyncClient)

# Parsing its address is a third of the work of building a request, and most calls repeat one.
_url = lru_cache(maxsize=256)(httpx2.URL)


# What httpx2 tells of its steps before the request itself goes out, by the first word.
_CONNECTING = ("connection", "proxy", "socks")
_PHASES = {"receive_response_headers": errors.RESPONSE, "receive_response_body": errors.READING}


class Progress:
    """How far an exchange has come, as httpx2 tells it (its `trace` extension).

    Attributes:
        phase: What it is at, one of the phases in `errors`.
        at_end: Called when the body of the response was read to its end, while its connection is still its own.
    """

    __slots__ = ("_ours", "_refused", "at_end", "phase")

    def __init__(self, phase: str = errors.POOL) -> None:
        self.phase = phase
        self.at_end: Callable[[], object] | None = None
        self._ours = False
        self._refused = False

    @property
    def sent(self) -> bool:
        """Whether a byte of the request may have gone out."""
        return self.phase not in (errors.POOL, errors.CONNECTING) and not self._refused

    @property
    def responded(self) -> bool:
        """Whether the head of the response had come."""
        return self.phase == errors.READING

    def trace(self, step: str, info: dict[str, Any]) -> None:
        """Take note of a step.

        Whatever is not known to come before the request counts as the request itself: a new name of a step must not
        make a purchase look repeatable.
        """
        layer, _, what = step.partition(".")
        name, _, event = what.rpartition(".")
        if name == "response_closed":
            return  # of whichever request; sends nothing
        if event == "started":
            # The request to a proxy to connect us is not ours.
            asked = info.get("request")
            self._ours = layer not in _CONNECTING and (asked is None or asked.method != b"CONNECT")
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
            # A header that HTTP does not allow is found before the first of them is written. The same error comes
            # later as well, when bytes have gone out.
            self._refused = isinstance(info.get("exception"), httpcore2.LocalProtocolError)


class Opened:
    """A response whose body is still on the wire."""

    __slots__ = ("chunks", "deadline", "headers", "request", "response", "status")

    def __init__(self, request: Request, deadline: float, response: httpx2.Response, chunks: Any) -> None:
        self.request = request
        self.deadline = deadline
        self.response = response
        self.chunks = chunks
        self.status: int = response.status_code
        self.headers = lower_headers(response.headers.raw)


# This machine itself is never asked for by way of a proxy, which would mean another machine.
_DIRECT = dict.fromkeys(
    f"all://{host}" for host in ("localhost", "127.0.0.1", "127.0.0.0/8", "[::1]", "[::ffff:127.0.0.0]/104")
)


class UnusableFile(Exception):  # noqa: N818 nobody sees it
    """A file of certificates that cannot be used; the text says which, and why."""


def make_client(kind: type[C], proxy: str | None, verify: bool | ssl.SSLContext) -> C:  # noqa: FBT001 httpx2's own
    """A client that follows no redirect, keeps no cookie and has no timeouts of its own.

    Raises:
        InvalidValueError: The proxy, the caller's or the environment's, cannot be used.
        UnusableFile: A file of certificates cannot be used.
    """
    files = certificates.from_environment() if verify is True else certificates.key_log()
    if isinstance(verify, str):
        files = [certificates.authorities("verify", verify), *files]
    try:
        # OpenSSL says nothing of folders that are not there: it would trust nobody.
        if any(file.setting == "SSL_CERT_DIR" for file in files) and (problem := certificates.fault(files)):
            raise UnusableFile(problem)
        return kind(
            proxy=proxy,
            mounts=_DIRECT,
            verify=verify,
            timeout=None,
            follow_redirects=False,
            # 30 seconds: shorter than what servers and balancers in front of them keep an idle connection for.
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnusableFile(
            certificates.fault(files) or f"the certificates of the system cannot be used ({reason})"
        ) from None
    except ImportError:
        problem = (
            "A SOCKS proxy (proxy=, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY in the environment) needs one more "
            "package: pip install 'httpx2[socks]'."
        )
    except (ValueError, httpx2.InvalidURL):
        # Its text may show the proxy's password.
        problem = (
            "The proxy's address must be like http://host:port. Check proxy=, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY "
            "in the environment."
        )
    raise InvalidValueError(problem, field="proxy")


def request_for(
    request: Request,
    packings: str,
    extensions: dict[str, Any],
    content: bytes | Iterable[bytes] | AsyncIterator[bytes] | None,
) -> httpx2.Request:
    """`request` with `content` as httpx2 wants it, made without the client, so that none of its defaults are added."""
    return httpx2.Request(
        request.method,
        _url(request.url),
        headers=with_encoding(request.headers, packings),
        content=content,
        extensions=extensions,
    )


def explained(error: Exception, request: Request, progress: Progress) -> Exception:
    """The error of this package for one of httpx2; any other as it is.

    Args:
        error: What was raised.
        request: What was being sent.
        progress: How far it had come.
    """
    sent, phase = progress.sent, progress.phase
    if isinstance(error, UnusableFile):
        return errors.unsendable(request, str(error))
    if isinstance(error, httpx2.TimeoutException):
        return errors.deadline_exceeded(request, request_sent=sent, phase=phase)
    if isinstance(error, httpx2.ConnectError):
        return errors.unreachable(request, error, request_sent=sent)
    if not sent:
        if isinstance(error, httpx2.ProxyError):
            what = f"the proxy refused to connect to it ({str(error)[:80]})"
            return errors.unsendable(request, what, transient=True)
        if isinstance(error, (httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
            return errors.unsendable(request, "its address cannot be used; check base_url / DIDWW_BASE_URL")
        if isinstance(error, (httpx2.LocalProtocolError, UnicodeError)):
            # Their texts show the header, which may be the key.
            return errors.unsendable(request, "a header holds characters that HTTP does not allow")
    # httpx2 hands on as they are: h11's error for a body that is longer or shorter than announced, and those of TLS.
    if isinstance(error, (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ssl.SSLError)) or (
        type(error).__module__ == "h11._util"
    ):
        return errors.connection_lost(request, _breakage(error, progress), request_sent=sent, phase=phase)
    return error


def _breakage(error: Exception, progress: Progress) -> str:
    if isinstance(error, httpx2.RemoteProtocolError):
        if progress.responded:
            return "the response was cut off"
        if "disconnected" in str(error):
            return "the server closed the connection without a response"
        return "what came back is not HTTP"
    if isinstance(error, (httpx2.NetworkError, ssl.SSLError)):
        root = next((cause for cause in errors.causes(error) if isinstance(cause, OSError)), None)
        reason = root.strerror if root is not None else None
        return f"the connection broke ({reason})" if reason else "the connection broke"
    if progress.phase == errors.SENDING:
        return "its body could not be sent as it was announced"
    return "what came back is not HTTP"
