"""Orders: purchases of numbers and of channels."""

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
):
    """A purchase, charged to the balance at once.

    It may be filled later: ask again until `status` is no longer pending, or give a `callback_url`. To delete
    it is to cancel it, which the service allows for pending orders of numbers only.
    """

    reference: str = attribute("Order number for people, e.g. `KTH-650932`.", filter=References, sort=True)
    description: str = attribute("What was bought, in a word, e.g. `DID`.")
    amount: Decimal = attribute("Total price, US dollars with VAT.", sort=True)
    status: OrderStatus = attribute(
        "Pending until it is filled, then completed or canceled.", filter=RequiredTexts, sort=True
    )
    created_at: datetime = attribute("When it was placed.", filter_gteq=Since, filter_lteq=UntilDay, sort=True)
    items: list[
        DidOrderItem
        | AvailableDidOrderItem
        | ReservationDidOrderItem
        | CapacityOrderItem
        | EmergencyOrderItem
        | GenericOrderItem
    ] = writable(
        "What to buy, at least one item, all of numbers or all of channels; in responses, what was bought.",
        on="create",
        required=True,
        ge=1,
        alike=True,
    )
    allow_back_ordering: bool | None = writable(
        "Whether numbers that are not in stock are waited for; left out, the service takes True. None if the "
        "response does not repeat it.",
        on="create",
        not_none="Leave it out for True.",
    )
    callback_url: str | None = writable(
        "HTTP or HTTPS URL that is called when the order is completed or canceled; None for no call.",
        on="create",
        form=WEB_ADDRESS,
    )
    callback_method: CallbackMethod | None = writable(
        "How it is called, set together with the URL; None if it is not.", on="create"
    )
    external_reference_id: str | None = writable(
        "The account's own identifier for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )

    is_pending = status_is(OrderStatus.PENDING)
    is_completed = status_is(OrderStatus.COMPLETED)
    is_canceled = status_is(OrderStatus.CANCELED)
