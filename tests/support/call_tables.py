"""Arrow tables of call records for the tests of answers: generated, and drawn by hypothesis."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from hypothesis import strategies as st

from didww.cdr.schema import DIRECTIONS, PARTITIONS, arrow_schema
from didww.emulator.data.cdr import Attempt, Line, OutLine, cdr_in, cdr_out
from didww.resources.call import InboundCall, OutboundCall, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["START", "calls_of_the_emulator", "records", "table_of"]

START = datetime(2026, 10, 30, tzinfo=UTC)
LINES = [
    Line("442079460001", (Attempt("Office, main", "sip:desk@sip.example.com"),), "Group", "Shared", 10, True),
    Line("442079460002", (Attempt("office", "sip:a@sip.example.com"), Attempt("Ünit", "12125550100", True)), "Group"),
    Line("442079460003"),
]
OUT_LINES = [OutLine("1", 'Trunk "out"', ("442079460001", "")), OutLine("2", "office", ("442079460002",))]
KINDS = {datetime: lambda text: datetime.fromisoformat(f"{text}+00:00"), int: int, Decimal: Decimal}


def calls_of_the_emulator(days: int = 8, a_day: float = 12, seed: int = 1) -> pa.Table:
    """The calls of some numbers and outbound trunks, over the end of a month."""
    end = START + timedelta(days=days)
    rows: list[dict[str, Any]] = []
    generated = {
        InboundCall: cdr_in(LINES, START, end, seed, a_day),
        OutboundCall: cdr_out(OUT_LINES, START, end, seed, a_day / 4),
    }
    for cls, texts in generated.items():
        columns = [column for column in columns_of(cls) if column.column.name]
        for _, text in texts:
            for cells in csv.reader(io.StringIO(text, newline="")):
                pairs = zip(columns, cells, strict=True)
                row = {column.attribute: KINDS.get(column.type, str)(cell) for column, cell in pairs if cell}
                rows.append({**row, "direction": DIRECTIONS[cls]})
    return table_of(rows)


def table_of(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """A table with the columns of a dataset and of its folders."""
    schema = arrow_schema()
    for name in PARTITIONS:
        schema = schema.append(pa.field(name, pa.string()))
    full = [{"account": "default", "month": f"{row['time_start']:%Y-%m}", **row} for row in rows]
    return pa.Table.from_pylist(full, schema=schema)


NAMES = st.sampled_from([None, "", "A", "a", "Ä", "B 2", "b\n1", 'quote "x"', "O'Brien", "zz"])
MONEY = st.one_of(
    st.none(),
    st.sampled_from([Decimal(0), Decimal("0.003"), Decimal("0.000000001"), Decimal("123456789.123456789")]),
    st.integers(0, 10**12).map(lambda units: Decimal(units).scaleb(-9)),
)
NUMBERS = st.sampled_from([None, "442079460001", "442079460002", "12125550100", "37255501", "anonymous", "4"])
COUNTRIES = st.sampled_from([None, "United Kingdom", "France"])


@st.composite
def _record(draw: st.DrawFn) -> dict[str, Any]:
    direction = draw(st.sampled_from(["inbound", "outbound"]))
    start = START + timedelta(seconds=draw(st.integers(0, 5 * 86400)), microseconds=draw(st.sampled_from([0, 900_000])))
    connect = draw(st.none() | st.integers(0, 30).map(lambda seconds: start + timedelta(seconds=seconds)))
    talked = draw(st.none() | st.sampled_from([0, 1, 5, 6, 59, 60, 61, 3600, 90_000]))
    end = None if talked is None else (connect or start) + timedelta(seconds=talked)
    end = draw(st.sampled_from([end, None]))
    return {
        "time_start": start,
        "time_connect": connect,
        "time_end": end,
        "duration": draw(st.sampled_from([talked if connect else 0, None])),
        "source": draw(NUMBERS),
        "cli": draw(NUMBERS),
        "did_number": draw(NUMBERS) if direction == "inbound" else None,
        "destination": draw(NUMBERS),
        "source_country": draw(COUNTRIES) if direction == "inbound" else None,
        "destination_country": draw(COUNTRIES) if direction == "outbound" else None,
        "destination_network": draw(st.sampled_from([None, "Fixed", "Mobile"])),
        "disconnect_code": draw(st.sampled_from([None, "200", "486"])),
        "trunk": draw(NAMES),
        "trunk_group": draw(NAMES),
        "capacity_group": draw(NAMES),
        "cost": draw(MONEY),
        "call_id": draw(st.sampled_from([None, "1", "2", "3", "4"])),
        "attempt": draw(st.sampled_from([None, 1, 2])),
        "direction": direction,
        "account": draw(st.sampled_from(["default", "other"])),
    }


records = st.lists(_record(), max_size=25)
"""Records with missing values, equal names but for case, and amounts of nine digits."""
