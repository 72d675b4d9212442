"""The asynchronous driver: carries out the effects of a call, and decides nothing. Works on asyncio and trio."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from didww.calls.effects import Close, FileClose, FileMeasure, FileOpen, FileWrite, Now, Open, Read, Send, Sleep
from didww.calls.operations import Page
from didww.transport.driver import close_file, open_file

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator

    from didww.calls.effects import Call, Effect
    from didww.transport.base import AsyncTransport

__all__ = ["AsyncDriver"]

T = TypeVar("T")


class AsyncDriver:
    """Runs calls over an asynchronous transport."""

    def __init__(self, transport: AsyncTransport) -> None:
        self.transport = transport
        self._carry_out: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Now: _now,
            Send: lambda effect: transport.send(effect.request, effect.deadline),
            Sleep: _sleep,
            Open: lambda effect: transport.open(effect.request, effect.deadline),
            Read: lambda effect: transport.read(effect.opened),
            Close: lambda effect: transport.release(effect.opened),
            FileMeasure: lambda effect: _in_thread(effect.source.measure),
            FileOpen: lambda effect: _in_thread(open_file, effect.path),
            FileWrite: lambda effect: _in_thread(effect.file.write, effect.data),
            FileClose: lambda effect: _in_thread(close_file, effect.file, effect.rename_to),
        }

    async def run(self, call: Call[T]) -> T:
        """Run `call` to its end; answers its result or raises its error."""
        outcome: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return cast("T", stop.value)
            try:
                outcome, failure = await self._carry_out[type(effect)](effect), None
            except BaseException as error:  # noqa: BLE001 the call itself decides what becomes of it
                outcome, failure = None, error

    async def walk(self, call: Generator[Effect | Page, Any, None]) -> AsyncIterator[Any]:
        """Run `call` as far as somebody takes records from it."""
        outcome: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration:
                return
            outcome, failure = None, None
            if isinstance(effect, Page):
                for record in effect.records:
                    yield record
                continue
            try:
                outcome = await self._carry_out[type(effect)](effect)
            except BaseException as error:  # noqa: BLE001 the call itself decides what becomes of it
                failure = error


async def _now(_: Now) -> float:
    return time.monotonic()


async def _sleep(effect: Sleep) -> None:
    import anyio

    await anyio.sleep(effect.seconds)


async def _in_thread(function: Callable[..., Any], *args: Any) -> Any:
    import anyio
    import anyio.to_thread

    # Cleaning up must happen even when the task is being cancelled.
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(function, *args)
