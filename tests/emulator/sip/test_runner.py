"""Test the runner of calls: a thread's event loop, hang-ups from other threads, errors, and a network that closes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from didww.emulator.sip.call import CallOptions, place_call
from didww.emulator.sip.capacity import Capacity
from didww.emulator.sip.effects import Contact
from didww.emulator.sip.far_end import FarEnd
from didww.emulator.sip.model import Limit, Target
from didww.emulator.sip.runner import start_call
from didww.enums import DisconnectInitiator
from support.sip_calls import candidate, codes, outcomes, route, tokens
from support.sip_memory_network import MemoryNetwork

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from didww.emulator.sip.effects import Effect, Progress
    from didww.emulator.sip.model import AttemptResult

LIMITS = (Limit(("did", "1"), 1, "number"),)
FAR_ENDS: dict[str, FarEnd | None] = {
    "answers.example.com": FarEnd(ringing=0, talks=0),
    "busy.example.com": FarEnd(code=486, ringing=0),
    "rings.example.com": FarEnd(only_rings=True),
    "talks.example.com": FarEnd(ringing=0),
    "slow.example.com": None,
}


@pytest.fixture
def network() -> Iterator[MemoryNetwork]:
    network = MemoryNetwork(FAR_ENDS)
    yield network
    network.close()


def generator_of(capacity: Capacity, *hosts: str, **options: Any) -> Generator[Effect, Any, list[AttemptResult]]:
    trunks = [candidate(host, host=f"{host}.example.com", rerouting=codes(486)) for host in hosts]
    return place_call(
        route(*trunks, limits=LIMITS), CallOptions(call_id="1", capacity=capacity, ids=tokens(), **options)
    )


class Seen:
    """Progress of a call, and a way to wait for it."""

    def __init__(self, event: str) -> None:
        self.events: list[str] = []
        self.reached = threading.Event()
        self._event = event

    def __call__(self, progress: Progress) -> None:
        self.events.append(progress.event)
        if progress.event == self._event:
            self.reached.set()


def test_a_call_runs_in_the_thread_of_the_network(network: MemoryNetwork) -> None:
    """The first trunk is busy, the second answers and hangs up: the future has both attempts."""
    seen, capacity = Seen("ended"), Capacity()
    future, _ = start_call(network, generator_of(capacity, "busy", "answers"), seen)
    results = future.result(30)
    assert outcomes(results) == [("busy", 486), ("answers", 200)]
    assert results[1].initiator is DisconnectInitiator.DESTINATION
    assert seen.events[0] == "started"
    assert seen.events[-1] == "ended"
    assert capacity.acquire(LIMITS) is None
    assert [media.remote is None for media in network.played] == [False, True]


@pytest.mark.parametrize(("host", "event", "code"), [("rings", "ringing", 487), ("talks", "answered", 200)])
def test_the_caller_hangs_up_in_another_thread(network: MemoryNetwork, host: str, event: str, code: int) -> None:
    """A hang-up ends a call that rings, and one that was answered."""
    seen = Seen(event)
    future, hang_up = start_call(network, generator_of(Capacity(), host), seen)
    assert seen.reached.wait(30)
    hang_up()
    (result,) = future.result(30)
    assert (result.code, result.initiator) == (code, DisconnectInitiator.ORIGINATION)
    hang_up()


def test_a_hang_up_ends_a_look_up(network: MemoryNetwork) -> None:
    """The caller does not wait for a name server."""
    seen = Seen("attempt")
    future, hang_up = start_call(network, generator_of(Capacity(), "slow"), seen)
    assert seen.reached.wait(30)
    hang_up()
    (result,) = future.result(30)
    assert (result.code, result.steps) == (487, [])


def contact(host: str) -> Contact:
    return Contact(f"sip:phone@{host}", Target("tls", host, 5061), 3600.0)


@pytest.mark.parametrize("hosts", [("192.0.2.201", "192.0.2.202"), ("192.0.2.202", "192.0.2.201")])
def test_a_phone_rings_while_the_connection_to_another_hangs(network: MemoryNetwork, hosts: tuple[str, str]) -> None:
    """Whichever of the two is preferred."""
    network.hanging.add("192.0.2.201")
    network.place(FarEnd(ringing=0, talks=0), contact("192.0.2.202").target)
    trunk = candidate("Phones", kind="registration", ringing_timeout=600.0)
    call = place_call(route(trunk), CallOptions(call_id="1", capacity=Capacity(), ids=tokens()))
    future, _ = start_call(network, call, contacts=lambda _: [contact(host) for host in hosts])
    (result,) = future.result(30)
    assert (result.code, result.reason) == (200, "Bye")
    assert {step.peer for step in result.steps} == {"tls:192.0.2.202:5061"}


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({}, (503, "udp:192.0.2.1:5060 cannot be reached: no connection within 0.1 s")),
        ({"give_up_after": 0.05}, (487, "Request Terminated")),
    ],
)
def test_time_limits_hold_during_a_connection(
    network: MemoryNetwork, options: dict[str, Any], outcome: tuple[int, str]
) -> None:
    """The attempt ends, and says that there was no connection."""
    network.hanging.add("192.0.2.1")
    trunk = candidate("Talks", host="talks.example.com", ringing_timeout=0.1)
    call = place_call(route(trunk), CallOptions(call_id="1", capacity=Capacity(), ids=tokens(), **options))
    (result,) = start_call(network, call)[0].result(30)
    assert (result.code, result.reason) == outcome
    assert result.steps == []


def test_a_name_without_an_address_fails(network: MemoryNetwork) -> None:
    """The reason of the network becomes that of the attempt."""
    future, _ = start_call(network, generator_of(Capacity(), "nowhere"))
    (result,) = future.result(30)
    assert (result.code, result.reason) == (503, "No address of nowhere.example.com")


def test_a_network_that_closes_cancels_its_calls() -> None:
    """Calls in progress are canceled, and their limits released."""
    network, seen, capacity = MemoryNetwork(FAR_ENDS), Seen("ringing"), Capacity()
    future, hang_up = start_call(network, generator_of(capacity, "rings"), seen)
    assert seen.reached.wait(30)
    network.close()
    assert future.cancelled()
    assert capacity.acquire(LIMITS) is None
    hang_up()


def test_an_error_of_a_call_is_that_of_its_future(network: MemoryNetwork) -> None:
    """A mistake of the emulator is raised where the call was placed."""

    def broken() -> Generator[Effect, Any, list[AttemptResult]]:
        raise ZeroDivisionError
        yield

    future, _ = start_call(network, broken())
    with pytest.raises(ZeroDivisionError):
        future.result(30)


def test_messages_of_ended_calls_have_no_mailbox(network: MemoryNetwork) -> None:
    """Mailboxes do not outlive their calls."""
    future, _ = start_call(network, generator_of(Capacity(), "nowhere"))
    future.result(30)
    done = threading.Event()
    network._loop.call_soon_threadsafe(done.set)
    assert done.wait(30)
    assert network.mailboxes == {}
