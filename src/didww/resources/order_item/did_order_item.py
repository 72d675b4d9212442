"""Numbers from a SKU, any that are in stock."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww.resources.order_item.base import NumberOrderItem


class DidOrderItem(NumberOrderItem):
    """Buys `qty` numbers of a SKU, whichever are in stock; in responses, every item that bought numbers.

    Source: tests/contract/facts/orders.yaml.
    """

    qty: int = writable("How many numbers, 1 to 1000; left out, one.", ge=1, le=1000)
    nanpa_prefix_id: str = writable(
        "Limits the choice to numbers of this NPA-NXX prefix; no response repeats it.", form=RECORD_ID, readable=False
    )
