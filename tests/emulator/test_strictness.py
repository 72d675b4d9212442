"""Test what the emulator rejects. Requests are sent without the client, which rejects most of these itself."""

from __future__ import annotations

from typing import Any

import pytest

from didww import Identity, IdentityType, Proof, ValidationError
from didww.emulator import Emulator
from support.api_caller import Caller, document

NOWHERE = "00000000-0000-4000-8000-000000000000"


def sip(**attributes: Any) -> dict[str, Any]:
    """Return a valid SIP configuration with these members."""
    return {"type": "sip_configurations", "attributes": {"host": "sip.example.com", "codec_ids": [9], **attributes}}


def trunk(**attributes: Any) -> dict[str, Any]:
    """Return the body of an outbound trunk with these members."""
    method = {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": ["192.0.2.1"]}}
    made = {"name": "Out", "on_cli_mismatch_action": "reject_call", "authentication_method": method, **attributes}
    return document("voice_out_trunks", **made)


def inbound(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the body of an inbound trunk."""
    return document("voice_in_trunks", name="In", configuration=configuration)


ITEM = {"type": "did_order_items", "attributes": {"sku_id": NOWHERE}}
LINKED = {"type": "available_dids", "id": NOWHERE}
UNKNOWN = {
    "top level": ("voice_in_trunks", {**inbound(sip()), "odd": 1}),
    "data": ("voice_in_trunks", {"data": {**inbound(sip())["data"], "odd": 1}}),
    "attributes": ("voice_in_trunks", document("voice_in_trunks", name="In", odd=1, configuration=sip())),
    "configuration": ("voice_in_trunks", inbound({**sip(), "odd": 1})),
    "its attributes": ("voice_in_trunks", inbound(sip(odd=1))),
    "order item": ("orders", document("orders", items=[{**ITEM, "odd": 1}])),
    "linkage": (
        "did_reservations",
        {"data": {"type": "did_reservations", "relationships": {"available_did": {"data": LINKED, "odd": 1}}}},
    ),
    "identifier": ("did_reservations", document("did_reservations", None, {"available_did": {**LINKED, "odd": 1}})),
}


@pytest.mark.parametrize("place", UNKNOWN)
def test_unknown_members_return_400_at_every_level(caller: Caller, place: str) -> None:
    """The error names the member."""
    path, body = UNKNOWN[place]
    error = caller.error("POST", f"/{path}", body)
    assert (error["status"], error["code"], error["detail"]) == ("400", "105", "odd is not allowed.")


def test_filter_by_an_action_without_its_feature_is_rejected(emulator: Emulator, caller: Caller) -> None:
    """See the contract file voice_out_trunks; other actions match nothing."""
    query = {"filter[on_cli_mismatch_action]": "replace_cli"}
    assert caller.get("/voice_out_trunks", **query)["data"] == []
    emulator.features.put({"replace_cli": False})
    error = caller.error("GET", "/voice_out_trunks", **query)
    assert (error["status"], error["code"]) == ("400", "107")
    for value in ("randomize_cli", "reject_call"):
        assert caller.get("/voice_out_trunks", **{"filter[on_cli_mismatch_action]": value})["data"] == []


def test_uploaded_file_can_be_attached_once(emulator: Emulator) -> None:
    """Another proof needs its own upload, even after the first is deleted."""
    client = emulator.client()
    identity = Identity(
        identity_type=IdentityType.PERSONAL, first_name="Alex", last_name="Example", phone_number="442079460000"
    )
    identity = client.identities().create(identity).data
    kind = next(proof_type for proof_type in client.proof_types().list().data if proof_type.entity_type == "Personal")
    file, other = client.upload_file(b"%PDF-1.7 a"), client.upload_file(b"%PDF-1.7 b")
    proof = client.proofs().create(Proof(entity=identity, proof_type=kind, files=[file])).data
    for files in ([file], [other, file]):
        with pytest.raises(ValidationError) as caught:
            client.proofs().create(Proof(entity=identity, proof_type=kind, files=files))
        assert "files" in caught.value.fields
    client.proofs().delete(proof)
    with pytest.raises(ValidationError):
        client.proofs().create(Proof(entity=identity, proof_type=kind, files=[file]))
    # The rejected request did not use up this file.
    assert client.proofs().create(Proof(entity=identity, proof_type=kind, files=[other])).data.id


def test_configuration_errors_name_the_member(caller: Caller) -> None:
    """A missing host; limits of members that depend on each other."""
    error = caller.error(
        "POST", "/voice_in_trunks", inbound({"type": "sip_configurations", "attributes": {"codec_ids": [9]}})
    )
    assert error["detail"] == "host - can't be blank"
    for low, high in (("sst_min_timer", "sst_max_timer"), ("dns_srv_failover_timer", "sip_timer_b")):
        stored = caller.write("POST", "/voice_in_trunks", inbound(sip()), 201)["data"]
        most = stored["attributes"]["configuration"]["attributes"][high]
        caller.write("DELETE", f"/voice_in_trunks/{stored['id']}", None, 204)
        error = caller.error("POST", "/voice_in_trunks", inbound(sip(**{low: most + 1})))
        assert error["detail"] == f"{low} - must be at most {high}, which is {most}"


@pytest.mark.parametrize("name", ["allowed_sip_ips", "allowed_rtp_ips"])
def test_ip_addresses_are_normalized(caller: Caller, name: str) -> None:
    """A single address equals its network; errors point to the invalid address."""

    def refused(ips: list[str]) -> str:
        method = {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": ips}}
        wanted: dict[str, Any] = {"authentication_method": method} if name == "allowed_sip_ips" else {name: ips}
        error = caller.error("POST", "/voice_out_trunks", trunk(**wanted))
        assert error["status"] == "422"
        return str(error["detail"])

    for twice in (["192.0.2.1", "192.0.2.1/32"], ["192.0.2.9/24", "192.0.2.0/24"], ["2001:db8::1", "2001:DB8:0::1"]):
        assert refused(twice) == f"{name} - must not hold the same twice"
    for wrong in ("192.0.2.1:5060", "abc"):
        assert refused(["192.0.2.7", wrong]) == f"{name}/1 - must be an IP address or network"


def test_inbound_rtp_ips_must_be_ip_addresses(caller: Caller) -> None:
    """The same rule applies to the media of inbound trunks."""
    error = caller.error("POST", "/voice_in_trunks", inbound(sip(allowed_rtp_ips=["abc"])))
    assert error["detail"] == "allowed_rtp_ips/0 - must be an IP address or network"


@pytest.mark.parametrize("amount", ["-5", "100000.01"])
def test_threshold_must_be_within_the_account_limit(caller: Caller, amount: str) -> None:
    """From zero to what the account may spend."""
    error = caller.error("POST", "/voice_out_trunks", trunk(threshold_amount=amount))
    assert (error["status"], error["source"]["pointer"]) == ("422", "/data/attributes/threshold_amount")


def test_export_number_filters_must_be_digits(emulator: Emulator, caller: Caller) -> None:
    """The declared filters, in the declared format."""
    now = emulator.clock.now()
    period = {"from": f"{now:%Y-%m}-01 00:00:00", "to": f"{now:%Y-%m-%d %H:%M:%S}"}
    body = document("exports", export_type="cdr_in", filters={**period, "did_number": "+442079460000"})
    assert caller.error("POST", "/exports", body)["title"] == "did_number not valid"


@pytest.mark.parametrize("type", ["identities", "addresses"])
def test_seed_data_cannot_set_derived_values(emulator: Emulator, type: str) -> None:
    """`verified` depends on the registered numbers."""
    with pytest.raises(ValueError, match=rf"{type}\[0\]\.verified is derived from other objects"):
        emulator.state.seed({type: [{"verified": True}]})


@pytest.mark.parametrize("wrong", [["ordering"], "ordering", None, 5])
def test_invalid_features_are_rejected(emulator: Emulator, wrong: Any) -> None:
    """From Python and in seed data."""
    with pytest.raises(ValueError, match="features must be names with true or false, got"):
        emulator.features.put(wrong)
    with pytest.raises(ValueError, match="features must be names with true or false, got"):
        emulator.state.seed({"features": wrong})
