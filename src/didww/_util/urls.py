"""Parse URLs strictly: accept only plain http URLs, get their origin, and redact them for messages.

The API key is sent only to the origin of the configured API. Libraries parse unusual URLs differently (a backslash, a
user name, white space), so an ambiguous URL has no origin here: it gets no key and is not followed.
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
    """Scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        is_default = self.port == (443 if self.scheme == "https" else 80)
        return f"{self.scheme}://{self.host}{'' if is_default else f':{self.port}'}"


def _match(url: object) -> re.Match[str] | None:
    if not isinstance(url, str) or "\\" in url:
        return None
    match = _URL.fullmatch(url)
    if match is None or not _is_host(match["host"]) or not 0 < int(match["port"] or 1) <= 65535:
        return None
    return match


def _is_host(host: str) -> bool:
    if not host.startswith("["):
        return ".." not in host
    from ipaddress import IPv6Address  # imported only when needed

    try:
        return bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False


def origin_of(url: object) -> Origin | None:
    """Return scheme, host and port of a plain http or https URL, or None for anything else."""
    match = _match(url)
    if match is None:
        return None
    scheme = match["scheme"].lower()
    return Origin(scheme, match["host"].lower(), int(match["port"] or (443 if scheme == "https" else 80)))


def is_loopback(host: str) -> bool:
    """Return whether `host`, as in an `Origin`, is a loopback address."""
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
    """Resolve `link` from a response to `base` if it is only a path or a query."""
    if link.startswith("?"):
        return without_query(base) + link
    return f"{origin_of(base)}{link}" if link.startswith("/") and not link.startswith("//") else link


def path_of(url: str) -> str:
    """Return the path of a URL, or an empty string if it is not a valid URL."""
    match = _match(url)
    return match["path"] or "" if match is not None else ""


def without_query(url: str) -> str:
    """Return a URL without its query, which may contain a signature that grants access to a file."""
    match = _match(url)
    return f"{origin_of(url)}{match['path'] or ''}" if match is not None else "an invalid URL"
