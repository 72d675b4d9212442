"""Loopback servers that answer with exactly the bytes of a script, well-behaved or not."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def ok(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    """A whole 200 answer."""
    size = len(body) if length is None else length
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % size, *headers, b"", body])


def read_request(connection: socket.socket) -> bytes:
    """One request's bytes, empty when the other side has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = connection.recv(65536)
        except OSError:
            return b""
        if not more:
            return b""
        data += more
    return data


class Server:
    """What `serving` gives: its base URL, the requests it saw, and how many connections it accepted."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self.base_url = ""
        self.stopped = False


@contextmanager
def serving(answer: Callable[[socket.socket, Server], bool]) -> Iterator[Server]:
    """A server that calls `answer` for each request; it keeps the connection while `answer` says True."""
    server = Server()
    listener = socket.create_server(("127.0.0.1", 0))
    server.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v3"

    def talk(connection: socket.socket) -> None:
        with connection:
            while not server.stopped:
                request = read_request(connection)
                if not request:
                    return
                server.requests.append(request)
                try:
                    if not answer(connection, server):
                        return
                except OSError:
                    return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.connections += 1
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.stopped = True
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def always(data: bytes) -> Callable[[socket.socket, Server], bool]:
    """Answers each request with `data`."""

    def answer(connection: socket.socket, _: Server) -> bool:
        connection.sendall(data)
        return True

    return answer


def dripping(data: bytes, *, after: int = 0, pause: float = 0.02) -> Callable[[socket.socket, Server], bool]:
    """Sends the first `after` bytes at once, then one byte after the other."""

    def answer(connection: socket.socket, server: Server) -> bool:
        connection.sendall(data[:after])
        for byte in data[after:]:
            if server.stopped:
                return False
            connection.sendall(bytes([byte]))
            time.sleep(pause)
        return True

    return answer
