"""A SIP leg: a call to one far end, from INVITE to BYE. Pure: no I/O, and the time is an argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.sip.acks import Acks
from didww.emulator.sip.addresses import bracketed
from didww.emulator.sip.challenge import DigestAnswers
from didww.emulator.sip.dialog import Dialog
from didww.emulator.sip.in_dialog import ALLOWED, InDialog
from didww.emulator.sip.leg_result import EndedBy, LegResult, LegState
from didww.emulator.sip.messages import (
    SipRequest,
    cseq_of,
    media_of,
    number_in,
    printable,
    tag_of,
)
from didww.emulator.sip.model import SessionTimer
from didww.emulator.sip.requests import (
    cancel_of,
    fill_offer,
    first_invite,
    sdp_headers,
)
from didww.emulator.sip.sent_requests import Outbox, SentRequests
from didww.emulator.sip.session_timers import SessionClock
from didww.emulator.sip.timers import T1

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.effects import Local
    from didww.emulator.sip.messages import Media, SipMessage, SipResponse
    from didww.emulator.sip.model import Invite, Outgoing, Step, Target
    from didww.emulator.sip.sent_requests import Sent

__all__ = ["EndedBy", "Leg", "LegResult", "LegState"]

_MAX_FORKS: Final = 10
_MAX_CONTACTS: Final = 10
_MAX_INTERVALS: Final = 3  # 422 responses that raise the session interval
_ANY_TIMER: Final = SessionTimer(expires=1800, minimum=90)
_AFTER_CANCEL: Final = 64 * T1  # RFC 3261, section 9.1


class Leg:
    """A call to one far end.

    Args:
        invite: What to send.
        target: Where to send it.
        local: The own addresses.
        ids: Returns a random token of the given number of characters.
        started: Time of the call at which the leg starts.
    """

    def __init__(
        self, invite: Invite, target: Target, local: Local, *, ids: Callable[[int], str], started: float
    ) -> None:
        self._invite = invite
        self._target = target
        self._ids = ids
        self._tag = ids(16)
        self._cseq = 0
        self._outbox = Outbox()
        self._sent = SentRequests(self._outbox)
        self._first: SipRequest | None = None  # the INVITE that counts: the last one
        self._answers = DigestAnswers(invite.credentials, ids)
        self._dialogs: dict[str, Dialog] = {}
        self._acks = Acks(self._outbox)
        self._dialog: Dialog | None = None
        self._in_dialog: InDialog | None = None
        self._cancel_wanted = False
        self._cancel_sent = False
        self._give_up_at: float | None = None
        self._least_expires = 0
        self._raised = 0
        self._session: SessionClock | None = None
        host = bracketed(local.host)
        self._sent_by = f"{host}:{local.port}"
        self._contact = f"<sip:didww@{self._sent_by};transport={target.transport}>"
        self._offer = fill_offer(invite.offer, local)
        self.sip_call_id = f"{ids(24)}@{host}"
        self.started = started
        self.state: LegState = "calling"
        self.result: LegResult | None = None
        self.ringing_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.early_media = False
        self.user_agent = ""
        self.remote_media: Media | None = None

    # What the call does

    def start(self, now: float) -> None:
        """Send the INVITE."""
        self._send_invite(now)

    def cancel(self, now: float) -> None:
        """Stop calling. An answer that comes nevertheless is ended at once."""
        if self.result is not None:
            return
        if self.answered_at is not None:
            self.hang_up(now)
            return
        self._end(now, LegResult(487, "Request Terminated", "caller"))
        self._cancel_wanted = True
        self._send_cancel(now)

    def hang_up(self, now: float) -> None:
        """End the call: BYE, or CANCEL if it was not answered."""
        if self.result is not None:
            return
        if self.answered_at is None:
            self.cancel(now)
            return
        self._send_in_dialog("BYE", self._dialog, now)
        self._end(now, LegResult(200, "Bye", "caller"))

    # What happens to it

    def receive(self, message: SipMessage, source: Target, now: float) -> None:
        """Take a message of its Call-ID."""
        if isinstance(message, SipRequest):
            self._receive_request(message, source, now)
        else:
            self._receive_response(message, source, now)

    def unreachable(self, now: float, reason: str) -> None:
        """Take a failure of the network: the target cannot be reached."""
        self._sent.terminate()
        if self._in_dialog is not None:
            self._in_dialog.terminate()
        if self.result is None:
            self._end(now, LegResult(503, reason, "network"))

    def due(self, now: float) -> None:
        """Run the timers that are due."""
        for sent in self._sent.due(now):
            self._on_timeout(sent, now)
        if self._in_dialog is not None:
            self._in_dialog.due(now)
            if self._in_dialog.lost_ack and self.result is None:
                self._send_in_dialog("BYE", self._dialog, now)
                self._end(now, LegResult(408, "No ACK to a re-INVITE", "timeout"))
        if self._give_up_at is not None and now >= self._give_up_at:
            self._give_up_at = None
            if not self._dialogs:
                self._sent.terminate("INVITE")
        self._run_session_timer(now)

    def next_due(self) -> float | None:
        """Return when the next timer is due; None if there is none."""
        times = [self._sent.next_due()]
        if self._in_dialog is not None:
            times.append(self._in_dialog.next_due())
        if self.result is None and self._session is not None:
            times.append(self._session.next_due)
        if self._sent.busy:
            times.append(self._give_up_at)
        return min((at for at in times if at is not None), default=None)

    def take(self) -> list[Outgoing]:
        """Return the messages to send, in order."""
        return self._outbox.take()

    @property
    def steps(self) -> list[Step]:
        """Its messages so far."""
        return self._outbox.steps.shown()

    @property
    def finished(self) -> bool:
        """Whether it has ended, and nothing is left to repeat or to absorb."""
        if self.result is None or self._outbox or self._sent.busy:
            return False
        return self._in_dialog is None or self._in_dialog.terminated

    # Requests of the emulator

    def _send_invite(self, now: float) -> None:
        self._cseq += 1
        self._first = first_invite(
            self._invite,
            via=self._via(),
            tag=self._tag,
            call_id=self.sip_call_id,
            cseq=self._cseq,
            contact=self._contact,
            offer=self._offer,
            min_se=self._least_expires,
            answers=self._answers.headers("INVITE", self._invite.uri),
        )
        self._sent.send(self._first, self._target, now, timeout=self._invite.timer_b)

    def _send_in_dialog(
        self, method: str, dialog: Dialog | None, now: float, answers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Send BYE, or a re-INVITE or UPDATE that refreshes the session."""
        if dialog is None:
            return
        headers = list(answers)
        body = ""
        if method != "BYE" and self._session is not None:
            headers += [("Supported", "timer"), ("Session-Expires", self._session.header), ("Allow", ALLOWED)]
            body = self._sdp if method == "INVITE" else ""
        request = dialog.request(method, self._via(), headers=[*headers, *sdp_headers(body)], body=body.encode())
        self._sent.send(request, dialog.target, now, in_dialog=True, authenticated=bool(answers))

    @property
    def _sdp(self) -> str:
        return self._offer if self._in_dialog is None else self._in_dialog.sdp

    def _send_cancel(self, now: float) -> None:
        """Send CANCEL once a provisional response was received (RFC 3261, section 9.1)."""
        if self._cancel_sent or self._first is None or not self._sent.is_proceeding(self._first):
            return
        self._cancel_sent = True
        self._give_up_at = now + _AFTER_CANCEL
        self._sent.send(cancel_of(self._first), self._target, now)

    def _via(self) -> str:
        return f"SIP/2.0/{self._target.transport.upper()} {self._sent_by};branch=z9hG4bK{self._ids(16)};rport"

    # Responses

    def _receive_response(self, response: SipResponse, source: Target, now: float) -> None:
        number, method = cseq_of(response)
        sent = self._sent.of_response(response)
        answers = method == "INVITE" and 200 <= response.status_code < 300
        if sent is None:
            self._outbox.steps.add(now, response, source, sent=False, note="ignored: it answers no request")
            if answers and number <= self._cseq and tag_of(response.get_header("From")) == self._tag:
                self._on_answer(response, now)
            return
        new = sent.transaction.receive(response.status_code, now)
        known = answers and self._acks.has(response)
        self._outbox.steps.add(now, response, source, sent=False, note="" if new and not known else "retransmission")
        self._sent.acknowledge_refusal(sent, response, now)
        if not new:
            return
        if sent.request is self._first:
            self._on_invite_response(response, now)
        elif answers and not sent.in_dialog:
            self._on_answer(response, now)
        elif answers and known:
            self._acks.repeat(response, now)
        elif sent.in_dialog and response.status_code >= 200:
            self._on_response_in_dialog(sent, response, now)

    def _on_response_in_dialog(self, sent: Sent, response: SipResponse, now: float) -> None:
        """Take the final response to a BYE, or to a re-INVITE or UPDATE."""
        method, code = sent.request.method, response.status_code
        dialog = next((one for one in self._dialogs.values() if one.owns_response(response)), self._dialog)
        if method == "INVITE" and code < 300 and dialog is not None:
            self._acks.send(dialog, sent.request, response, self._via(), now)
        if code in (401, 407) and not sent.authenticated:
            answers = self._answers.for_request(response, method, sent.request.uri)
            if answers and (method == "BYE" or self.result is None):
                self._send_in_dialog(method, dialog, now, tuple(answers))
                return
        if method != "BYE":
            self._on_refreshed(response, now)

    def _on_invite_response(self, response: SipResponse, now: float) -> None:
        code = response.status_code
        self.user_agent = self.user_agent or printable(
            response.get_header("Server") or response.get_header("User-Agent") or ""
        )
        if code < 200:
            self._on_provisional(response, now)
        elif code < 300:
            self._on_answer(response, now)
        elif self.result is None:
            self._on_refusal(response, now)

    def _on_provisional(self, response: SipResponse, now: float) -> None:
        if self._cancel_wanted:
            self._send_cancel(now)
            return
        if response.status_code in (180, 183) and self.ringing_at is None and self.result is None:
            self.ringing_at, self.state = now, "ringing"
        if response.body and media_of(response.body) is not None:
            self.early_media = True

    def _on_answer(self, response: SipResponse, now: float) -> None:
        """Take a 2xx: the first one answers the call; those of other forks, or after CANCEL, are ended."""
        tag = tag_of(response.get_header("To"))
        if tag in self._dialogs:
            self._acks.repeat(response, now)
            return
        if self._first is None or len(self._dialogs) >= _MAX_FORKS:
            return
        dialog = Dialog(self._first, response, self._target, self._contact)
        self._dialogs[tag] = dialog
        self._acks.send(dialog, self._first, response, self._via(), now)
        if self.result is not None or self._dialog is not None:
            self._send_in_dialog("BYE", dialog, now)
            return
        self._dialog = dialog
        timer = self._invite.session_timer
        least = 0 if timer is None else timer.minimum
        self._in_dialog = InDialog(dialog, self._offer, least, self._contact, self._outbox.transmit)
        self.answered_at, self.state = now, "talking"
        self.remote_media = media_of(response.body)
        if timer is not None:
            self._session = SessionClock.of(response, timer, now)

    def _on_refusal(self, response: SipResponse, now: float) -> None:
        code = response.status_code
        if code in (401, 407) and self._answers.add(response):
            self._send_invite(now)
            return
        if code == 422 and self._raise_session_timer(response, now):
            return
        contacts = tuple(response.get_header_values("Contact")[:_MAX_CONTACTS]) if code < 400 else ()
        self._end(now, LegResult(code, printable(response.reason_phrase), "far end", contacts))

    def _raise_session_timer(self, response: SipResponse, now: float) -> bool:
        least = number_in(response.get_header("Min-SE")) or 0
        if (
            self._invite.session_timer is None
            or self._raised >= _MAX_INTERVALS
            or not self._least_expires < least <= 86_400
        ):
            return False
        self._raised += 1
        self._least_expires = least
        self._send_invite(now)
        return True

    def _on_timeout(self, sent: Sent, now: float) -> None:
        method = cseq_of(sent.request)[1]
        if self.result is not None:
            return
        if sent.request is self._first:
            self._cancel_wanted = True
            self._end(now, LegResult(408, "Request Timeout", "timeout"))
        elif method in ("INVITE", "UPDATE"):
            self._send_in_dialog("BYE", self._dialog, now)
            self._end(now, LegResult(408, "No response to a session refresh", "timeout"))

    # Session timers

    def _run_session_timer(self, now: float) -> None:
        session, dialog = self._session, self._dialog
        if self.result is not None or session is None or dialog is None or session.next_due > now:
            return
        if session.expires_at <= now:
            self._send_in_dialog("BYE", dialog, now)
            self._end(now, LegResult(408, "Session timer expired", "timeout"))
            return
        self._send_in_dialog(session.begin_refresh(), dialog, now)

    def _on_refreshed(self, response: SipResponse, now: float) -> None:
        if self._session is None or response.status_code < 200 or self.result is not None:
            return
        if response.status_code in (408, 481):
            self._send_in_dialog("BYE", self._dialog, now)
            self._end(now, LegResult(response.status_code, printable(response.reason_phrase), "far end"))
            return
        if response.status_code < 300 and self._dialog is not None:
            self._dialog.refresh(response)
            self.remote_media = media_of(response.body) or self.remote_media
        self._session.on_response(response, now)

    # Requests of the far end

    def _receive_request(self, request: SipRequest, source: Target, now: float) -> None:
        self._outbox.steps.add(now, request, source, sent=False)
        if self._in_dialog is None:
            self._in_dialog = InDialog(None, self._offer, 0, self._contact, self._outbox.transmit)
        in_dialog = self._in_dialog
        in_dialog.receive(
            request,
            source,
            now,
            dialogs=list(self._dialogs.values()),
            over=self.result is not None,
            pending=self._sent.refreshing,
            early=self._is_early(request),
        )
        if in_dialog.ended and self.result is None:
            self._end(now, LegResult(200, "Bye", "far end"))
        if in_dialog.media is not None:
            self.remote_media = in_dialog.media
        refresh, in_dialog.refreshed_by = in_dialog.refreshed_by, None
        if refresh is not None and self._session is not None:
            self._session.on_request(refresh, now)
        elif refresh is not None:
            self._session = SessionClock.of(refresh, self._invite.session_timer or _ANY_TIMER, now)

    def _is_early(self, request: SipRequest) -> bool:
        """Return whether a request belongs to the INVITE, which was not answered yet."""
        if self.result is not None or self._dialogs or self._first is None:
            return False
        return tag_of(request.get_header("To")) == tag_of(self._first.get_header("From"))

    def _end(self, now: float, result: LegResult) -> None:
        self.result, self.ended_at, self.state = result, now, "ended"
