"""The synchronous driver, which performs the effects of calls."""

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
from didww._drivers.logging_and_hooks import notify
from didww.transport import errors
from didww.transport.cancellation import CancelToken, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from didww._core.effects import Call, Effect
    from didww._core.pagination import Cursor
    from didww.transport.base import Transport

__all__ = ["Driver"]

T = TypeVar("T")

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds to wait for a canceled thread on close. Only connecting and name lookups can take longer."""


class Driver:
    """Runs calls over a transport."""

    def __init__(self, transport: Transport, cancel_token: CancelToken | None = None) -> None:
        self.transport = transport
        # Concurrent calls, such as prefetched pages. The handlers are not bound methods, because a reference cycle
        # would delay the cleanup of an unclosed client.
        self._running = running = WeakSet[_Started]()
        self._handlers: dict[type, Callable[[Any], Any]] = {
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
            Start: lambda effect: _Started(transport, effect.call, running),
            Join: lambda effect: effect.started.join(),
        }
        if cancel_token is not None:
            self._handlers[Send] = lambda effect: cancel_token.watch(transport.send, effect.request, effect.deadline)
            self._handlers[Sleep] = lambda effect: cancel_token.sleep(effect.seconds)

    def close(self) -> None:
        """Cancel concurrent calls, such as prefetched pages, and close the transport."""
        started = list(self._running)
        for thread in started:
            thread.interrupt()
        for thread in started:
            thread.settle()
        self.transport.close()

    def run(self, call: Call[T]) -> T:
        """Run `call` and return its result or raise its error."""
        failure: BaseException | None = None
        started: list[_Started] = []
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
            for thread in started:
                thread.interrupt()

    def _advance(
        self, call: Generator[Effect | Page, Any, T], failure: BaseException | None, started: list[_Started]
    ) -> T | Page:
        """Run `call` until its next page or its end, and return the page or the result."""
        outcome: Any = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return cast("T", stop.value)
            if isinstance(effect, Page):
                return effect
            try:
                outcome, failure = self._handlers[type(effect)](effect), None
            except BaseException as error:  # noqa: BLE001 thrown into the call
                outcome, failure = None, error
            if type(effect) is Start and failure is None:
                started.append(outcome)
            elif type(effect) is Join and failure is None and effect.started in started:
                started.remove(cast("_Started", effect.started))

    def iterate(self, call: Generator[Effect | Page, Any, None], cursor: Cursor) -> Generator[Any]:
        """Yield the records of the pages of `call`, moving `cursor` past each record."""
        started: list[_Started] = []
        try:
            while isinstance(page := self._advance(call, None, started), Page):
                for offset, record in page.records:
                    cursor.advance(page.number, offset, record)
                    yield record
        finally:
            for thread in started:
                thread.interrupt()


class _Started:
    """A call that runs in its own thread."""

    def __init__(self, transport: Transport, call: Call[Any], running: WeakSet[_Started]) -> None:
        self._cancel_token = CancelToken()
        self._driver = Driver(transport, self._cancel_token)
        self._call = call
        self._outcome: Any = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._work,), name="didww", daemon=True)
        self._thread.start()
        running.add(self)

    def join(self) -> Any:
        """Wait for the call and return its result or raise its error."""
        self._thread.join()
        if isinstance(self._failure, Interrupted):  # by `close`
            raise errors.client_closed()
        if self._failure is not None:
            raise self._failure
        return self._outcome

    def interrupt(self) -> None:
        """Cancel the call, unless it has ended, and discard its result."""
        if self._thread.is_alive():
            self._cancel_token.interrupt()

    def settle(self) -> None:
        """Wait briefly for the canceled thread to end."""
        if self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_TIMEOUT)

    def _work(self) -> None:
        try:
            self._outcome = self._driver.run(self._call)
        except BaseException as error:  # noqa: BLE001 raised again by `join`
            self._failure = error
