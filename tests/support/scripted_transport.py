"""A transport that responds from a script and records the requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from didww._core.effects import Request, Response
from didww.exceptions import ClientClosedError

if TYPE_CHECKING:
    from collections.abc import Callable

JSON_API = {"content-type": "application/vnd.api+json", "x-request-id": "req-1"}


def json_response(status: int = 200, document: Any = None, *, body: bytes | None = None, **headers: str) -> Response:
    """Return a response with a JSON document, or with the raw `body`."""
    raw = body if body is not None else b"" if document is None else json.dumps(document).encode()
    return Response(status, {**JSON_API, **{name.replace("_", "-"): value for name, value in headers.items()}}, raw)


def echo(request: Request) -> Response:
    """Respond to a create like the service: return the record as sent, with an id."""
    data = json.loads(request.body)["data"]  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] # no stream
    return json_response(201, {"data": {**data, "id": "8d1a3c5e-0000-4000-8000-000000000001"}})


class Opened:
    def __init__(self, response: Response) -> None:
        self.status, self.headers = response.status, response.headers
        self.chunks = [response.body[i : i + 7] for i in range(0, len(response.body), 7)]


class Scripted:
    """Respond in order: callables get the request, exceptions are raised, and the last response repeats."""

    def __init__(self, *script: Response | Exception | Callable[[Request], Response]) -> None:
        self.script = list(script)
        self.requests: list[Request] = []
        self.released = 0
        self.closed = False

    def send(self, request: Request, deadline: float) -> Response:
        if self.closed:
            raise ClientClosedError("closed")
        self.requests.append(request)
        self.deadline = deadline
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Response) else step(request)

    def open(self, request: Request, deadline: float) -> Opened:
        return Opened(self.send(request, deadline))

    def read(self, opened: Opened) -> bytes:
        return opened.chunks.pop(0) if opened.chunks else b""

    def release(self, opened: Opened) -> None:
        self.released += 1

    def close(self) -> None:
        self.closed = True

    @property
    def sent(self) -> list[Any]:
        """Return the documents that were sent."""
        return [json.loads(request.body) for request in self.requests if request.body is not None]


class AsyncScripted:
    """The asynchronous counterpart of `Scripted`."""

    def __init__(self, *script: Response | Exception | Callable[[Request], Response]) -> None:
        self.inner = Scripted(*script)

    async def send(self, request: Request, deadline: float) -> Response:
        return self.inner.send(request, deadline)

    async def open(self, request: Request, deadline: float) -> Opened:
        return self.inner.open(request, deadline)

    async def read(self, opened: Opened) -> bytes:
        return self.inner.read(opened)

    async def release(self, opened: Opened) -> None:
        self.inner.release(opened)

    async def close(self) -> None:
        self.inner.close()
