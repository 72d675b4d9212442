"""`didww numbers list`, `show` and `history`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, parameters
from didww.cli.framework import SINCE_TOKENS, Command, SectionOption
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from didww.cli.session import Session
    from didww.resources.did import Did

__all__ = ["history", "list_", "show"]


@click.command(
    "list",
    cls=Command,
    examples=(
        "didww numbers list --country GB",
        "didww numbers list --trunk none",
        "didww numbers list --expiring 14d -o csv",
        "didww numbers list --columns number,voice_in_trunk.name --query '[].number'",
    ),
)
@parameters.country_option
@click.option(
    "--trunk",
    metavar="NAME|none",
    shell_complete=parameters.complete_trunks,
    help="Routed to this trunk; none: to no trunk and no group.",
)
@click.option("--group", metavar="NAME", shell_complete=parameters.complete_groups, help="Routed to this trunk group.")
@click.option(
    "--sms-trunk",
    cls=SectionOption,
    versions=SINCE_TOKENS,
    metavar="NAME",
    shell_complete=parameters.complete_sms_trunks_in,
    help="Whose text messages are routed to this SMS trunk.",
)
@click.option(
    "--sms-group",
    cls=SectionOption,
    versions=SINCE_TOKENS,
    metavar="NAME",
    shell_complete=parameters.complete_sms_groups,
    help="Whose text messages are routed to this SMS trunk group.",
)
@click.option("--expiring", type=parameters.duration, metavar="DURATION", help="Paid until then at most, e.g. 14d.")
@click.option("--canceled/--active", "terminated", default=None, help="Canceled numbers only, or others only.")
@list_options
@click.pass_obj
def list_(
    session: Session,
    country: str | None,
    trunk: str | None,
    group: str | None,
    sms_trunk: str | None,
    sms_group: str | None,
    expiring: timedelta | None,
    terminated: bool | None,
    listing: Listing,
) -> None:
    """List your numbers, with their routes and the end of the paid period."""
    from didww.resources.did import Did

    client = session.client
    query: dict[str, Any] = {}
    if country is not None:
        query["country.id"] = lookups.country(client, country).id
    if trunk == "none":
        query |= {"voice_in_trunk.id": None, "voice_in_trunk_group.id": None}
    elif trunk is not None:
        query["voice_in_trunk.id"] = lookups.by_name(client.voice_in_trunks(), trunk, "trunk").id
    if group is not None:
        query["voice_in_trunk_group.id"] = lookups.by_name(client.voice_in_trunk_groups(), group, "trunk group").id
    if sms_trunk is not None:
        query["sms_trunk.id"] = lookups.by_name(client.sms_trunks(), sms_trunk, "SMS trunk").id
    if sms_group is not None:
        query["sms_trunk_group.id"] = lookups.by_name(client.sms_trunk_groups(), sms_group, "SMS trunk group").id
    if terminated is not None:
        query["terminated"] = terminated
    if expiring is None:
        listing.print(session, Did, query, sort="number")
        return
    if listing.sort is not None:
        raise click.UsageError("--expiring sorts by expiry; --sort does not go with it.")
    table = RecordTable(session.settings, Did)
    by_expiry = listing._replace(sort="expires_at")
    table.print(_until(session, by_expiry.records(session, Did, query, include=table.includes), expiring))


def _until(session: Session, records: Iterator[Did], period: timedelta) -> Iterator[Did]:
    """Yield numbers, sorted by expiry, that expire within a period."""
    for did in records:
        if did.expires_at is not None:
            if did.expires_at > session.now() + period:
                return
            yield did


@click.command(cls=Command, examples=("didww numbers show +442079460001",))
@parameters.number_argument
@click.pass_obj
def show(session: Session, number: str) -> None:
    """Show a number: route, capacity, order, registration and when it is paid until."""
    from didww.resources.did import Did

    table = RecordTable(session.settings, Did)
    more = ["order", "capacity_pool", "shared_capacity_group", "address_verification", "identity"]
    (did,) = lookups.dids(session.client, [number], include=[*table.includes, *more])
    table.print_one(did)


@click.command(cls=Command, examples=("didww numbers history", "didww numbers history +442079460001 --limit 10"))
@click.argument("number", required=False, shell_complete=parameters.complete_numbers)
@parameters.limit_option
@click.pass_obj
def history(session: Session, number: str | None, limit: int | None) -> None:
    """Show what happened to a number, or to all: assigned, renewed, released. The latest event comes first."""
    from didww.resources.did_history import DidHistory

    query: Any = None if number is None else {"did_number": lookups.plain_number(number)}
    table = RecordTable(session.settings, DidHistory)
    table.print(session.client.did_history().iterate(filter=query, sort="-created_at", limit=limit))
