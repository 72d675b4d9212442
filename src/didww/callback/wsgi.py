"""WSGI application for a receiver: works with any WSGI server or framework."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias
from urllib.parse import quote

if TYPE_CHECKING:
    from didww.callback.incoming import Headers, Rejections
    from didww.callback.response import CallbackResponse

__all__ = ["WsgiApp", "wsgi_app"]

WsgiApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Handler(Protocol):
    """Return the response to a raw request."""

    def __call__(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse: ...


def wsgi_app(handler: Handler, *, max_bytes: int, rejections: Rejections) -> WsgiApp:
    """Return a WSGI application that handles every path.

    Args:
        handler: Returns the response to each request.
        max_bytes: Maximum size of a request body.
        rejections: Logs rejected requests.
    """

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        body = b""
        if length and not (length.isascii() and length.isdigit()):
            status, text = 400, "malformed"
        elif len(length) > 18 or int(length or 0) > max_bytes:
            status, text = 413, "too_large"
        else:
            if length:
                body = environ["wsgi.input"].read(int(length))
            elif environ.get("wsgi.input_terminated"):  # chunked, and the server marks the end
                body = environ["wsgi.input"].read(max_bytes + 1)
            if length and len(body) < int(length):
                rejections.log(
                    f"A request was rejected (malformed): only {len(body)} of {length} bytes of its body arrived. "
                    "Code that ran before the receiver has already read the body, or the client disconnected."
                )
                status, text = 400, "malformed"
            else:
                status, text = handler(
                    method=environ["REQUEST_METHOD"], url=_url(environ), headers=_headers(environ), body=body
                )
        content = text.encode()
        start_response(
            f"{status} {HTTPStatus(status).phrase}",
            [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(content)))],
        )
        return [content]

    return app


def _headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    headers = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
    return [*headers, ("Content-Type", environ.get("CONTENT_TYPE") or "")]


def _url(environ: dict[str, Any]) -> str:
    """Return the full URL as the client requested it."""
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    query = environ.get("QUERY_STRING") or ""
    # The raw request target if the server provides it, else the decoded path, encoded again.
    target = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    path = target.partition("?")[0]
    if not path.startswith("/"):
        decoded = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "")
        path = quote(decoded.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=~")
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}{'?' if query else ''}{query}"
