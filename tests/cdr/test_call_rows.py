"""Reader of call records: what exports contain is read back, of each direction and version of the API."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import os
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import CallFileError, InboundCall, InvalidValueError, OutboundCall, RejectedRow, read_calls
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
from didww.emulator.data.messages import SMS_IN_COLUMNS, SMS_OUT_COLUMNS
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


def write(folder: Path, *lines: str, name: str = "calls.csv") -> Path:
    """A file of these lines."""
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    return path


TIME = "Date/Time Start (UTC)"
HEADER = csv_line(CDR_IN_COLUMNS).strip()
ROW = (
    "2026-11-01 23:59:58,2026-11-02 00:00:01,2026-11-02 00:00:58,Completed,12125550100,Alex Example,442079460001,57,1,"
    "200,Bye,Origination,Front desk,sip:desk@sip.example.com,Office,Shared,0.000,0.003,0,0.004,0.007,abc123"
)


def test_row_becomes_a_record(tmp_path: Path) -> None:
    """Times are aware, money is decimal, durations are integers, and known values are enum members."""
    (call,) = read_calls(write(tmp_path, HEADER, ROW), InboundCall)
    assert call == InboundCall(
        time_start=datetime(2026, 11, 1, 23, 59, 58, tzinfo=UTC),
        time_connect=datetime(2026, 11, 2, 0, 0, 1, tzinfo=UTC),
        time_end=datetime(2026, 11, 2, 0, 0, 58, tzinfo=UTC),
        status=CallStatus.COMPLETED,
        source="12125550100",
        source_name="Alex Example",
        did_number="442079460001",
        duration=57,
        attempt=1,
        disconnect_code="200",
        disconnect_reason="Bye",
        disconnect_initiator=DisconnectInitiator.ORIGINATION,
        trunk="Front desk",
        destination="sip:desk@sip.example.com",
        trunk_group="Office",
        capacity_group="Shared",
        toll_free=Decimal("0.000"),
        pstn=Decimal("0.003"),
        metered=Decimal(0),
        cnam=Decimal("0.004"),
        cost=Decimal("0.007"),
        call_id="abc123",
    )
    assert str(call.toll_free) == "0.000"
    assert call.extra == {}
    for same in (pickle.loads(pickle.dumps(call)), copy.deepcopy(call)):
        assert same == call


WRITTEN = {
    "as documented": f"{HEADER}\n{ROW}\n",
    "without the last line end": f"{HEADER}\n{ROW}",
    "CRLF": f"{HEADER}\r\n{ROW}\r\n",
    "BOM": f"\ufeff{HEADER}\n{ROW}\n",
    "blank lines": f"{HEADER}\n\n{ROW}\n\r\n\n",
    "quoted": "".join('"' + line.replace(",", '","') + '"\n' for line in (HEADER, ROW)),
    "quoted, CRLF": "".join('"' + line.replace(",", '","') + '"\r\n' for line in (HEADER, ROW)),
    "quoted in part": f"{HEADER}\n{ROW.replace('Office', chr(34) + 'Office' + chr(34))}\n",
    "other case and spaces": f"{HEADER.replace(',', ' , ').upper()}\n{ROW}\n",
    "other order": "\n".join(",".join(reversed(line.split(","))) for line in (HEADER, ROW)),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_ways_to_write_a_row(case: str, tmp_path: Path) -> None:
    """All give the same record."""
    expected = list(read_calls(write(tmp_path, HEADER, ROW)))
    for data in (WRITTEN[case].encode(), gzip.compress(WRITTEN[case].encode())):
        (tmp_path / "other.csv").write_bytes(data)
        assert list(read_calls(tmp_path / "other.csv")) == expected


def test_empty_cells_are_none(tmp_path: Path) -> None:
    """Also if quoted; only the start of a call must be there."""
    for empty in ("", '""'):
        (call,) = read_calls(write(tmp_path, HEADER, f"2026-11-01 00:00:00{f',{empty}' * 21}"), InboundCall)
        assert call == InboundCall(datetime(2026, 11, 1, tzinfo=UTC))
        with pytest.raises(
            CallFileError, match="must be a UTC time such as 2026-11-01 00:00:00, got nothing"
        ) as caught:
            list(read_calls(write(tmp_path, HEADER, ROW, f"{empty}{f',{empty}' * 21}")))
        assert (caught.value.line, caught.value.column) == (3, TIME)


def test_columns_of_other_versions(tmp_path: Path) -> None:
    """Added columns are kept as text, missing ones are None, and those that were renamed have their attribute."""
    columns = [*CDR_IN_COLUMNS, "Pop", "New, quoted"]
    row = [*ROW.split(","), "NYC", "a,b"]
    removed = columns.index("Response")
    for values in (columns, row):
        del values[removed]
    first = csv_line(columns).strip()
    calls = list(read_calls(write(tmp_path, first, csv_line(row).strip(), csv_line([*row[:-1], ""]).strip())))
    assert [call.extra for call in calls] == [{"Pop": "NYC", "New, quoted": "a,b"}, {"Pop": "NYC"}]
    assert [call.disconnect_reason for call in calls] == [None, None]
    assert [call.call_id for call in calls] == ["abc123", "abc123"]

    old = (
        "Date/Time (UTC),Source,DID,Destination,Duration (secs),Disconnect Initiator,Disconnect Code,Response,"
        "TollFree Amount (USD),Termination Amount (USD),Metered Channels Amount (USD),Customer ID,Sell Amount (Points)"
    )
    path = write(
        tmp_path, old, "2022-03-01 10:00:00,12125550100,442079460001,sip:a@sip.example.com,7,System,200,Bye,1,2,3,9,0"
    )
    assert list(read_calls(path)) == [
        InboundCall(
            datetime(2022, 3, 1, 10, tzinfo=UTC),
            source="12125550100",
            did_number="442079460001",
            destination="sip:a@sip.example.com",
            duration=7,
            disconnect_initiator=DisconnectInitiator.SYSTEM,
            disconnect_code="200",
            disconnect_reason="Bye",
            toll_free=Decimal(1),
            pstn=Decimal(2),
            metered=Decimal(3),
            extra={"Customer ID": "9", "Sell Amount (Points)": "0"},
        )
    ]


def test_class_of_the_records(tmp_path: Path) -> None:
    """The header tells it; the wrong one is refused, and a file with few columns needs it."""
    inbound = write(tmp_path, HEADER, ROW, name="in.csv")
    outbound = write(tmp_path, csv_line(CDR_OUT_COLUMNS).strip(), f"2026-11-01 00:00:00{',' * 18}", name="out.csv")
    assert [type(call) for call in read_calls([inbound, outbound, os.fsencode(inbound)])] == [
        InboundCall,
        OutboundCall,
        InboundCall,
    ]
    assert list(read_calls(iter([]))) == []
    with pytest.raises(CallFileError, match=r"in\.csv, line 1: the header is that of InboundCall") as caught:
        list(read_calls([outbound, inbound], OutboundCall))
    assert caught.value.line == 1
    few = write(tmp_path, f"{TIME},Call ID", "2026-11-01 00:00:00,abc", name="few.csv")
    with pytest.raises(CallFileError, match=r"read it with read_calls\(path, InboundCall\)"):
        list(read_calls(few))
    start = datetime(2026, 11, 1, tzinfo=UTC)
    assert list(read_calls(few, InboundCall)) == [InboundCall(start, call_id="abc")]
    assert list(read_calls(few, OutboundCall)) == [OutboundCall(start, call_id="abc")]


def test_folder(tmp_path: Path) -> None:
    """Its exports are read by name, and nothing else in it."""
    for name in ("b.csv", "a.csv.gz", ".hidden.csv", "_temporary.csv", "notes.txt"):
        write(tmp_path, HEADER, ROW.replace("2026-11-01", f"2026-11-0{'ab'.find(name[0]) + 1}"), name=name)
    (tmp_path / "folder.csv").mkdir()
    calls = list(read_calls(tmp_path))
    assert [call.time_start.day for call in calls] == [1, 2]
    assert list(read_calls([str(tmp_path), tmp_path / "b.csv"])) == [*calls, calls[1]]
    with pytest.raises(InvalidValueError, match=r"folder\.csv has no files \*\.csv\.gz or \*\.csv") as caught:
        list(read_calls(tmp_path / "folder.csv"))
    assert caught.value.field == "source"


HEADERS = {
    "": "is empty",
    "<html>\n": "no column 'Date/Time Start",
    HEADER.replace(f"{TIME},", ""): "no column 'Date/Time Start",
    csv_line(SMS_IN_COLUMNS): "If this is an export of calls, read it with read_calls",
    csv_line(SMS_OUT_COLUMNS): "If this is an export of calls, read it with read_calls",
    f"{HEADER},Status": "has 2 columns 'Status'",
    f"{HEADER}, ": "has a column without a name",
    f"\n{HEADER}": "no column",
}


@pytest.mark.parametrize("text", HEADERS)
def test_header_that_is_refused(text: str, tmp_path: Path) -> None:
    """Also if there is a list for rows that are not valid: nothing can be read."""
    path = tmp_path / "calls.csv"
    path.write_text(text, encoding="utf-8", newline="")
    rejects: list[RejectedRow] = []
    with pytest.raises(CallFileError, match=HEADERS[text]) as caught:
        list(read_calls(path, rejects=rejects))
    assert (caught.value.line, rejects) == (int(bool(text)), [])


def test_arguments_are_checked(tmp_path: Path) -> None:
    """Before a file is opened; a file that cannot be opened is an error with its name."""
    untyped: Any = read_calls
    for arguments, options, field in (
        (("x.csv", dict), {}, "record_class"),
        ((5,), {}, "source"),
        (("x.csv",), {"rejects": ()}, "rejects"),
        (("x.csv",), {"max_bytes": 0}, "max_bytes"),
    ):
        with pytest.raises(InvalidValueError) as caught:
            untyped(*arguments, **options)
        assert caught.value.field == field
    with pytest.raises(InvalidValueError, match="source must have paths"):
        list(untyped([5]))
    with pytest.raises(CallFileError, match=r"Cannot read .*missing\.csv: No such file"):
        list(read_calls(tmp_path / "missing.csv"))


def test_file_is_closed_when_the_iterator_is(tmp_path: Path) -> None:
    """Also if not all rows were read."""
    path = write(tmp_path, HEADER, ROW, ROW)
    calls: Any = read_calls(path)
    next(calls)
    calls.close()
    path.unlink()  # also on Windows
