"""Call records converted to Parquet, and asked for a sum, side by side with pyarrow, DuckDB and polars.

A part of run.py: prints the rows of the file, the seconds of each side in each round, and the peak of a process that
converts ten times as many rows, in MiB, as JSON. `call_dataset.py convert FILE FOLDER` is that process. All sides read
the same compressed export; the others guess types, so their amounts are floating point.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from call_records import write_export
from exports import peak_memory

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDS = int(os.environ.get("BENCHMARK_RECORDS", "1_000_000"))
ROUNDS = int(os.environ.get("BENCHMARK_ROUNDS", "7"))
TIMES = 10


def ours(source: Path, folder: Path) -> int:
    """Append to a new dataset: typed, without duplicates, by month."""
    from didww.cdr import CallDataset

    return CallDataset(folder / "calls").append(source).rows


def pyarrow_whole(source: Path, folder: Path) -> int:
    """pyarrow's reader and writer, with the file in memory."""
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    table = pa_csv.read_csv(source)
    pq.write_table(table, folder / "calls.parquet")
    return int(table.num_rows)


def pyarrow_streaming(source: Path, folder: Path) -> int:
    """pyarrow's reader and writer, block by block."""
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    rows = 0
    with pa_csv.open_csv(source) as reader, pq.ParquetWriter(folder / "calls.parquet", reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def duckdb_copy(source: Path, folder: Path) -> int:
    """DuckDB's reader and writer."""
    import duckdb

    with duckdb.connect() as connection:
        text = f"copy (select * from read_csv('{source}')) to '{folder}/calls.parquet' (format parquet)"
        return int(connection.execute(text).fetchall()[0][0])


def polars_whole(source: Path, folder: Path) -> int:
    """polars' reader and writer, with the file in memory."""
    import polars as pl

    frame = pl.read_csv(source)
    frame.write_parquet(folder / "calls.parquet")
    return int(frame.height)


SIDES: dict[str, Callable[[Path, Path], int]] = {
    "CallDataset.append": ours,
    "pyarrow read_csv, write_table": pyarrow_whole,
    "pyarrow open_csv, ParquetWriter": pyarrow_streaming,
    "DuckDB copy": duckdb_copy,
    **({"polars read_csv, write_parquet": polars_whole} if importlib.util.find_spec("polars") else {}),
}


def converted(function: Callable[[Path, Path], int], source: Path, rows: int) -> float:
    """Return the seconds of a conversion."""
    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        started = time.perf_counter()
        found = function(source, Path(folder))
        seconds = time.perf_counter() - started
    assert found == rows, (function, found, rows)
    return seconds


def answered(source: Path, folder: Path) -> float:
    """Return the seconds of a query of a dataset."""
    from didww.cdr import CallDataset

    dataset = CallDataset(folder / "calls")
    dataset.append(source)
    started = time.perf_counter()
    assert len(dataset.sql("select trunk, sum(cost) from calls group by trunk").fetchall()) > 1
    return time.perf_counter() - started


def repeated(source: Path, target: Path) -> None:
    """Write an export several times as large: the same calls in other years."""
    header, _, lines = gzip.decompress(source.read_bytes()).partition(b"\n")
    with target.open("wb") as file:
        file.write(gzip.compress(header + b"\n"))
        for year in range(2010, 2010 + TIMES):
            file.write(gzip.compress(lines.replace(b"2026-", b"%d-" % year), 1))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "calls.csv.gz"
        rows = write_export(source, RECORDS)
        times: dict[str, list[float]] = {name: [] for name in SIDES}
        for round_ in range(ROUNDS + 1):
            for name, function in SIDES.items():
                seconds = converted(function, source, rows)
                if round_:
                    times[name].append(seconds)
        seconds = answered(source, Path(folder))
        large = Path(folder) / "large.csv.gz"
        repeated(source, large)
        command = [sys.executable, __file__, "convert", str(large), str(Path(folder) / "large")]
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout
    large_rows, peak, large_seconds = json.loads(done)
    assert large_rows == rows * TIMES
    found = {"rows": rows, "times": times, "answer": seconds}
    print(json.dumps(found | {"large": large_rows, "large_seconds": large_seconds, "peak": peak}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["convert", source, folder]:
            begun = time.perf_counter()
            print(json.dumps([ours(Path(source), Path(folder)), peak_memory(), time.perf_counter() - begun]))
        case _:
            main()
