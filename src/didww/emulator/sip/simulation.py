"""Run a call at once: a virtual clock and network, and far ends that follow scripts.

The far ends receive and send real SIP messages over the same legs and the same parser as calls over sockets. The same
call with the same far ends always gives the same result.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Any

from didww.emulator.sip.effects import (
    Contact,
    Contacts,
    Done,
    Effect,
    Event,
    Failure,
    HangUp,
    Local,
    Open,
    Phone,
    Progress,
    Received,
    Resolve,
    TimedOut,
    Transmit,
    Wait,
)
from didww.emulator.sip.far_end import FarEnd
from didww.emulator.sip.messages import parse
from didww.emulator.sip.model import Target, default_port
from didww.emulator.sip.scripted_agent import ScriptedAgent
from didww.emulator.sip.uris import destination_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from didww.emulator.sip.model import AttemptResult, Destination

__all__ = ["LATENCY", "Simulation", "run_at_once"]

LATENCY = 1 / 128  # seconds, each way; a power of two, so that sums of times are exact
MAX_EVENTS = 200_000

_CALLER = Local("192.0.2.250", 5060, "192.0.2.250", 16384)


def run_at_once(
    generator: Generator[Effect, Any, list[AttemptResult]],
    far_ends: Mapping[str, FarEnd] | None = None,
    on_progress: Callable[[Progress], object] = lambda _: None,
    *,
    hang_up_at: float | None = None,
) -> list[AttemptResult]:
    """Run a call without waiting and return what came of its attempts.

    Args:
        generator: The call.
        far_ends: Scripts by names of trunks, `*` for all others. By default, far ends ring for 2 seconds and answer.
        on_progress: Called with the progress of the call.
        hang_up_at: Seconds after the start at which the caller hangs up. Defaults to what the call's options say.

    Raises:
        RuntimeError: The call does not end; an error of the emulator.
    """
    return Simulation(far_ends or {}, hang_up_at).run(generator, on_progress)


class Simulation:
    """A virtual network with one caller.

    Args:
        far_ends: Scripts by names of trunks.
        hang_up_at: When the caller hangs up, if it does.
    """

    def __init__(self, far_ends: Mapping[str, FarEnd], hang_up_at: float | None) -> None:
        self._far_ends = far_ends
        self._now = 0.0
        self._trunk = ""
        self._agents: dict[tuple[str, str, int], ScriptedAgent] = {}
        self._placed: list[ScriptedAgent] = []
        self._closed: set[tuple[str, str, int]] = set()
        self._hosts: dict[str, FarEnd] = {}
        self._scheduled: dict[ScriptedAgent, float] = {}
        self._queue: list[tuple[float, int, Any]] = []
        self._numbers = count()
        self._addresses = count(1)
        if hang_up_at is not None:
            self._push(hang_up_at, HangUp(hang_up_at))

    def run(
        self,
        generator: Generator[Effect, Any, list[AttemptResult]],
        on_progress: Callable[[Progress], object],
    ) -> list[AttemptResult]:
        """Run a call to its end."""
        result: Any = None
        try:
            for _ in range(MAX_EVENTS):
                effect = generator.send(result)
                if isinstance(effect, Progress):
                    on_progress(effect)
                result = self._carry_out(effect)
        except StopIteration as stop:
            results: list[AttemptResult] = stop.value
            return results
        finally:
            generator.close()
        raise RuntimeError(f"The simulated call has not ended after {MAX_EVENTS} steps.")

    @property
    def calls_left(self) -> int:
        """How many far ends are still in a call."""
        return sum(agent.in_call for agent in self._placed)

    def _carry_out(self, effect: Effect) -> Any:
        match effect:
            case Progress("attempt", _, attempt) if attempt is not None:
                self._trunk = attempt.trunk
            case Resolve(task, destination):
                self._push(self._now, Done(self._now, task, self._resolve(destination)))
            case Contacts():
                return self._contacts()
            case Phone(trunk):
                return self._script_of(trunk)
            case Open(task, target):
                found = Failure("Connection refused") if target[:3] in self._closed else _CALLER
                self._push(self._now, Done(self._now, task, found))
            case Transmit(outgoing):
                agent = self._agents.get(outgoing.target[:3])
                if agent is not None:
                    self._push(self._now + LATENCY, (agent, outgoing.data))
            case Wait(until):
                return self._wait(until)
            case _:
                pass
        return None

    def _wait(self, until: float | None) -> Event:
        """Let time pass until there is an event for the caller."""
        for _ in range(MAX_EVENTS):
            if not self._queue and until is None:
                raise RuntimeError("The simulated call waits for nothing.")
            if not self._queue or (until is not None and self._queue[0][0] > until):
                self._now = max(self._now, until or 0.0)
                return TimedOut(self._now)
            at, _, what = heapq.heappop(self._queue)
            self._now = max(self._now, at)
            if isinstance(what, HangUp):
                return HangUp(self._now)
            if isinstance(what, (Received, Done)):
                return what._replace(at=self._now)
            agent, data = what
            self._serve(agent, data)
        raise RuntimeError(f"The simulated network has not come to rest after {MAX_EVENTS} steps.")

    def _serve(self, agent: ScriptedAgent, data: bytes | None) -> None:
        """Give a far end a message, or None if it has something to do."""
        if data is None:
            self._scheduled.pop(agent, None)
        else:
            agent.receive(data, _caller(agent.address), self._now)
        agent.due(self._now)
        for sent, _ in agent.take():
            self._deliver(sent, agent.address)
        due = agent.next_due()
        if due is not None and due < self._scheduled.get(agent, due + 1):
            self._scheduled[agent] = due
            self._push(due, (agent, None))

    def _deliver(self, data: bytes, source: Target) -> None:
        """Send a message to the caller; what cannot be parsed is dropped, as the network does."""
        try:
            message = parse(data)
        except ValueError:
            return
        self._push(self._now + LATENCY, Received(self._now + LATENCY, message, source))

    def _push(self, at: float, what: Any) -> None:
        heapq.heappush(self._queue, (at, next(self._numbers), what))

    # Where far ends are

    def _script_of(self, trunk: str) -> FarEnd:
        return self._far_ends.get(trunk) or self._far_ends.get("*") or FarEnd()

    def _resolve(self, destination: Destination) -> list[Target] | Failure:
        script = self._hosts.get(destination.host) or self._script_of(self._trunk)
        if script.unknown_host:
            return Failure(f"No address of {destination.host}")
        scripts = script.several or (script,)
        host = destination.host if _is_address(destination.host) and len(scripts) == 1 else ""
        port = destination.port or default_port(destination.transport)
        return [self._place(each, Target(destination.transport, host or self._new_address(), port)) for each in scripts]

    def _contacts(self) -> list[Contact]:
        script = self._script_of(self._trunk)
        if not script.registered:
            return []
        found: list[Contact] = []
        for each in script.several or (script,):
            target = self._place(each, Target("udp", self._new_address(), 5060))
            found.append(Contact(f"sip:phone@{target.host}:{target.port}", target, 3600.0))
        return found

    def _place(self, script: FarEnd, target: Target) -> Target:
        """Put a far end at an address, in place of one that is there."""
        agent = ScriptedAgent(script, target, f"far-{len(self._placed) + 1}")
        self._agents[target[:3]] = agent
        self._placed.append(agent)
        if script.unreachable:
            self._closed.add(target[:3])
        for uri in script.redirects:
            destination = destination_of(uri)
            if destination is not None:
                self._hosts.setdefault(destination.host, script.redirected or script)
        return target

    def _new_address(self) -> str:
        number = next(self._addresses)
        return f"198.51.100.{number}" if number < 255 else f"203.0.113.{number % 254 + 1}"


def _caller(far_end: Target) -> Target:
    return Target(far_end.transport, _CALLER.host, _CALLER.port)


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
