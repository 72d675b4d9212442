"""Rows of call records that are not valid: an error with line and column, or a reject; the others are read."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import CallFileError, InboundCall, RejectedRow, read_calls
from didww._core import call_rows
from didww._core.csv_rows import MAX_ROW
from didww.emulator.data.cdr import CDR_IN_COLUMNS, Attempt, Line, cdr_in, csv_line
from didww.resources.call import columns_of
from support.hypothesis_profiles import law

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HEADER = csv_line(CDR_IN_COLUMNS)
ROW = (
    "2026-11-01 23:59:58,2026-11-02 00:00:01,2026-11-02 00:00:58,Completed,12125550100,Alex Example,442079460001,57,1,"
    "200,Bye,Origination,Front desk,sip:desk@sip.example.com,Office,Shared,0.000,0.003,0,0.004,0.007,abc123\n"
)
LINE = Line("442079460001", (Attempt('Trunk, "main"', "sip:desk@sip.example.com"), Attempt("B", "12125550100", True)))
GENERATED = [
    row
    for _, text in cdr_in([LINE], datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC), 5, 2000)
    for row in text.splitlines(keepends=True)
]


def file(folder: Path, data: str | bytes, name: str = "calls.csv") -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path) -> tuple[list[InboundCall], list[RejectedRow]]:
    """The records and the rejects of a file, of which the first must be the error without a list for them."""
    rejects: list[RejectedRow] = []
    calls = list(read_calls(path, InboundCall, rejects=rejects))
    before: list[InboundCall] = []
    try:
        before.extend(read_calls(path, InboundCall))
    except CallFileError as error:
        assert (error.line, error.column, str(error)) == rejects[0][1:4]
        assert str(path) in str(error)
        assert f"line {error.line}" in str(error)
    else:
        assert not rejects
    assert calls[: len(before)] == before
    assert {row.file for row in rejects} <= {str(path)}
    return calls, rejects


def changed(column: str, cell: str) -> str:
    """The row with another cell."""
    cells = ROW.strip().split(",")
    cells[CDR_IN_COLUMNS.index(column)] = cell
    return csv_line(cells)


TIME, DURATION, TOTAL = "Date/Time Connect (UTC)", "Duration (sec)", "Total (USD)"
INVALID = {
    TIME: (
        *("2026-11-01", "2026-11-31 00:00:00", "2026-11-01 00:00:0", "2026-11-01 00:00:000", "2026-11-01 00:00:60"),
        *(
            "2026-11-01 00:00:00+02:00",
            "2026-11-01  0:00:00",
            "01.11.2026 00:00:00",
            "1793491200",
            "2026-11-01 00.00.00",
        ),
        *(
            "0000-01-01 00:00:00",
            "2026-11-01 00:00:00 ",
            "2026-11-01x00:00:00",
            "2026-11-01 24:00:00",
            "2026-W44-7 00:00:00",
            "soon",
            " ",
        ),
        "\uff12\uff1026-11-01 00:00:00",
    ),
    DURATION: ("-1", "+1", " 1", "1.0", "1e3", "0x1", "1_0", "2147483648", "99999999999999999999", "one", "\u0661"),
    TOTAL: (
        "1e5",
        "NaN",
        "Infinity",
        ".5",
        "5.",
        "+1",
        "1,5",
        " 1",
        "1_0",
        "$1",
        "--1",
        "1234567890",
        "0.0000000001",
        "1.5" + "0" * 60,
        "\u0661",
    ),
}


@pytest.mark.parametrize(("column", "cell"), [(column, cell) for column, cells in INVALID.items() for cell in cells])
def test_cell_that_is_not_valid(column: str, cell: str, tmp_path: Path) -> None:
    """The error has its line and column, and the message has the cell."""
    calls, (rejected,) = read(file(tmp_path, HEADER + ROW + changed(column, cell) + ROW))
    assert len(calls) == 2
    assert (rejected.line, rejected.column) == (3, column)
    assert rejected.text == changed(column, cell).strip("\n")
    assert f"got {cell!r}" in rejected.message


VALID = {
    TIME: (
        *(("2026-11-01T10:00:00", "2026-11-01 10:00:00"), ("2026-11-01 10:00:00Z", "2026-11-01 10:00:00")),
        ("2026-11-01 10:00:00.25", "2026-11-01 10:00:00.250000"),
    ),
    DURATION: (("007", "7"), ("2147483647", "2147483647")),
    TOTAL: (
        ("-0.5", "-0.5"),
        ("0000000000001.5", "1.5"),
        ("999999999.999999999000", "999999999.999999999000"),
        ("0", "0"),
    ),
}


@pytest.mark.parametrize(
    ("column", "cell", "shown"), [(column, cell, shown) for column, cells in VALID.items() for cell, shown in cells]
)
def test_cell_that_is_valid(column: str, cell: str, shown: str, tmp_path: Path) -> None:
    """Other ways to write the same value; amounts keep their digits."""
    (call, _), rejects = read(file(tmp_path, HEADER + changed(column, cell) + ROW))
    attribute = next(name for name, *_, declared in columns_of(InboundCall) if column in declared.names)
    assert str(getattr(call, attribute)).removesuffix("+00:00") == shown
    assert rejects == []


ROWS = {
    "too few cells": (b"a,b", "must have 22 cells, got 2"),
    "too many cells": (ROW.strip().encode() + b",x", "must have 22 cells, got 23"),
    "a quote that is not closed": (b'"a,b', "not valid CSV"),
    "text behind a quote": (b'"a"b' + b"," * 21, "not valid CSV"),
    "a carriage return within": (b"a\rb" + b"," * 21, "not valid CSV"),
    "NUL": (ROW.strip().encode().replace(b"Bye", b"B\0e"), "has a NUL character"),
    "Latin-1": (ROW.strip().encode().replace(b"Bye", b"B\xfce"), "is not UTF-8"),
    "UTF-16": ("ü".join(ROW.strip().split("Bye")).encode("utf-16-le"), "is not UTF-8"),
    "too long": (ROW.strip().encode() + b"x" * MAX_ROW, f"is larger than {MAX_ROW} bytes"),
    "no cells but commas": (b"," * 21, "must be a UTC time such as 2026-11-01 00:00:00, got nothing"),
}


@pytest.mark.parametrize("case", ROWS)
def test_row_that_is_not_valid(case: str, tmp_path: Path) -> None:
    """It is rejected alone: the rows before and behind it are read, also if the file is larger than a block."""
    row, message = ROWS[case]
    rest = "".join(GENERATED).encode()
    calls, (rejected,) = read(file(tmp_path, HEADER.encode() + ROW.encode() * 2 + row + b"\n" + ROW.encode() + rest))
    assert len(calls) == 3 + len(GENERATED)
    assert rejected.line == 4
    assert message in rejected.message
    assert rejected.text == row.decode(errors="backslashreplace")[:MAX_ROW]


def test_lines_are_counted_within_cells(tmp_path: Path) -> None:
    """The line of an error is that at which its row begins; a rejected row has all its lines."""
    two = changed("Voice IN Trunk", "first\nsecond")
    bad = two.replace(",57,", ",long,")
    calls, rejects = read(file(tmp_path, HEADER + two + ROW + bad + two + bad))
    assert [call.trunk for call in calls] == ["first\nsecond", "Front desk", "first\nsecond"]
    assert [(row.line, row.column, row.text) for row in rejects] == [
        (5, DURATION, bad.strip()),
        (9, DURATION, bad.strip()),
    ]


def test_rejected_row_does_not_hide_another(tmp_path: Path) -> None:
    """A text of a caller that looks like a row is never read as one."""
    before, after = changed("Source Name", f"x\n{ROW}").rsplit("0.007", 1)
    bad = f"{before}much{after}"
    calls, rejects = read(file(tmp_path, HEADER + bad + ROW))
    assert (len(calls), len(rejects)) == (1, 1)
    foreign = changed("Source Name", f"x\n{ROW}\xfc").encode("latin-1")
    calls, rejects = read(file(tmp_path, HEADER.encode() + foreign + ROW.encode()))
    assert (len(calls), len(rejects)) == (1, 1)


CELLS = st.one_of(
    st.sampled_from([cell for cells in INVALID.values() for cell in cells]),
    st.sampled_from([cell for cells in VALID.values() for cell, _ in cells]),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.sampled_from(["", "a\nb", "a\r\nb", '"', ",", "x" * 3000]),
)


@law(25)
@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(GENERATED) - 1), st.integers(0, 21), CELLS), max_size=8, unique_by=lambda c: c[0]
    ),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_row_is_read_the_same_among_others_and_alone(
    changes: list[tuple[int, int, str]], quoting: int, newline: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Rows are read in blocks, and row by row around those that are not valid: with the same result."""
    folder = tmp_path_factory.mktemp("rows")
    table = list(csv.reader(GENERATED))
    for place, column, cell in changes:
        table[place][column] = cell
    lines: list[str] = []
    for cells in ([*CDR_IN_COLUMNS], *table):
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator=newline, quoting=quoting).writerow(cells)
        lines.append(text.getvalue())
    calls, rejects = read(file(folder, "".join(lines)))
    between = f"-{newline}"
    apart, more = read(file(folder, between.join([lines[0], *lines[1:], ""])))
    assert apart == calls
    assert [(row.column, row.text) for row in more if row.text != "-"] == [(row.column, row.text) for row in rejects]
    assert len(calls) + len(rejects) == len(table)


PACKED = gzip.compress((HEADER + ROW * 3).encode(), mtime=0)
DAMAGED = {
    "cut in the check sum": (PACKED[:-1], "is truncated after line 4"),
    "cut in the data": (PACKED[:60], "is truncated"),
    "wrong check sum": (PACKED[:-8] + bytes(8), "is damaged"),
    "something behind": (PACKED + b"more", "is damaged after line 4"),
    "nothing packed": (gzip.compress(b""), "is empty"),
    "UTF-16": ((HEADER + ROW).encode("utf-16"), "line 1: the file is UTF-16; convert it to UTF-8"),
    "UTF-16 without BOM": ((HEADER + ROW).encode("utf-16-le"), "line 1: the header has no column"),
    "UTF-32": ((HEADER + ROW).encode("utf-32"), "line 1: the file is UTF-16"),
    "zip": (b"PK\3\4\x14\0\0\0\x08\0\xff\xfe", "line 1: the row is not UTF-8"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_file_that_is_not_valid(case: str, tmp_path: Path) -> None:
    """It is an error also if there is a list for rows; the message names the file, and the last line if known."""
    data, message = DAMAGED[case]
    for rejects in (None, []):
        with pytest.raises(CallFileError, match=message) as caught:
            list(read_calls(file(tmp_path, data), rejects=rejects))
        assert "calls.csv" in str(caught.value)
        assert not rejects


HUGE: dict[str, Callable[[], Iterator[bytes]]] = {
    "a long line": lambda: (b"x" * 1_000_000 for _ in range(40)),
    "a long quoted cell": lambda: (b'"' + b"x" * 1_000_000 for _ in range(40)),
    "a row of many lines": lambda: (b'"\n",' * 200_000 for _ in range(40)),
    "many columns": lambda: (b"a," * 500_000 for _ in range(40)),
    "NULs": lambda: (bytes(1_000_000) for _ in range(40)),
    "quotes": lambda: (b'"' * 1_000_000 for _ in range(40)),
    "carriage returns": lambda: (b"\r" * 1_000_000 for _ in range(40)),
}


@pytest.mark.parametrize("case", HUGE)
@pytest.mark.parametrize("header", [HEADER, ""])
def test_huge_row_is_refused_before_it_is_read(case: str, header: str, tmp_path: Path) -> None:
    """A few kilobytes that decompress to a huge row, or a huge header, do not fill the memory."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as writer:
        writer.write(header.encode())
        for piece in HUGE[case]():
            writer.write(piece)
    path = file(tmp_path, packed.getvalue())
    tracemalloc.start()
    try:
        with pytest.raises(CallFileError, match=rf"line {2 if header else 1}: .*(larger than {MAX_ROW}|not valid CSV)"):
            list(read_calls(path))
        if header and case != "a row of many lines":
            rejects: list[RejectedRow] = []
            assert list(read_calls(path, rejects=rejects)) == []
            assert rejects
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_rejected_rows_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and length, so that a file that is no export does not fill the memory."""
    path = file(tmp_path, HEADER + "x\n" * 30 + ROW)
    for name in ("MAX_REJECTED", "MAX_REJECTED_TEXT"):
        rejects: list[RejectedRow] = []
        with monkeypatch.context() as patch:
            patch.setattr(call_rows, name, 20)
            with pytest.raises(
                CallFileError, match=r"too many rows that are not valid: 21\. The last: .*line 22"
            ) as caught:
                list(read_calls(path, rejects=rejects))
        assert (caught.value.line, len(rejects)) == (22, 20)


def test_memory_use_does_not_grow_with_the_file(tmp_path: Path) -> None:
    """It is less than the text of the file, whose decompressed size is limited."""
    path = file(tmp_path, gzip.compress((HEADER + ROW.replace("Bye", "x" * 40_000) * 300).encode()))
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_calls(path)) == 300
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    with pytest.raises(
        CallFileError, match=r"decompresses to more than 1000000 bytes after line \d+\. Raise `max_bytes=`"
    ):
        list(read_calls(path, max_bytes=1_000_000))


@law(150)
@given(
    data=st.binary(max_size=300)
    | st.builds(lambda tail: HEADER.encode() + tail, st.binary(max_size=300))
    | st.builds(lambda tail: (HEADER + tail).encode(), st.text('",\n\r\0aé2026-11-01 00:00:00', max_size=200)),
    packed=st.booleans(),
)
def test_any_bytes_give_records_or_an_error(
    data: bytes, packed: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No other exception leaves the reader, and no byte behind the header is lost: it is in a record or a reject."""
    path = file(tmp_path_factory.mktemp("any"), gzip.compress(data) if packed else data)
    try:
        calls, rejects = read(path)
    except CallFileError as error:
        assert str(path) in str(error)
        return
    assert len(calls) + len(rejects) <= data.count(b"\n") + 1
    kept = sum(len(row.text) for row in rejects)
    assert kept or not data.removeprefix(HEADER.encode()).strip() or calls


@law(100)
@given(place=st.integers(0, len(PACKED) - 1), value=st.integers(0, 255), cut=st.integers(0, len(PACKED)))
def test_damage_is_never_read_as_other_records(
    place: int, value: int, cut: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A changed byte or a cut gives the records of the file, or an error."""
    changed = bytearray(PACKED)
    changed[place] = value
    folder = tmp_path_factory.mktemp("damaged")
    expected = list(read_calls(file(folder, HEADER + ROW * 3)))
    for data in (bytes(changed), PACKED[:cut]):
        try:
            calls = list(read_calls(file(folder, data)))
        except CallFileError:
            continue
        assert calls == expected
