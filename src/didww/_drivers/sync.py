"""The synchronous driver: carries out the effects of a call, and decides nothing."""

from __future__ import annotations

import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from weakref import WeakSet

from didww._core.effects import (
    Acquire,
    Close,
    FileClose,
    FileMeasure,
    FileOpen,
    FileRestart,
    FileWrite,
    Join,
    Notify,
    Now,
    Open,
    Read,
    Send,
    Sleep,
    SlowDown,
    Start,
)
from didww._core.pagination import Page
from didww._drivers.files import close_file, open_file, restart_file, write_file
from didww._drivers.notify import notify
from didww.transport import errors
from didww.transport.cancellation import CancelToken, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from didww._core.effects import Call, Effect
    from didww._core.pagination import Cursor
    from didww.transport.base import Transport

__all__ = ["Driver"]

T = TypeVar("T")

_MOMENT: Final = 1.0
"""Seconds that closing waits for a thread that was interrupted; only connecting and name lookups take longer."""


class Driver:
    """Runs calls over a transport."""

    def __init__(self, transport: Transport, interruption: CancelToken | None = None) -> None:
        self.transport = transport
        # Whatever goes on beside a call; no method is bound below, as a cycle would leave closing to the collector.
        self._beside = beside = WeakSet[_Started]()
        self._carry_out: dict[type, Callable[[Any], Any]] = {
            Now: lambda _: time.monotonic(),
            Send: lambda effect: transport.send(effect.request, effect.deadline),
            Sleep: lambda effect: time.sleep(effect.seconds),
            Acquire: lambda effect: effect.limiter.acquire(effect.timeout),
            SlowDown: lambda effect: effect.limiter.slow_down(effect.seconds),
            Notify: lambda effect: notify(effect.event, effect.observers),
            Open: lambda effect: transport.open(effect.request, effect.deadline),
            Read: lambda effect: transport.read(effect.opened),
            Close: lambda effect: transport.release(effect.opened),
            FileMeasure: lambda effect: effect.source.measure(),
            FileOpen: lambda effect: open_file(effect.path),
            FileWrite: lambda effect: write_file(effect.file, effect.data),
            FileRestart: lambda effect: restart_file(effect.file),
            FileClose: lambda effect: close_file(effect.file, effect.rename_to),
            Start: lambda effect: _Started(transport, effect.call, beside),
            Join: lambda effect: effect.started.join(),
        }
        if interruption is not None:
            self._carry_out[Send] = lambda effect: interruption.watch(transport.send, effect.request, effect.deadline)
            self._carry_out[Sleep] = lambda effect: interruption.sleep(effect.seconds)

    def close(self) -> None:
        """Close the transport, after what goes on beside calls, e.g. pages asked for ahead, was brought to an end."""
        started = list(self._beside)
        for one in started:
            one.interrupt()
        for one in started:
            one.settle()
        self.transport.close()

    def run(self, call: Call[T]) -> T:
        """Run `call` to its end; return its result or raise its error."""
        failure: BaseException | None = None
        started: list[_Started] = []
        try:
            while True:
                try:
                    return cast("T", self._advance(call, failure, started))
                except BaseException as error:
                    # Ctrl-C between two steps, or while one is taken: the call has to hear of it.
                    if not cast("Any", call).gi_suspended:
                        raise
                    failure = error
        finally:
            for one in started:
                one.interrupt()

    def _advance(
        self, call: Generator[Effect | Page, Any, T], failure: BaseException | None, started: list[_Started]
    ) -> T | Page:
        """Run `call` to its next page or to its end; return the page or the result."""
        outcome: Any = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return cast("T", stop.value)
            if isinstance(effect, Page):
                return effect
            try:
                outcome, failure = self._carry_out[type(effect)](effect), None
            except BaseException as error:  # noqa: BLE001 the call itself decides what becomes of it
                outcome, failure = None, error
            if type(effect) is Start and failure is None:
                started.append(outcome)
            elif type(effect) is Join and failure is None and effect.started in started:
                started.remove(cast("_Started", effect.started))

    def iterate(self, call: Generator[Effect | Page, Any, None], cursor: Cursor) -> Generator[Any]:
        """Yield the records of the pages of `call`, and move `cursor` past each as it is taken."""
        started: list[_Started] = []
        try:
            while isinstance(page := self._advance(call, None, started), Page):
                for place, record in page.records:
                    cursor.advance(page.number, place, record)
                    yield record
        finally:
            for work in started:
                work.interrupt()


class _Started:
    """A call that goes on in a thread of its own."""

    def __init__(self, transport: Transport, call: Call[Any], beside: WeakSet[_Started]) -> None:
        self._interruption = CancelToken()
        self._driver = Driver(transport, self._interruption)
        self._call = call
        self._outcome: Any = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._work,), name="didww", daemon=True)
        self._thread.start()
        beside.add(self)

    def join(self) -> Any:
        """Wait for its end; return its result or raise its error."""
        self._thread.join()
        if isinstance(self._failure, Interrupted):  # and yet somebody waits for it
            raise errors.client_closed()
        if self._failure is not None:
            raise self._failure
        return self._outcome

    def interrupt(self) -> None:
        """Have it end soon, if it has not yet; its outcome is not wanted any more."""
        if self._thread.is_alive():
            self._interruption.interrupt()

    def settle(self) -> None:
        """Give it a moment to end after an interruption."""
        if self._thread is not threading.current_thread():
            self._thread.join(_MOMENT)

    def _work(self) -> None:
        try:
            self._outcome = self._driver.run(self._call)
        except BaseException as error:  # noqa: BLE001 raised again by `join`
            self._failure = error
