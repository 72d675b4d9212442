"""The server behind `served`, `didww listen` and `didww emulator`: sockets and connections."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from types import SimpleNamespace
from typing import Any, cast

import httpx2
import pytest
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.server import ServerState

from didww._server import asgi_server
from didww._server.asgi_server import AppServer, served
from didww._server.connections import Connections
from didww.emulator import Emulator
from didww.emulator.http import app
from didww.emulator.http.server import Server
from didww.exceptions import DidwwClientError

pytestmark = pytest.mark.slow


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("kind", ["application", "emulator"])
def test_responses_are_sent_without_delay(kind: str) -> None:
    """TCP_NODELAY is set on each connection, so that a body does not wait 40 ms for the acknowledgment of its head."""
    with Emulator() as emulator:
        server = AppServer(hello) if kind == "application" else Server(emulator)
        with served(server) as address, httpx2.Client() as client:
            client.get(address)
            (connection,) = server._server.server_state.connections
            accepted = connection.transport.get_extra_info("socket")
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


class WindowsSocket(socket.socket):
    """A socket whose SO_REUSEADDR behaves as on Windows: others may take the port while it is in use."""

    def setsockopt(self, *arguments: Any) -> None:
        _, option, value = arguments
        if option == socket.SO_REUSEADDR:
            super().setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, value)
        elif option != EXCLUSIVE:
            super().setsockopt(*arguments)


EXCLUSIVE = -5  # SO_EXCLUSIVEADDRUSE of Windows


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="needs SO_REUSEPORT to stand in for Windows")
def test_port_cannot_be_shared_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second server says that the port is already in use, although SO_REUSEADDR would allow it."""
    monkeypatch.setattr(socket, "socket", WindowsSocket)
    with asgi_server._listening("127.0.0.1", 0) as first:  # without the option both listen: it is needed
        asgi_server._listening("127.0.0.1", first.getsockname()[1]).close()
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", EXCLUSIVE, raising=False)
    with (
        asgi_server._listening("127.0.0.1", 0) as first,
        pytest.raises(DidwwClientError, match=r"the port is already in use. Choose another with --port"),
    ):
        asgi_server._listening("127.0.0.1", first.getsockname()[1])


def slow(inside: threading.Event, release: threading.Event) -> Any:
    """An application that says when it is asked, and answers when it is told to."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await asyncio.to_thread(release.wait, 60)
        await hello(scope, receive, send)

    return app


HEAD = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
HALF_BODY = HEAD.replace(b"GET", b"POST") + b"Content-Length: 9\r\n\r\nhalf"


@contextmanager
def connected(address: str, sent: bytes = b"") -> Generator[socket.socket]:
    """A connection to a server, over which this was sent."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as made:
        made.sendall(sent)
        yield made


def received(connection: socket.socket) -> bytes:
    """Whatever the server sends until it closes the connection."""
    parts: list[bytes] = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("sent", [b"", HEAD])
def test_missing_request_head_closes_the_connection(sent: bytes) -> None:
    """The client sends nothing, or half a head."""
    with served(AppServer(hello, head_timeout=0.05)) as address, connected(address, sent) as connection:
        assert received(connection) == b""


def test_incomplete_second_request_head_closes_the_connection() -> None:
    """On a persistent connection, the timeout starts with its first byte."""
    server = AppServer(hello, head_timeout=60)
    with served(server) as address, connected(address, HEAD + b"\r\n") as connection:
        while not (response := connection.recv(65536)).endswith(b"hello"):
            assert response
        server._connections.head_timeout = 0.05
        connection.sendall(HEAD)
        assert received(connection) == b""


def test_handling_may_take_longer_than_the_head_timeout() -> None:
    """A request being handled continues while a later one is cut off."""
    response, inside = threading.Event(), threading.Event()
    server = AppServer(slow(inside, response), head_timeout=1.0)
    with served(server) as address, connected(address, HEAD + b"Connection: close\r\n\r\n") as first:
        assert inside.wait(30)
        with connected(address, HEAD) as second:
            assert received(second) == b""
        response.set()
        assert received(first).endswith(b"hello")


def test_missing_request_body_closes_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """This is the emulator's limit; a receiver has its own, `read_timeout`."""
    monkeypatch.setattr(app, "SECONDS_FOR_BODY", 0.2)
    with Emulator() as emulator, served(Server(emulator)) as address, connected(address, HALF_BODY) as connection:
        assert received(connection).startswith(b"HTTP/1.1 408 ")


def test_idle_connections_are_closed_for_new_ones(caplog: pytest.LogCaptureFixture) -> None:
    """The longest idle one is closed; one log line says so, however many follow."""
    with ExitStack() as stack, caplog.at_level(logging.WARNING, "didww._server.asgi_server"):
        address = stack.enter_context(served(AppServer(hello, limit=3, head_timeout=60)))
        with httpx2.Client(headers={"Connection": "close"}) as client:
            idle = []
            for sent in (HEAD, b"", HALF_BODY):
                idle.append(stack.enter_context(connected(address, sent)))
                # A connection served after it came after it.
                assert client.get(address).status_code == 200
            assert received(idle[0]) == b""
            assert client.get(address).status_code == 200
            idle[2].sendall(b" done")
            assert idle[2].recv(65536).startswith(b"HTTP/1.1 200")
    (line,) = caplog.messages
    assert line == "The limit of 3 connections is reached. Idle connections are closed."


def test_new_connection_gets_503_when_all_are_busy() -> None:
    """No other connection is closed."""
    response, inside = threading.Event(), threading.Event()
    server = AppServer(slow(inside, response), limit=1, head_timeout=60)
    with served(server) as address, connected(address, HEAD + b"Connection: close\r\n\r\n") as first:
        assert inside.wait(30)
        with connected(address) as second:
            assert received(second).startswith(b"HTTP/1.1 503 ")
        response.set()
        assert received(first).endswith(b"hello")


LARGE = 32 << 20  # more than the kernel keeps for a client that does not read


async def large(scope: Any, receive: Any, send: Any) -> None:
    """Answer `/large` with more than a client takes without reading, and everything else shortly."""
    if scope["path"] != "/large":
        await hello(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(LARGE).encode())]})
    for left in reversed(range(8)):
        await send({"type": "http.response.body", "body": bytes(LARGE // 8), "more_body": left > 0})


ASKING = b"GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\n"
UNREAD = {
    "large": ASKING + b"\r\n",
    "closing": ASKING + b"Connection: close\r\n\r\n",
    "pipelined": (HEAD + b"\r\n") * 3000,
}


@pytest.mark.parametrize("sent", UNREAD.values(), ids=UNREAD)
def test_clients_that_do_not_read_are_closed_for_new_ones(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """An unread response blocks nobody else; one log line says so."""
    with ExitStack() as stack, caplog.at_level(logging.WARNING, "didww._server.asgi_server"):
        server = AppServer(large, limit=3, head_timeout=60)
        address = stack.enter_context(served(server))
        for _ in range(6):
            silent = stack.enter_context(connected(address))
            silent.setblocking(False)
            with suppress(BlockingIOError):
                for _ in range(1 if b"close" in sent else 50):  # what comes after the last request ends it
                    silent.send(sent)
        while len(server._server.server_state.connections) < 3:  # the system may not have let them in yet
            threading.Event().wait(0.01)
        with httpx2.Client(headers={"Connection": "close"}, timeout=30) as client:
            assert [client.get(address).status_code for _ in range(5)] == [200] * 5
    assert [line for line in caplog.messages if "3 connections" in line] == caplog.messages
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("kind", ["large", "closing"])
def test_unread_response_closes_the_connection(kind: str) -> None:
    """This applies with and without keep-alive."""
    server = AppServer(large, head_timeout=0.2)
    with served(server) as address, connected(address, UNREAD[kind]) as connection:
        assert connection.recv(1)
        while server._server.server_state.connections:
            threading.Event().wait(0.01)
        assert len(received(connection)) < LARGE


def test_slowly_read_response_is_completed() -> None:
    """The timeout restarts with each part that the client reads."""

    class Loop:
        """Keeps the time of the test."""

        now = 0.0
        due: tuple[float, Any] = (0.0, None)

        def time(self) -> float:
            return self.now

        def call_at(self, when: float, call: Any) -> Any:
            self.due = (when, call)
            return SimpleNamespace(cancel=lambda: None)

    class Transport:
        """Has as much left to send as the test says."""

        left = 0
        aborted = False

        def get_write_buffer_size(self) -> int:
            return self.left

        def abort(self) -> None:
            self.aborted = True

    loop, transport = Loop(), Transport()
    config = Connections(1, 10).server(large).config
    config.load()
    protocol: Any = config.http_protocol_class(config, ServerState(), {}, _loop=loop)
    protocol.transport, protocol.flow = transport, FlowControl(cast("Any", transport))
    transport.left = 100
    protocol.pause_writing()
    for left in (90, 80, 10):
        transport.left = left
        loop.now, look = loop.due
        look()
        assert not transport.aborted
        assert protocol.waits_since() == loop.now
    taken_last = loop.now
    loop.now += 10
    assert protocol.waits_since() == taken_last
    loop.due[1]()
    assert transport.aborted


@pytest.mark.parametrize("sent", [UNREAD["large"], HALF_BODY], ids=["unread", "half a body"])
def test_stopping_does_not_wait_for_idle_clients(sent: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """The log has no error about it."""
    inside = threading.Event()

    async def told(scope: Any, receive: Any, send: Any) -> None:
        inside.set()
        await large(scope, receive, send)

    server = AppServer(told, head_timeout=60)
    with connected(server.address, sent), served(server):  # it is stopped while the client stays
        assert inside.wait(30)
    assert caplog.messages == []


def test_bytes_after_the_last_request_log_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """There is no second response either."""
    with served(AppServer(large, head_timeout=60)) as address:
        with connected(address, UNREAD["closing"]) as connection:
            assert connection.recv(1)
            connection.sendall(b"more")
            assert b"400 Bad Request" not in received(connection)
        assert httpx2.get(address).status_code == 200
    assert caplog.messages == []


def test_too_many_open_files_logs_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """It replaces a traceback per connection; other errors are logged as usual."""
    connections = Connections(1, 10)
    loop = asyncio.new_event_loop()
    try:
        for _ in range(100):
            error = OSError(errno.EMFILE, "Too many open files")
            connections.on_error(loop, {"message": "out of system resource", "exception": error, "socket": None})
        connections.on_error(loop, {"message": "a callback failed", "exception": ValueError("x")})
    finally:
        loop.close()
    assert caplog.messages == ["Cannot accept connections: Too many open files.", "a callback failed"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of files")
@pytest.mark.parametrize("command", ["listen", "emulator"])
def test_half_sent_heads_do_not_block_others(command: str) -> None:
    """With 300 of them and a limit of 256 open files, other clients are served, and a log line says why."""
    import resource

    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < 512:
        pytest.skip("this process may open too few files itself")
    process = subprocess.Popen(
        ["sh", "-c", 'ulimit -n 256; exec "$@"', "", sys.executable, "-u", "-m", "didww", command, "--port", "0"],
        env={**os.environ, "DIDWW_CALLBACK_SECRET": "a-callback-secret-for-tests", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        port = int(re.findall(r"on http://127\.0\.0\.1:(\d+)/", process.stdout.readline())[0])
        address = f"http://127.0.0.1:{port}"
        with ExitStack() as stack:
            for _ in range(300):
                stack.enter_context(connected(address, HEAD))
            assert httpx2.get(f"{address}/v3/balance", timeout=30).status_code == 401
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert told.splitlines() == ["The limit of 128 connections is reached. Idle connections are closed."]
