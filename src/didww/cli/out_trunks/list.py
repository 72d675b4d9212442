"""`didww out-trunks list` and `show`, and how an outbound trunk is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Command
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, print_row

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.voice_out_trunk import VoiceOutTrunk

__all__ = ["INCLUDES", "list_", "load", "print_trunk", "show", "trunk_argument"]

INCLUDES = ["dids", "default_did", "emergency_dids"]
trunk_argument = click.argument("trunk", metavar="TRUNK", shell_complete=parameters.complete_out_trunks)


def load(session: Session, text: str) -> VoiceOutTrunk:
    """Return an outbound trunk with its numbers, by name or id."""
    endpoint = session.client.voice_out_trunks()
    found = lookups.by_name(endpoint, text, "outbound trunk")
    trunk: VoiceOutTrunk = endpoint.find(found.id, include=INCLUDES).data
    return trunk


@click.command("list", cls=Command, examples=("didww out-trunks list", "didww out-trunks list -f status=blocked"))
@list_options
@click.pass_obj
def list_(session: Session, listing: Listing) -> None:
    """List outbound trunks: status, who may call, and limits."""
    from didww.resources.voice_out_trunk import VoiceOutTrunk

    listing.print(session, VoiceOutTrunk, {}, sort="name")


@click.command(cls=Command, examples=("didww out-trunks show Outbound",))
@trunk_argument
@click.pass_obj
def show(session: Session, trunk: str) -> None:
    """Show an outbound trunk: its settings, its numbers and what it has spent."""
    print_trunk(session, load(session, trunk))


def print_trunk(session: Session, trunk: VoiceOutTrunk) -> None:
    """Print a trunk that was loaded with its numbers: for a person, in the words of the options."""
    from didww.cli.field_options import described
    from didww.cli.out_trunks.options import OPTIONS
    from didww.resources.voice_out_trunk import VoiceOutTrunk as Class

    numbers = [did.number for did in trunk.dids]
    emergency = [did.number for did in trunk.emergency_dids]
    if not session.settings.for_person:
        more = {"numbers": numbers, "emergency numbers": emergency}
        RecordTable(session.settings, Class).print_one(trunk, more)
        return
    method = trunk.authentication_method
    row: dict[str, Any] = {"id": trunk.id, "name": trunk.name, "status": trunk.status, "method": method.type}
    row |= {"allow": getattr(method, "allowed_sip_ips", None), **described(OPTIONS, method, secrets=False)}
    if getattr(method, "username", None) is not None:
        row |= {"username": "***", "password": "***"}
    row |= described(OPTIONS, trunk, secrets=False)
    default = trunk.default_did
    row |= {
        "number": numbers,
        "replace with": None if default is None else default.number,
        "emergency number": emergency,
        "spent": trunk.meta.spent_amount,
        "limit reached": trunk.threshold_reached,
        "created": trunk.created_at,
    }
    print_row(session.settings, row)
