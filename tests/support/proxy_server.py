"""A loopback proxy that injects faults: one exchange per connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Proxy"]


class Proxy:
    """Forwards each request to `target` and its response back, unless `fate` returns something else.

    Args:
        target: The base URL behind it.
        early: Called for each connection; True resets it before anything is read.
        fate: Called with the first line of each request; one of pass, refuse (reset before the server gets it), boom (503), lose
            (reset after the server responded), cut (half of the response), drip (a byte every 0.4 s), html (502 with a
            page), busy (429), long (a Content-Length that is too large).
    """

    def __init__(self, target: str, fate: Callable[[str], str], early: Callable[[], bool] = lambda: False) -> None:
        split = urlsplit(target)
        assert split.hostname is not None
        self._behind = (split.hostname, split.port or 80)
        self._fate = fate
        self._early = early
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.base_url = f"http://127.0.0.1:{self._listener.getsockname()[1]}{split.path}"
        self.fates: list[str] = []

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # ends `accept`, which closing alone does not
        self._listener.close()
        self._thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self._early():
                _reset(client)
                return
            request = _message(client)
            if not request:
                return
            fate = self._fate(request.split(b"\r\n", 1)[0].decode())
            self.fates.append(fate)
            if fate == "refuse":
                _reset(client)
                return
            if fate == "html":
                page = b"<html><body>502 Bad Gateway</body></html>"
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
                return
            if fate == "boom":
                client.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if fate == "busy":
                client.sendall(
                    b"HTTP/1.1 429 Too Many\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
            with socket.create_connection(self._behind) as server:
                server.sendall(request.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
                response = b""
                while chunk := server.recv(1 << 16):
                    response += chunk
            _hand_back(client, response, fate)


def _hand_back(client: socket.socket, response: bytes, fate: str) -> None:
    if fate == "lose":
        _reset(client)
    elif fate == "cut":
        client.sendall(response[: len(response) - 20])
        _reset(client)
    elif fate == "drip":
        for byte in response:
            client.sendall(bytes([byte]))
            time.sleep(0.4)
    elif fate == "long":
        head, _, body = response.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        client.sendall(b"\r\n".join([*lines, b"Content-Length: %d" % (len(body) + 9)]) + b"\r\n\r\n" + body)
    else:
        client.sendall(response)


def _message(client: socket.socket) -> bytes:
    """Return one complete request."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(1 << 16)
        if not chunk:
            return b""
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length: Any = next((x.split(b":")[1] for x in head.split(b"\r\n") if x.lower().startswith(b"content-length:")), 0)
    while len(body) < int(length):
        chunk = client.recv(1 << 16)
        if not chunk:
            return b""
        body += chunk
    return head + b"\r\n\r\n" + body


def _reset(client: socket.socket) -> None:
    """Close with a reset instead of an orderly end."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
