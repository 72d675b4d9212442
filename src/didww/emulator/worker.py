"""A thread that does what the clock brings while nobody asks: events that fall due, or callbacks.

It is started when there is something for it, and ends with its emulator.
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
    """Does its work whenever something is due.

    Args:
        name: Of its thread.
        work: A method that does what is due, and says in how many seconds more is; its object is not kept alive for it.
    """

    def __init__(self, name: str, work: Callable[[], float]) -> None:
        self._name = name
        self._method = weakref.WeakMethod(work)
        self._work = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = False

    def wake(self) -> None:
        """See what is to be done, now."""
        self._work.set()
        with self._lock:
            if self._thread is None and not self._ended:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread; a callback under way is not waited for."""
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
            # A clock that stands still brings nothing by itself; the nap ends when the emulator is gone.
            self._work.wait(min(max(pause, 0.002), _MAX_NAP))
            self._work.clear()

    def _round(self) -> float | None:
        work = self._method()
        if work is None:
            return None
        try:
            return work()
        except sqlite3.ProgrammingError:  # the emulator was closed, or the program ends
            return None
        except Exception:  # what comes later must not wait for ever
            log.exception("emulator: the thread %s failed, and tries again", self._name)
            return _AFTER_FAILURE
