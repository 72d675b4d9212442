"""Serving the emulator over HTTP."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from didww._server.asgi_server import AppServer, served
from didww.emulator.emulator import Emulator
from didww.emulator.http.app import EmulatorApp

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

__all__ = ["Server", "running"]


class Server(AppServer):
    """An HTTP server for an emulator; listens as soon as it is created.

    Args:
        emulator: The emulator that handles requests.
        host: Address to listen on. Defaults to loopback.
        port: Port to listen on; 0 picks a free one.
        log: Called with method, path, status and seconds after each response.
        open_control: Whether other machines may use the control API.
        hosts: Allowed host names with a dot, besides `host`; `"*"` allows any.

    Raises:
        DidwwClientError: The address is not available, or uvicorn is not installed.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        log: Callable[[str, str, int, float], None] | None = None,
        open_control: bool = False,
        hosts: Iterable[str] = (),
    ) -> None:
        app = EmulatorApp(emulator, log, open_control=open_control, hosts=(host, *hosts))
        super().__init__(app, host=host, port=port)
        self._emulator = emulator
        self.base_url = f"{self.address}/v3"

    def run(self) -> None:
        """Serve until interrupted (Ctrl-C) or stopped."""
        self._emulator.serve_always()
        super().run()


@contextlib.contextmanager
def running(**options: Any) -> Generator[str]:
    """Serve an emulator on a free loopback port while the `with` block runs; yields its base URL.

    Args:
        options: Arguments of `Emulator`.

    Example:
        >>> from didww import DidwwClient
        >>> with running() as base_url, DidwwClient("any-key", base_url=base_url) as client:
        ...     print(client.balance().find().data.total_balance)
        10000.00
    """
    with Emulator(**options) as emulator:
        server = Server(emulator)
        with served(server):
            yield server.base_url


def write_ready_file(path: Path, base_url: str) -> None:
    """Write `base_url` to `path` atomically."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(f"{base_url}\n", encoding="utf-8")
    os.replace(part, path)  # noqa: PTH105 the same as Path.replace, which pathlib types as a method of its own
