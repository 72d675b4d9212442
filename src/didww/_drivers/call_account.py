"""Which account the call records in a directory are of: the last export that one of them was in, of all types.

It is in a file of its own, as each type of call records has its own state, which can be in use for long.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from didww._core.call_account import LastExport
from didww._drivers.state_file import StateFile
from didww._util.fork import in_sqlite

__all__ = ["AccountState"]

_TIME: Final = "%Y-%m-%d %H:%M:%S"


class AccountState(StateFile):
    """The last export of a directory."""

    tables = "CREATE TABLE IF NOT EXISTS last (origin TEXT NOT NULL, export TEXT NOT NULL, created_at TEXT NOT NULL)"

    def last(self) -> LastExport | None:
        """Return the last export; None if there was none."""
        found = self._rows("SELECT origin, export, created_at FROM last ORDER BY created_at DESC LIMIT 1")
        if not found:
            return None
        origin, export, created_at = found[0]
        return LastExport(origin, export, datetime.strptime(created_at, _TIME).replace(tzinfo=UTC))

    def set_last(self, last: LastExport) -> None:
        """Note an export, unless a later one is noted."""
        created_at = f"{last.created_at:{_TIME}}"
        with in_sqlite, self.transaction():  # so that no other thread waits for this one with that lock
            later = self._rows("SELECT 1 FROM last WHERE created_at > ?", created_at)
            if not later:
                self._rows("DELETE FROM last")
                self._rows(
                    "INSERT INTO last (origin, export, created_at) VALUES (?, ?, ?)",
                    *(last.origin, last.export_id, created_at),
                )
