"""The asynchronous driver: carries out the effects of a call, and decides nothing. Works on asyncio and trio."""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar, cast
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

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator

    from didww._core.effects import Call, Effect
    from didww._core.pagination import Cursor
    from didww.rate_limit.local import Permit
    from didww.transport.base import AsyncTransport

__all__ = ["AsyncDriver"]

T = TypeVar("T")

_MOMENT: Final = 1.0
"""Seconds that closing waits for a task that was cancelled."""


class AsyncDriver:
    """Runs calls over an asynchronous transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self.transport = transport
        self._beside = beside = WeakSet[_Started]()  # whatever goes on beside a call
        self._carry_out: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Now: _now,
            Send: lambda effect: transport.send(effect.request, effect.deadline),
            Sleep: _sleep,
            Acquire: _acquire,
            SlowDown: _slow_down,
            Notify: _notify,
            Open: lambda effect: transport.open(effect.request, effect.deadline),
            Read: lambda effect: transport.read(effect.opened),
            Close: lambda effect: transport.release(effect.opened),
            FileMeasure: _measure,
            FileOpen: _open,
            FileWrite: lambda effect: _in_thread(write_file, effect.file, effect.data),
            FileRestart: lambda effect: _in_thread(restart_file, effect.file),
            FileClose: _close,
            # Not a method of its own: a cycle would leave closing what nobody closed to the garbage collector.
            Start: lambda effect: _start(transport, effect, beside),
            Join: lambda effect: effect.started.join(),
        }

    async def close(self) -> None:
        """Close the transport, after what goes on beside calls, e.g. pages asked for ahead, was brought to an end."""
        started = list(self._beside)
        for one in started:
            one.cancel()
        for one in started:
            await one.settle()
        await self.transport.close()

    async def run(self, call: Call[T]) -> T:
        """Run `call` to its end; return its result or raise its error."""
        failure: BaseException | None = None
        started: list[_Started] = []
        try:
            while True:
                try:
                    return cast("T", await self._advance(call, failure, started))
                except BaseException as error:
                    # Ctrl-C between two steps, or while one is taken: the call has to hear of it.
                    if not cast("Any", call).gi_suspended:
                        raise
                    failure = error
        finally:
            for one in started:
                one.cancel()

    async def _advance(
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
                outcome, failure = await self._carry_out[type(effect)](effect), None
            except BaseException as error:  # noqa: BLE001 the call itself decides what becomes of it
                outcome, failure = None, error
            if type(effect) is Start and failure is None:
                started.append(outcome)
            elif type(effect) is Join and failure is None and effect.started in started:
                started.remove(cast("_Started", effect.started))

    async def iterate(self, call: Generator[Effect | Page, Any, None], cursor: Cursor) -> AsyncGenerator[Any]:
        """Yield the records of the pages of `call`, and move `cursor` past each as it is taken."""
        started: list[_Started] = []
        try:
            while isinstance(page := await self._advance(call, None, started), Page):
                for place, record in page.records:
                    cursor.advance(page.number, place, record)
                    yield record
        finally:
            for work in started:
                work.cancel()


async def _start(transport: AsyncTransport, effect: Start, beside: WeakSet[_Started]) -> _Started:
    started = _Started(AsyncDriver(transport).run(effect.call))
    beside.add(started)
    return started


class _Started:
    """A call that goes on in a task of its own.

    Under trio, where no task is without a nursery that outlives it, it waits for `join` instead: the same in the end,
    one after the other.
    """

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work
        self._task = _as_task(work)

    async def join(self) -> Any:
        """Wait for its end; return its result or raise its error."""
        if self._task is None:
            return await self._work
        import asyncio

        # Not the task itself: it would be cancelled along with whoever waits for it.
        await asyncio.wait((self._task,))
        if self._task.cancelled():  # and yet somebody waits for it
            raise errors.client_closed()
        return self._task.result()

    def cancel(self) -> None:
        """Have it end soon, if it has not yet; its outcome is not wanted any more."""
        if self._task is not None:
            self._task.add_done_callback(_unwanted)
            self._task.cancel()
        else:
            self._work.close()

    async def settle(self) -> None:
        """Give it a moment to end after it was cancelled."""
        import asyncio

        if self._task is not None and self._task is not asyncio.current_task() and self._task.get_loop().is_running():
            with contextlib.suppress(RuntimeError):  # of another loop
                await asyncio.wait((self._task,), timeout=_MOMENT)


def _unwanted(task: asyncio.Task[Any]) -> None:
    """Look at the error of a task that nobody waits for, so that asyncio does not complain of it."""
    if not task.cancelled():
        task.exception()


def _as_task(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any] | None:
    """`work` as a task of the running loop; None under trio."""
    import asyncio

    try:
        return asyncio.get_running_loop().create_task(work)
    except RuntimeError:
        return None


async def _now(_: Now) -> float:
    return time.monotonic()


async def _sleep(effect: Sleep) -> None:
    import anyio

    await anyio.sleep(effect.seconds)


async def _acquire(effect: Acquire) -> Permit:
    limiter = effect.limiter
    if limiter.blocking:
        return cast("Permit", await _in_thread(limiter.acquire, effect.timeout))
    return limiter.acquire(effect.timeout)


async def _slow_down(effect: SlowDown) -> None:
    limiter = effect.limiter
    if limiter.blocking:
        await _in_thread(limiter.slow_down, effect.seconds)
    else:
        limiter.slow_down(effect.seconds)


async def _notify(effect: Notify) -> None:
    for result in notify(effect.event, effect.observers):
        if inspect.isawaitable(result):
            await result


async def _measure(effect: FileMeasure) -> int | None:
    source = effect.source
    return await (source.receive() if source.awaited else _in_thread(source.measure))


async def _open(effect: FileOpen) -> IO[bytes]:
    """A new file, which is removed again if the task is cancelled while a thread opens it."""
    opened: list[IO[bytes]] = []
    wanted = Once()

    def work() -> None:
        file = open_file(effect.path)
        opened.append(file)
        if not wanted.first():
            close_file(file, None)

    try:
        await _in_thread(work)
    except BaseException:
        if not wanted.first() and opened:
            close_file(opened[0], None)
        raise
    return opened[0]


async def _close(effect: FileClose) -> None:
    """The file closed, by a thread or, if the task is cancelled before one took it up, at once."""
    turn = Once()

    def work() -> None:
        if turn.first():
            close_file(effect.file, effect.rename_to)

    try:
        await _in_thread(work)
    except BaseException:
        if turn.first():
            close_file(effect.file, None)
        raise


class Once:
    """Tells who of two threads came first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def first(self) -> bool:
        """True for the first who asks."""
        return self._lock.acquire(blocking=False)


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    import anyio
    import anyio.to_thread

    # Cleaning up must happen even when the task is being cancelled.
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(function, *args)
