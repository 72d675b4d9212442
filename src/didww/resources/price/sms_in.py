"""Prices of inbound text messages."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource

__all__ = ["SmsInPrice"]


class SmsInPrice(
    Resource,
    type="prices",
    since="2026-11-19",
    columns={"to prefix": "destination_prefix", "from prefix": "source_prefix", "country": "country", "price": "price"},
):
    """A price of inbound text messages, in US dollars without VAT.

    `id` is derived from the content, so it changes with the price.
    """

    source_prefix: str | None = attribute("First digits of the sender's number. None for any.")
    source_number_length_min: int = attribute("Minimum number of digits of the sender's number.")
    source_number_length_max: int = attribute("Maximum number of digits of the sender's number.")
    destination_prefix: str | None = attribute("First digits of the number that gets the message. None for any.")
    destination_number_length_min: int = attribute("Minimum number of digits of the number that gets the message.")
    destination_number_length_max: int = attribute("Maximum number of digits of the number that gets the message.")
    country: str | None = attribute("Name of the country of the number that gets the message.")
    price: Decimal = attribute("Price per message part, in US dollars.")
