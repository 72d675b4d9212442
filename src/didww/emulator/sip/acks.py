"""The ACKs of a leg, which are sent again with each repeated 2xx (RFC 3261, section 13.2.2.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.sip.messages import cseq_of, tag_of
from didww.emulator.sip.requests import credentials_in

if TYPE_CHECKING:
    from didww.emulator.sip.dialog import Dialog
    from didww.emulator.sip.messages import SipRequest, SipResponse
    from didww.emulator.sip.model import Outgoing
    from didww.emulator.sip.sent_requests import Outbox

__all__ = ["Acks"]

_MAX: Final = 32


class Acks:
    """The last ACKs.

    Args:
        outbox: Where messages go.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._acks: dict[tuple[str, int], Outgoing] = {}

    def send(self, dialog: Dialog, invite: SipRequest, response: SipResponse, via: str, now: float) -> None:
        """Acknowledge the 2xx to an INVITE."""
        ack = dialog.request("ACK", via, headers=credentials_in(invite))
        if len(self._acks) >= _MAX:
            del self._acks[next(iter(self._acks))]
        self._acks[_key(response)] = self._outbox.transmit(ack, dialog.target, now)

    def has(self, response: SipResponse) -> bool:
        """Return whether a 2xx was acknowledged before."""
        return _key(response) in self._acks

    def repeat(self, response: SipResponse, now: float) -> None:
        """Acknowledge a 2xx again, if it was acknowledged before."""
        ack = self._acks.get(_key(response))
        if ack is not None:
            self._outbox.repeat_ack(ack, _key(response)[1], now)


def _key(response: SipResponse) -> tuple[str, int]:
    return tag_of(response.get_header("To")), cseq_of(response)[0]
