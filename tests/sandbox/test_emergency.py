"""Emergency calling, step by step, and everything that is refused on the way (scenarios sheet, section 7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from didww import (
    Address,
    Did,
    DidwwClient,
    EmergencyCallingService,
    EmergencyOrderItem,
    EmergencyRequirementValidation,
    EmergencyVerification,
    ValidationError,
)
from didww.sandbox import Sandbox
from people import bought, groups_of, person

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A fresh sandbox."""
    with Sandbox() as made:
        yield made


@pytest.fixture
def client(sandbox: Sandbox) -> DidwwClient:
    """A client of it."""
    return sandbox.client()


def submitted(client: DidwwClient, address: Address, dids: list[Did]) -> EmergencyVerification:
    made = EmergencyVerification()
    made.address = address
    made.dids = dids
    return client.emergency_verifications().create(made, include="emergency_calling_service").data


def service_of(client: DidwwClient, service: EmergencyCallingService | None) -> EmergencyCallingService:
    assert service is not None
    include = ["dids", "order", "emergency_verification.address"]
    return client.emergency_calling_services().find(service, include=include).data


def test_a_verified_address_makes_a_service_that_is_charged(sandbox: Sandbox, client: DidwwClient) -> None:
    """Requirement, validation, verification; the service becomes active, an order of it appears, numbers are enabled."""
    group = groups_of(client, "US", features="emergency")[0]
    dids = bought(sandbox, client, group, 2)
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

    verification = submitted(client, address, dids)
    assert verification.status == "pending"
    assert service_of(client, verification.emergency_calling_service).status == "in_process"
    assert client.dids().list(filter={"emergency_enabled": True}).total_records == 0
    assert client.balance().find().data.total_balance == before
    with pytest.raises(ValidationError, match="cannot be canceled in IN_PROCESS"):
        client.emergency_calling_services().delete(service_of(client, verification.emergency_calling_service))

    sandbox.clock.advance(1)
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
    sandbox.clock.advance("32 days")  # the two numbers renew as well
    monthly = group.stock_keeping_units[0].monthly_price
    assert before - client.balance().find().data.total_balance == 2 * (item.mrc + monthly)


def test_an_active_service_moves_and_ends(sandbox: Sandbox, client: DidwwClient) -> None:
    """Another address for the service, without numbers: it works on, is not charged again; then it is canceled."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    dids = bought(sandbox, client, group)
    _, address = person(client, group.country)
    service = service_of(client, submitted(client, address, dids).emergency_calling_service)
    sandbox.clock.advance(1)
    balance = client.balance().find().data.total_balance

    _, moved = person(client, group.country)
    again = EmergencyVerification()
    again.address = moved
    again.emergency_calling_service = service
    client.emergency_verifications().create(again)
    assert service_of(client, service).status == "pending_update"
    with pytest.raises(ValidationError, match="should be in NEW, CHANGES_REQUIRED or ACTIVE status"):
        client.emergency_verifications().create(again)
    sandbox.clock.advance(1)
    now = service_of(client, service)
    assert now.status == "active"
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


def test_numbers_of_one_service_belong_together(sandbox: Sandbox, client: DidwwClient) -> None:
    """Same kind, same city, and able to do it; none is refused, too. Nothing is made of what was refused."""
    first, *others = groups_of(client, "US", features="emergency")
    assert first.country is not None
    _, address = person(client, first.country)
    (did,) = bought(sandbox, client, first)
    (elsewhere,) = bought(sandbox, client, others[-1])
    unable = next(
        group
        for iso in ("US", "CA", "GB", "AT")
        for group in groups_of(client, iso)
        if "emergency" not in group.features
    )
    (without,) = bought(sandbox, client, unable)
    for dids, field, text in (
        ([], "dids", "can't be blank"),
        ([did, elsewhere], "dids", "should be linked with City ID"),
        ([without], "dids", f"does not support Emergency feature ({without.id})"),
    ):
        with pytest.raises(ValidationError) as caught:
            submitted(client, address, dids)
        assert caught.value.fields == {field: [text]}
    assert client.emergency_calling_services().list().total_records == 0
    assert client.emergency_verifications().list().total_records == 0


def test_numbers_and_a_service_together_are_refused(sandbox: Sandbox, client: DidwwClient) -> None:
    """Either makes sense; a callback without its method does not either."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    dids = bought(sandbox, client, group)
    _, address = person(client, group.country)
    service = service_of(client, submitted(client, address, dids).emergency_calling_service)
    both = EmergencyVerification(callback_url="https://example.com/called")
    both.address = address
    both.dids = dids
    with pytest.raises(ValidationError) as caught:
        client.emergency_verifications().create(both)
    assert caught.value.fields == {"callback_method": ["can't be blank"]}
    both.callback_method = None
    both.callback_url = None
    both.emergency_calling_service = service
    with pytest.raises(ValidationError) as caught:
        client.emergency_verifications().create(both)
    assert list(caught.value.fields) == ["emergency_calling_service"]


def test_an_address_elsewhere_is_told(client: DidwwClient) -> None:
    """The validation names the country that the address has to be in."""
    requirement = client.emergency_requirements().list(include="country").data[0]
    assert requirement.country is not None
    elsewhere = next(one for one in client.countries().list().data if one.id != requirement.country.id)
    _, address = person(client, elsewhere)
    validation = EmergencyRequirementValidation()
    validation.emergency_requirement = requirement
    validation.address = address
    with pytest.raises(ValidationError) as caught:
        client.emergency_requirement_validations().create(validation)
    assert caught.value.fields == {"": [f"Address in {requirement.country.name} required"]}
