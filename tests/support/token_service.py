"""A service that issues tokens and serves requests that have one, with its own clock and scripted failures."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from didww._core.effects import Request, Response
from support.scripted_transport import Opened

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = "https://api.example.com/v3"
TOKEN_URL = "https://api.example.com/token"
VERSION = "2026-11-19"
ID = "8d1a3c5e-0000-4000-8000-000000000001"


class TokenService:
    """Issues tokens and serves a few records.

    Attributes:
        now: The time of its clock.
        life: The life of a token in seconds.
        script: What the next requests for a token get instead of a token: a response or an error.
        changes: Members to change in the responses with a token; None removes one.
        minted: The requests for tokens, as documents.
        requests: All requests, in order.
        orders: The orders that were placed.
        revoked: Tokens that are refused although they have not expired.
        before_mint: Called before a token is issued, in the thread that asks for it.
    """

    def __init__(self, *script: Response | BaseException, life: float = 900) -> None:
        self.now = 1000.0
        self.life = life
        self.script = list(script)
        self.changes: dict[str, Any] = {}
        self.minted: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        self.orders: list[dict[str, Any]] = []
        self.revoked: set[str] = set()
        self.refuses_all = False
        self.before_mint: Callable[[], object] = lambda: None
        self.file = b"\x1f\x8bfile"
        self._lock = threading.Lock()
        self._expiry: dict[str, float] = {}

    def handle(self, request: Request) -> Response:
        """Respond to a request."""
        with self._lock:
            self.requests.append(request)
        if isinstance(request.body, bytes) or request.body is None:
            pass
        else:
            for _ in request.body:  # a stream is sent once for each attempt
                pass
        if urlsplit(request.url).path == "/token":
            return self._mint(request)
        with self._lock:
            return self._serve(request)

    def revoke(self) -> None:
        """Refuse all tokens issued so far."""
        self.revoked |= set(self._expiry)

    @property
    def served(self) -> list[Request]:
        """The requests other than those for tokens."""
        return [request for request in self.requests if urlsplit(request.url).path != "/token"]

    def _mint(self, request: Request) -> Response:
        document = json.loads(request.body)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # no stream
        with self._lock:
            self.minted.append(document)
            number = len(self.minted)
            step = self.script.pop(0) if self.script else None
        self.before_mint()
        if isinstance(step, BaseException):
            raise step
        if step is not None:
            return step
        value = f"t0ken-that-nobody-may-see-{number}"
        with self._lock:
            self._expiry[value] = self.now + self.life
        granted = {"access_token": value, "token_type": "Bearer", "expires_in": self.life, **document, **self.changes}
        granted["expires_in"] = self.changes.get("expires_in", self.life)
        return Response(200, {}, json.dumps({k: v for k, v in granted.items() if v is not None}).encode())

    def _serve(self, request: Request) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.refuses_all or token in self.revoked or self._expiry.get(token, 0.0) <= self.now:
            return Response(401, {"www-authenticate": 'Bearer error="invalid_token"'}, b"")
        path = urlsplit(request.url).path
        if path.endswith(".gz"):
            return Response(200, {"content-length": str(len(self.file))}, self.file)
        if request.method == "POST" and path.endswith("/orders"):
            data = json.loads(request.body)["data"]  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            self.orders.append(data)
            return _document({**data, "id": f"{len(self.orders):08d}-0000-4000-8000-000000000000"}, 201)
        if request.method == "POST":
            return _document({"type": "encrypted_files", "id": ID, "attributes": {}}, 201)
        if path.endswith("/balance"):
            return _document({"type": "balances", "id": ID, "attributes": {"total_balance": "1.00"}})
        return _document([])


def _document(data: Any, status: int = 200) -> Response:
    document = {"data": data, "meta": {"api_version": VERSION}}
    return Response(status, {"content-type": "application/vnd.api+json"}, json.dumps(document).encode())


class Served:
    """A transport to a `TokenService`."""

    def __init__(self, service: TokenService) -> None:
        self.service = service
        self.released = 0

    def send(self, request: Request, deadline: float) -> Response:
        return self.service.handle(request)

    def open(self, request: Request, deadline: float) -> Opened:
        return Opened(self.send(request, deadline))

    def read(self, opened: Opened) -> bytes:
        return opened.chunks.pop(0) if opened.chunks else b""

    def release(self, opened: Opened) -> None:
        self.released += 1

    def close(self) -> None:
        pass


class AsyncServed:
    """The asynchronous counterpart of `Served`.

    Attributes:
        before_mint: Awaited before a request for a token is sent.
    """

    def __init__(self, service: TokenService, before_mint: Callable[[], Any] | None = None) -> None:
        self.inner = Served(service)
        self.before_mint = before_mint

    async def send(self, request: Request, deadline: float) -> Response:
        if self.before_mint is not None and urlsplit(request.url).path == "/token":
            await self.before_mint()
        return self.inner.send(request, deadline)

    async def open(self, request: Request, deadline: float) -> Opened:
        return Opened(await self.send(request, deadline))

    async def read(self, opened: Opened) -> bytes:
        return self.inner.read(opened)

    async def release(self, opened: Opened) -> None:
        self.inner.release(opened)

    async def close(self) -> None:
        pass
