"""Tables for dlt, which need no dlt: keys, columns, and the files of a source."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from didww import InvalidValueError
from didww.cdr import CallDataset, InboundCall, OutboundCall
from didww.cdr.dlt_source import calls
from didww.cdr.dlt_tables import call_files, empty_table, tables
from didww.cdr.schema import arrow_schema
from didww.emulator.data.cdr import CDR_IN_COLUMNS, CDR_OUT_COLUMNS
from didww.resources.call import columns_of

START = datetime(2026, 9, 1, tzinfo=UTC)


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"time_start": START, **row} for row in rows], schema=arrow_schema())


def keys(*batches: pa.RecordBatch) -> list[str]:
    return [key for table in tables(batches, InboundCall, "a", None, None) for key in table["record_key"].to_pylist()]


def test_key_is_call_id_and_attempt() -> None:
    """Attempts of a call differ; outbound calls have no attempt."""
    assert keys(batch({"call_id": "x", "attempt": 1}, {"call_id": "x", "attempt": 2}, {"call_id": "y"})) == [
        "x/1",
        "x/2",
        "y/",
    ]


def test_key_without_a_call_id() -> None:
    """A digest of all values, numbered among equal ones over all batches of the file, and the same in each load."""
    one, other = {"source": "1", "cost": Decimal("0.1")}, {"source": "1", "cost": Decimal("0.2")}
    first = keys(batch(one, other, one), batch(one))
    digests = [key.rpartition("/") for key in first]
    assert [number for _, _, number in digests] == ["1", "1", "2", "3"]
    assert digests[0][0] == digests[2][0] == digests[3][0] != digests[1][0]
    assert all(key.startswith("row:") for key in first)
    assert keys(batch(one, one), batch(other, {"call_id": "x"}, one)) == [
        first[0],
        first[2],
        first[1],
        "x/",
        first[3],
    ]


def test_key_without_a_call_id_in_a_dataset(tmp_path: Path) -> None:
    """Equal records of a dataset are different ones, in whatever files they are; keys are the same in each load."""
    dataset = CallDataset(tmp_path)
    record = InboundCall(START, source="1")
    assert [dataset.append([record] * number).rows for number in (1, 2, 2, 4)] == [1, 1, 0, 2]

    def load() -> list[str]:
        return [
            key
            for file in call_files(tmp_path, InboundCall)
            for table in tables(file.batches(), InboundCall, "a", None, None, file.part)
            for key in table["record_key"].to_pylist()
        ]

    assert len(set(load())) == 4
    assert load() == load()


@pytest.mark.parametrize("cls", [InboundCall, OutboundCall])
def test_columns_are_those_of_the_class(cls: Any) -> None:
    """The key and the account come first; types are those of a dataset; what must not be null is marked."""
    (table,) = tables([batch({"call_id": "x"})], cls, "main", None, None)
    assert table.schema == empty_table(cls).schema
    assert table.column_names == ["record_key", "account", *(item.attribute for item in columns_of(cls)), "extra"]
    assert [field.name for field in table.schema if not field.nullable] == ["record_key", "account", "time_start"]
    assert table["account"].to_pylist() == ["main"]


def test_period() -> None:
    """`start` is inclusive, `end` is exclusive; a batch with nothing left is dropped."""
    rows = [{"call_id": str(minute), "time_start": START + timedelta(minutes=minute)} for minute in range(4)]
    first, last = START + timedelta(minutes=1), START + timedelta(minutes=3)
    found = [*tables([batch(*rows), batch(rows[3])], InboundCall, "a", first, last)]
    assert [table["call_id"].to_pylist() for table in found] == [["1", "2"]]


def test_files_of_a_source(tmp_path: Path) -> None:
    """The header of an export tells its type; a folder with a dataset is read as one."""
    (tmp_path / "in.csv").write_text(",".join(CDR_IN_COLUMNS) + "\n", "utf-8")
    (tmp_path / "out.csv").write_text(",".join(CDR_OUT_COLUMNS) + "\n", "utf-8")
    assert [Path(file.name).name for file in call_files(tmp_path, InboundCall)] == ["in.csv"]
    assert [Path(file.name).name for file in call_files([tmp_path / "out.csv"], OutboundCall)] == ["out.csv"]
    dataset = CallDataset(tmp_path / "calls")
    dataset.append([InboundCall(START, call_id="x"), OutboundCall(START, call_id="y")], account="main")
    for source in (dataset, tmp_path / "calls", str(tmp_path / "calls")):
        (file,) = call_files(source, InboundCall)
        assert file.account == "main"
        assert file.name.startswith("/account=main/direction=inbound/month=2026-09/")
        assert [row["call_id"] for part in file.batches() for row in part.to_pylist()] == ["x"]


def test_missing_dlt_is_advice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without dlt, the error says what to install."""
    monkeypatch.setitem(sys.modules, "dlt", None)
    with pytest.raises(InvalidValueError, match=r'pip install "didww-sdk\[dlt\]"'):
        calls(tmp_path)
