"""Rate limiter and retry budget for one process.

The API accepts 20 requests per second per key. Limiters for several processes or hosts: `didww.rate_limit.shared`.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from didww._util.text import shown
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEFAULT_RATE", "Budget", "Limiter", "Permit", "RateLimiter", "limiter_for"]

DEFAULT_RATE = 20.0
"""Requests per second that the API accepts per key."""

MARGIN = 1.03
"""Safety factor for the interval between permits: network jitter can bring requests closer together."""


class Permit(NamedTuple):
    """Permission to send a request, or the time to wait before asking again.

    Attributes:
        wait: Seconds to wait; 0 to send now.
        granted: Whether the request may be sent after `wait`. If False, call `acquire` again after `wait`.
    """

    wait: float
    granted: bool


class Budget:
    """Retry budget: limits retries to an initial allowance plus a share of the successful requests.

    It keeps clients from overloading a service that is down.

    Args:
        most: Maximum number of retries available at once.
        share: Amount that each successful request adds.
    """

    def __init__(self, most: float = 10.0, share: float = 0.1) -> None:
        self._lock = threading.Lock()
        self._most = self._remaining = most
        self._share = share

    def spend(self) -> bool:
        """Use one retry; return False if none is left."""
        with self._lock:
            if self._remaining < 1:
                return False
            self._remaining -= 1
            return True

    def earn(self) -> None:
        """Add to the budget after a successful request."""
        with self._lock:
            self._remaining = min(self._most, self._remaining + self._share)


class Limiter(Protocol):
    """Decides when a request may be sent. Shared by all threads and tasks of a client, or by several clients."""

    blocking: bool
    """Whether methods may block on a file or the network. If so, an asynchronous client calls them in a thread."""

    def acquire(self, timeout: float) -> Permit:
        """Return the next permit; grant it only if it is due within `timeout` seconds."""
        ...

    def slow_down(self, seconds: float) -> None:
        """Pause all permits for `seconds`, after the API responded with 429 Too Many Requests."""
        ...


def limiter_for(rate_limit: float | Limiter | None) -> Limiter | None:
    """Return the limiter for a client's `rate_limit` argument.

    Raises:
        InvalidValueError: `rate_limit` is not a rate, a limiter or None.
    """
    if rate_limit is None:
        return None
    if not isinstance(rate_limit, (int, float)) and hasattr(rate_limit, "acquire"):
        return rate_limit
    return RateLimiter(cast("float", rate_limit))


class RateLimiter:
    """Rate limiter for one process: grants evenly spaced permits in the order of requests.

    It stays 3% below the rate, so that network jitter does not exceed the limit at the server.

    Args:
        rate: Requests per second.
        burst: Number of requests that may be sent at once after a pause.
        clock: Monotonic clock in seconds.

    Raises:
        InvalidValueError: `rate` is not above 0, or `burst` is less than 1.
    """

    blocking = False

    def __init__(
        self, rate: float = DEFAULT_RATE, burst: int = 1, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < 1e9:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"rate_limit must be a number of requests per second above 0, a limiter, or None, got {shown(rate)}. "
                "None disables rate limiting.",
                field="rate_limit",
            )
        if isinstance(burst, bool) or not isinstance(burst, int) or burst < 1:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"burst must be a whole number from 1, got {shown(burst)}. 1 spaces requests evenly.", field="burst"
            )
        self.rate = float(rate)
        self._gap = MARGIN / self.rate
        self._ahead = (burst - 1) * self._gap
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0  # time of the next permit once the burst is used up

    def acquire(self, timeout: float) -> Permit:
        """Return the next permit; grant it only if it is due within `timeout` seconds."""
        with self._lock:
            now = self._clock()
            due = max(self._next, now - self._ahead)
            seconds = max(0.0, due - now)
            if seconds > timeout:
                return Permit(seconds, granted=False)
            self._next = due + self._gap
            return Permit(seconds, granted=True)

    def slow_down(self, seconds: float) -> None:
        """Pause new permits for `seconds`. Permits already granted stay valid."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds + self._ahead)

    def __repr__(self) -> str:
        return f"RateLimiter({self.rate:g})"
