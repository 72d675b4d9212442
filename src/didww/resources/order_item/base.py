"""The base classes of order items."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute, writable
from didww._schema.forms import RECORD_ID
from didww._schema.nested import Nested
from didww._schema.types import DateText


class OrderItem(Nested):
    """An item of an order, with quantity and charges. Items have no id.

    Source: tests/contract/facts/orders.yaml.
    """

    qty: int = attribute("Quantity.")
    nrc: Decimal = attribute("Non-recurring charge (one-time), in US dollars including VAT.")
    mrc: Decimal = attribute("Monthly recurring charge, in US dollars including VAT.")
    prorated_mrc: bool = attribute("True if the monthly charge is prorated for the rest of the billing period.")
    billed_from: DateText | None = attribute("First day of the billed period, `YYYY-MM-DD`, or None until fulfilled.")
    billed_to: DateText | None = attribute("Last day of the billed period, `YYYY-MM-DD`, or None until fulfilled.")


OrderItem.fallback = OrderItem


class NumberOrderItem(OrderItem, type="did_order_items"):
    """An item that buys numbers of a SKU; the subclasses select the numbers. Responses contain `DidOrderItem`.

    Source: tests/contract/facts/orders.yaml.
    """

    sku_id: str = writable(
        "Id of the SKU, which must belong to the DID group of the numbers. Not returned in responses.",
        required=True,
        form=RECORD_ID,
        readable=False,
    )
    billing_cycles_count: int = writable(
        "Billing cycles until the numbers are released, 0 to 999. Defaults to indefinite renewal. "
        "Not returned in responses.",
        ge=0,
        le=999,
        readable=False,
    )
    did_group_id: str | None = attribute("Id of the DID group of the numbers, or None if there is none.")
    setup_price: Decimal = attribute("Legacy name of `nrc`.")
    monthly_price: Decimal = attribute("Legacy name of `mrc`.")
