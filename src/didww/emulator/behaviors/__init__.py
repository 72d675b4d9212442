"""Type-specific behavior of resources, collected here by type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.emulator.behaviors.capacity import CapacityPools, SharedGroups
from didww.emulator.behaviors.dids import Dids
from didww.emulator.behaviors.emergency import CallingServices, EmergencyVerifications
from didww.emulator.behaviors.exports import Exports
from didww.emulator.behaviors.files import EncryptedFiles, PublicKeys
from didww.emulator.behaviors.history import History
from didww.emulator.behaviors.orders import Orders
from didww.emulator.behaviors.out_trunks import OutTrunks, RegenerateCredentials
from didww.emulator.behaviors.registration import (
    Addresses,
    AddressVerifications,
    Identities,
    PermanentDocuments,
    Proofs,
    Validations,
)
from didww.emulator.behaviors.requirements import AddressRequirements, EmergencyRequirements, ProofTypes, Templates
from didww.emulator.behaviors.reservations import Reservations
from didww.emulator.behaviors.sender_ids import SenderIds
from didww.emulator.behaviors.sms_trunks import RegenerateSmsCredentials, SmsTrunkGroups, SmsTrunks
from didww.emulator.behaviors.trunks import TrunkGroups, Trunks

if TYPE_CHECKING:
    from didww.emulator.behaviors.base import Behavior

__all__ = ["BEHAVIORS"]

BEHAVIORS: dict[str, Behavior] = {
    "orders": Orders(),
    "did_reservations": Reservations(),
    "voice_in_trunks": Trunks(),
    "voice_in_trunk_groups": TrunkGroups(),
    "voice_out_trunks": OutTrunks(),
    "voice_out_trunk_regenerate_credentials": RegenerateCredentials(),
    "sms_trunks": SmsTrunks(),
    "sms_trunk_groups": SmsTrunkGroups(),
    "sms_trunk_regenerate_credentials": RegenerateSmsCredentials(),
    "sender_id_verifications": SenderIds(),
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
