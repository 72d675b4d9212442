"""Emergency requirements: prerequisites and prices of emergency calling, by country and type of number."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids, Texts
from didww._schema.meta import Meta
from didww._schema.resource import Resource
from didww.enums import AreaLevel, IdentityType, NumberType

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType


class EmergencyRequirementMeta(Meta):
    """Prices of emergency calling for this account, in US dollars."""

    setup_price: Decimal | None = attribute(
        "One-time price of the activation, or None if included through a service the account has no rate for."
    )
    monthly_price: Decimal | None = attribute(
        "Monthly price, or None if included through a service the account has no rate for."
    )


class EmergencyRequirement(
    Resource,
    type="emergency_requirements",
    operations=("list", "find"),
    filters={"id": Ids},
    columns={
        "country": "country.name",
        "type": ("did_group_type.name", "number_type"),
        "identity": "identity_type",
        "address level": "address_area_level",
        "setup time": "estimate_setup_time",
    },
):
    """The requirements for emergency calling on numbers of one country and type.

    An area level defines how close to the location of the number an identity or address must be. Mandatory
    fields are names of attributes, such as `birth_date` or `vat_id`. In API version 2026-04-16, they are labels, such
    as `Birth Date` or `VAT Number / TAX Code`. These lists and `address_area_level` are not documented as nullable,
    but some responses contain null.
    Source: tests/contract/facts/emergency_requirements.yaml.
    """

    identity_type: IdentityType = attribute("Accepted type of identity; `any` accepts both.")
    personal_area_level: AreaLevel | None = attribute(
        "Where a personal identity must be located, relative to the number, or None if not specified."
    )
    business_area_level: AreaLevel | None = attribute(
        "Where a business identity must be located, relative to the number, or None if not specified."
    )
    address_area_level: AreaLevel | None = attribute(
        "Where the address must be located, relative to the number, or None if not specified."
    )
    personal_mandatory_fields: list[str] | None = attribute(
        "Fields that a personal identity must provide: names, or labels in API version 2026-04-16."
    )
    business_mandatory_fields: list[str] | None = attribute(
        "Fields that a business identity must provide: names, or labels in API version 2026-04-16."
    )
    address_mandatory_fields: list[str] | None = attribute(
        "Fields that the address must provide: names, or labels in API version 2026-04-16."
    )
    estimate_setup_time: str = attribute("Estimated activation time as free text, e.g. `7-14 days` or `1`.")
    requirement_restriction_message: str | None = attribute("Restrictions of the country, or None if there are none.")
    number_type: NumberType = attribute("Type of the numbers.", filter=Texts, since="2026-11-19")
    country: Country | None = relationship("Country of the numbers.", filter=Ids, include=True)
    did_group_type: DidGroupType | None = relationship(
        "Type of the numbers, e.g. Local or Mobile.",
        filter=Ids,
        include=True,
        until="2026-04-16",
        replacement="number_type",
    )
    meta = resource_meta(EmergencyRequirementMeta, "Prices of emergency calling.")

    @property
    def name(self) -> str | None:
        """Raw value of this undocumented member, or None if the response does not contain it."""
        return self._attributes.get("name")
