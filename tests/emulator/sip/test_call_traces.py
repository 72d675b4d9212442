"""What a call leaves behind is the same everywhere: report, exports, call events, streamed records, charges."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    Codec,
    Export,
    PstnConfiguration,
    ReroutingDisconnectCode,
    SipConfiguration,
    VoiceInTrunk,
    VoiceInTrunkGroup,
)
from didww.emulator import Clock, Emulator, FarEnd
from didww.version import API_VERSIONS
from support.http_receiver import HttpReceiver

pytest.importorskip("aiosipua")

if TYPE_CHECKING:
    from pathlib import Path

    from didww import Did, DidwwClient
    from didww.emulator import RingAttempt, RingReport

START = datetime(2026, 11, 10, 12, tzinfo=UTC)
CALLS = 30
BUSY = FarEnd(code=486)
FAR_ENDS: tuple[FarEnd | str, ...] = (
    "answers", "busy", "silent", "rings", "404",
    FarEnd(talks=0), FarEnd(talks=0.4), FarEnd(talks=3.5), FarEnd(talks=70, ringing=0.7), FarEnd(unreachable=True),
    FarEnd(challenge=True), FarEnd(code=302, redirect_to="sip:x@192.0.2.9", redirected=BUSY),
    FarEnd(misbehavior="forks"), FarEnd(misbehavior="late answer", only_rings=True),
)  # fmt: skip
INITIATORS = {
    "emulator": ("System", 1),
    "far end": ("Destination", 2),
    "caller": ("Origination", 3),
}


def route(client: DidwwClient, did: Did, random: Random, call: int) -> list[str]:
    """Route a number to a trunk, or to a group of up to four, and return the names of the trunks."""
    trunks: list[VoiceInTrunk] = []
    for number in range(random.randint(1, 4)):
        sip = SipConfiguration(
            host=f"pbx{number}.example.com",
            codec_ids=[Codec.PCMU],
            max_30x_redirects=random.randint(0, 1),
            sip_timer_b=2000,
            rerouting_disconnect_code_ids=random.choice(
                [[], [ReroutingDisconnectCode.SIP_486_BUSY_HERE], list(ReroutingDisconnectCode)]
            ),
        )
        trunk = VoiceInTrunk(
            name=f"{call}-{number}",
            priority=random.randint(1, 2),
            weight=random.choice([0, 1, 10]),
            ringing_timeout=random.choice([None, 5, 20]),
            configuration=PstnConfiguration(dst="442079460009") if random.random() < 0.15 else sip,
        )
        trunks.append(client.voice_in_trunks().create(trunk).data)
    if len(trunks) == 1 and random.random() < 0.5:
        did.voice_in_trunk = trunks[0]
    else:
        group = VoiceInTrunkGroup(name=f"Group {call}", voice_in_trunks=trunks)
        did.voice_in_trunk_group = client.voice_in_trunk_groups().create(group).data
    client.dids().update(did)
    return [trunk.name for trunk in trunks]


def place_calls(emulator: Emulator, client: DidwwClient, random: Random) -> list[RingReport]:
    """Place calls, each over new trunks and ten minutes after the one before."""
    emulator.state.seed({"dids": [{"number": "12125550100"}, {"number": "442079460001"}]})
    dids = client.dids().list().data
    reports: list[RingReport] = []
    for call in range(CALLS):
        did = random.choice(dids)
        far_ends = {name: random.choice(FAR_ENDS) for name in route(client, did, random, call)}
        report = emulator.calls.ring(
            did.number,
            caller=random.choice(["12025550123", "anonymous"]),
            duration=random.choice([0.2, 3, 61.5]),
            give_up_after=random.choice([None, None, 0.5, 3, 10]),
            instant=True,
            far_ends=far_ends,
        )
        reports.append(report)
        emulator.clock.advance(timedelta(minutes=10))
    return reports


def exported(emulator: Emulator, client: DidwwClient, path: Path) -> list[dict[str, str]]:
    """Return the rows of an export of all calls."""
    filters = {"from": f"{START:%Y-%m-%d %H:%M:%S}", "to": f"{emulator.clock.now():%Y-%m-%d %H:%M:%S}"}
    export = client.exports().create(Export(export_type="cdr_in", filters=filters)).data
    client.download_and_decompress_export(client.exports().find(export.id).data, path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def of_report(report: RingReport, attempt: RingAttempt) -> dict[str, Any]:
    """Return an attempt as the records must have it."""
    assert attempt.ended_at is not None
    assert attempt.ended_by is not None
    return {
        "attempt": attempt.number,
        "answered": attempt.answered_at is not None,
        "start": f"{attempt.started_at:%Y-%m-%d %H:%M:%S}",
        "connect": f"{attempt.answered_at:%Y-%m-%d %H:%M:%S}" if attempt.answered_at else "",
        "end": f"{attempt.ended_at:%Y-%m-%d %H:%M:%S}",
        "code": attempt.code,
        "reason": attempt.reason,
        "initiator": INITIATORS[attempt.ended_by][0],
        "number": report.number,
        "destination": attempt.destination,
        "seconds": 0 if not attempt.duration else max(int(attempt.duration + 0.5), 1),
    }


def of_export(row: dict[str, str]) -> dict[str, Any]:
    """Return a row of an export in the same form."""
    return {
        "attempt": int(row["Attempt"]),
        "answered": row["Status"] == "Completed",
        "start": row["Date/Time Start (UTC)"],
        "connect": row["Date/Time Connect (UTC)"],
        "end": row["Date/Time End (UTC)"],
        "code": int(row["Disconnect Code"]),
        "reason": row["Response"],
        "initiator": row["Disconnect Initiator"],
        "number": row["Destination DID"],
        "destination": row["Destination"],
        "seconds": int(row["Duration (sec)"]),
    }


def of_stream(record: dict[str, Any]) -> dict[str, Any]:
    """Return a streamed record in the same form."""
    inside = record["attributes"]

    def at(name: str) -> str:
        return (inside[name] or "")[:19].replace("T", " ")

    return {
        "attempt": inside["routing_attempt"],
        "answered": inside["success"],
        "start": at("time_start"),
        "connect": at("time_connect"),
        "end": at("time_end"),
        "code": inside["internal_disconnect_code"],
        "reason": inside["internal_disconnect_reason"],
        "initiator": {number: name for name, number in INITIATORS.values()}[inside["disconnect_initiator"]],
        "number": inside["did_number"],
        "destination": inside["trunk_destination"],
        "seconds": inside["duration"],
    }


def in_order(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return records by their times and attempts."""
    return sorted(records, key=lambda record: (record["start"], record["attempt"]))


@pytest.mark.parametrize(("seed", "version"), list(enumerate(API_VERSIONS)))
def test_all_traces_of_calls_agree(seed: int, version: str, tmp_path: Path) -> None:
    """One record an attempt, with what happened; a start and an end event for each call; charges that add up."""
    clock = Clock(start=START, running=False)
    with Emulator(clock=clock) as emulator, HttpReceiver() as events, HttpReceiver() as records:
        client = emulator.client(api_version=version)
        emulator.calls.rate(0)
        emulator.sip.limit(per_second=10_000)
        emulator.transitions.set("exports", after=0)
        emulator.call_events.set("events", events.url, direction="inbound")
        emulator.call_events.set("cdrs", records.url, direction="inbound", gzip=True)
        reports = place_calls(emulator, client, Random(seed))
        while any(stream.queued for stream in emulator.call_events.show()):
            emulator.call_events.settle()
        rows = exported(emulator, client, tmp_path / "calls.csv")
        charges = emulator.calls.charges(end=emulator.clock.now())
    streamed = [json.loads(line) for body in records.bodies for line in gzip.decompress(body).splitlines()]
    happened = in_order([of_report(report, attempt) for report in reports for attempt in report.attempts])
    assert len(happened) > CALLS
    assert in_order([of_export(row) for row in rows]) == happened
    assert in_order([of_stream(record) for record in streamed]) == happened
    last = Counter(record["attributes"]["local_tag"] for record in streamed if record["attributes"]["is_last_cdr"])
    assert list(last.values()) == [1] * CALLS
    assert {row["Call ID"] for row in rows} == {report.call_id for report in reports}
    assert sum(one.attempts for one in charges) == len(rows)
    assert sum((one.charged for one in charges), Decimal(0)) == sum(Decimal(row["Total (USD)"]) for row in rows)

    moments: defaultdict[str, list[str]] = defaultdict(list)
    for body in events.bodies:
        event = json.loads(body)
        moments[event["id"]].append(event["type"].removeprefix("incoming-call-").removesuffix("-event"))
    expected = [["start", "connect", "end"] if report.answered else ["start", "end"] for report in reports]
    assert list(moments.values()) == expected
    assert set(last) == set(moments)
