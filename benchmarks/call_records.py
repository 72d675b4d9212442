"""Call records read from an export: as typed records, and by the standard library as dictionaries of text.

A part of run.py: prints the rows of the file, the seconds of both in each round, and the peak of a process that reads
the file, in MiB, as JSON. `call_records.py read FILE` is that process.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from exports import peak_memory

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = int(os.environ.get("BENCHMARK_RECORDS", "500_000"))
ROUNDS = 5
NUMBERS = 100
DAYS = 60


def write_export(path: Path, records: int) -> int:
    """Write an export of about so many inbound calls; return its rows."""
    from didww.emulator.data.cdr import CDR_IN_COLUMNS, Attempt, Line, cdr_in, csv_line

    attempts = [
        (Attempt(f"Trunk {n}", f"sip:{n}@sip.example.com"), Attempt("Backup", "12125550100", True)) for n in (1, 2)
    ]
    lines = [Line(f"442079460{n:03}", attempts[n % 2], "Office", "Shared" if n % 3 else "") for n in range(NUMBERS)]
    # A call has 1.1 rows, and weekends have a third of the calls of other days.
    a_day = records / NUMBERS / DAYS / 0.8 / 1.1
    calls = cdr_in(lines, datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC), 1, a_day)
    rows = 0
    with gzip.open(path, "wt", encoding="utf-8", newline="", compresslevel=6) as file:
        file.write(csv_line(CDR_IN_COLUMNS))
        for _, text in calls:
            file.write(text)
            rows += text.count("\n")
    return rows


def read(path: Path) -> int:
    """Read an export as typed records; return how many."""
    from didww import read_calls

    return sum(1 for _ in read_calls(path))


def read_dictionaries(path: Path) -> int:
    """Read an export with the standard library; return how many rows."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def timed(function: Callable[[Path], int], path: Path, rows: int) -> float:
    started = time.perf_counter()
    assert function(path) == rows
    return time.perf_counter() - started


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "calls.csv.gz"
        rows = write_export(path, RECORDS)
        times: dict[str, list[float]] = {"ours": [], "dictionaries": []}
        for round_ in range(ROUNDS):
            sides = [("ours", read), ("dictionaries", read_dictionaries)]
            for name, function in sides if round_ % 2 else reversed(sides):
                times[name].append(timed(function, path, rows))
        command = [sys.executable, __file__, "read", str(path)]
        peak = float(subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout)
    print(json.dumps({"rows": rows, "peak": peak, **times}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["read", path]:
            read(Path(path))
            print(peak_memory())
        case _:
            main()
