"""`didww groups create`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups
from didww.cli.dry_run import step
from didww.cli.field_options import given, naming_options
from didww.cli.framework import Command
from didww.cli.plans import confirm_plan
from didww.cli.trunk_groups.list import load, print_group
from didww.cli.trunk_groups.options import (
    GROUP_OPTIONS,
    groups_of,
    load_trunks,
    moves,
    new_priorities,
    priorities_option,
    priority_lines,
    set_priorities,
    trunks_argument,
)
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["create"]


@click.command(
    cls=Command,
    changes=True,
    params=[*GROUP_OPTIONS],
    examples=(
        "didww groups create Support Office Backup",
        "didww groups create Sales Office Backup --priorities 1,1 --capacity-limit 20",
    ),
)
@click.argument("name")
@trunks_argument
@priorities_option
@click.pass_obj
def create(session: Session, /, name: str, trunk_names: tuple[str, ...], priorities: str | None, **fields: Any) -> None:
    """Create a group of trunks, which ring in the order that they are named in.

    The order is stored as the priority of each trunk: 1, 2, 3 and so on. Trunks in another group leave it.
    """
    name = lookups.new_name(name)
    client = session.client
    trunks = load_trunks(client, trunk_names)
    wanted = new_priorities(priorities, trunks)
    lines = [*priority_lines(trunks, wanted), *moves(trunks, None)]
    if lines:
        confirm_plan(
            session,
            f"Group {name!r}: {', '.join(trunk.name for trunk in trunks)}.",
            *lines,
            question="Create the group?",
            seen=groups_of(trunks),
            read=lambda: groups_of(load_trunks(client, [trunk.id for trunk in trunks])),
        )
    group = VoiceInTrunkGroup(name=name, **given(GROUP_OPTIONS, fields, VoiceInTrunkGroup))
    with naming_options(GROUP_OPTIONS):
        group.voice_in_trunks = trunks
        with step():
            group = client.voice_in_trunk_groups().create(group).data
            session.known.append(f"Group {name!r} was created.")
    set_priorities(session, trunks, wanted)
    if session.settings.dry_run:
        return
    print_group(session, load(session, group.id))
    command = session.command_line("numbers", "route", "NUMBER", "--group", name)
    session.say(f"Route numbers to it: {command}")
