"""The dlt source over a client: each load goes on where the last one ended, and nothing is missing or doubled."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from didww import (
    CredentialsAndIpAuthenticationMethod,
    ExportType,
    InvalidValueError,
    OnCliMismatchAction,
    VoiceOutTrunk,
)
from didww.cdr.dlt_source import calls
from support.fetching import NOW, Account, total

dlt = pytest.importorskip("dlt", reason="needs dlt: pip install --group engines")
pytestmark = pytest.mark.slow

START = datetime(2026, 10, 30, 6, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the machine."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "ERROR")


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def pipeline(tmp_path: Path) -> Any:
    return dlt.pipeline(
        "didww",
        destination=dlt.destinations.duckdb(str(tmp_path / "warehouse.duckdb")),
        dataset_name="didww",
        pipelines_dir=str(tmp_path / "pipelines"),
    )


def loaded(pipeline: Any, table: str = "inbound_calls") -> tuple[int, Decimal]:
    with pipeline.sql_client() as client:
        ((rows, cost),) = client.execute_sql(f"SELECT count(*), sum(cost) FROM {table}")
    return rows, cost


def generated(account: Account, kind: str, end: datetime, **options: Any) -> tuple[int, Decimal]:
    lines: Counter[str] = account.generated(kind, START, end, **options)
    return lines.total(), total(lines, 20 if kind == "cdr_in" else 16)


def test_loads_go_on_where_the_last_one_ended(account: Account, pipeline: Any) -> None:
    """Three loads, some days apart, have every call once, to the last cent; only what is new is exported."""
    pipeline.run(calls(account.client, start=START))
    assert loaded(pipeline) == generated(account, "cdr_in", NOW)
    account.emulator.clock.advance(timedelta(hours=5))
    pipeline.run(calls(account.client, start=START))
    account.emulator.clock.advance(timedelta(days=6))
    pipeline.run(calls(account.client, start=START))
    assert loaded(pipeline) == generated(account, "cdr_in", NOW + timedelta(days=6, hours=5))
    exports = [*account.client.exports().iterate(filter={})]
    inbound = sorted(
        (export.filters["from"], export.filters["to"]) for export in exports if export.export_type == ExportType.CDR_IN
    )
    assert len(inbound) == 2 + 1 + 2  # two months; one load; two months again
    assert inbound[2][0] > "2026-11-25"


def test_calls_of_a_number(account: Account, pipeline: Any) -> None:
    """A filter selects the calls to a number; the account is in a column."""
    number = account.numbers[0]
    pipeline.run(calls(account.client, start=START, did_number=number, account="main"))
    assert loaded(pipeline) == generated(account, "cdr_in", NOW, number=number)
    with pipeline.sql_client() as client:
        assert client.execute_sql("SELECT DISTINCT account, did_number FROM inbound_calls") == [("main", number)]


def test_quiet_account_leaves_no_gap(account: Account, pipeline: Any) -> None:
    """Without calls, the place to go on still advances, so that the service does not refuse it months later."""
    account.emulator.calls.rate(0)
    pipeline.run(calls(account.client, start=START))
    assert loaded(pipeline) == loaded(pipeline, "outbound_calls") == (0, None)  # the tables are there
    for _ in range(3):
        account.emulator.clock.advance(timedelta(days=40))
        pipeline.run(calls(account.client, start=START).with_resources("inbound_calls"))
    source = calls(account.client, start=START)
    account.emulator.clock.advance(timedelta(days=100))
    with pytest.raises(Exception, match="start must be within what the service has"):
        pipeline.run(source)


def test_failed_load_is_repeated(account: Account, pipeline: Any) -> None:
    """A load that fails changes nothing; the next one has what it would have had."""
    pipeline.run(calls(account.client, start=START))
    account.emulator.clock.advance(timedelta(days=2))
    account.emulator.faults.add(path="/exports", status=403)
    with pytest.raises(Exception, match="403"):
        pipeline.run(calls(account.client, start=START))
    account.emulator.faults.clear()
    assert loaded(pipeline) == generated(account, "cdr_in", NOW)
    pipeline.run(calls(account.client, start=START))
    assert loaded(pipeline) == generated(account, "cdr_in", NOW + timedelta(days=2))


def test_outbound_calls(account: Account, pipeline: Any) -> None:
    """Calls over outbound trunks are in a table of their own, or only those of one trunk."""
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.0/24"])
    action = OnCliMismatchAction.REJECT_CALL
    names = ("Office", "Dialer")
    office, _ = (
        account.client.voice_out_trunks()
        .create(VoiceOutTrunk(name=name, authentication_method=method, on_cli_mismatch_action=action))
        .data
        for name in names
    )
    pipeline.run(calls(account.client, start=START, voice_out_trunk=office).with_resources("outbound_calls"))
    assert loaded(pipeline, "outbound_calls") == generated(account, "cdr_out", NOW, trunk=office)
    pipeline.run(calls(account.client, start=START).with_resources("outbound_calls"))
    assert loaded(pipeline, "outbound_calls") == generated(account, "cdr_out", NOW)


def test_accounts_go_on_separately(account: Account, pipeline: Any) -> None:
    """A second account in the same pipeline is loaded from its start, not from where the first one ended."""
    pipeline.run(calls(account.client, start=START, account="a"))
    pipeline.run(calls(account.client, start=START, account="b"))
    with pipeline.sql_client() as client:
        found = client.execute_sql("SELECT account, count(*) FROM inbound_calls GROUP BY account ORDER BY account")
    rows = generated(account, "cdr_in", NOW)[0]
    assert [tuple(row) for row in found] == [("a", rows), ("b", rows)]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "start"),
        ({"start": datetime(2026, 10, 1)}, "start"),
        ({"start": "2026-10-01"}, "start"),
        ({"start": START, "end": START}, "start"),
        ({"start": START, "end": "now"}, "end"),
        ({"start": START, "overlap": timedelta(-1)}, "overlap"),
    ],
)
def test_wrong_arguments(account: Account, arguments: Any, field: str) -> None:
    """Errors name the argument, before anything is requested."""
    with pytest.raises(InvalidValueError) as caught:
        calls(account.client, **arguments)
    assert caught.value.field == field
    assert account.posts() == 0


def test_filters_are_for_clients(tmp_path: Path) -> None:
    """Files have no filters, and other sources are refused."""
    with pytest.raises(InvalidValueError, match="did_number is only for a source that is a client"):
        calls(tmp_path, did_number="442079460001")
    with pytest.raises(InvalidValueError, match="source must be a DidwwClient, a dataset, or paths"):
        calls(5)  # type: ignore[arg-type]
