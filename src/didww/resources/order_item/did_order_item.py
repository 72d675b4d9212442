"""Numbers from a SKU, any that are in stock."""

from __future__ import annotations

from didww.resources.fields import writable
from didww.resources.order_item.base import NumberOrderItem


class DidOrderItem(NumberOrderItem, needs=(("sku_id",), ("qty", "nanpa_prefix_id"))):
    """Buys `qty` numbers of a SKU, whichever are in stock; in answers, every item that bought numbers.

    With a NANPA prefix `qty` may be left out, which DIDWW's sources do not agree on; send it all the same.

    Source: contract file orders; scenarios sheet, flow 3.
    """

    qty: int = writable("How many numbers, 1 or more.", low=1)
    nanpa_prefix_id: str = writable(
        "Limits the choice to numbers of this NPA-NXX prefix; no answer repeats it.",
        readable=False,
    )
