"""`emulator.calls.ring` in real time, over a network in memory: in progress, hung up, interrupted, closed."""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from unittest import mock

import pytest

from didww import TransportProtocol
from didww.emulator import Emulator, FarEnd
from didww.emulator.controls import ring
from didww.emulator.controls.ring_reports import PlacedCall
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


def test_calls_of_a_state_that_is_gone_leave_no_records(
    emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their end comes after the reset."""
    network = connect(emulator, monkeypatch, FarEnd(only_rings=True))
    emulator.calls.ring(number, wait=False)
    call = emulator.calls._placed.get("1")
    until(lambda: "ringing" in call.report().result)
    emulator.state.reset()
    assert call.ended.wait(60)
    with emulator.engine.locked() as runtime:
        assert runtime.store.connection.execute("SELECT count(*) FROM calls").fetchone()[0] == 0
    network.close()


def test_hang_up_before_the_call_has_started_is_not_lost(emulator: Emulator, number: str) -> None:
    """It is passed on once there is something to hang up."""
    emulator.calls.ring(number, instant=True)
    call = PlacedCall("2", "2", emulator.calls._placed.get("1").route, emulator.clock.now(), instant=False)
    hung_up: list[bool] = []
    call.hang_up()
    call.started(lambda: hung_up.append(True))
    assert hung_up == [True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_process_can_place_calls(emulator: Emulator, number: str) -> None:
    """The threads of the parent are not in it."""

    def code() -> bytes:
        return str(emulator.calls.ring(number).code).encode()

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    client = emulator.client()
    for trunk in client.voice_in_trunks().list().data:  # nothing listens there: refused at once
        trunk.configuration.port = port
        trunk.configuration.transport_protocol_id = TransportProtocol.TCP
        client.voice_in_trunks().update(trunk)
    assert code() == b"503"
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            os.write(writer, code())
        finally:
            os._exit(0)
    os.close(writer)
    ready, _, _ = select.select([reader], [], [], 60)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as pipe:
        assert pipe.read() == b"503"


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
