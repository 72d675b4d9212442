"""Calls to baresip, a phone that registers at the emulator over UDP, TCP and TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.sip_line import Line, of_records, of_report
from support.sip_programs import Baresip, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.sip_programs import Transport

pytestmark = pytest.mark.slow
TRANSPORTS: tuple[Transport, ...] = ("udp", "tcp", "tls")


@pytest.fixture
def phone(line: Line, tmp_path: Path) -> Iterator[Callable[..., Baresip]]:
    """Return a function that starts a phone with the credentials of a trunk that the number is routed to."""
    running: list[Baresip] = []
    trunk = line.trunk("Desk phone", None)
    line.route(trunk)
    login = trunk.configuration

    def start(transport: Transport = "udp", **options: object) -> Baresip:
        listener = line.emulator.sip.listen(transport, port=0)
        folder = tmp_path / f"phone-{len(running)}"
        user, password = login.incoming_auth_username, login.incoming_auth_password
        running.append(Baresip(folder, user, password, listener.port, transport=transport, **options))  # type: ignore[arg-type]
        running[-1].event("REGISTER_OK")
        return running[-1]

    yield start
    for program in running:
        program.stop()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_registered_phone_answers(transport: Transport, line: Line, phone: Callable[..., Baresip]) -> None:
    """The call goes to the phone's contact, over the transport of its registration, until the caller hangs up."""
    desk = phone(transport)
    report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(200, "caller")], report.ladder()
    assert report.answered
    desk.event("CALL_ESTABLISHED")
    desk.event("CALL_CLOSED")
    assert report.attempts[0].user_agent.startswith("baresip")
    assert of_records(line.records()) == of_report(report)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_phone_hangs_up(transport: Transport, line: Line, phone: Callable[..., Baresip]) -> None:
    """The BYE of the phone ends the call."""
    desk = phone(transport)
    started = line.ring(duration=60, wait=False)
    desk.event("CALL_ESTABLISHED")
    desk.command("hangup")
    until(lambda: line.emulator.calls.report(started.id).ended, "the end of the call")
    report = line.emulator.calls.report(started.id)
    assert [(one.code, one.ended_by) for one in report.attempts] == [(200, "far end")], report.ladder()
    assert of_records(line.records()) == of_report(report)


def test_phone_rings_and_declines(line: Line, phone: Callable[..., Baresip]) -> None:
    """A phone without automatic answer rings; its user declines."""
    desk = phone(answers=False)
    started = line.ring(wait=False)
    desk.event("CALL_INCOMING")
    until(lambda: line.emulator.calls.report(started.id).attempts[0].ringing is not None, "ringing")
    desk.command("hangup")
    until(lambda: line.emulator.calls.report(started.id).ended, "the end of the call")
    report = line.emulator.calls.report(started.id)
    assert [(one.code, one.ended_by) for one in report.attempts] == [(486, "far end")], report.ladder()
    assert of_records(line.records()) == of_report(report)


def test_phone_that_nobody_answers(line: Line, phone: Callable[..., Baresip]) -> None:
    """The caller gives up, and the phone stops ringing."""
    desk = phone(answers=False)
    report = line.ring(give_up_after=1)
    assert [(one.code, one.ended_by) for one in report.attempts] == [(487, "caller")], report.ladder()
    desk.event("CALL_INCOMING")
    desk.event("CALL_CLOSED")
    assert of_records(line.records()) == of_report(report)


def test_two_phones_ring_and_one_takes_the_call(line: Line, phone: Callable[..., Baresip]) -> None:
    """All contacts of a trunk ring; the first answer wins, and the other phone stops ringing."""
    quiet, quick = phone(answers=False), phone()
    report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(200, "caller")], report.ladder()
    quick.event("CALL_ESTABLISHED")
    quiet.event("CALL_CLOSED")
    assert of_records(line.records()) == of_report(report)


def test_phone_that_has_gone(line: Line, phone: Callable[..., Baresip]) -> None:
    """A phone that ends gives up its registration: no contact is left to call."""
    desk = phone()
    desk.stop()
    until(lambda: not line.emulator.sip.registrations(), "the end of the registration")
    report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(480, "emulator")], report.ladder()
    assert of_records(line.records()) == of_report(report)
