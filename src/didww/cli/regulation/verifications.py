"""`didww verifications`: address verifications of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import lookups, parameters
from didww.cli.framework import Group
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
@parameters.filter_option
@parameters.sort_option
@parameters.limit_option
@click.pass_obj
def list_(
    session: Session,
    status: str | None,
    identity: str | None,
    number: str | None,
    filters: tuple[tuple[str, str], ...],
    sort: str | None,
    limit: int | None,
) -> None:
    """List verifications.

    The latest comes first.
    """
    from didww.resources.address_verification import AddressVerification

    client = session.client
    query: dict[str, Any] = parameters.query_of(AddressVerification, filters)
    if status is not None:
        query["status"] = status
    if identity is not None:
        query["address.identity.id"] = people.identity(client, identity).id
    table = RecordTable(session.settings, AddressVerification)
    include = list(dict.fromkeys([*table.includes, *(["dids"] if number is not None else [])]))
    records = client.address_verifications().iterate(
        filter=query or None,
        include=include,
        sort=sort or "-created_at",
        limit=limit if number is None else None,
    )
    table.print(records if number is None else _of_number(records, lookups.plain_number(number), limit))


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


@verifications.command(examples=("didww verifications wait AV-1234", "didww verifications wait AV-1234 --timeout 2h"))
@ARGUMENT
@parameters.timeout_option(reviews.DEFAULT_TIMEOUT)
@click.pass_obj
def wait(session: Session, text: str, timeout: float) -> None:
    """Wait until a verification is approved.

    Exits with 3 if it is rejected.
    """
    from didww.resources.address_verification import AddressVerification

    endpoint = session.client.address_verifications()
    table = RecordTable(session.settings, AddressVerification)
    verification = reviews.by_reference(endpoint, text, table.includes)
    reviews.wait_for(session, endpoint, verification, timeout, command=WAIT)
    table.print_one(endpoint.find(verification.id, include=table.includes).data)
