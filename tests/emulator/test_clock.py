"""Test time in the emulator: durations, freezing and advancing the clock, due events, restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from didww import DidOrderItem, DidwwClient, Order
from didww.emulator import Clock, Emulator
from didww.emulator.controls.durations import parse_duration

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        (2.5, 2.5),
        (0, 0),
        (timedelta(hours=2), 7200),
        ("30 days", 30 * 86400),
        ("1 day", 86400),
        ("1 h 30 min", 5400),
        ("1 hour and 30 minutes", 5400),
        ("1 day, 12 hours", 129600),
        ("2w", 14 * 86400),
        ("500 ms", 0.5),
        ("1.5h", 5400),
        (" 90 ", 90),
        ("3 Days", 3 * 86400),
    ],
)
def test_durations_are_parsed(written: Any, seconds: float) -> None:
    """Seconds, a timedelta, or text."""
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "   ", "soon", "3 parsecs", "-1", -1, "days", "1 day ago", float("nan"), float("inf"), "1e9 days", 1e18],
)
def test_invalid_durations_are_rejected(written: Any) -> None:
    """The error has the value."""
    with pytest.raises(ValueError, match=r"not a duration") as refused:
        parse_duration(written)
    assert str(written)[:5] in str(refused.value) or not str(written).strip()


def test_clock_can_be_frozen_advanced_and_resumed() -> None:
    """A frozen clock moves by exactly what it is advanced, then continues from there."""
    clock = Clock()
    assert clock.freeze("2026-03-01T12:00:00Z") == START == clock.now()
    assert clock.advance("30 days") == START + timedelta(days=30) == clock.now()
    assert clock.freeze() == START + timedelta(days=30)
    clock.run()
    assert START + timedelta(days=30) <= clock.now() < START + timedelta(days=30, seconds=5)
    assert clock.freeze(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)  # no zone: UTC


@pytest.mark.parametrize("at", ["yesterday", "", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_freeze_rejects_invalid_times(at: str) -> None:
    """Invalid dates and dates outside the supported years raise an error."""
    clock = Clock(start=START, running=False)
    with pytest.raises(ValueError, match=r"must be"):
        clock.freeze(at)
    assert clock.now() == START


def test_clock_cannot_pass_the_last_supported_year() -> None:
    """Advancing beyond it raises an error."""
    clock = Clock(start=START, running=False)
    with pytest.raises(ValueError, match="year"):
        for _ in range(100):
            clock.advance("36500 days")
    clock.now().isoformat()


def order(client: DidwwClient, **fields: Any) -> Order:
    group = client.did_groups().list(filter={"is_available": True}, include="stock_keeping_units", page=(1, 1)).data[0]
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
    return client.orders().create(Order(items=[item], **fields)).data


def test_advancing_the_clock_runs_due_events() -> None:
    """No request is needed: the stored record has changed already."""
    with Emulator(clock=Clock(START, running=False)) as emulator:
        client = emulator.client()
        created = order(client)
        session = emulator.engine.session(emulator.key)
        assert (session.get("orders", created.id) or {})["status"] == "pending"
        emulator.clock.advance(1)
        assert (session.get("orders", created.id) or {})["status"] == "completed"


def test_clock_is_kept_in_the_state_file(tmp_path: Path) -> None:
    """A reopened emulator continues at its time, unless a clock is passed."""
    path = str(tmp_path / "state.db")
    with Emulator(path=path) as emulator:
        emulator.clock.freeze(START)
        created = order(emulator.client())
        emulator.clock.advance("40 days")
    with Emulator(path=path) as emulator:
        assert emulator.clock.now() == START + timedelta(days=40)
        assert emulator.client().orders().find(created.id).data.created_at == START
        emulator.clock.run()
    with Emulator(path=path) as emulator:
        assert START + timedelta(days=40) < emulator.clock.now() < START + timedelta(days=40, minutes=5)
    with Emulator(path=path, clock=Clock(START, running=False)) as emulator:
        assert emulator.clock.now() == START
