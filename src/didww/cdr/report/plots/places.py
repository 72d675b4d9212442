"""Places with calls for the first time, and numbers whose calls reach no trunk: tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cdr.report.drawing import named
from didww.cdr.report.numbers import count, day, moment, money
from didww.cdr.report.parts import Column, Plot, limited

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

__all__ = ["new_places", "unrouted"]

_FROM_OR_TO = {"inbound": "from", "outbound": "to"}


def new_places(rows: Sequence[Mapping[str, Any]], since: datetime) -> Plot | None:
    """Return the table of the places that had no calls before a time.

    Args:
        rows: Rows with `direction`, `place`, `first_call`, `attempts`, `numbers` and `cost`.
        since: The time.
    """
    if not rows:
        return None
    names = [f"{_FROM_OR_TO[row['direction']]} {named(row['place'], '')}" for row in rows]
    columns = (
        Column("Calls"),
        Column("First call (UTC)", moment, "time"),
        Column("Attempts", count, "number"),
        Column("Your numbers", count, "number"),
        Column("Cost", money, "number"),
    )
    table = [
        (name, row["first_call"], row["attempts"], row["numbers"], row["cost"])
        for name, row in zip(names, rows, strict=True)
    ]
    if len(rows) == 1:
        finding = f"Calls {names[0]} are new: the first one was on {moment(rows[0]['first_call'])} UTC."
    else:
        finding = f"{count(len(rows))} places have their first calls since {day(since)}. Most expensive: {names[0]}."
    return Plot("places", "New places", finding, (), limited(columns, table, open=True))


def unrouted(rows: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Return the table of the numbers whose calls reached no trunk.

    Args:
        rows: Rows with `number`, `calls`, `callers`, `first_call` and `last_call`.
    """
    if not rows:
        return None
    columns = (
        Column("Number"),
        Column("Calls", count, "number"),
        Column("Callers", count, "number"),
        Column("First call (UTC)", moment, "time"),
        Column("Last call (UTC)", moment, "time"),
    )
    table = [
        (named(row["number"], "(no number)"), row["calls"], row["callers"], row["first_call"], row["last_call"])
        for row in rows
    ]
    total = sum(row["calls"] for row in rows)
    calls = "1 call" if total == 1 else f"{count(total)} calls"
    numbers = "1 number" if len(rows) == 1 else f"{count(len(rows))} numbers"
    return Plot(
        "unrouted",
        "Calls that reached no trunk",
        f"{calls} to {numbers}. Assign a trunk or a trunk group to each number.",
        (),
        limited(columns, table, open=True),
    )
