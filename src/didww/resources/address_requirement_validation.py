"""Dry runs of a registration: does an identity or address meet an address requirement?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww._schema.fields import writable_relationship
from didww._schema.resource import Resource
from didww._schema.rules import OneOf

if TYPE_CHECKING:
    from didww.resources.address import Address
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.identity import Identity


class AddressRequirementValidation(
    Resource,
    type="address_requirement_validations",
    operations=("create",),
    repeatable=True,
    rules=(OneOf(("identity", "address")),),
):
    """A test of an identity, an address or both against an address requirement; nothing is stored.

    Creating it succeeds if the requirement is met; else `ValidationError` lists all that is missing. At least
    one of `identity` and `address` is needed; of both, the address has to be that identity's.
    Source: tests/contract/facts/address_requirement_validations.yaml.
    """

    address_requirement: AddressRequirement = writable_relationship(
        "The requirement to test against.", on="create", required=True
    )
    identity: Identity | None = writable_relationship("The identity to test; None for none.", on="create")
    address: Address | None = writable_relationship("The address to test; None for none.", on="create")
