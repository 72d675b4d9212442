"""The ladder of a call: its messages over time as text, a mermaid diagram or an SVG picture.

Far ends write most of what is shown here and may be hostile: all text is escaped, and its length is bounded.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Final, NamedTuple

from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from didww.emulator.sip.model import Step

__all__ = ["Arrow", "Heading", "Ladder", "clip", "make_ladder", "to_mermaid", "to_svg", "to_text"]

MAX_ARROWS: Final = 200
"""Messages that a ladder shows of an attempt."""
MAX_PEERS: Final = 8
"""Far ends with a lane of their own; the others share the last one."""
_OTHERS: Final = "other addresses"
_OWN: Final = "emulator"

# Text
_ARROW_WIDTH: Final = 44

# SVG, in pixels
_LEFT: Final = 92
_SPACING: Final = 222
_RIGHT: Final = 92
_TOP: Final = 40
_ROW: Final = 28
_NOTE: Final = 14
_HEAD: Final = 12
_LANE_CHARACTERS: Final = 24
_CHARACTER: Final = 6.6

_STYLE: Final = """
.sip-ladder { color-scheme: light dark; --ink: #1c2128; --soft: #57606a;
  --line: #c3cad2; --request: #0b5cc4; --good: #116329; --bad: #a40e26; }
@media (prefers-color-scheme: dark) { .sip-ladder { --ink: #e3e8ee; --soft: #9aa6b2; --line: #3d4753;
  --request: #6cb0ff; --good: #7ee2a0; --bad: #ff9a94; } }
.sip-ladder text { font: 12px system-ui, "Segoe UI", "Liberation Sans", sans-serif; fill: var(--ink); }
.sip-ladder .soft { fill: var(--soft); font-size: 11px; }
.sip-ladder:not(.wide) { max-width: 100%; height: auto; }
.sip-ladder .lane, .sip-ladder .head { font-weight: 600; }
.sip-ladder line { stroke: var(--line); stroke-width: 1.5; }
.sip-ladder .request line { stroke: var(--request); } .sip-ladder .request path { fill: var(--request); }
.sip-ladder .other line { stroke: var(--soft); } .sip-ladder .other path { fill: var(--soft); }
.sip-ladder .good line { stroke: var(--good); } .sip-ladder .good path { fill: var(--good); }
.sip-ladder .bad line { stroke: var(--bad); } .sip-ladder .bad path { fill: var(--bad); }
"""
_MERMAID_SAFE: Final = re.compile(r"[^\w .,:/@+=*()?!'-]")
_STATUS: Final = re.compile(r"([1-6])\d\d(?= |$)")
_KINDS: Final = {"1": "other", "2": "good", "3": "other", "4": "bad", "5": "bad", "6": "bad"}


class Arrow(NamedTuple):
    """A message between the emulator and a far end.

    Attributes:
        at: Seconds since the start of the call.
        sent: Whether the emulator sent it.
        peer: Index of the far end among the lanes, from 0.
        text: Method, or code and reason.
        note: What is special about it, or empty.
    """

    at: float
    sent: bool
    peer: int
    text: str
    note: str = ""

    @property
    def kind(self) -> str:
        """What it is: `request`, or by its code `good`, `bad` or `other`."""
        match = _STATUS.match(self.text)
        return "request" if match is None else _KINDS[match[1]]


class Heading(NamedTuple):
    """A line between messages, such as the beginning of an attempt."""

    text: str


class Ladder(NamedTuple):
    """What a ladder shows.

    Attributes:
        title: What the ladder is about.
        peers: Names of the far ends: a lane each, after that of the emulator.
        rows: Messages and headings in order.
    """

    title: str
    peers: tuple[str, ...]
    rows: tuple[Arrow | Heading, ...]


def clip(text: str, most: int) -> str:
    r"""Return text without characters that a terminal would obey, truncated to `most` characters.

    Example:
        >>> clip("486 Busy\x1b[2J Here and gone", 20)
        '486 Busy\\x1b[2J H...'
    """
    text = printable(text[: most + 1])
    return text if len(text) <= most else f"{text[: most - 3]}..."


def make_ladder(title: str, attempts: Iterable[tuple[str, Sequence[Step]]]) -> Ladder:
    """Return the ladder of attempts.

    Args:
        title: What it is about.
        attempts: Heading, empty for none, and messages of each attempt.
    """
    lanes: dict[str, int] = {}
    names: list[str] = []
    rows: list[Arrow | Heading] = []
    for heading, steps in attempts:
        if heading:
            rows.append(Heading(clip(heading, 80)))
        for step in steps[:MAX_ARROWS]:
            lane = lanes.get(step.peer)
            if lane is None:
                if len(names) < MAX_PEERS:
                    names.append(clip(step.peer, 60) or "?")
                elif len(names) == MAX_PEERS:
                    names.append(_OTHERS)
                lane = len(names) - 1
                if len(names) <= MAX_PEERS:
                    lanes[step.peer] = lane
            rows.append(Arrow(step.at, step.sent, lane, clip(step.message, 60), clip(step.note, 60)))
        if len(steps) > MAX_ARROWS:
            rows.append(Heading(f"{len(steps) - MAX_ARROWS} more messages"))
    return Ladder(clip(title, 160), tuple(names), tuple(rows))


def to_text(ladder: Ladder) -> str:
    """Return a ladder as lines of text.

    Example:
        >>> from didww.emulator.sip.model import Step
        >>> peer = "udp:192.0.2.1:5060"
        >>> steps = [Step(0, True, "INVITE", peer), Step(0.02, False, "486 Busy Here", peer)]
        >>> print(to_text(make_ladder("Attempt 1", [("", steps)])))
        Attempt 1
        <BLANKLINE>
                   emulator                                      udp:192.0.2.1:5060
           0.000 s |--- INVITE -------------------------------->|
           0.020 s |<--------------------------- 486 Busy Here -|
    """
    single = len(ladder.peers) == 1
    head = " " * 11 + _OWN.ljust(_ARROW_WIDTH + 2)
    lines = [ladder.title, "", f"{head}{ladder.peers[0] if single else 'far ends'}" if ladder.peers else "No messages."]
    for row in ladder.rows:
        if isinstance(row, Heading):
            lines += ["", f"  {row.text}"]
            continue
        note = f"  ({row.note})" if row.note else ""
        peer = "" if single else f" {ladder.peers[row.peer]}"
        text = clip(row.text, _ARROW_WIDTH - 8)
        arrow = f"--- {text} ".ljust(_ARROW_WIDTH - 1, "-") + ">" if row.sent else _received(text)
        lines.append(f"{row.at:8.3f} s |{arrow}|{peer}{note}")
    return "\n".join(lines)


def _received(text: str) -> str:
    return "<" + f" {text} -".rjust(_ARROW_WIDTH - 1, "-")


def to_mermaid(ladder: Ladder) -> str:
    """Return a ladder as a sequence diagram of mermaid.

    Example:
        >>> from didww.emulator.sip.model import Step
        >>> print(to_mermaid(make_ladder("", [("", [Step(0, True, "INVITE", "udp:192.0.2.1:5060")])])))
        sequenceDiagram
            participant e as emulator
            participant p0 as udp:192.0.2.1:5060
            e->>p0: INVITE (0.000 s)
    """
    lines = ["sequenceDiagram", f"    participant e as {_OWN}"]
    lines += [f"    participant p{n} as {_for_mermaid(name)}" for n, name in enumerate(ladder.peers)]
    for row in ladder.rows:
        if isinstance(row, Heading):
            over = f"e,p{len(ladder.peers) - 1}" if ladder.peers else "e"
            lines.append(f"    Note over {over}: {_for_mermaid(row.text)}")
        else:
            note = f", {row.note}" if row.note else ""
            way = f"e->>p{row.peer}" if row.sent else f"p{row.peer}-->>e"
            lines.append(f"    {way}: {_for_mermaid(f'{row.text} ({row.at:.3f} s{note})')}")
    return "\n".join(lines)


def _for_mermaid(text: str) -> str:
    """Return text with all that mermaid or HTML could obey as entities, which mermaid writes as `#60;`."""
    return _MERMAID_SAFE.sub(lambda match: f"#{ord(match[0])};", text)


def to_svg(ladder: Ladder, *, style: bool = True) -> str:
    """Return a ladder as an SVG picture.

    Args:
        ladder: The ladder.
        style: Whether it has its style sheet; without one, the page has the classes.
    """
    width = _LEFT + _SPACING * max(1, len(ladder.peers)) + _RIGHT
    y = _TOP
    drawn: list[str] = []
    for row in ladder.rows:
        y += _ROW if isinstance(row, Arrow) else _ROW + 4
        drawn.append(_arrow(row, y) if isinstance(row, Arrow) else _svg_text(_LEFT - 40, y, row.text, "head"))
        y += _NOTE if isinstance(row, Arrow) and row.note else 0
    if not ladder.rows:
        y += _ROW
        drawn.append(_svg_text(_LEFT + 8, y, "no messages", "soft"))
    height = y + 16
    lanes = [_lane(n, name, height) for n, name in enumerate((_OWN, *ladder.peers))]
    title = escape(ladder.title)
    names = "sip-ladder wide" if len(ladder.peers) > 1 else "sip-ladder"
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{names}" viewBox="0 0 {width} {height}"',
            f' width="{width}" height="{height}" role="img" aria-label="{title}"><title>{title}</title>',
            f"<style>{_STYLE}</style>" if style else "",
            *lanes,
            *drawn,
            "</svg>",
        ]
    )


def _lane(n: int, name: str, height: int) -> str:
    x = _LEFT + n * _SPACING
    return (
        f'<line x1="{x}" y1="{_TOP - 8}" x2="{x}" y2="{height - 4}"/>'
        f"{_svg_text(x, _TOP - 16, name, 'lane', _LANE_CHARACTERS, anchor='middle')}"
    )


def _arrow(arrow: Arrow, y: int) -> str:
    left, right = _LEFT, _LEFT + (arrow.peer + 1) * _SPACING
    tip, back = (right, right - _HEAD) if arrow.sent else (left, left + _HEAD)
    x, anchor = (left + 10, "start") if arrow.sent else (right - 10, "end")
    most = int((right - left - 2 * _HEAD) / _CHARACTER)
    note = _svg_text(x, y + _NOTE, arrow.note, "soft", most, anchor) if arrow.note else ""
    return (
        f'<g class="{arrow.kind}">{_svg_text(_LEFT - 12, y + 4, f"{arrow.at:.3f} s", "soft", anchor="end")}'
        f'<line x1="{left}" y1="{y}" x2="{right}" y2="{y}"/><path d="M{tip} {y}L{back} {y - 4}V{y + 4}Z"/>'
        f"{_svg_text(x, y - 5, arrow.text, '', most, anchor)}{note}</g>"
    )


def _svg_text(x: int, y: int, text: str, cls: str, most: int = 80, anchor: str = "start") -> str:
    short = clip(text, most)
    whole = f"<title>{escape(text)}</title>" if short != text else ""
    name = f' class="{cls}"' if cls else ""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{name}>{whole}{escape(short)}</text>'
