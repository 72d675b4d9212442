"""The benchmarks run: with few records, so that a change of the package cannot break them unnoticed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.sip_programs import need
from support.unix import unix_only

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


pytestmark = unix_only


def run(*arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=BENCHMARKS,
        env={**os.environ, "BENCHMARK_RECORDS": "2000"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_iteration_benchmark_runs() -> None:
    """An iteration over 20 pages takes 20 requests, and meets no 429."""
    result = run("-c", "import calls, json; print(json.dumps(calls.iterate()))")
    assert result["requests"] == 20
    assert result["refused"] == 0


@pytest.mark.slow
def test_export_benchmark_runs() -> None:
    """The file has about as many rows as were asked for."""
    assert 1000 < run("exports.py")["rows"] < 4000


@pytest.mark.slow
def test_call_record_benchmark_runs() -> None:
    """Both sides read all rows of the file."""
    result = run("call_records.py")
    assert 1000 < result["rows"] < 4000
    assert len(result["ours"]) == len(result["dictionaries"])


@pytest.mark.slow
def test_call_dataset_benchmark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All sides convert all rows of the file."""
    pytest.importorskip("duckdb")
    monkeypatch.setenv("BENCHMARK_ROUNDS", "1")
    result = run("call_dataset.py")
    assert 1000 < result["rows"] < 4000
    assert result["large"] == 10 * result["rows"]
    assert {len(times) for times in result["times"].values()} == {1}


@pytest.mark.slow
def test_call_report_benchmark_runs() -> None:
    """Each question of the report has its time, and the page its size."""
    result = run("call_report.py")
    assert 1000 < result["rows"] < 4000
    assert len(result["questions"]) > 5
    assert 10_000 < result["bytes"] < 1_000_000


@pytest.mark.slow
def test_call_engine_benchmark_runs() -> None:
    """Each question has its time on DuckDB, and on Spark where there is one."""
    result = run("call_engines.py")
    assert 1000 < result["rows"] < 4000
    assert len(result["seconds"]) == 4
    assert all(seconds["DuckDB"] > 0 for seconds in result["seconds"].values())


@pytest.mark.slow
def test_sip_call_benchmark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """All calls are accounted for: by reports, call records and SIPp."""
    pytest.importorskip("aiosipua")
    need("sipp")
    monkeypatch.setenv("BENCHMARK_CALLS_AT_ONCE", "40")
    monkeypatch.setenv("BENCHMARK_CALLS_A_SECOND", "20")
    monkeypatch.setenv("BENCHMARK_SECONDS", "3")
    result = run("sip_calls.py")
    assert result["at_once"]["most"] == 40
    for found in result.values():
        assert found["reports"] == found["records"] == found["sipp"] == found["calls"]
