"""Channels for a capacity pool."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww.resources.order_item.base import OrderItem


class CapacityOrderItem(OrderItem, type="capacity_order_items"):
    """Buys channels into a capacity pool, at least the pool's `minimum_qty_per_order` of them.

    Source: tests/contract/facts/orders.yaml.
    """

    qty: int = writable("How many channels, 1 to 10000; left out, one.", ge=1, le=10_000)
    capacity_pool_id: str | None = writable(
        "The pool that gets the channels; in responses None if there is none.",
        required=True,
        form=RECORD_ID,
        not_none="Name the pool.",
    )
