"""Emergency calling that was switched on for numbers."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww.resources.order_item.base import OrderItem


class EmergencyOrderItem(OrderItem, type="emergency_order_items", writable=False):
    """What DIDWW charged for emergency calling; responses only, no order can be placed with it.

    Source: tests/contract/facts/orders.yaml.
    """

    emergency_calling_service_id: str | None = attribute(
        "The emergency calling service that came of it; None if there is none."
    )
