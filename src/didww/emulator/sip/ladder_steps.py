"""The messages of a leg, as steps of its ladder; their number is bounded."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from didww.emulator.sip.addresses import show_target
from didww.emulator.sip.messages import SipRequest, cseq_of, printable
from didww.emulator.sip.model import Step

if TYPE_CHECKING:
    from didww.emulator.sip.messages import SipMessage
    from didww.emulator.sip.model import Target

__all__ = ["Steps"]

_FIRST: Final = 150
_LAST: Final = 50
_MAX_TEXT: Final = 80


class Steps:
    """Steps in order of time: the first 150 and the last 50."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._last: deque[Step] = deque(maxlen=_LAST)
        self._more = 0

    def add(self, at: float, message: SipMessage, peer: Target, *, sent: bool, note: str = "") -> None:
        """Add a message."""
        number, method = cseq_of(message)
        text = message.method if isinstance(message, SipRequest) else f"{message.status_code} {message.reason_phrase}"
        self.add_text(at, text.strip(), peer, note=note, cseq=f"{number} {method}", sent=sent)

    def add_text(self, at: float, text: str, peer: Target, *, note: str, cseq: str, sent: bool = True) -> None:
        """Add a message by what it is."""
        step = Step(at, sent, printable(text, _MAX_TEXT), show_target(peer), note, cseq)
        if len(self._steps) < _FIRST:
            self._steps.append(step)
        else:
            self._more += len(self._last) == _LAST
            self._last.append(step)

    def shown(self) -> list[Step]:
        """Return the steps; one says how many are left out before it."""
        last = list(self._last)
        if self._more:
            note = f"after {self._more} more messages"
            last[0] = msgspec.structs.replace(last[0], note=f"{last[0].note}, {note}" if last[0].note else note)
        return [*self._steps, *last]
