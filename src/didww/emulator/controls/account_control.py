"""What the controls of accounts share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.session import AccountSession

__all__ = ["AccountControl"]


class AccountControl:
    """A control of accounts.

    Args:
        engine: The engine.
        default_key: The default account.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def _session(self, api_key: str | None) -> AccountSession:
        """Return an account, for use while the engine is locked."""
        return self._engine.session(api_key or self._default_key)

    def _set_rate(self, name: str, a_day: float) -> float:
        """Set how much is generated a day.

        Raises:
            ValueError: `a_day` is out of range.
        """
        if not (math.isfinite(a_day) and 0 <= a_day <= 5000):
            raise ValueError(f"a_day must be from 0 to 5000, got {a_day!r}.")
        with self._engine.locked() as runtime:
            runtime.store.set_meta(name, str(float(a_day)))
        return a_day
