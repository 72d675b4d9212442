"""The persons and companies that numbers are registered to."""

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
        "Number to reach them by, digits only, e.g. `442079460000`.",
        required=True,
        form=DIGITS,
        filter=OptionalDigits,
        filter_contains=OptionalDigitPart,
        sort=True,
    )
    contact_email: str | None = writable(
        "Email address for questions of the registration; None if not given.", form=EMAIL, sort=True
    )
    company_name: str | None = writable(
        "Name of the company, which a business identity needs and a personal one cannot have; None if not given.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    company_reg_number: str | None = writable(
        "Number of the company in its register, of a business identity only; None if not given.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    vat_id: str | None = writable(
        "Value added tax number, of a business identity only, checked against its `country`; None if not given.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    id_number: str | None = writable(
        "Number of the passport or identity card; None if not given.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    personal_tax_id: str | None = writable(
        "The person's tax number; None if not given.", filter=OptionalText, filter_contains=OptionalPart, sort=True
    )
    birth_date: DateText | None = writable("Date of birth, `YYYY-MM-DD`; None if not given.", filter=Text, sort=True)
    description: str | None = writable(
        "Free text of the account's own; None if there is none.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.",
        max_length=100,
        filter=Text,
        sort=True,
    )
    created_at: datetime = attribute("When it was created.", sort=True)
    verified: bool = attribute(
        "Whether at least one number is registered to it; nothing about its documents.", sort=True
    )
    country: Country | None = writable_relationship(
        "The country that the identity is registered in; None if not given.", filter=Ids, include=True
    )
    birth_country: Country | None = writable_relationship(
        "The person's country of birth; None if not given.", include=True
    )
    proofs: list[Proof] = relationship("Documents that prove the identity.", include=True)
    addresses: list[Address] = relationship("Its postal addresses.", include=True)
    permanent_documents: list[PermanentSupportingDocument] = relationship(
        "Filled-in forms on file for it.", include=True
    )
