"""The money of accounts, put from outside, and how they are billed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import msgspec

from didww.emulator.controls.seeding import put_balance
from didww.emulator.engine.accounts import FIRST_BALANCE

if TYPE_CHECKING:
    from didww.emulator.engine.engine import Engine

__all__ = ["Balance", "Money", "Terms"]


class Money(msgspec.Struct, frozen=True):
    """What an account can spend, in US dollars.

    Attributes:
        balance: Prepaid.
        credit: What may be spent beyond it.
        total_balance: Both together.
    """

    balance: str
    credit: str
    total_balance: str


class Terms(msgspec.Struct, frozen=True):
    """How accounts are billed.

    Attributes:
        vat: Percent on top of prices.
    """

    vat: str


class Balance:
    """Money of accounts: `emulator.balance`.

    Args:
        engine: The engine.
        default_key: The default account.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, *, api_key: str | None = None) -> Money:
        """What an account can spend.

        Args:
            api_key: Whose; defaults to the emulator's own account.
        """
        with self._engine.locked() as runtime:
            session = self._engine.session(api_key or self._default_key)
            if not runtime.store.filled("balances", session.owner):  # looking makes nothing
                return Money(FIRST_BALANCE, "0.00", FIRST_BALANCE)
            record = session.find("balances", limit=1)[0]
        return Money(record["balance"], record["credit"], record["total_balance"])

    def put(
        self, balance: str | float | Decimal, *, credit: str | float | Decimal | None = None, api_key: str | None = None
    ) -> Money:
        """Set what an account has.

        Args:
            balance: Prepaid money, in US dollars.
            credit: Credit limit. Defaults to the present one.
            api_key: Whose; defaults to the emulator's own account.

        Raises:
            ValueError: It is no amount.
        """
        with self._engine.locked() as runtime:
            session = self._engine.session(api_key or self._default_key)
            runtime.run_in_transaction(lambda: put_balance(session, balance, credit))
        return self.show(api_key=api_key)

    def terms(self, *, vat: str | float | Decimal | None = None) -> Terms:
        """Set how accounts are billed from now on; what is left out stays.

        Args:
            vat: Percent that amounts hold on top of the prices; 0 from the start.

        Raises:
            ValueError: It is no percentage from 0 to 100.
        """
        with self._engine.locked() as runtime:
            if vat is not None:
                runtime.store.set_meta("vat", str(_percent(vat)))
            return Terms(runtime.store.get_meta("vat") or "0")


def _percent(value: str | float | Decimal) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("NaN")
    if not (found.is_finite() and 0 <= found <= 100):
        raise ValueError(f"vat is {value!r}; it is a percentage from 0 to 100.")
    return found
