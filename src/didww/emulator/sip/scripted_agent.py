"""The user agent behind a scripted far end: it receives and sends real SIP messages, without I/O and clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from didww.emulator.sip.addresses import bracketed
from didww.emulator.sip.messages import SipRequest, SipResponse, parse, uri_in
from didww.emulator.sip.reasons import reason_of
from didww.emulator.sip.timers import T1, T2

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.far_end import FarEnd
    from didww.emulator.sip.model import Target

__all__ = ["ScriptedAgent"]

_RETRY_UNTIL = 64 * T1
_ENDLESS_EVERY = 0.2
_LATE = 2.0
_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


class _Task(NamedTuple):
    at: float
    what: Callable[[float], None]


class _Dialog:
    """A call as the far end sees it."""

    def __init__(self, invite: SipRequest, source: Target, tag: str) -> None:
        self.invite = invite
        self.source = source
        self.tag = tag
        self.is_final = False
        self.is_answered = False
        self.is_acknowledged = False
        self.is_over = False
        self.cseq = 0
        self.last = b""  # the last response to the INVITE


class ScriptedAgent:
    """A far end that does what its script says.

    Args:
        script: The script.
        address: Its own address.
        name: Name for tags, unique among the far ends of a call.
    """

    def __init__(self, script: FarEnd, address: Target, name: str) -> None:
        self.script = script
        self.address = address
        self._name = name
        self._dialogs: dict[str, _Dialog] = {}
        self._tasks: list[_Task] = []
        self._outbox: list[tuple[bytes, Target]] = []
        self._tags = 0

    @property
    def in_call(self) -> bool:
        """Whether a call that it has answered has not ended."""
        return any(dialog.is_answered and not dialog.is_over for dialog in self._dialogs.values())

    def take(self) -> list[tuple[bytes, Target]]:
        """Return the messages to send, and where."""
        messages, self._outbox = self._outbox, []
        return messages

    def next_due(self) -> float | None:
        """Return when the next step is due."""
        return min((task.at for task in self._tasks), default=None)

    def due(self, now: float) -> None:
        """Take the steps that are due."""
        while (at := self.next_due()) is not None and at <= now:
            task = next(task for task in self._tasks if task.at == at)
            self._tasks.remove(task)
            task.what(at)

    def receive(self, data: bytes, source: Target, now: float) -> None:
        """Take a message."""
        message = parse(data)
        if isinstance(message, SipResponse) or self.script.silent:
            return
        dialog = self._dialogs.get(message.call_id or "")
        match message.method:
            case "INVITE" if dialog is not None and ";tag=" in (message.get_header("To") or ""):
                response = self._response(message, 200, dialog.tag)
                response.add_header("Contact", f"<{self._contact}>")
                self._add_media(response)
                self._send(response, source)
            case "INVITE" if dialog is None or dialog.is_over or (dialog.is_final and _is_new(message, dialog)):
                self._invited(message, source, now)
            case "ACK":
                if dialog is not None:
                    dialog.is_acknowledged = True
            case "CANCEL" if dialog is not None:
                self._send(self._response(message, 200, dialog.tag), source)
                if not dialog.is_final and self.script.misbehavior != "late answer":
                    self._final(dialog, 487, now)
                elif not dialog.is_final:
                    self._at(now + _LATE, lambda at: self._final(dialog, 200, at))
            case "BYE" if dialog is not None:
                if self.script.misbehavior != "no response to BYE":
                    self._send(self._response(message, 200, dialog.tag), source)
                dialog.is_over = dialog.is_acknowledged = True
            case "CANCEL" | "BYE":
                self._send(self._response(message, 481, self._new_tag()), source)
            case "INVITE" if dialog is not None and dialog.last and not dialog.is_final:
                self._send(dialog.last, source)  # a retransmission
            case "INVITE":
                pass  # the final response is repeated anyway
            case _:
                self._send(self._response(message, 200, dialog.tag if dialog else self._new_tag()), source)

    def _invited(self, invite: SipRequest, source: Target, now: float) -> None:
        dialog = _Dialog(invite, source, self._new_tag())
        self._dialogs[invite.call_id or ""] = dialog
        script = self.script
        if script.challenge and not invite.get_header("Authorization"):
            self._final(dialog, 401, now)
            return
        if script.misbehavior in ("garbage", "giant"):
            self._send(_nonsense(script.misbehavior), source)
            return
        self._provisional(dialog, self._response(invite, 100, ""))
        if script.misbehavior == "provisionals":
            self._ring_forever(dialog, now)
            return
        if script.redirects:
            self._final(dialog, 302, now)
            return
        if script.ringing or script.only_rings:
            self._ring(dialog)
        if not script.only_rings:
            self._at(now + script.ringing, lambda at: self._final(dialog, script.code, at))

    def _ring(self, dialog: _Dialog) -> None:
        code = 183 if self.script.early_media else 180
        response = self._response(dialog.invite, code, dialog.tag)
        response.add_header("Contact", f"<{self._contact}>")
        if code == 183:
            self._add_media(response)
        self._provisional(dialog, response)

    def _provisional(self, dialog: _Dialog, response: SipResponse) -> None:
        dialog.last = bytes(response)
        self._send(dialog.last, dialog.source)

    def _ring_forever(self, dialog: _Dialog, now: float) -> None:
        if not dialog.is_final:
            self._ring(dialog)
            self._at(now + _ENDLESS_EVERY, lambda at: self._ring_forever(dialog, at))

    def _final(self, dialog: _Dialog, code: int, now: float) -> None:
        """Send a final response, again and again until it is acknowledged."""
        if dialog.is_final or dialog.is_over:
            return
        dialog.is_final = True
        dialog.is_answered = code == 200
        tags = [dialog.tag]
        if code == 200 and self.script.misbehavior == "forks":
            tags += [self._new_tag(), self._new_tag()]
        for tag in tags:
            response = self._response(dialog.invite, code, tag)
            if code == 200:
                response.add_header("Contact", f"<{self._contact}>")
                self._add_media(response)
            elif code == 302:
                for uri in self.script.redirects:
                    response.add_header("Contact", f"<{uri}>")
            elif code == 401:
                nonce = f"nonce-{self._name}"
                response.add_header("WWW-Authenticate", f'Digest realm="example.com", nonce="{nonce}", qop="auth"')
            self._repeat(bytes(response), dialog, now, T1, now + _RETRY_UNTIL)
        if code == 200 and self.script.talks is not None:
            self._at(now + self.script.talks, lambda _: self._hang_up(dialog))

    def _repeat(self, data: bytes, dialog: _Dialog, now: float, interval: float, until: float) -> None:
        if dialog.is_acknowledged or dialog.is_over or now >= until:
            return
        self._outbox.append((data, dialog.source))
        if self.address.transport == "udp" or data.startswith(b"SIP/2.0 200"):
            again = min(2 * interval, T2)
            self._at(now + interval, lambda at: self._repeat(data, dialog, at, again, until))

    def _hang_up(self, dialog: _Dialog) -> None:
        if dialog.is_over:
            return
        dialog.is_over = True
        dialog.cseq += 1
        invite = dialog.invite
        contact = invite.contact
        uri = uri_in(invite.get_header("Contact") or "") if contact else invite.uri
        host = bracketed(self.address.host)
        bye = SipRequest(method="BYE", uri=uri)
        branch = f"z9hG4bK-{self._name}-{self._new_tag()}"
        bye.add_header("Via", f"SIP/2.0/{self.address.transport.upper()} {host}:{self.address.port};branch={branch}")
        bye.add_header("Max-Forwards", "70")
        bye.add_header("From", f"{invite.get_header('To')};tag={dialog.tag}")
        bye.add_header("To", invite.get_header("From") or "")
        bye.add_header("Call-ID", invite.call_id or "")
        bye.add_header("CSeq", f"{dialog.cseq} BYE")
        self._send(bye, dialog.source)

    def _response(self, request: SipRequest, code: int, tag: str) -> SipResponse:
        reason = self.script.shown_reason if code == self.script.code else reason_of(code)
        response = SipResponse(status_code=code, reason_phrase=reason)
        for name in _COPIED:
            for value in request.get_header_values(name):
                has_tag = name != "To" or ";tag=" in value or not tag
                response.add_header(name, value if has_tag else f"{value};tag={tag}")
        response.add_header("Server", self.script.user_agent)
        return response

    def _add_media(self, response: SipResponse) -> None:
        family = "IP6" if ":" in self.address.host else "IP4"
        response.add_header("Content-Type", "application/sdp")
        response.body = (
            f"v=0\r\no=- 1 1 IN {family} {self.address.host}\r\ns=-\r\nc=IN {family} {self.address.host}\r\nt=0 0\r\n"
            "m=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        ).encode("ascii")

    @property
    def _contact(self) -> str:
        host = bracketed(self.address.host)
        return f"sip:{host}:{self.address.port};transport={self.address.transport}"

    def _send(self, message: SipRequest | SipResponse | bytes, to: Target) -> None:
        self._outbox.append((bytes(message), to))

    def _at(self, at: float, what: Callable[[float], None]) -> None:
        self._tasks.append(_Task(at, what))

    def _new_tag(self) -> str:
        self._tags += 1
        return f"{self._name}-{self._tags}"


def _is_new(invite: SipRequest, dialog: _Dialog) -> bool:
    """Return whether an INVITE begins a new transaction, as after a challenge."""
    return invite.get_header("CSeq") != dialog.invite.get_header("CSeq")


def _nonsense(kind: str) -> bytes:
    if kind == "garbage":
        return b"\x00\xffHTTP/9.9 not SIP at all\r\n\r\n"
    return b"SIP/2.0 200 " + b"A" * 100_000 + b"\r\nX: " + b"B" * 900_000 + b"\r\n\r\n"
