"""Test exports: realistic and reproducible calls, costs, ranges of files, simulated calls."""

from __future__ import annotations

import csv
import gzip
import io
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from didww import (
    Codec,
    CredentialsAndIpAuthenticationMethod,
    DidwwClient,
    Export,
    NotFoundError,
    PstnConfiguration,
    SipConfiguration,
    ValidationError,
    VoiceInTrunk,
    VoiceInTrunkGroup,
    VoiceOutTrunk,
)
from didww._core.effects import Request
from didww.emulator import Clock, Emulator
from didww.emulator.data.cdr import Attempt, Line, OutLine, cdr_in, cdr_out
from didww.emulator.data.export_file import ExportFile
from didww.transport.inprocess import Streamed, reader_of
from support.api_caller import Caller, document

START = datetime(2026, 3, 25, 12, tzinfo=UTC)
MONTH = {"from": "2026-03-01 00:00:00", "to": "2026-03-25 00:00:00"}
SIP = Attempt("Main", "sip:442079460000@sip.example.com")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False)) as emulator:
        emulator.state.seed({"dids": [{"number": f"1212555010{n}"} for n in range(4)]})
        yield emulator


UNKNOWN = "8d1a3c5e-0000-4000-8000-00000000dead"


def create_export(emulator: Emulator, kind: str = "cdr_in", **filters: str) -> Export:
    client = emulator.client()
    export = client.exports().create(Export(export_type=kind, filters={**MONTH, **filters})).data
    emulator.clock.advance(1)
    return client.exports().find(export.id).data


def fetch(emulator: Emulator, export: Export, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return the raw response for a file or a range of it."""
    sent = {"Api-Key": emulator.key, **{name.replace("_", "-"): value for name, value in headers.items()}}
    response, _ = emulator.exchange(Request("GET", str(export.url), sent))
    read, _ = reader_of(response)
    body = b""
    while chunk := read(len(body), 1000):
        body += chunk
    return response.status, dict(response.headers), body


def rows(emulator: Emulator, export: Export) -> list[dict[str, str]]:
    status, _, body = fetch(emulator, export)
    assert status == 200
    return list(csv.DictReader(io.StringIO(gzip.decompress(body).decode())))


def test_calls_follow_the_time_of_day() -> None:
    """Fewer at night and at weekends; mostly short, a few long; failed ones have a code."""
    calls = list(cdr_in([Line(f"4420794600{n:02}", (SIP,)) for n in range(30)], *span(28), 7, 50))
    read = [row for _, text in calls for row in csv.reader([text])]
    hours = Counter(int(row[0][11:13]) for row in read)
    assert min(hours[h] for h in range(9, 17)) > 4 * max(hours[h] for h in range(4))
    days = Counter(date.fromisoformat(row[0][:10]).weekday() for row in read)
    assert max(days[5], days[6]) < 0.6 * min(days[n] for n in range(5))
    lasted = sorted(int(row[7]) for row in read if row[3] == "Completed")
    assert 50 < lasted[len(lasted) // 2] < 110
    assert lasted[-1] > 10 * lasted[len(lasted) // 2]
    failed = [row for row in read if row[3] == "Failed"]
    assert 0.1 < len(failed) / len(read) < 0.35
    assert {row[9] for row in failed} == {"404", "480", "486", "487"}
    assert all((row[1] == "") == (row[3] == "Failed") for row in read)
    assert [row[0] for row in read] == sorted(row[0] for row in read)
    assert len({row[-1] for row in read}) == len(read)
    assert 25_000 < len(read) < 45_000


def span(days: int) -> tuple[datetime, datetime]:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    return start, start + timedelta(days=days)


def test_same_call_appears_identically_in_every_export() -> None:
    """Regardless of the period and of other calls; another seed has other calls."""
    lines = [Line(f"4420794600{n:02}", (SIP,)) for n in range(5)]
    start, end = span(10)
    whole = list(cdr_in(lines, start, end, 1))
    halves = [
        *cdr_in(lines, start, start + timedelta(days=3, hours=7, minutes=13, seconds=5), 1),
        *cdr_in(lines, start + timedelta(days=3, hours=7, minutes=13, seconds=5), end, 1),
    ]
    assert halves == whole
    expected = [call for call in whole if ",442079460003," in call[1]]
    assert list(cdr_in([lines[3]], start, end, 1)) == expected
    assert list(cdr_in(lines, start, end, 2)) != whole
    trunks = [OutLine("a", "A", ("12125550100",)), OutLine("b", "B")]
    assert list(cdr_out(trunks, start, start, 1)) == []
    both = list(cdr_out(trunks, start, end, 1))
    assert [call for call in both if ",A," in call[1]] == list(cdr_out(trunks[:1], start, end, 1))


def test_export_period_includes_from_and_excludes_to() -> None:
    """A call at the second of a bound belongs to the period that starts there."""
    lines = [Line("442079460000", (SIP,))]
    start, end = span(20)
    (moment, _), *_ = cdr_in(lines, start, end, 1)
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert moment not in [when for when, _ in cdr_in(lines, start, at, 1)]
    assert moment in [when for when, _ in cdr_in(lines, at, at + timedelta(seconds=1), 1)]


def test_inbound_calls_have_routes_and_costs(emulator: Emulator) -> None:
    """Rows have trunks, groups, forwarding and second attempts; the total is the sum of its parts."""
    client = emulator.client()
    dids = {did.number: did for did in client.dids().list().data}
    sip = client.voice_in_trunks().create(
        VoiceInTrunk(
            name='Main, "new"',
            priority=1,
            configuration=SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU], cnam_lookup=True),
        )
    )
    mobile = client.voice_in_trunks().create(
        VoiceInTrunk(name="Mobile", priority=2, configuration=PstnConfiguration(dst="447700900123"))
    )
    group = client.voice_in_trunk_groups().create(
        VoiceInTrunkGroup(name="Desk", voice_in_trunks=[sip.data, mobile.data])
    )
    first, second, third, _ = dids.values()
    first.voice_in_trunk_group = group.data
    second.voice_in_trunk = sip.data
    third.voice_in_trunk = mobile.data
    for did in (first, second, third):
        client.dids().update(did)
    read = rows(emulator, create_export(emulator))
    by_number = {number: [row for row in read if row["Destination DID"] == number] for number in dids}
    assert all(by_number.values())
    for row in read:
        parts = [row[f"{name} (USD)"] for name in ("Toll-free", "PSTN", "Metered", "CNAM IN")]
        assert Decimal(row["Total (USD)"]) == sum(map(Decimal, parts))
    assert {row["Voice IN Trunk"] for row in by_number[second.number]} == {'Main, "new"'}
    assert any(Decimal(row["CNAM IN (USD)"]) for row in by_number[second.number])
    for row in by_number[third.number]:
        exact = Decimal(row["Duration (sec)"]) * Decimal("0.024") / 60
        assert abs(Decimal(row["PSTN (USD)"]) - exact) <= Decimal("0.0005")
    unrouted = next(
        rows for number, rows in by_number.items() if number not in {first.number, second.number, third.number}
    )
    assert {(row["Status"], row["Disconnect Initiator"]) for row in unrouted} == {("Failed", "System")}
    grouped = by_number[first.number]
    assert {row["Trunk Group"] for row in grouped} == {"Desk"}
    again = [row for row in grouped if row["Attempt"] == "2"]
    assert again
    firsts = {row["Call ID"]: row for row in grouped if row["Attempt"] == "1"}
    for row in again:
        before = firsts[row["Call ID"]]
        assert (before["Status"], before["Voice IN Trunk"], row["Voice IN Trunk"]) == (
            "Failed",
            'Main, "new"',
            "Mobile",
        )
        assert before["Disconnect Code"] in ("404", "480", "486")
        assert row["Date/Time Start (UTC)"] > before["Date/Time Start (UTC)"]


def test_inbound_calls_are_charged_by_kind() -> None:
    """Metered numbers and calls beyond the paid channels cost by the minute, forwarding by the network."""
    forwarded = (
        (Attempt("Mobile", "447700900123", forwarded=True), 24),
        (Attempt("Desk", "12125550100", forwarded=True), 5),
    )

    def costs(line: Line) -> tuple[float, set[Decimal]]:
        """Return the share of answered calls with a cost, and their rates per minute."""
        read = [row for _, text in cdr_in([line], *span(28), 7, 200) for row in csv.reader([text])]
        answered = [(int(row[7]), Decimal(row[20])) for row in read if row[3] == "Completed"]
        priced = [(seconds, cost) for seconds, cost in answered if cost]
        assert all(not Decimal(row[20]) for row in read if row[3] == "Failed")
        rates = {(cost * 60 / seconds).quantize(Decimal("0.001")) for seconds, cost in priced if seconds > 300}
        return len(priced) / len(answered), rates

    share, rates = costs(Line("442079460000", (SIP,), metered_rate=10, metered_share=1))
    assert 0.04 < share < 0.09
    assert rates == {Decimal("0.010")}
    share, rates = costs(Line("442079460000", (SIP,), metered_rate=10, metered_share=16))
    assert share > 0.95  # amounts that round to zero are left out
    assert rates == {Decimal("0.010")}
    assert costs(Line("442079460000", (SIP,), metered_rate=10, metered_share=0)) == (0, set())
    for where, rate in forwarded:
        assert costs(Line("442079460000", (where,)))[1] == {Decimal(rate) / 1000}
    assert costs(Line("448000000000", (SIP,), toll_free=True))[1] == {Decimal("0.018")}


def test_outbound_calls_go_to_several_countries() -> None:
    """Mostly near ones, to several kinds of networks, each at one rate."""
    read = [
        row for _, text in cdr_out([OutLine("a", "A", ("12125550100",))], *span(28), 7) for row in csv.reader([text])
    ]
    countries = Counter(row[12] for row in read)
    assert [name for name, _ in countries.most_common(2)] == ["United States", "United Kingdom"]
    assert set(countries) == {"United States", "United Kingdom", "Germany", "France", "Australia"}
    assert {row[13] for row in read} == {"Fixed", "Mobile"}
    assert len({(row[12], row[13], row[15]) for row in read}) == len({(row[12], row[13]) for row in read})
    assert all(Decimal(row[16]) == Decimal(row[15]) * int(row[8]) / 60 for row in read)


def test_simulated_calls_have_a_price_and_a_country(emulator: Emulator) -> None:
    """Like generated calls: by forwarding, by kind of number, and by the dialed prefix."""
    client = emulator.client()
    did, metered, *_ = client.dids().list().data
    group = client.did_groups().list(filter={"is_metered": True}, page=(1, 1)).data[0]
    emulator.state.seed({"dids": [{"number": "442079460123", "did_group": {"id": group.id}}]})
    trunk = client.voice_in_trunks().create(
        VoiceInTrunk(name="Mobile", configuration=PstnConfiguration(dst="447700900123"))
    )
    did.voice_in_trunk = trunk.data
    client.dids().update(did)
    emulator.clock.freeze("2026-03-20T15:00:00Z")
    (forwarded,) = emulator.calls.inbound(did.number, duration="2 min")
    (plain,) = emulator.calls.inbound(metered.number, duration="2 min")
    (missed,) = emulator.calls.inbound("442079460123", duration=0)
    (counted,) = emulator.calls.inbound("442079460123", duration="2 min")
    assert (forwarded.charged, plain.charged, missed.charged) == ("0.048", "0.000", "0.000")
    assert Decimal(counted.charged) > 0
    out = outbound(client, "Sales")
    for destination in ("12125550100", "447700900000", "493023125000", "353209100001", "999"):
        emulator.calls.outbound(out.id, destination=destination)
    emulator.clock.freeze(START)
    row = next(row for row in rows(emulator, create_export(emulator)) if row["Call ID"] == forwarded.call_id)
    assert (row["Voice IN Trunk"], row["Destination"]) == ("Mobile", "447700900123")
    assert (row["PSTN (USD)"], row["Total (USD)"]) == ("0.048", "0.048")
    placed = [
        row
        for row in rows(emulator, create_export(emulator, "cdr_out"))
        if row["Date/Time Start (UTC)"] == "2026-03-20 15:00:00"
    ]
    assert {row["Destination Number"]: (row["Destination Country"], row["Network"]) for row in placed} == {
        "12125550100": ("United States", "Fixed"),
        "447700900000": ("United Kingdom", "Mobile"),
        "493023125000": ("Germany", "Fixed"),
        "353209100001": ("Ireland", ""),
        "999": ("", ""),
    }


def outbound(client: DidwwClient, name: str, **fields: Any) -> VoiceOutTrunk:
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"])
    trunk = VoiceOutTrunk(name=name, on_cli_mismatch_action="reject_call", authentication_method=method, **fields)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    return client.voice_out_trunks().create(trunk).data


def test_outbound_exports_have_the_calls_of_the_trunks(emulator: Emulator) -> None:
    """Billed by the minute at the rate of the destination."""
    client = emulator.client()
    dids = client.dids().list().data
    sales, _ = outbound(client, "Sales", dids=dids[:1]), outbound(client, "Support")
    read = rows(emulator, create_export(emulator, "cdr_out"))
    assert {row["Voice OUT Trunk"] for row in read} == {"Sales", "Support"}
    assert {row["CLI"] for row in read if row["Voice OUT Trunk"] == "Sales"} == {dids[0].number}
    for row in read:
        billed = int(row["Billing Duration (sec)"])
        assert billed % 60 == 0
        assert 0 <= billed - int(row["Call Duration (sec)"]) < 60
        assert Decimal(row["Charged (USD)"]) == Decimal(row["Rate (USD)"]) * billed / 60
    narrowed = rows(emulator, create_export(emulator, "cdr_out", **{"voice_out_trunk.id": sales.id}))
    assert narrowed == [row for row in read if row["Voice OUT Trunk"] == "Sales"]
    assert rows(emulator, create_export(emulator, "cdr_out", **{"voice_out_trunk.id": UNKNOWN})) == []


@pytest.mark.parametrize(
    ("requested", "status", "part"),
    [
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=100-199", 206, slice(100, 200)),
        ("bytes=-50", 206, slice(-50, None)),
        ("bytes=100-99999999999", 206, slice(100, None)),
        ("bytes=99999999999-", 416, None),
        ("bytes=5-3", 200, slice(0, None)),
        ("Bytes=0-9", 206, slice(0, 10)),
        ("bytes=-0", 416, None),
        ("bytes=-", 200, slice(0, None)),
        ("bytes=0-1,5-6", 200, slice(0, None)),
        ("rows=0-1", 200, slice(0, None)),
        ("bytes=x", 200, slice(0, None)),
    ],
)
@pytest.mark.slow
@pytest.mark.unchecked
def test_export_files_support_ranges(emulator: Emulator, requested: str, status: int, part: slice | None) -> None:
    """206 for a valid range, 416 if it cannot be satisfied, 200 if it is malformed."""
    export = create_export(emulator)
    _, headers, whole = fetch(emulator, export)
    received_status, received, body = fetch(emulator, export, Range=requested)
    assert received_status == status
    if part is None:
        assert (received["content-range"], body) == (f"bytes */{len(whole)}", b"")
        return
    assert body == whole[part]
    assert received["etag"] == headers["etag"]
    if status == 206:
        begin, end, _ = part.indices(len(whole))
        assert received["content-range"] == f"bytes {begin}-{end - 1}/{len(whole)}"
        assert received["content-length"] == str(len(body))


@pytest.mark.unchecked
def test_if_range_of_another_file_returns_the_whole_file(emulator: Emulator) -> None:
    """The ETag of another export does not match."""
    export = create_export(emulator)
    other = create_export(emulator, did_number=emulator.client().dids().list().data[0].number)
    _, headers, whole = fetch(emulator, export)
    assert fetch(emulator, export, Range="bytes=10-", If_Range=headers["etag"])[0] == 206
    _, others, _ = fetch(emulator, other)
    assert others["etag"] != headers["etag"]
    status, received, body = fetch(emulator, export, Range="bytes=10-", If_Range=others["etag"])
    assert (status, received["etag"], body) == (200, headers["etag"], whole)


@pytest.mark.unchecked
def test_file_does_not_change_after_completion(emulator: Emulator) -> None:
    """Later numbers, calls and rates change later exports only."""
    client = emulator.client()
    export = create_export(emulator)
    _, headers, whole = fetch(emulator, export)
    client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Desk"))
    did = client.dids().list().data[0]
    emulator.calls.inbound(did.number)
    emulator.calls.rate(9)
    client.dids().delete(did)
    assert fetch(emulator, export)[2] == whole
    assert fetch(emulator, export, Range="bytes=10-", If_Range=headers["etag"])[0] == 206
    assert fetch(emulator, create_export(emulator))[2] != whole


def test_export_files_need_the_key_and_expire_after_a_month(emulator: Emulator) -> None:
    """401 without a key, 404 for other accounts; after a month the export is gone, too."""
    export = create_export(emulator)
    assert emulator.exchange(Request("GET", str(export.url), {}))[0].status == 401
    stranger, _ = emulator.exchange(Request("GET", str(export.url), {"Api-Key": "another"}))
    assert (stranger.status, stranger.body) == (404, b"")
    emulator.clock.advance("31 days")
    gone, _ = emulator.exchange(Request("GET", str(export.url), {"Api-Key": emulator.key}))
    assert (gone.status, gone.body) == (404, b"")
    with pytest.raises(NotFoundError):
        emulator.client().exports().find(export.id)


@pytest.mark.parametrize(
    ("kind", "filters", "message"),
    [
        ("cdr_in", {"from": "2025-12-31 23:59:59"}, "from must be within the current and 2 previous months"),
        ("cdr_in", {"to": "2026-03-25 13:00:00"}, "to not valid"),
        ("cdr_in", {"from": "2026-03-25 00:00:00"}, "from not valid"),
        ("cdr_in", {"from": "soon"}, "from not valid"),
    ],
)
def test_invalid_export_periods_return_422(
    emulator: Emulator, kind: str, filters: dict[str, str], message: str
) -> None:
    """It must be within this month and the two before, not in the future and not empty."""
    with pytest.raises((ValidationError, ValueError), match=message.split(maxsplit=1)[0]):
        create_export(emulator, kind, **filters)
    body = {"data": {"type": "exports", "attributes": {"export_type": kind, "filters": {**MONTH, **filters}}}}
    from support.api_caller import Caller

    error = Caller(emulator.engine, emulator.key).error("POST", "/exports", body)
    assert error["title"] == message
    assert error["source"] == {"pointer": "/data/attributes/filters"}


def test_simulated_calls_appear_in_exports(emulator: Emulator) -> None:
    """They are listed with the generated ones and count toward the trunk's threshold."""
    client = emulator.client()
    number = client.dids().list().data[0].number
    trunk = outbound(client, "Sales", threshold_amount=Decimal("0.05"))
    before = {row["Call ID"] for row in rows(emulator, create_export(emulator))}
    emulator.clock.freeze("2026-03-20T15:00:00Z")
    placed = emulator.calls.inbound(number, count=3, source="447700900001", duration="2 min")
    missed = emulator.calls.inbound(number, duration=0, code="486")
    out = emulator.calls.outbound(trunk.id, count=8, duration=90, rate="0.01")
    emulator.clock.freeze(START)
    read = {row["Call ID"]: row for row in rows(emulator, create_export(emulator))}
    assert set(read) == before | {call.call_id for call in (*placed, *missed)}
    row = read[placed[0].call_id]
    assert (row["Source"], row["Duration (sec)"], row["Status"]) == ("447700900001", "120", "Completed")
    assert read[missed[0].call_id]["Disconnect Code"] == "486"
    assert len(out) == 3  # 0.02 each: blocked at 0.05
    blocked_trunk = client.voice_out_trunks().find(trunk.id).data
    assert (blocked_trunk.status, blocked_trunk.threshold_reached) == ("blocked", True)
    assert emulator.calls.outbound(trunk.id) == []
    starts = [row["Date/Time Start (UTC)"] for row in rows(emulator, create_export(emulator, "cdr_out"))]
    assert starts == sorted(starts)
    for wrong in (lambda: emulator.calls.inbound("1"), lambda: emulator.calls.outbound("1")):
        with pytest.raises(LookupError):
            wrong()
    for wrong in (
        lambda: emulator.calls.inbound(number, count=0),
        lambda: emulator.calls.inbound(number, duration="soon"),
        lambda: emulator.calls.rate(-1),
        lambda: emulator.calls.rate(float("nan")),
    ):
        with pytest.raises(ValueError, match=r".+"):
            wrong()


@pytest.mark.unchecked
@pytest.mark.slow
def test_large_files_are_streamed_and_resumable(tmp_path: Path) -> None:
    """In chunks without a length, not in memory; an interrupted download can continue."""
    with Emulator(clock=Clock(START, running=False)) as emulator, emulator.client(max_retries=3) as client:
        emulator.state.seed({"dids": [{"number": f"121255501{n:02}"} for n in range(40)]})
        emulator.calls.rate(100)
        export = create_export(emulator)
        response, _ = emulator.exchange(Request("GET", str(export.url), {"Api-Key": emulator.key}))
        assert isinstance(response, Streamed)
        assert "content-length" not in response.headers
        whole = client.download_export(export, tmp_path / "whole.csv.gz").read_bytes()
        assert len(whole) > 2 << 20
        emulator.faults.add(path="/exports/*", cut=700_000, times=2)
        emulator.faults.add(path="/exports/*", cut=0, times=1)
        broken = client.download_export(export, tmp_path / "broken.csv.gz").read_bytes()
        assert broken == whole
        assert [rule.hits for rule in emulator.faults.rules()] == [2, 1]
        assert gzip.decompress(whole).count(b"\n") > 60_000


def test_concurrent_downloads_share_a_file() -> None:
    """Readers at different positions get the same bytes; the file is generated once."""
    generated: list[int] = []

    def lines() -> Iterator[str]:
        for n in range(60_000):
            generated.append(n)
            yield f"{n},{n * 7919 % 10007},some text to be packed\n"

    file = ExportFile(lines())
    assert file.size(1000) is None
    bodies: dict[int, bytes] = {}

    def read(who: int) -> None:
        body = b""
        while chunk := file.read(len(body), 1000 + who * 777):
            body += chunk
            time.sleep(0)
        bodies[who] = body

    threads = [threading.Thread(target=read, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(bodies.values())) == 1
    assert len(generated) == 60_000
    assert file.size() == len(bodies[0])
    assert gzip.decompress(bodies[0]).startswith(b"0,0,some text")


def test_download_errors_have_no_body() -> None:
    """401 and 404 of a download; other errors of the type have one."""
    with Emulator() as emulator:
        nobody, somebody = (Caller(emulator.engine, key) for key in (None, emulator.key))
        path = "/exports/8d1a3c5e-0000-4000-8000-000000000001.csv.gz"
        response = nobody.send("GET", path)
        assert (response.status, response.body) == (401, b"")
        response = somebody.send("GET", path)
        assert (response.status, response.body) == (404, b"")
        assert nobody.error("GET", "/exports")["status"] == "401"


@pytest.mark.parametrize(
    ("export_type", "more"),
    [
        ("cdr_in", {"voice_out_trunk.id": "8d1a3c5e-0000-4000-8000-000000000001"}),
        ("cdr_out", {"did_number": "442079460000"}),
        ("cdr_in", {"year": "2026"}),
        ("cdr_out", {"country": "GB"}),
    ],
)
def test_unknown_export_filters_return_422(export_type: str, more: dict[str, str]) -> None:
    """Only the period and the one filter of each type are allowed."""
    with Emulator(clock=Clock(datetime(2026, 3, 15, tzinfo=UTC), running=False)) as emulator:
        filters = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00", **more}
        body = document("exports", export_type=export_type, filters=filters)
        error = Caller(emulator.engine, emulator.key).error("POST", "/exports", body)
        assert (error["status"], error["source"]["pointer"]) == ("422", "/data/attributes/filters")


@pytest.mark.parametrize(
    ("attributes", "field"),
    [
        ({"callback_url": "https://hooks.example.com/didww"}, "callback_method"),
        ({"callback_method": "post"}, "callback_url"),
        ({"callback_url": "ftp://hooks.example.com/", "callback_method": "post"}, "callback_url"),
    ],
)
def test_callback_needs_a_url_and_a_method(attributes: dict[str, str], field: str) -> None:
    """One without the other is rejected, and so are schemes other than HTTP and HTTPS."""
    with Emulator(clock=Clock(datetime(2026, 3, 15, tzinfo=UTC), running=False)) as emulator:
        filters = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}
        body = document("exports", export_type="cdr_in", filters=filters, **attributes)
        error = Caller(emulator.engine, emulator.key).error("POST", "/exports", body)
        assert (error["status"], error["source"]["pointer"]) == ("422", f"/data/attributes/{field}")


def test_columns_of_an_export_belong_to_the_version_that_created_it(emulator: Emulator, tmp_path: Path) -> None:
    old, new = (emulator.client(api_version=version) for version in ("2026-04-16", "2026-11-19"))
    files: dict[str, list[dict[str, str]]] = {}
    for name, client in (("old", old), ("new", new)):
        export = client.exports().create(Export(export_type="cdr_in", filters={**MONTH})).data
        emulator.clock.advance(1)
        texts = set()
        for reader in (old, new):  # whoever downloads it
            url = reader.exports().find(export.id).data
            texts.add(reader.download_and_decompress_export(url, tmp_path / name).read_text("utf-8"))
        (text,) = texts
        files[name] = list(csv.DictReader(io.StringIO(text)))
    assert files["old"]
    assert len(files["old"]) == len(files["new"])
    for before, after in zip(files["old"], files["new"], strict=True):
        assert list(after)[4:8] == ["Source Number", "Source Number Out", "Source Country", "Source Network"]
        source = before.pop("Source")
        assert after.pop("Source Number") == after.pop("Source Number Out") == source
        assert after.pop("Source Country")
        assert after.pop("Source Network")
        assert after == before
