"""A fair share of one thread for many connections: a small request does not wait for everybody's large ones.

Weighted fair queuing: each request is given the time at which it would be finished if all connections were served at
once, by a clock that counts work instead of seconds, and the earliest goes first.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Hashable

__all__ = ["FairQueue"]

_LOOP_ROUNDS = 4
"""Rounds of the event loop that it takes to accept a connection, read from it and start its task."""
_MAX_REMEMBERED = 1000


class _Waiting(NamedTuple):
    finish: float
    number: int
    start: float
    ready: asyncio.Future[None]


class FairQueue:
    """Lets one request at a time go on, in fair order. Belongs to one event loop.

    Example:
        >>> async def main():
        ...     queue = FairQueue()
        ...     async with queue.share_of("127.0.0.1:50000", work=50):
        ...         return "at work"
        >>> asyncio.run(main())
        'at work'
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._busy = False
        self._now = 0.0
        self._finished: dict[Hashable, float] = {}
        """By connection, where its last request ends."""

    @asynccontextmanager
    async def share_of(self, connection: Hashable, work: float) -> AsyncGenerator[None]:
        """Wait until a request may be worked on; others wait while the `async with` block lasts.

        Args:
            connection: Whose request it is.
            work: How much it is estimated to be, in any unit.
        """
        start = max(self._now, self._finished.get(connection, 0.0))
        self._finished[connection] = finish = start + work
        ready: asyncio.Future[None] = self.loop.create_future()
        heapq.heappush(self._waiting, _Waiting(finish, next(self._numbers), start, ready))
        if not self._busy:
            self._busy = True
            # Not at once: what arrived in the same round of the loop is compared first.
            self.loop.call_soon(self._next, 1)
        try:
            await ready
        except asyncio.CancelledError:
            if ready.done() and not ready.cancelled():
                self._next(1)
            raise
        try:
            yield
        finally:
            self._next(_LOOP_ROUNDS)

    def _next(self, rounds: int) -> None:
        """Let the next request go, after so many rounds of the loop in which more can arrive."""
        if rounds > 1:
            self.loop.call_soon(self._next, rounds - 1)
            return
        while self._waiting:
            waiting = heapq.heappop(self._waiting)
            if not waiting.ready.done():  # else cancelled
                self._now = max(self._now, waiting.start)
                waiting.ready.set_result(None)
                return
        self._busy = False
        if len(self._finished) > _MAX_REMEMBERED:
            self._finished = {one: at for one, at in self._finished.items() if at > self._now}
