"""One particular number in stock."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww._schema.rules import OneOf
from didww.resources.order_item.base import NumberOrderItem


class AvailableDidOrderItem(NumberOrderItem, rules=(OneOf(("available_did_id",)),)):
    """Buys exactly one available number; the SKU is one of its DID group, and no `qty` is sent.

    Source: tests/contract/facts/orders.yaml.
    """

    available_did_id: str = writable(
        "The available DID to buy; no response repeats it.", form=RECORD_ID, readable=False
    )
