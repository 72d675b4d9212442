"""Order item: other charges."""

from __future__ import annotations

from didww.resources.order_item.base import OrderItem


class GenericOrderItem(OrderItem, type="generic_order_items", writable=False):
    """A charge without an item type of its own. In responses only; it cannot be ordered.

    Source: tests/contract/facts/orders.yaml.
    """
