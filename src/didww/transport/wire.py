"""What the two httpx2 transports share: how clients and requests are made, and what httpx2's errors mean.

Imports httpx2, and so is itself imported only when a client that needs it is made.
"""

from __future__ import annotations

from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, TypeVar

import httpx2

from didww.exceptions import InvalidValue
from didww.transport import failures
from didww.transport.body import lower_headers, with_encoding

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Iterable

    from didww.calls.effects import Request

__all__ = ["Opened", "explained", "make_client", "request_for"]

C = TypeVar("C", httpx2.Client, httpx2.AsyncClient)

# Parsing its address is a third of the work of building a request, and most calls repeat one.
_url = lru_cache(maxsize=256)(httpx2.URL)


class Opened:
    """An answer whose body is still on the wire."""

    __slots__ = ("chunks", "deadline", "headers", "request", "response", "status")

    def __init__(self, request: Request, deadline: float, response: httpx2.Response, chunks: Any) -> None:
        self.request = request
        self.deadline = deadline
        self.response = response
        self.chunks = chunks
        self.status: int = response.status_code
        self.headers = lower_headers(response.headers.raw)


def make_client(kind: type[C], proxy: str | None, verify: bool | ssl.SSLContext) -> C:  # noqa: FBT001 httpx2's own
    """A client that follows no redirect, keeps no cookie and has no timeouts of its own.

    Raises:
        InvalidValue: The proxy, the caller's or the environment's, cannot be used.
    """
    try:
        return kind(
            proxy=proxy,
            verify=verify,
            timeout=None,
            follow_redirects=False,
            # 30 seconds: shorter than what servers and balancers in front of them keep an idle connection for.
            limits=httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=30),
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
    except ImportError:
        problem = "A SOCKS proxy needs one more package: pip install 'httpx2[socks]'."
    except (ValueError, httpx2.InvalidURL):
        # Its text may show the proxy's password.
        problem = (
            "The proxy's address must be like http://host:port. Check proxy=, or HTTPS_PROXY, HTTP_PROXY and ALL_PROXY "
            "in the environment."
        )
    raise InvalidValue(problem, field="proxy")


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


def explained(error: Exception, request: Request, *, request_sent: bool, answered: bool) -> Exception:
    """The error of this package for one of httpx2; any other as it is.

    Args:
        error: What was raised.
        request: What was being sent.
        request_sent: False if it is known from elsewhere that nothing was sent.
        answered: Whether the head of the answer had come.
    """
    if isinstance(error, (httpx2.ConnectTimeout, httpx2.PoolTimeout)):
        return failures.late(request, request_sent=False)
    if isinstance(error, httpx2.TimeoutException):
        return failures.late(request, request_sent=request_sent)
    if isinstance(error, httpx2.ConnectError):
        return failures.unreachable(request, error)
    if isinstance(error, httpx2.ProxyError):
        return failures.unsendable(request, f"the proxy refused to connect to it ({str(error)[:80]})")
    if isinstance(error, (httpx2.UnsupportedProtocol, httpx2.InvalidURL)):
        return failures.unsendable(request, "its address cannot be used; check base_url / DIDWW_BASE_URL")
    if isinstance(error, (httpx2.LocalProtocolError, UnicodeError)):
        # Their texts show the header, which may be the key.
        return failures.unsendable(request, "a header holds characters that HTTP does not allow")
    if isinstance(error, httpx2.HTTPError):
        return failures.broken(request, _breakage(error, answered=answered), request_sent=request_sent)
    return error


def _breakage(error: httpx2.HTTPError, *, answered: bool) -> str:
    if isinstance(error, httpx2.RemoteProtocolError):
        if answered:
            return "the answer was cut off"
        if "disconnected" in str(error):
            return "the server closed the connection without an answer"
        return "what came back is not HTTP"
    root = next((cause for cause in failures.causes(error) if isinstance(cause, OSError)), None)
    reason = root.strerror if root is not None else None
    return f"the connection broke ({reason})" if reason else "the connection broke"
