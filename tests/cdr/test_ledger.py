"""Answers about fetched calls agree with the emulator's ledger to the last cent, in both API versions."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from didww import (
    Codec,
    CredentialsAndIpAuthenticationMethod,
    ExportType,
    OnCliMismatchAction,
    PstnConfiguration,
    SipConfiguration,
    VoiceInTrunk,
    VoiceInTrunkGroup,
    VoiceOutTrunk,
)
from didww.cdr import CallDataset, open_calls
from didww.emulator import Clock, Emulator

START, END = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)
NUMBERS = tuple(f"44207946000{n}" for n in range(4))


def account(emulator: Emulator) -> None:
    """Add trunks and calls of all kinds: routed on, forwarded, toll-free, without a route, simulated and failed."""
    client = emulator.client()
    group = client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Support, all")).data
    sip = SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU], cnam_lookup=True)
    first = VoiceInTrunk(name='The "first"', priority=1, configuration=sip, voice_in_trunk_group=group)
    first = client.voice_in_trunks().create(first).data
    mobile = PstnConfiguration(dst="447700900123")
    second = VoiceInTrunk(name="Mobile", priority=2, configuration=mobile, voice_in_trunk_group=group)
    client.voice_in_trunks().create(second)
    routed = [{"number": number, "voice_in_trunk_group": group.id} for number in NUMBERS[:3]]
    emulator.state.seed({"dids": [*routed, {"number": NUMBERS[3]}]})
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"])
    sales = VoiceOutTrunk(
        name="Sales", on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL, authentication_method=method
    )
    sales = client.voice_out_trunks().create(sales).data
    emulator.calls.rate(8)
    emulator.calls.fail(first.id, hours=(22, 12), share=0.7)
    emulator.calls.fail(sales.id, hours=(9, 17), share=0.5, code="500")
    now = emulator.clock.now()
    emulator.clock.freeze("2026-03-05T15:00:00Z")
    emulator.calls.inbound(NUMBERS[0], count=3, duration="7 min 1 s")
    emulator.calls.outbound(sales.id, count=7, duration=61, rate="0.0175")
    emulator.clock.freeze(now)
    emulator.clock.run()


@pytest.mark.parametrize("version", ["2026-04-16", "2026-11-19"])
def test_summaries_agree_with_the_ledger(version: Any, tmp_path: Path) -> None:
    """Attempts, answers, seconds and cost by trunk and number, of both directions, over the end of a month."""
    with Emulator(clock=Clock(datetime(2026, 3, 25, 12, tzinfo=UTC))) as emulator:
        account(emulator)
        client = emulator.client(api_version=version)
        dataset = CallDataset(tmp_path / "dataset")
        for type in (ExportType.CDR_IN, ExportType.CDR_OUT):
            dataset.append(client.exports().fetch(type, start=START, end=END, directory=tmp_path / "files"))
        entries = emulator.calls.charges(start=START, end=END)
        client.close()
    calls = open_calls(dataset)
    found = {
        (row["direction"], row["trunk"] or "", row["number"] or ""): (row["attempts"], row["answered"], row["cost"])
        for row in calls.summary(by=["direction", "trunk", "number"])
    }
    expected = {(one.direction, one.trunk, one.number): (one.attempts, one.answered, one.charged) for one in entries}
    assert found == expected
    assert {direction for direction, *_ in found} == {"inbound", "outbound"}
    (total,) = calls.summary().rows
    assert total["cost"] == sum(one.charged for one in entries) > 10
    assert isinstance(total["cost"], Decimal)
    assert round(total["minutes"] * 60) == pytest.approx(sum(one.seconds for one in entries), abs=1)
