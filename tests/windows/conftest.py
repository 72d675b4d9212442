"""The command of the tests in `tests/cli`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from didww._server.asgi_server import served
from didww.emulator import Emulator
from didww.emulator.http.app import EmulatorApp
from support.command import Command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def didww(tmp_path: Path) -> Iterator[Command]:
    """Return the command with the account of a new served emulator."""
    with Emulator() as emulator:
        emulator.serve_always()
        with served(EmulatorApp(emulator, None, hosts=("127.0.0.1",))) as address:
            yield Command(emulator, f"{address}/v3", tmp_path)
