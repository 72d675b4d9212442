"""The quantity discounts of capacity pools."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource


class QtyBasedPricing(Resource, type="qty_based_pricings"):
    """The price of a channel from some quantity on, in US dollars; comes only included with capacity pools."""

    qty: int = attribute("Number of channels from which these prices hold.")
    setup_price: Decimal = attribute("Price of a channel, once.")
    monthly_price: Decimal = attribute("Price of a channel by the month.")
