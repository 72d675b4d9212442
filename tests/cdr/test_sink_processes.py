"""CallSink in processes that are killed, that work at once, and that fork."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from didww.cdr import CallDataset, CallSink
from support.hypothesis_profiles import SLOW
from support.streamed import work
from support.unix import unix_only

FORK = """
import os, sys
from didww.callback.call_events import call_event_of
from didww.cdr.sink import CallSink
from support.streamed import inbound

sink = CallSink(sys.argv[1])
sink.write([call_event_of(inbound(1))])
child = os.fork()
sink.write([call_event_of(inbound(2 + (child == 0)))])
if child == 0:
    os._exit(0)  # a worker that is killed
assert os.waitpid(child, 0)[1] == 0
sink.close()
"""


def ids(folder: Path) -> list[str]:
    return sorted(CallDataset(folder).arrow(["call_id"]).column("call_id").to_pylist())


def python(*arguments: str) -> str:
    """Run Python with the paths of this process, and return what it prints."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONWARNINGS": "ignore::DeprecationWarning",
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, encoding="utf-8", check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@unix_only
@pytest.mark.slow
def test_killed_at_any_point_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """Killed between any two file operations: what was acknowledged is there once, and so is what is sent again."""
    step = 1 if settings().max_examples >= SLOW else 7
    assert int(python("-m", "support.sink_crashes", str(tmp_path), str(step))) > 50


@pytest.mark.slow
def test_processes_share_a_dataset(tmp_path: Path) -> None:
    """Three workers that receive the same records at once add each once."""
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=work, args=(tmp_path / "calls", first, 6)) for first in (0, 1, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert ids(tmp_path / "calls") == sorted(f"in-{number}" for number in range(8 * 5 + 10))


@unix_only
@pytest.mark.slow
def test_sink_made_before_a_fork_works_in_both_processes(tmp_path: Path) -> None:
    """A server that forks its workers may create the sink first: each worker has its own file."""
    python("-c", FORK, str(tmp_path / "calls"))
    CallSink(tmp_path / "calls").close()
    assert ids(tmp_path / "calls") == ["in-1", "in-2", "in-3"]
