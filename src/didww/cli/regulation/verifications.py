"""`didww verifications`: address verifications of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Group
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable
from didww.cli.regulation import people, reviews
from didww.enums import AddressVerificationStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww.cli.session import Session
    from didww.resources.address_verification import AddressVerification

__all__ = ["verifications"]

ARGUMENT: Final = click.argument("text", metavar="REFERENCE")
WAIT: Final = "didww verifications wait"


@click.group(cls=Group, examples=("didww verifications list --status pending", "didww verifications wait AV-1234"))
def verifications() -> None:
    """Address verifications: DIDWW's reviews of the registration of numbers.

    `didww numbers register` submits them. REFERENCE is that of the verification, such as AV-1234, its id, or your own.
    """


@verifications.command("list", examples=("didww verifications list", "didww verifications list --status rejected"))
@click.option(
    "--status", type=click.Choice([each.value for each in AddressVerificationStatus]), help="With this status only."
)
@click.option("--identity", metavar="IDENTITY", help="Of this person or company.")
@click.option("--number", metavar="NUMBER", shell_complete=parameters.complete_numbers, help="Of this number.")
@list_options
@click.pass_obj
def list_(
    session: Session,
    status: str | None,
    identity: str | None,
    number: str | None,
    listing: Listing,
) -> None:
    """List verifications.

    The latest comes first.
    """
    from didww.resources.address_verification import AddressVerification

    client = session.client
    query: dict[str, Any] = {}
    if status is not None:
        query["status"] = status
    if identity is not None:
        query["address.identity.id"] = people.identity(client, identity).id
    if number is None:
        listing.print(session, AddressVerification, query, sort="-created_at")
        return
    table = RecordTable(session.settings, AddressVerification)
    everything = listing._replace(limit=None).records(
        session, AddressVerification, query, sort="-created_at", include=[*table.includes, "dids"]
    )
    table.print(_of_number(everything, lookups.plain_number(number), listing.limit))


def _of_number(records: Iterator[AddressVerification], number: str, limit: int | None) -> Iterator[AddressVerification]:
    from itertools import islice

    return islice((each for each in records if any(did.number == number for did in each.dids)), limit)


@verifications.command(examples=("didww verifications show AV-1234",))
@ARGUMENT
@click.pass_obj
def show(session: Session, text: str) -> None:
    """Show a verification and its address."""
    from didww.resources.address_verification import AddressVerification

    table = RecordTable(session.settings, AddressVerification)
    include = [*table.includes, "address.identity"]
    table.print_one(reviews.by_reference(session.client.address_verifications(), text, include))


@verifications.command(examples=("didww verifications wait AV-1234", "didww verifications wait AV-1234 --wait 2h"))
@ARGUMENT
@parameters.wait_option(reviews.DEFAULT_WAIT)
@click.pass_obj
def wait(session: Session, text: str, wait_limit: float) -> None:
    """Wait until a verification is approved.

    Exits with 3 if it is rejected.
    """
    from didww.resources.address_verification import AddressVerification

    endpoint = session.client.address_verifications()
    table = RecordTable(session.settings, AddressVerification)
    verification = reviews.by_reference(endpoint, text, table.includes)
    reviews.wait_for(session, endpoint, verification, wait_limit, command=WAIT)
    table.print_one(endpoint.find(verification.id, include=table.includes).data)
