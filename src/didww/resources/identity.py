"""Identities: the persons and companies that numbers are registered to."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalDigitPart, OptionalDigits, OptionalPart, OptionalText, Text
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


class Identity(
    Resource,
    type="identities",
    rules=(
        When("identity_type", (IdentityType.BUSINESS.value,), needs=("company_name",)),
        When("identity_type", (IdentityType.PERSONAL.value,), bars=("company_name", "company_reg_number", "vat_id")),
        When("vat_id", (SET,), needs=("country",)),
    ),
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids},
    columns={
        "type": "identity_type",
        "first name": "first_name",
        "name": ("company_name", "last_name"),
        "country": "country.iso",
        "phone": "phone_number",
        "verified": "verified",
        "description": "description",
    },
):
    """A person or company that numbers are registered to.

    The `AddressRequirement` of the numbers determines which optional fields are required. Deleting an identity also
    deletes its addresses and documents; it fails with 409 while the identity is in use.
    Source: tests/contract/facts/identities.yaml.
    """

    identity_type: IdentityType = writable(
        "Type of the identity, `personal` or `business`. Cannot be changed later.",
        on="create",
        required=True,
        form=Form("^(?!any$).*$", "'personal' or 'business'"),
        filter=Text,
    )
    first_name: str = writable(
        "First name of the person, or of the company's representative.",
        required=True,
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    last_name: str = writable(
        "Last name of the person, or of the company's representative.",
        required=True,
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    phone_number: str = writable(
        "Contact phone number, digits only, e.g. `442079460000`.",
        required=True,
        form=DIGITS,
        filter=OptionalDigits,
        filter_contains=OptionalDigitPart,
        sort=True,
    )
    contact_email: str | None = writable(
        "Contact email address for the registration, or None if not set.", form=EMAIL, sort=True
    )
    company_name: str | None = writable(
        "Company name. Required for a business identity, not allowed for a personal one. None if not set.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    company_reg_number: str | None = writable(
        "Company registration number, for a business identity only. None if not set.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    vat_id: str | None = writable(
        "VAT number, for a business identity only. Validated against `country`. None if not set.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    id_number: str | None = writable(
        "Passport or identity card number, or None if not set.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    personal_tax_id: str | None = writable(
        "Personal tax number, or None if not set.", filter=OptionalText, filter_contains=OptionalPart, sort=True
    )
    birth_date: DateText | None = writable("Date of birth, `YYYY-MM-DD`, or None if not set.", filter=Text, sort=True)
    description: str | None = writable(
        "Free-text note, or None if not set.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=Text,
        sort=True,
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    verified: bool = attribute(
        "True if at least one number is registered to the identity. Independent of its documents.", sort=True
    )
    country: Country | None = writable_relationship(
        "Country where the identity is registered, or None if not set.", filter=Ids, include=True
    )
    birth_country: Country | None = writable_relationship(
        "Country of birth of the person, or None if not set.", include=True
    )
    proofs: list[Proof] = relationship("Documents that prove the identity.", include=True)
    addresses: list[Address] = relationship("Postal addresses of the identity.", include=True)
    permanent_documents: list[PermanentSupportingDocument] = relationship(
        "Permanent supporting documents of the identity.", include=True
    )
