"""The asynchronous driver, which performs the effects of calls on asyncio and trio."""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
from functools import partial
from typing import IO, TYPE_CHECKING, Any, Final, cast
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
from didww._drivers.async_loop import AsyncLoop
from didww._drivers.files import close_file, open_file, restart_file, write_file
from didww._drivers.logging_and_hooks import notify
from didww.transport import errors

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine

    from didww.rate_limit.local import Permit
    from didww.transport.base import AsyncTransport

__all__ = ["AsyncDriver"]

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds to wait for a canceled task on close."""


class AsyncDriver(AsyncLoop):
    """Runs calls over an asynchronous transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self.transport = transport
        self._running = running = WeakSet[_Started]()  # concurrent calls, such as prefetched pages
        self._handlers: dict[type, Callable[[Any], Awaitable[Any]]] = {
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
            Await: _wait,
            Invoke: _invoke,
            Work: lambda effect: _in_thread(effect.function),
            # Not a method, because a reference cycle would delay the cleanup of an unclosed client.
            Start: lambda effect: _start(transport, effect, running),
            Join: lambda effect: effect.started.join(),
        }


async def _start(transport: AsyncTransport, effect: Start, running: WeakSet[_Started]) -> _Started:
    started = _Started(AsyncDriver(transport).run(effect.call))
    running.add(started)
    return started


class _Started:
    """A call that runs in its own task.

    On trio, where each task needs a nursery, the call runs in `join` instead, so such calls run sequentially.
    """

    def __init__(self, work: Coroutine[Any, Any, Any]) -> None:
        self._work = work
        self._task = _as_task(work)

    async def join(self) -> Any:
        """Wait for the call and return its result or raise its error."""
        if self._task is None:
            return await self._work
        import asyncio

        # Not `await self._task`, which would cancel the task together with the waiting one.
        await asyncio.wait((self._task,))
        if self._task.cancelled():  # by `close`
            raise errors.client_closed()
        return self._task.result()

    def cancel(self) -> None:
        """Cancel the call, unless it has ended, and discard its result."""
        if self._task is not None:
            self._task.add_done_callback(_retrieve_exception)
            self._task.cancel()
        else:
            self._work.close()

    async def settle(self) -> None:
        """Wait briefly for the canceled task to end."""
        import asyncio

        if self._task is not None and self._task is not asyncio.current_task() and self._task.get_loop().is_running():
            with contextlib.suppress(RuntimeError):  # the task belongs to another loop
                await asyncio.wait((self._task,), timeout=_CLOSE_TIMEOUT)


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Retrieve the error of an abandoned task, so that asyncio does not log it."""
    if not task.cancelled():
        task.exception()


def _as_task(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any] | None:
    """Start `work` as a task of the running loop, or return None on trio."""
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


async def _wait(effect: Await) -> None:
    import anyio

    ended = anyio.Event()
    wake = _waker(ended.set)
    effect.completion.listen(wake)
    try:
        with anyio.move_on_after(effect.timeout):
            await ended.wait()
    finally:
        effect.completion.forget(wake)


def _waker(function: Callable[[], object]) -> Callable[[], object]:
    """Return a function that calls `function` in this event loop, from any thread."""
    import asyncio

    try:
        schedule: Callable[..., object] = asyncio.get_running_loop().call_soon_threadsafe
    except RuntimeError:
        import trio

        schedule = trio.lowlevel.current_trio_token().run_sync_soon
    return partial(_schedule, schedule, function)


def _schedule(schedule: Callable[..., object], function: Callable[[], object]) -> None:
    with contextlib.suppress(RuntimeError):  # the event loop has ended
        schedule(function)


async def _invoke(effect: Invoke) -> tuple[Any, ...]:
    result = effect.function()
    if not inspect.isawaitable(result):
        return (result,)
    import anyio

    with anyio.move_on_after(effect.timeout):
        return (await result,)
    return ()


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
    """Open a new file, and delete it if the task is canceled while a thread opens it."""
    opened: list[IO[bytes]] = []
    decision = Once()

    def work() -> None:
        file = open_file(effect.path)
        opened.append(file)
        if not decision.first():
            close_file(file, None)

    try:
        await _in_thread(work)
    except BaseException:
        if not decision.first() and opened:
            close_file(opened[0], None)
        raise
    return opened[0]


async def _close(effect: FileClose) -> None:
    """Close the file in a thread, or immediately if the task is canceled before the thread starts."""
    decision = Once()

    def work() -> None:
        if decision.first():
            close_file(effect.file, effect.rename_to)

    try:
        await _in_thread(work)
    except BaseException:
        if decision.first():
            close_file(effect.file, None)
        raise


class Once:
    """Decides which of two threads comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def first(self) -> bool:
        """Return True to the first caller only."""
        return self._lock.acquire(blocking=False)


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    import anyio
    import anyio.to_thread

    # Cleanup must run even while the task is being canceled.
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(function, *args)
