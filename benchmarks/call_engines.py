"""The same questions about millions of call records, on DuckDB in this process and on a local Spark.

A part of run.py: prints the records and the seconds of each question on each engine, as JSON. Spark is left out if it,
or Java, is not installed. Both read the same file of Parquet, and must give the same rows.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from call_report import write_records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww.cdr import Answer, Calls

RECORDS = int(os.environ.get("BENCHMARK_RECORDS", "10_000_000"))
QUESTIONS: dict[str, Callable[[Calls], Answer]] = {
    "summary by trunk": lambda calls: calls.summary("trunk"),
    "summary by number and day": lambda calls: calls.summary("number,day"),
    "peak of each trunk": lambda calls: calls.concurrency("trunk"),
    "anomalies": lambda calls: calls.anomalies(),
}


@contextmanager
def spark(folder: Path) -> Iterator[Any]:
    """A local Spark on all cores, as an Ibis backend."""
    import ibis
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.local.dir": str(folder),
        "spark.log.level": "OFF",
        "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[*]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        yield ibis.pyspark.connect(session)
    finally:
        session.stop()


def has_spark() -> bool:
    return importlib.util.find_spec("pyspark") is not None and bool(shutil.which("java") or os.getenv("JAVA_HOME"))


def main() -> None:
    import ibis

    from didww.cdr import Calls

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        path = write_records(folder, RECORDS)
        engines: dict[str, Any] = {"DuckDB": ibis.duckdb.connect()}
        if has_spark():
            engines["Spark"] = stack.enter_context(spark(folder))
        answers: dict[str, Any] = {}
        seconds: dict[str, dict[str, float]] = {name: {} for name in QUESTIONS}
        for engine, backend in engines.items():
            calls = Calls(backend.read_parquet(path))
            rows = len(calls)  # Spark has started
            for name, ask in QUESTIONS.items():
                started = time.perf_counter()
                found = ask(calls).arrow()
                seconds[name][engine] = time.perf_counter() - started
                if not found.equals(answers.setdefault(name, found)):
                    sys.exit(f"{engine} has other rows: {name}")
    print(json.dumps({"rows": rows, "seconds": seconds}))


if __name__ == "__main__":
    main()
