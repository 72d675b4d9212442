"""The ledger of calls: what the calls of an account cost, by trunk and number.

Each attempt is entered with its price as a whole number of thousandths of a dollar, before its record is written. The
sums are exact, and independent of the text of exports.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from didww.emulator.data.cdr import Entry, cdr_in, cdr_out

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from didww.emulator.data.cdr import Line, OutLine
    from didww.emulator.engine.session import AccountSession

__all__ = ["Charges", "Ledger", "enter_placed"]

_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
_INTEGER: Final = Decimal(1000)


class Charges(msgspec.Struct, frozen=True):
    """What calls over a trunk cost.

    Attributes:
        direction: `inbound` or `outbound`.
        trunk: Name of the trunk; empty for calls without a route.
        number: The called number, or the number that the trunk called from.
        attempts: Number of attempts, as rows of an export.
        answered: How many of them were answered.
        seconds: Duration of the answered attempts.
        charged: Sum of their prices, in US dollars.
    """

    direction: Literal["inbound", "outbound"]
    trunk: str
    number: str
    attempts: int
    answered: int
    seconds: int
    charged: Decimal


class Ledger:
    """Sums of entries by direction, trunk and number."""

    def __init__(self) -> None:
        self._sums: dict[tuple[Literal["inbound", "outbound"], str, str], list[int]] = {}

    def book(self, direction: Literal["inbound", "outbound"]) -> Callable[[Entry], None]:
        """Return the function that enters the attempts of a direction."""

        def enter(entry: Entry) -> None:
            sums = self._sums.setdefault((direction, entry.trunk, entry.number), [0, 0, 0, 0])
            sums[0] += 1
            sums[1] += entry.answered
            sums[2] += entry.seconds
            sums[3] += entry.price

        return enter

    def add_placed(self, session: AccountSession, kind: str, lines: set[str], start: datetime, end: datetime) -> None:
        """Enter the simulated calls of some lines in a period."""
        rows = session.runtime.store.connection.execute(
            "SELECT line, trunk, number, answered, seconds, price FROM calls JOIN charges ON call = id"
            " WHERE owner = ? AND kind = ? AND at >= ? AND at < ?",
            (session.owner, kind, start.strftime(_FORMAT), end.strftime(_FORMAT)),
        )
        enter = self.book("inbound" if kind == "cdr_in" else "outbound")
        for line, trunk, number, answered, seconds, price in rows:
            if line in lines:
                enter(Entry(trunk, number, bool(answered), seconds, price))

    def add_generated(
        self, lines: list[Line], trunks: list[OutLine], start: datetime, end: datetime, seed: int, a_day: float
    ) -> None:
        """Enter the calls that the emulator generates in a period."""
        generated: tuple[Any, ...] = (
            cdr_in(lines, start, end, seed, a_day, self.book("inbound")),
            cdr_out(trunks, start, end, seed, a_day, self.book("outbound")),
        )
        for calls in generated:
            deque(calls, maxlen=0)

    def charges(self) -> list[Charges]:
        """Return the sums, in order of direction, trunk and number."""
        return [
            Charges(*key, attempts, answered, seconds, price / _INTEGER)
            for key, (attempts, answered, seconds, price) in sorted(self._sums.items())
        ]


def enter_placed(session: AccountSession, call: int, entry: Entry) -> None:
    """Enter the price of a simulated call, by the id of its row."""
    session.runtime.store.connection.execute(
        "INSERT INTO charges (call, trunk, number, answered, seconds, price) VALUES (?, ?, ?, ?, ?, ?)", (call, *entry)
    )
