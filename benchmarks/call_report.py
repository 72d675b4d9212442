"""A report over millions of call records, on DuckDB in one process.

A part of run.py: prints the records, the seconds of the report and of each of its questions, the bytes of the page, and
the peak of the process, in MiB, as JSON. The records are a file of Parquet: an export of the emulator, many times, each
time with other call IDs and some seconds later.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from call_records import write_export
from exports import peak_memory

RECORDS = int(os.environ.get("BENCHMARK_RECORDS", "10_000_000"))
BASE = 200_000
SHIFT = 7
TIMES = ("time_start", "time_connect", "time_end")


def write_records(folder: Path, records: int) -> Path:
    """Write about so many records; return their file."""
    import duckdb

    from didww.cdr import CallDataset

    write_export(folder / "calls.csv.gz", min(records, BASE))
    dataset = CallDataset(folder / "dataset")
    dataset.append(folder / "calls.csv.gz")
    path = folder / "calls.parquet"
    moved = ", ".join(f"{name} + to_seconds(copy * {SHIFT}) AS {name}" for name in TIMES)
    with duckdb.connect(config={"preserve_insertion_order": False}) as connection:
        dataset.view(connection)
        connection.execute(
            f"COPY (SELECT * EXCLUDE (copy) REPLACE (call_id || '-' || copy AS call_id, {moved}) "
            f"FROM calls, (SELECT range::INTEGER AS copy FROM range({max(1, records // BASE)}))) "
            f"TO '{path}' (FORMAT parquet)"
        )
    return path


def main() -> None:
    import ibis

    from didww.cdr import Calls

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = write_records(folder, RECORDS)
        calls = Calls(ibis.duckdb.connect().read_parquet(path))
        steps: list[tuple[str, float]] = []
        started = time.perf_counter()
        page = calls.report(
            folder / "report.html", capacity=100, progress=lambda step: steps.append((step, time.perf_counter()))
        )
        ended = time.perf_counter()
        ends = [*(at for _, at in steps[1:]), ended]
        questions = {step: end - at for (step, at), end in zip(steps, ends, strict=True)}
        found = {"rows": len(calls), "seconds": ended - started, "questions": questions, "bytes": page.stat().st_size}
    print(json.dumps(found | {"peak": peak_memory()}))


if __name__ == "__main__":
    main()
