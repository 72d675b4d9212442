"""The synchronous driver: carries out the effects of a call, and decides nothing."""

from __future__ import annotations

import os
import secrets
import time
from typing import IO, TYPE_CHECKING, Any, TypeVar, cast

from didww.calls.effects import Close, FileClose, FileMeasure, FileOpen, FileWrite, Now, Open, Read, Send, Sleep
from didww.calls.operations import Page
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from didww.calls.effects import Call, Effect
    from didww.transport.base import Transport

__all__ = ["Driver", "close_file", "open_file"]

T = TypeVar("T")


class Driver:
    """Runs calls over a transport."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._carry_out: dict[type, Callable[[Any], Any]] = {
            Now: lambda _: time.monotonic(),
            Send: lambda effect: transport.send(effect.request, effect.deadline),
            Sleep: lambda effect: time.sleep(effect.seconds),
            Open: lambda effect: transport.open(effect.request, effect.deadline),
            Read: lambda effect: transport.read(effect.opened),
            Close: lambda effect: transport.release(effect.opened),
            FileMeasure: lambda effect: effect.source.measure(),
            FileOpen: lambda effect: open_file(effect.path),
            FileWrite: lambda effect: effect.file.write(effect.data),
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


def open_file(path: str) -> IO[bytes]:
    """A new file beside `path`, readable by its owner only: call records are personal data.

    Its name is its own, so that two downloads to the same path do not write into each other, and no link that lies
    there already is followed.

    Raises:
        DidwwClientError: There is no such folder, or it cannot be written.
    """
    name = f"{path}.{secrets.token_hex(4)}.part"
    try:
        return open(name, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))
    except (OSError, ValueError) as error:
        raise DidwwClientError(f"Cannot write {path}: {_reason(error)}.") from None


def close_file(file: IO[bytes], rename_to: str | None) -> None:
    """Close `file` and give it its name, or remove it.

    Raises:
        DidwwClientError: It cannot be written to its end, or cannot get that name.
    """
    failure: DidwwClientError | None = None
    try:
        if rename_to is not None:
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, rename_to)  # noqa: PTH105 pathlib is not worth its import here
    except OSError as error:
        failure = DidwwClientError(f"Cannot write {rename_to}: {_reason(error)}.")
    finally:
        file.close()
    if rename_to is None or failure is not None:
        os.unlink(file.name)  # noqa: PTH108 the same
    if failure is not None:
        raise failure


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
