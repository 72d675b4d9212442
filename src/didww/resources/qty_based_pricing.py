"""Quantity discounts of capacity pools."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource


class QtyBasedPricing(
    Resource,
    type="qty_based_pricings",
    columns={"from": "qty", "setup": "setup_price", "monthly": "monthly_price"},
):
    """The price per channel from a quantity on, in US dollars. Available only as an include of capacity pools."""

    qty: int = attribute("Minimum number of channels for these prices.")
    setup_price: Decimal = attribute("One-time price per channel, in US dollars.")
    monthly_price: Decimal = attribute("Monthly price per channel, in US dollars.")
