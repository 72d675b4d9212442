"""Channels for a capacity pool."""

from __future__ import annotations

from didww.resources.fields import writable
from didww.resources.order_item.base import OrderItem


class CapacityOrderItem(OrderItem, type="capacity_order_items", needs=(("capacity_pool_id",), ("qty",))):
    """Buys channels into a capacity pool, at least the pool's `minimum_qty_per_order` of them.

    Source: contract file orders.
    """

    qty: int = writable("How many channels, 1 or more.", low=1)
    capacity_pool_id: str | None = writable(
        "The pool that gets the channels; in answers None if there is none.",
    )
