"""Prices of outbound text messages."""

from __future__ import annotations

from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource

__all__ = ["SmsOutPrice"]


class SmsOutPrice(
    Resource,
    type="prices",
    since="2026-11-19",
    columns={
        "to prefix": "destination_prefix",
        "country": "country",
        "network": "mnc_name",
        "mcc": "mcc",
        "mnc": "mnc",
        "price": "price",
        "rejected": "reject_sms",
    },
):
    """A price of outbound text messages, in US dollars without VAT.

    Several prices can apply to one number: the network is known only at delivery, and some conditions are not shown.
    `id` is derived from the content, so it changes with the price.
    """

    source_prefix: str | None = attribute("First digits of the sender's number. None for any.")
    destination_prefix: str | None = attribute("First digits of the recipient's number. None for any.")
    country: str | None = attribute("Name of the destination's country.")
    mcc: int | None = attribute("Mobile country code. None for any network.")
    mcc_name: str | None = attribute("Name of the mobile country code.")
    mnc: int | None = attribute("Mobile network code. None for any network of the country.")
    mnc_name: str | None = attribute("Name of the network.")
    reject_sms: bool = attribute("Whether such messages are rejected.")
    price: Decimal | None = attribute("Price per message part, in US dollars. None if messages are rejected.")
