"""How many calls are in progress, against the limits of numbers, channels, groups and trunks."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.emulator.sip.model import Limit

__all__ = ["Capacity"]


class Capacity:
    """The calls in progress of an emulator. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[tuple[str, str]] = Counter()

    def acquire(self, limits: Sequence[Limit]) -> Limit | None:
        """Count a call against all limits; or return the first one that is reached, and count nothing."""
        with self._lock:
            for limit in limits:
                if self._calls[limit.key] < limit.most:
                    continue
                if limit.overflow is None:
                    return limit
                if self._calls[limit.overflow.key] >= limit.overflow.most:
                    return limit.overflow
            for limit in limits:
                self._calls[limit.key] += 1
                if limit.overflow is not None and self._calls[limit.key] > limit.most:
                    self._calls[limit.overflow.key] += 1
        return None

    def release(self, limits: Sequence[Limit]) -> None:
        """Count a call no longer."""
        with self._lock:
            for limit in limits:
                if limit.overflow is not None and self._calls[limit.key] > limit.most:
                    self._calls[limit.overflow.key] -= 1
                self._calls[limit.key] -= 1
            self._calls = +self._calls  # drops zeros

    def in_progress(self, limit: Limit) -> int:
        """Return how many calls count against a limit."""
        with self._lock:
            return self._calls[limit.key]
