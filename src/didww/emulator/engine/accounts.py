"""Accounts: one for each API key, made at its first use, what the key must be, and which features an account has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from didww._util.suggest import did_you_mean
from didww.emulator.engine.errors import unauthorized

if TYPE_CHECKING:
    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.store import Store

__all__ = ["FEATURES", "FIRST_BALANCE", "NOBODY", "Accounts", "Features", "get_features", "set_features"]

NOBODY = 0
"""Owner of what belongs to no account."""
FIRST_BALANCE = "10000.00"
"""Prepaid US dollars of a new account."""
FEATURES: Final[dict[str, bool]] = {
    "callback_secret": True,
    "emergency_calling": True,
    "outbound_trunks": True,
    "replace_cli": True,
    "randomize_cli": True,
    "ordering": True,
}
"""What DIDWW or the user panel enables for an account, and whether a new account of the emulator has it.

Without `ordering` an account is in read-only mode. `replace_cli` and `randomize_cli` are actions of outbound trunks.
"""


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
            HttpError: There is no key, or it is not the one.
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


def get_features(store: Store, owner: int) -> dict[str, bool]:
    """Return the features of an account, and whether each is enabled."""
    kept = store.get_meta(f"features/{owner}")
    return {**FEATURES, **(msgspec.json.decode(kept) if kept else {})}


def set_features(store: Store, owner: int, features: object) -> dict[str, bool]:
    """Enable and disable features of an account; the others stay as they are.

    Raises:
        ValueError: There is no such feature, or a value is not a boolean.
    """
    if not isinstance(features, Mapping):
        raise ValueError(f"features must be names with true or false, got {features!r}.")  # noqa: TRY004 what a file holds
    wanted = cast("Mapping[Any, object]", features)
    for name, enabled in wanted.items():
        if name not in FEATURES:
            guess = did_you_mean(name, FEATURES)
            raise ValueError(f"features: {name!r} is not a feature; there are {', '.join(FEATURES)}.{guess}")
        if not isinstance(enabled, bool):
            raise ValueError(f"features: {name} must be true or false, got {enabled!r}.")  # noqa: TRY004 what a file holds
    now = {**get_features(store, owner), **wanted}
    store.set_meta(f"features/{owner}", msgspec.json.encode(now).decode())
    return get_features(store, owner)


class Features:
    """Features of accounts: `emulator.features`.

    An account without a feature gets 403 where the service would answer 403; without an enabled callback secret, no
    callbacks are sent to it.

    Args:
        engine: The engine.
        default_key: The default account.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, *, api_key: str | None = None) -> dict[str, bool]:
        """Return the features of an account, and whether each is enabled.

        Args:
            api_key: Whose; defaults to the emulator's own account.
        """
        with self._engine.locked() as runtime:
            return get_features(runtime.store, self._engine.session(api_key or self._default_key).owner)

    def put(self, features: dict[str, bool], *, api_key: str | None = None) -> dict[str, bool]:
        """Enable and disable features of an account; the others stay as they are.

        Args:
            features: By name, whether it is enabled, as in `{"emergency_calling": False}`.
            api_key: Whose; defaults to the emulator's own account.

        Raises:
            ValueError: There is no such feature, or a value is not a boolean.
        """
        with self._engine.locked() as runtime:
            return set_features(runtime.store, self._engine.session(api_key or self._default_key).owner, features)
