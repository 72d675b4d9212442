"""`--emulator-file`: files of others, and files in use."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from didww.emulator import Emulator


@pytest.fixture
def alone(didww):
    """Return the command without an account."""
    del didww.env["DIDWW_API_KEY"], didww.env["DIDWW_BASE_URL"]
    return didww


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize("line", ["balance --emulator-file", "emulator --host 'no such host' --db"])
def test_database_of_another_program_is_left_alone(alone, tmp_path, line, journal):
    """Nothing is added to it."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE meta (name, value)")
        connection.commit()
    before = path.read_bytes()
    result = alone(line, str(path))
    assert result.code == 1
    assert f"{path} is the database of another program." in result.err
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.glob("other.db*")] == ["other.db"]


def test_file_that_is_not_a_database_is_left_alone(alone, tmp_path):
    """The message names another option."""
    path = tmp_path / "notes.txt"
    path.write_text("notes", encoding="utf-8")
    result = alone("balance --emulator-file", str(path))
    assert result.code == 1
    assert f"{path} is not an emulator file. Pass another --emulator-file." in result.err
    assert path.read_text(encoding="utf-8") == "notes"


def test_own_file_is_used_again(alone, tmp_path):
    """After a proper end and after a kill, when a log is left; an empty file is a new one."""
    path = tmp_path / "state.db"
    path.touch()
    for _ in range(2):
        assert "10000.00" in alone.ok("balance --emulator-file", str(path))
    copy = tmp_path / "killed.db"
    with Emulator(path=str(path)):
        for end in ("", "-wal"):
            if (source := path.with_name(f"{path.name}{end}")).exists():
                copy.with_name(f"{copy.name}{end}").write_bytes(source.read_bytes())
    assert "10000.00" in alone.ok("balance --emulator-file", str(copy))


@pytest.mark.slow
def test_file_in_use(alone, tmp_path):
    """The message names it once, and says who may use it."""
    path = tmp_path / "state.db"
    with Emulator(path=str(path)):
        result = alone("balance --emulator-file", str(path))
    assert result.code == 1
    assert result.err.count(str(path)) == 1
    assert "may be waiting at a question" in result.err


def test_file_of_another_seed(alone, tmp_path):
    """The file is named once."""
    path = tmp_path / "state.db"
    Emulator(path=str(path), seed=7).close()
    result = alone("balance --emulator-file", str(path))
    assert result.code == 1
    assert result.err.count(str(path)) == 1
    assert "seed 7" in result.err
