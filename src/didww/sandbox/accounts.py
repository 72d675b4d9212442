"""Accounts: one for each API key, made at its first use, and what the key must be."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from didww.sandbox.errors import unauthorized

if TYPE_CHECKING:
    from didww.sandbox.store import Store

__all__ = ["FIRST_BALANCE", "NOBODY", "Accounts"]

NOBODY = 0
"""Owner of what belongs to no account."""
FIRST_BALANCE = "10000.00"
"""Prepaid US dollars of a new account."""


class Accounts:
    """The accounts of a store.

    Args:
        store: Where they are kept; only a hash of a key is, since somebody will use a real one.
        only: The one key that is taken; None for any.
    """

    def __init__(self, store: Store, only: str | None) -> None:
        self._store = store
        self._only = only
        self._known: dict[str, int] = {}

    def owner(self, key: str | None) -> int:
        """The account of `key`.

        Raises:
            Refused: There is no key, or it is not the one.
        """
        if key is None or not key.strip() or (self._only is not None and key != self._only):
            raise unauthorized()
        found = self._known.get(key)
        if found is None:
            found = self._find(hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest())
            if len(self._known) < 10_000:
                self._known[key] = found
        return found

    def _find(self, hashed: str) -> int:
        execute = self._store.connection.execute
        execute("INSERT OR IGNORE INTO accounts (key) VALUES (?)", (hashed,))
        return int(execute("SELECT id FROM accounts WHERE key = ?", (hashed,)).fetchone()[0])

    def forget(self) -> None:
        """Forget what is remembered of the store, since all of it was replaced."""
        self._known.clear()

    def all(self) -> list[int]:
        """Every account there is."""
        return [row[0] for row in self._store.connection.execute("SELECT id FROM accounts ORDER BY id")]
