"""The emulator's own rate limit: the 429 response, per account, over the last second of real time."""

from __future__ import annotations

import time
from collections import deque
from typing import Final

from didww._core.effects import Response
from didww.emulator.engine.errors import error_body
from didww.emulator.engine.services import API, TOKEN_PATH, service_of
from didww.emulator.engine.tokens import oauth_error
from didww.version import TOKENS_SINCE

__all__ = ["RateLimit", "too_many_requests"]

_OLDER_BODY: Final = b'{"errors":[{"status":"429","detail":"Too Many Requests"}]}'
"""Body of the service's 429 response in version 2026-04-16, which has neither title nor code."""
_WINDOW: Final = 1
"""Seconds."""

_MAX_KEYS: Final = 10_000


class RateLimit:
    """Requests per second for each account: those of its key and those of its tokens.

    Args:
        limit: The number; None for no limit.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._recent: dict[str, deque[float]] = {}

    def exceeded(self, key: str) -> bool:
        """Count a request of `key`, or of a token minted from it; return whether it exceeds the limit."""
        if self._limit is None:
            return False
        now = time.monotonic()
        recent = self._recent.setdefault(key, deque())
        while recent and recent[0] <= now - _WINDOW:
            recent.popleft()
        if len(recent) >= self._limit:
            return True
        recent.append(now)
        if len(self._recent) > _MAX_KEYS:
            self._recent.clear()
        return False

    def reset(self) -> None:
        """Forget all requests."""
        self._recent.clear()


def too_many_requests(path: str, version: str, retry_after: int | None = None) -> Response:
    """Return the 429 response of the service that a path belongs to.

    Args:
        path: Path of the request.
        version: API version of the request.
        retry_after: Seconds of `Retry-After`. Defaults to the window of the limit, and to none in version 2026-04-16.
    """
    seconds = _WINDOW if retry_after is None else retry_after
    if path == TOKEN_PATH:
        return oauth_error(429, "rate_limit_exceeded", "Too many requests.", {"retry-after": str(seconds)})
    service = service_of(path) or API
    if service is API and version < TOKENS_SINCE:
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        return Response(429, {"content-type": "application/vnd.api+json", **headers}, _OLDER_BODY)
    error = {
        "title": "Too many requests",
        "detail": "The account has used up its requests for now.",
        "code": "too_many_requests",
        "status": "429",
    }
    headers = {"content-type": "application/vnd.api+json", "retry-after": str(seconds)}
    return Response(429, headers, error_body([error]))
