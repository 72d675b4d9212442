"""Order item: numbers of a SKU from stock."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww.resources.order_item.base import NumberOrderItem


class DidOrderItem(NumberOrderItem):
    """Buys `qty` numbers of a SKU from stock. In responses, any item that bought numbers.

    Source: tests/contract/facts/orders.yaml.
    """

    qty: int = writable("Quantity of numbers, 1 to 1000. Defaults to 1.", ge=1, le=1000)
    nanpa_prefix_id: str = writable(
        "Id of the NPA-NXX prefix that the numbers must have. Not returned in responses.",
        form=RECORD_ID,
        readable=False,
    )
