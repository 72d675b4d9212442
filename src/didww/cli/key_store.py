"""The system's key store, through keyring if it is installed."""

from __future__ import annotations

from typing import Any, Final

__all__ = ["delete", "read", "write"]

_SERVICE: Final = "didww"


def _keyring() -> Any:
    """Return the module keyring; None if it is not installed."""
    try:
        import keyring
    except ImportError:
        return None
    return keyring


def read(name: str) -> str | None:
    """Return a key; None if there is none, or if the store cannot be used."""
    keyring = _keyring()
    try:
        key: str | None = None if keyring is None else keyring.get_password(_SERVICE, name)
    except Exception:  # noqa: BLE001 each backend has errors of its own
        return None
    return key


def write(name: str, key: str) -> bool:
    """Store a key, and return whether it can be read again."""
    keyring = _keyring()
    try:
        if keyring is not None:
            keyring.set_password(_SERVICE, name, key)
    except Exception:  # noqa: BLE001 each backend has errors of its own
        return False
    return read(name) == key


def delete(name: str) -> bool:
    """Delete a key, and return whether it is gone."""
    keyring = _keyring()
    try:
        if keyring is not None and keyring.get_password(_SERVICE, name) is not None:
            keyring.delete_password(_SERVICE, name)
    except Exception:  # noqa: BLE001 each backend has errors of its own
        return False
    return True
