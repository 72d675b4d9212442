"""Prices of outbound calls."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from didww._schema.fields import attribute
from didww._schema.resource import Resource
from didww.enums import VoiceOutPriceCategory

__all__ = ["VoiceOutPrice"]


class VoiceOutPrice(
    Resource,
    type="prices",
    since="2026-11-19",
    columns={
        "prefix": "prefix",
        "network": "network",
        "rate": "rate",
        "per call": "connection_fee",
        "rejected": "reject_calls",
        "next rate": "next_rate",
        "next rate from": "effective_at",
        "country": "country",
        "category": "category",
    },
):
    """The price of outbound calls to a prefix, in US dollars without VAT.

    A row of a price file has no id. `id` only labels the price: it stays the same when the price is imported again, but
    it cannot be fetched by it. In a price file, a row without a price in effect has no rate and no increments.

    The names of the `next_` attributes are not confirmed. Attributes with other names can be read like any unknown
    attribute. In a price file, the columns of `reject_calls`, `effective_at` and `comment` may have other names, too:
    reading an attribute whose column the file lacks raises `NotLoadedError`.
    """

    category: VoiceOutPriceCategory = attribute("Category of the calls that have this price.")
    country: str | None = attribute("Name of the destination's country. None if the prefix belongs to none.")
    network: str | None = attribute("Name of the destination's network. None if the prefix belongs to none.")
    prefix: str = attribute("First digits of the numbers, with the country code, without a plus sign.")
    rate: Decimal | None = attribute("Price per minute, in US dollars. None if calls are rejected.")
    connection_fee: Decimal | None = attribute("Price per call, in US dollars. None if calls are rejected.")
    initial_increment: int | None = attribute("First billed interval, in seconds.")
    recurring_increment: int | None = attribute("Each later billed interval, in seconds.")
    reject_calls: bool = attribute("Whether such calls are rejected.")
    next_rate: Decimal | None = attribute("`rate` after the scheduled change. None if there is none.")
    next_connection_fee: Decimal | None = attribute("`connection_fee` after the scheduled change.")
    next_initial_increment: int | None = attribute("`initial_increment` after the scheduled change.")
    next_recurring_increment: int | None = attribute("`recurring_increment` after the scheduled change.")
    next_reject_calls: bool | None = attribute("`reject_calls` after the scheduled change.")
    effective_at: datetime | None = attribute("When the scheduled change takes effect. None if there is none.")
    comment: str | None = attribute("Name of the scheduled change.")
