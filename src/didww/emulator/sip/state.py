"""What the attempts of a call share: the time, the caller, and the legs that still have messages to expect."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from didww.emulator.sip.effects import (
    Done,
    Effect,
    Event,
    HangUp,
    Open,
    Progress,
    Received,
    Resolve,
    TimedOut,
    Transmit,
    Unreachable,
    Wait,
)
from didww.emulator.sip.model import AttemptResult

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from didww.emulator.sip.attempt import Attempt
    from didww.emulator.sip.capacity import Capacity
    from didww.emulator.sip.effects import Failure, Local
    from didww.emulator.sip.leg import Leg
    from didww.emulator.sip.model import Candidate, Destination, Route, Target
    from didww.emulator.sip.phone import PhoneLeg

    AnyLeg: TypeAlias = Leg | PhoneLeg

__all__ = ["CallOptions", "CallState"]


class CallOptions(msgspec.Struct, kw_only=True):
    """How a call is placed.

    Attributes:
        call_id: ID of the call in records.
        hang_up_after: Seconds of talk until the caller hangs up; None to leave it to the far end.
        give_up_after: Seconds from the start until the caller gives up if nobody has answered.
        max_duration: Seconds after which the call is ended, whatever its state.
        capacity: Counts calls against limits.
        ids: Returns a random token of the given number of characters.
    """

    call_id: str
    capacity: Capacity
    ids: Callable[[int], str]
    hang_up_after: float | None = None
    give_up_after: float | None = None
    max_duration: float = 7200.0


class CallState:
    """A call in progress.

    Attributes:
        route: How it is routed.
        options: How it is placed.
        now: Time of the last event.
        hung_up: Whether the caller has hung up.
        over: Whether the caller or the emulator has ended the call, so that no other trunk is tried.
        legs: Legs that are not finished, of all attempts, and where their messages go.
        attempts: Attempts to reach a trunk.
        done: What look-ups and connections have come to, by their numbers, until it is taken.
        results: What came of them, and of those that sent nothing.
    """

    def __init__(self, route: Route, options: CallOptions) -> None:
        self.route = route
        self.options = options
        self.now = 0.0
        self.hung_up = False
        self.over = False
        self.legs: dict[AnyLeg, Target | None] = {}
        self.attempts: list[Attempt] = []
        self.done: dict[int, list[Target] | Local | Failure] = {}
        self._tasks = count(1)
        self.results: list[AttemptResult] = []

    def new_result(self, candidate: Candidate | None) -> AttemptResult:
        """Add the result of a new attempt, without an outcome."""
        result = AttemptResult(
            number=len(self.results) + 1,
            trunk_id=candidate.trunk_id if candidate else "",
            trunk=candidate.trunk if candidate else "",
            group=self.route.group,
            destination=candidate.shown if candidate else "",
            started=self.now,
            ended=self.now,
            forwarded=candidate is not None and candidate.kind == "pstn",
        )
        self.results.append(result)
        return result

    def begin(self, candidate: Candidate | None) -> Generator[Effect, Any, AttemptResult]:
        """Begin an attempt and return its result, which has no outcome yet."""
        result = self.new_result(candidate)
        yield Progress("attempt", self.now, result)
        return result

    def look_up(self, destination: Destination) -> Generator[Effect, Any, int]:
        """Begin to look up a destination, and return a number; `done` has its targets later."""
        task = next(self._tasks)
        yield Resolve(task, destination)
        return task

    def open(self, target: Target) -> Generator[Effect, Any, int]:
        """Begin to connect to a target, and return a number; `done` has the own address later."""
        task = next(self._tasks)
        yield Open(task, target)
        return task

    def wait(self, until: float | None) -> Generator[Effect, Any, None]:
        """Wait for the next event, pass it to the legs and send what they have to send."""
        times = [time for leg in self.legs if (time := leg.next_due()) is not None]
        if until is not None:
            times.append(until)
        call_ids = frozenset(leg.sip_call_id for leg in self.legs if leg.sip_call_id)
        event: Event = yield Wait(min(times, default=None), call_ids)
        self.now = max(self.now, event.at)
        match event:
            case Received(_, message, source):
                for leg in self._legs_of(message.call_id):
                    leg.receive(message, source, self.now)
            case Unreachable(_, target, reason):
                for leg in self._legs_to(target):
                    leg.unreachable(self.now, reason)
            case Done(_, task, found):
                self.done[task] = found
            case HangUp():
                self.hung_up = True
            case TimedOut():
                pass
        for leg in self.legs:
            leg.due(self.now)
        yield from self.flush()

    def synchronize(self) -> Generator[Effect, Any, None]:
        """Learn what time it is, after an effect that may have taken time."""
        yield from self.wait(self.now)

    def flush(self) -> Generator[Effect, Any, None]:
        """Send what the legs have to send, and forget those that are finished."""
        for leg in self.legs:
            for outgoing in leg.take():
                yield Transmit(outgoing)
        self.legs = {leg: target for leg, target in self.legs.items() if not leg.finished}

    def _legs_of(self, call_id: str | None) -> list[AnyLeg]:
        return [leg for leg in self.legs if leg.sip_call_id and leg.sip_call_id == call_id]

    def _legs_to(self, target: Target) -> list[AnyLeg]:
        """Return the legs whose messages go to a target; a call that talks survives the loss of a connection."""
        return [
            leg
            for leg, its in self.legs.items()
            if its is not None and its[:3] == target[:3] and leg.state != "talking"
        ]
