"""Reader of call records: what exports contain is read back, of each direction and version of the API."""

from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import CallFileError, InboundCall, OutboundCall, RejectedRow, read_calls
from didww.emulator.data.cdr import (
    CDR_IN_COLUMNS,
    CDR_OUT_COLUMNS,
    Attempt,
    Line,
    OutLine,
    cdr_in,
    cdr_out,
    csv_line,
    with_split_source,
)
from didww.enums import CallStatus, DisconnectInitiator
from didww.resources.call import columns_of
from support.hypothesis_profiles import law

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from didww.resources.call import CallRecord

LINES = [
    Line("442079460001", (Attempt("Trunk, main", "sip:desk@sip.example.com"),), 'Group "A"', "", 10, True),
    Line("442079460002", (Attempt("A", "sip:a@sip.example.com"), Attempt("B", "12125550100", True)), "", "Shared"),
    Line("442079460003"),
]
OUT_LINES = [OutLine("1", 'Trunk "out"', ("442079460001", "")), OutLine("2", "Second\nline", ())]
START = datetime(2026, 11, 1, tzinfo=UTC)


def export(cls: type[CallRecord], version: str, seed: int, days: int = 2) -> list[str]:
    """The lines of an export of generated calls."""
    end = datetime(2026, 11, 1 + days, tzinfo=UTC)
    if cls is InboundCall:
        rows = [csv_line(CDR_IN_COLUMNS), *(text for _, text in cdr_in(LINES, START, end, seed, 40))]
        return list(with_split_source(rows)) if version == "2026-11-19" else rows
    return [csv_line(CDR_OUT_COLUMNS), *(text for _, text in cdr_out(OUT_LINES, START, end, seed, 10))]


def utc(cell: str) -> datetime:
    return datetime.fromisoformat(f"{cell}+00:00")


def plainly(cls: type[CallRecord], lines: Iterable[str]) -> list[dict[str, Any]]:
    """The values of an export, converted one by one from the cells of the standard library's reader."""
    convert: dict[type, Any] = {datetime: utc}
    found: list[dict[str, Any]] = []
    for row in csv.DictReader(io.StringIO("".join(lines), newline="")):
        values: dict[str, Any] = {}
        for attribute, kind, _, column in columns_of(cls):
            cell = next((row[name] for name in column.names if name in row), "")
            values[attribute] = convert.get(kind, kind)(cell) if cell else None
        found.append(values)
    return found


@law(12)
@given(
    cls=st.sampled_from([InboundCall, OutboundCall]),
    version=st.sampled_from(["2026-04-16", "2026-11-19"]),
    seed=st.integers(0, 1 << 32),
)
def test_generated_exports_are_read_back(
    cls: type[CallRecord], version: str, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Every value of every row, compressed or not."""
    lines = export(cls, version, seed)
    expected = plainly(cls, lines)
    assert expected
    folder = tmp_path_factory.mktemp("exports")
    (folder / "calls.csv").write_bytes("".join(lines).encode())
    (folder / "calls.csv.gz").write_bytes(gzip.compress("".join(lines).encode()))
    for name in ("calls.csv", "calls.csv.gz"):
        records = list(read_calls(folder / name))
        assert [type(record) for record in records] == [cls] * len(expected)
        names = [attribute for attribute, *_ in columns_of(cls)]
        assert [{name: getattr(record, name) for name in names} for record in records] == expected
        assert not any(record.extra for record in records)


def test_rejected_rows_are_kept(tmp_path: Path) -> None:
    """Reading goes on behind them."""
    good = "2026-11-01 00:00:00,,,Failed,,,442079460001,0,1,404,,System,,,,,0,0,0,0,0.003,abc\n"
    path = tmp_path / "calls.csv"
    path.write_text(csv_line(CDR_IN_COLUMNS) + good + good.replace(",1,404", ",one,404") + good)
    rejects: list[RejectedRow] = []
    records = list(read_calls(path, InboundCall, rejects=rejects))
    assert [record.cost for record in records] == [Decimal("0.003")] * 2
    assert (records[0].status, records[0].disconnect_initiator) == (CallStatus.FAILED, DisconnectInitiator.SYSTEM)
    assert [(row.line, row.column) for row in rejects] == [(3, "Attempt")]
    assert rejects[0].text == good.replace(",1,404", ",one,404").strip()
    with pytest.raises(CallFileError, match="line 3, column 'Attempt'"):
        list(read_calls(path))
