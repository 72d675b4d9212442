"""Failed attempts by trunk and hour of the day, as a map of cells."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.cells import HOURS, draw_cells, hours
from didww.cdr.report.colors import FAILING
from didww.cdr.report.numbers import NO_TRUNK, NONE, TO, count, percent
from didww.cdr.report.parts import Column, LegendEntry, Plot, drawn, limited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["failures"]

_MOST: Final = 12
_FEW: Final = 5
"""Cells with fewer attempts are left empty: their ratio says nothing."""
_ENOUGH: Final = 20
"""Attempts of a cell before it is worth a word."""
_EDGES: Final = (0.05, 0.15, 0.3, 0.5, 0.75)
"""The first share of each color after that of none."""


def failures(rows: Sequence[Mapping[str, Any]], direction: str) -> Plot | None:
    """Return the plot of the failed attempts of the trunks of a direction at each hour.

    Args:
        rows: Rows with `trunk`, `hour` (UTC), `attempts` and `answered`. Those without a trunk are left out.
        direction: `inbound` or `outbound`.
    """
    cells = {(row["trunk"], row["hour"]): (row["attempts"], row["attempts"] - row["answered"]) for row in rows}
    totals = Counter[str]()
    for (trunk, _), (attempts, _) in cells.items():
        if trunk:
            totals[trunk] += attempts
    if not totals:
        return None
    ordered = sorted(totals, key=lambda trunk: (-totals[trunk], trunk))
    shown = ordered[:_MOST]

    def color(row: int, hour: int) -> str | None:
        attempts, failed = cells.get((shown[row], hour), (0, 0))
        return FAILING[bisect_right(_EDGES, failed / attempts)] if attempts >= _FEW else None

    name = f"failures-{direction}"
    title = f"Failed attempts by hour and {direction} trunk"
    finding = _finding(cells)
    columns = (
        Column("Trunk"),
        *(Column(f"{hour:02}", _share, "number") for hour in range(HOURS)),
    )
    table = [(trunk, *(cells.get((trunk, hour), (0, 0)) for hour in range(HOURS))) for trunk in ordered]
    others = f" The {count(_MOST)} trunks with the most attempts are drawn." if len(ordered) > _MOST else ""
    return Plot(
        name,
        title,
        finding,
        drawn(lambda width: draw_cells(name, width, shown, color), f"{title}. {finding}"),
        limited(columns, table),
        [LegendEntry(each, label) for each, label in zip(FAILING, _ranges(), strict=True)],
        f"Share of the attempts of an hour that were not answered. Hours in UTC.{others}",
    )


def _share(value: tuple[int, int]) -> str:
    attempts, failed = value
    return f"{failed / attempts:.0%}" if attempts else NONE


def _ranges() -> list[str]:
    """Return what each color stands for."""
    first, *_, last = _EDGES
    between = [f"{low:.0%}{TO}{high:.0%}" for low, high in pairwise(_EDGES)]
    return [f"below {first:.0%}", *between, f"{last:.0%} or more"]


def _finding(cells: Mapping[tuple[str | None, int], tuple[int, int]]) -> str:
    counted = {place: cell for place, cell in cells.items() if place[0] and cell[0] >= _ENOUGH}
    if not counted:
        return f"No hour of a trunk has {count(_ENOUGH)} attempts or more."
    worst = max(counted, key=lambda place: (counted[place][1] / counted[place][0], place[0] or NO_TRUNK, place[1]))
    attempts, failed = counted[worst]
    return (
        f"{worst[0]} fails most between {hours(worst[1]).replace(TO, ' and ')} UTC: {percent(failed, attempts)} of "
        f"{count(attempts)} attempts were not answered. {_usual(counted, worst)}"
    ).strip()


def _usual(cells: Mapping[tuple[str | None, int], tuple[int, int]], worst: tuple[str | None, int]) -> str:
    """Return what the trunk does at its other hours."""
    others = [cell for (trunk, hour), cell in cells.items() if trunk == worst[0] and hour != worst[1]]
    attempts, failed = (sum(cell[place] for cell in others) for place in (0, 1))
    return f"At its other hours, {percent(failed, attempts)} were not." if attempts else ""
