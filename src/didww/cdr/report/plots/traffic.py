"""Traffic by hour and weekday, as a map of cells."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.cells import HOURS, draw_cells, hours
from didww.cdr.report.colors import HEAT
from didww.cdr.report.drawing import WIDE
from didww.cdr.report.numbers import TO, WEEKDAYS, count, percent
from didww.cdr.report.parts import Column, LegendEntry, Plot, Table, drawn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["edges_of", "ranges_of", "traffic"]

_DAYS: Final = len(WEEKDAYS)


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
        f"The busiest hour is {WEEKDAYS[busiest[0]]}, {hours(busiest[1])}, with {count(most)} calls. "
        f"{percent(night, total)} of the calls come between 22:00 and 06:00 UTC."
    )
    edges = edges_of(most)

    def color(weekday: int, hour: int) -> str:
        return HEAT[bisect_right(edges, cells.get((weekday, hour), 0))]

    columns = (Column("Hour (UTC)", kind="time"), *(Column(name, count, kind="number") for name in WEEKDAYS))
    table = [(hours(hour), *(cells.get((weekday, hour), 0) for weekday in range(_DAYS))) for hour in range(HOURS)]
    return Plot(
        "traffic",
        "Calls by hour and weekday",
        finding,
        drawn(
            lambda width: draw_cells("traffic", width, _names(width), color), f"Calls by hour and weekday. {finding}"
        ),
        Table(columns, table),
        [LegendEntry(color, label) for color, label in zip(HEAT, ranges_of(edges), strict=False)],
    )


def _names(width: int) -> Sequence[str]:
    return WEEKDAYS if width == WIDE else [name[:3] for name in WEEKDAYS]


def edges_of(most: int) -> list[int]:
    """Return the first number of calls of each color after that of none."""
    colors = len(HEAT) - 1
    return sorted({1 + most * step // colors for step in range(colors)})


def ranges_of(edges: Sequence[int]) -> list[str]:
    """Return what each color stands for."""
    ends = [f"{edge:,}" if after == edge + 1 else f"{edge:,}{TO}{after - 1:,}" for edge, after in pairwise(edges)]
    return ["0", *ends, f"{edges[-1]:,} or more"]
