"""Capacity pools by name, and what a number of channels costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from didww.cli import lookups, parameters

if TYPE_CHECKING:
    from decimal import Decimal

    from didww.resources.capacity_pool import CapacityPool

__all__ = ["Price", "free", "pool_argument", "pool_named", "pool_state", "price", "prices"]

INCLUDES: Final = ["countries", "qty_based_pricings", "shared_capacity_groups"]

pool_argument: Final = click.argument("pool", metavar="POOL", shell_complete=parameters.complete_pools)


class Price(NamedTuple):
    """Prices of one channel from a quantity on, in US dollars."""

    quantity: int
    setup: Decimal
    monthly: Decimal


def pool_named(client: Any, text: str) -> CapacityPool:
    """Return a pool by name or id, with its countries, prices and shared groups."""
    found = lookups.by_name(client.capacity_pools(), text, "capacity pool")
    pool: CapacityPool = client.capacity_pools().find(found.id, include=INCLUDES).data
    return pool


def pool_state(pool: CapacityPool) -> dict[str, Any]:
    """Return how many channels a pool has, for a comparison."""
    return {
        f"channels of pool {pool.name}": pool.total_channels_count,
        f"assigned channels of pool {pool.name}": pool.assigned_channels_count,
    }


def free(pool: CapacityPool) -> int:
    """Return how many channels of a pool are not assigned."""
    return pool.total_channels_count - pool.assigned_channels_count


def prices(pool: CapacityPool) -> list[Price]:
    """Return the prices by quantity."""
    steps = {1: Price(1, pool.setup_price, pool.monthly_price)}
    steps |= {each.qty: Price(each.qty, each.setup_price, each.monthly_price) for each in pool.qty_based_pricings}
    return [steps[quantity] for quantity in sorted(steps)]


def price(pool: CapacityPool, quantity: int) -> Price:
    """Return the price of each channel if so many are bought."""
    return [step for step in prices(pool) if step.quantity <= quantity][-1]
