"""Balances of accounts, and their VAT."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import msgspec

from didww.emulator.controls.account_control import AccountControl
from didww.emulator.controls.seeding import put_balance
from didww.emulator.engine.accounts import FIRST_BALANCE

__all__ = ["Balance", "Money", "Terms"]


class Money(msgspec.Struct, frozen=True):
    """The balance of an account, in US dollars.

    Attributes:
        balance: Prepaid balance.
        credit: Credit limit.
        total_balance: Sum of both.
    """

    balance: str
    credit: str
    total_balance: str


class Terms(msgspec.Struct, frozen=True):
    """Billing terms of accounts.

    Attributes:
        vat: VAT in percent of prices.
    """

    vat: str


class Balance(AccountControl):
    """Balances of accounts: `emulator.balance`."""

    def show(self, *, api_key: str | None = None) -> Money:
        """Return the balance of an account.

        Args:
            api_key: Key of the account. Defaults to the emulator's own.
        """
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            if not runtime.store.filled("balances", session.owner):  # reading inserts nothing
                return Money(FIRST_BALANCE, "0.00", FIRST_BALANCE)
            record = session.find("balances", limit=1)[0]
        return Money(record["balance"], record["credit"], record["total_balance"])

    def put(
        self, balance: str | float | Decimal, *, credit: str | float | Decimal | None = None, api_key: str | None = None
    ) -> Money:
        """Set the balance of an account.

        Args:
            balance: Prepaid balance, in US dollars.
            credit: Credit limit. Defaults to the current one.
            api_key: Key of the account. Defaults to the emulator's own.

        Raises:
            ValueError: An amount is invalid.
        """
        with self._engine.locked() as runtime:
            session = self._session(api_key)
            runtime.run_in_transaction(lambda: put_balance(session, balance, credit))
        return self.show(api_key=api_key)

    def terms(self, *, vat: str | float | Decimal | None = None) -> Terms:
        """Set the billing terms of all accounts.

        Args:
            vat: VAT in percent, 0 to 100. Defaults to the current rate, initially 0.

        Raises:
            ValueError: `vat` is out of range.
        """
        with self._engine.locked() as runtime:
            if vat is not None:
                runtime.store.set_meta("vat", str(_percent(vat)))
            return Terms(runtime.store.get_meta("vat") or "0")


def _percent(value: str | float | Decimal) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not (amount.is_finite() and 0 <= amount <= 100):
        raise ValueError(f"vat must be a percentage from 0 to 100, got {value!r}.")
    return amount
