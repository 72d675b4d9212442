"""Serving an ASGI application with uvicorn, in the foreground for a command or in a thread for tests and scripts."""

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


class AppServer:
    """A server for an ASGI application; listens from the moment it is made.

    Args:
        app: The application.
        host: Address to listen on. Defaults to loopback.
        port: Port to listen at; 0 picks a free one.
        limit: How many connections there may be. Defaults to half of the files the process may open, at most 1,000.
        head_timeout: Seconds that a client has for the head of a request.

    Attributes:
        address: Where it is reached, e.g. `http://127.0.0.1:8750`.

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
            from didww._util.connections import Connections, connection_limit
        except ModuleNotFoundError:
            raise DidwwClientError('Serving needs uvicorn: install this package with its extra "emulator".') from None
        self._socket = _listening(host, port)
        # Whoever listens at all addresses is reached at this one, too.
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.address = f"http://{shown}:{self._socket.getsockname()[1]}"
        self._connections = Connections(connection_limit() if limit is None else limit, head_timeout)
        self._server = self._connections.server(app)

    def run(self) -> None:
        """Serve until interrupted (Ctrl-C) or stopped."""
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._socket])
        self._socket.close()

    @contextlib.contextmanager
    def until_stopped(self) -> Generator[None]:
        """Around a command's `run`: Ctrl-C and SIGTERM are requests to stop at any moment, before it serves too."""
        signals = (signal.SIGINT, signal.SIGTERM)

        def stop(*_: object) -> None:
            self.stop()

        before = [signal.signal(one, stop) for one in signals]
        try:
            yield
        finally:
            for one, handler in zip(signals, before, strict=True):
                signal.signal(one, handler)

    def stop(self) -> None:
        """Ask `run` to return."""
        self._server.should_exit = True

    @property
    def started(self) -> bool:
        """Whether connections are being served."""
        return self._server.started


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets that name their protocol; without it, responses wait some 40 ms for the
    # delayed acknowledgment of their head.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows, SO_REUSEADDR lets a second server take a port in use, and SO_EXCLUSIVEADDRUSE keeps others off it.
        # Elsewhere, SO_REUSEADDR lets a server start while connections of the last one are still being closed.
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OverflowError:
        listener.close()
        raise DidwwClientError(f"Cannot listen at port {port}: ports go from 0 to 65535.") from None
    except (UnicodeError, TypeError):
        listener.close()
        raise DidwwClientError(f"Cannot listen at {host!r}: it is no name or address of a host.") from None
    except OSError as error:
        listener.close()
        why = f"{error.strerror or error}."
        if error.errno == errno.EADDRINUSE:
            why = "the port is taken. Choose another with --port, or 0 for a free one."
        raise DidwwClientError(f"Cannot listen at {host} port {port}: {why}") from None
    return listener


@contextlib.contextmanager
def served(app: Any) -> Generator[str]:
    """The address of an ASGI application that is served on a free loopback port while the `with` block lasts.

    Args:
        app: The application, e.g. `receiver.asgi()`; or an `AppServer` that was made for it.
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
    """Return when `server` serves.

    Raises:
        DidwwClientError: It does not within ten seconds, or its thread ended.
    """
    end = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > end or (thread is not None and not thread.is_alive()):
            raise DidwwClientError("The server did not start.")
        time.sleep(0.005)
