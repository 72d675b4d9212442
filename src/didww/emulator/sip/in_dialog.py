"""What a leg answers to requests of the far end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.sip.messages import (
    branch_of,
    cseq_of,
    media_of,
    new_response,
    number_in,
    port_of_via,
)
from didww.emulator.sip.sdp_answer import make_answer, next_version
from didww.emulator.sip.transactions import Responded, ServerTransaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww.emulator.sip.dialog import Dialog
    from didww.emulator.sip.messages import Media, SipRequest, SipResponse
    from didww.emulator.sip.model import Target

__all__ = ["ALLOWED", "InDialog"]

ALLOWED: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY"

_EARLY: Final = {"OPTIONS": 200, "INFO": 200, "NOTIFY": 200, "UPDATE": 491}  # before the answer (RFC 3311)
_SIMPLE: Final = {"OPTIONS": 200, "INFO": 200, "NOTIFY": 200, "REFER": 603, "MESSAGE": 405, "SUBSCRIBE": 405}
_KNOWN: Final = frozenset({"timer"})
_MAX_AT_ONCE: Final = 64


class InDialog:
    """The requests of the far end, in the dialog of an answered call.

    Args:
        dialog: The dialog; None if the call was not answered.
        offer: The own SDP.
        min_se: Shortest interval of session timers that is accepted, in seconds; 0 for any.
        contact: The own Contact header.
        transmit: Called with a message, where it goes, the time, and a note.
    """

    def __init__(
        self,
        dialog: Dialog | None,
        offer: str,
        min_se: int,
        contact: str,
        transmit: Callable[[SipResponse, Target, float, str], object],
    ) -> None:
        self._dialog = dialog
        self._offer = offer
        self._min_se = min_se
        self.sdp = offer
        self._contact = contact
        self._transmit = transmit
        self._answered: dict[tuple[str, str], tuple[ServerTransaction, SipResponse, Target]] = {}
        self.ended = False
        self.lost_ack = False
        self.media: Media | None = None
        self.refreshed_by: SipRequest | None = None

    @property
    def terminated(self) -> bool:
        """Whether no response may have to be repeated."""
        return not self._answered

    def terminate(self) -> None:
        """Forget all transactions: the far end cannot be reached."""
        self._answered.clear()

    def next_due(self) -> float | None:
        """Return when the next timer is due."""
        times = [transaction.next_due() for transaction, *_ in self._answered.values()]
        return min((at for at in times if at is not None), default=None)

    def due(self, now: float) -> None:
        """Run the timers that are due."""
        for key, (transaction, response, target) in list(self._answered.items()):
            transaction.due(now)
            self._flush(transaction, response, target, now, "retransmission")
            self.lost_ack |= transaction.timed_out and response.status_code < 300
            if transaction.terminated:
                del self._answered[key]

    def receive(
        self,
        request: SipRequest,
        source: Target,
        now: float,
        *,
        dialogs: list[Dialog],
        over: bool,
        pending: bool = False,
        early: bool = False,
    ) -> None:
        """Take a request.

        Args:
            request: The request.
            source: Where it came from.
            now: When.
            dialogs: All dialogs of the leg.
            over: Whether the leg has ended.
            pending: Whether an own re-INVITE or UPDATE has no response yet.
            early: Whether the INVITE has no final response yet, and the request belongs to it.
        """
        method = cseq_of(request)[1]
        if method == "ACK":
            for (_, other), (transaction, *_) in self._answered.items():
                if other == "INVITE":
                    transaction.acknowledged(now)
            self.media = media_of(request.body) or self.media  # the answer, if the INVITE had no offer
            return
        known = self._answered.get((branch_of(request), method))
        if known is not None:
            known[0].repeated(now)
            self._flush(*known, now, "retransmission")
            return
        if len(self._answered) >= _MAX_AT_ONCE:
            del self._answered[next(iter(self._answered))]
        owner = next((dialog for dialog in dialogs if dialog.owns(request)), None)
        code, headers, body = self._decide(request, method, owner, over=over, pending=pending, early=early)
        response = new_response(request, code, tag="" if owner else "didww", headers=headers, body=body, source=source)
        port = port_of_via(request) if source.transport == "udp" else None
        target = source if port is None else source._replace(port=port or source.port)
        kind: Responded = "other" if method != "INVITE" else "answer" if code < 300 else "refusal"
        transaction = ServerTransaction(kind, now, reliable=source.transport != "udp")
        self._flush(transaction, response, target, now, "")
        if not transaction.terminated:
            self._answered[branch_of(request), method] = (transaction, response, target)

    def _decide(
        self, request: SipRequest, method: str, owner: Dialog | None, *, over: bool, pending: bool, early: bool
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        allow = [("Allow", ALLOWED)]
        if method == "CANCEL":  # what it cancels has had its response, if there is such a request
            return 200 if (branch_of(request), "INVITE") in self._answered else 481, [], b""
        if owner is None:
            return _EARLY.get(method, 481) if early else 481, [], b""
        required = [tag.strip().lower() for value in request.get_header_values("Require") for tag in value.split(",")]
        unknown = [tag for tag in required if tag and tag not in _KNOWN]
        if unknown:
            return 420, [("Unsupported", ", ".join(unknown)[:200])], b""
        if not owner.in_order(request):
            return 500, [], b""
        if method == "BYE":
            self.ended |= owner is self._dialog
            return 200, [], b""
        if over or owner is not self._dialog:
            return 481, [], b""
        if method in ("INVITE", "UPDATE"):
            return (491, [], b"") if pending else self._renegotiate(request, method, owner)
        code = _SIMPLE.get(method, 501)
        return code, allow if code in (200, 405, 501) else [], b""

    def _renegotiate(self, request: SipRequest, method: str, owner: Dialog) -> tuple[int, list[tuple[str, str]], bytes]:
        """Answer a re-INVITE or an UPDATE."""
        if any(key[1] == "INVITE" and entry[0].state == "completed" for key, entry in self._answered.items()):
            return 491, [], b""
        interval = number_in(request.get_header("Session-Expires"))
        if interval is not None and interval < self._min_se:
            return 422, [("Min-SE", str(self._min_se))], b""
        body = ""
        if request.body:
            body = make_answer(self._offer, request.body)
            if not body:
                return 488, [], b""
            self.sdp = body = _with_version(body, self.sdp)
            self.media = media_of(request.body) or self.media
        elif method == "INVITE":
            body = self.sdp
        owner.refresh(request)
        self.refreshed_by = request
        headers = [("Contact", self._contact), ("Allow", ALLOWED)]
        expires = request.get_header("Session-Expires") or ""
        if interval:
            value = expires if "refresher" in expires.lower() else f"{expires};refresher=uac"
            headers += [("Require", "timer"), ("Session-Expires", value[:100])]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        return 200, headers, body.encode()

    def _flush(
        self, transaction: ServerTransaction, response: SipResponse, target: Target, now: float, note: str
    ) -> None:
        for _ in range(transaction.take()):
            self._transmit(response, target, now, note)


def _with_version(sdp: str, former: str) -> str:
    """Return an SDP with the version of the former one, or the next if it differs (RFC 3264, section 8)."""
    lines = [line for line in former.splitlines() if line.startswith("o=")]
    if not lines:
        return sdp
    same = "".join(f"{lines[0] if line.startswith('o=') else line}\r\n" for line in sdp.splitlines())
    return same if same.split() == former.split() else next_version(same)
