"""`didww groups list` and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Command
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, print_rows

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

__all__ = ["group_argument", "list_", "load", "print_group", "show"]

group_argument = click.argument("group", metavar="GROUP", shell_complete=parameters.complete_groups)


def load(session: Session, text: str) -> VoiceInTrunkGroup:
    """Return a group with its trunks, by name or id."""
    endpoint = session.client.voice_in_trunk_groups()
    found = lookups.by_name(endpoint, text, "trunk group")
    group: VoiceInTrunkGroup = endpoint.find(found.id, include="voice_in_trunks").data
    return group


@click.command("list", cls=Command, examples=("didww groups list", "didww groups list -o json"))
@list_options
@click.pass_obj
def list_(session: Session, listing: Listing) -> None:
    """List trunk groups, with their trunks."""
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

    listing.print(session, VoiceInTrunkGroup, {}, sort="name")


@click.command(cls=Command, examples=("didww groups show Support", "didww groups show Support -o json"))
@group_argument
@click.pass_obj
def show(session: Session, group: str) -> None:
    """Show a group: which trunk rings when, and the numbers that use it.

    The table has a row for each trunk, in the order in which they ring. "next on" lists the SIP responses after
    which the next trunk rings.
    """
    print_group(session, load(session, group))


def print_group(session: Session, group: VoiceInTrunkGroup) -> None:
    """Print a group that was loaded with its trunks."""
    from didww.cli.trunk_groups.failover import in_order, row, sentences
    from didww.cli.trunks.use import routed
    from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup

    use = routed(session.client, "voice_in_trunk_group", group.id)
    rows = [row(trunk) for trunk in in_order(group.voice_in_trunks)]
    if session.settings.for_person:
        limit = group.capacity_limit
        calls = "no limit on concurrent calls" if limit is None else f"at most {limit} concurrent calls"
        session.say(f"Group {group.name!r} ({group.id}), {calls}.")
        print_rows(session.settings, rows, ["priority", "weight", "trunk", "calls go to", "seconds", "next on"])
        for sentence in sentences(group.voice_in_trunks):
            session.say(sentence)
        session.say(use.sentence("the group"))
    else:
        more = {"trunks": rows, "numbers": use.numbers, "numbers count": use.total}
        RecordTable(session.settings, VoiceInTrunkGroup).print_one(group, more)
