"""Names of accounts, which have only hashes of their keys.

A key may be a real one, so the console never shows one, except `local-key`, which the emulator itself made up.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple

from didww.emulator.console import queries
from didww.emulator.emulator import KEY
from didww.emulator.engine.accounts import FIRST_BALANCE

if TYPE_CHECKING:
    from didww.emulator.emulator import Emulator
    from didww.emulator.engine.session import Runtime

__all__ = ["AccountView", "labels", "list_accounts", "name_of_key"]

_SHOWN: Final = 8
_LOCAL: Final = hashlib.sha256(KEY.encode()).hexdigest()


class AccountView(NamedTuple):
    """An account: its number, name and balance; `hash` is the beginning of the hash of its key."""

    owner: int
    hash: str
    name: str
    balance: str
    credit: str
    total: str


def name_of_key(hashed: str) -> str:
    """Return the name of an account by the hash of its key, or by the beginning of it."""
    if not hashed:
        return "no key"
    return KEY if _LOCAL.startswith(hashed) else f"key {hashed[:_SHOWN]}"


def labels(runtime: Runtime) -> dict[int, str]:
    """Return the names of the accounts, by number."""
    return {account.owner: name_of_key(account.key) for account in queries.accounts(runtime)}


def list_accounts(emulator: Emulator) -> list[AccountView]:
    """Return the accounts that were used, the emulator's own first."""
    with emulator.engine.locked() as runtime:
        own = queries.owner_of_key(runtime, emulator.key)
        found = sorted(queries.accounts(runtime), key=lambda account: account.owner != own)
        views: list[AccountView] = []
        for account in found:
            balance, credit, total = queries.balance_of(runtime, account.owner) or (
                FIRST_BALANCE,
                "0.00",
                FIRST_BALANCE,
            )
            name = name_of_key(account.key)
            views.append(AccountView(account.owner, account.key[:_SHOWN], name, balance, credit, total))
        return views
