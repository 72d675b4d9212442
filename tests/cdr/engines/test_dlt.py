"""The dlt source: calls from files and from the service in DuckDB and PostgreSQL, each once."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from didww.cdr import CallDataset, InboundCall, OutboundCall, read_calls
from didww.cdr.dlt_source import calls
from didww.emulator.data.cdr import CDR_IN_COLUMNS, CDR_OUT_COLUMNS, Attempt, Line, OutLine, cdr_in, cdr_out
from support.postgres import postgres_server

dlt = pytest.importorskip("dlt", reason="needs dlt: pip install --group engines")
pytestmark = pytest.mark.slow

START = datetime(2026, 9, 1, tzinfo=UTC)
LINES = [Line("442079460001", (Attempt('Front, "desk"', "sip:desk@sip.example.com"),), toll_free=True)]
TRUNKS = [OutLine("1", "Dialer", ("442079460001",))]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the machine."""
    monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
    monkeypatch.setenv("RUNTIME__LOG_LEVEL", "ERROR")


@pytest.fixture(scope="module")
def postgres_address() -> Iterator[str]:
    with postgres_server() as address:
        yield address


@pytest.fixture(params=["duckdb", "postgres"])
def pipeline(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A pipeline with an empty destination."""
    if request.param == "duckdb":
        destination = dlt.destinations.duckdb(str(tmp_path / "calls.duckdb"))
    else:
        destination = dlt.destinations.postgres(request.getfixturevalue("postgres_address"))
    return dlt.pipeline(
        f"p{abs(hash(tmp_path))}",
        destination=destination,
        dataset_name=f"d{abs(hash(tmp_path))}",
        pipelines_dir=str(tmp_path / "pipelines"),
    )


def query(pipeline: Any, text: str) -> list[tuple[Any, ...]]:
    with pipeline.sql_client() as client:
        return [tuple(row) for row in client.execute_sql(text)]


def export(path: Path, start: datetime, days: float, *, outbound: bool = False) -> Path:
    """Write an export as the service does."""
    end = start + timedelta(days=days)
    lines = cdr_out(TRUNKS, start, end, 7) if outbound else cdr_in(LINES, start, end, 7)
    names = CDR_OUT_COLUMNS if outbound else CDR_IN_COLUMNS
    text = ",".join(names) + "\n" + "".join(line for _, line in lines)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    return path


def expected(folder: Path, cls: type[Any]) -> tuple[int, Decimal]:
    """Number and cost of the different records in exports of a class."""
    costs: dict[Any, Decimal] = {}
    for path in sorted(folder.glob("out*.csv.gz" if cls is OutboundCall else "in*.csv.gz")):
        for call in read_calls(path, cls):
            costs[call.call_id, getattr(call, "attempt", None)] = call.cost
    return len(costs), sum(costs.values(), Decimal(0))


def totals(pipeline: Any, table: str) -> tuple[int, Decimal | None]:
    ((rows, cost),) = query(pipeline, f"SELECT count(*), sum(cost) FROM {table}")
    return rows, cost


def test_folder_of_exports(pipeline: Any, tmp_path: Path) -> None:
    """Exports that overlap are loaded to the last cent; another load reads only what is new."""
    folder = tmp_path / "exports"
    folder.mkdir()
    export(folder / "in-1.csv.gz", START, 3)
    export(folder / "in-2.csv.gz", START + timedelta(days=2), 2)
    export(folder / "out.csv.gz", START, 1, outbound=True)
    pipeline.run(calls(folder, account="main"))
    assert totals(pipeline, "inbound_calls") == expected(folder, InboundCall)
    assert totals(pipeline, "outbound_calls") == expected(folder, OutboundCall)
    rows = totals(pipeline, "inbound_calls")[0]
    # An older file that comes later is loaded, too; a file that has grown is read again.
    export(folder / "in-0.csv.gz", START - timedelta(days=2), 2)
    export(folder / "in-2.csv.gz", START + timedelta(days=2), 4)
    pipeline.run(calls(folder, account="main"))
    assert totals(pipeline, "inbound_calls") == expected(folder, InboundCall)
    assert totals(pipeline, "inbound_calls")[0] > rows
    assert pipeline.run(calls(folder, account="main")).loads_ids == []


def test_types(pipeline: Any, tmp_path: Path) -> None:
    """Amounts are exact, times are in UTC, and values come as they are in the file."""
    path = export(tmp_path / "in.csv.gz", START, 2)
    pipeline.run(calls(path, account="main"))
    (row,) = query(
        pipeline,
        "SELECT account, time_start, duration, trunk, toll_free, cost, call_id, attempt, extra, record_key, source_country"
        " FROM inbound_calls WHERE duration > 0 ORDER BY time_start LIMIT 1",
    )
    first = next(row for row in read_rows(path) if row["duration"])
    assert row[1].utcoffset() is not None  # PostgreSQL shows times in its own zone
    assert row == (
        "main",
        first["time_start"],
        first["duration"],
        'Front, "desk"',
        first["toll_free"],
        first["cost"],
        first["call_id"],
        1,
        None,
        f"{first['call_id']}/1",
        None,
    )
    assert isinstance(row[4], Decimal)
    columns = query(
        pipeline,
        "SELECT column_name, data_type, numeric_precision, numeric_scale FROM information_schema.columns"
        f" WHERE table_name = 'inbound_calls' AND table_schema = '{pipeline.dataset_name}' AND column_name IN ('cost', 'time_start')",
    )
    assert [(name, kind.lower().split("(")[0], scale) for name, kind, _, scale in sorted(columns)] in (
        [("cost", "decimal", 9), ("time_start", "timestamp with time zone", None)],
        [("cost", "numeric", 9), ("time_start", "timestamp with time zone", None)],
    )


def read_rows(path: Path) -> list[dict[str, Any]]:
    from didww.cdr.convert import arrow_batches

    return [row for batch in arrow_batches(path) for row in batch.to_pylist()]


def test_records_without_a_call_id(pipeline: Any, tmp_path: Path) -> None:
    """Equal records without a call ID are all loaded, and none is doubled when the file is loaded again."""
    row = dict.fromkeys(CDR_IN_COLUMNS, "")
    row["Date/Time Start (UTC)"] = "2026-09-01 10:00:00"
    other = {**row, "Source": "12025550101"}
    text = "\n".join([",".join(CDR_IN_COLUMNS), *(",".join(each.values()) for each in (row, other, row, row))])
    for name in ("a.csv", "b.csv"):  # the same export twice
        path = tmp_path / name
        path.write_text(text + "\n", "utf-8")
        pipeline.run(calls(each for each in [path]))
    assert query(pipeline, "SELECT source, count(*) FROM inbound_calls GROUP BY source ORDER BY count(*)") == [
        ("12025550101", 1),
        (None, 3),
    ]
    assert query(pipeline, "SELECT count(*) FROM inbound_calls WHERE record_key LIKE 'row:%'") == [(4,)]


def test_dataset(pipeline: Any, tmp_path: Path) -> None:
    """A dataset is loaded with its accounts; later loads add what was appended since."""
    dataset = CallDataset(tmp_path / "calls")
    dataset.append(export(tmp_path / "1.csv.gz", START, 2), account="a")
    dataset.append(export(tmp_path / "2.csv.gz", START, 1), account="b")
    pipeline.run(calls(dataset))
    dataset.append(export(tmp_path / "3.csv.gz", START, 3), account="b")
    pipeline.run(calls(tmp_path / "calls"))
    found = query(pipeline, "SELECT account, count(*), sum(cost) FROM inbound_calls GROUP BY account ORDER BY account")
    assert found == [
        tuple(row)
        for row in dataset.sql(
            "SELECT account, count(*), sum(cost) FROM calls GROUP BY account ORDER BY account"
        ).fetchall()
    ]


def test_period(tmp_path: Path) -> None:
    """`start` is inclusive and `end` is not; another period reads the files again."""
    path = export(tmp_path / "in.csv.gz", START, 3)
    times = sorted(row["time_start"] for row in read_rows(path))
    pipeline = dlt.pipeline(
        "period", destination=dlt.destinations.duckdb(str(tmp_path / "x.duckdb")), pipelines_dir=str(tmp_path / "p")
    )
    pipeline.run(calls(path, start=times[2], end=times[5]))
    assert totals(pipeline, "inbound_calls")[0] == sum(times[2] <= time < times[5] for time in times)
    pipeline.run(calls(path, start=times[2]))
    assert totals(pipeline, "inbound_calls")[0] == sum(times[2] <= time for time in times)
