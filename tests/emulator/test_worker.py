"""Test the background threads."""

from __future__ import annotations

import math
import threading

import pytest

from didww.emulator.worker import Worker


def test_worker_survives_exceptions(caplog: pytest.LogCaptureFixture) -> None:
    """The exception is logged, and the work runs again later."""

    class Work:
        times = 0
        done = threading.Event()

        def work(self) -> float:
            self.times += 1
            if self.times == 1:
                raise OSError("nothing goes")
            self.done.set()
            return math.inf

    work = Work()
    worker = Worker("test", work.work)
    worker.wake()
    assert work.done.wait(30)
    worker.close()
    assert "nothing goes" in caplog.text
