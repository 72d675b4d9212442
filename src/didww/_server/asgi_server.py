"""Serve an ASGI application with uvicorn: in the foreground for commands, in a thread for tests and scripts."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["LOOPBACK", "AppServer", "served", "wait_until_started"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_STOPS = ("SIGINT", "SIGTERM", "SIGBREAK")


class AppServer:
    """Server for an ASGI application. It starts listening when it is created.

    Args:
        app: The application.
        host: Address to listen on. Defaults to loopback.
        port: Port to listen on; 0 picks a free one.
        limit: Maximum number of connections. Defaults to half of the process's open file limit, at most 1,000.
        head_timeout: Seconds within which a client must send the head of a request.

    Attributes:
        address: Base URL, e.g. `http://127.0.0.1:8750`.

    Raises:
        DidwwClientError: The address cannot be used, or uvicorn is not installed.
    """

    def __init__(
        self,
        app: Any,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limit: int | None = None,
        head_timeout: float = 10.0,
    ) -> None:
        try:
            from didww._server.connections import Connections, connection_limit
        except ModuleNotFoundError:
            raise DidwwClientError(
                'The server needs uvicorn. Install it with: pip install "didww-sdk[emulator]"'
            ) from None
        self._socket = _listening(host, port)
        # A server that listens on all addresses can be reached on loopback.
        public_host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.address = f"http://{public_host}:{self._socket.getsockname()[1]}"
        self._connections = Connections(connection_limit() if limit is None else limit, head_timeout)
        self._server = self._connections.server(app)

    def run(self) -> None:
        """Serve until interrupted (Ctrl-C) or stopped."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._socket])
        self._socket.close()

    @contextlib.contextmanager
    def until_stopped(self) -> Generator[None]:
        """Stop the server on Ctrl-C and SIGTERM within the `with` block, even before `run` is called.

        On Windows, also on Ctrl-Break and when the console window is closed.
        """
        signals = [getattr(signal, name) for name in _STOPS if hasattr(signal, name)]

        def stop(*_: object) -> None:
            self.stop()

        previous = [signal.signal(number, stop) for number in signals]
        try:
            yield
        finally:
            for number, handler in zip(signals, previous, strict=True):
                signal.signal(number, handler)

    def stop(self) -> None:
        """Ask `run` to return."""
        self._server.should_exit = True

    @property
    def started(self) -> bool:
        """Whether connections are being served."""
        return self._server.started


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets created with an explicit protocol. Without it, responses wait about 40 ms
    # for the delayed ACK of their head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows, SO_REUSEADDR lets a second server take a port in use; SO_EXCLUSIVEADDRUSE prevents that.
        # Elsewhere, SO_REUSEADDR lets a server start while connections of the previous one are in TIME_WAIT.
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OverflowError:
        listener.close()
        raise DidwwClientError(f"port must be from 0 to 65535, got {port}.") from None
    except (UnicodeError, TypeError):
        listener.close()
        raise DidwwClientError(f"host must be a host name or IP address, got {host!r}.") from None
    except OSError as error:
        listener.close()
        reason = f"{error.strerror or error}."
        if error.errno == errno.EADDRINUSE:
            reason = "the port is already in use. Choose another with --port, or 0 for a free one."
        elif error.errno == errno.EACCES:  # on Windows also if it is in use, or reserved by the system
            reason = f"{reason} Choose another with --port, or 0 for a free one."
        raise DidwwClientError(f"Cannot listen on {host} port {port}: {reason}") from None
    return listener


@contextlib.contextmanager
def served(app: Any) -> Generator[str]:
    """Serve an ASGI application on a free loopback port during the `with` block, and return its base URL.

    Args:
        app: The application, e.g. `receiver.asgi()`, or an `AppServer` for it.
    """
    server = app if isinstance(app, AppServer) else AppServer(app)
    thread = threading.Thread(target=server.run, name="didww-server", daemon=True)
    thread.start()
    try:
        wait_until_started(server, thread)
        yield server.address
    finally:
        server.stop()
        thread.join(timeout=10)


def wait_until_started(server: AppServer, thread: threading.Thread | None = None) -> None:
    """Wait until `server` accepts connections.

    Raises:
        DidwwClientError: The server does not start within ten seconds, or its thread ended.
    """
    end = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > end or (thread is not None and not thread.is_alive()):
            raise DidwwClientError("The server did not start.")
        time.sleep(0.005)
