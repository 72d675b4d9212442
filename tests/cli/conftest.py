"""Fixtures for the tests of the `didww` command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from didww._server.asgi_server import served
from didww.emulator import Emulator
from didww.emulator.http.app import EmulatorApp
from support.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def commands_do_not_wait(no_rate_limit: None) -> None:
    """Commands of this process wait for no permit; the tests of the limiter are in tests/core."""


class Switch:
    """An ASGI application that passes requests to another one: one server for the emulators of all tests."""

    sends_date = True

    def __init__(self) -> None:
        self.app: Any = None
        self.address = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switch() -> Iterator[Switch]:
    """Return the application of a running server."""
    switch = Switch()
    with served(switch) as switch.address:
        yield switch


@pytest.fixture
def didww(switch: Switch, tmp_path: Path) -> Iterator[Command]:
    """Return the command with the account of a new served emulator, which completes orders at once."""
    with Emulator() as emulator:
        emulator.transitions.set("orders", after=0)
        emulator.serve_always()
        switch.app = EmulatorApp(emulator, None, hosts=("127.0.0.1",))
        yield Command(emulator, f"{switch.address}/v3", tmp_path)
