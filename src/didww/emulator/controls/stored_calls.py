"""The simulated calls that are stored, and how many more are generated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.emulator.data.cdr import CALLS_A_DAY

if TYPE_CHECKING:
    from datetime import datetime

    from didww.emulator.engine.session import AccountSession

__all__ = ["TIME_FORMAT", "get_calls_per_day", "get_placed_calls"]

TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


def get_calls_per_day(session: AccountSession) -> float:
    """Return the average number of calls of a number per weekday."""
    return float(session.runtime.store.get_meta("calls_per_day") or CALLS_A_DAY)


def get_placed_calls(
    session: AccountSession, kind: str, lines: set[str], start: datetime, end: datetime
) -> list[tuple[str, str]]:
    """Return the simulated calls of some lines in order of time: time and CSV line."""
    rows = session.runtime.store.connection.execute(
        "SELECT at, row, line FROM calls WHERE owner = ? AND kind = ? AND at >= ? AND at < ? ORDER BY at, id",
        (session.owner, kind, start.strftime(TIME_FORMAT), end.strftime(TIME_FORMAT)),
    )
    return [(at, row) for at, row, line in rows if line in lines]
