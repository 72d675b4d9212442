"""The account's funds."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource


class Balance(Resource, type="balances", path="balance", singleton=True, operations=("find",)):
    """Funds of the account that the API key belongs to, in US dollars."""

    balance: Decimal = attribute("Prepaid money on hand, US dollars.")
    credit: Decimal = attribute("Credit granted beyond the prepaid money, US dollars.")
    total_balance: Decimal = attribute("What can be spent, US dollars: balance and credit together.")
