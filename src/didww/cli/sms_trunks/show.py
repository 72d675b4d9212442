"""`didww sms-trunks show`, and how an SMS trunk is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Command
from didww.cli.output import RecordTable
from didww.cli.trunks.use import routed

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.sms_trunk import SmsTrunk

__all__ = ["INCLUDES", "load", "show", "trunk_argument"]

INCLUDES: Final = ("sms_trunk_group", "outgoing_dids", "sender_id_verifications")
trunk_argument: Final = click.argument("trunk", metavar="TRUNK", shell_complete=parameters.complete_sms_trunks)


def load(session: Session, text: str) -> SmsTrunk:
    """Return an SMS trunk with its group, numbers and sender IDs, by name or id."""
    endpoint = session.client.sms_trunks()
    found = lookups.by_name(endpoint, text, "SMS trunk")
    trunk: SmsTrunk = endpoint.find(found.id, include=INCLUDES).data
    return trunk


@click.command(cls=Command, examples=("didww sms-trunks show Inbox",))
@trunk_argument
@click.pass_obj
def show(session: Session, trunk: str) -> None:
    """Show an SMS trunk: its settings, its group, and the numbers that use it."""
    from didww.resources.sms_trunk import SmsTrunk

    record = load(session, trunk)
    use = routed(session.client, "sms_trunk", record.id)
    more = {
        "senders": [did.number for did in record.outgoing_dids],
        "sender ids": [each.name for each in record.sender_id_verifications],
        "numbers": use.numbers,
        "numbers count": use.total,
    }
    RecordTable(session.settings, SmsTrunk).print_one(record, more)
    session.say(use.sentence("the trunk"))
    group = record.sms_trunk_group
    if group is not None:
        session.say(routed(session.client, "sms_trunk_group", group.id).sentence(f"its group {group.name!r}"))
