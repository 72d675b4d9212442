"""Where a destination is: SRV records, then addresses (RFC 3263), within bounds.

The only module that imports dnspython.
"""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.emulator.sip.allowed import is_loopback
from didww.emulator.sip.effects import Failure
from didww.emulator.sip.model import Target, default_port
from didww.emulator.sip.order import in_order
from didww.enums import NetworkProtocolPriority

if TYPE_CHECKING:
    from random import Random

    from didww.emulator.sip.model import Destination, Transport

__all__ = ["Resolver"]

_SERVICES: Final[dict[Transport, str]] = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}
_LIFETIME: Final = 10.0
_LOOPBACK: Final = {4: "127.0.0.1", 6: "::1"}
_MAX_TARGETS: Final = 10
_VERSIONS: Final[dict[str, tuple[int, ...]]] = {
    NetworkProtocolPriority.FORCE_IPV4: (4,),
    NetworkProtocolPriority.FORCE_IPV6: (6,),
    NetworkProtocolPriority.ANY: (4, 6),
    NetworkProtocolPriority.PREFER_IPV4: (4, 6),
    NetworkProtocolPriority.PREFER_IPV6: (6, 4),
}


class _Record(NamedTuple):
    """An SRV record."""

    priority: int
    weight: int
    host: str
    port: int


class Resolver:
    """Looks up destinations.

    Args:
        dns: Address and port of the DNS server, such as `127.0.0.1:5353`. Defaults to those of the system.
        random: Draws among SRV records of the same priority.
    """

    def __init__(self, dns: str | None = None, random: Random | None = None) -> None:
        self._dns = dns
        self._random = random or SystemRandom()

    async def resolve(self, destination: Destination) -> list[Target] | Failure:
        """Return the addresses of a destination in the order in which they are tried."""
        host, port, transport, prefer = destination
        host = host.strip("[]")
        versions = _VERSIONS.get(prefer, (4, 6))
        default = default_port(transport)
        if (literal := _version_of(host)) is not None:
            if literal not in versions:
                return Failure(f"{host} is an IPv{literal} address, and the trunk uses IPv{versions[0]} only")
            return [Target(transport, host, port or default)]
        if is_loopback(host):  # never asked of a DNS server, which could say anything (RFC 6761)
            found = [address for address in await self._of_system("localhost", versions) if is_loopback(address)]
            return [
                Target(transport, address, port or default, host)
                for address in dict.fromkeys(found or [_LOOPBACK[versions[0]]])
            ]
        try:
            async with asyncio.timeout(_LIFETIME):
                targets = await self._targets(destination, host, versions, default)
        except TimeoutError:
            return Failure(f"{host} was not found within {_LIFETIME:g} s")
        if not targets:
            return Failure(f"{host} has no address that the trunk can use (DNS: {', '.join(_names(versions))})")
        return targets

    async def _targets(
        self, destination: Destination, host: str, versions: tuple[int, ...], default: int
    ) -> list[Target]:
        """Look a name up, until there are enough addresses."""
        port, transport = destination.port, destination.transport
        places = [(host, port)] if port is not None else await self._services(host, transport)
        if places is None:
            return []
        targets: list[Target] = []
        for name, number in places or [(host, default)]:
            for address in await self._addresses(name, versions):
                target = Target(transport, address, number or default, host)
                if target not in targets:
                    targets.append(target)
            if len(targets) >= _MAX_TARGETS:
                break
        return targets[:_MAX_TARGETS]

    async def _services(self, host: str, transport: Transport) -> list[tuple[str, int | None]] | None:
        """Return hosts and ports of the SRV records of a name; empty if it has none, None if it has no such service."""
        records: list[_Record] = []
        found = await self._query(f"{_SERVICES[transport]}.{host}", "SRV")
        for record in found:
            name = str(record.target).rstrip(".")
            if name:
                records.append(_Record(int(record.priority), int(record.weight), name, int(record.port)))
        if found and not records:  # a single target `.` (RFC 2782)
            return None
        return [(record.host, record.port) for record in in_order(records[:100], self._random)]

    async def _addresses(self, host: str, versions: tuple[int, ...]) -> list[str]:
        if (literal := _version_of(host)) is not None:
            return [host] if literal in versions else []
        if self._dns is not None:
            return [str(one.address) for v in versions for one in await self._query(host, "A" if v == 4 else "AAAA")]
        return await self._of_system(host, versions)

    @staticmethod
    async def _of_system(host: str, versions: tuple[int, ...]) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        addresses = [str(entry[4][0]) for entry in found]
        return [address for version in versions for address in addresses if _version_of(address) == version]

    async def _query(self, name: str, kind: str) -> list[Any]:
        import dns.asyncresolver
        import dns.exception

        try:
            resolver = dns.asyncresolver.Resolver(configure=self._dns is None)
            if self._dns is not None:
                address, _, number = self._dns.rpartition(":")
                resolver.nameservers = [address.strip("[]")]
                resolver.port = int(number)
            return list(await resolver.resolve(name, kind, lifetime=_LIFETIME, search=False))
        except (dns.exception.DNSException, OSError, ValueError):
            return []


def _version_of(host: str) -> int | None:
    """Return the IP version of an address; None for a name."""
    try:
        return ip_address(host).version
    except ValueError:
        return None


def _names(versions: tuple[int, ...]) -> list[str]:
    return ["A" if version == 4 else "AAAA" for version in versions]
