"""Prices of calls to toll-free, shared-cost and metered numbers."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource

__all__ = ["VoiceInPrice"]


class VoiceInPrice(
    Resource,
    type="prices",
    since="2026-11-19",
    columns={
        "destination": "destination",
        "calls from": "src_country_name",
        "line": "source_type",
        "rate": "rate",
        "per call": "connection_fee",
        "rejected": "reject_calls",
    },
):
    """The price of inbound calls to a destination, in US dollars without VAT.

    A row of a price file has no id. `id` only labels the price: it cannot be fetched by it.
    """

    destination: str = attribute("Name of the destination.")
    country: str | None = attribute("Name of the destination's country. None for global numbers.")
    src_country_name: str | None = attribute("Name of the caller's country. None for any.")
    source_type: str = attribute("Type of the caller's line, such as `cellular` or `fixed`.")
    rate: Decimal | None = attribute("Price per minute, in US dollars. None if calls are rejected.")
    connection_fee: Decimal | None = attribute("Price per call, in US dollars. None if calls are rejected.")
    initial_interval: int = attribute("First billed interval, in seconds.")
    next_interval: int = attribute("Each later billed interval, in seconds.")
    reject_calls: bool = attribute("Whether such calls are rejected.")
