"""`didww capacity share` and `unshare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.capacity.pools import free, pool_named, pool_state
from didww.cli.dry_run import step
from didww.cli.framework import Command
from didww.cli.output import RecordTable, print_row
from didww.cli.plans import confirm_plan
from didww.exceptions import NotExactlyOneError
from didww.resources.did import Did
from didww.resources.shared_capacity_group import SharedCapacityGroup

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["share", "unshare"]

INCLUDES = ["capacity_pool", "dids"]


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww capacity share Support --pool Europe --channels 4",
        "didww capacity share Support --channels 6 --metered 2",
        "didww capacity share Support --number 442079460001",
    ),
)
@click.argument("name")
@click.option("--pool", metavar="POOL", shell_complete=parameters.complete_pools, help="Pool of a new group.")
@click.option("--channels", type=click.IntRange(0), metavar="N", help="Channels of the pool that the group takes.")
@click.option(
    "--metered", type=click.IntRange(0), metavar="N", help="More channels that are charged by the minute; 0 for none."
)
@click.option(
    "--number",
    "numbers",
    multiple=True,
    metavar="NUMBER",
    shell_complete=parameters.complete_numbers,
    help="Number that joins the group; repeatable.",
)
@click.option(
    "--remove-number",
    "removed",
    multiple=True,
    metavar="NUMBER",
    shell_complete=parameters.complete_numbers,
    help="Number that leaves the group; repeatable.",
)
@click.pass_obj
def share(
    session: Session,
    name: str,
    pool: str | None,
    channels: int | None,
    metered: int | None,
    numbers: tuple[str, ...],
    removed: tuple[str, ...],
) -> None:
    """Let numbers share channels of a pool: create a shared group, or change the one of this name."""
    client = session.client
    joining = lookups.dids(client, numbers, include=["shared_capacity_group"]) if numbers else []
    leaving = lookups.dids(client, removed) if removed else []
    group = _existing(client, name)
    if group is None:
        if pool is None or channels is None:
            raise click.UsageError(
                f"There is no shared group {name!r}. To create it, pass --pool POOL and --channels N."
            )
        _create(session, name, pool, channels, metered, joining)
        return
    if pool is not None and pool_named(client, pool).id != group.capacity_pool.id:
        raise click.UsageError(f"--pool: group {name!r} takes its channels from pool {group.capacity_pool.name!r}.")
    seen = _state(group)
    changes = _changes(group, channels, metered, joining, leaving)
    if not changes:
        session.say("Nothing to change: these are the values already.")
        return
    confirm_plan(
        session,
        f"Shared group {group.name!r}:",
        *changes,
        question="Change the group?",
        seen=seen | _groups_of(joining),
        read=lambda: _state(_loaded(client, group.id)) | _groups_of(_again(client, joining)),
    )
    client.shared_capacity_groups().update(group)
    _print(session, group.id)


def _existing(client: Any, name: str) -> SharedCapacityGroup | None:
    endpoint = client.shared_capacity_groups()
    try:
        found = lookups.by_name(endpoint, name, "shared group")
    except NotExactlyOneError as error:
        if error.found:
            raise
        return None
    return _loaded(client, found.id)


def _loaded(client: Any, id: str) -> SharedCapacityGroup:
    group: SharedCapacityGroup = client.shared_capacity_groups().find(id, include=INCLUDES).data
    return group


def _again(client: Any, dids: list[Did]) -> list[Did]:
    return lookups.dids(client, [did.id for did in dids], include=["shared_capacity_group"]) if dids else []


def _state(group: SharedCapacityGroup) -> dict[str, Any]:
    """Return channels and numbers of a group, for a comparison."""
    return {
        "channels": group.shared_channels_count,
        "metered channels": group.metered_channels_count,
        "numbers": sorted(did.number for did in group.dids),
    }


def _groups_of(dids: list[Did]) -> dict[str, Any]:
    """Return the groups that numbers are in, for a comparison."""
    groups = ((did.number, did.shared_capacity_group) for did in dids)
    return {f"group of {number}": None if group is None else group.name for number, group in groups}


def _create(session: Session, name: str, pool_text: str, channels: int, metered: int | None, dids: list[Did]) -> None:
    name = lookups.new_name(name)
    pool = pool_named(session.client, pool_text)
    if channels > free(pool):
        buying = session.command_line("capacity", "buy", pool.name, "--channels", str(channels - free(pool)))
        raise click.UsageError(
            f"--channels must be at most {free(pool)}, the free channels of pool {pool.name!r}, got {channels}. "
            f"Buy more: {buying}"
        )
    lines = _joins(dids, None)
    if metered:
        lines.append(f"  {metered} metered channels: {pool.metered_rate} US dollars for each minute in use.")
    if lines:
        confirm_plan(
            session,
            f"Shared group {name!r} takes {channels} channels of pool {pool.name!r}:",
            *lines,
            question="Create the group?",
            seen=pool_state(pool) | _groups_of(dids),
            read=lambda: pool_state(pool_named(session.client, pool.id)) | _groups_of(_again(session.client, dids)),
        )
    group = SharedCapacityGroup(name=name, shared_channels_count=channels, metered_channels_count=metered or 0)
    group.capacity_pool = pool
    group.dids = dids
    _print(session, session.client.shared_capacity_groups().create(group).data.id)


def _changes(
    group: SharedCapacityGroup, channels: int | None, metered: int | None, joining: list[Did], leaving: list[Did]
) -> list[str]:
    """Change a group; return a line for each change."""
    lines: list[str] = []
    if channels is not None and channels != group.shared_channels_count:
        lines.append(f"  channels: {group.shared_channels_count} -> {channels}")
        group.shared_channels_count = channels
    if metered is not None and metered != group.metered_channels_count:
        lines.append(f"  metered channels: {group.metered_channels_count} -> {metered}")
        group.metered_channels_count = metered
    members = {did.id: did for did in group.dids}
    for did in leaving:
        if members.pop(did.id, None) is None:
            raise click.UsageError(f"--remove-number: {did.number} is not in group {group.name!r}.")
        lines.append(f"  {did.number} leaves the group.")
    new = [did for did in joining if did.id not in members]
    lines += _joins(new, group)
    if new or leaving:
        group.dids = [*members.values(), *new]
    return lines


def _joins(dids: list[Did], group: SharedCapacityGroup | None) -> list[str]:
    """Return a line for each number that joins a group, with the group that it leaves."""
    lines: list[str] = []
    for did in dids:
        former = did.shared_capacity_group
        left = "" if former is None or former == group else f", and leaves group {former.name!r}"
        lines.append(f"  {did.number} joins the group{left}.")
    return lines


def _print(session: Session, id: str) -> None:
    group = session.client.shared_capacity_groups().find(id, include=INCLUDES).data
    numbers = [did.number for did in group.dids]
    if not session.settings.for_person:
        RecordTable(session.settings, SharedCapacityGroup).print_one(group, {"numbers": numbers})
        return
    row = {
        "group": group.name,
        "pool": group.capacity_pool.name,
        "channels": group.shared_channels_count,
        "metered": group.metered_channels_count,
        "numbers": numbers,
    }
    print_row(session.settings, row)


@click.command(cls=Command, output=False, changes=True, examples=("didww capacity unshare Support",))
@click.argument("name")
@click.pass_obj
def unshare(session: Session, name: str) -> None:
    """Delete a shared group: its numbers leave it, and its channels return to the pool."""
    client = session.client
    group = _loaded(client, lookups.by_name(client.shared_capacity_groups(), name, "shared group").id)
    numbers = [did.number for did in group.dids]
    confirm_plan(
        session,
        f"Shared group {group.name!r} will be deleted.",
        f"Its {group.shared_channels_count} channels return to pool {group.capacity_pool.name!r}.",
        f"Numbers that keep only the channels included with them: {', '.join(numbers) or 'none'}.",
        question="Delete the group?",
        seen=_state(group),
        read=lambda: _state(_loaded(client, group.id)),
    )
    for did in group.dids:
        with step():
            client.dids().update(Did.build(did.id, shared_capacity_group=None))
            session.known.append(f"{did.number} left group {group.name!r}.")
    client.shared_capacity_groups().delete(group)
    session.say(f"Shared group {group.name!r} was deleted.")
