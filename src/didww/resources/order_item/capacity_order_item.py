"""Order item: channels for a capacity pool."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww.resources.order_item.base import OrderItem


class CapacityOrderItem(OrderItem, type="capacity_order_items"):
    """Buys channels for a capacity pool, at least `minimum_qty_per_order` of the pool.

    Source: tests/contract/facts/orders.yaml.
    """

    qty: int = writable("Number of channels, 1 to 10000. Defaults to 1.", ge=1, le=10_000)
    capacity_pool_id: str | None = writable(
        "Id of the capacity pool. None in responses only.",
        required=True,
        form=RECORD_ID,
        not_none="Set the id of the pool.",
    )
