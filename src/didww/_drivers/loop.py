"""The loop of a driver: performs the effects of a call, in order.

Generated from didww/_drivers/async_loop.py by scripts/generate.py; do not edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from didww._core.effects import Join, Start
from didww._core.pagination import Page

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from weakref import WeakSet

    from didww._core.effects import Call, Effect
    from didww._core.pagination import Cursor
    from didww.transport.base import Transport

__all__ = ["Loop", "Started"]

T = TypeVar("T")


class Started(Protocol):
    """A call that runs concurrently."""

    def join(self) -> Any:
        """Wait for the call and return its result or raise its error."""
        ...

    def cancel(self) -> None:
        """Cancel the call, unless it has ended, and discard its result."""
        ...

    def settle(self) -> None:
        """Wait briefly for the canceled call to end."""
        ...


class Loop:
    """Runs calls by the handlers of a driver.

    Attributes:
        transport: The transport.
    """

    transport: Transport
    _running: WeakSet[Any]
    _handlers: dict[type, Callable[[Any], Any]]

    def close(self) -> None:
        """Cancel concurrent calls, such as prefetched pages, and close the transport."""
        started = list(self._running)
        for work in started:
            work.cancel()
        for work in started:
            work.settle()
        self.transport.close()

    def run(self, call: Call[T]) -> T:
        """Run `call` and return its result or raise its error."""
        failure: BaseException | None = None
        started: list[Started] = []
        try:
            while True:
                try:
                    return cast("T", self._advance(call, failure, started))
                except BaseException as error:
                    # Ctrl-C between or during effects: throw it into the call.
                    if not cast("Any", call).gi_suspended:
                        raise
                    failure = error
        finally:
            for work in started:
                work.cancel()

    def _advance(
        self, call: Generator[Effect | Page, Any, T], failure: BaseException | None, started: list[Started]
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
                outcome, failure = self._handlers[kind](effect), None
            except BaseException as error:  # noqa: BLE001 thrown into the call
                outcome, failure = None, error
            if kind is Start and failure is None:
                started.append(outcome)
            elif kind is Join and failure is None:
                joined = cast("Started", cast("Join", effect).started)
                if joined in started:
                    started.remove(joined)

    def iterate(self, call: Generator[Effect | Page, Any, None], cursor: Cursor) -> Generator[Any]:
        """Yield the records of the pages of `call`, moving `cursor` past each record."""
        started: list[Started] = []
        try:
            while isinstance(page := self._advance(call, None, started), Page):
                for offset, record in page.records:
                    cursor.advance(page.number, offset, record)
                    yield record
        finally:
            for work in started:
                work.cancel()
