"""`didww identities`: persons and companies that numbers are registered to."""

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
from didww.enums import IdentityType

if TYPE_CHECKING:
    from didww.cli.session import Session

__all__ = ["identities"]

TYPES: Final = [each.value for each in IdentityType if each is not IdentityType.ANY]

FIELDS: Final = (
    FieldOption("--first-name", "first_name", "Of the person, or of the company's representative.", required=True),
    FieldOption("--last-name", "last_name", "Of the person, or of the company's representative.", required=True),
    FieldOption("--phone", "phone_number", "Contact phone number.", "NUMBER", required=True),
    FieldOption("--email", "contact_email", "Contact email address.", "ADDRESS"),
    FieldOption("--company-name", "company_name", "Name of the company."),
    FieldOption("--company-reg-number", "company_reg_number", "Registration number of the company."),
    FieldOption("--vat-id", "vat_id", "VAT number of the company. Needs --country."),
    FieldOption("--id-number", "id_number", "Number of the passport or identity card."),
    FieldOption("--personal-tax-id", "personal_tax_id", "Tax number of the person."),
    FieldOption("--birth-date", "birth_date", "Date of birth.", "YYYY-MM-DD"),
    country_field("--country", "country", "Country of the person or company: ISO code or name."),
    country_field("--birth-country", "birth_country", "Country of birth: ISO code or name."),
    FieldOption("--description", "description", "A note. The identity can be found by it."),
    FieldOption("--reference", "external_reference_id", "Your own identifier; makes it safe to run again."),
)

DETAILS: Final = {
    "addresses": "addresses.address",
    "proofs": "proofs.proof_type.name",
    "forms": "permanent_documents.template.name",
}
ARGUMENT: Final = click.argument("text", metavar="IDENTITY")


@click.group(
    cls=Group,
    examples=(
        "didww identities list",
        "didww identities create --type personal --first-name Kim --last-name Sample --phone 442079460000",
    ),
)
def identities() -> None:
    """Manage the persons and companies that numbers are registered to.

    An IDENTITY is given by id, external reference, company name, last or full name, or description.
    """


@identities.command("list", examples=("didww identities list --type business", "didww identities list --country DE"))
@click.option("--type", "kind", type=click.Choice(TYPES), help="Persons only, or companies only.")
@parameters.country_option
@list_options
@click.pass_obj
def list_(
    session: Session,
    kind: str | None,
    country: str | None,
    listing: Listing,
) -> None:
    """List identities."""
    from didww.resources.identity import Identity

    client = session.client
    query: dict[str, Any] = {}
    if kind is not None:
        query["identity_type"] = kind
    if country is not None:
        query["country.id"] = lookups.country(client, country).id
    listing.print(session, Identity, query)


@identities.command(examples=("didww identities show Example",))
@ARGUMENT
@click.pass_obj
def show(session: Session, text: str) -> None:
    """Show an identity with its addresses and documents."""
    from didww.resources.identity import Identity

    table = RecordTable(session.settings, Identity)
    if session.settings.columns is None:
        table.columns += [Column(heading, (path,)) for heading, path in DETAILS.items()]
    table.print_one(people.identity(session.client, text, [*table.includes, "birth_country"]))


@identities.command(
    changes=True,
    examples=(
        "didww identities create --type personal --first-name Kim --last-name Sample --phone 442079460000",
        (
            'didww identities create --type business --company-name "Example Ltd" --first-name Kim --last-name Sample'
            " --phone 442079460000 --country GB --reference customer-42"
        ),
    ),
)
@click.option("--type", "kind", type=click.Choice(TYPES), required=True, help="A person or a company.")
@field_options(FIELDS)
@click.pass_obj
def create(session: Session, /, kind: str, **options: str | None) -> None:
    """Create an identity.

    The numbers decide which fields it needs: see `didww numbers register --requirements COUNTRY`.
    """
    from didww.resources.identity import Identity

    client = session.client
    table = RecordTable(session.settings, Identity)
    if people.exists(session, client.identities(), options["external_reference_id"], table, "identity"):
        return
    record = Identity(identity_type=IdentityType(kind))
    set_values(client, record, FIELDS, _plain_phone(given_values(FIELDS, options)))
    table.print_one(client.identities().create(record, include=table.includes).data)


@identities.command(
    changes=True,
    examples=(
        "didww identities update Example --birth-date 1980-01-31",
        'didww identities update Example --email ""',
    ),
)
@ARGUMENT
@field_options(FIELDS, update=True)
@click.pass_obj
def update(session: Session, /, text: str, **options: str | None) -> None:
    """Change fields of an identity. An empty text clears a field. The type cannot be changed.

    Asks first if numbers are registered to it, or if emergency calling uses it.
    """
    from didww.resources.identity import Identity

    client = session.client
    values = _plain_phone(given_values(FIELDS, options))
    if not values:
        raise click.UsageError("Pass an option with what to change, such as --birth-date.")
    record = people.identity(client, text, ["country", "birth_country"])
    what, before = people.identity_label(record), consequences.values_before(record, FIELDS, values)
    set_values(client, record, FIELDS, values)
    order = dict.fromkeys(each.field for each in FIELDS if each.field in values)
    consequences.confirm_update(session, record, before, order, what)
    table = RecordTable(session.settings, Identity)
    table.print_one(client.identities().update(record, include=table.includes).data)


def _plain_phone(values: dict[str, str | None]) -> dict[str, str | None]:
    phone = values.get("phone_number")
    if phone is None:
        return values
    return {**values, "phone_number": lookups.plain_number(phone)}


@identities.command(changes=True, output=False, examples=("didww identities delete Example",))
@ARGUMENT
@click.pass_obj
def delete(session: Session, text: str) -> None:
    """Delete an identity.

    Its addresses and documents are deleted too. Fails while a number is registered to it.
    """
    client = session.client
    record = people.identity(client, text, ["addresses", "proofs", "permanent_documents"])
    documents = len(record.proofs) + len(record.permanent_documents)
    name = people.identity_label(record)
    session.confirm(
        f"Deletes {name} with {_count(len(record.addresses), 'address', 'addresses')} and "
        f"{_count(documents, 'document', 'documents')}.",
        *(f"- {people.address_label(address)}" for address in record.addresses),
        question=f"Delete {name}?",
    )
    client.identities().delete(record)
    session.say(f"{name} was deleted.")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
