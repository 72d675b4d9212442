"""Kill a process at a line of `fetch_new`, then fetch again, and compare the directory with the calls of the service.

A program of its own: it forks, which only a process with a single thread may do. Arguments: an empty directory, the
first line to kill at, the distance to the next one, and how many lines. Prints how often a process was killed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import traceback
from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Any

from didww._core import polling
from didww._drivers import call_account, call_folder, call_state, files, folder_lock, new_rows, state_file
from support.fetching import NOW, Account, lines_of

TRACED = {
    module.__file__ for module in (call_account, call_folder, call_state, files, folder_lock, new_rows, state_file)
}
KILLED = 9


class Killing:
    """A directory that is one fetch behind, in an account whose next export is being prepared."""

    def __init__(self, root: Path) -> None:
        self.account = Account()
        self.root = root
        self.first = root / "first"
        self.start = NOW - timedelta(days=2)
        exports = self.account.client.exports()
        exports.fetch_new("cdr_in", self.first, start=self.start)
        emulator = self.account.emulator
        emulator.calls.inbound(self.account.numbers[0], count=3)
        emulator.clock.advance("20 hours")
        emulator.calls.inbound(self.account.numbers[1], count=2)
        emulator.clock.advance("1 minute")
        self.expected = lines_of(exports.fetch("cdr_in", start=self.start, directory=root / "whole"))
        # Processes that are forked have this export, too, whatever becomes of the others.
        emulator.transitions.set("exports", by_hand=True)
        try:
            exports.fetch_new("cdr_in", self.first, progress=_interrupt)
        except KeyboardInterrupt:
            self.export = exports.list(sort="-created_at").data[0].id

    def fetch(self, directory: Path) -> Any:
        """Fetch again; the export is completed meanwhile."""
        complete = self.account.emulator.transitions.complete
        return self.account.client.exports().fetch_new(
            "cdr_in", directory, progress=lambda progress: progress.step == "waiting" and complete(self.export)
        )

    def killed_at(self, line: int) -> bool:
        """Kill a process at a line, and check what another one makes of it; return False if the first one ended."""
        directory = self.root / f"at-{line}"
        shutil.copytree(self.first, directory)
        code = _in_process(lambda: self._until(line, directory))
        if code not in (0, KILLED) or _in_process(lambda: self._check(directory)) != 0:
            raise SystemExit(f"failed after line {line}: exit code {code}")
        shutil.rmtree(directory)
        return code == KILLED

    def _until(self, line: int, directory: Path) -> None:
        left = line

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal left
            if frame.f_code.co_filename not in TRACED:
                return None
            if event == "line":
                left -= 1
                if left < 0:
                    os._exit(KILLED)
            return trace

        sys.settrace(trace)
        self.fetch(directory)
        sys.settrace(None)

    def _check(self, directory: Path) -> None:
        database = sqlite3.connect(directory / ".didww" / "cdr_in.sqlite")
        returned = {name for (name,) in database.execute("SELECT name FROM files WHERE state = 'returned'")}
        database.close()
        fetched = self.fetch(directory)
        paths = sorted(directory.glob("*.csv.gz"))
        found = lines_of(paths)
        assert found == self.expected, (found - self.expected, self.expected - found)
        assert {path.name for path in fetched} == {path.name for path in paths} - returned, fetched
        assert fetched.rows == lines_of(fetched).total()
        assert {path.name for path in (directory / ".didww").iterdir()} == {
            "account.sqlite",
            "cdr_in.lock",
            "cdr_in.sqlite",
        }
        assert self.fetch(directory).paths == ()


def _interrupt(_: object) -> None:
    raise KeyboardInterrupt


def _in_process(work: Any) -> int:
    """Run a function in a process of its own, and return its exit code."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    try:
        work()
    except BaseException:  # noqa: BLE001 printed
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def main(root: str, first: str, distance: str, count: str) -> None:
    """Kill processes at some lines, the last of which may be behind the end."""
    polling.FIRST_PAUSE = 0.0  # the export is completed when it is polled for the first time
    killing = Killing(Path(root))
    ended = Counter(killing.killed_at(int(first) + place * int(distance)) for place in range(int(count)))
    sys.stdout.write(f"{ended[True]}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
