"""Fixtures for calls to SIP programs that others wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.sip_line import Line
from support.sip_programs import Sipp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from didww import DidwwClient
    from didww.emulator import Emulator

pytest.importorskip("aiosipua", reason="needs the extra sip")


@pytest.fixture
def line(emulator: Emulator, client: DidwwClient, tmp_path: Path) -> Line:
    """Return a number of the emulator."""
    return Line(emulator, client, tmp_path)


@pytest.fixture
def sipp(tmp_path: Path) -> Iterator[Callable[..., Sipp]]:
    """Return a function that starts SIPp with a scenario; all end with the test."""
    running: list[Sipp] = []

    def start(scenario: str, **options: object) -> Sipp:
        running.append(Sipp(scenario, tmp_path, **options))  # type: ignore[arg-type]
        return running[-1]

    yield start
    for program in running:
        program.stop()
