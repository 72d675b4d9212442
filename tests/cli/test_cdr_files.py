"""`didww cdr convert` and `didww cdr sql`."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from didww import read_calls
from didww.cdr import CallDataset
from support.call_files import inbound_text, outbound_text, text_of, write

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


@pytest.fixture
def exports(tmp_path, monkeypatch):
    """Two exports in the current directory."""
    monkeypatch.chdir(tmp_path)
    return [write(tmp_path / "in.csv.gz", inbound_text(numbers=3)), write(tmp_path / "out.csv", outbound_text())]


def test_convert(didww, exports):
    """Exports become a dataset; a second time, all records are there already."""
    every = len(list(read_calls(exports)))
    first = didww("cdr convert in.csv.gz out.csv calls/ -o json")
    assert first.code == 0, first
    expected = {"dataset": "calls/", "rows": every, "duplicates": 0, "rejected": 0, "parquet_files": 4}
    assert json.loads(first.out) == expected
    assert "Converting" in first.err
    again = didww("cdr convert . calls/ --account default -o json")
    assert json.loads(again.out) == expected | {"rows": 0, "duplicates": every}
    assert CallDataset("calls").arrow().num_rows == every


def test_convert_rejects(didww, exports, tmp_path):
    """Rows that are not valid are an error with the line, or rows of a CSV file."""
    start = {"Date/Time Start (UTC)": "2026-11-01 00:00:00"}
    write(tmp_path / "bad.csv", text_of([start, start | {"Attempt": "=1"}]))
    failed = didww("cdr convert bad.csv calls/")
    assert failed.code != 0
    assert "bad.csv, line 3, column 'Attempt'" in failed.err
    done = didww("cdr convert bad.csv calls/ --rejects rejected.csv -o json")
    assert json.loads(done.out) | {"parquet_files": 1} == {
        "dataset": "calls/",
        "rows": 1,
        "duplicates": 0,
        "rejected": 1,
        "parquet_files": 1,
    }
    if os.name != "nt":
        assert (tmp_path / "rejected.csv").stat().st_mode & 0o777 == 0o600
    with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["file"], row["line"], row["column"]) == ("bad.csv", "3", "Attempt")
    assert didww("cdr convert bad.csv calls/ --rejects rejected.csv").code == 2


def test_sql(didww, exports):
    """Exports or a dataset, in each format; amounts are exact."""
    query = '"select direction, count(*) as n, sum(cost) as cost from calls group by direction order by direction"'
    calls = list(read_calls(exports))
    costs = {cls: sum(call.cost for call in calls if type(call) is cls) for cls in {type(call) for call in calls}}
    found = didww(f"cdr sql {query} in.csv.gz out.csv -o json")
    assert found.code == 0, found
    rows = json.loads(found.out)
    assert [row["direction"] for row in rows] == ["inbound", "outbound"]
    assert {row["cost"] for row in rows} == {str(cost) for cost in costs.values()}
    assert sum(row["n"] for row in rows) == len(calls)
    didww("cdr convert in.csv.gz out.csv calls/ --account main")
    assert json.loads(didww(f"cdr sql {query} calls -o json").out) == rows
    assert json.loads(didww(f"cdr sql {query} calls --account main -o json").out) == rows
    other = didww(f"cdr sql {query} calls --account mian -o csv")
    assert other.code == 2
    assert "no account 'mian'. Did you mean 'main'? It has: main." in other.err


def test_convert_needs_a_dataset(didww, exports, tmp_path):
    """Not the folder of the exports; one argument are the exports."""
    missing = didww("cdr convert in.csv.gz")
    assert missing.code == 2
    assert "DATASET is missing" in missing.err
    for arguments in ("in.csv.gz .", ". ."):
        refused = didww(f"cdr convert {arguments}")
        assert refused.code != 0
        assert "has exports" in refused.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv.gz", "out.csv"]


def test_convert_is_interrupted(didww, exports, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(CallDataset, "append", interrupt)
    assert "To continue: run the same command again." in didww("cdr convert in.csv.gz calls/").err


def test_sql_errors(didww, exports):
    wrong = didww("cdr sql 'select trnk from calls' in.csv.gz")
    assert wrong.code != 0
    assert "trnk" in wrong.err
    assert "Traceback" not in wrong.err
    assert "\\n" not in wrong.err
    assert "LINE 1" not in wrong.err
    assert "The table is `calls`." in didww("cdr sql 'select * from cdr' in.csv.gz").err
    assert "The query comes first" in didww("cdr sql in.csv.gz 'select 1'").err
    for query in ("copy calls to 'copy.csv'", "select 1; copy calls to 'copy.csv'", "create table t as select 1", ""):
        refused = didww(f'cdr sql "{query}" in.csv.gz')
        assert refused.code != 0
        assert "one question, such as `select" in refused.err
    assert not Path("copy.csv").exists()
    assert didww("cdr sql 'describe calls' in.csv.gz -o csv").out.startswith("column_name,")
    assert didww("cdr sql 'with a as (from calls) select count(*) from a' in.csv.gz").code == 0
    assert (
        "12345678901234567890.123456789"
        in didww("cdr sql 'select 12345678901234567890.123456789::decimal(38, 9) as n' in.csv.gz -o json").out
    )
    missing = didww("cdr sql 'select 1' missing.csv")
    assert "There is no file or folder missing.csv." in missing.err


def test_sql_has_all_values_of_a_row(didww, exports):
    """Also of columns with equal names, of times that Python has not, and of what is no number of JSON."""
    query = "cdr sql 'select 1 as a, 2 as a, 3 as a_1, 4 as \"b c\", 5 as b_c' in.csv.gz"
    assert didww(f"{query} -o csv").out == "a,a_1,a_1_1,b_c,b_c_1\n1,2,3,4,5\n"
    assert json.loads(didww(f"{query} -o json").out) == [{"a": 1, "a_1": 2, "a_1_1": 3, "b_c": 4, "b_c_1": 5}]
    times = "timestamptz '10000-01-01 00:00:00' as a, '-infinity'::timestamp as b, 'infinity'::date as c"
    (row,) = json.loads(didww(f"cdr sql \"select {times}, 'nan'::double as n\" in.csv.gz -o json").out)
    assert row["a"].startswith("10000-01-01 00:00:00")
    assert (row["b"], row["c"], row["n"]) == ("-infinity", "infinity", "nan")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "'select * from cdr' in.csv.gz",
            "DuckDB refused the query: there is no such table. The table is `calls`.",
        ),
        ("'select trnk from calls' in.csv.gz", 'not found in FROM clause! Candidate bindings: "'),
        ("'selec' in.csv.gz", 'syntax error at or near "selec"'),
        ("in.csv.gz 'select 1'", "in.csv.gz is a file or folder. The query comes first, then FILES."),
    ],
)
def test_sql_says_what_is_wrong(didww, exports, line, message):
    """In one line."""
    failed = didww(f"cdr sql {line}")
    assert failed.code != 0
    assert message in failed.err
    assert "\\n" not in failed.err
