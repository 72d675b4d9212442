"""The registrar: phones and PBXs register on trunks with registration. No I/O and no clock.

Times are seconds of a clock that only moves on. Calls go back to where a registration came from, whatever its contact
says: that works behind NAT, and nobody can direct calls at a third party. Responses go there, too, also without rport.
One thread calls `receive`; the other methods may be called in any thread, and wait for nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from didww.emulator.sip.bindings import SHORTEST_EXPIRY, Binding, Bindings, Refusal, read_contacts
from didww.emulator.sip.effects import Contact
from didww.emulator.sip.guesses import Guesses
from didww.emulator.sip.messages import SipRequest, branch_of, cseq_of, new_response, printable, tag_of, uri_in
from didww.emulator.sip.model import Outgoing, Target
from didww.emulator.sip.nonces import Nonces, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.messages import SipMessage

__all__ = ["REALM", "Registered", "Registrar", "refuse_busy"]

REALM: Final = "sip.didww.com"
ALLOWED: Final = "REGISTER, OPTIONS"
MAX_ANSWERS: Final = 1_000
_REPEATED_FOR: Final = 32.0  # timer J: how long a request may come again over UDP
_USER: Final = re.compile(r"sips?:([^@<>\s\";]{1,200})@", re.ASCII | re.IGNORECASE)


class Registered(NamedTuple):
    """A registered contact of a trunk."""

    trunk_id: str
    binding: Binding


class _Reply(NamedTuple):
    code: int
    headers: tuple[tuple[str, str], ...] = ()


def refuse_busy(message: SipMessage, source: Target) -> list[Outgoing]:
    """Return the refusal of a request for which there is no room."""
    if not isinstance(message, SipRequest) or message.method == "ACK":
        return []
    return [Outgoing(_response(message, _Reply(503, (("Retry-After", "5"),)), source, "busy"), source)]


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
        key = (source, f"{branch_of(message)} {message.call_id} {message.get_header('CSeq')}")
        if source.transport == "udp":
            self._forget_answers(now)
            if key in self._answers:
                return self._answers[key][1]
        reply = self._answer(message, source, now)
        sent = [Outgoing(_response(message, reply, source, self._ids(8)), source)]
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

    def _answer(self, request: SipRequest, source: Target, now: float) -> _Reply:
        method = request.method
        if method == "REGISTER":
            return self._register(request, source, now)
        if method == "CANCEL" or tag_of(request.get_header("To")):
            return _Reply(481)
        if method == "OPTIONS":
            return _Reply(200, (("Allow", ALLOWED), ("Accept", "application/sdp")))
        if method == "INVITE":
            return _explained(Refusal(403, "The emulator takes no calls"))
        return _Reply(405, (("Allow", ALLOWED),))

    def _register(self, request: SipRequest, source: Target, now: float) -> _Reply:
        """Check who it is, then change the contacts."""
        required = ", ".join(request.get_header_values("Require"))
        if required.replace(",", "").strip():
            return _Reply(420, (("Unsupported", printable(required)),))
        user = _USER.match(uri_in(request.get_header("To") or ""))
        if user is None:
            return _explained(Refusal(400, "The To header has no user"))
        proven = self._prove(request, user[1], source, now)
        if isinstance(proven, _Reply):
            return proven
        contacts = request.get_header_values("Contact")
        changes = read_contacts(contacts, request.get_header("Expires"))
        if isinstance(changes, Refusal):
            return _explained(changes)
        username, bindings = self._bindings.get(proven, ("", Bindings()))
        if username != user[1]:  # the trunk has new credentials
            bindings = Bindings()
        if contacts:
            refusal = bindings.change(
                changes,
                call_id=request.call_id or "",
                cseq=cseq_of(request)[0],
                target=source,
                user_agent=printable(request.get_header("User-Agent") or ""),
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

    def _prove(self, request: SipRequest, user: str, source: Target, now: float) -> str | _Reply:
        """Return the id of the trunk whose password the request proves to know, or what to reply."""
        who = (source.host, user)
        if wait := self._guesses.blocked(who, now):
            reply = _explained(Refusal(403, "Too many wrong passwords"))
            return reply._replace(headers=(*reply.headers, ("Retry-After", str(wait))))
        answers = [read_answer(value) for value in request.get_header_values("Authorization")]
        answer = next((one for one in answers if one is not None and one["realm"] == REALM), None)
        if answer is None:
            return self._challenge(now)
        known = self._credentials(user)
        if known is None or answer["username"] != user:
            self._guesses.wrong(who, request.call_id or "", now)
            return _explained(Refusal(403, "No trunk with registration has this user name"))
        verdict = self._nonces.check(answer, "REGISTER", REALM, known[1], now)
        if verdict == "wrong":
            again = self._guesses.wrong(who, request.call_id or "", now)
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


def _explained(refusal: Refusal) -> _Reply:
    more = (("Min-Expires", str(SHORTEST_EXPIRY)),) if refusal.code == 423 else ()
    return _Reply(refusal.code, (*more, ("Warning", f'399 emulator "{refusal.why}"')))


def _response(request: SipRequest, reply: _Reply, source: Target, tag: str) -> bytes:
    headers = (*reply.headers, ("Server", "didww emulator"))
    return bytes(new_response(request, reply.code, tag=tag, headers=headers, source=source))


def _shown(binding: Binding, now: float) -> str:
    q = "" if binding.q == 1.0 else f";q={binding.q:g}"
    return f"<{binding.uri}>;expires={max(int(binding.expires_at - now + 0.5), 1)}{q}"
