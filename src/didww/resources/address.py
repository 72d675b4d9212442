"""Postal addresses of identities, for the registration of numbers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.filter_rules import Ids, OptionalIds, OptionalPart, OptionalText, RequiredIds, Text
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.area import Area
    from didww.resources.city import City
    from didww.resources.country import Country
    from didww.resources.identity import Identity
    from didww.resources.proof import Proof


class Address(
    Resource,
    type="addresses",
    operations=("list", "find", "create", "update", "delete"),
    filters={"id": Ids, "identity.external_reference_id": Text},
    includes=("identity.permanent_documents.template", "identity.proofs.proof_type"),
    columns={
        "country": "country.iso",
        "city": "city_name",
        "postal code": "postal_code",
        "address": "address",
        "company or name": ("identity.company_name", "identity.last_name"),
        "verified": "verified",
    },
):
    """A postal address of an identity. The identity and the country cannot be changed later.

    Deleting an address that is in use fails with 409.
    """

    address: str = writable(
        "Street and house number, at most 200 characters.",
        required=True,
        max_length=200,
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    city_name: str = writable(
        "Name of the city.", required=True, filter=OptionalText, filter_contains=OptionalPart, sort=True
    )
    postal_code: str = writable(
        "Postal code, e.g. `SW1A 2AA`.", required=True, filter=OptionalText, filter_contains=OptionalPart, sort=True
    )
    description: str | None = writable(
        "Free-text note, or None if not set.",
        filter=OptionalText,
        filter_contains=OptionalPart,
        sort=True,
    )
    external_reference_id: str | None = writable(
        "Your own identifier for the record, at most 100 characters, or None if not set.",
        max_length=100,
        filter=OptionalText,
        sort=True,
    )
    created_at: datetime = attribute("Date and time of creation.", sort=True)
    verified: bool = attribute(
        "True if at least one number is registered at the address. Independent of its proofs.", sort=True
    )
    identity: Identity = writable_relationship(
        "Person or company at the address.", on="create", required=True, filter=RequiredIds, include=True
    )
    country: Country = writable_relationship(
        "Country of the address.", on="create", required=True, filter=RequiredIds, include=True
    )
    area: Area | None = relationship(
        "Regulatory area of the address, or None if there is none.", filter=OptionalIds, include=True
    )
    city: City | None = relationship("City of the address, or None if there is none.", filter=OptionalIds, include=True)
    proofs: list[Proof] = relationship("Documents that prove the address.", include=True)
