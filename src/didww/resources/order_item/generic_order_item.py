"""Charges without an item type of their own."""

from __future__ import annotations

from didww.resources.order_item.base import OrderItem


class GenericOrderItem(OrderItem, type="generic_order_items", writable=False):
    """A charge that has no item type of its own; responses only, no order can be placed with it.

    Source: tests/contract/facts/orders.yaml.
    """
