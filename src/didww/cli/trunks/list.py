"""`didww trunks list` and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Command
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, print_rows

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.voice_in_trunk import VoiceInTrunk

__all__ = ["credentials_option", "list_", "show", "trunk_argument"]

trunk_argument = click.argument("trunk", metavar="TRUNK", shell_complete=parameters.complete_trunks)
credentials_option = click.option("--show-credentials", is_flag=True, help="Print user names and passwords.")


@click.command(
    "list",
    cls=Command,
    examples=("didww trunks list", "didww trunks list --group Support --sort priority", "didww trunks list -o json"),
)
@click.option(
    "--group", metavar="NAME|none", shell_complete=parameters.complete_groups, help="In this group; none: in no group."
)
@click.option("--type", "kind", type=click.Choice(["sip", "pstn"]), help="To SIP, or to a phone number.")
@list_options
@click.pass_obj
def list_(
    session: Session,
    group: str | None,
    kind: str | None,
    listing: Listing,
) -> None:
    """List inbound trunks: where they send calls, and their order in a group."""
    from itertools import islice

    from didww.resources.voice_in_trunk import VoiceInTrunk

    client = session.client
    query: dict[str, Any] = {}
    if kind is not None:
        query["configuration.type"] = f"{kind}_configurations"
    table = RecordTable(session.settings, VoiceInTrunk)
    everything = listing._replace(limit=None)
    include = [*table.includes, "voice_in_trunk_group"]
    records: Any = everything.records(session, VoiceInTrunk, query, sort="name", include=include)
    if group is not None:
        wanted = None
        if group != "none":
            wanted = lookups.by_name(client.voice_in_trunk_groups(), group, "trunk group").id
        records = (each for each in records if _group_id(each) == wanted)
    records = islice(records, listing.limit)
    if session.settings.for_person:
        print_rows(session.settings, [_row(each) for each in records], COLUMNS)
    else:
        table.print(records)


COLUMNS = ("name", "calls go to", "group", "priority", "weight", "limit")


def _row(trunk: VoiceInTrunk) -> dict[str, Any]:
    from didww.cli.trunks.use import destination

    group = trunk.voice_in_trunk_group
    values = (
        trunk.name,
        destination(trunk),
        None if group is None else group.name,
        trunk.priority,
        trunk.weight,
        trunk.capacity_limit,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _group_id(trunk: Any) -> str | None:
    group = trunk.voice_in_trunk_group
    return None if group is None else str(group.id)


@click.command(cls=Command, examples=("didww trunks show Office", "didww trunks show Office --show-credentials"))
@trunk_argument
@credentials_option
@click.pass_obj
def show(session: Session, trunk: str, show_credentials: bool) -> None:
    """Show a trunk: its settings, its group, and the numbers that use it."""
    from didww.cli.trunks.output import TrunkOutput
    from didww.cli.trunks.use import affected, routed

    client = session.client
    found = lookups.by_name(client.voice_in_trunks(), trunk, "trunk")
    output = TrunkOutput(session.settings, secrets=show_credentials)
    record = client.voice_in_trunks().find(found.id, include=output.includes).data
    use = routed(client, "voice_in_trunk", record.id)
    output.print(record, {"numbers": use.numbers, "numbers count": use.total})
    for sentence in affected(client, record):
        session.say(sentence)
    if use.total > len(use.numbers):
        command = session.command_line("numbers", "list", "--trunk", record.name)
        session.say(f"The first {len(use.numbers)} are shown. All: {command}")
