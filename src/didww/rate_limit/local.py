"""How many requests go out in a second, and how many are repeated.

The service takes 20 requests a second of one key. Limiters for several processes or hosts: `didww.rate_limit.shared`.
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
"""Requests in a second that the service takes of one key."""

MARGIN = 1.03
"""How much longer the time between two turns is than the rate needs: on their way, requests close up a little."""


class Permit(NamedTuple):
    """When a request may go.

    Attributes:
        wait: Seconds to wait; 0 for at once.
        granted: Whether the request may go after that time; otherwise ask again.
    """

    wait: float
    granted: bool


class Budget:
    """Lets a client repeat a few requests at once, and then one in ten: a service that is down is not hammered.

    Args:
        most: Repetitions that can be spent at once.
        share: What each request that went well adds.
    """

    def __init__(self, most: float = 10.0, share: float = 0.1) -> None:
        self._lock = threading.Lock()
        self._most = self._left = most
        self._share = share

    def spend(self) -> bool:
        """Take one; False if there is none left."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True

    def earn(self) -> None:
        """A request went well."""
        with self._lock:
            self._left = min(self._most, self._left + self._share)


class Limiter(Protocol):
    """Says when a request may go; shared by all threads and tasks of a client, or by several clients."""

    blocking: bool
    """Whether its methods may wait for a file or the network; an asynchronous client calls them in a thread then."""

    def acquire(self, timeout: float) -> Permit:
        """The next turn; none is taken that comes later than in `timeout` seconds."""
        ...

    def slow_down(self, seconds: float) -> None:
        """The service said that there were too many requests: hand out no turn for so long."""
        ...


def limiter_for(rate_limit: float | Limiter | None) -> Limiter | None:
    """The limiter that is meant by a client's argument.

    Raises:
        InvalidValueError: It is neither a rate, nor a limiter, nor None.
    """
    if rate_limit is None:
        return None
    if not isinstance(rate_limit, (int, float)) and hasattr(rate_limit, "acquire"):
        return rate_limit
    return RateLimiter(cast("float", rate_limit))


class RateLimiter:
    """The limiter of one process: turns in the order they were asked for, evenly spread.

    It keeps 3 % below the rate, so that requests that close up on their way do not break it at the service.

    Args:
        rate: Requests in a second.
        burst: How many of them may go at once after a pause.
        clock: A clock in seconds that never goes back.

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
                "None sends requests at once.",
                field="rate_limit",
            )
        if isinstance(burst, bool) or not isinstance(burst, int) or burst < 1:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
            raise InvalidValueError(
                f"burst must be a whole number from 1, got {shown(burst)}. 1 spreads requests evenly.", field="burst"
            )
        self.rate = float(rate)
        self._gap = MARGIN / self.rate
        self._ahead = (burst - 1) * self._gap
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0  # when the next turn is due if nothing is left of the burst

    def acquire(self, timeout: float) -> Permit:
        """The next turn; it is the caller's, unless it comes too late for it."""
        with self._lock:
            now = self._clock()
            due = max(self._next, now - self._ahead)
            seconds = max(0.0, due - now)
            if seconds > timeout:
                return Permit(seconds, granted=False)
            self._next = due + self._gap
            return Permit(seconds, granted=True)

    def slow_down(self, seconds: float) -> None:
        """Nobody's turn for so long; those that were handed out stay."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds + self._ahead)

    def __repr__(self) -> str:
        return f"RateLimiter({self.rate:g})"
