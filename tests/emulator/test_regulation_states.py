"""Test regulation when it fails: rejections, reuse, insufficient balance, records that are in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from didww import (
    Address,
    AddressVerification,
    ConflictError,
    CredentialsAndIpAuthenticationMethod,
    Did,
    DidwwClient,
    EmergencyCallingService,
    EmergencyVerification,
    Identity,
    PermanentSupportingDocument,
    Proof,
    ValidationError,
    VoiceOutTrunk,
)
from didww.emulator import Clock, Emulator
from didww.emulator.behaviors.out_trunks import spend
from support.api_caller import Caller, document
from support.registration import PDF, bought, groups_of, person, prove, prove_all, requirement_of

START = datetime(2026, 3, 15, 12, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False)) as emulator:
        yield emulator


def regulated(emulator: Emulator, client: DidwwClient) -> tuple[Any, list[Did], Identity, Address]:
    """Return a group that needs registration, two of its DIDs, and a person with all documents."""
    for iso in ("DE", "FR", "GR", "BE", "ZA", "EG", "KE", "AT", "IN", "UA", "MX"):
        for group in groups_of(client, iso, needs_registration=True):
            assert group.address_requirement is not None
            requirement = requirement_of(client, group.address_requirement)
            plain = not (requirement.service_description_required or requirement.personal_onetime_document)
            if plain and group.meta.total_count >= 3:
                dids = bought(emulator, client, group, 2)
                assert requirement.country is not None
                identity, address = person(client, requirement.country)
                prove_all(client, requirement, identity, address)
                return group, dids, identity, address
    raise AssertionError("no such group")


def emergency(emulator: Emulator, client: DidwwClient, qty: int = 1) -> tuple[list[Did], Identity, Address]:
    """Return DIDs with emergency calling, and a person."""
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    return bought(emulator, client, group, qty), *person(client, group.country)


def verify(client: DidwwClient, address: Address, dids: list[Did]) -> str:
    return client.address_verifications().create(AddressVerification(address=address, dids=dids)).data.id


def secure(client: DidwwClient, address: Address, dids: list[Did]) -> EmergencyVerification:
    made = EmergencyVerification(address=address, dids=dids)
    return client.emergency_verifications().create(made, include="emergency_calling_service").data


def service_of(client: DidwwClient, verification: EmergencyVerification) -> EmergencyCallingService:
    service = verification.emergency_calling_service
    assert service is not None
    return client.emergency_calling_services().find(service.id, include=["dids", "order"]).data


def test_rejected_verification_can_be_corrected_and_approved(emulator: Emulator, client: DidwwClient) -> None:
    """A rejection has reasons and changes nothing; the next verification registers the DIDs."""
    _, dids, identity, address = regulated(emulator, client)
    emulator.transitions.set("address_verifications", by_hand=True)
    id = verify(client, address, dids)
    emulator.transitions.reject(id, ["Document expired", "Address not found"], "Please send a new copy")
    rejected = client.address_verifications().find(id).data
    assert rejected.status == "rejected"
    assert rejected.reject_reasons == ["Document expired", "Address not found"]
    assert rejected.reject_comment == "Please send a new copy"
    assert [(did.blocked, did.awaiting_registration) for did in client.dids().list().data] == [(True, True)] * len(dids)
    assert not client.addresses().find(address.id).data.verified
    emulator.transitions.approve(verify(client, address, dids))
    for did in client.dids().list(include="identity").data:
        assert not did.blocked
        assert not did.awaiting_registration
        assert did.identity is not None
        assert did.identity.id == identity.id
    assert client.identities().find(identity.id).data.verified
    assert client.address_verifications().find(id).data.status == "rejected"


def test_transition_rule_can_reject_verifications(emulator: Emulator, client: DidwwClient) -> None:
    """The rule and its reasons apply to every later verification."""
    _, dids, _, address = regulated(emulator, client)
    emulator.transitions.set("address_verifications", outcome="reject", reasons=["No"], comment="Sorry")
    id = verify(client, address, dids)
    emulator.clock.advance(1)
    verification = client.address_verifications().find(id).data
    assert (verification.status, verification.reject_reasons, verification.reject_comment) == (
        "rejected",
        ["No"],
        "Sorry",
    )


def test_deleting_an_address_in_use_returns_409(emulator: Emulator, client: DidwwClient) -> None:
    """While a verification is pending or an emergency service has not ended."""
    _, dids, identity, address = regulated(emulator, client)
    emulator.transitions.set("address_verifications", by_hand=True)
    id = verify(client, address, dids)
    for delete in (lambda: client.addresses().delete(address.id), lambda: client.identities().delete(identity.id)):
        with pytest.raises(ConflictError, match="while its verification is pending") as refused:
            delete()
        assert (refused.value.errors[0]["code"], refused.value.errors[0]["title"]) == ("409", "Conflict")
    emulator.transitions.reject(id)
    client.identities().delete(identity.id)
    assert client.addresses().list().total_records == 0
    kept = client.address_verifications().find(id, include="address").data
    assert (kept.status, kept.address) == ("rejected", None)

    numbers, _, home = emergency(emulator, client)
    verification = secure(client, home, numbers)
    emulator.clock.advance(1)
    with pytest.raises(ConflictError, match="emergency calling service uses it"):
        client.addresses().delete(home.id)
    client.emergency_calling_services().delete(service_of(client, verification).id)
    client.addresses().delete(home.id)


def test_deleting_an_identity_in_use_returns_409(emulator: Emulator, client: DidwwClient) -> None:
    """While a DID is registered to it; its address can be deleted, and DIDWW keeps it on file."""
    _, dids, identity, address = regulated(emulator, client)
    id = verify(client, address, dids)
    emulator.clock.advance(1)
    with pytest.raises(ConflictError, match="while a number is registered to it"):
        client.identities().delete(identity.id)
    client.addresses().delete(address.id)
    assert client.addresses().list().total_records == 0
    assert client.address_verifications().find(id).data.status == "approved"
    session = emulator.engine.session(emulator.key)
    for did in dids:
        session.delete("dids", did.id)
    client.identities().delete(identity.id)


def test_verified_means_registered_to_a_did(emulator: Emulator, client: DidwwClient) -> None:
    """From the approval until the last DID is gone, whatever the documents; lists sort by it."""
    _, dids, identity, address = regulated(emulator, client)
    other, elsewhere = person(client, client.countries().list(filter={"iso": "DE"}).data[0])

    def verified() -> tuple[bool, bool]:
        return client.identities().find(identity.id).data.verified, client.addresses().find(address.id).data.verified

    assert verified() == (False, False)
    verify(client, address, dids)
    assert verified() == (False, False)
    emulator.clock.advance(1)
    assert verified() == (True, True)
    assert [identity.id for identity in client.identities().list(sort="-verified").data] == [identity.id, other.id]
    assert [address.id for address in client.addresses().list(sort="verified").data] == [elsewhere.id, address.id]
    again = verify(client, elsewhere_of(client, identity, address), dids)
    assert verified() == (True, True)
    emulator.clock.advance(1)
    assert client.address_verifications().find(again).data.status == "approved"
    assert verified() == (True, False)
    session = emulator.engine.session(emulator.key)
    for did in dids:
        session.delete("dids", did.id)
    assert verified() == (False, False)


def elsewhere_of(client: DidwwClient, identity: Identity, address: Address) -> Address:
    """Create another address of an identity, with its proof."""
    found = client.addresses().find(address.id, include="country").data
    assert found.country is not None
    made = (
        client.addresses()
        .create(
            Address(
                city_name="Othertown",
                postal_code="54321",
                address="2 Example Street",
                identity=identity,
                country=found.country,
            )
        )
        .data
    )
    kind = next(proof_type for proof_type in client.proof_types().list().data if proof_type.entity_type == "Address")
    prove(client, made, kind)
    return made


def test_deleting_documents_under_review_returns_422(emulator: Emulator, client: DidwwClient) -> None:
    """Other documents, and documents after the review, can be deleted."""
    dids, identity, address, form = with_form(emulator, client)
    passport, bill = client.proofs().list(sort="created_at").data
    spare = next(proof_type for proof_type in client.proof_types().list().data if proof_type.name == "Passport")
    _, stranger = person(client, client.countries().list(filter={"iso": "DE"}).data[0])
    free = prove(
        client,
        stranger,
        next(proof_type for proof_type in client.proof_types().list().data if proof_type.entity_type == "Address"),
    )
    emulator.transitions.set("address_verifications", by_hand=True)
    id = verify(client, address, dids)
    for accessor, paper in (
        (client.proofs(), passport),
        (client.proofs(), bill),
        (client.permanent_supporting_documents(), form),
    ):
        with pytest.raises(ValidationError, match="while a verification that needs it is under review"):
            accessor.delete(paper.id)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] each takes ids
    client.proofs().delete(free.id)
    emulator.transitions.reject(id)
    client.proofs().delete(passport.id)
    client.permanent_supporting_documents().delete(form.id)
    del identity, spare


def test_new_form_replaces_the_old_one(emulator: Emulator, client: DidwwClient) -> None:
    """One form for each identity and template; those of other identities stay."""
    _, identity, _, form = with_form(emulator, client)
    template = client.permanent_supporting_documents().find(form.id, include="template").data.template
    other = client.supporting_document_templates().one(filter={"name": "Business Declaration"})

    def filed(which: Any) -> str:
        made = PermanentSupportingDocument(template=which, identity=identity, files=[client.upload_file(PDF)])
        return client.permanent_supporting_documents().create(made).data.id

    beside, new = filed(other), filed(template)
    assert {document.id for document in client.permanent_supporting_documents().list().data} == {beside, new}


def with_form(
    emulator: Emulator, client: DidwwClient
) -> tuple[list[Did], Identity, Address, PermanentSupportingDocument]:
    """Return a DID whose requirement needs a form, and a person with all documents."""
    for iso in ("DE", "FR", "GR", "BE", "ZA", "EG", "KE", "AT", "IN", "UA", "MX"):
        for group in groups_of(client, iso, needs_registration=True):
            assert group.address_requirement is not None
            requirement = requirement_of(client, group.address_requirement)
            plain = not (requirement.service_description_required or requirement.personal_onetime_document)
            if plain and requirement.personal_permanent_document is not None and group.meta.total_count:
                assert requirement.country is not None
                identity, address = person(client, requirement.country)
                prove_all(client, requirement, identity, address)
                (form,) = client.permanent_supporting_documents().list().data
                return bought(emulator, client, group), identity, address, form
    raise AssertionError("no such group")


def test_emergency_service_goes_through_all_states(emulator: Emulator, client: DidwwClient) -> None:
    """in_process, changes_required, active, pending_update, active with the old address, canceled."""
    dids, _, home = emergency(emulator, client, 2)
    emulator.transitions.set("emergency_verifications", by_hand=True)
    first = secure(client, home, dids)
    service = service_of(client, first)
    assert service.status == "in_process"
    with pytest.raises(ValidationError, match="cannot be canceled in IN_PROCESS"):
        client.emergency_calling_services().delete(service.id)
    emulator.transitions.reject(first.id, ["Address not found"])
    assert service_of(client, first).status == "changes_required"
    assert client.orders().list(filter={"status": "completed"}).total_records == 1
    assert [did.emergency_enabled for did in client.dids().list().data] == [False] * len(dids)

    def again(address: Address) -> str:
        made = EmergencyVerification(address=address, emergency_calling_service=service)
        return client.emergency_verifications().create(made).data.id

    before = client.balance().find().data.balance
    emulator.transitions.approve(again(home))
    active = service_of(client, first)
    assert active.status == "active"
    assert active.order is not None
    assert active.order.items[0].qty == 2
    assert before - client.balance().find().data.balance == active.order.amount
    assert [did.emergency_enabled for did in client.dids().list().data] == [True] * len(dids)

    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    _, other = person(client, group.country)
    moving = again(other)
    assert service_of(client, first).status == "pending_update"
    assert [did.emergency_enabled for did in client.dids().list().data] == [True] * len(dids)
    emulator.transitions.reject(moving)
    assert service_of(client, first).status == "active"
    kept = emulator.engine.session(emulator.key).get("emergency_calling_services", service.id)
    assert kept is not None
    assert kept["address"] == home.id
    # The filter uses the latest verification, whatever its status.
    assert client.emergency_calling_services().list(filter={"address.id": home.id}).total_records == 0
    assert client.emergency_calling_services().list(filter={"address.id": other.id}).total_records == 1
    emulator.transitions.approve(again(other))
    assert client.emergency_calling_services().list(filter={"address.id": other.id}).total_records == 1
    client.emergency_calling_services().delete(service.id)
    assert service_of(client, first).status == "canceled"
    assert [did.emergency_enabled for did in client.dids().list().data] == [False] * len(dids)


def test_emergency_service_with_insufficient_balance_requires_changes(emulator: Emulator, client: DidwwClient) -> None:
    """Nothing is charged, and with enough balance it is approved."""
    dids, _, home = emergency(emulator, client)
    emulator.balance.put("0.10")
    first = secure(client, home, dids)
    emulator.clock.advance(1)
    assert client.emergency_verifications().find(first.id).data.reject_reasons == ["Insufficient balance"]
    assert service_of(client, first).status == "changes_required"
    emulator.balance.put("100")
    made = EmergencyVerification(address=home, emergency_calling_service=service_of(client, first))
    client.emergency_verifications().create(made)
    emulator.clock.advance(1)
    assert service_of(client, first).status == "active"


def test_dids_belong_to_one_emergency_service(emulator: Emulator, client: DidwwClient) -> None:
    """Another service cannot take them, DIDs registered to others are rejected, and none is charged twice."""
    dids, identity, home = emergency(emulator, client, 2)
    secure(client, home, [dids[0]])
    emulator.clock.advance(1)
    spent = client.balance().find().data.balance
    with pytest.raises(ValidationError, match="already has an Emergency Calling Service"):
        secure(client, home, dids)
    emulator.engine.session(emulator.key).update("dids", dids[1].id, {"identity": identity.id})
    group = groups_of(client, "US", features="emergency")[0]
    assert group.country is not None
    _, foreign = person(client, group.country, first_name="Kim")
    with pytest.raises(ValidationError, match="can be used only with Identity Personal - Alex Example"):
        secure(client, foreign, [dids[1]])
    assert client.emergency_calling_services().list().total_records == 1
    assert client.balance().find().data.balance == spent


def test_did_can_leave_an_emergency_service(emulator: Emulator, client: DidwwClient) -> None:
    """It is enabled only while in an active service, and cannot return."""
    dids, _, home = emergency(emulator, client, 2)
    first = secure(client, home, dids)
    emulator.clock.advance(1)
    late = client.dids().find(dids[1].id).data
    assert late.emergency_enabled
    late.emergency_calling_service = None
    client.dids().update(late)
    assert not client.dids().find(late.id).data.emergency_enabled
    assert [did.id for did in service_of(client, first).dids] == [dids[0].id]


def test_emergency_service_renews_or_is_canceled(emulator: Emulator, client: DidwwClient) -> None:
    """Each month is charged; with insufficient balance the service is canceled."""
    dids, _, home = emergency(emulator, client)
    first = secure(client, home, dids)
    emulator.clock.advance(1)
    service = service_of(client, first)
    assert service.renew_date == "2026-04-15"
    price = service.meta.monthly_price
    assert price is not None
    did = client.dids().find(dids[0].id, include="did_group.stock_keeping_units").data
    assert did.did_group is not None
    rent = min(sku.monthly_price for sku in did.did_group.stock_keeping_units)
    before = client.balance().find().data.balance
    emulator.clock.freeze("2026-04-16")
    assert before - client.balance().find().data.balance == price + rent
    assert service_of(client, first).renew_date == "2026-05-15"
    emulator.balance.put("0.00")
    emulator.clock.freeze("2026-05-15T01:00")
    assert service_of(client, first).status == "canceled"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"identity_type": "business"}, "company_name"),
        ({"phone_number": "+442079460000"}, "phone_number"),
        ({"phone_number": "call me"}, "phone_number"),
        ({"identity_type": "business", "company_name": "Example Ltd", "vat_id": "DE999999999"}, "country"),
        ({"company_name": "Example Ltd"}, "company_name"),
        ({"company_reg_number": "12345"}, "company_reg_number"),
        ({"contact_email": "jane"}, "contact_email"),
    ],
)
def test_invalid_identities_return_422(emulator: Emulator, fields: dict[str, Any], field: str) -> None:
    """A company has a name and a VAT country; a person has no company attributes."""
    identity_fields = {
        "identity_type": "personal",
        "first_name": "Alex",
        "last_name": "Example",
        "phone_number": "442079460000",
        **fields,
    }
    error = Caller(emulator.engine, emulator.key).error(
        "POST", "/identities", document("identities", **identity_fields)
    )
    place = "relationships" if field == "country" else "attributes"
    assert (error["status"], error["source"]["pointer"]) == ("422", f"/data/{place}/{field}")


def test_invalid_identity_updates_return_422(emulator: Emulator, client: DidwwClient) -> None:
    """Unchanged attributes are not checked, and null clears them."""
    country = client.countries().list(filter={"iso": "DE"}).data[0]
    person_, _ = person(client, country)
    company, _ = person(client, country, identity_type="business", company_name="Example Ltd", vat_id="DE999999999")
    caller = Caller(emulator.engine, emulator.key)
    for id, changes, field in (
        (person_.id, {"vat_id": "DE999999999"}, "vat_id"),
        (company.id, {"company_name": None}, "company_name"),
    ):
        body = document("identities", id, **changes)
        assert caller.error("PATCH", f"/identities/{id}", body)["source"]["pointer"] == f"/data/attributes/{field}"
    caller.write("PATCH", f"/identities/{person_.id}", document("identities", person_.id, vat_id=None))
    gone = document("identities", company.id, {"country": None})
    assert (
        caller.error("PATCH", f"/identities/{company.id}", gone)["source"]["pointer"] == "/data/relationships/country"
    )
    gone = document("identities", company.id, {"country": None}, vat_id=None)
    caller.write("PATCH", f"/identities/{company.id}", gone)


def test_proof_type_must_match_its_entity(client: DidwwClient) -> None:
    """A passport does not prove an address, and a utility bill does not prove a person."""
    kinds = {proof_type.name: proof_type for proof_type in client.proof_types().list().data}
    (country,) = client.countries().list(filter={"iso": "DE"}).data
    identity, address = person(client, country)
    for kind, entity in (("Passport", address), ("Utility Bill", identity), ("Trade License", identity)):
        proof = Proof(proof_type=kinds[kind], entity=entity, files=[client.upload_file(PDF)])
        with pytest.raises(ValidationError) as refused:
            client.proofs().create(proof)
        assert "proof_type" in refused.value.fields


def outbound(client: DidwwClient, **fields: Any) -> VoiceOutTrunk:
    made = VoiceOutTrunk(
        name=fields.pop("name", "Out"),
        on_cli_mismatch_action="reject_call",  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        authentication_method=CredentialsAndIpAuthenticationMethod(
            allowed_sip_ips=fields.pop("allowed_sip_ips", ["192.0.2.10"]), tech_prefix=fields.pop("tech_prefix", None)
        ),
        **fields,
    )
    return client.voice_out_trunks().create(made).data


def test_outbound_trunk_is_blocked_at_its_threshold(emulator: Emulator, client: DidwwClient) -> None:
    """Spending of 24 hours counts; unblocking resets it."""
    trunk = outbound(client, threshold_amount=Decimal(10))
    session = emulator.engine.session(emulator.key)
    spend(session, trunk.id, Decimal("4.50"))
    emulator.clock.advance("25 h")
    assert client.voice_out_trunks().find(trunk.id).data.meta.spent_amount == 0
    spend(session, trunk.id, Decimal("6.00"))
    emulator.clock.advance("1 h")
    now = client.voice_out_trunks().find(trunk.id).data
    assert (now.status, now.threshold_reached, now.meta.spent_amount) == ("active", False, Decimal("6.00"))
    spend(session, trunk.id, Decimal("4.00"))
    now = client.voice_out_trunks().find(trunk.id).data
    assert (now.status, now.threshold_reached) == ("blocked", True)
    now.status = "active"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    now = client.voice_out_trunks().update(now).data
    assert (now.status, now.threshold_reached, now.meta.spent_amount) == ("active", False, Decimal(0))
    assert emulator.clock.now() == START + timedelta(hours=26)
