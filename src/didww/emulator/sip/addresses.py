"""Addresses of targets: what they are, how they are shown, and the own address toward them."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from didww.emulator.sip.allowed import is_loopback
from didww.emulator.sip.model import Target

__all__ = ["bracketed", "is_address", "local_host", "show_target", "without_name"]


def without_name(target: Target) -> Target:
    """Return a target without the name of its certificate."""
    return Target(target.transport, target.host, target.port)


def is_address(target: Target) -> bool:
    """Return whether a target is an IP address with a port: a name would be looked up, and block all calls."""
    try:
        ip_address(target.host)
    except ValueError:
        return False
    return 0 < target.port < 65536


def bracketed(host: str) -> str:
    """Return a host as in URIs: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def show_target(target: Target) -> str:
    """Return a target as text, e.g. `udp:192.0.2.1:5060`."""
    return f"{target.transport}:{bracketed(target.host)}:{target.port}"


def local_host(target: Target) -> str:
    """Return the own address that reaches a target.

    Raises:
        OSError: There is no route to it.
    """
    if is_loopback(target.host):
        return "::1" if ":" in target.host else "127.0.0.1"
    family = socket.AF_INET6 if ":" in target.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((target.host, target.port))  # sends nothing
        return str(probe.getsockname()[0])
