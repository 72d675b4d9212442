"""`emulator.calls.ring` at once: reports, what is kept, errors that name the argument, the control API."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from didww import ExportType, InboundCall, read_calls
from didww._core.effects import Request
from didww.emulator import Clock, Emulator, FarEnd, RingReport
from didww.emulator.controls import ring_reports
from didww.emulator.http import control_api
from support.sip_account import buy_number, route_to_group

pytest.importorskip("aiosipua")

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator with a frozen clock."""
    with Emulator(clock=Clock(start=NOW, running=False)) as emulator:
        yield emulator


@pytest.fixture
def number(emulator: Emulator) -> str:
    """Return a number that is routed to a group of three trunks."""
    client = emulator.client()
    number = buy_number(emulator, client)
    route_to_group(client, number, "Main", "Backup", "Third")
    return number


def control(emulator: Emulator, method: str, path: str, **parameters: Any) -> tuple[int, Any]:
    """Call the control API."""
    query = "&".join(f"{name}={value}" for name, value in parameters.items()) if method == "GET" else ""
    body = json.dumps(parameters).encode() if method == "POST" else None
    url = f"http://127.0.0.1/_emulator/{path}?{query}"
    response = control_api.handle(emulator, Request(method, url, {}, body))
    return response.status, json.loads(response.body) if response.body else None


def test_busy_then_silent_then_answered(emulator: Emulator, number: str) -> None:
    """A group fails over; the report has each attempt with its messages, times and reason."""
    report = emulator.calls.ring(
        number, caller="+12025550123", instant=True, far_ends={"Main": "busy", "Backup": "silent", "*": "answers"}
    )
    assert (report.number, report.caller, report.group, report.started_at) == (number, "12025550123", "Failover", NOW)
    assert (report.state, report.answered, report.duration, report.instant) == ("ended", True, 5.0, True)
    assert [(attempt.trunk, attempt.code, attempt.ended_by) for attempt in report.attempts] == [
        ("Main", 486, "far end"),
        ("Backup", 408, "emulator"),
        ("Third", 200, "caller"),
    ]
    assert all(attempt.why for attempt in report.attempts)
    assert [step.message for step in report.attempts[0].steps if step.message != "100 Trying"] == [
        "INVITE",
        "486 Busy Here",
        "ACK",
    ]
    third = report.attempts[2]
    assert third.duration == 5.0
    assert third.ended_at is not None
    assert third.answered_at is not None
    assert (third.ended_at - third.answered_at).total_seconds() == pytest.approx(5.0, abs=0.01)
    assert str(report).splitlines()[0] == f"12025550123 to {number}, 2026-03-10 12:00:00 UTC: answered, 5.0 s"


def test_unanswered_call_says_so(emulator: Emulator, number: str) -> None:
    """All trunks are busy: the last code is that of the call."""
    report = emulator.calls.ring(number, instant=True, far_ends={"*": 486})
    assert (report.answered, report.code, len(report.attempts)) == (False, 486, 3)
    assert report.result.startswith("not answered, 486 Busy Here")


def test_code_that_does_not_reroute_ends_the_call(emulator: Emulator, number: str) -> None:
    """603 is not among the codes of the trunk, and the report says that."""
    report = emulator.calls.ring(number, instant=True, far_ends={"Main": FarEnd(code=603, reason="Decline")})
    assert [attempt.code for attempt in report.attempts] == [603]
    assert "603" in report.attempts[0].why
    assert "Main" in report.attempts[0].why


def test_number_is_found_by_id(emulator: Emulator, number: str) -> None:
    """As with simulated calls."""
    did = emulator.client().dids().one(filter={"number": number})
    assert emulator.calls.ring(did.id, instant=True).number == number


def test_reports_are_kept_newest_first(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest ones are dropped; an unknown one is an error that says where the others are."""
    monkeypatch.setattr(ring_reports, "MAX_REPORTS", 3)
    made = [emulator.calls.ring(number, instant=True) for _ in range(4)]
    assert emulator.calls.reports() == made[:0:-1]
    assert emulator.calls.reports(limit=1) == [made[-1]]
    assert emulator.calls.report(made[1].id) == made[1]
    with pytest.raises(LookupError, match="no report"):
        emulator.calls.report(made[0].id)
    assert emulator.calls.hang_up(made[3].id) == made[3]
    emulator.state.reset()
    assert emulator.calls.reports() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"caller": "Alex"}, "caller must be a phone number"),
        ({"caller": 5}, "caller must be a phone number"),
        ({"far_ends": "busy"}, "far_ends must be by the names of trunks"),
        ({"caller_name": 5}, "caller_name must be"),
        ({"caller": "1\r\nVia: x"}, "caller must be a phone number"),
        ({"caller_name": "a\r\nVia: x"}, "caller_name must be"),
        ({"caller_name": "a" * 81}, "caller_name must be at most 80"),
        ({"diversion": "sip:x"}, "diversion must be a phone number"),
        ({"attestation": "D"}, "attestation must be A, B or C"),
        ({"duration": 0}, "duration must be more than 0"),
        ({"duration": "5 parsecs"}, "duration: .* is not a duration"),
        ({"give_up_after": "5 h"}, "give_up_after must be .* 4 hours"),
        ({"far_ends": {"*": "busy"}, "instant": False}, "far_ends needs instant=True"),
        ({"far_ends": {"Mian": "busy"}}, r"far_ends: .* no trunk 'Mian'\. Did you mean 'Main'\? Its trunks: Backup"),
        ({"far_ends": {"Main": "bussy"}}, "far_ends: 'Main' must be answers, busy, silent, rings, a SIP code"),
        ({"far_ends": {"Main": 99}}, "far_ends: 'Main' must be"),
    ],
)
def test_invalid_arguments_are_named(emulator: Emulator, number: str, arguments: dict[str, Any], message: str) -> None:
    """Nothing is called, and nothing is kept."""
    with pytest.raises(ValueError, match=message):
        emulator.calls.ring(number, **{"instant": True, **arguments})
    assert emulator.calls.reports() == []


def test_missing_extra_says_what_to_install(emulator: Emulator, number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In Python, and over the control API for the command."""
    monkeypatch.setitem(sys.modules, "aiosipua", None)
    with pytest.raises(ValueError, match=r'pip install "didww-sdk\[sip\]"'):
        emulator.calls.ring(number, instant=True)
    status, error = control(emulator, "POST", "calls/ring", did=number, instant=True)
    assert (status, "didww-sdk[sip]" in error["error"]) == (422, True)


def test_unknown_number_names_those_that_exist(emulator: Emulator) -> None:
    """The error says to buy a number if the account has none."""
    with pytest.raises(LookupError, match=r"no number '442079460001'\. It has none"):
        emulator.calls.ring("442079460001", instant=True)
    number = buy_number(emulator, emulator.client())
    with pytest.raises(LookupError, match=f"It has {number}"):
        emulator.calls.ring("442079460001", instant=True)


def test_control_api_places_calls(emulator: Emulator, number: str) -> None:
    """With the same arguments and results; far ends are words, codes or objects."""
    far_ends = {"Main": "busy", "Backup": 503, "Third": {"code": 200, "ringing": 1.0}}
    status, content = control(emulator, "POST", "calls/ring", did=number, instant=True, far_ends=far_ends)
    assert status == 200
    assert msgspec.convert(content, RingReport) == emulator.calls.report(content["id"])
    assert [attempt["code"] for attempt in content["attempts"]][:2] == [486, 503]
    assert control(emulator, "GET", "calls/report", id=content["id"]) == (200, content)
    assert control(emulator, "GET", "calls/reports", limit=1) == (200, [content])
    assert control(emulator, "POST", "calls/hang_up", id=content["id"]) == (200, content)
    assert control(emulator, "GET", "calls/report", id="99")[0] == 404
    assert control(emulator, "POST", "calls/ring", did="1")[0] == 404
    status, error = control(emulator, "POST", "calls/ring", did=number, caller="x")
    assert (status, error["error"].partition(" ")[0]) == (422, "caller")
    for wrong in ({"code": "busy"}, {"cod": 486}):
        status, error = control(emulator, "POST", "calls/ring", did=number, instant=True, far_ends={"*": wrong})
        assert (status, "far_ends" in error["error"]) == (422, True)


def test_each_attempt_is_a_record(emulator: Emulator, number: str, tmp_path: Path) -> None:
    """Exports have a record an attempt, under the call ID of the report, with what really happened."""
    emulator.calls.rate(0)
    emulator.transitions.set("exports", after=0)
    report = emulator.calls.ring(number, instant=True, far_ends={"Main": "busy"})
    emulator.clock.advance("2 min")
    files = (
        emulator.client()
        .exports()
        .fetch(ExportType.CDR_IN, start=NOW.replace(hour=0), end=emulator.clock.now(), directory=tmp_path)
    )
    records = sorted(read_calls(files, InboundCall), key=lambda record: record.attempt or 0)
    assert [
        (record.call_id, record.attempt, record.trunk, str(record.disconnect_code), record.disconnect_reason)
        for record in records
    ] == [
        (report.call_id, 1, "Main", "486", "Busy Here"),
        (report.call_id, 2, "Backup", "200", "Bye"),
    ]
    assert [record.duration or 0 for record in records] == [0, 5]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"code": "486"}, "code must be a SIP code"),
        ({"misbehavior": "zz"}, "misbehavior must be one of garbage"),
        ({"reason": "a\r\nX: y"}, "reason must be printable"),
    ],
)
def test_invalid_scripts_are_named(fields: dict[str, Any], message: str) -> None:
    """A script that would be ignored is an error."""
    with pytest.raises(ValueError, match=message):
        FarEnd(**fields)


@pytest.mark.parametrize(("talks", "seconds"), [(0.4, 1), (0.5, 1), (1.4, 1), (1.5, 2), (2.5, 3), (5.01, 5)])
def test_records_have_whole_seconds(
    emulator: Emulator, number: str, tmp_path: Path, talks: float, seconds: int
) -> None:
    """Rounded half up; an answered call has at least one. Record and report end at the same second."""
    emulator.calls.rate(0)
    emulator.transitions.set("exports", after=0)
    report = emulator.calls.ring(number, instant=True, far_ends={"*": FarEnd(ringing=0.3, talks=talks)})
    emulator.clock.advance("1 min")
    exports = emulator.client().exports()
    files = exports.fetch(ExportType.CDR_IN, start=NOW.replace(hour=0), end=emulator.clock.now(), directory=tmp_path)
    (record,) = read_calls(files, InboundCall)
    assert record.duration == seconds
    assert report.attempts[0].ended_at is not None
    assert record.time_end == report.attempts[0].ended_at.replace(microsecond=0)
