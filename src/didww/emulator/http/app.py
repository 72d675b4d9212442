"""The emulator as an ASGI application.

It needs no framework; any ASGI server can run it.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import msgspec

from didww._core.effects import Request, Response
from didww._schema.registry import class_of
from didww._schema.resource import Resource
from didww.emulator.controls.clock import http_date
from didww.emulator.engine.errors import error_body
from didww.emulator.http import control_api
from didww.emulator.http.fair_queue import FairQueue
from didww.emulator.http.headers import CROSS_ORIGIN, compress, get_header
from didww.transport.inprocess import Disturbance, Streamed, reader_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, MutableMapping

    from didww.emulator.emulator import Emulator

__all__ = ["EmulatorApp"]

_QUIET = Disturbance()
_JSON_API = "application/vnd.api+json"
_ABSOLUTE = re.compile(r"https?://([^/?#]+)(/.*)?", re.IGNORECASE)
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?", re.ASCII)
_NO_PUBLIC_NAMES = frozenset({"internal", "local", "localhost", "test"})
"""Top-level domains that cannot be registered; containers reach their host as host.docker.internal."""
_PAGE_SIZE = re.compile(r"page\[size\]=(\d{1,9})")
MAX_BYTES = 32 << 20
SECONDS_FOR_BODY = 60.0
_TOO_LARGE = b'{"errors":[{"title":"Payload Too Large","detail":"The body is too large.","code":"413","status":"413"}]}'


class EmulatorApp:
    """An ASGI application for an emulator: the API at `/v3`, the control API and the console at `/_emulator`.

    Args:
        emulator: The emulator that handles requests.
        log: Called with method, path, status and seconds after each response.
        open_control: Whether other machines may use the control API.
        hosts: Allowed host names with a dot, also as origins of pages in browsers; `"*"` allows any.

    The server must not add its own `Date` header: the application sends that of the emulator's clock.
    """

    sends_date = True

    def __init__(
        self,
        emulator: Emulator,
        log: Callable[[str, str, int, float], None] | None = None,
        *,
        open_control: bool = False,
        hosts: Iterable[str] = (),
    ) -> None:
        self._emulator = emulator
        self._hosts = frozenset(host.lower() for host in hosts)
        self._fair: FairQueue | None = None
        self._log = log
        self._open_control = open_control
        # A separate pool: controls may wait for callbacks, and streams must not wait for controls.
        self._controls = ThreadPoolExecutor(64, "didww-emulator-control")

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    ) -> None:
        """Handle one ASGI event."""
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
            await _respond(scope, send, self._with_date(Response(408, {"connection": "close"}, b"")), _QUIET)
            return
        if body is None:
            return
        request, path = _request(scope, bytes(body))
        disturbance: Disturbance | None = None
        quiet = False
        if len(body) > MAX_BYTES:
            response = Response(413, {"content-type": _JSON_API, "connection": "close"}, _TOO_LARGE)
        elif path == "/" or path.startswith("/_emulator"):
            quiet = True
            # Controls may wait for callbacks, whose receiver may call this server.
            loop = asyncio.get_running_loop()
            response = await loop.run_in_executor(self._controls, self._control, request, scope)
        else:
            response, disturbance = await self._exchange(request, path, scope.get("client"))
        await _respond(scope, send, self._with_date(response), disturbance or _QUIET)
        if self._log is not None and not quiet:
            self._log(request.method, path, response.status, time.perf_counter() - started)

    def _with_date(self, response: Response) -> Response:
        headers = {"date": http_date(self._emulator.clock.now()), **response.headers}
        return msgspec.structs.replace(response, headers=headers)

    async def _exchange(self, request: Request, path: str, connection: object) -> tuple[Response, Disturbance | None]:
        """Return the API response with CORS headers, and the disturbance."""
        host = _name(request.headers["host"])
        if not self._is_known_host(host):
            return _refused_host(host), None
        headers = CROSS_ORIGIN | self._allowed_origin(request, host)
        disturbance: Disturbance | None = None
        if request.method == "OPTIONS":  # a CORS preflight has no key and is not recorded
            response = Response(200, {}, b"")
        elif path.partition("?")[0].endswith(".csv.gz"):
            # A range can take as long as the whole file, which is generated up to it.
            response, disturbance = await asyncio.to_thread(self._emulator.exchange, request)
        else:
            # The engine takes well under a millisecond, mostly in SQLite; a thread would cost more.
            async with self._queue().share_of(connection, _estimate_work(path)):
                response, disturbance = self._emulator.exchange(request)
                if disturbance is None:  # disturbances count the uncompressed bytes
                    response = compress(request, response)
        return msgspec.structs.replace(response, headers={**headers, **response.headers}), disturbance

    def _queue(self) -> FairQueue:
        if self._fair is None or self._fair.loop is not asyncio.get_running_loop():
            self._fair = FairQueue()
        return self._fair

    def _is_known_host(self, host: str) -> bool:
        """Return whether a request may use this host name, as protection against DNS rebinding."""
        return host != "" and (_is_local(host) or host in self._hosts or "*" in self._hosts)

    def _allowed_origin(self, request: Request, host: str) -> dict[str, str]:
        """Return the CORS header for pages of this machine, the same host or an allowed host.

        The service allows any origin, since its keys are secret; the keys of an emulator are not.
        """
        origin = get_header(request.headers, "origin")
        try:
            split = urlsplit(origin)
            asking = split.hostname or ""
        except ValueError:
            return {}
        let_in = _is_loopback(asking) or asking.endswith(".localhost") or asking in (host, *self._hosts)
        if split.scheme in ("http", "https") and (let_in or "*" in self._hosts):
            return {"access-control-allow-origin": origin}
        return {}

    def _control(self, request: Request, scope: MutableMapping[str, Any]) -> Response:
        refused = None if self._open_control else _remote_refusal(request, scope)
        refused = refused or self._cross_origin_refusal(request, scope)
        if refused is not None:
            return Response(403, {"content-type": "application/json"}, msgspec.json.encode({"error": refused}))
        path = urlsplit(request.url).path
        if path in ("/", "/_emulator", "/_emulator/console"):
            return Response(307, {"location": "/_emulator/console/"}, b"")
        if path.startswith("/_emulator/console/"):
            from didww.emulator import console

            return console.handle(self._emulator, request)
        return control_api.handle(self._emulator, request)

    def _cross_origin_refusal(self, request: Request, scope: MutableMapping[str, Any]) -> str | None:
        """Return why a cross-origin browser request is refused; None if it is allowed."""
        origin, host = request.headers.get("origin"), request.headers["host"]
        if not self._is_known_host(name := _name(host)):
            return f"Use the control API by IP address or by a host name without a dot, got {name[:80]!r}."
        if origin is not None and origin != f"{scope.get('scheme', 'http')}://{host}":
            return "Cross-origin pages may not use the control API."
        return None


def _remote_refusal(request: Request, scope: MutableMapping[str, Any]) -> str | None:
    """Return why a request may not use the control API; None if it may.

    Cross-origin pages in a browser on this machine are refused too.
    """
    client = scope.get("client")
    host = _name(request.headers["host"])
    if client is not None and not _is_loopback(client[0]):
        return "Only this machine may use the control API. Start the emulator with --open-control to allow others."
    if not _is_loopback(host):
        return f"Use the control API by a loopback address, got {host[:80]!r}."
    return None


def _refused_host(host: str) -> Response:
    detail = (
        f"The host name {host[:80]!r} is not allowed. Use the IP address or a name without a dot, "
        f"or start the emulator with --allow-host {host[:80]}."
    )
    error = {"title": "Forbidden", "detail": detail, "code": "403", "status": "403"}
    return Response(403, {"content-type": _JSON_API}, error_body([error]))


def _estimate_work(path: str) -> float:
    """Estimate the work of a request, in records of its response."""
    place, _, query = unquote(path).partition("?")
    type = place.removeprefix("/v3/")
    page_size = _PAGE_SIZE.search(query)
    cls = class_of(type) or Resource
    records = min(int(page_size[1]), cls._largest_page) if page_size else cls._page_size
    included = query.partition("include=")[2].partition("&")[0]
    return records * (1 + len(re.split("[.,]", included)) if included else 1)


def _name(host: str) -> str:
    """Return the name or address in a `Host` header; empty if invalid."""
    match = _HOST.fullmatch(host.lower())
    if match is None or (match[1].startswith("[") and not _address(match[1][1:-1])):
        return ""
    return match[1].strip("[]")


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_local(host: str) -> bool:
    """Return whether a host is an address, or a name that public DNS cannot point here."""
    return _address(host) is not None or "." not in host or host.rpartition(".")[2] in _NO_PUBLIC_NAMES


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


async def _respond(
    scope: MutableMapping[str, Any],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
    response: Response,
    disturbance: Disturbance,
) -> None:
    """Send a response, with its disturbance applied."""
    read, size = reader_of(response)
    # Without a length the server sends the body in chunks; 304 has none.
    sized = size is not None and response.status != 304
    headers = {**response.headers, **({"content-length": str(size)} if sized else {})}
    await asyncio.sleep(disturbance.latency)
    if disturbance.lost:
        _abort(send)
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
        # The body is generated while it is read; do that in a thread.
        piece = await asyncio.to_thread(next, pieces, None) if streamed else next(pieces, None)
        if piece is None:
            await send({"type": "http.response.body", "body": b""})
            return
        chunk, pause = piece
        if not chunk:
            await asyncio.sleep(0.02)  # let written data be sent
            _abort(send)
            return
        await asyncio.sleep(pause)
        await send({"type": "http.response.body", "body": chunk, "more_body": True})


def _abort(send: Any) -> None:
    """Close the connection in the middle of a response; ASGI has no message for that."""
    cycle: Any = getattr(send, "__self__", None)
    transport = getattr(cycle, "transport", None)
    if transport is None:
        raise ConnectionError("An emulator fault closed this connection.")
    cycle.disconnected = True  # else uvicorn logs an incomplete response
    transport.close()


def _request(scope: MutableMapping[str, Any], body: bytes) -> tuple[Request, str]:
    """Return the request, and its path with the query."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.split(b"?", 1)[0].decode("latin-1")
    if absolute := _ABSOLUTE.fullmatch(path):  # absolute form; its host takes precedence (RFC 9112, section 3.2.2)
        path = absolute[2] or "/"
        headers["host"] = absolute[1]
    if not headers.get("host"):
        name, port = scope.get("server") or ("127.0.0.1", 80)
        headers["host"] = f"{name}:{port}"
    query: bytes = scope.get("query_string", b"")
    path += f"?{query.decode('latin-1')}" if query else ""
    return Request(
        scope["method"], f"{scope.get('scheme', 'http')}://{headers['host']}{path}", headers, body or None
    ), path


async def _body(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> bytearray | None:
    """Return the body, up to just over the size limit; None if the client disconnected."""
    body = bytearray()
    more = True
    while more and len(body) <= MAX_BYTES:
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
