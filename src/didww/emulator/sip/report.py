"""What came of a call that the emulator placed over SIP: `RingReport`."""

from __future__ import annotations

import textwrap
from datetime import datetime, timedelta
from html import escape
from typing import Final, Literal, TypeAlias

import msgspec

from didww._util.text import printable
from didww.emulator.sip.ladder import Ladder, clip, make_ladder, to_mermaid, to_svg, to_text
from didww.emulator.sip.model import AttemptResult, Step
from didww.emulator.sip.text_table import text_table
from didww.enums import DisconnectInitiator

__all__ = ["EndedBy", "RingAttempt", "RingReport", "make_attempt"]

EndedBy: TypeAlias = Literal["caller", "far end", "emulator"]

_ENDED_BY: Final[dict[str, EndedBy]] = {
    DisconnectInitiator.ORIGINATION: "caller",
    DisconnectInitiator.DESTINATION: "far end",
    DisconnectInitiator.SYSTEM: "emulator",
}
_DESTINATION: Final = "Destination"
_HEADINGS: Final = ("", "Trunk", _DESTINATION, "Result", "Ended by", "Ringing", "Talking")
_RIGHT: Final = frozenset({"Ringing", "Talking"})
_MAX_TEXT: Final = 300
_MAX_CELL: Final = 44


class RingAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to reach a trunk, which is one call record.

    Attributes:
        number: Number of the attempt, from 1.
        trunk_id: ID of the trunk.
        trunk: Name of the trunk.
        group: Name of the trunk group, or empty.
        destination: Where the call was sent, as in call records.
        target: Address that the messages went to, e.g. `udp:192.0.2.1:5060`.
        started_at: When it started.
        ringing_at: When the far end first rang (180 or 183).
        answered_at: When it was answered.
        ended_at: When it ended; None while it is in progress.
        started: Seconds from the start of the call to `started_at`.
        ringing: Seconds from the start of the call to `ringing_at`.
        answered: Seconds from the start of the call to `answered_at`.
        ended: Seconds from the start of the call to `ended_at`.
        ringing_duration: Seconds of ringing.
        duration: Seconds of talking.
        code: SIP code at its end: 200 after a BYE, 0 while it is in progress.
        reason: Text of the code.
        ended_by: Who ended it; None while it is in progress.
        disconnect_code_id: ID of the `ReroutingDisconnectCode` that decides whether the next trunk is tried.
        why: Why the call went on to the next trunk, or ended.
        sip_call_id: Call-ID header toward the trunk.
        user_agent: User-Agent or Server header of the far end.
        early_media: Whether there was early media.
        redirected: Whether a 3xx response was followed.
        forwarded: Whether it went to a phone number.
        steps: Messages sent and received.
    """

    number: int
    trunk_id: str
    trunk: str
    started_at: datetime
    group: str = ""
    destination: str = ""
    target: str = ""
    ringing_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    started: float = 0.0
    ringing: float | None = None
    answered: float | None = None
    ended: float | None = None
    ringing_duration: float = 0.0
    duration: float = 0.0
    code: int = 0
    reason: str = ""
    ended_by: EndedBy | None = None
    disconnect_code_id: int | None = None
    why: str = ""
    sip_call_id: str = ""
    user_agent: str = ""
    early_media: bool = False
    redirected: bool = False
    forwarded: bool = False
    steps: tuple[Step, ...] = ()

    @property
    def result(self) -> str:
        """Code and reason at the end, e.g. `486 Busy Here`; what it does while it is in progress."""
        if self.ended is None:
            return "talking" if self.answered is not None else "ringing" if self.ringing is not None else "calling"
        return clip(f"{self.code} {self.reason}".strip(), _MAX_TEXT)

    @property
    def times(self) -> tuple[str, str]:
        """How long it rang and talked, e.g. `("2.0 s", "5.0 s")`; empty for what it did not do, or still does."""
        rang = self.ringing is not None and (self.answered is not None or self.ended is not None)
        talked = self.answered is not None and self.ended is not None
        return seconds(self.ringing_duration) if rang else "", seconds(self.duration) if talked else ""

    def ladder(self) -> str:
        """Return its messages as lines of text."""
        return to_text(self._ladder())

    def to_mermaid(self) -> str:
        """Return its messages as a sequence diagram of mermaid."""
        return to_mermaid(self._ladder())

    def to_svg(self, *, style: bool = True) -> str:
        """Return its messages as an SVG picture.

        Args:
            style: Whether the picture has a style sheet. Without one, the page styles the class `sip-ladder`.
        """
        return to_svg(self._ladder(), style=style)

    def _title(self) -> str:
        where = f", {self.destination}" if self.destination else ""
        trunk = f"trunk {self.trunk}" if self.trunk else "no trunk"
        return f"Attempt {self.number}: {trunk}{where}: {self.result}"

    def _ladder(self) -> Ladder:
        return make_ladder(self._title(), [("", self.steps)])


class RingReport(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the emulator placed to the trunks of a number. `print(report)` shows it as a table.

    Attributes:
        id: ID of the report.
        call_id: `Call ID` of its call records.
        number: Called number.
        caller: Caller's number.
        started_at: When it started, by the emulator's clock.
        state: `in progress`, or `ended`.
        answered: Whether a trunk answered it.
        duration: Seconds of talking.
        code: SIP code at its end, as the caller gets it; 0 while it is in progress.
        reason: Text of the code.
        caller_name: Caller's name.
        group: Name of the trunk group, or empty.
        instant: Whether it ran at once against simulated far ends.
        attempts: Attempts in order.
        notes: How the order of the trunks came about, in sentences.
        why: Why the call ended as it did.
    """

    id: str
    call_id: str
    number: str
    caller: str
    started_at: datetime
    state: Literal["in progress", "ended"] = "ended"
    answered: bool = False
    duration: float = 0.0
    code: int = 0
    reason: str = ""
    caller_name: str = ""
    group: str = ""
    instant: bool = False
    attempts: tuple[RingAttempt, ...] = ()
    notes: tuple[str, ...] = ()
    why: str = ""

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state == "ended"

    @property
    def result(self) -> str:
        """What came of it, in words."""
        if not self.ended:
            last = self.attempts[-1] if self.attempts else None
            return "in progress" if last is None else f"{last.result}, trunk {clip(last.trunk, _MAX_CELL)}"
        if self.answered:
            return f"answered, {seconds(self.duration)}"
        return clip(f"not answered, {self.code} {self.reason}".strip(), _MAX_TEXT)

    @property
    def reasons(self) -> list[str]:
        """Why the call was routed as it was, a line each: of the route, of each attempt, of the end."""
        own = [f"Attempt {attempt.number}: {attempt.why}" for attempt in self.attempts if attempt.why]
        said = {attempt.why for attempt in self.attempts}
        end = [self.why] if self.why and self.why not in said else []
        return [printable(text[:_MAX_TEXT]) for text in (*self.notes, *own, *end)]

    def ladder(self, *, title: bool = True) -> str:
        """Return the messages of all attempts as lines of text.

        Args:
            title: Whether the first line is about the call.
        """
        ladders = [attempt.ladder() for attempt in self.attempts]
        return "\n\n".join([self._title(), *ladders] if title else ladders)

    def to_mermaid(self) -> str:
        """Return the messages of all attempts as a sequence diagram of mermaid."""
        return to_mermaid(self._ladder())

    def to_svg(self, *, style: bool = True) -> str:
        """Return the messages of all attempts as an SVG picture.

        Args:
            style: Whether the picture has a style sheet. Without one, the page styles the class `sip-ladder`.
        """
        return to_svg(self._ladder(), style=style)

    def _ladder(self) -> Ladder:
        return make_ladder(self._title(), [(attempt._title(), attempt.steps) for attempt in self.attempts])

    def _title(self) -> str:
        name = f" ({clip(self.caller_name, _MAX_CELL)})" if self.caller_name else ""
        return (
            f"{clip(self.caller, _MAX_CELL)}{name} to {clip(self.number, _MAX_CELL)}, "
            f"{self.started_at:%Y-%m-%d %H:%M:%S} UTC: {self.result}"
        )

    def _rows(self) -> list[tuple[str, ...]]:
        return [
            (
                str(attempt.number),
                clip(attempt.trunk, _MAX_CELL),
                clip(attempt.destination, _MAX_CELL),
                clip(attempt.result, _MAX_CELL),
                attempt.ended_by or "",
                *attempt.times,
            )
            for attempt in self.attempts
        ]

    def to_text(self, width: int | None = None) -> str:
        """Return a table of the attempts, and why the call went as it did.

        Args:
            width: Width of a terminal to fit into. Defaults to no limit.
        """
        lines = [
            self._title(),
            *([""] if self.attempts else []),
            *text_table([_HEADINGS, *self._rows()], width, right=_RIGHT, below=_DESTINATION),
        ]
        lines += [""] if self.reasons else []
        for text in self.reasons:
            lines += [text] if width is None else textwrap.wrap(text, width, subsequent_indent="  ")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        """Return a table, the reasons and the ladder, for notebooks."""
        head = "".join(f"<th>{escape(name)}</th>" for name in _HEADINGS)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in self._rows())
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if self.attempts else ""
        reasons = "".join(f"<li>{escape(text)}</li>" for text in self.reasons)
        ladder = (
            f'<details><summary>Messages</summary><div style="overflow-x: auto">{self.to_svg()}</div></details>'
            if self.attempts
            else ""
        )
        return f"<p>{escape(self._title())}</p>{table}<ul>{reasons}</ul>{ladder}"


def make_attempt(result: AttemptResult, start: datetime, *, ended: bool = True) -> RingAttempt:
    """Return an attempt for a report: with times, without characters that could do harm, bounded.

    Args:
        result: What came of the attempt, or has so far.
        start: When the call started.
        ended: Whether it is over.
    """

    def at(seconds: float) -> datetime:
        return start + timedelta(seconds=seconds)

    def optional(offset: float | None) -> datetime | None:
        return None if offset is None else at(offset)

    until = next((time for time in (result.answered, result.ended if ended else None) if time is not None), None)
    rang = until - result.ringing if until is not None and result.ringing is not None else 0.0
    return RingAttempt(
        number=result.number,
        trunk_id=result.trunk_id,
        trunk=clip(result.trunk, _MAX_TEXT),
        group=clip(result.group, _MAX_TEXT),
        destination=clip(result.destination, _MAX_TEXT),
        target=clip(result.target, _MAX_TEXT),
        started_at=at(result.started),
        ringing_at=optional(result.ringing),
        answered_at=optional(result.answered),
        ended_at=at(result.ended) if ended else None,
        started=_rounded(result.started),
        ringing=None if result.ringing is None else _rounded(result.ringing),
        answered=None if result.answered is None else _rounded(result.answered),
        ended=_rounded(result.ended) if ended else None,
        ringing_duration=_rounded(max(0.0, rang)),
        duration=_rounded(max(0.0, result.duration)) if ended else 0.0,
        code=result.code if ended else 0,
        reason=clip(result.reason, _MAX_TEXT) if ended else "",
        ended_by=_ENDED_BY.get(result.initiator, "emulator") if ended else None,
        disconnect_code_id=result.disconnect_code_id if ended else None,
        why=clip(result.why, 2 * _MAX_TEXT),
        sip_call_id=clip(result.sip_call_id, _MAX_TEXT),
        user_agent=clip(result.user_agent, _MAX_TEXT),
        early_media=result.early_media,
        redirected=result.redirected,
        forwarded=result.forwarded,
        steps=tuple(_step(step) for step in result.steps),
    )


def _step(step: Step) -> Step:
    return Step(
        at=_rounded(step.at),
        sent=step.sent,
        message=clip(step.message, _MAX_TEXT),
        peer=clip(step.peer, _MAX_TEXT),
        note=clip(step.note, _MAX_TEXT),
        cseq=clip(step.cseq, _MAX_TEXT),
    )


def _rounded(value: float) -> float:
    return round(value, 3)


def seconds(value: float) -> str:
    """Return a duration for display, e.g. `2.0 s`."""
    return f"{value:.1f} s"
