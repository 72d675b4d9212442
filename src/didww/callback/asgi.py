"""ASGI application for a receiver: works with any ASGI server or framework."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    from didww.callback.incoming import Headers, Rejections
    from didww.callback.response import CallbackResponse

__all__ = ["AsgiApp"]

log = logging.getLogger("didww.callback")

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Handler(Protocol):
    """Return the response to a raw request."""

    def __call__(self, *, method: str, url: str, headers: Headers, body: bytes) -> Awaitable[CallbackResponse]: ...


class _BodyError(Exception):
    """The body is too large. The arguments are the status and the text of the response."""


class AsgiApp:
    """An ASGI application that handles every path.

    It is an object rather than a function, so that routers that accept both treat it as an application.

    Args:
        handler: Returns the response to each request.
        max_bytes: Maximum size of a request body.
        read_timeout: Seconds within which the whole body must arrive.
        rejections: Logs rejected requests.
        at_shutdown: Called in a thread when the server shuts down.
    """

    def __init__(
        self,
        handler: Handler,
        *,
        max_bytes: int,
        read_timeout: float,
        rejections: Rejections,
        at_shutdown: Sequence[Callable[[], object]] = (),
    ) -> None:
        self._handler = handler
        self._max_bytes = max_bytes
        self._read_timeout = read_timeout
        self._rejections = rejections
        self._at_shutdown = at_shutdown

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        import anyio

        close = True  # the rest of the body is not read
        try:
            with anyio.fail_after(self._read_timeout):
                body = await _body(scope, receive, self._max_bytes)
        except _BodyError as unread:
            status, text = unread.args
            self._rejections.log(
                f"A request was rejected (too_large): its body is larger than {self._max_bytes} bytes."
            )
        except TimeoutError:
            status, text = 408, "the body took too long"
            self._rejections.log(
                f"A request was rejected: its body did not arrive within {self._read_timeout:g} seconds. The client is "
                "slow, or code that ran before the receiver has already read the body."
            )
        else:
            if body is None:
                return
            close = False
            status, text = await self._handler(
                method=scope["method"], url=_url(scope), headers=scope["headers"], body=body
            )
        content = text.encode()
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(content)).encode())]
        if close:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            ending = message["type"] == "lifespan.shutdown"
            if ending:
                await self._shut_down()
            await send({"type": f"{message['type']}.complete"})
            if ending:
                return

    async def _shut_down(self) -> None:
        import anyio.to_thread

        for call in self._at_shutdown:
            try:
                await anyio.to_thread.run_sync(call)
            except Exception:
                log.exception("An error at the shutdown of the receiver.")


async def _body(scope: MutableMapping[str, Any], receive: Receive, max_bytes: int) -> bytes | None:
    """Read the body; return None if the client has disconnected."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and (len(value) > 18 or int(value) > max_bytes):
            raise _BodyError(413, "too_large")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > max_bytes:
            raise _BodyError(413, "too_large")
        if not message.get("more_body", False):
            return b"".join(parts)


def _url(scope: MutableMapping[str, Any]) -> str:
    """Return the full URL as the client requested it."""
    from urllib.parse import quote

    raw: bytes | None = scope.get("raw_path")
    path = quote(scope["path"], safe="/:@!$&'()*+,;=~") if raw is None else raw.partition(b"?")[0].decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    if not host:
        server, port = scope.get("server") or ("localhost", None)
        host = f"{server}:{port}" if port else server
    return f"{scope.get('scheme', 'http')}://{host}{path}{'?' if query else ''}{query}"
