"""Dry runs for emergency calling: does an identity or address meet an emergency requirement?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import writable_relationship
from didww._schema.resource import Resource
from didww._schema.rules import OneOf

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.emergency_requirement import EmergencyRequirement
    from didww.resources.identity import Identity


class EmergencyRequirementValidation(
    Resource,
    type="emergency_requirement_validations",
    operations=("create",),
    repeatable=True,
    rules=(OneOf(("identity", "address")),),
):
    """A test of an identity, an address or both against an emergency requirement; nothing is stored.

    Creating it succeeds if the requirement is met; else `ValidationError` lists all that is missing. At least
    one of `identity` and `address` is needed; of both, the address has to be that identity's.
    Source: tests/contract/facts/emergency_requirement_validations.yaml.
    """

    emergency_requirement: EmergencyRequirement = writable_relationship(
        "The requirement to test against.", on="create", required=True
    )
    identity: Identity | None = writable_relationship("The identity to test; None for none.", on="create")
    address: Address | None = writable_relationship("The address to test; None for none.", on="create")
