"""Bounds how often a password may be guessed: no clock."""

from __future__ import annotations

from typing import Final

__all__ = ["Guesses"]

MAX_GUESSES: Final = 10
"""Wrong passwords from an address for a user name, within a minute."""
PERIOD: Final = 60.0
MAX_REMEMBERED: Final = 10_000


class Guesses:
    """Wrong passwords by address and user name."""

    def __init__(self) -> None:
        self._wrong: dict[tuple[str, str], tuple[float, int, str]] = {}

    def blocked(self, who: tuple[str, str], now: float) -> int:
        """Return for how many seconds no password is checked; 0 if it may be."""
        since, count, _ = self._wrong.get(who, (now, 0, ""))
        rest = since + PERIOD - now
        if rest <= 0:
            self._wrong.pop(who, None)
        return max(int(rest), 1) if count >= MAX_GUESSES and rest > 0 else 0

    def wrong(self, who: tuple[str, str], call_id: str, now: float) -> bool:
        """Count a wrong password; return whether the one before was of the same Call-ID."""
        since, count, former = self._wrong.pop(who, (now, 0, ""))
        while len(self._wrong) >= MAX_REMEMBERED:
            del self._wrong[next(iter(self._wrong))]
        self._wrong[who] = (since, count + 1, call_id)
        return former == call_id

    def right(self, who: tuple[str, str]) -> None:
        """Forget the wrong passwords before a right one."""
        self._wrong.pop(who, None)
