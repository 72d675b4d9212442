"""Stock keeping units (SKUs): the priced offers of a DID group."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource


class StockKeepingUnit(
    Resource,
    type="stock_keeping_units",
    columns={"channels": "channels_included_count", "setup": "setup_price", "monthly": "monthly_price"},
):
    """A priced offer of a DID group, referenced by order items.

    SKUs cannot be listed on their own: include `stock_keeping_units` with DID groups, or
    `did_group.stock_keeping_units` with available DIDs.
    """

    setup_price: Decimal = attribute("One-time price per number, in US dollars without VAT.")
    monthly_price: Decimal = attribute("Monthly price per number, in US dollars without VAT.")
    channels_included_count: int = attribute("Number of channels (concurrent calls) included in the monthly price.")
