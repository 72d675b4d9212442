"""The money of an account, put from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from didww.sandbox.seeding import put_balance

if TYPE_CHECKING:
    from decimal import Decimal

    from didww.sandbox.engine import Engine

__all__ = ["Balance", "Money"]


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


class Balance:
    """Money of accounts: `sandbox.balance`.

    Args:
        engine: The engine.
        default_key: Whose unless said.
    """

    def __init__(self, engine: Engine, default_key: str) -> None:
        self._engine = engine
        self._default_key = default_key

    def show(self, *, api_key: str | None = None) -> Money:
        """What an account can spend.

        Args:
            api_key: Whose; the sandbox's own account unless said.
        """
        with self._engine.held():
            world = self._engine.world(api_key or self._default_key)
            record = world.find("balances", limit=1)[0]
        return Money(record["balance"], record["credit"], record["total_balance"])

    def put(
        self, balance: str | float | Decimal, *, credit: str | float | Decimal | None = None, api_key: str | None = None
    ) -> Money:
        """Set what an account has.

        Args:
            balance: Prepaid money, in US dollars.
            credit: What may be spent beyond it; as it is, if left out.
            api_key: Whose; the sandbox's own account unless said.

        Raises:
            ValueError: It is no amount.
        """
        with self._engine.held() as setting:
            world = self._engine.world(api_key or self._default_key)
            setting.changing(lambda: put_balance(world, balance, credit))
        return self.show(api_key=api_key)
