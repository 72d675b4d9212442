"""Run a call over sockets, in real time, in the event loop of the network's thread."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol

from didww.emulator.sip.effects import (
    Contact,
    Contacts,
    Done,
    Effect,
    Event,
    Failure,
    HangUp,
    Local,
    Media,
    Open,
    Phone,
    Progress,
    Resolve,
    TimedOut,
    Transmit,
    Wait,
)
from didww.emulator.sip.far_end import FarEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable

    from didww.emulator.sip.model import AttemptResult, Destination, Outgoing, Target

__all__ = ["CallNetwork", "start_call"]

log = logging.getLogger("didww.emulator")

MAX_MAIL = 2000  # events that wait for a call; more are dropped, as a full socket buffer drops them


class CallNetwork(Protocol):
    """What a call needs of the network."""

    async def resolve(self, destination: Destination) -> list[Target] | Failure:
        """Look up where a destination is."""
        ...

    async def open(self, target: Target) -> Local | Failure:
        """Make a socket or connection to a target."""
        ...

    def send(self, outgoing: Outgoing) -> None:
        """Send a message; failures come as `Unreachable`."""
        ...

    def play(self, media: Media) -> None:
        """Start or stop sending silence."""
        ...

    def register(self, call_ids: Iterable[str], mailbox: asyncio.Queue[Event]) -> None:
        """Put the messages of these Call-IDs into a mailbox, and no others."""
        ...

    def unregister(self, mailbox: asyncio.Queue[Event]) -> None:
        """Put no more messages into a mailbox."""
        ...

    def loop_time(self) -> float:
        """Return the time of the event loop."""
        ...

    def run(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        """Run a coroutine in the network's thread."""
        ...


def start_call(
    network: CallNetwork,
    generator: Generator[Effect, Any, list[AttemptResult]],
    on_progress: Callable[[Progress], object] = lambda _: None,
    *,
    contacts: Callable[[str], list[Contact]] = lambda _: [],
) -> tuple[Future[list[AttemptResult]], Callable[[], None]]:
    """Start a call and return a future of its attempts, and a function by which the caller hangs up.

    The future is done when the call is over. The call then goes on to respond to late messages, for at most a minute.
    If the network is closed during the call, the future is canceled. All functions may be called in any thread;
    `on_progress` is called in that of the network.

    Args:
        network: The network.
        generator: The call.
        on_progress: Called with the progress of the call.
        contacts: Returns the registered contacts of a trunk.
    """
    call = _Call(network, generator, on_progress, contacts)
    running = network.run(call.run())
    running.add_done_callback(call.finish)
    return call.results, call.hang_up


class _Call:
    """A call in progress."""

    def __init__(
        self,
        network: CallNetwork,
        generator: Generator[Effect, Any, list[AttemptResult]],
        on_progress: Callable[[Progress], object],
        contacts: Callable[[str], list[Contact]],
    ) -> None:
        self.results: Future[list[AttemptResult]] = Future()
        self._network = network
        self._generator = generator
        self._on_progress = on_progress
        self._contacts = contacts
        self._attempts: list[AttemptResult] = []
        self._call_ids: frozenset[str] = frozenset()
        self._mailbox: asyncio.Queue[Event] = asyncio.Queue(MAX_MAIL)
        self._beside: set[asyncio.Future[list[Target] | Local | Failure]] = set()
        self._started = 0.0
        self._hung_up = asyncio.Event()
        self._wants_hang_up = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def hang_up(self) -> None:
        """Hang up as the caller, in any thread; nothing happens if the call is over."""
        self._wants_hang_up = True
        if self._loop is not None and not self._loop.is_closed():
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                self._loop.call_soon_threadsafe(self._hang_up)

    def _hang_up(self) -> None:
        if not self._hung_up.is_set():
            self._hung_up.set()
            self._put(HangUp(0.0))

    async def run(self) -> None:
        """Run the call to its end."""
        self._started = self._network.loop_time()
        self._loop = asyncio.get_running_loop()
        if self._wants_hang_up:
            self._hang_up()
        result: Any = None
        try:
            while True:
                effect = self._generator.send(result)
                result = await self._carry_out(effect)
        except StopIteration:
            pass
        finally:
            for running in list(self._beside):
                running.cancel()
            self._generator.close()
            self._network.unregister(self._mailbox)

    def finish(self, running: Future[None]) -> None:
        """Pass on how the run ended, unless the call was over before."""
        if self.results.done():
            return
        if running.cancelled():
            self.results.cancel()
        elif error := running.exception():
            self.results.set_exception(error)
        else:
            self.results.set_result(self._attempts)

    async def _carry_out(self, effect: Effect) -> Any:
        match effect:
            case Wait(until, call_ids):
                return await self._wait(until, call_ids)
            case Transmit(outgoing):
                self._network.send(outgoing)
            case Resolve(task, destination):
                self._begin(task, self._network.resolve(destination))
            case Open(task, target):
                self._begin(task, self._network.open(target))
            case Contacts(trunk_id):
                return self._contacts(trunk_id)
            case Phone():
                return FarEnd()
            case Media():
                self._network.play(effect)
            case Progress():
                self._note(effect)
        return None

    def _note(self, progress: Progress) -> None:
        if progress.event == "attempt_ended" and progress.attempt is not None:
            self._attempts.append(progress.attempt)
        self._on_progress(progress)
        if progress.event == "ended" and not self.results.done():
            self.results.set_result(list(self._attempts))

    def _now(self) -> float:
        return self._network.loop_time() - self._started

    async def _wait(self, until: float | None, call_ids: frozenset[str]) -> Event:
        """Return the next event: that the caller hung up, a message, or that the time has come."""
        if call_ids != self._call_ids:
            self._call_ids = call_ids
            self._network.register(call_ids, self._mailbox)
        if not self._mailbox.empty():
            await asyncio.sleep(0)  # a far end that floods this call does not stop the others
        rest = None if until is None else max(until - self._now(), 0.0)
        if rest == 0.0 and self._mailbox.empty():
            return TimedOut(self._now())
        try:
            async with asyncio.timeout(rest):
                event = await self._mailbox.get()
        except TimeoutError:
            return TimedOut(max(self._now(), until or 0.0))
        return event._replace(at=self._now())

    def _begin(self, task: int, work: Coroutine[Any, Any, list[Target] | Local | Failure]) -> None:
        """Let a look-up or connection go on beside the call, which is told what comes of it."""
        running = asyncio.ensure_future(work)
        self._beside.add(running)
        running.add_done_callback(lambda _: self._tell(task, running))

    def _tell(self, task: int, running: asyncio.Future[list[Target] | Local | Failure]) -> None:
        self._beside.discard(running)
        if running.cancelled():
            return
        error = running.exception()
        if error is not None:
            log.error("emulator: a look-up or connection failed", exc_info=error)
        self._put(Done(0.0, task, running.result() if error is None else Failure("The emulator failed; see its log")))

    def _put(self, event: Event) -> None:
        """Put an event into the mailbox, in place of another if it is full."""
        if self._mailbox.full():
            self._mailbox.get_nowait()
        self._mailbox.put_nowait(event)
