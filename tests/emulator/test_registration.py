"""Test the registration of numbers step by step, with the errors of each step."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    Did,
    DidGroup,
    DidwwApiError,
    EncryptedFile,
    NotFoundError,
    ValidationError,
)
from didww.emulator import Emulator
from support.api_caller import Caller, document
from support.registration import PDF, Registration, bought, groups_of, person, plain, prove, prove_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww import AddressRequirement


def test_did_is_blocked_until_its_address_is_verified(emulator: Emulator) -> None:
    """DID, identity and address change together on approval."""
    scene = Registration(emulator, plain)
    client = scene.client
    (did,) = bought(emulator, client, scene.group)
    assert (did.awaiting_registration, did.blocked) == (True, True)
    identity, address = person(client, scene.country)
    assert (identity.verified, address.verified) == (False, False)
    prove_all(client, scene.requirement, identity, address)
    assert scene.validate(identity, address).id == scene.requirement.id

    verification = client.address_verifications().create(scene.verification(address, [did])).data
    assert verification.status == "pending"
    assert verification.reference.startswith("AV-")
    assert client.dids().find(did).data.blocked is True
    emulator.clock.advance(1)
    done = client.address_verifications().wait(verification).data
    assert done.status == "approved"
    did = client.dids().find(did, include="address_verification").data
    assert (did.awaiting_registration, did.blocked) == (False, False)
    assert did.address_verification is not None
    assert did.address_verification.id == verification.id
    assert client.identities().find(identity).data.verified
    assert client.addresses().find(address).data.verified

    (another,) = bought(emulator, client, scene.group)
    client.address_verifications().create(scene.verification(address, [another]))
    emulator.clock.advance(1)
    assert client.dids().find(another).data.blocked is False


def test_did_stays_registered_after_detaching_its_verification(emulator: Emulator) -> None:
    """It is not blocked again, and its identity and address stay verified and in use."""
    scene = Registration(emulator, plain)
    client = scene.client
    (did,) = bought(emulator, client, scene.group)
    identity, address = person(client, scene.country)
    prove_all(client, scene.requirement, identity, address)
    client.address_verifications().create(scene.verification(address, [did]))
    emulator.clock.advance(1)
    did = client.dids().find(did).data
    did.address_verification = None
    client.dids().update(did)
    did = client.dids().find(did, include=["address_verification", "identity"]).data
    assert (did.address_verification, did.blocked) == (None, False)
    assert did.identity is not None
    assert (client.identities().find(identity).data.verified, client.addresses().find(address).data.verified) == (
        True,
        True,
    )
    with pytest.raises(DidwwApiError) as caught:
        client.identities().delete(identity)
    assert caught.value.status_code == 409


def test_validation_reports_everything_missing_and_stores_nothing(emulator: Emulator) -> None:
    """Fields, proofs, forms and the country of the address, until each is supplied."""
    scene = Registration(
        emulator,
        lambda requirement: (
            bool(requirement.personal_permanent_document) and requirement.personal_mandatory_fields == ["birth_date"]
        ),
    )
    client = scene.client
    identity, address = person(client, scene.country, birth_date=None)
    proofs = "(Passport, National ID, Drivers License)"
    assert scene.missing(identity, None) == [
        "Birth Date is required for Personal Identity",
        f"1 Identity Proof(s) {proofs} required",
        "Following Supporting Document(s) required (Declaration of Consent)",
    ]
    assert scene.missing(None, address) == [
        "1 Address Proof(s) (Utility Bill, Copy of Phone Bill, Rental Receipt) required"
    ]
    assert len(scene.missing(identity, address)) == 4
    identity.birth_date = "1980-01-31"
    client.identities().update(identity)
    prove_all(client, scene.requirement, identity, address)
    assert scene.validate(identity, None).id == scene.validate(None, address).id == scene.requirement.id

    elsewhere = next(country for country in client.countries().list().data if country.id != scene.country.id)
    _, foreign = person(client, elsewhere)
    assert scene.missing(None, foreign)[0] == f"Address in {scene.country.name} required"
    with pytest.raises(ValidationError) as caught:
        scene.validate(identity, foreign)
    assert caught.value.fields == {"address": ["is invalid"]}
    links = {"address_requirement": {"type": "address_requirements", "id": scene.requirement.id}}
    body = document("address_requirement_validations", None, links)
    error = Caller(emulator.engine, emulator.key).error("POST", "/address_requirement_validations", body)
    assert (error["status"], error["source"]["pointer"]) == ("422", "/data/relationships/identity")


def test_companies_need_company_fields_and_proofs(emulator: Emulator) -> None:
    """Registration number, tax number, their own proofs, and the country where required."""
    scene = Registration(emulator, lambda requirement: requirement.business_area_level == "country")
    elsewhere = next(country for country in scene.client.countries().list().data if country.id != scene.country.id)
    company = {"identity_type": "business", "company_name": "Example Ltd", "birth_date": None}
    identity, _ = person(scene.client, elsewhere, **company)
    missing = scene.missing(identity, None)
    assert missing[0] == f"Identity in {scene.country.name} required"
    assert "Company Reg Number is required for Business Identity" in missing
    assert "1 Identity Proof(s) (Trade License, Excerpt from the commercial register) required" in missing


@pytest.mark.parametrize("taken", ["personal", "business"])
def test_some_requirements_accept_one_identity_type_only(emulator: Emulator, taken: str) -> None:
    """The other type has no required fields, its area level is null, and it is rejected."""
    scene = Registration(emulator, lambda _: True, taken)
    other = "business" if taken == "personal" else "personal"
    requirement = scene.requirement
    assert getattr(requirement, f"{other}_area_level") is None
    assert getattr(requirement, f"{taken}_area_level") is not None
    assert (getattr(requirement, f"{other}_proof_qty"), getattr(requirement, f"{other}_proof_types")) == (0, [])
    company = {"identity_type": "business", "company_name": "Example Ltd", "birth_date": None}
    identity, _ = person(scene.client, scene.country, **(company if other == "business" else {}))
    assert scene.missing(identity, None) == [f"{taken.capitalize()} Identity required"]


@pytest.mark.parametrize(
    ("wanted", "supplied", "text"),
    [
        (lambda requirement: requirement.service_description_required, {}, "service description is required"),
        (plain, {"service_description": "x"}, "service description is not needed"),
        (lambda requirement: bool(requirement.personal_onetime_document), {}, "one-time document is required"),
        (plain, {"onetime_files": True}, "one-time document is not needed"),
    ],
)
def test_missing_and_unneeded_documents_are_rejected(
    emulator: Emulator, wanted: Callable[[AddressRequirement], bool], supplied: dict[str, Any], text: str
) -> None:
    """The DID stays unchanged."""
    scene = Registration(emulator, wanted)
    (did,) = bought(emulator, scene.client, scene.group)
    identity, address = person(scene.client, scene.country)
    prove_all(scene.client, scene.requirement, identity, address)
    verification = scene.verification(address, [did])
    if "service_description" in supplied:
        verification.service_description = supplied["service_description"]
    if "onetime_files" in supplied:
        verification.onetime_files = [scene.client.upload_file(PDF)]
    with pytest.raises(ValidationError) as caught:
        scene.client.address_verifications().create(verification)
    assert text in caught.value.fields[""]
    assert scene.client.address_verifications().list().total_records == 0
    assert scene.client.dids().find(did).data.blocked is True


def test_verification_needs_dids_of_the_account(emulator: Emulator) -> None:
    """The error names the relationship."""
    scene = Registration(emulator, plain)
    _, address = person(scene.client, scene.country)
    links = {"address": {"type": "addresses", "id": address.id}, "dids": []}
    body = document("address_verifications", None, links)
    error = Caller(emulator.engine, emulator.key).error("POST", "/address_verifications", body)
    assert (error["status"], error["source"]["pointer"]) == ("422", "/data/relationships/dids")
    foreign = scene.verification(address, [Did.build("8d1a3c5e-0000-4000-8000-000000000001")])
    with pytest.raises((ValidationError, NotFoundError)):
        scene.client.address_verifications().create(foreign)


def test_only_the_reference_of_a_submitted_verification_can_change(emulator: Emulator) -> None:
    """Other changes are rejected before a request is sent."""
    scene = Registration(emulator, plain)
    (did,) = bought(emulator, scene.client, scene.group)
    identity, address = person(scene.client, scene.country)
    prove_all(scene.client, scene.requirement, identity, address)
    verification = scene.client.address_verifications().create(scene.verification(address, [did])).data
    verification.external_reference_id = "mine"
    assert scene.client.address_verifications().update(verification).data.external_reference_id == "mine"
    for name, value in (("service_description", "x"), ("dids", []), ("status", "approved")):
        with pytest.raises(ValueError, match=f"AddressVerification.{name} cannot be set"):
            setattr(verification, name, value)


def test_deleting_an_identity_deletes_its_addresses_and_proofs(emulator: Emulator) -> None:
    """See the contract."""
    scene = Registration(emulator, lambda requirement: bool(requirement.personal_permanent_document))
    identity, address = person(scene.client, scene.country)
    prove_all(scene.client, scene.requirement, identity, address)
    scene.client.identities().delete(identity)
    with pytest.raises(NotFoundError):
        scene.client.addresses().find(address)
    for accessor in (scene.client.proofs(), scene.client.permanent_supporting_documents()):
        assert accessor.list().total_records == 0


def test_requirements_can_be_filtered_by_country_and_type(emulator: Emulator) -> None:
    """Filters find the group's own requirement; groups without registration have none."""
    client = emulator.client()
    for group in groups_of(client, "DE", needs_registration=True)[:3]:
        assert group.country is not None
        assert group.did_group_type is not None
        response = client.address_requirements().list(
            filter={"country.id": group.country.id, "did_group_type.id": group.did_group_type.id}
        )
        assert [record.id for record in response.data] == [group.address_requirement and group.address_requirement.id]
    free = groups_of(client, "US", needs_registration=False)
    assert all(isinstance(group, DidGroup) and group.address_requirement is None for group in free)
    names = [template.name for template in client.supporting_document_templates().list(filter={"permanent": True}).data]
    assert names == ["Declaration of Consent", "Business Declaration"]


def test_uploaded_files_expire_after_a_day(emulator: Emulator) -> None:
    """Attached or not; they can be deleted earlier, and copies stay."""
    client = emulator.client()
    kind = next(proof_type for proof_type in client.proof_types().list().data if proof_type.name == "Passport")
    identity, _ = person(client, client.countries().one(filter={"iso": "DE"}))
    proof = prove(client, identity, kind)
    (attached,) = client.encrypted_files().list().data
    file, other = client.upload_file(PDF, description="a.pdf"), client.upload_file(PDF)
    assert client.encrypted_files().find(file).data.description == "a.pdf"
    assert isinstance(file, EncryptedFile)
    assert file.expires_at is not None
    client.encrypted_files().delete(other)
    emulator.clock.advance(23 * 3600)
    assert {file.id for file in client.encrypted_files().list().data} == {attached.id, file.id}
    emulator.clock.advance(2 * 3600)
    assert client.encrypted_files().list().total_records == 0
    assert client.proofs().find(proof.id).data.id == proof.id


def test_invalid_uploads_are_rejected(emulator: Emulator) -> None:
    """400 for other bodies and unknown fields; any Accept or Content-Type header is allowed."""
    caller = Caller(emulator.engine, emulator.key)
    form = "multipart/form-data; boundary=limit"

    def parts(**fields: str) -> bytes:
        lines = [
            f'--limit\r\nContent-Disposition: form-data; name="encrypted_files[{name}]"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        return ("".join(lines) + "--limit--\r\n").encode()

    for content_type, body in (
        ("application/vnd.api+json", b"{}"),
        ("application/json", b"{}"),
        (form, parts(file="x", encryption_fingerprint="x", color="red")),
    ):
        sent = {"Content-Type": content_type, "Accept": "text/html"}
        response = caller.send("POST", "/encrypted_files", raw=body, headers=sent)
        assert (response.status, json.loads(response.body)["errors"][0]["title"]) == (400, "invalid params")
    response = caller.send(
        "POST", "/encrypted_files", raw=parts(file="x", encryption_fingerprint="x"), headers={"Content-Type": form}
    )
    assert response.status == 422


def test_address_is_limited_to_200_characters(emulator: Emulator) -> None:
    """A proof takes up to five different files."""
    client = emulator.client()
    country = client.countries().one(filter={"iso": "DE"})
    identity, address = person(client, country)
    caller = Caller(emulator.engine, emulator.key)
    body = document("addresses", address.id, address="x" * 201)
    assert caller.error("PATCH", f"/addresses/{address.id}", body)["source"]["pointer"] == "/data/attributes/address"
    kind = next(proof_type for proof_type in client.proof_types().list().data if proof_type.name == "Passport")
    files = [{"type": "encrypted_files", "id": client.upload_file(PDF).id} for _ in range(6)]
    links = {"proof_type": {"type": "proof_types", "id": kind.id}, "entity": {"type": "identities", "id": identity.id}}
    for linked in ([], files, [files[0], files[0]]):
        error = caller.error("POST", "/proofs", document("proofs", None, {**links, "files": linked}))
        assert (error["status"], error["source"]["pointer"]) == ("422", "/data/relationships/files")
    caller.write("POST", "/proofs", document("proofs", None, {**links, "files": files[:5]}), 201)
