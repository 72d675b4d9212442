"""The balance of the account."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource


class Balance(
    Resource,
    type="balances",
    path="balance",
    singleton=True,
    operations=("find",),
    columns={"total": "total_balance", "prepaid": "balance", "credit": "credit"},
):
    """The balance of the account that the API key belongs to, in US dollars."""

    balance: Decimal = attribute("Prepaid balance, in US dollars.")
    credit: Decimal = attribute("Credit granted on top of the prepaid balance, in US dollars.")
    total_balance: Decimal = attribute("Available funds, in US dollars: the sum of balance and credit.")
