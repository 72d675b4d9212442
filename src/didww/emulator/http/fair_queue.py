"""Fair queuing of requests: a small request does not wait for the large ones of other connections.

Weighted fair queuing: each request gets the virtual time at which it would finish if all connections were served at
once, and the earliest goes first.
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
"""Event loop iterations needed to accept a connection, read from it and start its task."""
_MAX_REMEMBERED = 1000


class _Waiting(NamedTuple):
    finish: float
    number: int
    start: float
    ready: asyncio.Future[None]


class FairQueue:
    """Run one request at a time, in fair order. Belongs to one event loop.

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
        """Virtual finish time of the last request, by connection."""

    @asynccontextmanager
    async def share_of(self, connection: Hashable, work: float) -> AsyncGenerator[None]:
        """Wait for the turn of a request; others wait while the `async with` block runs.

        Args:
            connection: Connection of the request.
            work: Estimated work, in any unit.
        """
        start = max(self._now, self._finished.get(connection, 0.0))
        self._finished[connection] = finish = start + work
        ready: asyncio.Future[None] = self.loop.create_future()
        heapq.heappush(self._waiting, _Waiting(finish, next(self._numbers), start, ready))
        if not self._busy:
            self._busy = True
            # Not immediately: requests of the same loop iteration are compared first.
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
        """Start the next request after some loop iterations, in which more can arrive."""
        if rounds > 1:
            self.loop.call_soon(self._next, rounds - 1)
            return
        while self._waiting:
            waiting = heapq.heappop(self._waiting)
            if not waiting.ready.done():  # else canceled
                self._now = max(self._now, waiting.start)
                waiting.ready.set_result(None)
                return
        self._busy = False
        if len(self._finished) > _MAX_REMEMBERED:
            self._finished = {one: at for one, at in self._finished.items() if at > self._now}
