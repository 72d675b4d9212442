"""Dry runs of a registration: checks of an identity or address against an address requirement."""

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
    """A dry run that checks an identity, an address or both against an address requirement. Nothing is stored.

    `create` succeeds if the requirement is met; otherwise `ValidationError` lists everything that is missing.
    Set `identity`, `address` or both; if both, the address must belong to the identity.
    Source: tests/contract/facts/address_requirement_validations.yaml.
    """

    address_requirement: AddressRequirement = writable_relationship(
        "Requirement to check against.", on="create", required=True
    )
    identity: Identity | None = writable_relationship(
        "Identity to check, or None to check the address only.", on="create"
    )
    address: Address | None = writable_relationship(
        "Address to check, or None to check the identity only.", on="create"
    )
