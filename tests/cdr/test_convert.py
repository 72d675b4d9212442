"""Exports become Arrow batches with the values of `read_calls`."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import threading
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from didww import CallFileError, InboundCall, InvalidValueError, OutboundCall, read_calls
from didww._core.call_layout import Layout
from didww.cdr import arrow_batches, convert
from didww.cdr.records import records_of
from didww.cdr.schema import arrow_schema
from didww.emulator.data.cdr import CDR_IN_COLUMNS, csv_line
from support.call_files import inbound_text, outbound_text, text_of, write

pa = pytest.importorskip("pyarrow")


def records(source, **options):
    for batch in arrow_batches(source, **options):
        direction = batch.schema.metadata[b"direction"].decode()
        yield from records_of(batch.append_column("direction", pa.array([direction] * batch.num_rows)))


def refused(call):
    """Return what was read, what was rejected, and the error."""
    rejects = []
    try:
        found = list(call(rejects))
    except CallFileError as error:
        return None, rejects, str(error)
    return found, rejects, ""


def check_same(path):
    """All that `read_calls` returns, rejects and raises is the same, with rejects and without."""
    expected = refused(lambda rejects: read_calls(path, rejects=rejects))
    got = refused(lambda rejects: records(path, rejects=rejects))
    assert got == expected
    strict = refused(lambda _: read_calls(path))
    assert refused(lambda _: records(path)) == strict
    return expected


@pytest.mark.parametrize("name", ["calls.csv.gz", "calls.csv"])
@pytest.mark.parametrize(
    "text",
    [inbound_text(), inbound_text(split=True), outbound_text(), inbound_text().replace("\n", "\r\n")],
    ids=["inbound", "split source", "outbound", "CRLF"],
)
def test_generated_calls(tmp_path, name, text):
    """Calls of the emulator, in both versions of the API."""
    found, rejects, error = check_same(write(tmp_path / name, text))
    assert len(found) > 500
    assert (rejects, error) == ([], "")


def test_schema(tmp_path):
    """All columns of a dataset, in their order, and the direction in the metadata."""
    path = write(tmp_path / "calls.csv.gz", outbound_text())
    batches = list(arrow_batches([path, path]))
    assert {batch.schema.metadata[b"direction"] for batch in batches} == {b"outbound"}
    assert all(batch.schema == arrow_schema() for batch in batches)
    assert sum(batch.num_rows for batch in batches) == 2 * sum(
        isinstance(row, OutboundCall) for row in read_calls(path)
    )


START = {"Date/Time Start (UTC)": "2026-11-01 00:00:00"}
INTEGERS = "0|5|007|2147483647|2147483648| 5|5 |0x1F|-1|+1|1e3|1.0|²"
AMOUNTS = (
    "0|-0.5|0.0100|.5|5.|1e-3| 1|999999999.999999999|1000000000|NaN|0x1|0.0000000001|0.1000000000000|00000000001.5"
    "|1,5|inf|1_000"
)
TIMES = (
    "2026-11-01T00:00:00|2026-11-01 00:00:00Z|2026-11-01 00:00:00.5|2026-11-01|2026-02-29 00:00:00|2024-02-29 00:00:00"
    "|2026-11-01 24:00:00|2026-11-01 23:59:60|0000-01-01 00:00:00|2026-11-01 00:00|2026-11-01 00:00:00+01"
    "|0001-01-01 00:00:00|9999-12-31 23:59:59|2026-11-01 000000.5"
)
TEXTS = 'null|NULL|N/A|nan|-| |é|a\nb|a\r\nb|say "hi"|,|"|,x|x,|\n|\ufeff'
CELLS = {
    "Duration (sec)": INTEGERS.split("|"),
    "Total (USD)": AMOUNTS.split("|"),
    "Date/Time Connect (UTC)": TIMES.split("|"),
    "Date/Time Start (UTC)": ["", "2026-11-01  0:00:00", "20261101T00:00:00Z0", "2026-11-01 00:00:00.123456"],
    "Source Name": TEXTS.split("|"),
    "Status": ["Completed", "Unknown status", "null"],
    "Call ID": ["NA", "#N/A", "x" * 60000],
}


@pytest.mark.parametrize(("column", "cell"), [(column, cell) for column, cells in CELLS.items() for cell in cells])
def test_cells(tmp_path, column, cell):
    """A cell is accepted if `read_calls` accepts it, and with the same value."""
    rows = [START, START | {column: cell}, START]
    check_same(write(tmp_path / "calls.csv", text_of(rows)))


HEADER = csv_line(CDR_IN_COLUMNS)
ROW = "2026-11-01 00:00:00" + "," * 21 + "\n"
FILES = {
    "only a header": HEADER,
    "empty": "",
    "no newline at the end": HEADER + ROW.rstrip("\n"),
    "empty lines": HEADER + "\n" + ROW + "\n\n" + ROW + "\r\n",
    "short row": HEADER + ROW + "2026-11-01 00:00:00,\n" + ROW,
    "long row": HEADER + ROW + ROW.replace("\n", ",\n") + ROW,
    "blank row": HEADER + ROW + "  \n" + ROW,
    "open quote": HEADER + ROW + ROW.replace(",,", ',"a,', 1) + ROW * 3,
    "text behind a quote": HEADER + ROW.replace(",,,,", ',,,"a"b,', 1) + ROW,
    "quote in a cell": HEADER + ROW.replace(",,,,", ',,,a"b,', 1) + ROW,
    "quotes in two cells": HEADER + ROW.replace(",,,,,", ',,,a"b,c"d,', 1) + ROW,
    "lone CR": HEADER + ROW + "a\rb" + ROW,
    "NUL": HEADER + ROW + ROW.replace(",,,,", ",,,\0,", 1) + ROW,
    "not UTF-8": (HEADER + ROW).encode() + ROW.encode().replace(b",,,,", b",,,\xff,", 1) + ROW.encode(),
    "UTF-16": (HEADER + ROW).encode("utf-16"),
    "BOM": "\ufeff" + HEADER + ROW,
    "all quoted": "".join(
        ",".join(f'"{cell}"' for cell in line.split(",")) + "\n" for line in (HEADER + ROW * 3).splitlines()
    ),
    "same column twice": HEADER.replace("Status", "Source") + ROW,
    "column without a name": HEADER.replace("Status", "") + ROW,
    "other columns": "a,b\n1,2\n",
    "columns of 2022-05-10": "Date/Time (UTC),Source,DID,Duration (secs),TollFree Amount (USD),Customer ID\n"
    "2022-05-01 00:00:00,12125550100,442079460001,5,0.01,17\n2022-05-01 00:00:00,,,,,\n",
    "unknown columns": HEADER.replace("Status", "Mood,Pop").replace("Source Name", 'Q"x')
    + ROW
    + ROW.replace(",,,,", ',,,"ö,""\n",', 1),
    "open quotes in two rows": HEADER + ROW + ROW.replace(",,,,", ',,,"bob,', 1) * 2 + ROW,
    "text behind two quotes": HEADER + '""' + ROW,
    "BOM in a later row": "Source,Date/Time Start (UTC),Call ID,Destination DID\n"
    + "\ufeffx,2026-11-01 00:00:00,1,\nx,2026-11-01 00:00:00,2,\n" * 9,
    "long line": HEADER + ROW + "x" * 200_000 + "\n" + ROW,
    "large row in cells": HEADER + ROW + "2026-11-01 00:00:00" + ("," + "x" * 4000) * 21 + "\n" + ROW,
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_files(tmp_path, text):
    """Unusual files give the rows, rejects and errors of `read_calls`."""
    check_same(write(tmp_path / "calls.csv", text))


def test_quotes_of_every_form():
    """What Arrow parses, it parses like the CSV module; the rest is left to that."""
    from didww.cdr.blocks import BlockParser

    layout = Layout(InboundCall, ["Date/Time Start (UTC)", "Source Name"], {"time_start": 0, "source_name": 1})
    parser = BlockParser(layout)
    parsed = 0
    for length in range(7):
        for cell in map("".join, itertools.product('",a\n', repeat=length)):
            text = f"2026-11-01 00:00:00,{cell}\n"
            batch = parser.parse(text.encode())
            if batch is not None:
                rows = list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
                assert batch.column("source_name").to_pylist() == [name or None for _, name in rows], cell
                parsed += 1
    assert parsed > 50


@pytest.mark.parametrize("size", [40, 100, 3000, 9000])
def test_blocks_end_anywhere(tmp_path, monkeypatch, size):
    """Also within a quoted cell with a line break."""
    monkeypatch.setattr(convert, "_BLOCK", size)
    rows = [START | {"Source Name": f'a "{n}"\nb,{n}', "Attempt": str(n)} if n % 3 else START for n in range(200)]
    rows[50] = START | {"Attempt": "x"}
    found, rejects, _ = check_same(write(tmp_path / "calls.csv.gz", text_of(rows)))
    assert (len(found), len(rejects)) == (199, 1)


@settings(max_examples=60)
@example(data=[b'""', ROW.encode()])
@given(
    data=st.lists(st.sampled_from([b",", b'"', b"\n", b"\r", b"a", b"5", ROW.encode(), b'""', b'",', b"\xc3", b"\0"]))
)
def test_any_bytes(tmp_path_factory, data):
    """Whatever follows the header is read as by `read_calls`."""
    path = tmp_path_factory.getbasetemp() / "any.csv"
    check_same(write(path, (HEADER + ROW).encode() + b"".join(data)))


@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:-500] + bytes(500), lambda data: b""])
def test_damaged(tmp_path, damage):
    """A truncated or damaged file is an error, after the rows before it."""
    path = tmp_path / "calls.csv.gz"
    path.write_bytes(damage(gzip.compress(inbound_text().encode())))
    with pytest.raises(CallFileError, match=r"calls\.csv\.gz"):
        list(arrow_batches(path))
    check_same(path)


def test_too_large(tmp_path):
    """A bomb ends at the limit."""
    path = tmp_path / "calls.csv.gz"
    with gzip.open(path, "wb", 1) as file:
        file.write(HEADER.encode() + b"\n" * (4 << 20))
    with pytest.raises(CallFileError, match="max_bytes"):
        list(arrow_batches(path, max_bytes=1 << 20))


def test_extra_is_json(tmp_path):
    """Unknown columns are an object in JSON, without empty ones."""
    text = text_of([START | {"Mood": 'a"é'}, START], ["Date/Time Start (UTC)", "Destination DID", "Mood", "Pop"])
    (batch,) = arrow_batches(write(tmp_path / "calls.csv", text), InboundCall)
    assert batch.column("extra").to_pylist() == [json.dumps({"Mood": 'a"é'}, ensure_ascii=False), None]


def test_amounts_are_exact(tmp_path):
    """No amount is a float on its way."""
    text = text_of([START | {"Total (USD)": "123456789.123456789"}])
    (batch,) = arrow_batches(write(tmp_path / "calls.csv", text))
    assert batch.column("cost").to_pylist() == [Decimal("123456789.123456789")]


def test_abandoned(tmp_path):
    """A reader that is not read to its end leaves no thread."""
    path = write(tmp_path / "calls.csv.gz", inbound_text())
    before = threading.active_count()
    batches = arrow_batches(path)
    next(batches)
    batches.close()
    assert threading.active_count() == before


def test_progress(tmp_path):
    """The bytes of all files."""
    paths = [write(tmp_path / f"{n}.csv.gz", inbound_text()) for n in range(2)]
    told = []
    list(arrow_batches(tmp_path, progress=told.append))
    size = sum(path.stat().st_size for path in paths)
    assert told[-1] == (size, size)


@pytest.mark.parametrize("source", [5, [5], None])
def test_invalid_source(source):
    with pytest.raises(InvalidValueError) as caught:
        arrow_batches(source)
    assert caught.value.field == "source"


def test_folder_without_exports(tmp_path):
    with pytest.raises(InvalidValueError, match=r"\*\.csv\.gz"):
        arrow_batches(tmp_path)
