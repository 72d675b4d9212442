"""Seeds of the emulator by which numbers have calls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from didww.emulator.data.cdr import Attempt, Line, cdr_in


def talkative_seed() -> int:
    """A seed of the emulator by which the first London number had a call in the last hours, whatever day it is."""
    now = datetime.now(UTC)
    number = [Line("442079460000", (Attempt("a trunk", "sip:desk@example.com"),))]
    return next(seed for seed in range(1000) if list(cdr_in(number, now - timedelta(hours=23), now, seed)))
