"""Test failing trunks, and that exports agree with the ledger of calls to the last cent."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    Codec,
    CredentialsAndIpAuthenticationMethod,
    Export,
    ExportType,
    OnCliMismatchAction,
    PstnConfiguration,
    SipConfiguration,
    VoiceInTrunk,
    VoiceInTrunkGroup,
    VoiceOutTrunk,
)
from didww._core.effects import Request
from didww.emulator import Clock, Emulator
from didww.emulator.data.cdr import Attempt, Line, OutLine, cdr_in, cdr_out
from didww.emulator.data.outages import Outage
from didww.emulator.http import control_api
from support.hypothesis_profiles import law

NOW = datetime(2026, 3, 25, 12, tzinfo=UTC)
PERIOD = {"from": "2026-02-01 00:00:00", "to": "2026-03-25 12:00:00"}
NIGHT = Outage(22, 6, 0.6, "503")
NIGHT_HOURS = {22, 23, *range(6)}


class Scene:
    """An account with inbound trunks, one of them alone and two in a group, and an outbound trunk."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        client = self.client = emulator.client()
        numbers = [f"1212555010{n}" for n in range(6)]
        emulator.state.seed({"dids": [{"number": number} for number in numbers]})
        group = client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Desk")).data
        sip = SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU], cnam_lookup=True)
        self.berlin = self._trunk(name="Berlin", configuration=sip)
        self.first = self._trunk(name="First, of two", priority=1, configuration=sip, voice_in_trunk_group=group)
        self.second = self._trunk(
            name="Second",
            priority=2,
            configuration=PstnConfiguration(dst="447700900123"),
            voice_in_trunk_group=group,
        )
        dids = client.dids().list(sort="number").data
        for did in dids[:2]:
            did.voice_in_trunk = self.berlin
            client.dids().update(did)
        for did in dids[2:5]:
            did.voice_in_trunk_group = group
            client.dids().update(did)
        self.numbers = [did.number for did in dids]
        method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"])
        sales = VoiceOutTrunk(
            name="Sales",
            on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL,
            authentication_method=method,
            dids=dids[:2],
        )
        self.sales = client.voice_out_trunks().create(sales).data

    def _trunk(self, **fields: Any) -> VoiceInTrunk:
        return self.client.voice_in_trunks().create(VoiceInTrunk(**fields)).data

    def rows(self, kind: str, **filters: str) -> list[dict[str, str]]:
        export = (
            self.client.exports()
            .create(Export(export_type=ExportType(kind), filters=cast("Any", {**PERIOD, **filters})))
            .data
        )
        self.emulator.clock.advance(1)
        with TemporaryDirectory() as directory:
            path = Path(directory) / "calls.csv"
            self.client.download_and_decompress_export(self.client.exports().find(export.id).data, path)
            return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Emulator(clock=Clock(NOW, running=False)) as emulator:
        yield Scene(emulator)


COLUMNS = {
    "inbound": ("cdr_in", "Voice IN Trunk", "Destination DID", "Duration (sec)", "Total (USD)"),
    "outbound": ("cdr_out", "Voice OUT Trunk", "CLI", "Call Duration (sec)", "Charged (USD)"),
}


def totals(scene: Scene, direction: str) -> dict[tuple[str, str], tuple[int, int, int, Decimal]]:
    """Return attempts, answered, seconds and price of an export by trunk and number."""
    kind, trunk, number, seconds, price = COLUMNS[direction]
    found: dict[tuple[str, str], tuple[int, int, int, Decimal]] = defaultdict(lambda: (0, 0, 0, Decimal(0)))
    for row in scene.rows(kind):
        attempts, answered, lasted, charged = found[row[trunk], row[number]]
        found[row[trunk], row[number]] = (
            attempts + 1,
            answered + (row["Status"] == "Completed"),
            lasted + int(row[seconds]),
            charged + Decimal(row[price]),
        )
    return dict(found)


def ledger(scene: Scene, direction: str) -> dict[tuple[str, str], tuple[int, int, int, Decimal]]:
    return {
        (one.trunk, one.number): (one.attempts, one.answered, one.seconds, one.charged)
        for one in scene.emulator.calls.charges(start=PERIOD["from"], end=PERIOD["to"])
        if one.direction == direction
    }


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_totals_of_exports_agree_with_the_ledger(scene: Scene, direction: str) -> None:
    """Attempts, durations and prices, by trunk and number: generated, simulated and failed calls, and unrouted ones."""
    scene.emulator.calls.rate(40)
    scene.emulator.calls.fail(scene.first.id, hours=(8, 18), share=0.5)
    scene.emulator.clock.freeze("2026-03-20T15:00:00Z")
    scene.emulator.calls.inbound(scene.numbers[0], count=3, duration="7 min 1 s")
    scene.emulator.calls.inbound(scene.numbers[3], count=2, duration=0, code="486")
    scene.emulator.calls.inbound(scene.numbers[5], duration=7)
    scene.emulator.calls.outbound(scene.sales.id, count=7, duration=61, rate="0.0175")
    scene.emulator.clock.freeze(NOW)
    exported = totals(scene, direction)
    assert exported == ledger(scene, direction)
    assert sum(charged for *_, charged in exported.values()) > 1
    if direction == "inbound":
        assert {trunk for trunk, _ in exported} == {"", "Berlin", "First, of two", "Second"}


def test_spend_of_a_trunk_agrees_with_the_ledger(scene: Scene) -> None:
    """Without generated calls, the last 24 hours in the ledger are the `spent_amount` of the trunk."""
    scene.emulator.calls.rate(0)
    scene.emulator.calls.outbound(scene.sales.id, count=3, duration=61, rate="0.0175")
    scene.emulator.clock.advance("10 h")
    scene.emulator.calls.outbound(scene.sales.id, count=2, duration=30, rate="0.0333")
    scene.emulator.clock.advance("1 min")
    (charges,) = scene.emulator.calls.charges(start=scene.emulator.clock.now() - timedelta(days=1))
    assert (charges.direction, charges.trunk, charges.attempts, charges.seconds) == ("outbound", "Sales", 5, 243)
    assert charges.charged == Decimal("0.171")
    meta = scene.client.voice_out_trunks().find(scene.sales.id).data.meta
    assert Decimal(meta["spent_amount"]) == charges.charged


def test_ledger_ends_where_exports_do(scene: Scene) -> None:
    """By default it begins two months ago; the end is exclusive; other accounts and removed numbers are not in it."""
    calls = scene.emulator.calls
    calls.rate(0)
    scene.emulator.clock.freeze("2025-12-31T23:59:59Z")
    calls.inbound(scene.numbers[0])
    scene.emulator.clock.freeze("2026-01-01T00:00:00Z")
    calls.inbound(scene.numbers[0])
    scene.emulator.clock.freeze(NOW)
    calls.inbound(scene.numbers[0])
    (charges,) = calls.charges()
    assert charges.attempts == 1
    scene.emulator.clock.advance(1)
    (charges,) = calls.charges()
    assert charges.attempts == 2
    assert [one.attempts for one in calls.charges(start="2025-12-01")] == [3]
    assert calls.charges(api_key="another") == []
    scene.client.dids().delete(scene.client.dids().one(filter={"number": scene.numbers[0]}))
    assert calls.charges() == []


@pytest.mark.unchecked
def test_failing_trunk_fails_at_its_hours_only(scene: Scene) -> None:
    """The share of the attempts at these hours has the code; inbound calls go on to the next trunk of the group."""
    scene.emulator.calls.rate(1000)
    period = {"from": "2026-03-18 00:00:00"}
    before = {row["Call ID"]: row for row in scene.rows("cdr_out", **period)}
    for trunk in (scene.berlin, scene.first, scene.sales):
        scene.emulator.calls.fail(trunk.id, hours=(22, 6), share=0.6)
    inbound = scene.rows("cdr_in", **period)
    for name in ("Berlin", "First, of two"):
        attempts = [row for row in inbound if row["Voice IN Trunk"] == name]
        failed = [row for row in attempts if row["Disconnect Code"] == "503"]
        night = sum(hour(row) in NIGHT_HOURS for row in attempts)
        assert {hour(row) for row in failed} <= NIGHT_HOURS
        assert 0.5 < len(failed) / night < 0.7
        assert {(row["Response"], row["Disconnect Initiator"], row["Total (USD)"]) for row in failed} <= {
            ("Service Unavailable", "Destination", amount) for amount in ("0.000", "0.004")
        }
    codes = Counter((row["Attempt"], row["Disconnect Code"]) for row in inbound if row["Trunk Group"] == "Desk")
    assert codes["1", "503"] > 100
    seconds = {row["Call ID"] for row in inbound if row["Attempt"] == "2"}
    assert all(
        row["Call ID"] in seconds for row in inbound if row["Disconnect Code"] == "503" and row["Trunk Group"] == "Desk"
    )
    outbound = {row["Call ID"]: row for row in scene.rows("cdr_out", **period)}
    changed = [row for id, row in outbound.items() if row != before[id]]
    assert outbound.keys() == before.keys()
    assert {hour(row) for row in changed} == NIGHT_HOURS
    assert {(row["Disconnect Code"], row["Status"], row["Charged (USD)"]) for row in changed} == {
        ("503", "Failed", "0.000")
    }


def hour(row: dict[str, str]) -> int:
    return int(row["Date/Time Start (UTC)"][11:13])


@pytest.mark.unchecked
def test_failures_can_be_limited_replaced_and_removed(scene: Scene) -> None:
    """By a period; completed exports are unchanged; each account has its own; they survive a restart."""
    calls = scene.emulator.calls
    calls.rate(200)
    usual = scene.rows("cdr_out")
    failing = calls.fail(scene.sales.id, code="404", start="2026-03-10", end="2026-03-12T12:00:00Z")
    assert (failing.name, failing.hours, failing.share, failing.code) == ("Sales", (0, 24), 1.0, "404")
    assert calls.failing() == [failing]
    assert calls.failing(api_key="another") == []
    failed = [row for row, other in zip(scene.rows("cdr_out"), usual, strict=True) if row != other]
    starts = [row["Date/Time Start (UTC)"] for row in failed]
    assert "2026-03-10 00:00:00" <= min(starts) < max(starts) < "2026-03-12 12:00:00"
    again = calls.fail(scene.sales.id, hours=(9, 10), code="486")
    assert calls.failing() == [again]
    calls.fail(scene.sales.id, share=0)
    assert calls.failing() == []
    assert scene.rows("cdr_out") == usual


def test_failures_are_in_state_files_and_snapshots(tmp_path: Path) -> None:
    """Like the trunks that they concern."""
    path = str(tmp_path / "state.db")
    with Emulator(path=path) as emulator:
        emulator.state.snapshot()
        failing = emulator.calls.fail(Scene(emulator).berlin.id, hours=(22, 6))
        emulator.calls.inbound("12125550100", duration=90)
        emulator.calls.rate(0)
        emulator.clock.advance("1 min")
        charges = emulator.calls.charges()
    with Emulator(path=path, clock=Clock(datetime.now(UTC) + timedelta(minutes=2))) as emulator:
        assert emulator.calls.failing() == [failing]
        assert emulator.calls.charges() == charges
        assert len(charges) == 1
    with Emulator() as emulator:
        emulator.state.snapshot()
        emulator.calls.fail(Scene(emulator).berlin.id)
        emulator.state.restore()
        assert emulator.calls.failing() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"hours": (22,)},
        {"hours": (22, 25)},
        {"hours": (24, 6)},
        {"hours": (6, 6)},
        {"hours": (-1, 6)},
        {"hours": (1.5, 6)},
        {"hours": 5},
        {"share": 1.1},
        {"share": True},
        {"share": None},
        {"share": "0.5"},
        {"code": 503},
        {"share": float("nan")},
        {"code": "200"},
        {"code": "bad"},
        {"start": "soon"},
        {"start": "2026-03-12", "end": "2026-03-12"},
    ],
)
def test_invalid_failures_are_refused(scene: Scene, wrong: dict[str, Any]) -> None:
    """The message names the argument, and nothing changes."""
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))}|soon"):
        scene.emulator.calls.fail(scene.berlin.id, **wrong)
    assert scene.emulator.calls.failing() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "2024-01-01"},
        {"start": "2026-03-20", "end": "2026-03-20"},
        {"end": "2026-03-26"},
    ],
)
def test_invalid_periods_of_the_ledger_are_refused(scene: Scene, wrong: dict[str, str]) -> None:
    """They are empty, in the future or longer than a year."""
    with pytest.raises(ValueError, match=r"^(start|end) must"):
        scene.emulator.calls.charges(**wrong)
    with pytest.raises(LookupError, match="no trunk"):
        scene.emulator.calls.fail("unknown")


@law(30)
@given(
    seed=st.integers(0, 1 << 32),
    first=st.integers(0, 23),
    length=st.integers(1, 23),
    share=st.floats(0, 1),
    whole=st.booleans(),
)
def test_entries_are_the_rows(seed: int, first: int, length: int, share: float, whole: bool) -> None:
    """Each attempt is entered once, with the trunk, number, duration and price of its row, in the same order."""
    outage = Outage(0, 24, share, "503") if whole else Outage(first, (first + length) % 24, share, "486")
    tries = (Attempt("One", "sip:1@example.com", names=True, outage=outage), Attempt("Two", "447700900123", True))
    lines = [
        Line("442079460001", tries, "Group", "", 7, toll_free=True),
        Line("442079460002", tries[1:], "", "", 9, metered_share=16),
        Line("442079460003"),
    ]
    trunks = [OutLine("out", "Out", ("442079460001", "442079460002"), outage), OutLine("other", "Other")]
    entries: list[Any] = []
    start = datetime(2026, 3, 2, 5, tzinfo=UTC)
    end = start + timedelta(days=2)
    inbound = [
        row
        for _, text in cdr_in(lines, start, end, seed, 9, entries.append)
        for row in csv.reader([*text.splitlines()])
    ]
    assert [(e.trunk, e.number, e.answered, e.seconds, e.price) for e in entries] == [
        (row[12], row[6], row[3] == "Completed", int(row[7]), int(Decimal(row[20]) * 1000)) for row in inbound
    ]
    entries.clear()
    outbound = [row for _, text in cdr_out(trunks, start, end, seed, 2, entries.append) for row in csv.reader([text])]
    assert [(e.trunk, e.number, e.answered, e.seconds, e.price) for e in entries] == [
        (row[11], row[5], row[3] == "Completed", int(row[7]), int(Decimal(row[16]) * 1000)) for row in outbound
    ]
    if share == 1:
        assert not any(row[3] == "Completed" and outage.covers(row[0]) for row in outbound if row[11] == "Out")


def test_failures_and_charges_over_the_control_api(scene: Scene) -> None:
    """JSON has the same parameters and results as Python; an invalid one is refused with its name."""

    def control(method: str, path: str, **parameters: Any) -> tuple[int, Any]:
        query = "&".join(f"{name}={value}" for name, value in parameters.items()) if method == "GET" else ""
        body = json.dumps(parameters).encode() if method == "POST" else b""
        url = f"http://emulator.example.com/_emulator/calls/{path}?{query}"
        response = control_api.handle(scene.emulator, Request(method, url, {}, body))
        return response.status, json.loads(response.body)

    expected = {"trunk": scene.berlin.id, "name": "Berlin", "hours": [22, 6], "share": 0.6, "code": "503"}
    sent = {"trunk": scene.berlin.id, "hours": [22, 6], "share": 0.6, "start": "2026-03-01"}
    assert control("POST", "fail", **sent) == (200, expected)
    assert control("GET", "failing") == (200, [expected])
    status, charges = control("GET", "charges", start="2026-03-20", end="2026-03-21T12:00:00Z")
    assert (status, charges) == (
        200,
        [
            {**msgspec.structs.asdict(one), "charged": str(one.charged)}
            for one in scene.emulator.calls.charges(start="2026-03-20", end="2026-03-21T12:00:00Z")
        ],
    )
    assert len(charges) > 3
    status, refused = control("POST", "fail", trunk=scene.berlin.id, hours=[6])
    assert (status, refused["error"].partition(" ")[0]) == (422, "hours")
    assert control("POST", "fail", trunk="unknown")[0] == 404
