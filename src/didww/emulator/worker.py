"""A background thread for due events and callbacks.

It starts on demand and stops with its emulator.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Worker"]

log = logging.getLogger("didww.emulator")

_MAX_NAP: Final = 0.5
_AFTER_FAILURE: Final = 0.5


class Worker:
    """Run a work function whenever something is due.

    Args:
        name: Name of the thread.
        work: A bound method that runs due work and returns the seconds until the next; referenced weakly.
    """

    def __init__(self, name: str, work: Callable[[], float]) -> None:
        self._name = name
        self._method = weakref.WeakMethod(work)
        self._work = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False

    def wake(self) -> None:
        """Check for due work now."""
        self._work.set()
        with self._lock:
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop the thread without waiting for a callback in progress."""
        with self._lock:
            self._ended = True
        self._work.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=1)

    def _run(self) -> None:
        while not self._ended:
            pause = self._round()
            if pause is None:
                return
            # The nap is short so that the thread ends soon after its emulator is gone, even with a frozen clock.
            self._work.wait(min(max(pause, 0.002), _MAX_NAP))
            self._work.clear()

    def _round(self) -> float | None:
        work = self._method()
        if work is None:
            return None
        try:
            return work()
        except sqlite3.ProgrammingError:  # the emulator was closed, or the interpreter is shutting down
            return None
        except Exception:  # later work must still run
            log.exception("emulator: the thread %s failed and will retry", self._name)
            return _AFTER_FAILURE
