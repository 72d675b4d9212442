"""The messages of a leg, as steps of its ladder; their number is bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.sip.addresses import show_target
from didww.emulator.sip.messages import SipRequest, cseq_of, printable
from didww.emulator.sip.model import Step

if TYPE_CHECKING:
    from didww.emulator.sip.messages import SipMessage
    from didww.emulator.sip.model import Target

__all__ = ["Steps"]

_MAX: Final = 200
_MAX_TEXT: Final = 80


class Steps:
    """Steps in order of time. After the first 200, only their number is kept."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._more = 0
        self._last: Step | None = None

    def add(self, at: float, message: SipMessage, peer: Target, *, sent: bool, note: str = "") -> None:
        """Add a message."""
        number, method = cseq_of(message)
        text = message.method if isinstance(message, SipRequest) else f"{message.status_code} {message.reason_phrase}"
        self.add_text(at, text.strip(), peer, note=note, cseq=f"{number} {method}", sent=sent)

    def add_text(self, at: float, text: str, peer: Target, *, note: str, cseq: str, sent: bool = True) -> None:
        """Add a message by what it is."""
        step = Step(at, sent, printable(text, _MAX_TEXT), show_target(peer), note, cseq)
        if len(self._steps) < _MAX:
            self._steps.append(step)
        else:
            self._more, self._last = self._more + 1, step

    def shown(self) -> list[Step]:
        """Return the steps; the last one says how many are left out."""
        if self._last is None:
            return list(self._steps)
        last = self._last
        note = f"the last of {self._more} more messages"
        return [*self._steps, Step(last.at, last.sent, last.message, last.peer, note, last.cseq)]
