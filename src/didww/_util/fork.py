"""Locks that keep a fork from happening while another thread is at work: a child would never get them."""

from __future__ import annotations

import os
import threading
from typing import Final
from weakref import WeakSet

__all__ = ["hold_at_forks", "in_sqlite"]

_PATIENCE: Final = 1.0  # seconds; a lock that the forking thread itself holds would never be free

in_sqlite = threading.RLock()
"""Held during SQLite calls: a child forked in the middle of one could never use SQLite."""

_locks: WeakSet[threading.Lock] = WeakSet()
_held: list[threading.Lock] = []


def hold_at_forks(lock: threading.Lock) -> None:
    """Hold a lock during forks, so that no other thread does."""
    _locks.add(lock)


def _hold() -> None:
    _held.extend(lock for lock in list(_locks) if lock.acquire(timeout=_PATIENCE))


def _release() -> None:
    while _held:
        _held.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=in_sqlite.acquire, after_in_parent=in_sqlite.release, after_in_child=in_sqlite.release)
    # Registered later, so called earlier: who holds such a lock may need the one above to get on.
    os.register_at_fork(before=_hold, after_in_parent=_release, after_in_child=_release)
