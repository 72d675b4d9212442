"""`didww numbers available` and `reserve`: individual numbers for sale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import lookups, number_types, parameters
from didww.cli.framework import Command
from didww.cli.output import RecordTable

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["available", "reserve"]


@click.command(
    cls=Command,
    examples=(
        "didww numbers available GB --city London --contains 794600",
        "didww numbers available US --contains 2125550",
    ),
)
@click.argument("country", shell_complete=parameters.complete_countries)
@click.option("--city", metavar="NAME", help="City.")
@click.option("--type", "type_", metavar="TYPE", help="Type of the numbers: local, mobile, national, toll-free ...")
@click.option("--contains", metavar="DIGITS", help="Digits anywhere in the number.")
@click.option("--feature", "features", multiple=True, metavar="FEATURE", help="Such as sms_in; repeatable.")
@parameters.limit_option
@click.pass_obj
def available(
    session: Session,
    country: str,
    city: str | None,
    type_: str | None,
    contains: str | None,
    features: tuple[str, ...],
    limit: int | None,
) -> None:
    """List individual numbers for sale. The service limits the length of the list.

    Buy one with `didww numbers buy --number NUMBER`.
    """
    from didww.resources.available_did import AvailableDid

    client = session.client
    place = lookups.country(client, country)
    query: dict[str, Any] = {"country.id": place.id}
    if city is not None:
        query["city.id"] = [each.id for each in lookups.cities(client, city, place)]
    if type_ is not None:
        query |= number_types.filter_by(client, AvailableDid, type_)
    if contains is not None:
        query["number_contains"] = contains
    if features:
        query["did_group.features"] = list(features)
    table = RecordTable(session.settings, AvailableDid)
    response = client.available_dids().list(filter=query, include=table.includes)
    table.print(response.data[:limit])
    if response.total_records and response.total_records > len(response.data[:limit]):
        session.say(f"{response.total_records} numbers match.")


@click.command(
    cls=Command,
    changes=True,
    examples=("didww numbers reserve +442079460001 --description 'front desk'", "didww numbers reserve --list"),
)
@parameters.numbers_argument
@click.option("--description", metavar="TEXT", help="A note.")
@click.option("--list", "listed", is_flag=True, help="List the reservations.")
@click.option("--release", is_flag=True, help="End the reservations of the numbers.")
@click.pass_obj
def reserve(
    session: Session, number_texts: tuple[str, ...], description: str | None, listed: bool, release: bool
) -> None:
    """Reserve individual numbers for a few minutes, without cost, until you buy them.

    A number that is reserved already is left as it is.
    """
    from didww.resources.did_reservation import DidReservation

    client = session.client
    table = RecordTable(session.settings, DidReservation)
    if listed and (number_texts or release):
        raise click.UsageError("--list goes with no number and no --release.")
    if listed:
        table.print(client.did_reservations().iterate(include=table.includes))
        return
    if not number_texts:
        raise click.UsageError("Pass at least one number, or --list.")
    reservations: list[Any] = []
    for number in dict.fromkeys(lookups.plain_number(text) for text in number_texts):
        reservation = lookups.reservation(client, number)
        if release and reservation is not None:
            client.did_reservations().delete(reservation)
            session.say(f"Released {number}.")
        elif release:
            session.say(f"{number} is not reserved.")
        elif reservation is None:
            wanted = DidReservation(available_did=lookups.available_did(client, number))
            if description is not None:
                wanted.description = description
            reservation = client.did_reservations().create(wanted, include=table.includes).data
        reservations += [reservation] if not release else []
    if reservations:
        table.print(reservations)
