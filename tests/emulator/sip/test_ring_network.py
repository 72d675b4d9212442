"""`emulator.calls.ring` in real time, over a network in memory: in progress, hung up, interrupted, closed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from unittest import mock

import pytest

from didww.emulator import Emulator, FarEnd
from didww.emulator.controls import ring
from support.sip_account import buy_number, route_to_group
from support.sip_memory_network import MemoryNetwork
from support.sip_side import Side

pytest.importorskip("aiosipua")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def number(emulator: Emulator) -> str:
    """Return a number that is routed to one trunk."""
    client = emulator.client()
    number = buy_number(emulator, client)
    route_to_group(client, number, "Main")
    return number


def connect(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, far_end: FarEnd) -> MemoryNetwork:
    """Give the calls of an emulator a network with one far end."""
    network = MemoryNetwork({"127.0.0.1": far_end})
    monkeypatch.setattr(emulator.calls, "_sip", Side(network))
    return network


def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_call_is_awaited(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report is complete when `ring` returns."""
    network = connect(emulator, monkeypatch, FarEnd(ringing=0, talks=0))
    report = emulator.calls.ring(number)
    assert (report.ended, report.answered, report.code, report.instant) == (True, True, 200, False)
    assert report.attempts[0].ended_by == "far end"
    assert report == emulator.calls.reports()[0]
    network.close()


def test_call_in_progress_can_be_followed_and_hung_up(
    emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it rings, the report has the attempt without an end; the caller's hang-up ends it with 487."""
    network = connect(emulator, monkeypatch, FarEnd(only_rings=True))
    id = emulator.calls.ring(number, wait=False).id
    until(lambda: "ringing" in emulator.calls.report(id).result)
    report = emulator.calls.report(id)
    assert (report.state, report.answered, report.code) == ("in progress", False, 0)
    assert [(attempt.trunk, attempt.ended, attempt.code) for attempt in report.attempts] == [("Main", None, 0)]
    assert report.attempts[0].steps[0].message == "INVITE"
    emulator.calls.hang_up(id)
    until(lambda: emulator.calls.report(id).ended)
    report = emulator.calls.report(id)
    assert (report.answered, report.code, report.attempts[0].ended_by) == (False, 487, "caller")
    network.close()


def test_calls_at_once_are_bounded(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, with what to do; a call that ends makes room."""
    network = connect(emulator, monkeypatch, FarEnd(only_rings=True))
    for _ in range(2):
        emulator.calls.ring(number, wait=False)
    with pytest.raises(ValueError, match=r"There are 2 calls, the most at once\..*emulator\.sip\.limit"):
        emulator.calls.ring(number, wait=False)
    emulator.calls.hang_up("1")
    until(lambda: emulator.calls.report("1").ended)
    emulator.calls.hang_up(emulator.calls.ring(number, wait=False).id)
    network.close()


def test_reset_hangs_up(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of a state that is gone do not go on."""
    network = connect(emulator, monkeypatch, FarEnd(only_rings=True))
    emulator.calls.ring(number, wait=False)
    call = emulator.calls._placed.get("1")
    emulator.state.reset()
    assert call.ended.wait(60)
    assert emulator.calls.reports() == []
    network.close()


def test_interrupted_wait_hangs_up(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in a program that waits ends the call, too."""
    network = connect(emulator, monkeypatch, FarEnd(only_rings=True))
    interrupted = mock.Mock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr(ring.PlacedCall, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        emulator.calls.ring(number)
    assert emulator.calls._placed.get("1").ended.wait(60)
    assert emulator.calls.report("1").code == 487
    network.close()


def test_closed_network_ends_the_report(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits gets a report that says why."""
    network = connect(emulator, monkeypatch, FarEnd(only_rings=True))
    id = emulator.calls.ring(number, wait=False).id
    until(lambda: "ringing" in emulator.calls.report(id).result)
    waiting = threading.Thread(target=network.close)
    waiting.start()
    until(lambda: emulator.calls.report(id).ended)
    waiting.join()
    assert emulator.calls.report(id).why == "The emulator was closed during the call."


def test_closing_the_emulator_hangs_up_its_calls(
    emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far ends get a BYE, so that no PBX keeps a call that nobody has."""
    network = connect(emulator, monkeypatch, FarEnd(ringing=0))
    id = emulator.calls.ring(number, wait=False, duration="1 h").id
    until(lambda: emulator.calls.report(id).answered)
    emulator.close()
    report = emulator.calls.report(id)
    assert (report.ended, report.attempts[0].ended_by) == (True, "caller")
    assert "BYE" in [step.message for step in report.attempts[0].steps]
    network.close()


def test_errors_of_the_emulator_end_the_report(
    emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing waits for ever; the log has the traceback."""
    network = connect(emulator, monkeypatch, FarEnd())
    monkeypatch.setattr(MemoryNetwork, "open", mock.Mock(side_effect=ZeroDivisionError))
    with caplog.at_level(logging.ERROR, "didww.emulator"):
        report = emulator.calls.ring(number)
    assert (report.ended, report.answered) == (True, False)
    assert report.why == "The emulator failed: ZeroDivisionError. Its log has the reason."
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.setattr(Side, "_ready", mock.Mock(side_effect=ValueError("too many calls")))
    with pytest.raises(ValueError, match="too many calls"):
        emulator.calls.ring(number)
    assert emulator.calls.reports()[0].why == "The call could not be placed: too many calls"
    network.close()
