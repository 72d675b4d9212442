"""Disconnect codes of the attempts that were not answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.bars import Bar, Panel, Row, draw_bars
from didww.cdr.report.drawing import named
from didww.cdr.report.numbers import compact, count, percent
from didww.cdr.report.parts import Column, Plot, drawn, limited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["codes"]

_MOST: Final = 10
_REASONS: Final = {
    "400": "Bad request",
    "401": "Unauthorized",
    "402": "Payment required",
    "403": "Forbidden",
    "404": "Not found",
    "407": "Proxy authentication required",
    "408": "Request timeout",
    "410": "Gone",
    "415": "Unsupported media type",
    "480": "Temporarily unavailable",
    "481": "Call does not exist",
    "482": "Loop detected",
    "483": "Too many hops",
    "484": "Address incomplete",
    "486": "Busy here",
    "487": "Request terminated",
    "488": "Not acceptable here",
    "500": "Server internal error",
    "501": "Not implemented",
    "502": "Bad gateway",
    "503": "Service unavailable",
    "504": "Server timeout",
    "600": "Busy everywhere",
    "603": "Decline",
    "604": "Does not exist anywhere",
    "606": "Not acceptable",
}
"""SIP response codes (RFC 3261)."""


def codes(rows: Sequence[Mapping[str, Any]], direction: str) -> Plot | None:
    """Return the plot of the disconnect codes of a direction.

    Args:
        rows: Rows with `disconnect_code`, `attempts` and `answered`.
        direction: `inbound` or `outbound`.
    """
    ordered = sorted(rows, key=lambda row: (-_failed(row), -row["attempts"], row["disconnect_code"] or ""))
    total = sum(row["attempts"] for row in ordered)
    failing = [(_name(row["disconnect_code"]), _failed(row)) for row in ordered if _failed(row)]
    failed = sum(number for _, number in failing)
    if not failing:
        return None
    shown = failing if len(failing) <= _MOST + 1 else failing[:_MOST]
    rest = failing[len(shown) :]
    bars = [Row(name, compact(number), [Bar(number, percent(number, failed))]) for name, number in shown]
    if rest:
        number = sum(number for _, number in rest)
        bars.append(
            Row(f"{count(len(rest))} others", compact(number), [Bar(number, percent(number, failed))], rest=True)
        )
    title = f"Why {direction} attempts failed"
    finding = (
        f"{count(failed)} of {count(total)} attempts ({percent(failed, total)}) were not answered; "
        f"{percent(failing[0][1], failed)} of these with {failing[0][0]}."
    )
    name = f"codes-{direction}"
    panels = (Panel("Share of failed attempts", "bad", max(row.bars[0].value or 0 for row in bars)),)
    columns = (
        Column("Disconnect code"),
        Column("Attempts", count, kind="number"),
        Column("Answered", count, kind="number"),
        Column("Not answered", count, kind="number"),
    )
    return Plot(
        name,
        title,
        finding,
        drawn(lambda width: draw_bars(name, width, panels, bars, "Attempts"), f"{title}. {finding}"),
        limited(
            columns,
            [(_name(row["disconnect_code"]), row["attempts"], row["answered"], _failed(row)) for row in ordered],
        ),
    )


def _failed(row: Mapping[str, Any]) -> int:
    return int(row["attempts"]) - int(row["answered"])


def _name(code: str | None) -> str:
    return named(f"{code} {_REASONS.get(code, '')}".strip() if code else None, "(no code)")
