"""What a registration takes: identity, address, proofs and forms, by country and kind of number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship
from didww._schema.filters import Ids, RequiredIds
from didww._schema.resource import Resource
from didww.enums import AreaLevel, IdentityType, MandatoryField

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.proof_type import ProofType
    from didww.resources.supporting_document_template import SupportingDocumentTemplate

AddressRequirementFilter = TypedDict(
    "AddressRequirementFilter",
    {
        "country.id": RequiredIds,
        "did_group_type.id": RequiredIds,
        "id": Ids,
    },
    total=False,
)
AddressRequirementInclude = Literal[
    "address_proof_types",
    "business_onetime_document",
    "business_permanent_document",
    "business_proof_types",
    "country",
    "country.regions",
    "did_group_type",
    "personal_onetime_document",
    "personal_permanent_document",
    "personal_proof_types",
]
AddressRequirementSort = Literal[
    "address_proof_qty",
    "-address_proof_qty",
    "business_proof_qty",
    "-business_proof_qty",
    "personal_proof_qty",
    "-personal_proof_qty",
    "restriction_message",
    "-restriction_message",
    "service_description_required",
    "-service_description_required",
]


class AddressRequirement(
    Resource,
    type="address_requirements",
    operations=("list", "find"),
    filter=AddressRequirementFilter,
    include=AddressRequirementInclude,
    sort=AddressRequirementSort,
):
    """What must be in place before numbers of one country and group type can be registered.

    An area level says how near to the number's place an identity or address has to be. The contract always has one
    for addresses; recorded answers also hold null.
    Source: tests/contract/facts/address_requirements.yaml.
    """

    identity_type: IdentityType = attribute("The kind of identity that is accepted; `any` means either.")
    personal_area_level: AreaLevel | None = attribute(
        "How near a personal identity must be; None if not said.",
    )
    business_area_level: AreaLevel | None = attribute(
        "How near a business identity must be; None if not said.",
    )
    address_area_level: AreaLevel | None = attribute("How near the address must be; None if not said.")
    personal_proof_qty: int = attribute("Number of proofs that a personal identity needs.")
    business_proof_qty: int = attribute("Number of proofs that a business identity needs.")
    address_proof_qty: int = attribute("Number of proofs that the address needs.")
    personal_mandatory_fields: list[MandatoryField] | None = attribute(
        "Fields that a personal identity must have filled in; None if there are none."
    )
    business_mandatory_fields: list[MandatoryField] | None = attribute(
        "Fields that a business identity must have filled in; None if there are none."
    )
    service_description_required: bool = attribute("Whether a verification must have `service_description`.")
    restriction_message: str | None = attribute(
        "The country's restrictions on such numbers; null only in recorded answers, for none."
    )
    country: Country | None = relationship("The country of the numbers.")
    did_group_type: DidGroupType | None = relationship("The kind of the numbers.")
    personal_permanent_document: SupportingDocumentTemplate | None = relationship(
        "The form to keep on file for a personal identity; None if none is needed."
    )
    business_permanent_document: SupportingDocumentTemplate | None = relationship(
        "The form to keep on file for a business identity; None if none is needed."
    )
    personal_onetime_document: SupportingDocumentTemplate | None = relationship(
        "The form to hand in with each verification of a personal identity; None if none is needed."
    )
    business_onetime_document: SupportingDocumentTemplate | None = relationship(
        "The form to hand in with each verification of a business identity; None if none is needed."
    )
    personal_proof_types: list[ProofType] = relationship("Documents that prove a personal identity.")
    business_proof_types: list[ProofType] = relationship("Documents that prove a business identity.")
    address_proof_types: list[ProofType] = relationship("Documents that prove the address.")
