"""What `emulator.sip` returns: listeners, limits, registrations."""

from __future__ import annotations

import msgspec

__all__ = ["Registration", "SipLimits", "SipListener", "SipState"]


class SipListener(msgspec.Struct, frozen=True):
    """An address that phones can register at.

    Attributes:
        transport: Transport protocol: `udp`, `tcp` or `tls`.
        host: Address.
        port: Port.
    """

    transport: str
    host: str
    port: int


class SipLimits(msgspec.Struct, frozen=True):
    """How much the emulator calls.

    Attributes:
        calls: Calls at once.
        per_second: New calls per second.
    """

    calls: int = 500
    per_second: int = 100


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A registered contact of a trunk.

    Attributes:
        trunk_id: Id of the trunk.
        trunk: Its name.
        contact: URI of the contact.
        transport: Transport protocol of the registration, and of calls.
        host: Address that it came from, which calls go to.
        port: Port.
        expires_in: Seconds until it ends.
        q: Preference, from 0 to 1.
        user_agent: Program of the phone.
    """

    trunk_id: str
    trunk: str
    contact: str
    transport: str
    host: str
    port: int
    expires_in: int
    q: float = 1.0
    user_agent: str = ""


class SipState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of SIP.

    Attributes:
        listeners: Where phones can register.
        hosts: Hosts besides loopback addresses that may be called; `*` stands for any.
        limits: Limits of calls.
        registrations: Registered contacts.
        calls: Calls in progress.
    """

    listeners: list[SipListener]
    hosts: list[str]
    limits: SipLimits
    registrations: list[Registration]
    calls: int
