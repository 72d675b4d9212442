"""The messages that a leg sends, and the transactions of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from didww.emulator.sip.ladder_steps import Steps
from didww.emulator.sip.messages import branch_of, cseq_of
from didww.emulator.sip.model import Outgoing
from didww.emulator.sip.requests import ack_of_refusal
from didww.emulator.sip.transactions import ClientTransaction

if TYPE_CHECKING:
    from didww.emulator.sip.messages import SipMessage, SipRequest, SipResponse
    from didww.emulator.sip.model import Target
    from didww.emulator.sip.transactions import Kind

__all__ = ["Outbox", "Sent", "SentRequests"]


class Outbox:
    """Messages to send, in order, and the steps of the ladder."""

    def __init__(self) -> None:
        self._messages: list[Outgoing] = []
        self.steps = Steps()

    def __bool__(self) -> bool:
        return bool(self._messages)

    def transmit(self, message: SipMessage, target: Target, now: float, note: str = "") -> Outgoing:
        """Send a message."""
        outgoing = Outgoing(bytes(message), target)
        self._messages.append(outgoing)
        self.steps.add(now, message, target, sent=True, note=note)
        return outgoing

    def repeat_ack(self, ack: Outgoing, number: int, now: float) -> None:
        """Send the ACK of a 2xx again."""
        self._messages.append(ack)
        self.steps.add_text(now, "ACK", ack.target, note="retransmission", cseq=f"{number} ACK")

    def take(self) -> list[Outgoing]:
        """Return the messages to send, in order."""
        messages, self._messages = self._messages, []
        return messages


class Sent(NamedTuple):
    """A request that was sent.

    Attributes:
        request: The request.
        target: Where it was sent.
        transaction: Its transaction.
        in_dialog: Whether it belongs to a dialog.
        authenticated: Whether it answers the challenge to another one in a dialog.
    """

    request: SipRequest
    target: Target
    transaction: ClientTransaction
    in_dialog: bool = False
    authenticated: bool = False


class SentRequests:
    """The requests of a leg whose transactions go on.

    Args:
        outbox: Where messages go.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._sent: dict[tuple[str, str], Sent] = {}

    def send(
        self,
        request: SipRequest,
        target: Target,
        now: float,
        *,
        timeout: float | None = None,
        in_dialog: bool = False,
        authenticated: bool = False,
    ) -> None:
        """Send a request; `timeout` are the seconds without any response after which it fails."""
        kind: Kind = "invite" if request.method == "INVITE" else "other"
        transaction = ClientTransaction(kind, now, reliable=target.transport != "udp", timeout=timeout)
        sent = Sent(request, target, transaction, in_dialog, authenticated)
        self._sent[branch_of(request), request.method] = sent
        self._flush(sent, now, "")

    def of_response(self, response: SipResponse) -> Sent | None:
        """Return the request that a response belongs to."""
        number, method = cseq_of(response)
        sent = self._sent.get((branch_of(response), method))
        return sent if sent is not None and cseq_of(sent.request)[0] == number else None

    def acknowledge_refusal(self, sent: Sent, response: SipResponse, now: float) -> None:
        """Acknowledge the refusal of an INVITE, if that is due."""
        for _ in range(sent.transaction.take_acks()):
            self._outbox.transmit(ack_of_refusal(sent.request, response), sent.target, now)

    def due(self, now: float) -> list[Sent]:
        """Run the timers that are due, and return the requests that had no response in time."""
        timed_out: list[Sent] = []
        for key, sent in list(self._sent.items()):
            before = sent.transaction.timed_out
            sent.transaction.due(now)
            self._flush(sent, now, "retransmission")
            if sent.transaction.timed_out and not before:
                timed_out.append(sent)
            if sent.transaction.terminated:
                del self._sent[key]
        return timed_out

    def next_due(self) -> float | None:
        """Return when the next timer is due."""
        times = [sent.transaction.next_due() for sent in self._sent.values()]
        return min((at for at in times if at is not None), default=None)

    @property
    def busy(self) -> bool:
        """Whether any transaction goes on."""
        return any(not sent.transaction.terminated for sent in self._sent.values())

    @property
    def refreshing(self) -> bool:
        """Whether a re-INVITE or an UPDATE has no final response yet."""
        return any(
            sent.in_dialog
            and sent.request.method in ("INVITE", "UPDATE")
            and sent.transaction.state in ("calling", "proceeding")
            for sent in self._sent.values()
        )

    def is_proceeding(self, request: SipRequest) -> bool:
        """Return whether a request has had a provisional response, and no final one."""
        sent = self._sent.get((branch_of(request), request.method))
        return sent is not None and sent.transaction.state == "proceeding"

    def terminate(self, method: str = "") -> None:
        """End the transactions of a method, or all."""
        for sent in self._sent.values():
            if method in ("", sent.request.method):
                sent.transaction.terminate()

    def _flush(self, sent: Sent, now: float, note: str) -> None:
        for _ in range(sent.transaction.take()):
            self._outbox.transmit(sent.request, sent.target, now, note)
