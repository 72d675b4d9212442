"""The persons and companies that numbers are registered to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.filters import Ids, OptionalDigitPart, OptionalDigits, OptionalPart, OptionalText, Text
from didww._schema.forms import DIGITS, EMAIL, Form
from didww._schema.resource import Resource
from didww._schema.rules import SET, When
from didww._schema.types import DateText
from didww.enums import IdentityType

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.country import Country
    from didww.resources.permanent_supporting_document import PermanentSupportingDocument
    from didww.resources.proof import Proof

IdentityFilter = TypedDict(
    "IdentityFilter",
    {
        "birth_date": Text,
        "company_name": OptionalText,
        "company_name_contains": OptionalPart,
        "company_reg_number": OptionalText,
        "company_reg_number_contains": OptionalPart,
        "country.id": Ids,
        "description": OptionalText,
        "description_contains": OptionalPart,
        "external_reference_id": Text,
        "first_name": OptionalText,
        "first_name_contains": OptionalPart,
        "id": Ids,
        "id_number": OptionalText,
        "id_number_contains": OptionalPart,
        "identity_type": Text,
        "last_name": OptionalText,
        "last_name_contains": OptionalPart,
        "personal_tax_id": OptionalText,
        "personal_tax_id_contains": OptionalPart,
        "phone_number": OptionalDigits,
        "phone_number_contains": OptionalDigitPart,
        "vat_id": OptionalText,
        "vat_id_contains": OptionalPart,
    },
    total=False,
)
IdentityInclude = Literal[
    "addresses",
    "addresses.area",
    "addresses.city",
    "addresses.country",
    "addresses.identity",
    "addresses.proofs",
    "birth_country",
    "birth_country.regions",
    "country",
    "country.regions",
    "permanent_documents",
    "permanent_documents.identity",
    "permanent_documents.template",
    "proofs",
    "proofs.entity",
    "proofs.proof_type",
]
IdentitySort = Literal[
    "birth_date",
    "-birth_date",
    "company_name",
    "-company_name",
    "company_reg_number",
    "-company_reg_number",
    "contact_email",
    "-contact_email",
    "created_at",
    "-created_at",
    "description",
    "-description",
    "external_reference_id",
    "-external_reference_id",
    "first_name",
    "-first_name",
    "id_number",
    "-id_number",
    "last_name",
    "-last_name",
    "personal_tax_id",
    "-personal_tax_id",
    "phone_number",
    "-phone_number",
    "vat_id",
    "-vat_id",
    "verified",
    "-verified",
]


class Identity(
    Resource,
    type="identities",
    rules=(
        When("identity_type", (IdentityType.BUSINESS.value,), needs=("company_name",)),
        When("identity_type", (IdentityType.PERSONAL.value,), bars=("company_name", "company_reg_number", "vat_id")),
        When("vat_id", (SET,), needs=("country",)),
    ),
    operations=("list", "find", "create", "update", "delete"),
    filter=IdentityFilter,
    include=IdentityInclude,
    sort=IdentitySort,
):
    """A person or company that numbers are registered to.

    Which optional fields are needed depends on the numbers' `AddressRequirement`. Deleting an identity
    deletes its addresses and documents too; the service refuses it (409) while the identity is in use.
    Source: tests/contract/facts/identities.yaml.
    """

    identity_type: IdentityType = writable(
        "Person or company (`personal` or `business`); cannot change later.",
        on="create",
        required=True,
        form=Form("^(?!any$).*$", "'personal' or 'business'"),
    )
    first_name: str = writable("First name of the person, or of the company's representative.", required=True)
    last_name: str = writable("Last name of the person, or of the company's representative.", required=True)
    phone_number: str = writable(
        "Number to reach them by, digits only, e.g. `442079460000`.", required=True, form=DIGITS
    )
    contact_email: str | None = writable(
        "Email address for questions of the registration; None if not given.", form=EMAIL
    )
    company_name: str | None = writable(
        "Name of the company, which a business identity needs and a personal one cannot have; None if not given.",
    )
    company_reg_number: str | None = writable(
        "Number of the company in its register, of a business identity only; None if not given."
    )
    vat_id: str | None = writable(
        "Value added tax number, of a business identity only, checked against its `country`; None if not given."
    )
    id_number: str | None = writable("Number of the passport or identity card; None if not given.")
    personal_tax_id: str | None = writable("The person's tax number; None if not given.")
    birth_date: DateText | None = writable("Date of birth, `YYYY-MM-DD`; None if not given.")
    description: str | None = writable("Free text of the account's own; None if there is none.")
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.", longest=100
    )
    created_at: datetime = attribute("When it was created.")
    verified: bool = attribute("Whether at least one number is registered to it; nothing about its documents.")
    country: Country | None = writable_relationship(
        "The country that the identity is registered in; None if not given."
    )
    birth_country: Country | None = writable_relationship("The person's country of birth; None if not given.")
    proofs: list[Proof] = relationship("Documents that prove the identity.")
    addresses: list[Address] = relationship("Its postal addresses.")
    permanent_documents: list[PermanentSupportingDocument] = relationship("Filled-in forms on file for it.")
