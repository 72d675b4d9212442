"""Test calls over IPv6 of loopback."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from didww import Codec, NetworkProtocolPriority, SipConfiguration, TransportProtocol, VoiceInTrunk
from didww.emulator import Emulator, FarEnd
from support.sip_account import buy_number
from support.sip_far_end import far_end

pytest.importorskip("aiosipua")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww.emulator.sip.model import Transport


def has_ipv6() -> bool:
    """Return whether this machine has the loopback address of IPv6."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


def route(emulator: Emulator, port: int, transport: TransportProtocol = TransportProtocol.UDP) -> str:
    """Return a number that is routed to a port of `::1`."""
    client = emulator.client()
    configuration = SipConfiguration(
        host="::1",
        port=port,
        username="{DID}",
        codec_ids=[Codec.PCMU],
        transport_protocol_id=transport,
        network_protocol_priority=NetworkProtocolPriority.FORCE_IPV6,
    )
    trunk = client.voice_in_trunks().create(VoiceInTrunk(name="PBX", configuration=configuration)).data
    number = buy_number(emulator, client)
    (did,) = client.dids().list().data
    did.voice_in_trunk = trunk
    client.dids().update(did)
    return number


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(("talks", "ended_by"), [(None, "caller"), (0.1, "far end")])
def test_a_call_over_ipv6(emulator: Emulator, transport: Transport, talks: float | None, ended_by: str) -> None:
    """Either side hangs up; all messages go over IPv6."""
    with far_end(FarEnd(ringing=0, talks=talks), transport, "::1") as where:
        number = route(emulator, where.port, TransportProtocol[transport.upper()])
        report = emulator.calls.ring(number, duration=0.2 if talks is None else 60)
    (attempt,) = report.attempts
    assert (report.answered, attempt.ended_by) == (True, ended_by)
    assert {step.peer for step in attempt.steps} == {f"{transport}:[::1]:{where.port}"}
    assert "BYE" in [step.message for step in attempt.steps if step.sent is (talks is None)]


def test_addresses_of_ipv6_in_an_invite(emulator: Emulator) -> None:
    """Brackets in URIs and the Via, none in the SDP."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as pbx:
        pbx.bind(("::1", 0))
        pbx.settimeout(30)
        port = pbx.getsockname()[1]
        number = route(emulator, port)
        id = emulator.calls.ring(number, wait=False).id
        invite = pbx.recv(65_535).decode()
        emulator.calls.hang_up(id)
    lines = invite.split("\r\n")
    assert lines[0] == f"INVITE sip:{number}@[::1]:{port} SIP/2.0"
    assert lines[1].startswith("Via: SIP/2.0/UDP [::1]:")
    assert next(line for line in lines if line.startswith("Contact:")).startswith("Contact: <sip:didww@[::1]:")
    assert "c=IN IP6 ::1" in lines
