"""Capacity pools: channels that the account owns and assigns to its numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, writable
from didww._schema.filter_rules import Bool, EveryId, Ids, Text
from didww._schema.resource import Resource
from didww._schema.types import DateText

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.qty_based_pricing import QtyBasedPricing
    from didww.resources.shared_capacity_group import SharedCapacityGroup


class CapacityPool(
    Resource,
    type="capacity_pools",
    operations=("list", "find", "update"),
    filters={"country.id": EveryId, "has_unassigned_channels": Bool, "id": Ids},
    columns={
        "name": "name",
        "channels": "total_channels_count",
        "assigned": "assigned_channels_count",
        "setup": "setup_price",
        "monthly": "monthly_price",
        "per minute": "metered_rate",
        "renews": "renew_date",
    },
):
    """Channels (concurrent calls) that the account owns for the numbers of some countries.

    To buy channels, order a capacity item. To release channels, lower `total_channels_count`.
    Prices are in US dollars.
    Source: tests/contract/facts/capacity_pools.yaml.
    """

    name: str = attribute("Name of the pool, e.g. `Europe`.", filter=Text, sort=True)
    renew_date: DateText = attribute("Date of the next renewal, `YYYY-MM-DD`.", sort=True)
    total_channels_count: int = writable(
        "Number of channels owned. An update can lower it, but not below `assigned_channels_count` or `minimum_limit`.",
        on="update",
        sort=True,
    )
    assigned_channels_count: int = attribute("Number of channels assigned to numbers and groups.", sort=True)
    minimum_limit: int = attribute("Minimum number of channels to keep when releasing channels.", sort=True)
    minimum_qty_per_order: int = attribute("Minimum number of channels per order.", sort=True)
    setup_price: Decimal = attribute("One-time price per channel, in US dollars.", sort=True)
    monthly_price: Decimal = attribute("Monthly price per channel, in US dollars.", sort=True)
    metered_rate: Decimal = attribute(
        "Price per minute when all channels of the pool are in use, in US dollars.", sort=True
    )
    countries: list[Country] = relationship("Countries whose numbers can use the pool.", include=True)
    shared_capacity_groups: list[SharedCapacityGroup] = relationship(
        "Shared capacity groups that take channels from the pool.", include=True
    )
    qty_based_pricings: list[QtyBasedPricing] = relationship("Quantity discounts.", include=True)
