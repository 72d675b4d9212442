"""A call to a phone number: the far end is a script, nothing is sent. It has the members of a leg that a call uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.emulator.sip.leg import LegResult

if TYPE_CHECKING:
    from didww.emulator.sip.far_end import FarEnd
    from didww.emulator.sip.model import Outgoing, Step, Target

__all__ = ["PhoneLeg"]


class PhoneLeg:
    """A phone that rings and answers as a script says.

    Args:
        script: What it does.
    """

    sip_call_id = ""
    early_media = False
    user_agent = ""
    remote_media: tuple[str, int, int] | None = None

    def __init__(self, script: FarEnd) -> None:
        self._script = script
        self._final_at: float | None = None
        self.state = "calling"
        self.result: LegResult | None = None
        self.ringing_at: float | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self.steps: list[Step] = []

    @property
    def finished(self) -> bool:
        """Whether it has ended."""
        return self.result is not None

    def start(self, now: float) -> None:
        """Dial."""
        script = self._script
        if script.silent:
            return
        if script.ringing or script.only_rings:
            self.ringing_at, self.state = now, "ringing"
        if not script.only_rings:
            self._final_at = now + script.ringing
        self.due(now)

    def cancel(self, now: float) -> None:
        """Stop ringing."""
        self._end(now, 487, "Request Terminated", "caller")

    def hang_up(self, now: float) -> None:
        """End the call."""
        self._end(now, 200, "Bye", "caller")

    def receive(self, message: Any, source: Target, now: float) -> None:
        """Ignore a message: phones have no SIP."""

    def unreachable(self, now: float, reason: str) -> None:
        """Ignore a failure of the network: phones do not use it."""

    def next_due(self) -> float | None:
        """Return when the script has its next step."""
        if self.result is not None:
            return None
        if self.answered_at is None:
            return self._final_at
        return None if self._script.talks is None else self.answered_at + self._script.talks

    def due(self, now: float) -> None:
        """Take the steps that are due."""
        while (at := self.next_due()) is not None and at <= now:
            if self.answered_at is not None:
                self._end(at, 200, "Bye", "far end")
            elif self._script.code == 200:
                self.answered_at, self.state = at, "talking"
            else:
                self._end(at, self._script.code, self._script.shown_reason, "far end")

    def take(self) -> list[Outgoing]:
        """Return no messages."""
        return []

    def _end(self, at: float, code: int, reason: str, ended_by: Any) -> None:
        if self.result is None:
            self.result = LegResult(code=code, reason=reason, ended_by=ended_by)
            self.ended_at, self.state = at, "ended"
