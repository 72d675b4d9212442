"""The transports against real sockets: deadlines, faults, pooling, and the key that goes nowhere else."""

from __future__ import annotations

import asyncio
import gzip
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import requests

from didww.calls.effects import Request, Response
from didww.exceptions import ClientClosedError, ConnectionFailed, DeadlineExceeded, UnexpectedResponse
from didww.transport import base
from didww.transport.http import HttpTransport
from didww.transport.http_async import AsyncHttpTransport
from didww.transport.inprocess import AsyncInProcessTransport, InProcessTransport
from didww.transport.session import SessionTransport
from servers import always, dripping, ok, serving

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "secret-key-0123456789"
FOREVER = float("inf")


class Blocking:
    """An asynchronous transport used from synchronous tests: each exchange in an event loop of its own."""

    def __init__(self) -> None:
        self.transport = AsyncHttpTransport()

    def send(self, request: Request, deadline: float) -> Response:
        async def once() -> Response:
            transport = AsyncHttpTransport()
            try:
                return await transport.send(request, deadline)
            finally:
                await transport.close()

        return asyncio.run(once())

    def fetch(self, request: Request, deadline: float) -> bytes:
        async def once() -> bytes:
            transport = AsyncHttpTransport()
            body = b""
            try:
                opened = await transport.open(request, deadline)
                while chunk := await transport.read(opened):
                    body += chunk
                await transport.release(opened)
            finally:
                await transport.close()
            return body

        return asyncio.run(once())

    def close(self) -> None:
        pass


class Plain:
    """A synchronous transport with a `fetch` beside its own operations."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport

    def send(self, request: Request, deadline: float) -> Response:
        return self.transport.send(request, deadline)

    def fetch(self, request: Request, deadline: float) -> bytes:
        opened = self.transport.open(request, deadline)
        body = b""
        try:
            while chunk := self.transport.read(opened):
                body += chunk
        finally:
            self.transport.release(opened)
        return body

    def close(self) -> None:
        self.transport.close()


def session_transport() -> Plain:
    session = requests.Session()
    session.trust_env = False
    return Plain(SessionTransport(session))


KINDS: dict[str, Callable[[], Any]] = {
    "httpx2": lambda: Plain(HttpTransport()),
    "httpx2 async": Blocking,
    "requests": session_transport,
}


@pytest.fixture(params=KINDS, ids=list(KINDS))
def transport(request: pytest.FixtureRequest) -> Any:
    made = KINDS[request.param]()
    yield made
    made.close()


def get(base_url: str, path: str = "/dids", **headers: str) -> Request:
    return Request("GET", f"{base_url}{path}", {"Api-Key": KEY, **headers})


def within(seconds: float) -> float:
    return time.monotonic() + seconds


def reachable(error: BaseException) -> str:
    """Everything that an exception leads to, as text."""
    seen: set[int] = set()
    texts: list[str] = []

    def visit(thing: Any, depth: int) -> None:
        if id(thing) in seen or depth > 6:
            return
        seen.add(id(thing))
        texts.append(repr(thing))
        if isinstance(thing, BaseException):
            visit(thing.args, depth + 1)
            visit(thing.__cause__, depth + 1)
            visit(thing.__context__, depth + 1)
        for value in list(getattr(thing, "__dict__", {}).values()):
            visit(value, depth + 1)
        if isinstance(thing, (list, tuple)):
            for value in thing:
                visit(value, depth + 1)

    visit(error, 0)
    return " ".join(texts)


def test_an_answer_comes_back_whole(transport: Any) -> None:
    """Status, lower-case headers and body arrive as they were sent, and so does a body sent to the server."""
    with serving(always(ok(b"hello", b"X-Request-ID: r1"))) as server:
        response = transport.send(get(server.base_url), within(5))
        assert (response.status, response.headers["x-request-id"], response.body) == (200, "r1", b"hello")
        transport.send(Request("POST", f"{server.base_url}/orders", {"Content-Type": "text/x"}, b"body"), within(5))
    assert server.requests[1].startswith(b"POST /v3/orders HTTP/1.1")
    assert b"ontent-type: text/x" in server.requests[1].lower().replace(b"content-type", b"ontent-type")


def test_a_packed_answer_is_unpacked_but_a_download_is_not(transport: Any) -> None:
    """`send` unpacks Content-Encoding; `read` hands out the bytes of the wire."""
    packed = gzip.compress(b"calls")
    with serving(always(ok(packed, b"Content-Encoding: gzip"))) as server:
        assert transport.send(get(server.base_url), within(5)).body == b"calls"
        assert transport.fetch(get(server.base_url), within(5)) == packed


def test_a_dead_port_is_named_with_the_way_out(transport: Any) -> None:
    """No server: ConnectionFailed says where, that nothing was sent, and what to check."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ConnectionFailed, match=rf"127\.0\.0\.1:{port}.*base_url.*didww sandbox") as caught:
        transport.send(get(f"http://127.0.0.1:{port}/v3"), within(5))
    assert caught.value.request_sent is False
    assert KEY not in reachable(caught.value)


@pytest.mark.parametrize("kind", ["httpx2", "httpx2 async"])
@pytest.mark.parametrize("after", [0, 60], ids=["headers", "body"])
def test_a_dripping_server_cannot_stretch_the_deadline(kind: str, after: int) -> None:
    """One byte at a time, in the headers or in the body: the call ends at its deadline all the same."""
    transport = KINDS[kind]()
    with serving(dripping(ok(b"x" * 500, b"X-Filler: " + b"a" * 30), after=after)) as server:
        for exchange in (transport.send, transport.fetch):
            started = time.monotonic()
            with pytest.raises(DeadlineExceeded) as caught:
                exchange(get(server.base_url), within(0.3))
            assert time.monotonic() - started < 1.5
            assert KEY not in reachable(caught.value)


def test_a_silent_server_ends_at_the_deadline(transport: Any) -> None:
    """Nothing, or headers and then nothing: DeadlineExceeded, which counts as sent."""
    for data in (b"", ok(b"", length=100)):
        with serving(always(data)) as server:
            started = time.monotonic()
            with pytest.raises(DeadlineExceeded) as caught:
                transport.send(get(server.base_url), within(0.2))
            assert time.monotonic() - started < 1.5
            assert caught.value.request_sent is True


def test_a_broken_answer_is_a_failed_connection(transport: Any) -> None:
    """A connection that closes early, in the middle of the body too, or speaks no HTTP."""

    def breaking(data: bytes) -> Any:
        def answer(connection: socket.socket, _: Any) -> bool:
            connection.sendall(data)
            return False

        return answer

    for data in (b"", b"nonsense\r\n\r\n", ok(b"short", length=100)):
        with serving(breaking(data)) as server:
            for exchange in (transport.send, transport.fetch):
                with pytest.raises(ConnectionFailed) as caught:
                    exchange(get(server.base_url), within(5))
                assert KEY not in reachable(caught.value)
                assert not isinstance(caught.value, DeadlineExceeded)


def test_a_redirect_is_answered_and_not_followed(transport: Any) -> None:
    """The answer comes back as it is; the other server never sees a request."""
    with serving(always(ok(b""))) as other:
        location = f"Location: {other.base_url}/elsewhere".encode()
        with serving(always(b"HTTP/1.1 302 Found\r\n" + location + b"\r\nContent-Length: 0\r\n\r\n")) as server:
            assert transport.send(get(server.base_url), within(5)).status == 302
    assert not other.requests


def test_a_bomb_is_given_up(transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that unpacks beyond the limit raises instead of filling the memory."""
    monkeypatch.setattr(base, "MOST_BYTES", 1 << 20)
    with serving(always(ok(gzip.compress(bytes(8 << 20)), b"Content-Encoding: gzip"))) as server:
        with pytest.raises(UnexpectedResponse, match="more than 1 MiB"):
            transport.send(get(server.base_url), within(5))


def test_connections_are_kept_and_cookies_are_not() -> None:
    """Ten requests share a connection; what a server sets as a cookie is never sent back."""
    transport = HttpTransport()
    with serving(always(ok(b"x", b"Set-Cookie: a=b"))) as server:
        for _ in range(10):
            transport.send(get(server.base_url), within(5))
        assert server.connections == 1
        assert not any(b"ookie" in request for request in server.requests)
        transport.close()


def test_a_connection_that_the_server_closed_meanwhile_is_replaced() -> None:
    """A kept connection that has gone is not used for the next request."""

    def once(connection: socket.socket, _: Any) -> bool:
        connection.sendall(ok(b"x"))
        return False

    transport = HttpTransport()
    with serving(once) as server:
        for _ in range(3):
            assert transport.send(get(server.base_url), within(5)).body == b"x"
            time.sleep(0.05)
        assert server.connections == 3
        transport.close()


def test_threads_share_a_transport() -> None:
    """Sixteen threads at once get each their own answer, over at most as many connections."""

    def echo(connection: socket.socket, _: Any) -> bool:
        time.sleep(0.01)
        connection.sendall(ok(b"fine"))
        return True

    transport = HttpTransport()
    with serving(echo) as server, ThreadPoolExecutor(16) as pool:
        bodies = list(pool.map(lambda _: transport.send(get(server.base_url), within(5)).body, range(100)))
        assert bodies == [b"fine"] * 100
        assert server.connections <= 16
        transport.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # this test forks on purpose while a server thread runs
def test_a_forked_child_makes_its_own_connections() -> None:
    """Parent and child never share a socket: the child connects anew."""
    transport = HttpTransport()
    with serving(always(ok(b"x"))) as server:
        transport.send(get(server.base_url), within(5))
        child = os.fork()
        if child == 0:
            try:
                transport.send(get(server.base_url), within(5))
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        transport.send(get(server.base_url), within(5))
        assert server.connections == 2
        assert len(server.requests) == 3
        transport.close()


def test_a_closed_transport_says_so() -> None:
    """Whatever is called after close raises ClientClosedError; closing twice is fine."""
    session = requests.Session()
    for transport in (
        HttpTransport(),
        SessionTransport(session),
        InProcessTransport(lambda request: Response(200, {}, b"")),
    ):
        transport.close()
        transport.close()
        for exchange in (transport.send, transport.open):
            with pytest.raises(ClientClosedError, match="closed"):
                exchange(get("http://127.0.0.1:9/v3"), FOREVER)

    async def main() -> None:
        for transport in (AsyncHttpTransport(), AsyncInProcessTransport(lambda request: Response(200, {}, b""))):
            await transport.close()
            with pytest.raises(ClientClosedError):
                await transport.send(get("http://127.0.0.1:9/v3"), FOREVER)

    asyncio.run(main())


def test_a_session_is_used_as_it_is_and_left_as_it_was() -> None:
    """Its own headers go along, ours win where they meet, and neither its headers nor its state is changed."""
    session = requests.Session()
    session.headers["X-Mine"] = "1"
    session.headers["Api-Key"] = "another"
    before = dict(session.headers)
    transport = SessionTransport(session)
    with serving(always(ok(b"x"))) as server:
        transport.send(get(server.base_url), within(5))
        transport.close()
        assert dict(session.headers) == before
        assert session.get(server.base_url).content == b"x"
    assert b"x-mine: 1" in server.requests[0].lower()
    assert KEY.encode() in server.requests[0]
    assert b"another" not in server.requests[0]


def test_a_session_ends_a_dripping_body_in_time() -> None:
    """Requests cannot bound dripping headers; the body is checked piece by piece."""
    transport = session_transport()
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 300
    with serving(dripping(data, after=46)) as server:
        started = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            transport.send(get(server.base_url), within(0.3))
        assert time.monotonic() - started < 3


def test_a_cancelled_task_is_cancelled_and_not_late() -> None:
    """The caller's own cancellation passes through untouched, and the transport goes on working."""

    async def main() -> None:
        transport = AsyncHttpTransport()
        with serving(dripping(ok(b"x" * 100), after=10)) as server:
            task = asyncio.create_task(transport.send(get(server.base_url), within(30)))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        with serving(always(ok(b"x"))) as server:
            assert (await transport.send(get(server.base_url), within(5))).body == b"x"
        await transport.close()

    asyncio.run(main())


def test_bytes_in_process_come_in_pieces() -> None:
    """An in-process answer can be read like one from the wire."""
    transport = Plain(InProcessTransport(lambda request: Response(200, {}, b"x" * 200_000)))
    assert transport.fetch(get("http://127.0.0.1/v3"), FOREVER) == b"x" * 200_000
