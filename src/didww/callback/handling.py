"""Handle events once: claim them in the store, call the handler, record the result.

This is a generator of steps, which a synchronous and an asynchronous driver run.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

from didww._util.text import printable
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from didww.callback.stores import SeenStore
    from didww.callback.typed import Event

__all__ = ["Handler", "Steps", "describe", "drive", "drive_async", "is_async", "steps"]

log = logging.getLogger("didww.callback")


class Handler(NamedTuple):
    """A function that handles events.

    Attributes:
        call: The function.
        batch: Whether it takes a list of events; otherwise it takes one event.
    """

    call: Callable[[Any], object]
    batch: bool = False


class _Step(NamedTuple):
    """A call for the driver to make: to the store or to the handler.

    Attributes:
        call: Function to call.
        argument: Its only argument.
    """

    call: Callable[[Any], object]
    argument: object


class _Claiming:
    """A claim made in one thread that another thread may give up at the same time; either way it is released.

    Args:
        store: Where to claim.
    """

    def __init__(self, store: SeenStore) -> None:
        self._store = store
        self._lock = Lock()
        self._claimed = self._given_up = False

    def __call__(self, key: str) -> str:
        claim = self._store.claim(key)
        with self._lock:
            self._claimed = claim == "mine"
            abandoned = self._claimed and self._given_up
        if abandoned:
            self._store.release(key)
        return claim

    def give_up(self, key: str) -> None:
        """Release the claim, now or as soon as the other thread has made it."""
        with self._lock:
            self._given_up = True
            claimed = self._claimed
        if claimed:
            self._store.release(key)


class _Once:
    """A function that runs only once, in the first thread that calls it: a second release could end another claim.

    Args:
        call: Function to call.
    """

    def __init__(self, call: Callable[[str], None]) -> None:
        self._call = call
        self._free = Lock()

    def __call__(self, key: str) -> None:
        if self._free.acquire(blocking=False):
            self._call(key)


Steps: TypeAlias = Generator[_Step, Any, list[bool]]


def steps(store: SeenStore, handler: Handler, events: Sequence[Event]) -> Steps:
    """Process events in one call of their handler; the result is whether each was handled, now or before.

    Args:
        store: Tracks handled events.
        handler: Gets the events that were not handled before.
        events: The events; exactly one if the handler takes one.
    """
    outcomes: list[bool] = []
    mine: list[Event] = []
    try:
        for event in {event.key: event for event in events}.values():
            claim = yield from _claim(store, event)
            if claim == "mine":
                mine.append(event)
            else:
                outcomes.append(claim == "done")
        if not mine:
            return outcomes
        handled = False
        try:
            yield _Step(handler.call, mine if handler.batch else mine[0])
            handled = True
        except Exception:
            more = f" and {len(mine) - 1} more" if len(mine) > 1 else ""
            log.exception("The handler for %s%s failed; DIDWW may retry it.", describe(mine[0]), more)
    except BaseException:  # canceled: no driver is left to run another step
        for event in mine:
            store.release(event.key)
        raise
    records = [(_Once(store.done if handled else store.release), event) for event in mine]
    for record, event in records:
        try:
            yield _Step(record, event.key)
        except Exception:
            log.exception("Could not record the result for %s.", describe(event))
        except BaseException:  # canceled, perhaps before another thread started to record it
            for unrecorded, other in records:
                unrecorded(other.key)
            raise
        outcomes.append(handled)
    return outcomes


def _claim(store: SeenStore, event: Event) -> Generator[_Step, Any, str]:
    """Claim an event; the result is `mine`, `busy` or `done`, or `failed` if the store raised."""
    claiming = _Claiming(store)
    try:
        claim = yield _Step(claiming, event.key)
    except Exception:
        log.exception("Could not check whether %s was handled before; DIDWW may retry it.", describe(event))
        return "failed"
    except BaseException:  # canceled while another thread is claiming
        claiming.give_up(event.key)
        raise
    if claim != "mine":
        state = "was already handled" if claim == "done" else "is being handled"
        log.info("Ignored a duplicate of %s: it %s.", describe(event), state)
    return cast("str", claim)


def describe(event: Event) -> str:
    """Return the type, ID and status of an event for the log."""
    fields = event.to_dict()
    parts = [str(fields[name]) for name in ("type", "id", "status") if fields.get(name)]
    return printable(" ".join(part[:80] for part in parts)) or "an event"


def is_async(call: Callable[..., object]) -> bool:
    """Return whether a handler is asynchronous."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004 a callable object


def drive(steps: Steps) -> list[bool]:
    """Run the steps in order, in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                result = step.call(step.argument)
                if inspect.isawaitable(result):
                    result = _run(result)
            except BaseException as error:  # noqa: BLE001 passed on to the generator
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return cast("list[bool]", end.value)


def _run(awaitable: Awaitable[object]) -> object:
    import asyncio

    async def main() -> object:
        return await awaitable

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(main())
    if inspect.iscoroutine(awaitable):
        awaitable.close()
    raise InvalidValueError(
        "An async handler cannot run here: an event loop is already running in this thread. Call handle_async, or "
        "serve receiver.asgi().",
        field="handler",
    )


async def drive_async(steps: Steps, *, in_thread: bool) -> list[bool]:
    """Run the steps of an async handler in order; steps of a blocking store run in a thread."""
    import anyio.to_thread

    try:
        step = next(steps)
        while True:
            try:
                if in_thread and not is_async(step.call):
                    result = await anyio.to_thread.run_sync(step.call, step.argument)
                else:
                    result = step.call(step.argument)
                    if inspect.isawaitable(result):
                        result = await result
            except BaseException as error:  # noqa: BLE001 passed on to the generator
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return cast("list[bool]", end.value)
