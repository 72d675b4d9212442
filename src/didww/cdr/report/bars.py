"""Rows of bars: for each name, one bar or several on scales of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from didww.cdr.report.colors import stand_in
from didww.cdr.report.drawing import Drawing, cut

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

__all__ = ["Bar", "Panel", "Row", "draw_bars"]

_HEAD: Final = 26
_WIDE_ROW: Final = 27
_NARROW_ROW: Final = 44
_LABEL: Final = 212
_NOTE: Final = 284
_GAP: Final = 20
_VALUE: Final = 66
_THICK: Final = 11
"""Measures in pixels."""
_LABEL_LENGTH: Final = 28


class Panel(NamedTuple):
    """A scale from zero for the bars of one measure.

    Attributes:
        title: What is measured.
        color: Color of its bars.
        most: End of the scale.
    """

    title: str
    color: str
    most: float


class Bar(NamedTuple):
    """A bar: its value, None for no bar, and its text."""

    value: float | None
    text: str


class Row(NamedTuple):
    """The bars of one name.

    Attributes:
        label: The name.
        note: A number at the name.
        bars: A bar for each panel.
        rest: Whether it stands for all other names.
    """

    label: str
    note: str
    bars: Sequence[Bar]
    rest: bool = False


def draw_bars(name: str, width: int, panels: Sequence[Panel], rows: Sequence[Row], note_title: str) -> Drawing:
    """Draw rows of bars."""
    height = _NARROW_ROW if width < _LABEL + _NOTE else _WIDE_ROW
    drawing = Drawing(name, width, _HEAD + height * len(rows) + 2)
    paper = drawing.paper()
    left = 0 if drawing.narrow else _NOTE + _GAP
    each = (width - left - _GAP * (len(panels) - 1)) / len(panels)
    for index, panel in enumerate(panels):
        drawing.text(paper, left + index * (each + _GAP), 9, panel.title, color="soft")
    if not drawing.narrow:
        drawing.text(paper, _NOTE, 9, note_title, color="soft", align="right")
    for number, row in enumerate(rows):
        top = _HEAD + number * height
        _draw_names(drawing, paper, row, top, note_title)
        for index, (panel, bar) in enumerate(zip(panels, row.bars, strict=True)):
            start = left + index * (each + _GAP)
            middle = top + (31 if drawing.narrow else height / 2)
            _draw_bar(drawing, paper, panel, bar, start, start + each, middle, rest=row.rest)
    return drawing


def _draw_names(drawing: Drawing, paper: Any, row: Row, top: float, note_title: str) -> None:
    middle = top + (13 if drawing.narrow else _WIDE_ROW / 2)
    at, note = (drawing.width, f"{row.note} {note_title.lower()}") if drawing.narrow else (_NOTE, row.note)
    drawing.text(paper, 0, middle, cut(row.label, _LABEL_LENGTH), color="soft" if row.rest else "ink")
    drawing.text(paper, at, middle, note, color="soft", align="right")


def _draw_bar(
    drawing: Drawing, paper: Any, panel: Panel, bar: Bar, start: float, end: float, middle: float, *, rest: bool
) -> None:
    from matplotlib.patches import Rectangle

    long = end - start - _VALUE
    track = Rectangle((start, middle - _THICK / 2), long, _THICK, facecolor=stand_in("panel"), linewidth=0)
    paper.add_artist(track)
    if bar.value:
        share = min(bar.value / panel.most, 1) if panel.most > 0 else 0
        color = stand_in("rest" if rest else panel.color)
        paper.add_artist(Rectangle((start, middle - _THICK / 2), long * share, _THICK, facecolor=color, linewidth=0))
    drawing.text(paper, end, middle, bar.text, align="right")
