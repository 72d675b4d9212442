"""Order item: one specific number in stock."""

from __future__ import annotations

from didww._schema.fields import writable
from didww._schema.forms import RECORD_ID
from didww._schema.rules import OneOf
from didww.resources.order_item.base import NumberOrderItem


class AvailableDidOrderItem(NumberOrderItem, rules=(OneOf(("available_did_id",)),)):
    """Buys one specific available number. The SKU must belong to its DID group; `qty` is not sent.

    Source: tests/contract/facts/orders.yaml.
    """

    available_did_id: str = writable(
        "Id of the available DID to buy. Not returned in responses.", form=RECORD_ID, readable=False
    )
