"""Order item: a reserved number."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww._schema.rules import OneOf
from didww.resources.order_item.base import NumberOrderItem


class ReservationDidOrderItem(NumberOrderItem, rules=(OneOf(("did_reservation_id",)),)):
    """Buys a reserved number. The SKU must belong to its DID group; `qty` is not sent.

    Source: tests/contract/facts/orders.yaml.
    """

    did_reservation_id: str = writable(
        "Id of the reservation. Not returned in responses.", form=RECORD_ID, readable=False
    )
