"""Hours of trunks that are far from the usual, by day and hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import stand_in
from didww.cdr.report.drawing import Drawing
from didww.cdr.report.numbers import count, moment
from didww.cdr.report.parts import Column, LegendEntry, Plot, drawn, limited
from didww.cdr.report.scales import time_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MEASURES", "anomalies"]

MEASURES: Final = {
    "cost": ("series-0", "Cost"),
    "failures": ("bad", "Failures"),
    "short_calls": ("series-4", "Short calls"),
}
"""The color and the name of what can be unusual."""
_MOST_MARKS: Final = 300
_HEIGHT: Final = 250
_SIZES: Final = (6.0, 9.0, 12.0)
"""Diameters, in pixels: up to twice the distance of the least anomaly shown, up to four times, and more."""


def anomalies(rows: Sequence[Mapping[str, Any]], start: datetime, end: datetime) -> Plot | None:
    """Return the plot of what is far from the usual.

    Args:
        rows: Rows with `time` (beginning of an hour), `trunk`, `measure`, `value`, `usual` and `distance` (in standard
            deviations), the farthest first.
        start: Beginning of all records.
        end: Their end.
    """
    if not rows:
        return None
    marked = rows[:_MOST_MARKS]
    present = [name for name in MEASURES if any(row["measure"] == name for row in rows)]
    trunks: dict[str, int] = {}
    for row in rows:
        trunks[row["trunk"] or "(no trunk)"] = trunks.get(row["trunk"] or "(no trunk)", 0) + 1
    most = max(trunks, key=lambda name: (trunks[name], name))
    first = rows[0]
    finding = (
        f"{count(len(rows))} hours of trunks are far from the usual, {count(trunks[most])} of them of {most}. "
        f"The farthest is {MEASURES[first['measure']][1].lower()} of {first['trunk'] or '(no trunk)'} on "
        f"{moment(first['time'])} UTC: {_amount(first['value'])}, usually {_amount(first['usual'])}."
    )
    columns = (
        Column("Hour (UTC)", moment, "time"),
        Column("Trunk"),
        Column("Measure"),
        Column("Value", _amount, kind="number"),
        Column("Usual", _amount, kind="number"),
        Column("Standard deviations", _distance, kind="number"),
    )
    table = [
        (
            row["time"],
            row["trunk"] or "(no trunk)",
            MEASURES[row["measure"]][1],
            row["value"],
            row["usual"],
            row["distance"],
        )
        for row in rows
    ]
    return Plot(
        "anomalies",
        "Unusual hours",
        finding,
        drawn(lambda width: _draw(width, marked, start, end), f"Unusual hours. {finding}"),
        limited(columns, table),
        [LegendEntry(*MEASURES[name]) for name in present],
        "Each mark is an hour of a trunk; a larger mark is farther from the same hour on other days.",
    )


def _distance(value: Any) -> str:
    return f"{value:,.1f}"


def _amount(value: Any) -> str:
    """Return a number with as many places as it needs, and two at most."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def _draw(width: int, rows: Sequence[Mapping[str, Any]], start: datetime, end: datetime) -> Drawing:
    drawing = Drawing("anomalies", width, _HEIGHT)
    axes = drawing.axes(left=44, bottom=26, top=8, right=8)
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    number = (end - first).days + 1
    axes.set_xlim(0, number)
    axes.set_ylim(24, 0)
    least = min(abs(float(row["distance"])) for row in rows) or 1
    groups: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for row in rows:
        times = abs(float(row["distance"])) / least
        place = ((row["time"] - first) // timedelta(days=1) + 0.5, row["time"].hour + 0.5)
        groups.setdefault((row["measure"], (times > 2) + (times > 4)), []).append(place)
    for (measure, size), places in groups.items():
        axes.plot(
            *zip(*places, strict=True),
            linestyle="none",
            marker="o",
            markersize=_SIZES[size],
            markerfacecolor=stand_in(MEASURES[measure][0]),
            markeredgecolor=stand_in("page"),
            markeredgewidth=1,
            clip_on=False,
        )
    drawing.ticks(axes, "y", range(0, 25, 6), [f"{hour:02}:00" for hour in range(0, 25, 6)], grid=True)
    ticks = time_ticks(first, first + timedelta(days=number - 1), 4 if drawing.narrow else 9)
    drawing.ticks(axes, "x", [(time - first).days + 0.5 for time, _ in ticks], [label for _, label in ticks])
    return drawing
