"""`didww capacity assign`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.capacity.pools import free, pool_named, pool_state
from didww.cli.dry_run import step
from didww.cli.framework import Command
from didww.cli.output import print_rows
from didww.cli.plans import confirm_plan
from didww.resources.did import Did

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.cli.session import Session

__all__ = ["assign"]


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww capacity assign 442079460001 --pool Europe --channels 2",
        "didww capacity assign 442079460001 --pool Europe --channels 0",
    ),
)
@parameters.numbers_argument
@click.option("--pool", required=True, metavar="POOL", shell_complete=parameters.complete_pools, help="Pool.")
@click.option(
    "--channels",
    type=click.IntRange(0),
    required=True,
    metavar="N",
    help="Channels for each number, besides those included; 0 gives them back to the pool.",
)
@click.pass_obj
def assign(session: Session, number_texts: tuple[str, ...], pool: str, channels: int) -> None:
    """Assign channels of a pool to single numbers, or take them back."""
    if not number_texts:
        raise click.UsageError("Name at least one number.", click.get_current_context(silent=True))
    client = session.client
    record = pool_named(client, pool)
    dids = lookups.dids(client, number_texts, include=["capacity_pool"])
    changed = [did for did in dids if did.dedicated_channels_count != channels or did.capacity_pool != record]
    if not changed:
        session.say("Nothing to change: these are the values already.")
        return
    needed = sum(channels - (did.dedicated_channels_count if did.capacity_pool == record else 0) for did in changed)
    if needed > free(record):
        buying = session.command_line("capacity", "buy", record.name, "--channels", str(needed - free(record)))
        raise click.UsageError(
            f"--channels: {needed} more are needed, and pool {record.name!r} has {free(record)} free. "
            f"Buy more: {buying}"
        )

    def read() -> dict[str, Any]:
        now = lookups.dids(client, [did.id for did in changed], include=["capacity_pool"])
        return pool_state(pool_named(client, record.id)) | _state(now)

    confirm_plan(
        session,
        f"Pool {record.name!r}, {free(record)} channels free:",
        *(f"  {did.number}: dedicated channels {did.dedicated_channels_count} -> {channels}" for did in changed),
        question="Assign the channels?",
        seen=pool_state(record) | _state(changed),
        read=read,
    )
    for did in changed:
        with step():
            change = Did.build(did.id, dedicated_channels_count=channels)
            change.capacity_pool = record
            client.dids().update(change)
            session.known.append(f"{did.number} has {channels} dedicated channels.")
    if not session.settings.dry_run:
        rows = [{"number": did.number, "pool": record.name, "channels": channels} for did in dids]
        print_rows(session.settings, rows, ["number", "pool", "channels"])


def _state(dids: Iterable[Did]) -> dict[str, Any]:
    """Return the channels and pools of numbers, for a comparison."""
    found: dict[str, Any] = {}
    for did in dids:
        found[f"channels of {did.number}"] = did.dedicated_channels_count
        found[f"pool of {did.number}"] = None if did.capacity_pool is None else did.capacity_pool.name
    return found
