"""Accounts, one per API key and created on first use: their features, and their default API version."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from didww._util.suggest import did_you_mean
from didww.emulator.engine.errors import unauthorized
from didww.version import API_VERSION, API_VERSIONS

if TYPE_CHECKING:
    from didww.emulator.engine.engine import Engine
    from didww.emulator.engine.store import Store

__all__ = [
    "FEATURES",
    "FIRST_BALANCE",
    "NOBODY",
    "Accounts",
    "Features",
    "KeyHash",
    "Versions",
    "get_features",
    "hash_key",
    "set_features",
]

NOBODY = 0
"""Owner of records that belong to no account."""
FIRST_BALANCE = "10000.00"
"""Prepaid balance of a new account, in US dollars."""
FEATURES: Final[dict[str, bool]] = {
    "callback_secret": True,
    "emergency_calling": True,
    "outbound_trunks": True,
    "replace_cli": True,
    "randomize_cli": True,
    "ordering": True,
}
"""Features that DIDWW or the user panel enables per account, and their defaults in the emulator.

Without `ordering` an account is in read-only mode. `replace_cli` and `randomize_cli` are actions of outbound trunks.
"""


class KeyHash(str):
    """The hash of a key in place of the key, for the console, which knows no keys. No request can contain one."""

    __slots__ = ()


def hash_key(key: str) -> str:
    """Return the hash of a key, as text."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


class Accounts:
    """The accounts of a store.

    Args:
        store: The store. It keeps only a hash of each key, because somebody will use a real one.
        only: The only key to accept; None accepts any.
    """

    def __init__(self, store: Store, only: str | None) -> None:
        self._store = store
        self._only = only
        self._known: dict[str, int] = {}
        self._by_hash: dict[str, int] = {}  # apart from the keys: a hash is no key
        self._versions: dict[int, str] = {}

    def owner(self, key: str | None) -> int:
        """Return the account of `key`.

        Raises:
            HttpError: The key is missing or not accepted (401).
        """
        if isinstance(key, KeyHash):
            return self._find(str(key))
        if key is None or not key.strip() or (self._only is not None and key != self._only):
            raise unauthorized()
        account = self._known.get(key)
        return self._remembered(self._known, key, hash_key(key)) if account is None else account

    def owner_of_hash(self, hashed: str) -> int | None:
        """Return the account of the key with this hash; None if the key is not accepted."""
        account = self._by_hash.get(hashed)
        if account is not None:
            return account
        if self._only is not None and hashed != hash_key(self._only):
            return None
        return self._remembered(self._by_hash, hashed, hashed)

    def _remembered(self, known: dict[str, int], name: str, hashed: str) -> int:
        account = self._find(hashed)
        if len(known) < 10_000:
            known[name] = account
        return account

    def _find(self, hashed: str) -> int:
        execute = self._store.connection.execute
        execute("INSERT OR IGNORE INTO accounts (key) VALUES (?)", (hashed,))
        return int(execute("SELECT id FROM accounts WHERE key = ?", (hashed,)).fetchone()[0])

    def default_version(self, owner: int) -> str:
        """Return the default API version of an account."""
        version = self._versions.get(owner)
        if version is None:
            version = self._versions[owner] = self._store.get_meta(f"version/{owner}") or API_VERSION
        return version

    def set_default_version(self, owner: int, version: str) -> None:
        """Set the default API version of an account."""
        self._store.set_meta(f"version/{owner}", version)
        self._versions[owner] = version

    def forget(self) -> None:
        """Clear the cache after the store was replaced."""
        self._known.clear()
        self._by_hash.clear()
        self._versions.clear()


def get_features(store: Store, owner: int) -> dict[str, bool]:
    """Return the features of an account and whether each is enabled."""
    kept = store.get_meta(f"features/{owner}")
    return {**FEATURES, **(msgspec.json.decode(kept) if kept else {})}


def set_features(store: Store, owner: int, features: object) -> dict[str, bool]:
    """Enable or disable features of an account; others are unchanged.

    Raises:
        ValueError: A feature is unknown, or a value is not a boolean.
    """
    if not isinstance(features, Mapping):
        raise ValueError(f"features must be names with true or false, got {features!r}.")  # noqa: TRY004 data from a file
    wanted = cast("Mapping[Any, object]", features)
    for name, enabled in wanted.items():
        if name not in FEATURES:
            guess = did_you_mean(name, FEATURES)
            raise ValueError(f"features: {name!r} is not a feature; valid names are {', '.join(FEATURES)}.{guess}")
        if not isinstance(enabled, bool):
            raise ValueError(f"features: {name} must be true or false, got {enabled!r}.")  # noqa: TRY004 data from a file
    now = {**get_features(store, owner), **wanted}
    store.set_meta(f"features/{owner}", msgspec.json.encode(now).decode())
    return get_features(store, owner)


class Features:
    """Features of accounts: `emulator.features`.

    An account without a feature gets 403 where the service responds with 403; without an enabled callback secret, it
    receives no callbacks.

    Args:
        engine: The engine.
        default_key: The default account.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, *, api_key: str | None = None) -> dict[str, bool]:
        """Return the features of an account and whether each is enabled.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        with self._engine.locked() as runtime:
            return get_features(runtime.store, self._engine.session(api_key or self._default_key).owner)

    def put(self, features: dict[str, bool], *, api_key: str | None = None) -> dict[str, bool]:
        """Enable or disable features of an account; others are unchanged.

        Args:
            features: Whether each feature is enabled, such as `{"emergency_calling": False}`.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: A feature is unknown, or a value is not a boolean.
        """
        with self._engine.locked() as runtime:
            return set_features(runtime.store, self._engine.session(api_key or self._default_key).owner, features)


class Versions:
    """Default API versions of accounts: `emulator.versions`.

    DIDWW moves accounts to a newer version over time. An account that was moved gets 401 for its API key on ordinary
    calls, whatever version they ask for: it needs tokens.

    Args:
        engine: The engine.
        default_key: The default account.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, *, api_key: str | None = None) -> str:
        """Return the default API version of an account.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        with self._engine.locked():
            return self._engine.accounts.default_version(self._engine.session(api_key or self._default_key).owner)

    def set(self, version: str, *, api_key: str | None = None) -> str:
        """Set the default API version of an account, and return it.

        Args:
            version: The version, such as `2026-11-19`.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: The emulator does not serve this version.
        """
        if version not in API_VERSIONS:
            raise ValueError(f"version must be {' or '.join(API_VERSIONS)}, got {version!r}.")
        with self._engine.locked():
            self._engine.accounts.set_default_version(self._engine.session(api_key or self._default_key).owner, version)
        return version
