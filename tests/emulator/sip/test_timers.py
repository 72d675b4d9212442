"""Test the timers of transactions against RFC 3261, table 4."""

from __future__ import annotations

import pytest

from didww.emulator.sip.timers import TIMERS, seconds


@pytest.mark.parametrize(
    ("name", "unreliable", "reliable"),
    [
        ("A", 0.5, None),
        ("B", 32, 32),
        ("D", 32, 0),
        ("E", 0.5, None),
        ("F", 32, 32),
        ("G", 0.5, None),
        ("H", 32, 32),
        ("I", 5, 0),
        ("J", 32, 0),
        ("K", 5, 0),
        ("M", 32, 32),
        ("2", 0.5, 0.5),
    ],
)
def test_values(name: str, unreliable: float, reliable: float | None):
    assert seconds(name, reliable=False) == unreliable
    assert seconds(name, reliable=True) == reliable


def test_only_repetitions_double():
    assert {name for name, timer in TIMERS.items() if timer.most} == {"A", "E", "G", "2"}
