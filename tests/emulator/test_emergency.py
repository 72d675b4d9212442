"""Test emergency calling step by step, with the errors of each step."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from didww import (
    Address,
    Did,
    DidwwClient,
    EmergencyCallingService,
    EmergencyOrderItem,
    EmergencyRequirementValidation,
    EmergencyVerification,
    PermissionDeniedError,
    ValidationError,
)
from didww.emulator import Emulator
from support.api_caller import Caller, document
from support.registration import bought, groups_of, person

if TYPE_CHECKING:
    pass


def submit(client: DidwwClient, address: Address, dids: list[Did]) -> EmergencyVerification:
    verification = EmergencyVerification()
    verification.address = address
    verification.dids = dids
    return client.emergency_verifications().create(verification, include="emergency_calling_service").data


def service_of(client: DidwwClient, service: EmergencyCallingService | None) -> EmergencyCallingService:
    assert service is not None
    include = ["dids", "order", "emergency_verification.address"]
    return client.emergency_calling_services().find(service, include=include).data


def test_verified_address_activates_and_charges_the_service(emulator: Emulator, client: DidwwClient) -> None:
    """Requirement, validation, verification; the service becomes active, is ordered, and its DIDs are enabled."""
    group = groups_of(client, "US", features="emergency")[0]
    dids = bought(emulator, client, group, 2)
    response = client.emergency_requirements().list(
        filter={"country.id": group.country.id, "did_group_type.id": group.did_group_type.id}  # type: ignore[union-attr] # pyright: ignore[reportOptionalMemberAccess]
    )
    (requirement,) = response.data
    assert requirement.meta.monthly_price is not None
    assert response.raw["data"][0]["meta"]["setup_price"] == "0.0"
    assert group.country is not None
    identity, address = person(client, group.country)
    validation = EmergencyRequirementValidation()
    validation.emergency_requirement = requirement
    validation.address = address
    validation.identity = identity
    assert client.emergency_requirement_validations().create(validation).data.id == requirement.id
    before = client.balance().find().data.total_balance

    verification = submit(client, address, dids)
    assert verification.status == "pending"
    assert service_of(client, verification.emergency_calling_service).status == "in_process"
    assert client.dids().list(filter={"emergency_enabled": True}).total_records == 0
    assert client.balance().find().data.total_balance == before
    with pytest.raises(ValidationError, match="cannot be canceled in IN_PROCESS"):
        client.emergency_calling_services().delete(service_of(client, verification.emergency_calling_service))

    emulator.clock.advance(1)
    assert client.emergency_verifications().wait(verification).data.status == "approved"
    service = service_of(client, verification.emergency_calling_service)
    assert service.status == "active"
    assert service.activated_at is not None
    assert service.renew_date is not None
    assert service.meta.monthly_price == requirement.meta.monthly_price
    assert [did.emergency_enabled for did in service.dids] == [True, True]
    assert service.order is not None
    (item,) = service.order.items
    assert isinstance(item, EmergencyOrderItem)
    assert (item.qty, item.emergency_calling_service_id) == (2, service.id)
    assert item.mrc == requirement.meta.monthly_price
    assert date.fromisoformat(str(item.billed_to)) == date.fromisoformat(service.renew_date) - timedelta(days=1)
    assert service.order.amount == 2 * (item.nrc + item.mrc) == before - client.balance().find().data.total_balance > 0
    before -= service.order.amount
    emulator.clock.advance("32 days")  # the two numbers renew as well
    monthly = group.stock_keeping_units[0].monthly_price
    assert before - client.balance().find().data.total_balance == 2 * (item.mrc + monthly)


def test_active_service_can_change_address_and_be_canceled(emulator: Emulator, client: DidwwClient) -> None:
    """A change of address keeps the service active and is not charged."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    dids = bought(emulator, client, group)
    _, address = person(client, group.country)
    service = service_of(client, submit(client, address, dids).emergency_calling_service)
    emulator.clock.advance(1)
    balance = client.balance().find().data.total_balance

    _, moved = person(client, group.country)
    again = EmergencyVerification()
    again.address = moved
    again.emergency_calling_service = service
    client.emergency_verifications().create(again)
    assert service_of(client, service).status == "pending_update"
    with pytest.raises(ValidationError, match="should be in NEW, CHANGES_REQUIRED or ACTIVE status"):
        client.emergency_verifications().create(again)
    emulator.clock.advance(1)
    now = service_of(client, service)
    assert now.status == "active"
    moved_in = client.emergency_calling_services().list(filter={"address.id": moved.id})
    assert [service.id for service in moved_in.data] == [service.id]
    assert now.emergency_verification is not None
    assert now.emergency_verification.address == moved
    assert client.balance().find().data.total_balance == balance
    assert client.orders().list().total_records == 2

    client.emergency_calling_services().delete(now)
    ended = service_of(client, service)
    assert (ended.status, ended.renew_date) == ("canceled", None)
    assert ended.canceled_at is not None
    did = client.dids().find(dids[0], include="emergency_calling_service").data
    assert (did.emergency_enabled, did.emergency_calling_service) == (False, None)
    with pytest.raises(ValidationError, match="cannot be canceled in CANCELED status"):
        client.emergency_calling_services().delete(ended)


def test_service_dids_must_share_type_and_city(emulator: Emulator, client: DidwwClient) -> None:
    """All DIDs must support emergency calling; a rejected request creates nothing."""
    first, *others = groups_of(client, "US", features="emergency")
    assert first.country is not None
    _, address = person(client, first.country)
    (did,) = bought(emulator, client, first)
    (elsewhere,) = bought(emulator, client, others[-1])
    unable = next(
        group
        for iso in ("US", "CA", "GB", "AT")
        for group in groups_of(client, iso)
        if "emergency" not in group.features
    )
    (without,) = bought(emulator, client, unable)
    for dids, field, text in (
        ([did, elsewhere], "dids", "should be linked with City ID"),
        ([without], "dids", f"does not support Emergency feature ({without.id})"),
    ):
        with pytest.raises(ValidationError) as caught:
            submit(client, address, dids)
        assert caught.value.fields == {field: [text]}
    assert client.emergency_calling_services().list().total_records == 0
    assert client.emergency_verifications().list().total_records == 0


def test_verification_needs_either_dids_or_a_service(emulator: Emulator, client: DidwwClient) -> None:
    """Both are rejected, and so is neither."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    dids = bought(emulator, client, group)
    _, address = person(client, group.country)
    service = service_of(client, submit(client, address, dids).emergency_calling_service)
    caller = Caller(emulator.engine, emulator.key)
    numbers = [{"type": "dids", "id": dids[0].id}]
    to = {"type": "emergency_calling_services", "id": service.id}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"dids": numbers, "emergency_calling_service": to}, "emergency_calling_service"),
        ({"dids": []}, "dids"),
        ({}, "dids"),
    ]
    for links, field in cases:
        whole = {"address": {"type": "addresses", "id": address.id}, **links}
        error = caller.error("POST", "/emergency_verifications", document("emergency_verifications", None, whole))
        assert (error["status"], error["source"]["pointer"]) == ("422", f"/data/relationships/{field}")


def test_verification_reference_has_three_letters_and_six_digits(emulator: Emulator, client: DidwwClient) -> None:
    """The form is that of the documentation's example."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    _, address = person(client, group.country)
    assert re.fullmatch(r"[A-Z]{3}-\d{6}", submit(client, address, bought(emulator, client, group)).reference)


def test_mandatory_fields_are_labels(client: DidwwClient) -> None:
    """Lists of labels, never null; a validation error names the missing field by its label."""
    requirements = client.emergency_requirements().list(include="country").data
    for requirement in requirements:
        assert requirement.personal_mandatory_fields in ([], ["Birth Date"])
        assert requirement.business_mandatory_fields in ([], ["Company ID", "Country of Tax Residence"])
        assert requirement.address_mandatory_fields == []
    mandatory = next(requirement for requirement in requirements if requirement.personal_mandatory_fields)
    assert mandatory.country is not None
    nobody, _ = person(client, mandatory.country, birth_date=None)
    company, _ = person(client, mandatory.country, identity_type="business", company_name="Example Ltd")
    for identity, missing in (
        (nobody, "Birth Date is required for Personal Identity"),
        (company, "Company ID is required for Business Identity"),
    ):
        with pytest.raises(ValidationError) as caught:
            client.emergency_requirement_validations().create(
                EmergencyRequirementValidation(emergency_requirement=mandatory, identity=identity)
            )
        assert caught.value.fields[""] == [missing]


def test_services_are_filtered_by_their_latest_verification(emulator: Emulator, client: DidwwClient) -> None:
    """Filters by address and identity use the latest verification, even before it is approved."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    first, address = person(client, group.country)
    second, other = person(client, group.country)
    service = service_of(client, submit(client, address, bought(emulator, client, group)).emergency_calling_service)
    emulator.clock.advance(1)
    client.emergency_verifications().create(EmergencyVerification(address=other, emergency_calling_service=service))
    services = client.emergency_calling_services()
    totals = [
        services.list(filter=query).total_records
        for query in (
            {"address.id": address.id},
            {"identity.id": first.id},
            {"address.id": other.id},
            {"identity.id": second.id},
        )
    ]
    assert totals == [0, 0, 1, 1]


def test_emergency_relationship_links_return_404(emulator: Emulator, client: DidwwClient) -> None:
    """Requirements, services and verifications have relationship links that are not served."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    _, address = person(client, group.country)
    submit(client, address, bought(emulator, client, group))
    caller = Caller(emulator.engine, emulator.key)
    for type in ("emergency_requirements", "emergency_calling_services", "emergency_verifications"):
        record = caller.get(f"/{type}")["data"][0]
        for value in record["relationships"].values():
            for link in value["links"].values():
                response = caller.send("GET", urlsplit(link).path.removeprefix("/v3"))
                assert response.status == 404, link


def test_emergency_types_return_403_without_the_feature(client: DidwwClient, emulator: Emulator) -> None:
    """Every operation on the four types returns 403; other types and other accounts are not affected."""
    emulator.features.put({"emergency_calling": False})
    caller = Caller(emulator.engine, emulator.key)
    nobody = "8d1a3c5e-0000-4000-8000-000000000001"
    for type in ("emergency_requirements", "emergency_calling_services", "emergency_verifications"):
        for path in (f"/{type}", f"/{type}/{nobody}"):
            assert caller.error("GET", path)["status"] == "403"
    for type in ("emergency_requirement_validations", "emergency_verifications"):
        assert caller.error("POST", f"/{type}", document(type, bogus=1))["status"] == "403"
    assert caller.error("PATCH", f"/emergency_verifications/{nobody}", {})["status"] == "403"
    assert caller.error("DELETE", f"/emergency_calling_services/{nobody}")["status"] == "403"
    with pytest.raises(PermissionDeniedError, match="Emergency calling is not enabled"):
        client.emergency_requirements().list()
    client.address_requirements().list()
    emulator.client("another").emergency_requirements().list()
    emulator.features.put({"emergency_calling": True})
    client.emergency_requirements().list()


def test_address_in_another_country_is_rejected(client: DidwwClient) -> None:
    """The error names the country in which the address must be."""
    requirement = client.emergency_requirements().list(include="country").data[0]
    assert requirement.country is not None
    elsewhere = next(country for country in client.countries().list().data if country.id != requirement.country.id)
    _, address = person(client, elsewhere)
    validation = EmergencyRequirementValidation()
    validation.emergency_requirement = requirement
    validation.address = address
    with pytest.raises(ValidationError) as caught:
        client.emergency_requirement_validations().create(validation)
    assert caught.value.fields == {"": [f"Address in {requirement.country.name} required"]}
