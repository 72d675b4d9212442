"""Traffic by hour and weekday, as a map of cells."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import HEAT, stand_in
from didww.cdr.report.drawing import Drawing
from didww.cdr.report.numbers import TO, WEEKDAYS, count, percent
from didww.cdr.report.parts import Column, LegendEntry, Plot, Table, drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["traffic"]

_HOURS: Final = 24
_ROW: Final = 25
_AXIS: Final = 22


def traffic(rows: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Return the plot of calls by weekday and hour.

    Args:
        rows: Rows with `weekday` (from 1, Monday), `hour` (UTC) and `calls`.
    """
    cells = {(row["weekday"] - 1, row["hour"]): int(row["calls"]) for row in rows}
    most = max(cells.values(), default=0)
    if not most:
        return None
    busiest = next(place for place, calls in cells.items() if calls == most)
    total = sum(cells.values())
    night = sum(calls for (_, hour), calls in cells.items() if hour < 6 or hour >= 22)
    finding = (
        f"The busiest hour is {WEEKDAYS[busiest[0]]}, {_hour(busiest[1])}, with {count(most)} calls. "
        f"{percent(night, total)} of the calls come between 22:00 and 06:00 UTC."
    )
    edges = _edges(most)
    columns = (Column("Hour (UTC)", kind="time"), *(Column(name, count, kind="number") for name in WEEKDAYS))
    table = [(_hour(hour), *(cells.get((weekday, hour), 0) for weekday in range(7))) for hour in range(_HOURS)]
    return Plot(
        "traffic",
        "Calls by hour and weekday",
        finding,
        drawn(lambda width: _draw(width, cells, edges), f"Calls by hour and weekday. {finding}"),
        Table(columns, table),
        [LegendEntry(color, label) for color, label in zip(HEAT, _ranges(edges), strict=False)],
    )


def _hour(hour: int) -> str:
    return f"{hour:02}:00{TO}{(hour + 1) % _HOURS:02}:00"


def _edges(most: int) -> list[int]:
    """Return the first number of calls of each color after that of none."""
    colors = len(HEAT) - 1
    return sorted({1 + most * step // colors for step in range(colors)})


def _ranges(edges: Sequence[int]) -> list[str]:
    """Return what each color stands for."""
    ends = [f"{edge:,}" if after == edge + 1 else f"{edge:,}{TO}{after - 1:,}" for edge, after in pairwise(edges)]
    return ["0", *ends, f"{edges[-1]:,} or more"]


def _draw(width: int, cells: Mapping[tuple[int, int], int], edges: Sequence[int]) -> Drawing:
    from matplotlib.patches import Rectangle

    drawing = Drawing("traffic", width, _ROW * 7 + _AXIS)
    left = 38 if drawing.narrow else 88
    axes = drawing.axes(left=left, bottom=_AXIS)
    axes.set_xlim(0, _HOURS)
    axes.set_ylim(7, 0)
    gap_x, gap_y = 2 * _HOURS / (width - left), 2 / _ROW
    for weekday in range(7):
        for hour in range(_HOURS):
            level = sum(cells.get((weekday, hour), 0) >= edge for edge in edges)
            corner = (hour + gap_x / 2, weekday + gap_y / 2)
            axes.add_patch(
                Rectangle(corner, 1 - gap_x, 1 - gap_y, facecolor=stand_in(HEAT[level]), linewidth=0, clip_on=False)
            )
    hours = range(0, _HOURS + 1, 6 if drawing.narrow else 3)
    drawing.ticks(axes, "x", [*hours], [f"{hour:02}:00" if hour < _HOURS else "" for hour in hours])
    names = [name[:3] for name in WEEKDAYS] if drawing.narrow else WEEKDAYS
    drawing.ticks(axes, "y", [weekday + 0.5 for weekday in range(7)], names)
    return drawing
