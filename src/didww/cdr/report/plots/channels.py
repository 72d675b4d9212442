"""Calls at the same time, against the capacity."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import stand_in
from didww.cdr.report.drawing import Drawing
from didww.cdr.report.numbers import count, day, duration, moment
from didww.cdr.report.parts import Column, Plot, drawn, limited
from didww.cdr.report.scales import day_ticks, time_ticks, value_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["STEPS", "channels"]

STEPS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
"""The steps of time that can be drawn."""
_HEIGHT: Final = 220


def channels(
    rows: Sequence[Mapping[str, Any]],
    direction: str,
    every: str,
    capacity: int | None = None,
    whole: Mapping[str, Any] | None = None,
) -> Plot | None:
    """Return the plot of the channels in use.

    Args:
        rows: Rows with `time`, the beginning of a step, `peak`, the most channels in use in it, and `peak_at`; with a
            capacity, `times_full` and `full_seconds`, too.
        direction: `inbound` or `outbound`.
        every: The step, `hour` or `day`.
        capacity: Number of channels that there are; None if not known.
        whole: The row of all times, if the rows are only those of the last ones.
    """
    found = rows if whole is None else [whole]
    top = max((row["peak"] for row in found), default=0)
    if not top:
        return None
    finding = _finding(found, top, capacity)
    columns = [
        Column(f"{every.capitalize()} (UTC)", moment, "time"),
        Column("Peak channels", count, "number"),
        Column("Time of the peak", moment, "time"),
    ]
    if capacity is not None:
        columns.append(Column("At capacity", duration, "number"))
    table = [
        (row["time"], row["peak"], row["peak_at"], *([row["full_seconds"]] if capacity is not None else []))
        for row in rows
    ]
    title = f"Channels in use, {direction}"
    name = f"channels-{direction}"
    notes = f"The most calls at the same time in each {every}" if rows else ""
    since = f" since {day(rows[0]['time'])}" if rows and whole is not None else ""
    return Plot(
        name,
        title,
        finding,
        drawn(lambda width: _draw(name, width, rows, STEPS[every], capacity), f"{title}. {finding}") if rows else (),
        limited(columns, table),
        notes=f"{notes}{since}." if rows else "",
    )


def _finding(rows: Sequence[Mapping[str, Any]], top: int, capacity: int | None) -> str:
    when = next(row["peak_at"] for row in rows if row["peak"] == top)
    peak = f"At most {count(top)} channel{' was' if top == 1 else 's were'} in use, first on {moment(when)} UTC."
    if capacity is None:
        return peak
    if top < capacity:
        free = "1 was" if capacity - top == 1 else f"{count(capacity - top)} were"
        return f"{peak} The capacity of {count(capacity)} was never reached: {free} always free."
    seconds = sum(row["full_seconds"] for row in rows)
    # More calls than channels: the capacity is not that of all these calls.
    full = " Further calls at these times found no channel." if top == capacity else ""
    return (
        f"{peak} The capacity of {count(capacity)} was reached {_times(sum(row['times_full'] for row in rows))}, "
        f"for {duration(seconds)} in all.{full}"
    )


def _times(number: int) -> str:
    return {1: "once", 2: "twice"}.get(number, f"{count(number)} times")


def _steps(rows: Sequence[Mapping[str, Any]], step: timedelta) -> list[int]:
    """Return the peak of each step, from the first to the last one."""
    first = rows[0]["time"]
    peaks = [0] * ((rows[-1]["time"] - first) // step + 1)
    for row in rows:
        peaks[(row["time"] - first) // step] = row["peak"]
    return peaks


def _draw(name: str, width: int, rows: Sequence[Mapping[str, Any]], step: timedelta, capacity: int | None) -> Drawing:
    drawing = Drawing(name, width, _HEIGHT)
    axes = drawing.axes(left=44, bottom=26, top=14, right=6)
    peaks = _steps(rows, step)
    levels = value_ticks(max(*peaks, capacity or 0, 1), 4, whole=True)
    axes.set_xlim(0, len(peaks))
    axes.set_ylim(0, levels[-1])
    axes.stairs(peaks, range(len(peaks) + 1), fill=True, facecolor=stand_in("good"), linewidth=0)
    if capacity is not None:
        _draw_capacity(drawing, axes, len(peaks), capacity, levels[-1])
    drawing.ticks(axes, "y", levels, [count(level) for level in levels], grid=True)
    places, labels = zip(*_ticks(rows[0]["time"], rows[-1]["time"], step, 4 if drawing.narrow else 9), strict=True)
    drawing.ticks(axes, "x", places, labels)
    return drawing


def _ticks(first: datetime, last: datetime, step: timedelta, most: int) -> list[tuple[float, str]]:
    """Return ticks: the middles of days, or the beginnings of hours."""
    if step == STEPS["day"]:
        return [(place + 0.5, label) for place, label in day_ticks(first.date(), last.date(), most)]
    return [((time - first) / step, label) for time, label in time_ticks(first, last + step, most)]


def _draw_capacity(drawing: Drawing, axes: Any, end: int, capacity: int, most: float) -> None:
    axes.axhline(capacity, color=stand_in("bad"), linewidth=1.5, dashes=(5, 3), clip_on=False)
    below = capacity > most * 0.9
    drawing.text(
        axes,
        end,
        capacity - most * 0.02 if below else capacity + most * 0.02,
        f"Capacity {count(capacity)}",
        color="bad",
        align="right",
        vertical="top" if below else "bottom",
    )
