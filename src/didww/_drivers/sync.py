"""The synchronous driver, which performs the effects of calls."""

from __future__ import annotations

import inspect
import sys
import threading
import time
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from didww._core.effects import (
    Acquire,
    Await,
    Close,
    FileClose,
    FileMeasure,
    FileOpen,
    FileRestart,
    FileWrite,
    Invoke,
    Join,
    Notify,
    Now,
    Open,
    Read,
    Send,
    Sleep,
    SlowDown,
    Start,
    Work,
)
from didww._drivers.files import close_file, open_file, restart_file, write_file
from didww._drivers.logging_and_hooks import notify
from didww._drivers.loop import Loop
from didww.exceptions import InvalidValueError
from didww.transport import errors
from didww.transport.cancellation import CancelToken, InterruptedCallError

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww._core.effects import Call, Completion
    from didww.transport.base import Transport

__all__ = ["Driver"]

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds to wait for a canceled thread on close. Only connecting and name lookups can take longer."""
_CTRL_C: Final = 0.1
"""Seconds between two looks for Ctrl-C while waiting for threads."""


class Driver(Loop):
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
            Await: lambda effect: _wait(effect.completion, effect.timeout),
            Invoke: lambda effect: _invoke(effect.function),
            Work: lambda effect: effect.function(),
            Start: lambda effect: _Started(transport, effect.call, running),
            Join: lambda effect: effect.started.join(),
        }
        if cancel_token is not None:
            self._handlers[Send] = lambda effect: cancel_token.watch(transport.send, effect.request, effect.deadline)
            self._handlers[Sleep] = lambda effect: cancel_token.sleep(effect.seconds)
            self._handlers[Await] = lambda effect: cancel_token.wait(effect.completion, effect.timeout)


def _wait(completion: Completion, timeout: float) -> bool:
    if completion.thread == threading.get_ident():
        return False
    ended = threading.Event()
    completion.listen(ended.set)
    try:
        remaining = min(timeout, threading.TIMEOUT_MAX)
        if sys.platform == "win32":  # where Ctrl-C does not interrupt a wait
            while remaining > 0 and not ended.wait(min(remaining, _CTRL_C)):
                remaining -= _CTRL_C
        else:
            ended.wait(remaining)
    finally:
        completion.forget(ended.set)
    return True


def _invoke(function: Callable[[], Any]) -> tuple[Any, ...]:
    result = function()
    if not inspect.isawaitable(result):
        return (result,)
    if inspect.iscoroutine(result):
        result.close()
    raise InvalidValueError(
        "token must be a plain function with a synchronous client, got an asynchronous one. Use AsyncDidwwClient.",
        field="token",
    )


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
        if sys.platform == "win32":  # where Ctrl-C does not interrupt a wait
            while self._thread.is_alive():
                self._thread.join(_CTRL_C)
        self._thread.join()
        if isinstance(self._failure, InterruptedCallError):  # by `close`
            raise errors.client_closed()
        if self._failure is not None:
            raise self._failure
        return self._outcome

    def cancel(self) -> None:
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
