"""The sandbox as an ASGI application: HTTP requests in, the engine's answers out, nothing else.

Needs no framework; any ASGI server can run it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from didww.calls.effects import Request, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from didww.sandbox.engine import Engine

__all__ = ["SandboxApp"]

MOST_BYTES = 32 << 20
_TOO_LARGE = b'{"errors":[{"title":"Payload Too Large","detail":"The body is too large.","code":"413","status":"413"}]}'


class SandboxApp:
    """An ASGI application over `engine`.

    Args:
        engine: The engine that answers.
        log: Called with method, path, status and seconds after each answer; neither headers nor bodies are shown.
    """

    def __init__(self, engine: Engine, log: Callable[[str, str, int, float], None] | None = None) -> None:
        self._engine = engine
        self._log = log

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Serve one connection's event, as ASGI has it."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MOST_BYTES:
                break
        path = _path(scope)
        if len(body) > MOST_BYTES:
            response = Response(413, {"content-type": "application/vnd.api+json", "connection": "close"}, _TOO_LARGE)
        else:
            # The engine answers in well under a millisecond, most of it inside SQLite; a thread would cost more.
            response = self._engine.handle(_request(scope, path, bytes(body)))
        headers = {**response.headers, "content-length": str(len(response.body))}
        await send(
            {
                "type": "http.response.start",
                "status": response.status,
                "headers": [
                    (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()
                ],
            }
        )
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else response.body})
        if self._log is not None:
            self._log(scope["method"], path, response.status, time.perf_counter() - started)


def _path(scope: MutableMapping[str, Any]) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    query: bytes = scope.get("query_string", b"")
    return f"{path}?{query.decode('latin-1')}" if query else path


def _request(scope: MutableMapping[str, Any], path: str, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    server = scope.get("server") or ("127.0.0.1", 80)
    host = headers.get("host") or f"{server[0]}:{server[1]}"
    return Request(scope["method"], f"{scope.get('scheme', 'http')}://{host}{path}", headers, body or None)


async def _lifespan(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
