"""The door for WSGI: any server and framework of threads and processes."""

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
    """Gives the response to a raw request."""

    def __call__(self, *, method: str, url: str, headers: Headers, body: bytes) -> CallbackResponse: ...


def wsgi_app(handler: Handler, *, max_bytes: int, rejections: Rejections) -> WsgiApp:
    """A WSGI application that handles every path.

    Args:
        handler: Returns the response to each request.
        max_bytes: The largest body that is read.
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
            elif environ.get("wsgi.input_terminated"):  # sent in chunks, and the server knows where they end
                body = environ["wsgi.input"].read(max_bytes + 1)
            if length and len(body) < int(length):
                rejections.log(
                    f"A request was rejected (malformed): {len(body)} of {length} bytes of its body arrived here. "
                    "Something before the receiver has read it, or the client hung up."
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
    found = [(name[5:].replace("_", "-"), value) for name, value in environ.items() if name.startswith("HTTP_")]
    return [*found, ("Content-Type", environ.get("CONTENT_TYPE") or "")]


def _url(environ: dict[str, Any]) -> str:
    """The whole address, as the server was asked for it."""
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    query = environ.get("QUERY_STRING") or ""
    # The raw request target, if the server passes it; else the decoded path, encoded again.
    asked = environ.get("REQUEST_URI") or environ.get("RAW_URI") or ""
    path = asked.partition("?")[0]
    if not path.startswith("/"):
        decoded = (environ.get("SCRIPT_NAME") or "") + (environ.get("PATH_INFO") or "")
        path = quote(decoded.encode("latin-1", "replace"), safe="/:@!$&'()*+,;=~")
    return f"{environ.get('wsgi.url_scheme', 'http')}://{host}{path}{'?' if query else ''}{query}"
