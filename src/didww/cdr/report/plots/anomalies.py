"""Hours of trunks that are far from the usual, by day and hour."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import stand_in
from didww.cdr.report.drawing import Drawing, named
from didww.cdr.report.numbers import NO_TRUNK, count, day, money
from didww.cdr.report.parts import Column, LegendEntry, Plot, drawn, limited
from didww.cdr.report.scales import day_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = ["MEASURES", "anomalies"]

MEASURES: Final = {
    "cost": ("series-0", "Cost"),
    "failures": ("bad", "Failures"),
    "short_calls": ("series-4", "Short calls"),
}
"""The color and the name of what can be unusual."""
_MEASURED: Final = {"cost": "the cost", "failures": "the failures", "short_calls": "the short calls"}
_MOST_MARKS: Final = 300
_HEIGHT: Final = 250
_SIZES: Final = (6.0, 9.0, 12.0)
"""Diameters, in pixels: up to twice the lowest score shown, up to four times, and more."""


def anomalies(rows: Sequence[Mapping[str, Any]], first: date, last: date) -> Plot | None:
    """Return the plot of what is far from the usual.

    Args:
        rows: Rows with `day`, `hour`, `trunk`, `measure`, `value`, `usual` and `score`, the highest score first.
        first: First day of all records.
        last: Their last day.
    """
    if not rows:
        return None
    marked = rows[:_MOST_MARKS]
    present = [name for name in MEASURES if any(row["measure"] == name for row in rows)]
    hours = {(row["day"], row["hour"], row["trunk"]) for row in rows}  # one can have several measures
    trunks = Counter(_name(trunk) for _, _, trunk in hours)
    most = max(trunks, key=lambda name: (trunks[name], name))
    top = rows[0]
    one = len(hours) == 1
    whose = "trunks" if len(trunks) > 1 else most
    of_most = f", {count(trunks[most])} of them of {most}" if len(trunks) > 1 else ""
    finding = (
        f"{count(len(hours))} {'hour' if one else 'hours'} of {whose} {'is' if one else 'are'} far above the usual"
        f"{of_most}. "
        f"The farthest: {_MEASURED[top['measure']]} of {_name(top['trunk'])} on {_hour(top)}, "
        f"{_amount(top, 'value')} instead of {_amount(top, 'usual')}."
    )
    columns = (
        Column("Hour (UTC)", kind="time"),
        Column("Trunk"),
        Column("Measure"),
        Column("Value", kind="number"),
        Column("Usual", kind="number"),
        Column("Score", kind="number"),
    )
    table = [
        (
            _hour(row),
            _name(row["trunk"]),
            MEASURES[row["measure"]][1],
            _amount(row, "value"),
            _amount(row, "usual"),
            row["score"],
        )
        for row in rows
    ]
    return Plot(
        "anomalies",
        "Unusual hours",
        finding,
        drawn(lambda width: _draw(width, marked, first, last), f"Unusual hours. {finding}"),
        limited(columns, table),
        [LegendEntry(*MEASURES[name]) for name in present],
        "Each mark is an hour of a trunk; a larger mark is farther from the same hour on the other days.",
    )


def _name(trunk: str | None) -> str:
    return named(trunk, NO_TRUNK)


def _hour(row: Mapping[str, Any]) -> str:
    return f"{day(row['day'])}, {row['hour']:02}:00"


def _amount(row: Mapping[str, Any], name: str) -> str:
    """Return an amount of money, or a number with two places at most."""
    return money(row[name]) if row["measure"] == "cost" else f"{row[name]:,.2f}".rstrip("0").rstrip(".")


def _draw(width: int, rows: Sequence[Mapping[str, Any]], first: date, last: date) -> Drawing:
    drawing = Drawing("anomalies", width, _HEIGHT)
    axes = drawing.axes(left=44, bottom=26, top=8, right=8)
    number = (last - first).days + 1
    axes.set_xlim(0, number)
    axes.set_ylim(24, 0)
    least = min(float(row["score"]) for row in rows) or 1
    groups: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for row in rows:
        times = float(row["score"]) / least
        place = ((row["day"] - first).days + 0.5, row["hour"] + 0.5)
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
    ticks = day_ticks(first, last, 4 if drawing.narrow else 9)
    drawing.ticks(axes, "x", [place + 0.5 for place, _ in ticks], [label for _, label in ticks])
    return drawing
