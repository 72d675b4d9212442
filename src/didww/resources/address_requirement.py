"""What a registration takes: identity, address, proofs and forms, by country and kind of number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship
from didww._schema.filter_rules import Ids, RequiredIds
from didww._schema.resource import Resource
from didww.enums import AreaLevel, IdentityType, MandatoryField

if TYPE_CHECKING:
    from didww.resources.country import Country
    from didww.resources.did_group_type import DidGroupType
    from didww.resources.proof_type import ProofType
    from didww.resources.supporting_document_template import SupportingDocumentTemplate


class AddressRequirement(Resource, type="address_requirements", operations=("list", "find"), filters={"id": Ids}):
    """What must be in place before numbers of one country and group type can be registered.

    An area level says how near to the number's place an identity or address has to be. The contract always has one
    for addresses; recorded responses also hold null.
    Source: tests/contract/facts/address_requirements.yaml.
    """

    identity_type: IdentityType = attribute("The kind of identity that is accepted; `any` means either.")
    personal_area_level: AreaLevel | None = attribute("How near a personal identity must be; None if not said.")
    business_area_level: AreaLevel | None = attribute("How near a business identity must be; None if not said.")
    address_area_level: AreaLevel | None = attribute("How near the address must be; None if not said.")
    personal_proof_qty: int = attribute("Number of proofs that a personal identity needs.", sort=True)
    business_proof_qty: int = attribute("Number of proofs that a business identity needs.", sort=True)
    address_proof_qty: int = attribute("Number of proofs that the address needs.", sort=True)
    personal_mandatory_fields: list[MandatoryField] | None = attribute(
        "Fields that a personal identity must have filled in; None if there are none."
    )
    business_mandatory_fields: list[MandatoryField] | None = attribute(
        "Fields that a business identity must have filled in; None if there are none."
    )
    service_description_required: bool = attribute("Whether a verification must have `service_description`.", sort=True)
    restriction_message: str | None = attribute(
        "The country's restrictions on such numbers; null only in recorded responses, for none.", sort=True
    )
    country: Country | None = relationship("The country of the numbers.", filter=RequiredIds, include=True)
    did_group_type: DidGroupType | None = relationship("The kind of the numbers.", filter=RequiredIds, include=True)
    personal_permanent_document: SupportingDocumentTemplate | None = relationship(
        "The form to keep on file for a personal identity; None if none is needed.", include=True
    )
    business_permanent_document: SupportingDocumentTemplate | None = relationship(
        "The form to keep on file for a business identity; None if none is needed.", include=True
    )
    personal_onetime_document: SupportingDocumentTemplate | None = relationship(
        "The form to hand in with each verification of a personal identity; None if none is needed.", include=True
    )
    business_onetime_document: SupportingDocumentTemplate | None = relationship(
        "The form to hand in with each verification of a business identity; None if none is needed.", include=True
    )
    personal_proof_types: list[ProofType] = relationship("Documents that prove a personal identity.", include=True)
    business_proof_types: list[ProofType] = relationship("Documents that prove a business identity.", include=True)
    address_proof_types: list[ProofType] = relationship("Documents that prove the address.", include=True)
