"""Answer ratio and average duration by trunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.bars import Bar, Panel, Row, draw_bars
from didww.cdr.report.drawing import named
from didww.cdr.report.numbers import NO_TRUNK, NONE, compact, count, duration, money, percent
from didww.cdr.report.parts import Column, Plot, drawn, limited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["trunks"]

_MOST: Final = 12
_ENOUGH: Final = 30
"""Attempts of a trunk before its ratio is worth a word."""


def trunks(rows: Sequence[Mapping[str, Any]], direction: str) -> Plot | None:
    """Return the plot of the trunks of a direction.

    Args:
        rows: Rows with `trunk`, `attempts`, `answered`, `minutes` and `cost`.
        direction: `inbound` or `outbound`.
    """
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: (-row["attempts"], row["trunk"] or ""))
    shown = ordered if len(ordered) <= _MOST + 1 else ordered[:_MOST]
    rest = ordered[len(shown) :]
    lines = [(_name(row["trunk"]), row, False) for row in shown]
    if rest:
        lines.append((f"{count(len(rest))} others", _sum(rest), True))
    longest = max((_average(row) or 0 for _, row, _ in lines), default=0)
    panels = (Panel("Answered", "good", 1), Panel("Average duration", "series-2", longest))
    bars = [Row(name, compact(row["attempts"]), _bars(row), is_rest) for name, row, is_rest in lines]
    title = f"Answer ratio and duration by {direction} trunk"
    finding = _finding(ordered)
    name = f"trunks-{direction}"
    columns = (
        Column("Trunk"),
        Column("Attempts", count, kind="number"),
        Column("Answered", count, kind="number"),
        Column("Answer ratio", kind="number"),
        Column("Average duration", kind="number"),
        Column("Minutes", count, kind="number"),
        Column("Cost", money, kind="number"),
    )
    return Plot(
        name,
        title,
        finding,
        drawn(lambda width: draw_bars(name, width, panels, bars, "Attempts"), f"{title}. {finding}"),
        limited(columns, [_line(row) for row in ordered]),
        notes="Each attempt to reach a trunk counts, answered or not." if direction == "inbound" else "",
    )


def _name(trunk: str | None) -> str:
    return named(trunk, NO_TRUNK)


def _average(row: Mapping[str, Any]) -> float | None:
    return float(row["minutes"]) * 60 / int(row["answered"]) if row["answered"] else None


def _bars(row: Mapping[str, Any]) -> tuple[Bar, Bar]:
    average = _average(row)
    ratio = int(row["answered"]) / int(row["attempts"]) if row["attempts"] else None
    return (
        Bar(ratio, percent(row["answered"], row["attempts"])),
        Bar(average, NONE if average is None else _clock(average)),
    )


def _clock(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _line(row: Mapping[str, Any]) -> tuple[Any, ...]:
    average = _average(row)
    return (
        _name(row["trunk"]),
        row["attempts"],
        row["answered"],
        percent(row["answered"], row["attempts"]),
        NONE if average is None else duration(average),
        row["minutes"],
        row["cost"],
    )


def _sum(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: sum(row[name] or 0 for row in rows) for name in ("attempts", "answered", "minutes", "cost")}


def _finding(rows: Sequence[Mapping[str, Any]]) -> str:
    total = _sum(rows)
    overall = f"{percent(total['answered'], total['attempts'])} of {count(total['attempts'])} attempts were answered."
    known = [row for row in rows if row["trunk"] and row["attempts"] >= _ENOUGH]
    if len(known) < 2:
        return overall
    worst = min(known, key=lambda row: (int(row["answered"]) / int(row["attempts"]), row["trunk"]))
    return f"{overall} {_name(worst['trunk'])} has the lowest ratio, {percent(worst['answered'], worst['attempts'])}."
