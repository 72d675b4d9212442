"""The loop of a driver: performs the effects of a call, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from didww._core.effects import Join, Start
from didww._core.pagination import Page

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator  # async

    # sync: from collections.abc import Callable, Generator
    from weakref import WeakSet

    from didww._core.effects import Call, Effect
    from didww._core.pagination import Cursor
    from didww.transport.base import AsyncTransport

__all__ = ["AsyncLoop", "AsyncStarted"]

T = TypeVar("T")


class AsyncStarted(Protocol):
    """A call that runs concurrently."""

    async def join(self) -> Any:
        """Wait for the call and return its result or raise its error."""
        ...

    def cancel(self) -> None:
        """Cancel the call, unless it has ended, and discard its result."""
        ...

    async def settle(self) -> None:
        """Wait briefly for the canceled call to end."""
        ...


class AsyncLoop:
    """Runs calls by the handlers of a driver.

    Attributes:
        transport: The transport.
    """

    transport: AsyncTransport
    _running: WeakSet[Any]
    _handlers: dict[type, Callable[[Any], Awaitable[Any]]]  # async
    # sync: _handlers: dict[type, Callable[[Any], Any]]

    async def close(self) -> None:
        """Cancel concurrent calls, such as prefetched pages, and close the transport."""
        started = list(self._running)
        for work in started:
            work.cancel()
        for work in started:
            await work.settle()
        await self.transport.close()

    async def run(self, call: Call[T]) -> T:
        """Run `call` and return its result or raise its error."""
        failure: BaseException | None = None
        started: list[AsyncStarted] = []
        try:
            while True:
                try:
                    return cast("T", await self._advance(call, failure, started))
                except BaseException as error:
                    # Ctrl-C between or during effects: throw it into the call.
                    if not cast("Any", call).gi_suspended:
                        raise
                    failure = error
        finally:
            for work in started:
                work.cancel()

    async def _advance(
        self, call: Generator[Effect | Page, Any, T], failure: BaseException | None, started: list[AsyncStarted]
    ) -> T | Page:
        """Run `call` until its next page or its end, and return the page or the result."""
        outcome: Any = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return cast("T", stop.value)
            kind = type(effect)
            if kind is Page:
                return cast("Page", effect)
            try:
                outcome, failure = await self._handlers[kind](effect), None
            except BaseException as error:  # noqa: BLE001 thrown into the call
                outcome, failure = None, error
            if kind is Start and failure is None:
                started.append(outcome)
            elif kind is Join and failure is None:
                joined = cast("AsyncStarted", cast("Join", effect).started)
                if joined in started:
                    started.remove(joined)

    async def iterate(self, call: Generator[Effect | Page, Any, None], cursor: Cursor) -> AsyncGenerator[Any]:
        """Yield the records of the pages of `call`, moving `cursor` past each record."""
        started: list[AsyncStarted] = []
        try:
            while isinstance(page := await self._advance(call, None, started), Page):
                for offset, record in page.records:
                    cursor.advance(page.number, offset, record)
                    yield record
        finally:
            for work in started:
                work.cancel()
