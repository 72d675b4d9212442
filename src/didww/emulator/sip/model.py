"""What the parts of a call pass to one another: where to send, what to send, and what came of it."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import msgspec

from didww.enums import DisconnectInitiator, NetworkProtocolPriority

__all__ = [
    "CNAM_PREFIX",
    "Candidate",
    "Credentials",
    "Destination",
    "Invite",
    "Limit",
    "Outgoing",
    "Route",
    "SessionTimer",
    "Step",
    "Target",
    "Transport",
    "default_port",
]

CNAM_PREFIX = "1"
"""Callers whose number begins with it have a name that DIDWW looks up: those of the United States."""
Transport: TypeAlias = Literal["udp", "tcp", "tls"]


class Target(NamedTuple):
    """An address that messages are sent to or come from.

    Attributes:
        transport: Transport protocol.
        host: IP address, without brackets.
        port: Port.
        name: Host name to expect in a TLS certificate; empty if the trunk has an IP address.
    """

    transport: Transport
    host: str
    port: int
    name: str = ""


class Destination(NamedTuple):
    """Where a trunk's calls go, before its host is looked up.

    Attributes:
        host: Host name or IP address.
        port: Port, or None for the ports of SRV records, then 5060 (5061 with TLS).
        transport: Transport protocol.
        prefer: Which IP version to use.
    """

    host: str
    port: int | None
    transport: Transport
    prefer: NetworkProtocolPriority = NetworkProtocolPriority.ANY


def default_port(transport: Transport) -> int:
    """Return the port of a transport, if no other one is given."""
    return 5061 if transport == "tls" else 5060


class Credentials(msgspec.Struct, frozen=True):
    """A user name and password for digest authentication."""

    username: str
    password: str

    def __repr__(self) -> str:
        return "Credentials(...)"


class SessionTimer(NamedTuple):
    """Session timers (RFC 4028), in seconds.

    Attributes:
        expires: Interval to request.
        minimum: Shortest interval accepted.
        refresh: Method of refreshes: 1 INVITE, 2 UPDATE, 3 UPDATE if the far end allows it, else INVITE.
        accept_501: Whether the response 501 to a refresh counts as success.
    """

    expires: int
    minimum: int
    refresh: int = 1
    accept_501: bool = False


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """The INVITE that a trunk's configuration makes of a call, without what belongs to a transaction or dialog.

    Attributes:
        uri: Request URI.
        caller: From header without tag, e.g. `"Alex" <sip:12025550123@192.0.2.1>`.
        callee: To header.
        headers: Further headers in order, such as Diversion and P-Asserted-Identity.
        offer: SDP; `{address}` and `{port}` stand for those of the media socket.
        credentials: For answers to 401 and 407, if the trunk has them.
        timer_b: Seconds until an INVITE without any response fails.
        max_redirects: How many 3xx responses are followed.
        session_timer: Session timers, if enabled.
    """

    uri: str
    caller: str
    callee: str
    headers: tuple[tuple[str, str], ...] = ()
    offer: str = ""
    credentials: Credentials | None = None
    timer_b: float = 32.0
    max_redirects: int = 0
    session_timer: SessionTimer | None = None


class Limit(NamedTuple):
    """A limit of calls at once.

    Attributes:
        key: What it limits: `("trunk", id)`, `("group", id)`, `("did", id)`, `("channels", id)`.
        most: Calls at once.
        name: What to call it in a report, e.g. `trunk Main`.
        overflow: Where calls beyond it count, such as a capacity group's channels; None if there may be none.
    """

    key: tuple[str, str]
    most: int
    name: str
    overflow: Limit | None = None


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A trunk that a call may be sent to.

    Attributes:
        trunk_id: Id of the trunk.
        trunk: Its name.
        kind: `sip` to a host, `registration` to registered contacts, `pstn` to a phone number.
        destination: Where to send; None unless `kind` is `sip`.
        shown: Destination as in call records, e.g. `sip:442079460001@192.0.2.1:5060`, or the number.
        invite: What to send; for registrations, the URI is replaced by the contact's. None for `pstn`.
        did_as_user: For registrations: whether the called number replaces the user of the contact's URI.
        ringing_timeout: Seconds until a call that is not answered is canceled.
        failover: Seconds until the next SRV target is tried, if less than timer B.
        resolve_uri: Whether the host of the request URI becomes the IP address.
        rerouting: Ids of the disconnect codes after which the next trunk is tried (`ReroutingDisconnectCode`).
        limits: Limits of the trunk itself.
    """

    trunk_id: str
    trunk: str
    kind: Literal["sip", "registration", "pstn"]
    shown: str
    destination: Destination | None = None
    invite: Invite | None = None
    did_as_user: bool = False
    ringing_timeout: float = 32.0
    failover: float | None = None
    resolve_uri: bool = False
    rerouting: frozenset[int] = frozenset()
    limits: tuple[Limit, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """How a call to a number is routed.

    Attributes:
        number: The called number.
        caller: The caller's number.
        caller_name: The caller's name.
        group: Name of the trunk group; empty if the number is routed to a single trunk or nowhere.
        candidates: Trunks in the order in which they are tried.
        limits: Limits of the number, its channels and the group.
        refused: Code and reason if the call is refused before any attempt, such as `(404, "Not Found")`.
        notes: How the order came about, in sentences.
    """

    number: str
    caller: str
    caller_name: str = ""
    group: str = ""
    candidates: tuple[Candidate, ...] = ()
    limits: tuple[Limit, ...] = ()
    refused: tuple[int, str] | None = None
    notes: tuple[str, ...] = ()


class Outgoing(NamedTuple):
    """A message to send."""

    data: bytes
    target: Target


class Step(msgspec.Struct, frozen=True):
    """A message of a call: a step of its ladder.

    Attributes:
        at: Seconds since the start of the call.
        sent: True if the emulator sent it, False if it received it.
        message: Method or status line, e.g. `INVITE`, `180 Ringing`.
        peer: The other side, e.g. `udp:192.0.2.1:5060`.
        note: What is special about it: `retransmission`, `ignored: ...`; else empty.
        cseq: CSeq method and number, e.g. `1 INVITE`.
    """

    at: float
    sent: bool
    message: str
    peer: str
    note: str = ""
    cseq: str = ""


class AttemptResult(msgspec.Struct, kw_only=True):
    """What came of an attempt to reach a trunk: one call record.

    Times are seconds since the start of the call.

    Attributes:
        number: Number of the attempt, from 1.
        trunk_id: Id of the trunk.
        trunk: Its name.
        group: Name of the trunk group, or empty.
        destination: Where the call was sent, as in call records.
        started: When it began.
        ringing: When the far end first rang (180 or 183), if it did.
        answered: When it was answered, if it was.
        ended: When it ended.
        code: SIP code at its end; 200 after a BYE.
        reason: Its text, such as `Bye`, `Busy Here`, `Ringing timeout`.
        initiator: Who ended it.
        disconnect_code_id: Id among `ReroutingDisconnectCode` that decides about rerouting, if there is one.
        why: Why the call went on, or ended, after it, as a sentence.
        steps: Its messages.
        target: Where messages went, e.g. `udp:192.0.2.1:5060`.
        sip_call_id: Call-ID toward the trunk.
        user_agent: User-Agent or Server of the far end.
        early_media: Whether there was early media (183 with SDP).
        redirected: Whether a 3xx response was followed.
        forwarded: Whether it went to a phone number.
    """

    number: int
    trunk_id: str
    trunk: str
    group: str = ""
    destination: str = ""
    started: float = 0.0
    ringing: float | None = None
    answered: float | None = None
    ended: float = 0.0
    code: int = 0
    reason: str = ""
    initiator: DisconnectInitiator = DisconnectInitiator.SYSTEM
    disconnect_code_id: int | None = None
    why: str = ""
    steps: list[Step] = []
    target: str = ""
    sip_call_id: str = ""
    user_agent: str = ""
    early_media: bool = False
    redirected: bool = False
    forwarded: bool = False

    @property
    def duration(self) -> float:
        """Connected time in seconds; 0 if not answered."""
        return 0.0 if self.answered is None else self.ended - self.answered

    @property
    def whole_seconds(self) -> int:
        """Connected time as in call records: milliseconds rounded half up, at least 1 if it is not 0."""
        shown = round(self.duration, 3)
        return max(int(shown + 0.5), 1) if shown > 0 else 0
