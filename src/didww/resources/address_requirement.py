"""Registration requirements (identity, address, proofs and forms) by country and type of number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import Ids, RequiredIds, Texts
from didww._schema.resource import Resource
from didww.enums import AreaLevel, IdentityType, MandatoryField, NumberType

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.proof_type import ProofType
    from didww.resources.supporting_document_template import SupportingDocumentTemplate


class AddressRequirement(
    Resource,
    type="address_requirements",
    operations=("list", "find"),
    filters={"id": Ids},
    columns={
        "country": "country.name",
        "type": ("did_group_type.name", "number_type"),
        "identity": "identity_type",
        "address level": "address_area_level",
        "personal proofs": "personal_proof_qty",
        "business proofs": "business_proof_qty",
        "address proofs": "address_proof_qty",
    },
):
    """The requirements for registering numbers of one country and type.

    An area level defines how close to the location of the number an identity or address must be. It is
    documented as always present for addresses, but some responses contain null.
    Source: tests/contract/facts/address_requirements.yaml.
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
    personal_proof_qty: int = attribute("Number of proofs required for a personal identity.", sort=True)
    business_proof_qty: int = attribute("Number of proofs required for a business identity.", sort=True)
    address_proof_qty: int = attribute("Number of proofs required for the address.", sort=True)
    personal_mandatory_fields: list[MandatoryField] | None = attribute(
        "Fields that a personal identity must provide, or None if there are none."
    )
    business_mandatory_fields: list[MandatoryField] | None = attribute(
        "Fields that a business identity must provide, or None if there are none."
    )
    service_description_required: bool = attribute(
        "True if an address verification requires `service_description`.", sort=True
    )
    restriction_message: str | None = attribute(
        "Restrictions of the country on such numbers, or None if there are none.", sort=True
    )
    number_type: NumberType = attribute("Type of the numbers.", filter=Texts, since="2026-11-19")
    country: Country | None = relationship("Country of the numbers.", filter=RequiredIds, include=True)
    did_group_type: DidGroupType | None = relationship(
        "Type of the numbers, e.g. Local or Mobile.",
        filter=RequiredIds,
        include=True,
        until="2026-04-16",
        replacement="number_type",
    )
    personal_permanent_document: SupportingDocumentTemplate | None = relationship(
        "Template of the permanent document for a personal identity, or None if not required.", include=True
    )
    business_permanent_document: SupportingDocumentTemplate | None = relationship(
        "Template of the permanent document for a business identity, or None if not required.", include=True
    )
    personal_onetime_document: SupportingDocumentTemplate | None = relationship(
        "Template of the document to submit with each verification of a personal identity, or None if not required.",
        include=True,
    )
    business_onetime_document: SupportingDocumentTemplate | None = relationship(
        "Template of the document to submit with each verification of a business identity, or None if not required.",
        include=True,
    )
    personal_proof_types: list[ProofType] = relationship(
        "Document types accepted as proof of a personal identity.", include=True
    )
    business_proof_types: list[ProofType] = relationship(
        "Document types accepted as proof of a business identity.", include=True
    )
    address_proof_types: list[ProofType] = relationship(
        "Document types accepted as proof of the address.", include=True
    )
