"""The emulator's own rate limit: the 429 response, per key, over the last second of real time."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from didww._core.effects import Response

__all__ = ["TOO_MANY_REQUESTS", "RateLimit"]

TOO_MANY_REQUESTS: Final = b'{"errors":[{"status":"429","detail":"Too Many Requests"}]}'
"""Body of the service's 429 response, which has neither title nor code."""

_MAX_KEYS: Final = 10_000


class RateLimit:
    """Requests per second for each key.

    Args:
        limit: The number; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._recent: dict[str, deque[float]] = {}

    def check(self, key: str) -> Response | None:
        """Count a request of `key`; return the 429 response if it exceeds the limit."""
        if self._limit is None:
            return None
        now = time.monotonic()
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= self._limit:
            return Response(429, {"content-type": "application/vnd.api+json"}, TOO_MANY_REQUESTS)
        recent.append(now)
        if len(self._recent) > _MAX_KEYS:
            self._recent.clear()
        return None

    def reset(self) -> None:
        """Forget all requests."""
        self._recent.clear()
