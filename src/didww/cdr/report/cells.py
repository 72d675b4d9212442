"""Maps of cells: a row for each name, and a column for each hour of the day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.cdr.report.colors import stand_in
from didww.cdr.report.drawing import Drawing, cut
from didww.cdr.report.numbers import TO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["HOURS", "draw_cells", "hours"]

HOURS: Final = 24
_ROW: Final = 25
_AXIS: Final = 22
_CHARACTER: Final = 7.2
_GAP: Final = 2
"""Measures in pixels."""
_LONGEST: Final = {True: 13, False: 24}
"""Characters of a name on phones and on other screens."""


def hours(hour: int) -> str:
    """Return an hour of the day.

    Example:
        >>> hours(23).replace(TO, "-")
        '23:00-00:00'
    """
    return f"{hour:02}:00{TO}{(hour + 1) % HOURS:02}:00"


def draw_cells(name: str, width: int, names: Sequence[str], color: Callable[[int, int], str | None]) -> Drawing:
    """Draw a map of cells.

    Args:
        name: Name of the drawing.
        width: Its width.
        names: Names of the rows.
        color: Returns the color of the cell of a row and an hour; None for no cell.
    """
    from matplotlib.patches import Rectangle

    drawing = Drawing(name, width, _ROW * len(names) + _AXIS)
    labels = [cut(each, _LONGEST[drawing.narrow]) for each in names]
    left = round(max(map(len, labels)) * _CHARACTER) + 14
    axes = drawing.axes(left=left, bottom=_AXIS)
    axes.set_xlim(0, HOURS)
    axes.set_ylim(len(names), 0)
    gap_x, gap_y = _GAP * HOURS / (width - left), _GAP / _ROW
    for row in range(len(names)):
        for hour in range(HOURS):
            filled = color(row, hour)
            if filled is not None:
                corner = (hour + gap_x / 2, row + gap_y / 2)
                cell = Rectangle(corner, 1 - gap_x, 1 - gap_y, facecolor=stand_in(filled), linewidth=0, clip_on=False)
                axes.add_artist(cell)
    ticks = range(0, HOURS, 6 if drawing.narrow else 3)
    drawing.ticks(axes, "x", ticks, [f"{hour:02}:00" for hour in ticks])
    drawing.ticks(axes, "y", [row + 0.5 for row in range(len(names))], labels)
    return drawing
