"""Fixtures for the tests of the `didww` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from didww._server.asgi_server import served
from didww.emulator import Emulator
from didww.emulator.http.server import Server
from support.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def didww(tmp_path: Path) -> Iterator[Command]:
    """Return the command with the account of a new served emulator, which completes orders at once."""
    with Emulator() as emulator:
        emulator.transitions.set("orders", after=0)
        server = Server(emulator)
        with served(server):
            yield Command(emulator, server.base_url, tmp_path)
