"""Serving the sandbox over HTTP with uvicorn: in the foreground for the command, in a thread for tests and scripts."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from didww.exceptions import DidwwClientError
from didww.sandbox.app import SandboxApp
from didww.sandbox.local import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

__all__ = ["Server", "running"]


class Server:
    """A server for a sandbox; listens from the moment it is made.

    Args:
        sandbox: The sandbox that answers.
        host: Address to listen at; loopback unless told.
        port: Port to listen at; 0 picks a free one.
        log: Called with method, path, status and seconds after each answer.
        open_control: Whether others than this machine may use the controls.

    Raises:
        DidwwClientError: The address cannot be used, or uvicorn is not installed.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Callable[[str, str, int, float], None] | None = None,
        open_control: bool = False,
    ) -> None:
        try:
            import uvicorn
        except ModuleNotFoundError:
            raise DidwwClientError(
                'Serving the sandbox needs uvicorn: install this package with its extra "sandbox".'
            ) from None
        self._sandbox = sandbox
        self._socket = _listening(host, port)
        # Whoever listens at all addresses is reached at this one, too.
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
        self.base_url = f"http://{shown}:{self._socket.getsockname()[1]}/v3"
        config = uvicorn.Config(
            SandboxApp(sandbox, log, open_control=open_control),
            log_config=None,
            log_level="error",
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Serve until interrupted (Ctrl-C) or stopped."""
        self._sandbox.serve_always()
        with contextlib.suppress(KeyboardInterrupt):
            self._server.run(sockets=[self._socket])
        self._socket.close()

    def stop(self) -> None:
        """Ask `run` to return."""
        self._server.should_exit = True

    @property
    def started(self) -> bool:
        """Whether connections are being served."""
        return self._server.started


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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
        hint = " Choose another with --port, or 0 for a free one." if error.errno == errno.EADDRINUSE else ""
        raise DidwwClientError(f"Cannot listen at {host} port {port}: {error.strerror or error}.{hint}") from None
    return listener


@contextlib.contextmanager
def running(**options: Any) -> Generator[str]:
    """The base URL of a sandbox that serves on a free loopback port while the `with` block lasts.

    Args:
        options: Arguments of `Sandbox`.

    Example:
        >>> from didww import DidwwClient
        >>> with running() as base_url, DidwwClient("any-key", base_url=base_url) as client:
        ...     print(client.balance().find().data.total_balance)
        10000.00
    """
    sandbox = Sandbox(**options)
    server = Server(sandbox)
    thread = threading.Thread(target=server.run, name="didww-sandbox", daemon=True)
    thread.start()
    try:
        wait_until_started(server, thread)
        yield server.base_url
    finally:
        server.stop()
        thread.join(timeout=10)
        sandbox.close()


def wait_until_started(server: Server, thread: threading.Thread | None = None) -> None:
    """Return when `server` serves.

    Raises:
        DidwwClientError: It does not within ten seconds, or its thread ended.
    """
    end = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > end or (thread is not None and not thread.is_alive()):
            raise DidwwClientError("The sandbox did not start.")
        time.sleep(0.005)


def write_ready_file(path: Path, base_url: str) -> None:
    """Write `base_url` to `path`, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(f"{base_url}\n", encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105 the same as Path.replace, which pathlib types as a method of its own
