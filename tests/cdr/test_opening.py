"""Exports and datasets are opened for questions."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from didww import CallFileError, InboundCall, InvalidValueError, read_calls
from didww._util.extras import need
from didww.cdr import CallDataset, open_calls
from didww.cdr.duck import connect
from support.call_files import inbound_text, outbound_text, text_of, write

pytest.importorskip("pyarrow")
pytest.importorskip("ibis")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exports")
    write(folder / "in.csv.gz", inbound_text(numbers=3))
    write(folder / "out.csv", outbound_text())
    return folder


def rows(calls):
    return calls.summary().rows[0]["attempts"]


def test_exports(folder):
    """A file, files, or a folder, the same calls."""
    files = sorted(folder.iterdir())
    every = len(list(read_calls(files)))
    assert rows(open_calls(folder)) == rows(open_calls(files)) == rows(open_calls(iter(files))) == every
    assert rows(open_calls(files[0])) + rows(open_calls(str(files[1]))) == every


def test_dataset(folder, tmp_path):
    """A folder with a dataset, or the object; of one account."""
    dataset = CallDataset(tmp_path / "calls")
    dataset.append(folder / "in.csv.gz", account="a")
    dataset.append(folder / "out.csv", account="b")
    for source in (dataset, dataset.path, Path(dataset.path)):
        assert rows(open_calls(source)) == dataset.arrow().num_rows
        assert rows(open_calls(source, account="a")) == dataset.arrow(account="a").num_rows


def test_temporary_dataset_is_deleted(folder, tmp_path, monkeypatch):
    """With the calls, or if the file is not valid."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    calls = open_calls(folder)
    found = calls.where(direction="inbound")
    del calls
    gc.collect()
    assert rows(found) > 0
    assert len(list(tmp_path.iterdir())) == 1
    del found
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(CallFileError):
        open_calls(write(tmp_path / "exports" / "calls.csv", text_of([{}])))
    assert [path.name for path in tmp_path.iterdir()] == ["exports"]


def test_rejects_and_progress(tmp_path):
    start = {"Date/Time Start (UTC)": "2026-11-01 00:00:00"}
    path = write(tmp_path / "calls.csv", text_of([start, start | {"Attempt": "x"}]))
    rejects, told = [], []
    assert rows(open_calls(path, rejects=rejects, progress=told.append)) == 1
    assert [row.line for row in rejects] == [3]
    assert told[-1].done == path.stat().st_size


def test_dataset_among_exports(tmp_path):
    """A folder with both is refused, whichever came first."""
    folder = tmp_path / "exports"
    folder.mkdir()
    path = write(folder / "in.csv.gz", inbound_text())
    for mark in (path, folder / ".didww"):
        with pytest.raises(InvalidValueError, match="has exports") as caught:
            CallDataset(folder).append(path)
        assert caught.value.field == "path"
        if mark == path:
            (folder / ".didww").mkdir()
            path = path.rename(tmp_path / "in.csv.gz")
    (folder / ".didww").rmdir()
    assert CallDataset(folder).append(path).rows > 0
    path.rename(folder / "in.csv.gz")
    with pytest.raises(InvalidValueError, match="has exports"):
        open_calls(folder)


def test_dataset_is_not_an_export(tmp_path):
    """It cannot be one of several sources."""
    path = write(tmp_path / "in.csv.gz", inbound_text())
    CallDataset(tmp_path / "calls").append(path)
    for source in ([tmp_path / "calls", path], [tmp_path / "calls"]):
        with pytest.raises(InvalidValueError, match=r"is a dataset, not exports\. Open a dataset alone"):
            open_calls(source)


def test_record_class(tmp_path):
    """An export whose header has few known columns."""
    path = tmp_path / "calls.csv"
    path.write_text("Date/Time Start (UTC),Call ID,A,B,C\n2026-11-01 00:00:00,a,,,\n", "utf-8")
    with pytest.raises(CallFileError, match="record_class"):
        open_calls(path)
    assert len(open_calls(path, record_class=InboundCall).arrow()) == 1


def test_spilled_records_are_private(tmp_path, monkeypatch):
    """What does not fit into memory is not written to the current directory."""
    monkeypatch.chdir(tmp_path)
    with connect(memory="60MB") as connection:
        connection.execute("set preserve_insertion_order = false; set threads = 1")
        connection.execute("create table t as select range::text || repeat('x', 40) as x from range(3_000_000)")
        ((folder,),) = connection.execute("select current_setting('temp_directory')").fetchall()
        assert Path(folder).parent.stat().st_mode & 0o077 == 0
        assert any(Path(folder).iterdir())
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_open(tmp_path):
    with pytest.raises(InvalidValueError, match="no file or folder"):
        open_calls(tmp_path / "missing")
    with pytest.raises(InvalidValueError, match="didww cdr fetch"):
        open_calls(tmp_path)


def test_missing_extra(monkeypatch):
    """The error says what to install."""
    with pytest.raises(InvalidValueError, match=r'pip install "didww-sdk\[cdr\]"') as caught:
        need("a_package_that_is_not_there.module")
    assert caught.value.field == "a_package_that_is_not_there"
    with pytest.raises(InvalidValueError, match="pip install a_package"):
        need("a_package", "")
    with pytest.raises(ModuleNotFoundError):
        need("email.missing_part")
