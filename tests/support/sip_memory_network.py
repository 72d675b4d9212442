"""A network without sockets, for the runner: an event loop in a thread, and scripted far ends in the same memory."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from didww.emulator.sip.effects import Event, Failure, Local, Received
from didww.emulator.sip.messages import parse
from didww.emulator.sip.model import Destination, Outgoing, Target
from didww.emulator.sip.scripted_agent import ScriptedAgent

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from concurrent.futures import Future

    from didww.emulator.sip.effects import Media
    from didww.emulator.sip.far_end import FarEnd

CALLER = Target("udp", "192.0.2.250", 5060)


class MemoryNetwork:
    """A network whose far ends follow scripts by host name; what is `None` never comes to an end.

    Args:
        far_ends: Scripts, by names of hosts.

    Attributes:
        hanging: Addresses to which no connection comes about, nor fails.
    """

    def __init__(self, far_ends: dict[str, FarEnd | None]) -> None:
        self.played: list[Media] = []
        self.hanging: set[str] = set()
        self.mailboxes: dict[str, asyncio.Queue[Event]] = {}
        self._far_ends = far_ends
        self._agents: dict[Target, ScriptedAgent] = {}
        self._loop = asyncio.new_event_loop()
        self._tasks: list[Future[Any]] = []
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Cancel all calls and stop the thread."""

        async def cancel() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def loop_time(self) -> float:
        return self._loop.time()

    async def resolve(self, destination: Destination) -> list[Target] | Failure:
        if destination.host not in self._far_ends:
            return Failure(f"No address of {destination.host}")
        script = self._far_ends[destination.host]
        if script is None:
            await asyncio.Event().wait()
        target = Target(destination.transport, f"192.0.2.{len(self._agents) + 1}", destination.port or 5060)
        if script is not None:
            self._agents[target] = ScriptedAgent(script, target, destination.host)
        return [target]

    async def open(self, target: Target) -> Local | Failure:
        if target.host in self.hanging:
            await asyncio.Event().wait()
        return Local(CALLER.host, CALLER.port, CALLER.host, 16384)

    def place(self, script: FarEnd, target: Target) -> None:
        """Put a far end at an address."""
        self._agents[target] = ScriptedAgent(script, target, target.host)

    def send(self, outgoing: Outgoing) -> None:
        agent = self._agents[outgoing.target]
        self._loop.call_soon(self._serve, agent, outgoing.data)

    def play(self, media: Media) -> None:
        self.played.append(media)

    def register(self, call_ids: Iterable[str], mailbox: asyncio.Queue[Event]) -> None:
        self.unregister(mailbox)
        self.mailboxes |= dict.fromkeys(call_ids, mailbox)

    def unregister(self, mailbox: asyncio.Queue[Event]) -> None:
        self.mailboxes = {call_id: other for call_id, other in self.mailboxes.items() if other is not mailbox}

    def _serve(self, agent: ScriptedAgent, data: bytes | None = None) -> None:
        if data is not None:
            agent.receive(data, CALLER, self._loop.time())
        agent.due(self._loop.time())
        for sent, _ in agent.take():
            message = parse(sent)
            mailbox = self.mailboxes.get(message.call_id or "")
            if mailbox is not None:
                mailbox.put_nowait(Received(self._loop.time(), message, agent.address))
        due = agent.next_due()
        if due is not None:
            self._loop.call_at(due, self._serve, agent)
