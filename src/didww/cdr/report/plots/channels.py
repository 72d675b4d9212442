"""Calls at the same time, against the capacity."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import stand_in
from didww.cdr.report.drawing import Drawing
from didww.cdr.report.numbers import count, moment
from didww.cdr.report.parts import Column, Plot, drawn, limited
from didww.cdr.report.scales import time_ticks, value_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["channels"]

_HEIGHT: Final = 220
_MOST_HOURS: Final = 24 * 15
"""Up to this number of hours, each is drawn; else the peak of each day."""
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


def channels(rows: Sequence[Mapping[str, Any]], direction: str, capacity: int | None = None) -> Plot | None:
    """Return the plot of the channels in use.

    Args:
        rows: Rows with `time`, the beginning of an hour, and `peak`, the most channels in use in it.
        direction: `inbound` or `outbound`.
        capacity: Number of channels that there are; None if not known.
    """
    if not rows:
        return None
    peaks = {row["time"]: int(row["peak"]) for row in rows}
    start, end = min(peaks), max(peaks) + _HOUR
    top = max(peaks.values())
    when = min(time for time, peak in peaks.items() if peak == top)
    full = 0 if capacity is None else sum(peak >= capacity for peak in peaks.values())
    days: dict[Any, tuple[int, datetime]] = {}
    for time in sorted(peaks):
        if peaks[time] > days.get(time.date(), (-1, time))[0]:
            days[time.date()] = (peaks[time], time)
    title = f"Channels in use, {direction}"
    finding = _finding(top, when, capacity, full)
    name = f"channels-{direction}"
    return Plot(
        name,
        title,
        finding,
        drawn(lambda width: _draw(name, width, peaks, start, end, capacity), f"{title}. {finding}"),
        limited(
            (Column("Day, time of the peak (UTC)", moment, "time"), Column("Peak channels", count, kind="number")),
            [(time, peak) for peak, time in days.values()],
        ),
        notes=f"The most calls at the same time, in each {'hour' if (end - start) / _HOUR <= _MOST_HOURS else 'day'}.",
    )


def _finding(top: int, when: datetime, capacity: int | None, full: int) -> str:
    peak = f"At most {count(top)} channels were in use, first on {moment(when)} UTC."
    if capacity is None:
        return peak
    if not full:
        return f"{peak} The capacity of {count(capacity)} was never reached: {count(capacity - top)} were always free."
    hours = "1 hour" if full == 1 else f"{count(full)} hours"
    return f"{peak} The capacity of {count(capacity)} was reached in {hours}: calls at that time may have been refused."


def _steps(peaks: Mapping[datetime, int], start: datetime, end: datetime) -> tuple[list[int], datetime, timedelta]:
    """Return the peaks of equal steps of time, the beginning of the first one, and their length."""
    step = _HOUR if (end - start) / _HOUR <= _MOST_HOURS else _DAY
    first = start if step == _HOUR else start.replace(hour=0)
    steps = [0] * -((first - end) // step)
    for time, peak in peaks.items():
        place = (time - first) // step
        steps[place] = max(steps[place], peak)
    return steps, first, step


def _draw(
    name: str, width: int, peaks: Mapping[datetime, int], start: datetime, end: datetime, capacity: int | None
) -> Drawing:
    drawing = Drawing(name, width, _HEIGHT)
    axes = drawing.axes(left=44, bottom=26, top=14, right=6)
    steps, first, step = _steps(peaks, start, end)
    levels = value_ticks(max(*steps, capacity or 0, 1), 4, whole=True)
    axes.set_xlim(0, len(steps))
    axes.set_ylim(0, levels[-1])
    axes.stairs(steps, range(len(steps) + 1), fill=True, facecolor=stand_in("good"), linewidth=0)
    if capacity is not None:
        axes.axhline(capacity, color=stand_in("bad"), linewidth=1.5, dashes=(5, 3), clip_on=False)
        above = capacity < levels[-1] * 0.9
        drawing.text(
            axes,
            len(steps),
            capacity + levels[-1] * (0.02 if above else -0.02),
            f"Capacity {count(capacity)}",
            color="bad",
            align="right",
            vertical="bottom" if above else "top",
        )
    drawing.ticks(axes, "y", levels, [count(level) for level in levels], grid=True)
    ticks = time_ticks(first, first + (len(steps) - 1) * step, 4 if drawing.narrow else 9)
    drawing.ticks(axes, "x", [(time - first) / step + 0.5 for time, _ in ticks], [label for _, label in ticks])
    return drawing
