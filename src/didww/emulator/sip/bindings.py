"""The contacts that are registered on trunks: no I/O and no clock (RFC 3261, section 10.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from didww.emulator.sip.model import Target  # noqa: TC001 msgspec reads it

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "LONGEST_EXPIRY",
    "MAX_CONTACTS",
    "SHORTEST_EXPIRY",
    "Binding",
    "Bindings",
    "ContactChange",
    "Refusal",
    "read_contacts",
]

MAX_CONTACTS: Final = 10
"""Contacts of a trunk at once."""
SHORTEST_EXPIRY: Final = 60
LONGEST_EXPIRY: Final = 3600
_MAX_URI: Final = 512
_URI: Final = re.compile(
    r"(sips?):(?:([^@<>\s\"]*)@)?(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(\d{1,5}))?(;[^\s<>\"]*)?", re.ASCII
)
_MEMBER: Final = re.compile(r';\s*([\w.+-]{1,40})\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,]*))?', re.ASCII)
_QUALITY: Final = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?", re.ASCII)


class Refusal(NamedTuple):
    """Why a request is refused: code, and an explanation for people."""

    code: int
    why: str


class ContactChange(NamedTuple):
    """A contact that a request wants to register, or to remove if `expires` is 0."""

    uri: str
    expires: int
    q: float
    instance: str


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """A registered contact.

    Attributes:
        uri: URI of the contact.
        target: Where the registration came from; calls go back there.
        expires_at: When it ends.
        registered_at: When it was registered first.
        q: Preference, from 0 to 1.
        instance: Which device it is, if the device says so (`+sip.instance`).
        call_id: Call-ID of its last registration.
        cseq: CSeq of its last registration.
        user_agent: The program of the device.
    """

    uri: str
    target: Target
    expires_at: float
    registered_at: float
    q: float = 1.0
    instance: str = ""
    call_id: str = ""
    cseq: int = 0
    user_agent: str = ""


def read_contacts(values: Sequence[str], expires: str | None) -> list[ContactChange] | Refusal | None:
    """Read the Contact headers of a request; None stands for `*`, which removes all contacts.

    Args:
        values: The Contact headers.
        expires: The Expires header, if there is one.
    """
    default = _seconds(expires)
    if "*" in values:
        if list(values) != ["*"] or default != 0:
            return Refusal(400, "Contact: * needs Expires: 0, and no other contact")
        return None
    if len(values) > MAX_CONTACTS:
        return Refusal(400, f"A request has at most {MAX_CONTACTS} contacts")
    changes: dict[str, ContactChange] = {}
    for value in values:
        before, bracket, rest = value.partition("<")
        if bracket:
            uri, _, tail = rest.partition(">")
        else:
            uri, semicolon, after = before.strip().partition(";")
            tail = semicolon + after
        uri = uri.strip()
        if len(uri) > _MAX_URI or _URI.fullmatch(uri) is None:
            return Refusal(400, "A contact is not a SIP URI")
        members = {name.lower(): text.strip('"') for name, text in _MEMBER.findall(tail)}
        q = members.get("q", "1")
        seconds = _seconds(members["expires"]) if "expires" in members else default
        if 0 < seconds < SHORTEST_EXPIRY:
            return Refusal(423, f"A registration lasts {SHORTEST_EXPIRY} seconds at least")
        changes[_key(uri)] = ContactChange(
            uri,
            min(seconds, LONGEST_EXPIRY),
            float(q) if _QUALITY.fullmatch(q) else 1.0,
            f"{members.get('+sip.instance', '')[:200]}{members.get('reg-id', '')[:10]}",
        )
    return list(changes.values())


class Bindings:
    """The contacts of a trunk. They may be read while another thread changes them."""

    def __init__(self) -> None:
        self._by_key: dict[str, Binding] = {}

    def live(self, now: float) -> list[Binding]:
        """Return the contacts that have not expired, the preferred ones first, then the newest."""
        live = [one for one in self._by_key.values() if one.expires_at > now]
        return sorted(live, key=lambda one: (-one.q, -one.registered_at))

    def change(
        self,
        changes: Sequence[ContactChange] | None,
        *,
        call_id: str,
        cseq: int,
        target: Target,
        user_agent: str,
        now: float,
    ) -> Refusal | None:
        """Register and remove contacts, all or none of them; None removes all. Return why not.

        A device that says which one it is has one contact: a new one replaces it.
        """
        current = {key: one for key, one in self._by_key.items() if one.expires_at > now}
        touched = set(current if changes is None else (_key(one.uri) for one in changes))
        if any(key in touched and one.call_id == call_id and one.cseq >= cseq for key, one in current.items()):
            return Refusal(500, "A later request of this registration came before")
        changed = {} if changes is None else dict(current)
        for change in changes or ():
            key = _key(change.uri)
            former = changed.pop(key, None)
            if change.instance:
                changed = {other: one for other, one in changed.items() if one.instance != change.instance}
            if change.expires:
                changed[key] = Binding(
                    uri=change.uri,
                    target=target,
                    expires_at=now + change.expires,
                    registered_at=former.registered_at if former else now,
                    q=change.q,
                    instance=change.instance,
                    call_id=call_id,
                    cseq=cseq,
                    user_agent=user_agent,
                )
        if len(changed) > MAX_CONTACTS and len(changed) > len(current):
            return Refusal(403, f"{MAX_CONTACTS} contacts are registered on this trunk already")
        self._by_key = changed
        return None


def _seconds(text: str | None) -> int:
    """Return a number of seconds; a malformed or missing one is the longest (RFC 3261, section 10.3)."""
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else LONGEST_EXPIRY


def _key(uri: str) -> str:
    """Return what equal URIs have in common: scheme and host in lowercase, parameters in order."""
    found = _URI.fullmatch(uri)
    if found is None:
        return uri
    scheme, user, host, port, parameters = found.groups(default="")
    ordered = ";".join(sorted(parameters.lower().split(";")))
    return f"{scheme.lower()}:{user}@{host.lower()}:{port.lstrip('0')}{ordered}"
