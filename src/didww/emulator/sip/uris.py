"""SIP URIs, as far as a call changes or follows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from didww.emulator.sip.addresses import bracketed
from didww.emulator.sip.messages import uri_in
from didww.emulator.sip.model import Destination
from didww.enums import NetworkProtocolPriority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.emulator.sip.model import Transport

__all__ = ["destination_of", "in_order_of_preference", "with_host", "with_user", "without_parameters"]

_URI = re.compile(
    r"""
    (?P<scheme>sips?):
    (?:(?P<user>[^@<>\s]*)@)?
    (?P<host>\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,253})
    (?::(?P<port>[0-9]{1,5}))?
    (?P<rest>[;?][^<>\s]*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TRANSPORT = re.compile(r";transport=([a-z0-9-]+)", re.IGNORECASE)
_Q = re.compile(r";\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)", re.IGNORECASE)
_TRANSPORTS: dict[str, Transport] = {"udp": "udp", "tcp": "tcp", "tls": "tls"}


def with_user(uri: str, user: str) -> str:
    """Return a URI with another user; one that is no SIP URI as it is."""
    match = _URI.fullmatch(uri)
    return f"{match['scheme']}:{user}@{uri[match.start('host') :]}" if match else uri


def with_host(uri: str, address: str) -> str:
    """Return a URI with an IP address as its host; one that is no SIP URI as it is."""
    match = _URI.fullmatch(uri)
    if match is None:
        return uri
    return f"{uri[: match.start('host')]}{bracketed(address)}{uri[match.end('host') :]}"


def without_parameters(uri: str) -> str:
    """Return a URI without parameters and headers, as in call records."""
    user, at, host = uri.rpartition("@")
    return user + at + host.partition(";")[0].partition("?")[0]


def destination_of(
    uri: str, default: Transport = "udp", prefer: NetworkProtocolPriority = NetworkProtocolPriority.ANY
) -> Destination | None:
    """Return where calls to a SIP URI go, None if it is none that can be called.

    Args:
        uri: URI, as in the Contact header of a redirect.
        default: Transport protocol of a URI that names none.
        prefer: Which IP version to use.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    named = _TRANSPORT.search(match["rest"] or "")
    transport = _TRANSPORTS.get(named[1].lower()) if named else default
    if match["scheme"].lower() == "sips":
        transport = "tls"
    if transport is None or (port is not None and not 1 <= port <= 65535):
        return None
    return Destination(match["host"].strip("[]"), port, transport, prefer)


def in_order_of_preference(contacts: Iterable[str]) -> list[str]:
    """Return the URIs of the Contact headers of a redirect, by their `q`, each once."""
    by_preference = sorted(contacts, key=_preference, reverse=True)
    return list(dict.fromkeys(uri_in(contact) for contact in by_preference))


def _preference(contact: str) -> float:
    found = _Q.search(contact.rpartition(">")[2])
    return float(found[1]) if found else 1.0
