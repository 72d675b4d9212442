"""Loopback servers that do exactly what a test specifies, well-behaved or not."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Server:
    """Run `serve(server, connection)` in a thread for each connection, and record the requests."""

    def __init__(self, serve: Callable[[Server, socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.connections = 0
        self.requests: list[bytes] = []
        self.stopped = threading.Event()

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stopped.set()
        # Closing alone does not wake the thread that is in accept().
        for held in (self._listener, *self._open):
            hang_up(held)
        self._listener.close()
        for thread in self._threads:
            thread.join(60)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._start(self._handle, connection)

    def _handle(self, connection: socket.socket) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                plain, connection = connection, self._tls.wrap_socket(connection, server_side=True)
                self._open.discard(plain)
                self._open.add(connection)
            self._serve(self, connection)
        except OSError:
            pass
        finally:
            self._open.discard(connection)
            hang_up(connection)
            connection.close()

    def receive(self, connection: socket.socket) -> bytes:
        """Return the next request with its body; raise OSError when the client is gone."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more(connection)
        head, _, body = received.partition(b"\r\n\r\n")
        length = header(head, "content-length")
        while len(body) < int(length or 0):
            body += self._more(connection)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    @staticmethod
    def _more(connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        if not data:
            raise ConnectionResetError
        return data

    def drip(self, connection: socket.socket, data: bytes) -> None:
        """Send one byte every 20 milliseconds."""
        for index in range(len(data)):
            if self.stopped.wait(0.02):
                return
            connection.sendall(data[index : index + 1])


def hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def header(request: bytes, name: str) -> str | None:
    """Return the value of a header in the raw request, or None."""
    for line in request.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return None


def http(body: bytes = b"{}", *lines: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return a raw response; `length` replaces the true Content-Length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def responding(*responses: bytes) -> Callable[[Server, socket.socket], None]:
    """Keep connections open and send the responses in order; the last one repeats."""
    remaining = list(responses)

    def serve(server: Server, connection: socket.socket) -> None:
        while True:
            server.receive(connection)
            connection.sendall(remaining.pop(0) if len(remaining) > 1 else remaining[0])

    return serve


def once(*pieces: bytes, drip: bytes = b"", stall: bool = False) -> Callable[[Server, socket.socket], None]:
    """Send `pieces` for one request, then drip, stall or close."""

    def serve(server: Server, connection: socket.socket) -> None:
        server.receive(connection)
        for piece in pieces:
            connection.sendall(piece)
        server.drip(connection, drip)
        if stall:
            server.stopped.wait(60)

    return serve


def silent(server: Server, connection: socket.socket) -> None:
    """Accept, and neither read nor write."""
    server.stopped.wait(60)


def rude(server: Server, connection: socket.socket) -> None:
    """Accept, and close the connection."""


def dead_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class FullPort:
    """A port with a full backlog: connecting to it never finishes."""

    def __enter__(self) -> int:
        self._held = [socket.create_server(("127.0.0.1", 0), backlog=0)]
        address = self._held[0].getsockname()
        for _ in range(4):
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(address)
            self._held.append(client)
        return int(address[1])

    def __exit__(self, *exc_info: object) -> None:
        for held in self._held:
            held.close()


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return TLS contexts for a server at 127.0.0.1 and for a client that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(public, private)
    return server, ssl.create_default_context(cafile=str(public))
