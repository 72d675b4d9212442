"""What emergency calling takes and costs, by country and kind of number."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.fields import meta as resource_meta
from didww._schema.filter_rules import Ids
from didww._schema.record import Meta
from didww._schema.resource import Resource
from didww.enums import AreaLevel, IdentityType

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType


class EmergencyRequirementMeta(Meta):
    """What emergency calling would cost this account, in US dollars."""

    setup_price: Decimal | None = attribute(
        "Price of the activation; None if reached through a service the account has no rate for."
    )
    monthly_price: Decimal | None = attribute(
        "Price by the month; None if reached through a service the account has no rate for."
    )


class EmergencyRequirement(Resource, type="emergency_requirements", operations=("list", "find"), filters={"id": Ids}):
    """What must be in place before numbers of one country and group type can have emergency calling.

    An area level says how near to the number's place an identity or address has to be. Mandatory fields are labels
    for people, such as `Birth Date` or `VAT Number / TAX Code`. The contract never has null in these lists and in
    `address_area_level`; recorded responses do.
    Source: tests/contract/facts/emergency_requirements.yaml.
    """

    identity_type: IdentityType = attribute("The kind of identity that is accepted; `any` means either.")
    personal_area_level: AreaLevel | None = attribute("How near a personal identity must be; None if not said.")
    business_area_level: AreaLevel | None = attribute("How near a business identity must be; None if not said.")
    address_area_level: AreaLevel | None = attribute("How near the address must be; None if not said.")
    personal_mandatory_fields: list[str] | None = attribute(
        "Fields that a personal identity must have filled in, as labels."
    )
    business_mandatory_fields: list[str] | None = attribute(
        "Fields that a business identity must have filled in, as labels."
    )
    address_mandatory_fields: list[str] | None = attribute("Fields that the address must have filled in, as labels.")
    estimate_setup_time: str = attribute("How long activation takes, as free text: `7-14 days`, `1`.")
    requirement_restriction_message: str | None = attribute("The country's restrictions; None for none.")
    country: Country | None = relationship("The country of the numbers.", filter=Ids, include=True)
    did_group_type: DidGroupType | None = relationship("The kind of the numbers.", filter=Ids, include=True)
    meta = resource_meta(EmergencyRequirementMeta, "What it would cost.")

    @property
    def name(self) -> str | None:
        """The raw value that the server sends under this name; None today, since the contract does not have it."""
        return self._attributes.get("name")
