"""Which rows of an export are new: by call ID and attempt, or by all values and their number."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import CallFileError, ExportType, InboundCall
from didww._core.call_exports import Wanted
from didww._core.call_exports_new import Known
from didww._core.call_periods import Part
from didww._drivers.call_folder import CallFolder
from didww.resources.call import header
from support.hypothesis_profiles import law

START = datetime(2026, 11, 1, tzinfo=UTC)
OVERLAP = timedelta(hours=24)
WANTED = Wanted(ExportType.CDR_IN, {})
OLD, NEW = (header(InboundCall, version) for version in ("2026-04-16", "2026-11-19"))


class Row(NamedTuple):
    """A record of the service: the hours after which it starts and appears, and what identifies it."""

    start: int
    delay: int
    call_id: str
    attempt: int
    source: str

    @property
    def key(self) -> tuple[object, ...]:
        """What it is known by."""
        return (self.call_id, self.attempt) if self.call_id else (self.start, self.attempt, self.source)


def cells(row: Row, columns: tuple[str, ...]) -> str:
    """Return the line of a record in a version of the API."""
    values = {
        "Date/Time Start (UTC)": f"{START + timedelta(hours=row.start):%Y-%m-%d %H:%M:%S}",
        "Source": row.source,
        "Source Number": row.source,
        "Source Number Out": row.source[1:],
        "Source Country": "United Kingdom",
        "Attempt": str(row.attempt),
        "Call ID": row.call_id,
    }
    return ",".join(values.get(name, "") for name in columns)


def export(folder: CallFolder, lines: list[str], columns: tuple[str, ...] = OLD, end: str = "\n") -> None:
    """Put an export where it is downloaded to."""
    text = end.join([",".join(columns), *lines]) + end
    folder.download_path.write_bytes(gzip.compress(text.encode()))


def add(folder: CallFolder, known: Known | None, until: datetime, overlap: timedelta = OVERLAP) -> Known:
    """Add what is new in the export, as `fetch_new` does."""
    start = START if known is None else max(known.known_from, known.until - overlap)
    now = Known(until, max(START if known is None else known.known_from, until - overlap))
    folder.add(WANTED, Part(start, until), now)
    return now


@pytest.fixture
def folder(tmp_path: Path) -> CallFolder:
    made = CallFolder(tmp_path, "cdr_in")
    made.lock()
    made.begin(WANTED)
    return made


def texts(folder: CallFolder) -> list[str]:
    """Return the lines of all files without their headers."""
    return [
        line
        for path in sorted(folder.path.glob("*.csv.gz"))
        for line in gzip.decompress(path.read_bytes()).decode().splitlines()[1:]
    ]


ROWS = st.builds(
    Row,
    st.integers(0, 200),
    st.integers(0, 24),
    st.sampled_from(["", "", "a", "b", *"cdefghij"]),
    st.integers(1, 2),
    st.sampled_from(["442079460000", "442079460001"]),
)


@given(
    rows=st.lists(ROWS, max_size=30),
    fetches=st.lists(st.tuples(st.integers(1, 90), st.booleans()), min_size=1, max_size=8),
)
@law(30)
def test_every_row_once(
    rows: list[Row], fetches: list[tuple[int, bool]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever appears late, is equal to others, or changes its columns: no row is lost, none is there twice."""
    # A call has one start.
    rows = [row._replace(start=next(each.start for each in rows if each.key == row.key)) for row in rows]
    folder = CallFolder(tmp_path_factory.mktemp("calls"), "cdr_in")
    folder.lock()
    folder.begin(WANTED)
    known, hours = None, 0
    for step, newer in [*fetches, (300, False)]:
        hours += step
        begin = 0 if known is None else (max(known.known_from, known.until - OVERLAP) - START) // timedelta(hours=1)
        columns = NEW if newer else OLD
        there = [row for row in rows if begin <= row.start < hours and row.start + row.delay < hours]
        export(folder, [cells(row, columns) for row in sorted(there, key=lambda row: row.start)], columns)
        known = add(folder, known, START + timedelta(hours=hours))
    folder.unlock()
    named = {row.key for row in rows if row.call_id}
    unnamed = Counter(row.key for row in rows if not row.call_id)
    assert len(texts(folder)) == len(named) + unnamed.total()


def test_rows_are_kept_as_they_are(folder: CallFolder) -> None:
    """Quotes, line breaks in values, other line ends, rows with too few cells, and bytes that are not UTF-8."""
    text = (
        f"{','.join(OLD)}\r\n"
        '2026-11-01 08:00:00,,,"Completed","1","Smith, ""Jo""\nand sons",,"0",1,,,,,,,,,,,,,"a"\r\n'
        "2026-11-01 09:00:00,too short\r\n"
        "\r\n"
        '2026-11-01 10:00:00,"a quote that is never closed\r\n'
        "2026-11-01 11:00:00,,,Failed,2,M\xfcller,,0,1,,,,,,,,,,,,,b"
    ).encode("latin-1")
    folder.download_path.write_bytes(gzip.compress(text))
    known = add(folder, None, START + timedelta(hours=12))
    (path,) = folder.path.glob("*.csv.gz")
    assert gzip.decompress(path.read_bytes()) == text.replace(b"\r\n\r\n", b"\r\n") + b"\n"
    folder.download_path.write_bytes(gzip.compress(text))
    add(folder, known, START + timedelta(hours=13))
    assert len([*folder.path.glob("*.csv.gz")]) == 1


def test_late_row_that_differs_in_a_column_of_some_versions(folder: CallFolder) -> None:
    """It is not taken for another row without a call ID, unless the columns change at the same time."""
    one = Row(1, 0, "", 1, "442079460000")
    old, first = cells(one, OLD), cells(one, NEW)
    second = first.replace(",42079460000,", ",42079460009,")  # `Source Number Out`
    assert first != second
    export(folder, [first], NEW)
    known = add(folder, None, START + timedelta(hours=2))
    export(folder, [second, first], NEW)
    known = add(folder, known, START + timedelta(hours=3))
    assert texts(folder) == [first, second]
    export(folder, [old, old])
    known = add(folder, known, START + timedelta(hours=4))
    export(folder, [old, old])
    add(folder, known, START + timedelta(hours=5))
    assert texts(folder) == [first, second]


def test_call_id_twice_in_an_export(folder: CallFolder) -> None:
    """The first is the row."""
    row = cells(Row(1, 0, "a", 1, "442079460000"), OLD)
    other = cells(Row(1, 0, "a", 1, "442079460001"), OLD)
    export(folder, [row, other, row])
    add(folder, None, START + timedelta(hours=2))
    assert texts(folder) == [row]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "no column with the start"),
        (gzip.compress(",".join(OLD).encode() + b"\n2026-11-01 08:00:00" + b"," * 21 + b"\n")[:-6], "truncated"),
        (gzip.compress(",".join(OLD).encode() + b"\n" + b"x" * 100_000), "larger than"),
    ],
    ids=["empty", "other columns", "truncated", "long line"],
)
def test_export_that_cannot_be_read(folder: CallFolder, content: bytes, said: str) -> None:
    """Nothing is added, and the next export is read in full."""
    row = cells(Row(1, 0, "a", 1, "442079460000"), OLD)
    export(folder, [row])
    known = add(folder, None, START + timedelta(hours=2))
    folder.download_path.write_bytes(content)
    with pytest.raises(CallFileError, match=said):
        add(folder, known, START + timedelta(hours=3))
    assert folder.begin(WANTED) == known
    export(folder, [row, cells(Row(2, 0, "b", 1, "442079460000"), OLD)])
    add(folder, known, START + timedelta(hours=3))
    assert len(texts(folder)) == 2


def test_larger_overlap_reaches_as_far_as_rows_are_known(folder: CallFolder) -> None:
    """Rows from before that are neither doubled nor fetched."""
    export(folder, [cells(Row(hour, 0, f"c{hour}", 1, "1"), OLD) for hour in range(10)])
    known = add(folder, None, START + timedelta(hours=10), timedelta(hours=2))
    assert known.known_from == START + timedelta(hours=8)
    export(folder, [cells(Row(hour, 0, f"c{hour}", 1, "1"), OLD) for hour in range(8, 12)])
    known = add(folder, known, START + timedelta(hours=12), timedelta(hours=24))
    assert known.known_from == START + timedelta(hours=8)
    assert len(texts(folder)) == 12


def test_same_period_again_gets_another_name(folder: CallFolder) -> None:
    """Files are never replaced."""
    for call_id in ("a", "b", "c"):
        export(folder, [cells(Row(1, 0, call_id, 1, "1"), OLD)])
        folder.add(WANTED, Part(START, START + OVERLAP), Known(START + OVERLAP, START))
    assert [path.name.removeprefix("cdr_in_20261101T000000Z_") for path in sorted(folder.path.glob("*.csv.gz"))] == [
        *("20261102T000000Z.csv.gz", "20261102T000000Z_2.csv.gz", "20261102T000000Z_3.csv.gz")
    ]
