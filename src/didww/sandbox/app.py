"""The sandbox as an ASGI application: HTTP requests in, answers out, as faults let them through.

Needs no framework; any ASGI server can run it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from didww.calls.effects import Request, Response
from didww.sandbox import control
from didww.transport.inprocess import Disturbance, Streamed, reader_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from didww.sandbox.local import Sandbox

__all__ = ["SandboxApp"]

_QUIET = Disturbance()
MOST_BYTES = 32 << 20
SECONDS_FOR_BODY = 60.0
_TOO_LARGE = b'{"errors":[{"title":"Payload Too Large","detail":"The body is too large.","code":"413","status":"413"}]}'


class SandboxApp:
    """An ASGI application over a sandbox: the API below `/v3`, its controls and the console below `/_sandbox`.

    Args:
        sandbox: The sandbox that answers.
        log: Called with method, path, status and seconds after each answer; neither headers nor bodies are shown.
        open_control: Whether others than this machine may use the controls.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        log: Callable[[str, str, int, float], None] | None = None,
        *,
        open_control: bool = False,
    ) -> None:
        self._sandbox = sandbox
        self._log = log
        self._open_control = open_control
        # Some of them wait for callbacks; what is streamed must not wait for those.
        self._controls = ThreadPoolExecutor(64, "didww-sandbox-control")

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
        try:
            async with asyncio.timeout(SECONDS_FOR_BODY):
                body = await _body(receive)
        except TimeoutError:
            await _respond(scope, send, Response(408, {"connection": "close"}, b""), _QUIET)
            return
        if body is None:
            return
        path = _path(scope)
        disturbance: Disturbance | None = None
        quiet = False
        if len(body) > MOST_BYTES:
            response = Response(413, {"content-type": "application/vnd.api+json", "connection": "close"}, _TOO_LARGE)
        elif path == "/" or path.startswith("/_sandbox"):
            quiet = True
            # Controls may wait for callbacks, and those may come from this very server.
            asked = _request(scope, path, bytes(body))
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._controls, self._control, asked, scope)
        elif path.partition("?")[0].endswith(".csv.gz"):
            # A part of a file can take as long as the whole of it: it has to be made up to there.
            asked = _request(scope, path, bytes(body))
            response, disturbance = await asyncio.to_thread(self._sandbox.exchange, asked)
        else:
            # The engine answers in well under a millisecond, most of it inside SQLite; a thread would cost more.
            response, disturbance = self._sandbox.exchange(_request(scope, path, bytes(body)))
        await _respond(scope, send, response, disturbance or _QUIET)
        if self._log is not None and not quiet:
            self._log(scope["method"], path, response.status, time.perf_counter() - started)

    def _control(self, request: Request, scope: MutableMapping[str, Any]) -> Response:
        refused = _foreign(request, scope) if self._open_control else _stranger(request, scope)
        if refused is not None:
            return Response(403, {"content-type": "application/json"}, msgspec.json.encode({"error": refused}))
        try:
            path = urlsplit(request.url).path
        except ValueError:
            return Response(400, {"content-type": "application/json"}, b'{"error":"There is no such host."}')
        if path in ("/", "/_sandbox", "/_sandbox/console"):
            return Response(307, {"location": "/_sandbox/console/"}, b"")
        if path.startswith("/_sandbox/console/"):
            from didww.sandbox import console

            return console.answer(self._sandbox, request)
        return control.answer(self._sandbox, request)


def _stranger(request: Request, scope: MutableMapping[str, Any]) -> str | None:
    """Why a request may not use the controls; None if it may.

    A page in a browser on this machine is a stranger, too, if it comes from elsewhere.
    """
    client = scope.get("client")
    headers = {name.lower(): value for name, value in request.headers.items()}
    host = _name(headers.get("host", ""))
    if client is not None and not _loopback(client[0]):
        return "The controls are for this machine alone; start the sandbox with --open-control to let others use them."
    if not _loopback(host):
        return f"The controls are asked for at this machine's own address, not at {host[:80]!r}."
    return _foreign(request, scope)


def _foreign(request: Request, scope: MutableMapping[str, Any]) -> str | None:
    """Why a request that a browser sends for a page of another origin is refused; None if it is none."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    origin, host = headers.get("origin"), _name(headers.get("host", ""))
    if not _own(host):
        return f"The controls are asked for at an address, or a name without a dot, not at {host[:80]!r}."
    if origin is not None and origin != f"{scope.get('scheme', 'http')}://{headers.get('host', '')}":
        return "The controls are not for pages of another origin."
    return None


def _name(host: str) -> str:
    return host.rpartition("]")[0].removeprefix("[") if host.startswith("[") else host.partition(":")[0]


def _own(host: str) -> bool:
    """Whether a host is an address, or a name that nobody elsewhere can let lead here, as pages of strangers might."""
    try:
        return bool(ipaddress.ip_address(host))
    except ValueError:
        return "." not in host.removesuffix(".local").removesuffix(".localhost")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _respond(
    scope: MutableMapping[str, Any],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    response: Response,
    disturbance: Disturbance,
) -> None:
    """Send an answer, as the wire lets it through."""
    read, size = reader_of(response)
    # Without a length the server sends the body in chunks.
    headers = {**response.headers, **({} if size is None else {"content-length": str(size)})}
    await asyncio.sleep(disturbance.latency)
    if disturbance.lost:
        _break_off(send)
        return
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    pieces = disturbance.pieces(read, size) if scope["method"] != "HEAD" else iter(())
    streamed = isinstance(response, Streamed)
    while True:
        # What is made while it is read takes time, and others must not wait for it.
        found = await asyncio.to_thread(next, pieces, None) if streamed else next(pieces, None)
        if found is None:
            await send({"type": "http.response.body", "body": b""})
            return
        chunk, pause = found
        if not chunk:
            await asyncio.sleep(0.02)  # let what was written go out
            _break_off(send)
            return
        await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


def _break_off(send: Any) -> None:
    """Close the connection in the middle of an answer, which ASGI has no message for."""
    cycle: Any = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise ConnectionError("A fault of the sandbox breaks this connection off.")
    cycle.disconnected = True  # else uvicorn complains of an answer that is not complete
    transport.close()


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


async def _body(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bytearray | None:
    """Return the body, no more of it than shows that it is too large; None if the client has gone."""
    body = bytearray()
    more = True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _lifespan(
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
