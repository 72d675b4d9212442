"""Test calls over sockets of loopback to scripted far ends, in real time."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from didww.emulator.sip.addresses import show_target
from didww.emulator.sip.allowed import Allowed
from didww.emulator.sip.call import CallOptions, place_call
from didww.emulator.sip.capacity import Capacity
from didww.emulator.sip.effects import Contact
from didww.emulator.sip.far_end import FarEnd
from didww.emulator.sip.model import Candidate, Credentials, Destination, Limit
from didww.emulator.sip.network import Network
from didww.emulator.sip.runner import start_call
from didww.enums import DisconnectInitiator, NetworkProtocolPriority
from support.dns_server import dns_server
from support.sip_calls import candidate, codes, outcomes, route, tokens
from support.sip_far_end import far_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww.emulator.sip.effects import Progress
    from didww.emulator.sip.model import AttemptResult, Target, Transport

pytestmark = pytest.mark.slow

SRV = Destination("pbx.example.com", None, "udp", NetworkProtocolPriority.FORCE_IPV4)
LIMITS = (Limit(("did", "1"), 500, "number"),)


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network(Allowed())
    yield network
    network.close()


def trunk(name: str, where: Target, **fields: Any) -> Candidate:
    """Return a trunk whose host is a far end on loopback."""
    destination = Destination(where.host, where.port, where.transport)
    return candidate(name, host=where.host, destination=destination, **fields)


def ring(
    network: Network,
    *trunks: Candidate,
    contacts: Callable[[str], list[Contact]] = lambda _: [],
    **options: Any,
) -> list[AttemptResult]:
    """Call trunks in their order, and return what came of it."""
    defaults: dict[str, Any] = {"call_id": "1", "capacity": Capacity(), "ids": tokens(), "hang_up_after": 0.2}
    generator = place_call(route(*trunks), CallOptions(**(defaults | options)))
    future, _ = start_call(network, generator, contacts=contacts)
    return future.result(60)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("script", "code", "initiator"),
    [
        (FarEnd(ringing=0.1), 200, DisconnectInitiator.ORIGINATION),
        (FarEnd(ringing=0.1, talks=0.1), 200, DisconnectInitiator.DESTINATION),
        (FarEnd(ringing=0.1, code=486), 486, DisconnectInitiator.DESTINATION),
        (FarEnd(ringing=0, challenge=True), 200, DisconnectInitiator.ORIGINATION),
        (FarEnd(ringing=0, early_media=True, misbehavior="forks"), 200, DisconnectInitiator.ORIGINATION),
    ],
)
def test_a_call_over_sockets(
    network: Network, transport: Transport, script: FarEnd, code: int, initiator: DisconnectInitiator
) -> None:
    """The same scripts have the same results over UDP and TCP as in a simulation."""
    with far_end(script, transport) as where:
        plain = trunk("Main", where)
        invite = msgspec.structs.replace(plain.invite, credentials=Credentials("user", "secret"))
        options = {"hang_up_after": None} if script.talks is not None else {}
        (result,) = ring(network, msgspec.structs.replace(plain, invite=invite), **options)
    assert (result.code, result.initiator) == (code, initiator)
    assert result.target == f"{transport}:127.0.0.1:{where.port}"
    assert result.user_agent == "Simulated far end"


def test_a_failover_over_sockets(network: Network) -> None:
    """The first trunk is busy, the second silent, the third rings only, nobody is at the fourth; the fifth answers."""
    scripts = {
        "Busy": FarEnd(code=486, ringing=0),
        "Silent": FarEnd(silent=True),
        "Rings": FarEnd(only_rings=True),
        "Answers": FarEnd(ringing=0),
    }
    with ExitStack() as stack, far_end(FarEnd(), "tcp") as gone:
        pass
    listed = codes(408, 486, 503, ringing_timeout=True)
    with stack:
        places = {name: stack.enter_context(far_end(script)) for name, script in scripts.items()} | {"Gone": gone}
        order = ["Busy", "Silent", "Rings", "Gone", "Answers"]
        trunks = [trunk(name, places[name], rerouting=listed, ringing_timeout=1.5, timer_b=1.0) for name in order]
        results = ring(network, *trunks)
    assert outcomes(results) == [("Busy", 486), ("Silent", 408), ("Rings", 480), ("Gone", 503), ("Answers", 200)]
    assert results[3].reason == f"{show_target(gone)} cannot be reached: Connection refused"


def test_a_call_through_srv_records() -> None:
    """Each target is an attempt: the first by priority is unavailable, the second answers."""
    with far_end(FarEnd(code=503, ringing=0)) as first, far_end(FarEnd(ringing=0)) as second:
        zone = {
            ("_sip._udp.pbx.example.com.", "SRV"): [
                f"20 0 {second.port} b.example.com.",
                f"10 0 {first.port} a.example.com.",
            ],
            ("a.example.com.", "A"): ["127.0.0.1"],
            ("b.example.com.", "A"): ["127.0.0.1"],
        }
        with dns_server(zone) as (address, _):
            network = Network(Allowed(["pbx.example.com"]), dns=address)
            try:
                results = ring(network, candidate("PBX", host="pbx.example.com", destination=SRV))
            finally:
                network.close()
    assert outcomes(results) == [("PBX", 503), ("PBX", 200)]
    assert [result.target for result in results] == [show_target(first), show_target(second)]


def test_contacts_on_both_transports_ring_together(network: Network) -> None:
    """A phone on UDP and one on TCP ring; the one on TCP answers, the other is canceled."""
    with far_end(FarEnd(only_rings=True)) as desk, far_end(FarEnd(ringing=0.3, user_agent="Mobile"), "tcp") as mobile:
        registered = [Contact(f"sip:phone@{each.host}:{each.port}", each, 3600.0) for each in (desk, mobile)]
        (result,) = ring(network, candidate("Phones", kind="registration"), contacts=lambda _: registered)
    assert (result.code, result.user_agent) == (200, "Mobile")
    assert [step.message for step in result.steps if step.sent].count("CANCEL") == 1


def test_a_redirect_over_sockets(network: Network) -> None:
    """A 302 leads to a far end on another port and transport."""
    with far_end(FarEnd(ringing=0, user_agent="Desk"), "tcp") as desk:
        uri = f"sip:desk@127.0.0.1:{desk.port};transport=tcp"
        with far_end(FarEnd(redirect_to=uri)) as where:
            (result,) = ring(network, trunk("Main", where, redirects=1))
    assert (result.code, result.redirected, result.user_agent) == (200, True, "Desk")
    assert result.target == f"tcp:127.0.0.1:{desk.port}"


def test_the_caller_hangs_up_over_sockets(network: Network) -> None:
    """CANCEL ends a call that rings, and the ladder has its response."""
    rings = threading.Event()

    def follow(progress: Progress) -> None:
        if progress.event == "ringing":
            rings.set()

    with far_end(FarEnd(only_rings=True)) as where:
        options = CallOptions(call_id="1", capacity=Capacity(), ids=tokens())
        future, hang_up = start_call(network, place_call(route(trunk("Main", where)), options), follow)
        assert rings.wait(30)
        hang_up()
        (result,) = future.result(30)
    assert (result.code, result.initiator) == (487, DisconnectInitiator.ORIGINATION)
    assert [step.message for step in result.steps][-4:] == ["CANCEL", "200 OK", "487 Request Terminated", "ACK"]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("misbehavior", ["garbage", "giant", "provisionals", "late answer", "no response to BYE"])
def test_hostile_far_ends_over_sockets(network: Network, transport: Transport, misbehavior: Any) -> None:
    """A far end that does not keep to the protocol ends in an attempt with a reason, and limits are free again."""
    capacity = Capacity()
    rings = misbehavior in ("provisionals", "late answer")
    script = FarEnd(misbehavior=misbehavior, ringing=0.1, only_rings=rings)
    with far_end(script, transport) as where:
        main = trunk("Main", where, ringing_timeout=1.0, timer_b=0.5, limits=LIMITS)
        (result,) = ring(network, main, capacity=capacity)
    assert result.code in (200, 408, 480, 503)
    assert result.why
    assert capacity.in_progress(LIMITS[0]) == 0


def test_many_calls_at_once(network: Network) -> None:
    """A hundred calls at once to one far end all end as they should."""
    capacity = Capacity()
    ids = tokens()
    with far_end(FarEnd(ringing=0.2)) as where:
        futures = []
        for number in range(100):
            options = CallOptions(call_id=str(number), capacity=capacity, ids=ids, hang_up_after=0.2)
            generator = place_call(route(trunk("Main", where), limits=LIMITS), options)
            futures.append(start_call(network, generator)[0])
        results = [future.result(60) for future in futures]
    assert [outcomes(each) for each in results] == [[("Main", 200)]] * 100
    assert capacity.in_progress(LIMITS[0]) == 0
