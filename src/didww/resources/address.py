"""Postal addresses of identities, for the registration of numbers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypedDict

from didww._schema.fields import attribute, relationship, writable, writable_relationship
from didww._schema.filters import Ids, OptionalIds, OptionalPart, OptionalText, RequiredIds, Text
from didww._schema.resource import Resource

if TYPE_CHECKING:
    from didww.resources.area import Area
    from didww.resources.city import City
    from didww.resources.country import Country
    from didww.resources.identity import Identity
    from didww.resources.proof import Proof

AddressFilter = TypedDict(
    "AddressFilter",
    {
        "address": OptionalText,
        "address_contains": OptionalPart,
        "area.id": OptionalIds,
        "city.id": OptionalIds,
        "city_name": OptionalText,
        "city_name_contains": OptionalPart,
        "country.id": RequiredIds,
        "description": OptionalText,
        "description_contains": OptionalPart,
        "external_reference_id": OptionalText,
        "id": Ids,
        "identity.external_reference_id": Text,
        "identity.id": RequiredIds,
        "postal_code": OptionalText,
        "postal_code_contains": OptionalPart,
    },
    total=False,
)
AddressInclude = Literal[
    "area",
    "area.country",
    "city",
    "city.area",
    "city.country",
    "city.region",
    "country",
    "country.regions",
    "identity",
    "identity.addresses",
    "identity.birth_country",
    "identity.country",
    "identity.permanent_documents",
    "identity.permanent_documents.template",
    "identity.proofs",
    "identity.proofs.proof_type",
    "proofs",
    "proofs.entity",
    "proofs.proof_type",
]
AddressSort = Literal[
    "address",
    "-address",
    "city_name",
    "-city_name",
    "created_at",
    "-created_at",
    "description",
    "-description",
    "external_reference_id",
    "-external_reference_id",
    "postal_code",
    "-postal_code",
    "verified",
    "-verified",
]


class Address(
    Resource,
    type="addresses",
    operations=("list", "find", "create", "update", "delete"),
    filter=AddressFilter,
    include=AddressInclude,
    sort=AddressSort,
):
    """A postal address of an identity; identity and country stay as they were created.

    The service refuses to delete one that is in use (409).

    Source: tests/contract/facts/addresses.yaml.
    """

    address: str = writable("Street and house number, at most 200 characters.", required=True, longest=200)
    city_name: str = writable("Name of the city.", required=True)
    postal_code: str = writable("Postal code, e.g. `SW1A 2AA`.", required=True)
    description: str | None = writable("Free text of the account's own; None if there is none.")
    external_reference_id: str | None = writable(
        "The account's own id for it, at most 100 characters; None if it has none.", longest=100
    )
    created_at: datetime = attribute("When it was created.")
    verified: bool = attribute("Whether at least one number is registered at it; nothing about its proofs.")
    identity: Identity = writable_relationship("The person or company at the address.", on="create", required=True)
    country: Country = writable_relationship("The country of the address.", on="create", required=True)
    area: Area | None = relationship("The area that the address lies in; None if there is none.")
    city: City | None = relationship("The city that the address lies in; None if there is none.")
    proofs: list[Proof] = relationship("Documents that prove the address.")
