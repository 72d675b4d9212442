"""Addresses: which are taken at all, where one leads, and what of it may be shown.

The key goes only where `origin_of` says that the configured API is. Libraries read odd addresses differently (a
backslash, a user name, white space), so an address that could be read in two ways has no origin here: it is neither
signed nor followed.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Origin", "is_loopback", "joined", "origin_of", "path_of", "without_query"]

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!-~]*?)?"
    r"(?P<query>[?#][!-~]*)?",
    re.IGNORECASE | re.ASCII,
)


class Origin(NamedTuple):
    """Where an address leads."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        usual = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{self.host}{'' if usual else f':{self.port}'}"


def _match(url: object) -> re.Match[str] | None:
    if not isinstance(url, str) or "\\" in url:
        return None
    found = _URL.fullmatch(url)
    if found is None or not _is_host(found["host"]) or not 0 < int(found["port"] or 1) <= 65535:
        return None
    return found


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return ".." not in host
    from ipaddress import IPv6Address  # not worth its import to those who have a name

    try:
        return bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False


def origin_of(url: object) -> Origin | None:
    """Scheme, host and port of a plain http or https address; None for everything else."""
    found = _match(url)
    if found is None:
        return None
    scheme = found["scheme"].lower()
    return Origin(scheme, found["host"].lower(), int(found["port"] or (443 if scheme == "https" else 80)))


def is_loopback(host: str) -> bool:
    """Whether `host`, as in an `Origin`, is this machine itself: what goes there passes no network."""
    if host == "localhost":
        return True
    if not host.startswith(("127.", "[")):
        return False
    from ipaddress import ip_address

    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def joined(base: str, link: str) -> str:
    """`link` as it stands in a response to `base`, made absolute if it is a path or a query alone."""
    if link.startswith("?"):
        return without_query(base) + link
    return f"{origin_of(base)}{link}" if link.startswith("/") and not link.startswith("//") else link


def path_of(url: str) -> str:
    """The path of an address, without host and query; empty if it is none."""
    found = _match(url)
    return found["path"] or "" if found is not None else ""


def without_query(url: str) -> str:
    """What may be shown of an address: its query may be a signature that opens a file to everybody."""
    found = _match(url)
    return f"{origin_of(url)}{found['path'] or ''}" if found is not None else "an address that is none"
