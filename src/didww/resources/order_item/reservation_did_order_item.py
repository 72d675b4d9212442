"""A number held by a reservation."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww._schema.rules import OneOf
from didww.resources.order_item.base import NumberOrderItem


class ReservationDidOrderItem(NumberOrderItem, rules=(OneOf(("did_reservation_id",)),)):
    """Buys the number that a reservation holds; the SKU is one of its DID group, and no `qty` is sent.

    Source: tests/contract/facts/orders.yaml.
    """

    did_reservation_id: str = writable(
        "The reservation to use up; no response repeats it.", form=RECORD_ID, readable=False
    )
