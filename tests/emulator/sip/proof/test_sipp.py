"""Calls to SIPp, one scenario for each behavior: the report, the call records and SIPp agree on what happened."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.servers import dead_port
from support.sip_line import Line, of_records, of_report
from support.sip_programs import until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.emulator import RingReport
    from support.sip_programs import Sipp, Transport

pytestmark = pytest.mark.slow


class Case(NamedTuple):
    """A behavior of a far end, and what a call to it comes to."""

    scenario: str
    code: int
    reason: str
    ended_by: str
    answered: bool = False
    options: Mapping[str, Any] = MappingProxyType({})
    trunk: Mapping[str, Any] = MappingProxyType({})
    transports: tuple[Transport, ...] = ("udp", "tcp")


AUTH = {"auth_enabled": True, "auth_user": "trunk-user", "auth_password": "trunk-password"}
CASES = [
    Case("answers", 200, "Bye", "caller", answered=True),
    Case("hangs_up", 200, "Bye", "far end", answered=True, options={"duration": 20}),
    Case("busy", 486, "Busy Here", "far end"),
    Case("unavailable", 503, "Service Unavailable", "far end"),
    Case("silent", 408, "Request Timeout", "emulator"),
    Case("rings_only", 480, "Ringing timeout", "emulator", trunk={"ringing_timeout": 1}),
    Case("rings_only", 487, "Request Terminated", "caller", options={"give_up_after": 0.7}),
    Case("endless_ringing", 480, "Ringing timeout", "emulator", trunk={"ringing_timeout": 2}),
    Case("late_answer", 480, "Ringing timeout", "emulator", trunk={"ringing_timeout": 1}),
    Case("challenge_401", 200, "Bye", "caller", answered=True, trunk=AUTH),
    Case("challenge_407", 200, "Bye", "caller", answered=True, trunk=AUTH),
    Case("slow", 200, "Bye", "caller", answered=True),
    Case("reinvites", 200, "Bye", "caller", answered=True),
    Case("forks", 200, "Bye", "caller", answered=True),
    Case("garbage", 486, "Busy Here", "far end", transports=("udp",)),  # over TCP, it breaks the stream
]
EACH = [
    pytest.param(case, transport, id=f"{case.scenario}-{case.code}-{transport}")
    for case in CASES
    for transport in case.transports
]


def check(line: Line, report: RingReport) -> None:
    """The records are those of the report."""
    assert of_records(line.records()) == of_report(report)


@pytest.mark.parametrize(("case", "transport"), EACH)
def test_far_ends_behave(case: Case, transport: Transport, line: Line, sipp: Callable[..., Sipp]) -> None:
    """Each behavior ends in an attempt with code, reason and initiator, and SIPp saw what it expects of a caller."""
    far_end = sipp(case.scenario, transport=transport)
    line.route(line.trunk("Main", far_end.port, transport=transport, **case.trunk))
    report = line.ring(**case.options)
    (attempt,) = report.attempts
    assert (attempt.code, attempt.reason, attempt.ended_by) == (case.code, case.reason, case.ended_by), report.ladder()
    assert report.answered is case.answered
    far_end.check()
    check(line, report)


def test_wrong_password_is_refused(line: Line, sipp: Callable[..., Sipp]) -> None:
    """SIPp checks the digest, and refuses a wrong one; the password is nowhere in the report."""
    far_end = sipp("challenge_401")
    line.route(line.trunk("Main", far_end.port, **{**AUTH, "auth_password": "another-password"}))
    report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(403, "far end")]
    far_end.check()
    assert "another-password" not in repr(report) + str(report) + report.ladder()
    check(line, report)


def test_challenge_without_credentials_ends_the_attempt(line: Line, sipp: Callable[..., Sipp]) -> None:
    """A trunk without authentication cannot answer a challenge: its code is the result."""
    far_end = sipp("challenge_401")
    line.route(line.trunk("Main", far_end.port))
    report = line.ring()
    assert [(one.code, one.ended_by) for one in report.attempts] == [(401, "far end")]
    check(line, report)


def test_redirect_is_followed(line: Line, sipp: Callable[..., Sipp]) -> None:
    """A trunk with `max_30x_redirects` sends the call where the 302 says, within the same attempt."""
    phone = sipp("answers")
    switch = sipp("redirects", keys={"elsewhere": f"127.0.0.1:{phone.port}"})
    line.route(line.trunk("Main", switch.port, max_30x_redirects=1))
    report = line.ring()
    (attempt,) = report.attempts
    assert (attempt.code, attempt.redirected, report.answered) == (200, True, True), report.ladder()
    switch.check()
    phone.check()
    check(line, report)


def test_redirect_beyond_the_limit_ends_the_attempt(line: Line, sipp: Callable[..., Sipp]) -> None:
    """By default, no redirect is followed."""
    switch = sipp("redirects", keys={"elsewhere": "127.0.0.1:9"})
    line.route(line.trunk("Main", switch.port))
    report = line.ring()
    assert [(one.code, one.redirected) for one in report.attempts] == [(302, False)]
    switch.check()
    check(line, report)


def test_what_an_invite_says(line: Line, sipp: Callable[..., Sipp]) -> None:
    """The far end gets the called number, the caller's number in the trunk's format, codecs, and diversion."""
    far_end = sipp("answers")
    line.route(line.trunk("Main", far_end.port, username="+{DID}"))
    line.ring(caller_name="Alex Example", diversion="442079460099")
    far_end.check()
    (invite,) = [text for text in far_end.messages.split("-----") if "\nINVITE " in text][:1]
    assert f"INVITE sip:+{line.number}@127.0.0.1:{far_end.port}" in invite
    assert "12025550123@" in invite
    assert "m=audio " in invite
    assert "PCMU/8000" in invite


def test_group_fails_over(line: Line, sipp: Callable[..., Sipp]) -> None:
    """First busy, then silent, then answering: three attempts in the order of priority, one record each."""
    far_ends = [sipp("busy"), sipp("silent"), sipp("answers")]
    names = ("Main", "Backup", "Mobile")
    trunks = [
        line.trunk(name, end.port, priority=place)
        for place, (name, end) in enumerate(zip(names, far_ends, strict=True))
    ]
    line.route(*reversed(trunks))
    report = line.ring()
    assert [(one.trunk, one.code, one.reason, one.ended_by) for one in report.attempts] == [
        ("Main", 486, "Busy Here", "far end"),
        ("Backup", 408, "Request Timeout", "emulator"),
        ("Mobile", 200, "Bye", "caller"),
    ], str(report)
    assert report.answered
    for end in far_ends:
        end.check()
    check(line, report)


def test_code_that_does_not_reroute_ends_the_call(line: Line, sipp: Callable[..., Sipp]) -> None:
    """A code that is not among the trunk's rerouting codes ends the call; the report says so."""
    far_end = sipp("busy")
    first = line.trunk("Main", far_end.port, priority=1, rerouting_disconnect_code_ids=[])
    line.route(first, line.trunk("Backup", 9, priority=2))
    report = line.ring()
    assert [(one.trunk, one.code) for one in report.attempts] == [("Main", 486)]
    assert "486" in report.attempts[0].why
    assert "Main" in report.attempts[0].why
    far_end.check()
    check(line, report)


def test_port_without_a_listener_fails_over(line: Line, sipp: Callable[..., Sipp]) -> None:
    """A refused connection is 503 of the emulator; the next trunk takes the call."""
    far_end = sipp("answers", transport="tcp")
    dead = line.trunk("Dead", dead_port(), transport="tcp", priority=1)
    line.route(dead, line.trunk("Live", far_end.port, transport="tcp", priority=2))
    report = line.ring()
    assert [(one.trunk, one.code, one.ended_by) for one in report.attempts] == [
        ("Dead", 503, "emulator"),
        ("Live", 200, "caller"),
    ]
    far_end.check()
    check(line, report)


def test_hanging_up_from_outside(line: Line, sipp: Callable[..., Sipp]) -> None:
    """`hang_up` ends a call in progress, as the caller."""
    far_end = sipp("answers")
    line.route(line.trunk("Main", far_end.port))
    started = line.ring(duration=60, wait=False)
    assert not started.ended
    until(lambda: line.emulator.calls.report(started.id).answered, "the answer")
    line.emulator.calls.hang_up(started.id)
    until(lambda: line.emulator.calls.report(started.id).ended, "the end")
    report = line.emulator.calls.report(started.id)
    assert [(one.code, one.ended_by) for one in report.attempts] == [(200, "caller")]
    far_end.check()
    check(line, report)


def test_trunk_whose_limit_is_reached_is_passed_over(line: Line, sipp: Callable[..., Sipp]) -> None:
    """A second call finds the only channel of the first trunk in use: 480 of the emulator, and the next trunk."""
    first, second = sipp("answers"), sipp("answers")
    line.route(
        line.trunk("Main", first.port, capacity_limit=1, priority=1), line.trunk("Backup", second.port, priority=2)
    )
    talking = line.ring(duration=60, wait=False)
    until(lambda: line.emulator.calls.report(talking.id).answered, "the answer")
    report = line.ring()
    assert [(one.trunk, one.code, one.ended_by) for one in report.attempts] == [
        ("Main", 480, "emulator"),
        ("Backup", 200, "caller"),
    ]
    line.emulator.calls.hang_up(talking.id)
    until(lambda: line.emulator.calls.report(talking.id).ended, "the end")
    first.check()
    second.check()
    assert of_records(line.records()) == of_report(line.emulator.calls.report(talking.id)) + of_report(report)
