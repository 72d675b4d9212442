"""Kill a program with a `CallSink` between any two of its file operations, and check what is left.

Each run is a fork of a process that has everything imported and no threads. `python -m support.sink_crashes FOLDER STEP`
kills at every operation (STEP 1) or at every second and so on, and prints the number of operations.
"""

from __future__ import annotations

import os
import sys
import traceback
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb  # noqa: F401 imported before the forks
import pyarrow.dataset
import pyarrow.parquet  # noqa: F401

from didww.cdr.dataset import CallDataset
from didww.cdr.sink import CallSink
from support.streamed import deliver, inbound, outbound, receiver

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATIONS = ("open", "write", "fsync", "replace", "rename", "unlink", "mkdir", "rmdir", "ftruncate")
BATCHES = (
    [inbound(8), inbound(8, attempt=2), outbound(8)],
    [inbound(12), inbound(9, time_start=None)],
    [inbound(8), outbound(13)],
)
EXPECTED = sorted([("in-8", 1), ("in-8", 2), ("in-12", 1), ("out-8", 0), ("out-13", 0)])
KILLED = 9


def program(folder: Path, acknowledged: int) -> None:
    """Receive some batches, one of them partly known; note each that was acknowledged."""
    with CallSink(folder / "calls") as sink:
        for number, batch in enumerate(BATCHES):
            app = receiver()
            sink.attach(app)
            if deliver(app, *batch).status == 200:
                write(acknowledged, bytes([number]))
            if number == 0:
                sink.flush()


def check(folder: Path) -> None:
    """Check that all that was acknowledged is in the dataset once, and that the rest can be sent again."""
    acknowledged = (folder / "acknowledged").read_bytes()
    with CallSink(folder / "calls") as sink:
        sink.flush()
        found = rows(folder)
        for number in acknowledged:
            wanted = [(keys(record)) for record in BATCHES[number] if record["attributes"]["time_start"]]
            assert set(wanted) <= set(found), (acknowledged, found)
        assert len(set(found)) == len(found), found
        app = receiver()
        sink.attach(app)
        for batch in BATCHES:
            assert deliver(app, *batch).status == 200
    assert rows(folder) == EXPECTED, rows(folder)
    assert all(path.name.endswith(".rejected.jsonl") for path in folder.rglob("*.jsonl"))


def keys(record: dict[str, Any]) -> tuple[str, int]:
    attributes = record["attributes"]
    return (attributes.get("local_tag") or attributes.get("call_id"), attributes.get("routing_attempt", 0))


def rows(folder: Path) -> list[tuple[str, int]]:
    table = CallDataset(folder / "calls").arrow(["call_id", "attempt"]).to_pylist()
    return sorted((row["call_id"], row["attempt"] or 0) for row in table)


write = os.write


def killed_after(last: int) -> None:
    """End this process, as a kill does, after its file operation number `last`."""
    numbers = count(1)

    def counted(operation: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            result = operation(*args, **named)
            if next(numbers) >= last:
                os._exit(KILLED)
            return result

        return call

    for name in OPERATIONS:
        setattr(os, name, counted(getattr(os, name)))


def forked(work: Callable[[], None]) -> int:
    """Run a function in a fork, and return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:  # noqa: BLE001 shown, and the code tells
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(root: Path, step: int) -> int:
    """Kill the program after one of its file operations, and later each time, until it ends by itself."""
    for last in count(1, step):
        folder = root / str(last)
        folder.mkdir()
        acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def run(last: int = last, folder: Path = folder, acknowledged: int = acknowledged) -> None:
            killed_after(last)
            program(folder, acknowledged)

        code = forked(run)
        os.close(acknowledged)
        if code not in (0, KILLED) or forked(lambda folder=folder: check(folder)) != 0:
            raise SystemExit(f"Killed after operation {last}: see above.")
        if code == 0:
            return last
    raise AssertionError


if __name__ == "__main__":
    sys.stdout.write(f"{main(Path(sys.argv[1]), int(sys.argv[2]))}\n")
