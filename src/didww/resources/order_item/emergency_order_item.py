"""Order item: emergency calling for numbers."""

from __future__ import annotations

from didww._schema.fields import attribute
from didww.resources.order_item.base import OrderItem


class EmergencyOrderItem(OrderItem, type="emergency_order_items", writable=False):
    """A charge for emergency calling. In responses only; it cannot be ordered.

    Source: tests/contract/facts/orders.yaml.
    """

    emergency_calling_service_id: str | None = attribute(
        "Id of the emergency calling service, or None if there is none."
    )
