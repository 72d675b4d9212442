"""`didww capacity show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import parameters
from didww.cli.framework import Command
from didww.cli.output import print_row, print_rows

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.capacity_pool import CapacityPool
    from didww.resources.did import Did
    from didww.resources.shared_capacity_group import SharedCapacityGroup

__all__ = ["show"]

COLUMNS: Final = ("pool", "channels", "free", "monthly", "renews", "shared by", "assigned to")


@click.command(
    cls=Command,
    examples=("didww capacity show", "didww capacity show Europe", "didww capacity show Europe -o json"),
)
@click.argument("pool", required=False, shell_complete=parameters.complete_pools)
@click.pass_obj
def show(session: Session, pool: str | None) -> None:
    """Show pools: channels, prices, shared groups and the numbers that use them; or one pool in full.

    Prices are US dollars for a channel and month. "shared by" names the shared groups, "assigned to" the numbers with
    dedicated channels.
    """
    from didww.cli.capacity.pools import INCLUDES, pool_named

    client = session.client
    pools = (
        list(client.capacity_pools().iterate(include=INCLUDES, sort="name"))
        if pool is None
        else [pool_named(client, pool)]
    )
    groups = list(client.shared_capacity_groups().iterate(include=["capacity_pool", "dids"], sort="name"))
    rows = [_details(client, each, [group for group in groups if group.capacity_pool.id == each.id]) for each in pools]
    settings = session.settings
    if pool is None and settings.for_person:
        print_rows(settings, [_brief(row) for row in rows], COLUMNS)
        if not any(row["channels"] for row in rows):
            session.say(
                f"No channels yet. Buy some: {session.command_line('capacity', 'buy', 'POOL', '--channels', 'N')}"
            )
    elif pool is None:
        print_rows(settings, rows, list(rows[0]) if rows else [])
    else:
        print_row(settings, _in_words(rows[0]) if settings.for_person else rows[0])


def _details(client: Any, pool: CapacityPool, groups: list[SharedCapacityGroup]) -> dict[str, Any]:
    """Return all about a pool."""
    from didww.cli.capacity.pools import free, prices

    dids: list[Did] = list(client.dids().iterate(filter={"capacity_pool.id": pool.id}, sort="number"))
    return {
        "pool": pool.name,
        "id": pool.id,
        "channels": pool.total_channels_count,
        "assigned": pool.assigned_channels_count,
        "free": free(pool),
        "minimum": pool.minimum_limit,
        "minimum per order": pool.minimum_qty_per_order,
        "setup": pool.setup_price,
        "monthly": pool.monthly_price,
        "per minute": pool.metered_rate,
        "renews": pool.renew_date,
        "prices": [{"from": step.quantity, "setup": step.setup, "monthly": step.monthly} for step in prices(pool)],
        "shared by": [
            {
                "group": group.name,
                "id": group.id,
                "channels": group.shared_channels_count,
                "metered": group.metered_channels_count,
                "numbers": [did.number for did in group.dids],
            }
            for group in groups
        ],
        "assigned to": [
            {"number": did.number, "channels": did.dedicated_channels_count}
            for did in dids
            if did.dedicated_channels_count
        ],
        "countries": [country.iso for country in pool.countries],
    }


def _brief(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "shared by": [f"{group['group']} ({group['channels']})" for group in row["shared by"]],
        "assigned to": [f"{each['number']} ({each['channels']})" for each in row["assigned to"]],
    }


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    """Return the details of a pool with a text for each price and group."""
    words = {name: value for name, value in _brief(row).items() if name not in ("prices", "shared by")}
    words |= {
        f"from {step['from']} channels": f"{step['monthly']} monthly, {step['setup']} setup" for step in row["prices"]
    }
    for group in row["shared by"]:
        metered = f", {group['metered']} metered" if group["metered"] else ""
        numbers = ", ".join(group["numbers"]) or "no numbers"
        words[f"shared by {group['group']}"] = f"{group['channels']} channels{metered}: {numbers}"
    return words
