"""A far end for legs, and a network that loses, doubles and reorders messages; both in virtual time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from didww.emulator.sip.effects import Local
from didww.emulator.sip.leg import Leg
from didww.emulator.sip.messages import (
    SipRequest,
    SipResponse,
    branch_of,
    cseq_of,
    new_request,
    new_response,
    parse,
    tag_of,
)
from didww.emulator.sip.model import Credentials, Invite, SessionTimer, Target, Transport

SDP = (
    "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)
ANSWER = SDP.replace("{address}", "192.0.2.1").replace("{port}", "40000")
LOCAL = Local("192.0.2.9", 5060, "192.0.2.9", 30000)


def make_leg(
    *,
    transport: Transport = "udp",
    credentials: Credentials | None = None,
    timer: SessionTimer | None = None,
    timer_b: float = 32.0,
) -> Leg:
    """Return a leg to 192.0.2.1:5060."""
    counter = itertools.count()
    invite = Invite(
        uri="sip:442079460001@example.com",
        caller="<sip:12025550123@192.0.2.9>",
        callee="<sip:442079460001@example.com>",
        offer=SDP,
        credentials=credentials,
        session_timer=timer,
        timer_b=timer_b,
    )
    target = Target(transport, "192.0.2.1", 5060)
    return Leg(invite, target, LOCAL, ids=lambda n: f"{next(counter):0{n}d}", started=0.0)


def sent_by(leg: Leg) -> list[SipRequest | SipResponse]:
    """Return what a leg sends now."""
    return [parse(outgoing.data) for outgoing in leg.take()]


@dataclass
class Script:
    """What a far end does.

    Attributes:
        code: Its final response.
        after: Seconds until the final response.
        rings: Provisional responses, by seconds.
        forks: Further far ends that answer.
        hangs_up: Seconds of talk until it hangs up.
        challenge: Whether it asks for digest.
        ignores_cancel: Whether it answers nevertheless.
        endless: Whether it goes on to ring, each second, for 100 seconds.
    """

    code: int | None = 200
    after: float = 2.0
    rings: tuple[float, ...] = (0.1,)
    forks: int = 0
    hangs_up: float | None = None
    challenge: bool = False
    ignores_cancel: bool = False
    endless: bool = False


@dataclass
class Peer:
    """The far end: a user agent server with timers of its own."""

    script: Script
    later: Callable[[float, Callable[[float], None]], None]
    send: Callable[[bytes, float], None]
    acked: set[str] = field(default_factory=set)
    finals: set[str] = field(default_factory=set)
    established: set[str] = field(default_factory=set)
    ended: dict[str, set[str]] = field(default_factory=dict)
    acks: dict[str, int] = field(default_factory=dict)
    invites: dict[str, SipRequest] = field(default_factory=dict)
    final: dict[str, bool] = field(default_factory=dict)
    gave_up: set[str] = field(default_factory=set)

    def receive(self, data: bytes, now: float) -> None:
        message = parse(data)
        if isinstance(message, SipResponse):
            return
        if message.method == "INVITE":
            self._invite(message, now)
        elif message.method == "ACK":
            tag = tag_of(message.get_header("To"))
            key = f"{tag} {cseq_of(message)[0]}"
            self.acked.add(key)
            self.acks[key] = self.acks.get(key, 0) + 1
        elif message.method == "CANCEL":
            self._respond(message, 200 if branch_of(message) in self.invites else 481, now, tag="cancel")
            invite = self.invites.get(branch_of(message))
            if invite is not None and not self.script.ignores_cancel:
                self._final(invite, 487, now, "main")
        elif message.method == "BYE":
            tag = tag_of(message.get_header("To"))
            self.ended.setdefault(tag, set()).add(branch_of(message))
            self._respond(message, 200, now)

    def _invite(self, invite: SipRequest, now: float) -> None:
        branch = branch_of(invite)
        if branch in self.invites:
            return
        self.invites[branch] = invite
        self._respond(invite, 100, now)
        if self.script.challenge and not invite.get_header("Authorization"):
            self._final(invite, 401, now, "main")
            return
        times = range(1, 100) if self.script.endless else self.script.rings
        for at in times:
            self.later(now + at, lambda at: self._ring(invite, at))
        if self.script.code is not None:
            code = self.script.code
            self.later(now + self.script.after, lambda at: self._final(invite, code, at, "main"))
            for fork in range(self.script.forks if code == 200 else 0):
                self.later(
                    now + self.script.after + 0.01, lambda at, fork=fork: self._success(invite, at, f"fork{fork}")
                )

    def _ring(self, invite: SipRequest, now: float) -> None:
        if not self.final.get(branch_of(invite)):
            self._respond(invite, 180, now, tag="main")

    def _final(self, invite: SipRequest, code: int, now: float, tag: str) -> None:
        if self.final.get(branch_of(invite)):
            return
        self.final[branch_of(invite)] = True
        if code == 200:
            self._success(invite, now, tag)
        else:
            headers = [("WWW-Authenticate", 'Digest realm="x", nonce="n", qop="auth"')] if code == 401 else []
            tag = f"{tag}{code}"
            self._repeat(new_response(invite, code, tag=tag, headers=headers), tag, now)

    def _success(self, invite: SipRequest, now: float, tag: str) -> None:
        headers = [("Contact", f"<sip:{tag}@192.0.2.1:5060>"), ("Content-Type", "application/sdp")]
        self.established.add(tag)
        self._repeat(new_response(invite, 200, tag=tag, headers=headers, body=ANSWER.encode()), tag, now)
        if self.script.hangs_up is not None and tag == "main":
            self.later(now + self.script.hangs_up, lambda at: self._bye(invite, at))

    def _repeat(self, response: SipResponse, tag: str, now: float) -> None:
        """Send a final response until it is acknowledged, for at most 32 seconds."""
        key = f"{tag} {cseq_of(response)[0]}"
        self.finals.add(key)
        until = now + 32

        def again(at: float, wait: float) -> None:
            if key in self.acked:
                return
            if at > until:
                self.gave_up.add(key)
                return
            self.send(bytes(response), at)
            self.later(at + wait, lambda at: again(at, min(wait * 2, 4)))

        again(now, 0.5)

    def _bye(self, invite: SipRequest, now: float) -> None:
        if "main" in self.ended:
            return
        headers = [
            ("Via", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKpeerbye"),
            ("From", f"{invite.get_header('To')};tag=main"),
            ("To", invite.get_header("From") or ""),
            ("Call-ID", invite.call_id or ""),
            ("CSeq", "1 BYE"),
        ]
        bye = new_request("BYE", "sip:didww@192.0.2.9:5060", headers)
        self.ended.setdefault("main", set()).add("theirs")
        for delay in (0.0, 0.5, 1.5, 3.5, 7.5):
            self.later(now + delay, lambda at: self.send(bytes(bye), at))

    def _respond(self, request: SipRequest, code: int, now: float, *, tag: str = "") -> None:
        self.send(bytes(new_response(request, code, tag=tag)), now)


@dataclass
class Run:
    """A leg against a far end over a network; `fates` are delays of the copies of each message, by turn."""

    leg: Leg
    script: Script
    fates: Iterator[tuple[float, ...]]
    cancel_at: float | None = None
    hang_up_at: float | None = None
    sent: list[bytes] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        self._events: list[tuple[float, int, Callable[[float], None]]] = []
        self._counter = itertools.count()
        self.peer = Peer(self.script, self._later, self._to_leg)

    def _later(self, at: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._events, (at, next(self._counter), action))

    def _to_leg(self, data: bytes, now: float) -> None:
        source = Target(self.leg._target.transport, "192.0.2.1", 5060)
        for delay in next(self.fates):
            self._later(now + delay, lambda at: self.leg.receive(parse(data), source, at))

    def _flush(self) -> None:
        for outgoing in self.leg.take():
            self.sent.append(outgoing.data)
            for delay in next(self.fates):
                self._later(self.now + delay, lambda at, data=outgoing.data: self.peer.receive(data, at))

    def run(self, longest: float = 600.0) -> None:
        """Run until the leg is finished."""
        self._later(0.0, self.leg.start)
        if self.cancel_at is not None:
            self._later(self.cancel_at, self.leg.cancel)
        if self.hang_up_at is not None:
            self._later(self.hang_up_at, self.leg.hang_up)
        while not self.leg.finished and self.now < longest:
            times = [at for at in (self.leg.next_due(), self._events[0][0] if self._events else None) if at is not None]
            if not times:
                return
            self.now = max(self.now, min(times))
            while self._events and self._events[0][0] <= self.now:
                heapq.heappop(self._events)[2](self.now)
            self.leg.due(self.now)
            self._flush()


def perfect() -> Iterator[tuple[float, ...]]:
    """Return the fates of a network that loses nothing."""
    return itertools.repeat((0.01,))
