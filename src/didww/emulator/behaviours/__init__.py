"""What single resource types do beyond being stored: one module for each idea, collected here by type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.emulator.behaviours.capacity import CapacityPools, SharedGroups
from didww.emulator.behaviours.dids import Dids
from didww.emulator.behaviours.emergency import CallingServices, EmergencyVerifications
from didww.emulator.behaviours.exports import Exports
from didww.emulator.behaviours.files import EncryptedFiles, PublicKeys
from didww.emulator.behaviours.history import History
from didww.emulator.behaviours.orders import Orders
from didww.emulator.behaviours.out_trunks import OutTrunks, RegenerateCredentials
from didww.emulator.behaviours.registration import (
    Addresses,
    AddressVerifications,
    Identities,
    PermanentDocuments,
    Proofs,
    Validations,
)
from didww.emulator.behaviours.requirements import AddressRequirements, EmergencyRequirements, ProofTypes, Templates
from didww.emulator.behaviours.reservations import Reservations
from didww.emulator.behaviours.trunks import TrunkGroups, Trunks

if TYPE_CHECKING:
    from didww.emulator.behaviours.base import Behaviour

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
