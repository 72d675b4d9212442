"""A dataset has each record once, whatever is added, in which order, and however often."""

from __future__ import annotations

import errno
import os
import random
import stat
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import CallFileError, DidwwClientError, InboundCall, InvalidValueError, OutboundCall, read_calls
from didww._util.locks import locked
from didww.cdr import CallDataset, arrow_batches, duplicates, sources, staging
from didww.cdr.dataset import Appended
from didww.cdr.schema import arrow_schema, dataset_columns
from didww.emulator.data.cdr import csv_line
from support.call_files import FIRST, LAST, inbound_text, outbound_text, text_of, write

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")
import pyarrow as pa
import pyarrow.dataset as pa_dataset
import pyarrow.parquet as pq
from pyarrow import fs

T0 = datetime(2026, 11, 1, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)


def inbound(call_id, attempt=1, second=0, **values):
    return InboundCall(T0 + timedelta(seconds=second), call_id=call_id, attempt=attempt, **values)


@pytest.fixture
def dataset(tmp_path):
    return CallDataset(tmp_path / "calls")


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """Two exports: inbound and outbound calls of the end of a month and the beginning of the next one."""
    folder = tmp_path_factory.mktemp("exports")
    return [write(folder / "in.csv.gz", inbound_text()), write(folder / "out.csv.gz", outbound_text())]


def counted(records):
    """Records by their values; `extra` is no hashable mapping."""
    return Counter((type(record), *map(hashable, msgspec.structs.astuple(record))) for record in records)


def hashable(value):
    return tuple(sorted(value.items())) if isinstance(value, Mapping) else value


# Adding


def test_append(dataset, exports):
    """Both directions, in folders by month; the second time nothing is added."""
    every = list(read_calls(exports))
    assert dataset.append(exports) == Appended(len(every), 0, 0)
    assert dataset.append(exports) == Appended(0, len(every), 0)
    assert counted(dataset.calls()) == counted(every)
    assert [Path(path).parent.relative_to(dataset.path).as_posix() for path in dataset.files] == [
        f"account=default/direction={direction}/month={month}"
        for direction in ("inbound", "outbound")
        for month in ("2026-09", "2026-10")
    ]


def test_overlapping_exports(dataset, tmp_path):
    """Each of several periods that overlap adds only what is new, in any order."""
    days = [(0, 2), (1, 4), (3, 5), (0, 5)]
    random.Random(1).shuffle(days)
    for number, (first, last) in enumerate(days):
        text = inbound_text(FIRST + timedelta(days=first), FIRST + timedelta(days=last))
        dataset.append(write(tmp_path / f"{number}.csv", text))
    expected = list(read_calls(write(tmp_path / "all.csv", inbound_text(FIRST, LAST))))
    assert counted(dataset.calls()) == counted(expected)


KEYS = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.sampled_from([1, 2, None]),
    st.sampled_from([0, 1, 599, 600, 601, 1200, 3300, 3601, 4200, 7200, 90000]),
    st.sampled_from(["x", None]),
)


@given(files=st.lists(st.lists(KEYS, max_size=8), max_size=4), slice_=st.sampled_from([1, 4, 1000]))
def test_each_record_once(tmp_path_factory, files, slice_):
    """The law of duplicates, however records are appended.

    No two records of the dataset with the same ID and attempt start within ten minutes, and each that was appended is
    near one of the dataset. Of those without an ID, there are as many as in the file with most of them.
    """
    dataset = CallDataset(tmp_path_factory.mktemp("law"))
    appended, most = set(), Counter()
    for rows in files:
        calls = [inbound(id_, attempt, second, source=source) for id_, attempt, second, source in rows]
        before = dataset.arrow().num_rows
        with mock.patch.object(duplicates, "_SLICE", slice_):
            added = dataset.append(calls)
        assert added.rows + added.duplicates == len(calls)
        assert dataset.arrow().num_rows == before + added.rows
        appended |= {((id_, attempt), T0 + timedelta(seconds=second)) for id_, attempt, second, _ in rows if id_}
        most |= Counter(row for row in rows if row[0] is None)
        every = list(dataset.calls())
        starts = {}
        for call in every:
            starts.setdefault((call.call_id, call.attempt), []).append(call.time_start)
        for key, times in starts.items():
            if key[0] is not None:
                times.sort()
                assert all(second - first > TEN_MINUTES for first, second in pairwise(times))
        assert all(any(abs(time - kept) <= TEN_MINUTES for kept in starts[key]) for key, time in appended)
        assert sum(call.call_id is None for call in every) == most.total()


def test_same_record_seconds_later(dataset):
    """A record whose start is given a little differently is the same; another call with that ID, much later, is not."""
    assert dataset.append([inbound("a")]).rows == 1
    assert dataset.append([inbound("a", second=-1)]) == Appended(0, 1, 0)
    assert dataset.append([inbound("a", second=86400)]) == Appended(1, 0, 0)


@pytest.mark.parametrize("slice_", [1, 1000])
def test_same_id_later(dataset, monkeypatch, slice_):
    """A call ID that is used again is kept, whether it is appended at once or later."""
    monkeypatch.setattr(duplicates, "_SLICE", slice_)
    minutes = [0, 8, 15, 25, 50, 58, 65, 75, 200]
    calls = [inbound("a", second=60 * minute) for minute in minutes]
    assert dataset.append(calls) == Appended(5, 4, 0)  # 0, 15, 50, 65 and 200
    for call in calls:
        assert dataset.append([call]) == Appended(0, 1, 0)
    one_by_one = CallDataset(f"{dataset.path}-2")
    assert sum(one_by_one.append([call]).rows for call in calls) == 5
    assert dataset.append([inbound("a", second=-700), inbound("z", second=-3600)]).rows == 2


EDGES = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)]


@pytest.mark.parametrize("start", EDGES)
def test_first_and_last_times(dataset, tmp_path, start):
    """Ten minutes before or after is no time of Python."""
    calls = [InboundCall(start, call_id="a", attempt=1), InboundCall(start), InboundCall(start)]
    assert dataset.append(calls + calls[:1]) == Appended(3, 1, 0)
    assert dataset.append(calls) == Appended(0, 3, 0)
    assert counted(dataset.calls()) == counted(calls)
    row = {"Date/Time Start (UTC)": f"{start:%Y-%m-%d %H:%M:%S.%f}".zfill(26), "Call ID": "b", "Attempt": "1"}
    path = write(tmp_path / "calls.csv", text_of([row, row]))
    assert dataset.append(path) == Appended(1, 1, 0)


def test_equal_rows_without_a_call_id(dataset):
    """As many as the source with most of them."""
    row = InboundCall(T0, source="x")
    assert [dataset.append([row] * number).rows for number in (2, 2, 1, 5)] == [2, 0, 0, 3]


def test_hours_before_1970(dataset):
    calls = [InboundCall(datetime(1969, 12, 31, 23, minute, tzinfo=UTC), call_id=str(minute)) for minute in (1, 59)]
    assert dataset.append([*calls, *calls]) == Appended(2, 2, 0)


def test_accounts_and_directions_are_apart(dataset):
    same = [inbound("a"), OutboundCall(T0, call_id="a")]
    assert dataset.append(same).rows == 2
    assert dataset.append(same, account="other").rows == 2
    assert len(list(dataset.calls(account="other", direction="outbound"))) == 1


def test_files_of_other_times_are_not_compared(dataset, monkeypatch):
    """DuckDB is used only if the times of files overlap."""
    monkeypatch.setattr("didww.cdr.duck.connect", None)
    for day in range(3):
        assert dataset.append([inbound("a", second=day * 86400)]).rows == 1
    with pytest.raises(TypeError):  # None is not callable
        dataset.append([inbound("a")])


def test_slices_of_time(dataset, tmp_path, monkeypatch):
    """Rows are compared in slices, with the same result."""
    monkeypatch.setattr(duplicates, "_SLICE", 500)
    text = inbound_text(numbers=4)
    lines = text.splitlines(keepends=True)
    half = write(tmp_path / "half.csv", "".join(lines[:1] + lines[1::2]))
    doubled = write(tmp_path / "doubled.csv", text + "".join(lines[1:]))
    dataset.append(half)
    dataset.append(doubled)
    assert counted(dataset.calls()) == counted(read_calls(write(tmp_path / "all.csv", text)))


def test_unordered_file(dataset, tmp_path):
    """A file that is not in the order of time."""
    header, *lines = inbound_text().splitlines(keepends=True)
    random.Random(2).shuffle(lines)
    path = write(tmp_path / "calls.csv.gz", header + "".join(lines + lines[:100]))
    assert dataset.append(path) == Appended(len(lines), 100, 0)


def test_arrow_batches_and_tables(dataset, exports):
    """Batches, of this package or with a column `direction`, and tables."""
    every = list(read_calls(exports))
    assert dataset.append(arrow_batches(exports)).rows == len(every)
    assert dataset.append(dataset.arrow()) == Appended(0, len(every), 0)
    assert dataset.append(dataset.batches()) == Appended(0, len(every), 0)
    assert dataset.append(dataset.arrow(), account="copy").rows == len(every)


def test_accounts_of_batches(dataset):
    """Records of another dataset keep their accounts."""
    other = CallDataset(f"{dataset.path}-2")
    for account in ("A", "B"):
        other.append([inbound("a")], account=account)
    with pytest.raises(InvalidValueError, match="several accounts") as caught:
        dataset.append(other.batches(), account="C")
    assert caught.value.field == "account"
    assert dataset.files == []
    assert dataset.append(other.batches()) == Appended(2, 0, 0)
    assert sorted(dataset.arrow(["account"])["account"].to_pylist()) == ["A", "B"]
    assert dataset.append(other.batches(account="A"), account="C").rows == 1


def test_small_table(dataset):
    """Columns that a table does not have are null; types that fit are converted."""
    table = pa.table({"time_start": [T0], "cost": [1], "direction": ["outbound"], "trunk": ["A"]})
    assert dataset.append(table).rows == 1
    assert list(dataset.calls()) == [OutboundCall(T0, cost=Decimal(1), trunk="A")]


INVALID = {
    "not iterable": (5, "source"),
    "of something": ([5], "source"),
    "mixed": ([inbound("a"), 5], "source"),
    "without direction": (pa.table({"time_start": [T0]}), "direction"),
    "wrong direction": (pa.table({"time_start": [T0], "direction": ["in"]}), "direction"),
    "unknown column": (pa.table({"time_start": [T0], "direction": ["inbound"], "trnk": ["a"]}), "source"),
    "without start": (pa.table({"direction": ["inbound"], "trunk": ["a"]}), "time_start"),
    "too large": (pa.table({"time_start": [T0], "direction": ["inbound"], "duration": [1 << 40]}), "source"),
    "floats": (pa.table({"time_start": [T0], "direction": ["inbound"], "cost": [0.1]}), "cost"),
    "nothing": ([None, inbound("a")], "source"),
    "integers as times": (pa.table({"time_start": [1793000000], "direction": ["inbound"]}), "time_start"),
    "float as number": (
        pa.table({"time_start": [T0], "direction": ["inbound"], "did_number": [442079460000.0]}),
        "did_number",
    ),
    "no account": (pa.table({"time_start": [T0], "direction": ["inbound"], "account": ["a/b"]}), "account"),
    "null account": (
        pa.table({"time_start": [T0], "direction": ["inbound"], "account": pa.nulls(1, pa.string())}),
        "account",
    ),
    "no JSON": (pa.table({"time_start": [T0], "direction": ["inbound"], "extra": ["{not json"]}), "extra"),
    "no object": (pa.table({"time_start": [T0], "direction": ["inbound"], "extra": ["[1]"]}), "extra"),
    "no text in extra": ([inbound("a", extra={"a": Decimal(1)})], "source"),
    "no start": ([InboundCall(None)], "time_start"),
    "time of Arrow only": (
        pa.table({"time_start": pa.array([1 << 62], pa.timestamp("us", "UTC")), "direction": ["inbound"]}),
        "time_start",
    ),
    "surrogate": ([inbound("a", source="\ud800")], "source"),
    "too many digits": ([inbound("a", cost=Decimal("0.12345678901"))], "source"),
}


@pytest.mark.parametrize(("source", "field"), INVALID.values(), ids=INVALID)
def test_invalid_sources(dataset, source, field):
    with pytest.raises(InvalidValueError) as caught:
        dataset.append(source)
    assert caught.value.field == field
    assert dataset.files == []


@pytest.mark.parametrize("account", ["", "a/b", "..", "a b", "x" * 101, "a..", "a\n", 5])
def test_invalid_account(dataset, account):
    with pytest.raises(InvalidValueError) as caught:
        dataset.append([], account=account)
    assert caught.value.field == "account"


def test_rejects(dataset, tmp_path):
    """Rows that are not valid are an error, and nothing of the file is added; or they are collected."""
    rows = [{"Date/Time Start (UTC)": "2026-11-01 00:00:00", "Attempt": cell} for cell in ("1", "x", "3")]
    path = write(tmp_path / "calls.csv", text_of(rows))
    with pytest.raises(CallFileError) as caught:
        dataset.append(path)
    assert (caught.value.line, caught.value.column) == (3, "Attempt")
    assert dataset.files == []
    rejects = []
    assert dataset.append(path, rejects=rejects) == Appended(2, 0, 1)
    assert [row.line for row in rejects] == [3]


def test_many_months(dataset, monkeypatch):
    """More months than are written at once."""
    monkeypatch.setattr(staging, "_MAX_OPEN", 3)
    calls = [InboundCall(datetime(2026, 1 + n % 6, 1, tzinfo=UTC), call_id=str(n)) for n in range(12)]
    assert dataset.append(iter([*calls, *calls])) == Appended(12, 12, 0)
    assert len(dataset.files) == 6
    with monkeypatch.context() as patch:
        patch.setattr(sources, "_RECORDS", 1)
        assert dataset.append([*calls, *calls], account="other") == Appended(12, 12, 0)
    assert counted(dataset.calls(account="other")) == counted(calls)


def test_progress(dataset, exports):
    told = []
    dataset.append(exports, progress=told.append)
    assert told[-1].done == told[-1].total == sum(path.stat().st_size for path in exports)


def test_folder_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DidwwClientError, match="Cannot write"):
        CallDataset(tmp_path / "file").append([inbound("a")])


def test_account_folder_is_a_file(dataset):
    folder = Path(dataset.path)
    folder.mkdir()
    (folder / "account=default").touch()
    with pytest.raises(DidwwClientError, match="account=default"):
        dataset.append([inbound("a")])


def test_damaged_file(dataset):
    """A file that was cut off is named, and how to go on."""
    dataset.append([inbound("a")])
    (path,) = dataset.files
    Path(path).write_bytes(Path(path).read_bytes()[:-9])
    again = CallDataset(dataset.path)
    for read in (lambda: again.append([inbound("b")]), again.arrow, lambda: list(again.calls())):
        with pytest.raises(CallFileError, match=r"part-.*delete it, and append its exports again"):
            read()
    Path(path).unlink()
    assert again.append([inbound("a"), inbound("b")]).rows == 2


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_disk_error_when_synchronizing(dataset, monkeypatch, kind):
    """What is not safely on disk is not added."""
    fsync = os.fsync

    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode) == (kind == "folder"):
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DidwwClientError, match=r"Cannot write .*Input/output error"):
        dataset.append([inbound("a")])
    monkeypatch.undo()
    assert dataset.files == []
    assert dataset.append([inbound("a")]).rows == 1


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot synchronize folders")
def test_new_folders_are_synchronized(dataset, monkeypatch):
    """The file and the entries of all new folders are written to disk."""
    synchronized = set()
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synchronized.add(os.fstat(file).st_ino), fsync(file)))
    dataset.append([inbound("a")])
    path = Path(dataset.files[0])
    assert {each.stat().st_ino for each in (path, *path.parents[:5])} <= synchronized


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
@pytest.mark.parametrize(("mode", "folders", "files"), [(None, 0o700, 0o600), (0o750, 0o750, 0o640)])
def test_permissions(dataset, mode, folders, files):
    """A new dataset is only for its owner; an existing folder keeps its permissions, also for what is in it."""
    if mode is not None:
        Path(dataset.path).mkdir()
        Path(dataset.path).chmod(mode)
    dataset.append([inbound("a")])
    (file,) = map(Path, dataset.files)
    assert file.stat().st_mode & 0o777 == files
    assert {folder.stat().st_mode & 0o777 for folder in file.parents[:4]} == {folders}


@pytest.mark.parametrize("name", ["account=evil/region=eu/month=1", "a[b]c*", "it's"])
def test_names_above(tmp_path, name):
    """Folders above a dataset have no meaning."""
    dataset = CallDataset(tmp_path / name / "calls")
    calls = [inbound("a"), OutboundCall(T0, call_id="a"), inbound("a", second=86400 * 40)]
    assert dataset.append([*calls, calls[0]]) == Appended(3, 1, 0)
    assert dataset.append(calls) == Appended(0, 3, 0)
    relation = dataset.sql("select * from calls")
    assert relation.columns == dataset.arrow().schema.names
    query = "select account, direction, month, call_id from calls order by all"
    assert dataset.sql(query).fetchall() == [
        ("default", "inbound", "2026-11", "a"),
        ("default", "inbound", "2026-12", "a"),
        ("default", "outbound", "2026-11", "a"),
    ]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_forked_process_keeps_no_lock(tmp_path):
    """A process that is forked while the lock is held does not hold it."""
    reading, writing = os.pipe()
    with (tmp_path / "lock").open("a+b") as file, locked(file):
        child = os.fork()
        if not child:
            os.close(writing)
            os.read(reading, 1)  # until the parent closes it
            os._exit(0)
    try:
        with (tmp_path / "lock").open("a+b") as file:
            fcntl = pytest.importorskip("fcntl")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(writing)
        os.close(reading)
        os.waitpid(child, 0)


@pytest.mark.parametrize("step", ["write_table", "rename"])
def test_disk_is_full(dataset, exports, monkeypatch, step):
    """The error names the file or folder, and nothing is added."""

    def fail(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter if step == "write_table" else Path, step, fail)
    with pytest.raises(DidwwClientError, match=r"Cannot write .*calls.*: No space left on device\."):
        dataset.append(exports)
    assert dataset.files == []


def test_staging_inside(dataset, exports, monkeypatch):
    """If the folder beside cannot be written, as that of a mounted disk."""
    monkeypatch.setattr("os.access", lambda *_: False)
    (Path(dataset.path) / "_staging").mkdir(parents=True)
    (Path(dataset.path) / "_staging" / "important").touch()
    assert dataset.append(exports).rows > 0
    assert sorted(path.name for path in Path(dataset.path).iterdir()) == ["_lock", "_staging", "account=default"]
    assert (Path(dataset.path) / "_staging" / "important").exists()


@pytest.mark.parametrize("beside", [True, False])
def test_unfinished_files_are_not_read(dataset, monkeypatch, beside):
    """Neither by this dataset nor by other engines, while a file is being added or after a crash."""
    polars = pytest.importorskip("polars")
    duckdb = pytest.importorskip("duckdb")
    if not beside:
        monkeypatch.setattr("os.access", lambda *_: False)
    dataset.append([inbound("a")])
    found = []

    def rename(path, _target):
        (staged,) = Path(dataset.path).parent.rglob("*.unfinished")
        assert staged == path
        found.append(
            polars.scan_parquet(f"{dataset.path}/**/*.parquet").select("call_id").collect()["call_id"].to_list()
        )
        with duckdb.connect() as connection:
            found.append(connection.execute(f"select call_id from '{dataset.path}/**/*.parquet'").fetchall())
        found.append(dataset.arrow()["call_id"].to_pylist())
        raise OSError(5, "a crash")

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(DidwwClientError, match="a crash"):
        dataset.append([inbound("b")])
    assert found == [["a"], [("a",)], ["a"]]


# Crashes, and several writers

CRASH = """
import os, sys
from didww.cdr import CallDataset
calls = ("os.mkdir", "os.rename", "shutil.rmtree")
left = int(sys.argv[1])
dataset = CallDataset(sys.argv[2])
sources = sys.argv[3:]
import didww.cdr.sources, didww.cdr.staging, didww.cdr.duplicates
def hook(event, arguments):
    global left
    if event in calls and os.path.dirname(sys.argv[2]) in str(arguments[0]):
        left -= 1
        if left < 0:
            os._exit(9)
sys.addaudithook(hook)
dataset.append(sources)
"""


@pytest.mark.slow
def test_killed_at_any_step(tmp_path):
    """A process that is killed at any operation on files loses and doubles nothing: append is repeated."""
    path = write(tmp_path / "in.csv.gz", inbound_text(numbers=2))
    every = counted(read_calls(path))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    added, ended = [], []
    while 0 not in ended:
        steps = range(len(ended), len(ended) + 4)
        folders = [tmp_path / str(step) / "calls" for step in steps]
        commands = [
            [sys.executable, "-c", CRASH, str(n), str(path_), str(path)]
            for n, path_ in zip(steps, folders, strict=True)
        ]
        ended += [process.wait() for process in [subprocess.Popen(command, env=environment) for command in commands]]
        for folder in folders:
            dataset = CallDataset(folder)
            before = counted(dataset.calls())
            assert before <= every
            added.append(before.total())
            dataset.append(path)
            assert counted(dataset.calls()) == every
    assert set(ended) == {0, 9}
    assert added == sorted(added)
    assert len(set(added)) == 3  # nothing, a month, both months


def test_error_between_months(dataset, exports, monkeypatch):
    """What was added before an error stays; the next call adds the rest."""
    publish = type(dataset._store).publish

    def fail(store, *arguments):
        if dataset.files:
            raise DidwwClientError("Cannot write")
        return publish(store, *arguments)

    monkeypatch.setattr(type(dataset._store), "publish", fail)
    with pytest.raises(DidwwClientError, match="Cannot write"):
        dataset.append(exports)
    assert len(dataset.files) == 1
    monkeypatch.undo()
    dataset.append(exports)
    assert counted(dataset.calls()) == counted(read_calls(exports))


def test_no_traces(dataset, exports):
    """Only the lock and the folders of accounts."""
    dataset.append(exports)
    assert [path.name for path in Path(dataset.path).parent.iterdir()] == ["calls"]
    assert sorted(path.name for path in Path(dataset.path).iterdir()) == ["_lock", "account=default"]


def test_threads_at_once(tmp_path, exports):
    """Several writers add the same records once."""
    added = []
    writers = [
        threading.Thread(target=lambda: added.append(CallDataset(tmp_path / "calls").append(exports))) for _ in range(3)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    every = list(read_calls(exports))
    assert sorted(each.rows for each in added) == [0, 0, len(every)]
    assert counted(CallDataset(tmp_path / "calls").calls()) == counted(every)


@pytest.mark.slow
def test_processes_at_once(tmp_path, exports):
    program = "import sys; from didww.cdr import CallDataset; print(CallDataset(sys.argv[1]).append(sys.argv[2:]).rows)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", program, str(tmp_path / "calls"), *map(str, exports)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(3)]
    added = [int(process.communicate()[0]) for process in running]
    assert sum(added) == len(list(read_calls(exports)))
    assert sorted(added)[:2] == [0, 0]


# Reading


@pytest.fixture(scope="module")
def filled(tmp_path_factory, exports):
    dataset = CallDataset(tmp_path_factory.mktemp("filled"))
    dataset.append(exports)
    return dataset


@pytest.fixture(scope="module")
def costs(exports):
    """The exact sum of the cost, by direction and month."""
    sums = {}
    for call in read_calls(exports):
        key = ("inbound" if isinstance(call, InboundCall) else "outbound", f"{call.time_start:%Y-%m}")
        sums[key] = sums.get(key, Decimal(0)) + (call.cost or 0)
    return sums


def test_types_of_files(filled):
    """Files have the documented types, without dictionaries, so that all engines read the same."""
    for path in filled.files:
        assert pq.read_schema(path) == arrow_schema()


def test_arrow(filled, costs):
    table = filled.arrow(["cost", "direction", "month"])
    found = table.group_by(["direction", "month"]).aggregate([("cost", "sum")]).to_pylist()
    assert {(row["direction"], row["month"]): row["cost_sum"] for row in found} == costs
    assert filled.arrow().schema.names == [*(name for name, *_ in dataset_columns()), "account", "direction", "month"]


def test_duckdb(filled, costs):
    query = "select direction, month, sum(cost), max(time_start) from calls group by all"
    rows = filled.sql(query).fetchall()
    assert {(direction, month): total for direction, month, total, _ in rows} == costs
    assert all(latest.utcoffset() == timedelta(0) for *_, latest in rows)
    assert filled.relation().count("*").fetchall() == [(filled.arrow().num_rows,)]


def test_polars(filled, costs):
    polars = pytest.importorskip("polars")
    frame = filled.polars()
    assert frame.schema["cost"] == polars.Decimal(18, 9)
    assert frame.schema["time_start"] == polars.Datetime("us", "UTC")
    found = frame.group_by("direction", "month").agg(polars.col("cost").sum()).rows()
    assert {(direction, month): total for direction, month, total in found} == costs


def test_pandas(filled, costs):
    pytest.importorskip("pandas")
    frame = filled.pandas(["direction", "month", "cost", "time_start"])
    assert str(frame["time_start"].dtype) == "timestamp[us, tz=UTC][pyarrow]"
    assert frame.groupby(["direction", "month"])["cost"].sum().to_dict() == costs


def test_other_readers(filled, costs):
    """The folder as it is: pyarrow's dataset, DuckDB's globs and polars' scan find the partitions."""
    import duckdb

    total = sum(costs.values())
    found = pa_dataset.dataset(filled.path, partitioning="hive").to_table()
    assert pa.compute.sum(found["cost"]).as_py() == total
    with duckdb.connect() as connection:
        text = f"select sum(cost), min(direction) from read_parquet('{filled.path}/*/*/*/*.parquet', hive_partitioning=true)"
        assert connection.execute(text).fetchone() == (total, "inbound")
    polars = pytest.importorskip("polars")
    scanned = polars.scan_parquet(f"{filled.path}/**/*.parquet", hive_partitioning=True)
    assert scanned.filter(direction="inbound").select("account").collect().height > 0
    assert scanned.select(polars.col("cost").sum()).collect().item() == total


def test_empty(dataset):
    """A dataset without files has all columns and no rows."""
    assert dataset.arrow().schema.names[-1] == "month"
    assert list(dataset.calls()) == []
    assert dataset.sql("select count(*), max(cost) from calls").fetchall() == [(0, None)]
    assert dataset.append([]) == Appended(0, 0, 0)


def test_unknown_column(filled):
    with pytest.raises(InvalidValueError, match="trunk") as caught:
        filled.arrow(["trnk"])
    assert caught.value.field == "columns"


def test_repr(dataset):
    assert repr(dataset) == f"CallDataset({dataset.path!r})"


# File systems


@pytest.mark.parametrize("kind", ["local", "subtree", "memory"])
def test_filesystems(tmp_path, exports, kind):
    """Folders of this machine by pyarrow's file systems, and one that is not of this machine."""
    systems = {
        "local": (fs.LocalFileSystem(), str(tmp_path / "calls")),
        "subtree": (fs.SubTreeFileSystem(str(tmp_path), fs.LocalFileSystem()), "calls"),
        "memory": (fs._MockFileSystem(), "bucket/calls"),
    }
    system, path = systems[kind]
    dataset = CallDataset(path, filesystem=system)
    every = list(read_calls(exports))
    assert dataset.append(exports).rows == len(every)
    assert dataset.append(exports) == Appended(0, len(every), 0)
    assert counted(dataset.calls()) == counted(every)
    assert dataset.sql("select count(*) from calls where month = '2026-10'").fetchall()[0][0] > 0
    assert (tmp_path / "calls").exists() == (kind != "memory")


def test_addresses(tmp_path):
    """The address of a folder; one of no known file system is an error."""
    dataset = CallDataset((tmp_path / "calls").as_uri())
    assert dataset.append([inbound("a")]).rows == 1
    assert CallDataset(tmp_path / "calls").append([inbound("a")]).rows == 0
    with pytest.raises(InvalidValueError, match="path") as caught:
        CallDataset("nonsense://bucket/calls")
    assert caught.value.field == "path"


def test_header_only(dataset, tmp_path):
    """An export without calls."""
    assert dataset.append(write(tmp_path / "calls.csv", csv_line(["Date/Time Start (UTC)", "Attempt"]))) == (0, 0, 0)
