"""Pools of channels that the account owns and shares out to its numbers."""

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
):
    """Channels (concurrent calls) that the account owns for the numbers of some countries.

    Channels are bought by an order with a capacity item, and given up by lowering `total_channels_count`.
    Prices are US dollars.
    Source: tests/contract/facts/capacity_pools.yaml.
    """

    name: str = attribute("What the pool is called, e.g. `Europe`.", filter=Text, sort=True)
    renew_date: DateText = attribute("When it renews next, `YYYY-MM-DD`.", sort=True)
    total_channels_count: int = writable(
        "Channels owned; an update can lower it, not below `assigned_channels_count` or `minimum_limit`.",
        on="update",
        sort=True,
    )
    assigned_channels_count: int = attribute("Channels in use by numbers and groups.", sort=True)
    minimum_limit: int = attribute("Fewest channels that must be kept when giving some up.", sort=True)
    minimum_qty_per_order: int = attribute("Fewest channels that an order may buy.", sort=True)
    setup_price: Decimal = attribute("Price of a channel, once.", sort=True)
    monthly_price: Decimal = attribute("Price of a channel by the month.", sort=True)
    metered_rate: Decimal = attribute("Price of a minute once all channels of the pool are taken.", sort=True)
    countries: list[Country] = relationship("Countries whose numbers can use it.", include=True)
    shared_capacity_groups: list[SharedCapacityGroup] = relationship("Groups that take channels from it.", include=True)
    qty_based_pricings: list[QtyBasedPricing] = relationship(
        "Lower prices for greater numbers of channels.", include=True
    )
