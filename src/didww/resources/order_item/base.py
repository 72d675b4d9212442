"""What all order items share, and what all items that buy numbers share."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute, writable
from didww._schema.forms import RECORD_ID
from didww._schema.record import Nested
from didww._schema.types import DateText


class OrderItem(Nested):
    """An item of an order: its quantity, and what the service says of its price. Items have no id.

    Source: tests/contract/facts/orders.yaml.
    """

    qty: int = attribute("Units in the item.")
    nrc: Decimal = attribute("One-time charge, US dollars with VAT.")
    mrc: Decimal = attribute("Monthly charge, US dollars with VAT.")
    prorated_mrc: bool = attribute("True if the monthly charge covers only the rest of the billing period.")
    billed_from: DateText | None = attribute("First day of the billed period, `YYYY-MM-DD`; None before it is filled.")
    billed_to: DateText | None = attribute("Last day of the billed period, `YYYY-MM-DD`; None before it is filled.")


OrderItem.fallback = OrderItem


class NumberOrderItem(OrderItem, type="did_order_items"):
    """An item that buys numbers from a SKU; which numbers, its own kinds say. Responses hold `DidOrderItem`.

    Source: tests/contract/facts/orders.yaml.
    """

    sku_id: str = writable(
        "The SKU to buy from, of the DID group that has the numbers; no response repeats it.",
        required=True,
        form=RECORD_ID,
        readable=False,
    )
    billing_cycles_count: int = writable(
        "Billing cycles until the numbers are released, 0 to 999; left out, they renew without end. "
        "No response repeats it.",
        ge=0,
        le=999,
        readable=False,
    )
    did_group_id: str | None = attribute("The DID group that supplied the numbers; None if there is none.")
    setup_price: Decimal = attribute("Older name of `nrc`, which DIDWW still sends.")
    monthly_price: Decimal = attribute("Older name of `mrc`, which DIDWW still sends.")
