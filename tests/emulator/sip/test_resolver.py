"""Test how the addresses of trunks are looked up, with a DNS server on loopback."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from didww.emulator.sip.effects import Failure
from didww.emulator.sip.model import Destination, Target
from didww.emulator.sip.resolver import Resolver
from didww.enums import NetworkProtocolPriority
from support.dns_server import dns_server

if TYPE_CHECKING:
    from didww.emulator.sip.model import Transport

ANY, ONLY_4 = NetworkProtocolPriority.ANY, NetworkProtocolPriority.FORCE_IPV4
ZONE = {
    ("_sip._udp.example.com.", "SRV"): ["20 0 5070 b.example.com.", "10 0 5080 a.example.com."],
    ("_sips._tcp.example.com.", "SRV"): ["10 0 5090 a.example.com."],
    ("_sip._tcp.example.com.", "SRV"): ["0 0 0 ."],
    ("a.example.com.", "A"): ["192.0.2.1"],
    ("a.example.com.", "AAAA"): ["2001:db8::1"],
    ("b.example.com.", "A"): ["192.0.2.2"],
    ("wide.example.com.", "A"): [f"192.0.2.{number}" for number in range(1, 31)],
}


def resolve(destination: Destination) -> tuple[list[Target] | Failure, list[tuple[str, str]]]:
    """Return what the server says about a destination, and what it was asked."""
    with dns_server(ZONE) as (address, asked):
        return asyncio.run(Resolver(address, random.Random(1)).resolve(destination)), asked


@pytest.mark.parametrize(
    ("host", "port", "transport", "prefer", "expected"),
    [
        ("192.0.2.9", None, "tls", ANY, ["192.0.2.9:5061"]),
        ("example.com", None, "udp", ONLY_4, ["192.0.2.1:5080", "192.0.2.2:5070"]),
        ("example.com", None, "udp", ANY, ["192.0.2.1:5080", "2001:db8::1:5080", "192.0.2.2:5070"]),
        ("example.com", None, "tls", NetworkProtocolPriority.PREFER_IPV6, ["2001:db8::1:5090", "192.0.2.1:5090"]),
        ("a.example.com", None, "tcp", ONLY_4, ["192.0.2.1:5060"]),
        ("a.example.com", 5099, "udp", NetworkProtocolPriority.FORCE_IPV6, ["2001:db8::1:5099"]),
    ],
)
def test_addresses_in_order(
    host: str, port: int | None, transport: Transport, prefer: NetworkProtocolPriority, expected: list[str]
) -> None:
    """SRV records by priority where there is no port; then addresses of the IP versions of the trunk."""
    found, _ = resolve(Destination(host, port, transport, prefer))
    assert not isinstance(found, Failure)
    assert [f"{target.host}:{target.port}" for target in found] == expected


def test_a_service_that_is_not_available_has_no_address() -> None:
    """The SRV target `.` says so, whatever addresses the name has."""
    found, _ = resolve(Destination("example.com", None, "tcp", ANY))
    assert isinstance(found, Failure)


def test_a_port_needs_no_srv_record() -> None:
    """With a port, only the address is asked for."""
    _, asked = resolve(Destination("a.example.com", 5060, "udp", ONLY_4))
    assert asked == [("a.example.com.", "A")]


def test_answers_are_bounded() -> None:
    """Of many addresses, the first ten are used."""
    found, _ = resolve(Destination("wide.example.com", 5060, "udp", ONLY_4))
    assert len(found) == 10


@pytest.mark.parametrize("host", ["nowhere.example.com", "a..example.com", "x" * 300, "192.0.2.1"])
def test_a_host_without_an_address_is_a_reason(host: str) -> None:
    """Unknown and impossible names, and addresses of another IP version, are an error in a sentence."""
    found, _ = resolve(Destination(host, 5060, "udp", NetworkProtocolPriority.FORCE_IPV6))
    assert isinstance(found, Failure)
    assert "address" in found.reason
