"""Orders: purchases of numbers and channels."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from didww._schema.fields import attribute, status_is, writable
from didww._schema.filter_rules import Ids, OptionalText, References, RequiredTexts, Since, UntilDay
from didww._schema.forms import WEB_ADDRESS
from didww._schema.resource import Resource, WaitSpec
from didww._schema.rules import Together
from didww.enums import CallbackMethod, OrderStatus
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.emergency_order_item import EmergencyOrderItem
from didww.resources.order_item.generic_order_item import GenericOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem


class Order(
    Resource,
    type="orders",
    marked=True,
    rules=(Together(("callback_url", "callback_method")),),
    operations=("list", "find", "create", "update", "delete"),
    outcome=WaitSpec("status", success=("completed",), terminal=("completed", "canceled")),
    filters={"id": Ids},
    columns={
        "reference": "reference",
        "what": "description",
        "quantity": "items.qty",
        "amount": "amount",
        "status": "status",
        "created": "created_at",
        "your reference": "external_reference_id",
    },
):
    """A purchase, charged to the balance immediately.

    It may be fulfilled later: poll until `status` is no longer `pending`, or set a `callback_url`. Deleting an order
    cancels it, which is possible for pending orders of numbers only.
    """

    reference: str = attribute("Human-readable order number, e.g. `KTH-650932`.", filter=References, sort=True)
    description: str = attribute("Short label of the purchase, e.g. `DID`.")
    amount: Decimal = attribute("Total price in US dollars, including VAT.", sort=True)
    status: OrderStatus = attribute(
        "Status: `pending` until fulfilled, then `completed` or `canceled`.", filter=RequiredTexts, sort=True
    )
    created_at: datetime = attribute("Date and time of the order.", filter_gteq=Since, filter_lteq=UntilDay, sort=True)
    items: list[
        DidOrderItem
        | AvailableDidOrderItem
        | ReservationDidOrderItem
        | CapacityOrderItem
        | EmergencyOrderItem
        | GenericOrderItem
    ] = writable(
        "Items to buy, at least one: either all numbers or all channels. In responses, the items bought.",
        on="create",
        required=True,
        ge=1,
        alike=True,
    )
    allow_back_ordering: bool | None = writable(
        "Whether to wait for numbers that are out of stock. Defaults to True. None if not in the response.",
        on="create",
        not_none="Leave it out for True.",
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL to notify when the order is completed or canceled, or None for no callback.",
        on="create",
        form=WEB_ADDRESS,
    )
    callback_method: CallbackMethod | None = writable(
        "HTTP method of the callback, or None without a callback. Set it together with `callback_url`.", on="create"
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )

    is_pending = status_is(OrderStatus.PENDING)
    is_completed = status_is(OrderStatus.COMPLETED)
    is_canceled = status_is(OrderStatus.CANCELED)
