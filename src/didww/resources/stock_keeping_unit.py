"""Stock keeping units (SKUs): the priced offers of a DID group."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource


class StockKeepingUnit(Resource, type="stock_keeping_units"):
    """A priced offer of a DID group, named by an order item.

    It has no list of its own: include `stock_keeping_units` with DID groups, or
    `did_group.stock_keeping_units` with available DIDs.
    """

    setup_price: Decimal = attribute("One-time price of a number, US dollars without VAT.")
    monthly_price: Decimal = attribute("Price of a number per month, US dollars without VAT.")
    channels_included_count: int = attribute("Concurrent calls that the monthly price covers.")
