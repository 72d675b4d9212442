"""Fixtures for the tests of the emulator: an emulator, a client, and calls without a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from didww.emulator import Emulator
from support.api_caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww import DidwwClient


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return a new emulator."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def client(emulator: Emulator) -> DidwwClient:
    """Return a client of the emulator."""
    return emulator.client()


@pytest.fixture
def caller(emulator: Emulator) -> Caller:
    """Return a caller of the emulator's engine, with its key and without a client."""
    return Caller(emulator.engine, emulator.key)
