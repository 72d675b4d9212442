"""The registrar: phones and PBXs register on trunks with registration. No I/O and no clock.

Times are seconds of a clock that only moves on. Calls go back to where a registration came from, whatever its contact
says: that works behind NAT, and nobody can direct calls at a third party. Responses go there, too, also without rport.
One thread calls `receive`; the other methods may be called in any thread, and wait for nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from didww.emulator.sip.addresses import bracketed
from didww.emulator.sip.bindings import SHORTEST_EXPIRY, Binding, Bindings, Refusal, read_contacts
from didww.emulator.sip.effects import Contact
from didww.emulator.sip.guesses import Guesses
from didww.emulator.sip.messages import SipRequest
from didww.emulator.sip.model import Outgoing, Target
from didww.emulator.sip.nonces import Nonces, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.messages import SipMessage

__all__ = ["REALM", "Registered", "Registrar"]

REALM: Final = "sip.didww.com"
ALLOWED: Final = "REGISTER, OPTIONS"
MAX_ANSWERS: Final = 1_000
_REPEATED_FOR: Final = 32.0  # timer J: how long a request may come again over UDP
_REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    405: "Method Not Allowed",
    423: "Interval Too Brief",
    481: "Call/Transaction Does Not Exist",
    500: "Server Internal Error",
}
_CSEQ: Final = re.compile(r"(\d{1,10})\s+(\S{1,32})", re.ASCII)
_USER: Final = re.compile(r"sips?:([^@<>\s\";]{1,200})@", re.ASCII | re.IGNORECASE)
_TAG: Final = re.compile(r";\s*tag\s*=", re.IGNORECASE)
_VIA_HOST: Final = re.compile(r"\[[^\]\s]*\]|[^\s:;]+", re.ASCII)
_RPORT: Final = re.compile(r";\s*rport\s*(?:=\s*\d*)?(?=;|\s|$)", re.IGNORECASE | re.ASCII)
_RECEIVED: Final = re.compile(r";\s*received\s*=[^;]*", re.IGNORECASE)
_BRANCH: Final = re.compile(r";\s*branch\s*=\s*([^\s;,]{1,200})", re.IGNORECASE)


class Registered(NamedTuple):
    """A registered contact of a trunk."""

    trunk_id: str
    binding: Binding


class _Reply(NamedTuple):
    code: int
    headers: tuple[tuple[str, str], ...] = ()


class _Request(NamedTuple):
    message: SipRequest
    call_id: str
    cseq: int
    to: str
    via: str


class Registrar:
    """Takes registrations, and says who is registered.

    Args:
        credentials: Returns id and password of the trunk with a user name; None if there is none, or its registration
            is off. `purge` removes the registrations of trunks that it does not return any more.
        ids: Returns a random token of so many characters.
    """

    def __init__(self, credentials: Callable[[str], tuple[str, str] | None], ids: Callable[[int], str]) -> None:
        self._credentials = credentials
        self._ids = ids
        self._nonces = Nonces(ids)
        self._guesses = Guesses()
        self._bindings: dict[str, tuple[str, Bindings]] = {}
        self._answers: dict[tuple[Target, str], tuple[float, list[Outgoing]]] = {}

    def receive(self, message: SipMessage, source: Target, now: float) -> list[Outgoing]:
        """Return what to send for a message that belongs to no call."""
        if not isinstance(message, SipRequest) or message.method == "ACK":
            return []
        request = _read(message)
        if request is None:
            return []
        key = (source, f"{_branch(request.via)} {request.call_id} {message.get_header('CSeq')}")
        if source.transport == "udp":
            self._forget_answers(now)
            if key in self._answers:
                return self._answers[key][1]
        reply = self._answer(request, source, now)
        sent = [Outgoing(_response(request, reply, source, self._ids(8)), source)]
        if source.transport == "udp":
            self._answers[key] = (now, sent)
        return sent

    def contacts(self, trunk_id: str, now: float) -> list[Contact]:
        """Return the contacts of a trunk, the preferred ones first."""
        _, bindings = self._bindings.get(trunk_id, ("", Bindings()))
        return [Contact(one.uri, one.target, one.expires_at - now) for one in bindings.live(now)]

    def registrations(self, now: float) -> list[Registered]:
        """Return all registered contacts, by trunk."""
        return [
            Registered(trunk_id, one)
            for trunk_id, (_, bindings) in list(self._bindings.items())
            for one in bindings.live(now)
        ]

    def challenge_with(self, *algorithms: str) -> None:
        """Set the algorithms of challenges, the preferred one first."""
        self._nonces.algorithms = algorithms

    def forget(self, trunk_id: str | None = None) -> None:
        """Remove the registrations of a trunk, or all."""
        if trunk_id is None:
            self._bindings.clear()
        else:
            self._bindings.pop(trunk_id, None)

    def purge(self) -> None:
        """Remove the registrations of trunks whose credentials are not valid any more."""
        for trunk_id, (username, _) in list(self._bindings.items()):
            known = self._credentials(username)
            if known is None or known[0] != trunk_id:
                self._bindings.pop(trunk_id, None)

    def _answer(self, request: _Request, source: Target, now: float) -> _Reply:
        method = request.message.method
        if method == "REGISTER":
            return self._register(request, source, now)
        if method == "CANCEL" or _TAG.search(request.to):
            return _Reply(481)
        if method == "OPTIONS":
            return _Reply(200, (("Allow", ALLOWED), ("Accept", "application/sdp")))
        if method == "INVITE":
            return _explained(Refusal(403, "The emulator takes no calls"))
        return _Reply(405, (("Allow", ALLOWED),))

    def _register(self, request: _Request, source: Target, now: float) -> _Reply:
        """Check who it is, then change the contacts."""
        user = _USER.search(request.to)
        if user is None:
            return _explained(Refusal(400, "The To header has no user"))
        proven = self._prove(request, user[1], source, now)
        if isinstance(proven, _Reply):
            return proven
        message = request.message
        contacts = message.get_header_values("Contact")
        wishes = read_contacts(contacts, message.get_header("Expires"))
        if isinstance(wishes, Refusal):
            return _explained(wishes)
        username, bindings = self._bindings.get(proven, ("", Bindings()))
        if username != user[1]:  # the trunk has new credentials
            bindings = Bindings()
        if contacts:
            refusal = bindings.change(
                wishes,
                call_id=request.call_id,
                cseq=request.cseq,
                target=source,
                user_agent=_printable(message.get_header("User-Agent") or ""),
                now=now,
            )
            if refusal:
                return _explained(refusal)
        live = bindings.live(now)
        if live:
            self._bindings[proven] = (user[1], bindings)
        else:
            self._bindings.pop(proven, None)
        return _Reply(200, tuple(("Contact", _shown(one, now)) for one in live))

    def _prove(self, request: _Request, user: str, source: Target, now: float) -> str | _Reply:
        """Return the id of the trunk whose password the request proves to know, or what to reply."""
        who = (source.host, user)
        if wait := self._guesses.blocked(who, now):
            reply = _explained(Refusal(403, "Too many wrong passwords"))
            return reply._replace(headers=(*reply.headers, ("Retry-After", str(wait))))
        answers = [read_answer(value) for value in request.message.get_header_values("Authorization")]
        answer = next((one for one in answers if one is not None and one["realm"] == REALM), None)
        if answer is None:
            return self._challenge(now)
        known = self._credentials(user)
        if known is None or answer["username"] != user:
            self._guesses.wrong(who, request.call_id, now)
            return _explained(Refusal(403, "No trunk with registration has this user name"))
        verdict = self._nonces.check(answer, "REGISTER", REALM, known[1], now)
        if verdict == "wrong":
            again = self._guesses.wrong(who, request.call_id, now)
            return _explained(Refusal(403, "Wrong password")) if again else self._challenge(now)
        if verdict == "stale":
            return self._challenge(now, stale=True)
        self._guesses.right(who)
        return known[0]

    def _challenge(self, now: float, *, stale: bool = False) -> _Reply:
        return _Reply(
            401, tuple(("WWW-Authenticate", value) for value in self._nonces.challenges(REALM, now, stale=stale))
        )

    def _forget_answers(self, now: float) -> None:
        """Forget the answers to requests that do not come again; with too many, the oldest half."""
        answers = [item for item in self._answers.items() if now - item[1][0] < _REPEATED_FOR]
        self._answers = dict(answers[-MAX_ANSWERS // 2 :] if len(answers) >= MAX_ANSWERS else answers)


def _read(message: SipRequest) -> _Request | None:
    """Return the parts of a request; None if it cannot even be answered."""
    via, call_id = message.get_header("Via"), message.get_header("Call-ID")
    cseq = _CSEQ.fullmatch(message.get_header("CSeq") or "")
    to = message.get_header("To")
    if not via or not call_id or not to or not message.get_header("From") or cseq is None or cseq[2] != message.method:
        return None
    return _Request(message, call_id, int(cseq[1]), to, via)


def _explained(refusal: Refusal) -> _Reply:
    more = (("Min-Expires", str(SHORTEST_EXPIRY)),) if refusal.code == 423 else ()
    return _Reply(refusal.code, (*more, ("Warning", f'399 emulator "{refusal.why}"')))


def _response(request: _Request, reply: _Reply, source: Target, tag: str) -> bytes:
    """Make a response; the topmost Via header says where the request came from (RFC 3581)."""
    message = request.message
    host = bracketed(source.host)
    via = _RECEIVED.sub("", request.via)
    named = _VIA_HOST.match(via.partition(" ")[2].strip())
    if _RPORT.search(via):
        via = f"{_RPORT.sub(f';rport={source.port}', via, count=1)};received={source.host}"
    elif named is None or named[0] != host:
        via = f"{via};received={source.host}"
    lines = [
        f"SIP/2.0 {reply.code} {_REASONS[reply.code]}",
        *(f"Via: {value}" for value in (via, *message.get_header_values("Via")[1:])),
        f"From: {message.get_header('From')}",
        f"To: {request.to}{'' if _TAG.search(request.to) else f';tag={tag}'}",
        f"Call-ID: {request.call_id}",
        f"CSeq: {message.get_header('CSeq')}",
        *(f"{name}: {value}" for name, value in reply.headers),
        "Server: didww emulator",
        "Content-Length: 0",
    ]
    return "\r\n".join((*lines, "", "")).encode("utf-8", "replace")


def _branch(via: str) -> str:
    found = _BRANCH.search(via)
    return found[1] if found else ""


def _shown(binding: Binding, now: float) -> str:
    q = "" if binding.q == 1.0 else f";q={binding.q:g}"
    return f"<{binding.uri}>;expires={max(int(binding.expires_at - now + 0.5), 1)}{q}"


def _printable(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:100]
