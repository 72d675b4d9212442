"""`didww addresses`: addresses of identities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.columns import Column
from didww.cli import lookups, parameters
from didww.cli.framework import Group
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable
from didww.cli.regulation import consequences, people
from didww.cli.regulation.fields import FieldOption, country_field, field_options, given_values, set_values

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["addresses"]

FIELDS: Final = (
    FieldOption("--street", "address", "Street and house number.", required=True),
    FieldOption("--city", "city_name", "Name of the city.", required=True),
    FieldOption("--postal-code", "postal_code", "Postal code.", required=True),
    country_field("--country", "country", "ISO code or name of the country.", required=True, on_update=False),
    FieldOption("--description", "description", "A note. The address can be found by it."),
    FieldOption("--reference", "external_reference_id", "Your own identifier; makes it safe to run again."),
)

ARGUMENT: Final = click.argument("text", metavar="ADDRESS")


@click.group(
    cls=Group,
    examples=(
        "didww addresses list",
        (
            'didww addresses create --identity Example --street "2 Example Street" --city Berlin --postal-code 10115'
            " --country DE"
        ),
    ),
)
def addresses() -> None:
    """Manage the addresses of identities.

    An ADDRESS is given by id, external reference, description or street.
    """


@addresses.command("list", examples=("didww addresses list", "didww addresses list --country DE"))
@click.option("--identity", metavar="IDENTITY", help="Addresses of this person or company.")
@parameters.country_option
@list_options
@click.pass_obj
def list_(
    session: Session,
    identity: str | None,
    country: str | None,
    listing: Listing,
) -> None:
    """List addresses."""
    from didww.resources.address import Address

    client = session.client
    query: dict[str, Any] = {}
    if identity is not None:
        query["identity.id"] = people.identity(client, identity).id
    if country is not None:
        query["country.id"] = lookups.country(client, country).id
    listing.print(session, Address, query)


@addresses.command(examples=('didww addresses show "1 Example Street"',))
@ARGUMENT
@click.pass_obj
def show(session: Session, text: str) -> None:
    """Show an address with its identity and proofs."""
    from didww.resources.address import Address

    table = RecordTable(session.settings, Address)
    if session.settings.columns is None:
        table.columns.append(Column("proofs", ("proofs.proof_type.name",)))
    table.print_one(people.address(session.client, text, [*table.includes, "area", "city"]))


@addresses.command(
    changes=True,
    examples=(
        (
            'didww addresses create --identity Example --street "2 Example Street" --city Berlin --postal-code 10115'
            " --country DE"
        ),
    ),
)
@click.option("--identity", metavar="IDENTITY", required=True, help="Person or company at the address.")
@field_options(FIELDS)
@click.pass_obj
def create(session: Session, /, identity: str, **options: str | None) -> None:
    """Create an address of an identity."""
    from didww.resources.address import Address

    client = session.client
    table = RecordTable(session.settings, Address)
    if people.exists(session, client.addresses(), options["external_reference_id"], table, "address"):
        return
    record = Address(identity=people.identity(client, identity))
    set_values(client, record, FIELDS, given_values(FIELDS, options))
    table.print_one(client.addresses().create(record, include=table.includes).data)


@addresses.command(
    changes=True, examples=('didww addresses update "1 Example Street" --postal-code 10117 --description Office',)
)
@ARGUMENT
@field_options(FIELDS, update=True)
@click.pass_obj
def update(session: Session, /, text: str, **options: str | None) -> None:
    """Change fields of an address. An empty text clears a field. Identity and country cannot be changed.

    Asks first if numbers are registered at it, or if emergency calling uses it.
    """
    from didww.resources.address import Address

    client = session.client
    values = given_values(FIELDS, options)
    if not values:
        raise click.UsageError("Pass an option with what to change, such as --postal-code.")
    record = people.address(client, text, ["identity"])
    what, before = people.address_label(record), consequences.values_before(record, FIELDS, values)
    set_values(client, record, FIELDS, values)
    order = dict.fromkeys(each.field for each in FIELDS if each.field in values)
    consequences.confirm_update(session, record, before, order, what)
    table = RecordTable(session.settings, Address)
    table.print_one(client.addresses().update(record, include=table.includes).data)


@addresses.command(changes=True, output=False, examples=('didww addresses delete "1 Example Street"',))
@ARGUMENT
@click.pass_obj
def delete(session: Session, text: str) -> None:
    """Delete an address.

    Its proofs are deleted too. Fails while it is under review.
    """
    client = session.client
    record = people.address(client, text, ["identity", "proofs"])
    name = people.address_label(record)
    used = " Numbers are registered at it." if record.verified else ""
    session.confirm(
        f"Deletes {name} of {people.identity_label(record.identity)} with {len(record.proofs)} proofs.{used}",
        question="Delete the address?",
    )
    client.addresses().delete(record)
    session.say(f"{name} was deleted.")
