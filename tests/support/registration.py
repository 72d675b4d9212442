"""Numbers, identities and proofs that the tests of registration and emergency calling start with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    Address,
    AddressRequirementValidation,
    AddressVerification,
    DidOrderItem,
    Identity,
    IdentityType,
    Order,
    PermanentSupportingDocument,
    Proof,
    ValidationError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww import AddressRequirement, Country, Did, DidGroup, DidwwClient
    from didww.emulator import Emulator

PDF = b"%PDF-1.7 ..."


def groups_of(client: DidwwClient, iso: str, **filters: Any) -> list[DidGroup]:
    """Return groups of a country in stock, with their SKUs, type and requirement."""
    (country,) = client.countries().list(filter={"iso": iso}).data
    include = ["stock_keeping_units", "did_group_type", "address_requirement", "country"]
    filters_sent: Any = {"country.id": country.id, "meta.total_count_gteq": 1, **filters}
    return list(client.did_groups().iterate(filter=filters_sent, include=include, page_size=100))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def bought(emulator: Emulator, client: DidwwClient, group: DidGroup, qty: int = 1) -> list[Did]:
    """Return bought numbers of a group, as they are once the order is completed."""
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty)
    order = client.orders().create(Order(items=[item])).data
    emulator.clock.advance(1)
    return client.dids().list(filter={"order.id": order.id}, sort="number").data


def person(client: DidwwClient, country: Country, **fields: Any) -> tuple[Identity, Address]:
    """Return an identity and its address."""
    identity = Identity(
        **{  # type: ignore[arg-type]
            "identity_type": IdentityType.PERSONAL,
            "first_name": "Alex",
            "last_name": "Example",
            "phone_number": "442079460000",
            "birth_date": "1980-01-31",
            **fields,
        }
    )
    identity.country = country
    identity = client.identities().create(identity).data
    address = Address(city_name="Anytown", postal_code="12345", address="1 Example Street")
    address.identity = identity
    address.country = country
    return identity, client.addresses().create(address).data


def prove(client: DidwwClient, entity: Identity | Address, kind: Any) -> Proof:
    """Return a proof with one file."""
    proof = Proof()
    proof.proof_type = kind
    proof.entity = entity
    proof.files = [client.upload_file(PDF)]
    return client.proofs().create(proof).data


def prove_all(client: DidwwClient, requirement: AddressRequirement, identity: Identity, address: Address) -> None:
    """Create every proof that a requirement demands of an identity."""
    full = requirement_of(client, requirement)
    for kind in full.personal_proof_types[: full.personal_proof_qty]:
        prove(client, identity, kind)
    for kind in full.address_proof_types[: full.address_proof_qty]:
        prove(client, address, kind)
    if full.personal_permanent_document is not None:
        form = PermanentSupportingDocument()
        form.template = full.personal_permanent_document
        form.identity = identity
        form.files = [client.upload_file(PDF)]
        client.permanent_supporting_documents().create(form)


def requirement_of(client: DidwwClient, requirement: AddressRequirement) -> AddressRequirement:
    """Return a requirement with its proof types and templates."""
    return (
        client.address_requirements()
        .find(
            requirement,
            include=[
                "country",
                "personal_proof_types",
                "business_proof_types",
                "address_proof_types",
                "personal_permanent_document",
                "personal_onetime_document",
            ],
        )
        .data
    )


class Registration:
    """A number that needs registration, an identity of its country, and the requirement."""

    def __init__(self, emulator: Emulator, wanted: Callable[[AddressRequirement], bool], taken: str = "any") -> None:
        self.emulator = emulator
        self.client: DidwwClient = emulator.client()
        self.group = next(
            group
            for iso in ("DE", "FR", "GR", "BE", "ZA", "EG", "KE", "AT", "IN", "UA", "MX")
            for group in groups_of(self.client, iso, needs_registration=True)
            if group.address_requirement is not None
            and (asked := requirement_of(self.client, group.address_requirement)).identity_type == taken
            and wanted(asked)
        )
        assert self.group.address_requirement is not None
        self.requirement = requirement_of(self.client, self.group.address_requirement)
        country = self.requirement.country
        assert country is not None
        self.country: Country = country

    def validate(self, identity: Identity | None, address: Address | None) -> Any:
        validation = AddressRequirementValidation()
        validation.address_requirement = self.requirement
        if identity is not None:
            validation.identity = identity
        if address is not None:
            validation.address = address
        return self.client.address_requirement_validations().create(validation).data

    def missing(self, identity: Identity | None, address: Address | None) -> list[str]:
        with pytest.raises(ValidationError) as caught:
            self.validate(identity, address)
        return caught.value.fields[""]

    def verification(self, address: Address, dids: list[Did]) -> AddressVerification:
        verification = AddressVerification()
        verification.address = address
        verification.dids = dids
        return verification


def plain(requirement: AddressRequirement) -> bool:
    return not (
        requirement.service_description_required
        or requirement.personal_onetime_document
        or requirement.personal_permanent_document
    )
