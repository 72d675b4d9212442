"""What single resource types do beyond being stored: one module for each idea, collected here by type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.sandbox.behaviours.capacity import CapacityPools, SharedGroups
from didww.sandbox.behaviours.dids import Dids
from didww.sandbox.behaviours.emergency import CallingServices, EmergencyVerifications
from didww.sandbox.behaviours.exports import Exports
from didww.sandbox.behaviours.files import EncryptedFiles, PublicKeys
from didww.sandbox.behaviours.history import History
from didww.sandbox.behaviours.orders import Orders
from didww.sandbox.behaviours.out_trunks import OutTrunks, RegenerateCredentials
from didww.sandbox.behaviours.registration import (
    Addresses,
    AddressVerifications,
    Identities,
    PermanentDocuments,
    Proofs,
    Validations,
)
from didww.sandbox.behaviours.requirements import AddressRequirements, EmergencyRequirements, ProofTypes, Templates
from didww.sandbox.behaviours.reservations import Reservations
from didww.sandbox.behaviours.trunks import TrunkGroups, Trunks

if TYPE_CHECKING:
    from didww.sandbox.behaviour import Behaviour

__all__ = ["BEHAVIOURS"]

BEHAVIOURS: dict[str, Behaviour] = {
    "orders": Orders(),
    "did_reservations": Reservations(),
    "voice_in_trunks": Trunks(),
    "voice_in_trunk_groups": TrunkGroups(),
    "voice_out_trunks": OutTrunks(),
    "voice_out_trunk_regenerate_credentials": RegenerateCredentials(),
    "exports": Exports(),
    "dids": Dids(),
    "did_history": History(),
    "capacity_pools": CapacityPools(),
    "shared_capacity_groups": SharedGroups(),
    "public_keys": PublicKeys(),
    "encrypted_files": EncryptedFiles(),
    "proof_types": ProofTypes(),
    "supporting_document_templates": Templates(),
    "address_requirements": AddressRequirements(),
    "address_requirement_validations": Validations("address_requirement", "address_requirements"),
    "address_verifications": AddressVerifications(),
    "addresses": Addresses(),
    "identities": Identities(),
    "proofs": Proofs(),
    "permanent_supporting_documents": PermanentDocuments(),
    "emergency_requirements": EmergencyRequirements(),
    "emergency_requirement_validations": Validations("emergency_requirement", "emergency_requirements"),
    "emergency_verifications": EmergencyVerifications(),
    "emergency_calling_services": CallingServices(),
}
