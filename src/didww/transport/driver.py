"""The synchronous driver: carries out the effects of a call, and decides nothing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from didww.calls.effects import (
    Close,
    FileClose,
    FileMeasure,
    FileOpen,
    FileWrite,
    Now,
    Open,
    Read,
    Send,
    Sleep,
    TakeTurn,
    Tell,
)
from didww.calls.operations import Page
from didww.transport.files import close_file, open_file, write_file
from didww.transport.telling import tell

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from didww.calls.effects import Call, Effect
    from didww.transport.base import Transport

__all__ = ["Driver"]

T = TypeVar("T")


class Driver:
    """Runs calls over a transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._carry_out: dict[type, Callable[[Any], Any]] = {
            Now: lambda _: time.monotonic(),
            Send: lambda effect: transport.send(effect.request, effect.deadline),
            Sleep: lambda effect: time.sleep(effect.seconds),
            TakeTurn: lambda effect: effect.limiter.turn(effect.longest),
            Tell: lambda effect: tell(effect.event, effect.observers),
            Open: lambda effect: transport.open(effect.request, effect.deadline),
            Read: lambda effect: transport.read(effect.opened),
            Close: lambda effect: transport.release(effect.opened),
            FileMeasure: lambda effect: effect.source.measure(),
            FileOpen: lambda effect: open_file(effect.path),
            FileWrite: lambda effect: write_file(effect.file, effect.data),
            FileClose: lambda effect: close_file(effect.file, effect.rename_to),
        }

    def run(self, call: Call[T]) -> T:
        """Run `call` to its end; answers its result or raises its error."""
        outcome: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return cast("T", stop.value)
            try:
                outcome, failure = self._carry_out[type(effect)](effect), None
            except BaseException as error:  # noqa: BLE001 the call itself decides what becomes of it
                outcome, failure = None, error

    def walk(self, call: Generator[Effect | Page, Any, None]) -> Iterator[Any]:
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
                yield from effect.records
                continue
            try:
                outcome = self._carry_out[type(effect)](effect)
            except BaseException as error:  # noqa: BLE001 the call itself decides what becomes of it
                failure = error
