"""The server behind `served`, `didww listen` and `didww sandbox`: its sockets and its connections."""

from __future__ import annotations

import socket
from typing import Any

import httpx2
import pytest

from didww import serving
from didww.exceptions import DidwwClientError
from didww.sandbox import Sandbox
from didww.sandbox.server import Server
from didww.serving import AppServer, served


async def hello(scope: Any, receive: Any, send: Any) -> None:
    """Answer every request."""
    assert scope["type"] == "http"
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("kind", ["application", "sandbox"])
def test_responses_are_sent_without_delay(kind: str) -> None:
    """TCP_NODELAY is set on each connection, so that a body does not wait 40 ms for the acknowledgment of its head."""
    with Sandbox() as sandbox:
        server = AppServer(hello) if kind == "application" else Server(sandbox)
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
def test_a_port_is_one_servers_on_windows_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second server says that the port is taken, although SO_REUSEADDR would let it in."""
    monkeypatch.setattr(socket, "socket", WindowsSocket)
    with serving._listening("127.0.0.1", 0) as first:  # without the option both listen: it is needed
        serving._listening("127.0.0.1", first.getsockname()[1]).close()
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", EXCLUSIVE, raising=False)
    with (
        serving._listening("127.0.0.1", 0) as first,
        pytest.raises(DidwwClientError, match=r"the port is taken. Choose another with --port"),
    ):
        serving._listening("127.0.0.1", first.getsockname()[1])
