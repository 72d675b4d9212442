"""The private names of httpx2 and httpcore2 that the transport uses: each is there, in the versions that are allowed.

A new minor version of httpx2 is let in (pyproject.toml) once these tests pass with it.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING, Any

import h11
import httpx2
import pytest

from didww.transport import httpx_deadlines

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def address() -> Iterator[str]:
    """A server that answers one request and keeps the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while b"\r\n\r\n" not in connection.recv(4096):
                pass
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            connection.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    thread.join()
    listener.close()


def check(client: Any, stream: object) -> None:
    """Check the names behind a connection that was just used: the way of `httpx_deadlines.check_surplus`."""
    pools = list(httpx_deadlines._pools(client))
    assert pools, "a client of httpx2 keeps its pools elsewhere than in _transport._pool and _mounts"
    for pool in pools:
        assert hasattr(pool, "_network_backend"), "a connection pool of httpcore2 has no _network_backend any more"
        assert hasattr(pool, "connections"), "a connection pool of httpcore2 has no connections any more"
    (connection,) = httpx_deadlines._connections(client)
    http = connection
    while not hasattr(http, "_h11_state"):
        assert hasattr(http, "_connection"), f"{type(http).__name__} of httpcore2 has no _connection any more"
        http = http._connection
    assert http._network_stream is stream, "the HTTP/1.1 connection of httpcore2 keeps its stream elsewhere"
    assert http._h11_state.trailing_data == (b"", False), "h11 tells bytes behind a response elsewhere"
    assert not connection.is_closed()


def test_synchronous_pool_has_the_attributes_in_use(address: str) -> None:
    """They are the backend, connections, their HTTP/1.1 state and stream."""
    with httpx2.Client(trust_env=False) as client:
        response = client.get(address)
        check(client, response.extensions["network_stream"])


def test_asynchronous_pool_has_the_attributes_in_use(address: str) -> None:
    """They are the same as for the synchronous pool."""

    async def main() -> None:
        async with httpx2.AsyncClient(trust_env=False) as client:
            response = await client.get(address)
            check(client, response.extensions["network_stream"])

    asyncio.run(main())


def test_h11_errors_are_recognized_by_module() -> None:
    """httpx2 passes on h11's error for a body of unexpected length; the transport identifies it by module."""
    assert h11.LocalProtocolError.__module__ == "h11._util"
