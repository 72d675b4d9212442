"""Test the rules for trunks and trunk groups: required, invalid and conflicting attributes.

Requests are sent without the client, which rejects most of these itself.
"""

from __future__ import annotations

from typing import Any

import pytest

from didww.emulator import Emulator
from support.api_caller import Caller, document

HOST = {"host": "sip.example.com", "codec_ids": [9]}
REGISTERS = {"enabled_sip_registration": True, "codec_ids": [9]}
SID = "AC" + 32 * "0"


def sip(**attributes: Any) -> dict[str, Any]:
    return {"type": "sip_configurations", "attributes": attributes}


def inbound(name: str = "In", configuration: Any = None, **attributes: Any) -> dict[str, Any]:
    return document("voice_in_trunks", name=name, configuration=configuration or sip(**HOST), **attributes)


def update_body(id: str, configuration: Any = None, **attributes: Any) -> dict[str, Any]:
    there = {} if configuration is None else {"configuration": configuration}
    return document("voice_in_trunks", id, **there, **attributes)


def outbound(name: str = "Out", method: Any = None, relationships: Any = None, **attributes: Any) -> dict[str, Any]:
    authentication = method or {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": ["192.0.2.10"]}}
    fields = {
        "name": name,
        "on_cli_mismatch_action": "reject_call",
        "authentication_method": authentication,
        **attributes,
    }
    return document("voice_out_trunks", None, relationships, **fields)


def get_invalid_members(caller: Caller, method: str, path: str, body: Any) -> set[str]:
    """Send a request that must return 422, and return the names of the invalid members."""
    response = caller.write(method, path, body, 422)
    return {error["source"]["pointer"].rpartition("/")[2] for error in response["errors"]}


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({"host": "sip.example.com"}, "codec_ids"),
        ({**HOST, "codec_ids": []}, "codec_ids"),
        ({**HOST, "codec_ids": [9, 9]}, "codec_ids"),
        ({"codec_ids": [9]}, "host"),
        ({**HOST, "port": 0}, "port"),
        ({**HOST, "port": 65536}, "port"),
        ({**HOST, "username": "a b"}, "username"),
        ({**HOST, "username": "a@b"}, "username"),
        ({**REGISTERS, "host": "sip.example.com"}, "host"),
        ({**REGISTERS, "port": 5060}, "port"),
        ({**HOST, "use_did_in_ruri": True}, "use_did_in_ruri"),
        ({**HOST, "auth_enabled": True, "auth_user": "u"}, "auth_password"),
        ({**HOST, "auth_user": "u"}, "auth_user"),
        ({**HOST, "sst_enabled": True, "sst_min_timer": None}, "sst_min_timer"),
        ({**HOST, "sst_min_timer": 0}, "sst_min_timer"),
        ({**HOST, "sst_enabled": True, "sst_min_timer": 900, "sst_max_timer": 600}, "sst_min_timer"),
        ({**HOST, "sst_session_expires": 901}, "sst_session_expires"),
        ({**HOST, "sip_timer_b": 999}, "sip_timer_b"),
        ({**HOST, "sip_timer_b": None}, "sip_timer_b"),
        ({**HOST, "sip_timer_b": 1000, "dns_srv_failover_timer": 1001}, "dns_srv_failover_timer"),
        ({**HOST, "rtp_timeout": 4}, "rtp_timeout"),
        ({**HOST, "allowed_rtp_ips": [f"192.0.2.{n}" for n in range(11)]}, "allowed_rtp_ips"),
        ({**HOST, "max_transfers": 9}, "max_transfers"),
        ({**HOST, "transport_protocol_id": 4}, "transport_protocol_id"),
        ({**HOST, "rx_dtmf_format_id": None}, "rx_dtmf_format_id"),
    ],
    ids=str,
)
def test_invalid_sip_configurations_return_422(caller: Caller, attributes: dict[str, Any], place: str) -> None:
    """Host or registration, authentication, session timers, bounds: the error points to the member."""
    assert get_invalid_members(caller, "POST", "/voice_in_trunks", inbound(configuration=sip(**attributes))) == {place}


def test_pstn_trunk_needs_a_destination(caller: Caller) -> None:
    """Up to 15 digits."""
    for dst in (None, "", "+442079460000", 16 * "4"):
        pstn: dict[str, Any] = {"type": "pstn_configurations", "attributes": {"dst": dst}}
        assert get_invalid_members(caller, "POST", "/voice_in_trunks", inbound(configuration=pstn)) == {"dst"}
    pstn = {"type": "pstn_configurations", "attributes": {}}
    assert get_invalid_members(caller, "POST", "/voice_in_trunks", inbound(configuration=pstn)) == {"dst"}


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({"capacity_limit": 0}, "capacity_limit"),
        ({"capacity_limit": 32768}, "capacity_limit"),
        ({"cli_prefix": "+1-202"}, "cli_prefix"),
        ({"cli_prefix": "+1202555"}, "cli_prefix"),
        ({"ringing_timeout": 0}, "ringing_timeout"),
        ({"ringing_timeout": 33}, "ringing_timeout"),
        ({"cli_format": "national"}, "cli_format"),
        ({"external_reference_id": 101 * "x"}, "external_reference_id"),
    ],
    ids=str,
)
def test_invalid_inbound_trunks_return_422(caller: Caller, attributes: dict[str, Any], place: str) -> None:
    """Bounds and formats of a trunk's own attributes."""
    assert get_invalid_members(caller, "POST", "/voice_in_trunks", inbound(**attributes)) == {place}


def test_blank_cli_format_uses_the_default(caller: Caller) -> None:
    """A null or empty `cli_format` is stored as e164; a prefix may contain letters."""
    for n, blank in enumerate((None, "", " ")):
        created = caller.write("POST", "/voice_in_trunks", inbound(str(n), cli_format=blank, cli_prefix="a+1#"), 201)
        assert created["data"]["attributes"]["cli_format"] == "e164"
        assert created["data"]["attributes"]["cli_prefix"] == "a+1#"


@pytest.mark.unchecked
def test_dtmf_format_id_is_stored_unchanged(caller: Caller) -> None:
    """DIDWW's own sources number `tx_dtmf_format_id` in two ways."""
    for n in (0, 1, 2, 3, 4):
        created = caller.write("POST", "/voice_in_trunks", inbound(str(n), sip(**HOST, tx_dtmf_format_id=n)), 201)
        assert created["data"]["attributes"]["configuration"]["attributes"]["tx_dtmf_format_id"] == n
    assert get_invalid_members(
        caller, "POST", "/voice_in_trunks", inbound("x", sip(**HOST, tx_dtmf_format_id="1"))
    ) == {"tx_dtmf_format_id"}


def test_configuration_update_merges_members(caller: Caller) -> None:
    """Members not sent stay, null clears, and the type cannot change."""
    id = caller.write("POST", "/voice_in_trunks", inbound(configuration=sip(**HOST, port=5060)), 201)["data"]["id"]
    path = f"/voice_in_trunks/{id}"
    now = caller.write("PATCH", path, update_body(id, sip(port=None)))["data"]["attributes"]["configuration"]
    assert (now["attributes"]["host"], now["attributes"]["port"]) == ("sip.example.com", None)
    assert now["attributes"]["codec_ids"] == [9]
    # The host is still stored, so registration is rejected until null clears it.
    assert get_invalid_members(caller, "PATCH", path, update_body(id, sip(enabled_sip_registration=True))) == {"host"}
    now = caller.write("PATCH", path, update_body(id, sip(enabled_sip_registration=True, host=None)))
    assert now["data"]["attributes"]["configuration"]["attributes"]["incoming_auth_username"]
    assert get_invalid_members(caller, "PATCH", path, update_body(id, sip(host="sip.example.com"))) == {"host"}
    pstn = {"type": "pstn_configurations", "attributes": {"dst": "442079460000"}}
    assert get_invalid_members(caller, "PATCH", path, update_body(id, pstn)) == {"type"}
    assert caller.write("PATCH", path, update_body(id, description="x"))["data"]["attributes"]["description"] == "x"


def test_trunk_group_is_limited_to_ten_trunks(caller: Caller) -> None:
    """An eleventh is rejected from either side; duplicates count once."""
    trunks = [caller.write("POST", "/voice_in_trunks", inbound(str(n)), 201)["data"]["id"] for n in range(11)]
    linked = [{"type": "voice_in_trunks", "id": trunk} for trunk in trunks]
    assert get_invalid_members(
        caller,
        "POST",
        "/voice_in_trunk_groups",
        document("voice_in_trunk_groups", None, {"voice_in_trunks": linked}, name="All"),
    ) == {"voice_in_trunks"}
    body = document(
        "voice_in_trunk_groups", None, {"voice_in_trunks": [*linked[:10], linked[0]]}, name="All", capacity_limit=1
    )
    created = caller.write("POST", "/voice_in_trunk_groups", body, 201)["data"]
    assert created["meta"]["trunks_count"] == 10
    group = {"voice_in_trunk_group": {"type": "voice_in_trunk_groups", "id": created["id"]}}
    path = f"/voice_in_trunks/{trunks[10]}"
    assert get_invalid_members(caller, "PATCH", path, document("voice_in_trunks", trunks[10], group)) == {
        "voice_in_trunk_group"
    }
    caller.write("PATCH", f"/voice_in_trunks/{trunks[0]}", document("voice_in_trunks", trunks[0], group))
    assert caller.send("DELETE", f"/voice_in_trunk_groups/{created['id']}").status == 204
    assert caller.ids("/voice_in_trunks") == [trunks[10]]


@pytest.mark.parametrize(
    ("attributes", "place"),
    [
        ({"on_cli_mismatch_action": None}, "on_cli_mismatch_action"),
        ({"on_cli_mismatch_action": "replace_cli"}, "default_did"),
        ({"capacity_limit": 0}, "capacity_limit"),
        ({"rtp_timeout": 29}, "rtp_timeout"),
        ({"rtp_timeout": None}, "rtp_timeout"),
        ({"threshold_amount": None}, "threshold_amount"),
        ({"dst_prefixes": ["+44"]}, "dst_prefixes"),
        ({"dst_prefixes": None}, "dst_prefixes"),
        ({"allowed_rtp_ips": [f"192.0.2.{n}" for n in range(61)]}, "allowed_rtp_ips"),
        ({"allowed_rtp_ips": ["192.0.2.1", "192.0.2.1"]}, "allowed_rtp_ips"),
    ],
    ids=str,
)
def test_invalid_outbound_trunks_return_422(caller: Caller, attributes: dict[str, Any], place: str) -> None:
    """Required attributes and bounds."""
    assert get_invalid_members(caller, "POST", "/voice_out_trunks", outbound(**attributes)) == {place}


@pytest.mark.parametrize(
    ("type", "attributes", "place"),
    [
        ("credentials_and_ip", {}, "authentication_method"),
        ("credentials_and_ip", {"allowed_sip_ips": []}, "allowed_sip_ips"),
        ("credentials_and_ip", {"allowed_sip_ips": None}, "allowed_sip_ips"),
        ("credentials_and_ip", {"allowed_sip_ips": [f"192.0.2.{n}" for n in range(61)]}, "allowed_sip_ips"),
        ("credentials_and_ip", {"allowed_sip_ips": ["192.0.2.1", "192.0.2.1"]}, "allowed_sip_ips"),
        ("credentials_and_ip", {"allowed_sip_ips": ["192.0.2.1"], "tech_prefix": "12a"}, "tech_prefix"),
        ("credentials_and_ip", {"allowed_sip_ips": ["192.0.2.1"], "tech_prefix": "123456789"}, "tech_prefix"),
        ("twilio", {}, "twilio_account_sid"),
        ("twilio", {"twilio_account_sid": "AC123"}, "twilio_account_sid"),
        ("ip_only", {"allowed_sip_ips": ["192.0.2.1"]}, "type"),
    ],
    ids=str,
)
def test_invalid_authentication_methods_return_422(
    caller: Caller, type: str, attributes: dict[str, Any], place: str
) -> None:
    """1 to 60 IP addresses, a tech prefix of digits and #, a valid Twilio SID; `ip_only` cannot be created."""
    method = {"type": type, "attributes": attributes}
    assert get_invalid_members(caller, "POST", "/voice_out_trunks", outbound(method=method)) == {place}


def test_twilio_account_can_be_used_by_one_trunk_only(emulator: Emulator, caller: Caller) -> None:
    """Unique across accounts; the trunk itself may send it again. Twilio takes no tech prefix (400)."""
    method = {"type": "twilio", "attributes": {"twilio_account_sid": SID}}
    id = caller.write("POST", "/voice_out_trunks", outbound(method=method), 201)["data"]["id"]
    caller.write("PATCH", f"/voice_out_trunks/{id}", document("voice_out_trunks", id, authentication_method=method))
    other = Caller(emulator.engine, "another")
    assert get_invalid_members(other, "POST", "/voice_out_trunks", outbound(method=method)) == {"twilio_account_sid"}
    prefixed = {"type": "twilio", "attributes": {"twilio_account_sid": SID, "tech_prefix": "1"}}
    assert caller.send("POST", "/voice_out_trunks", outbound("x", prefixed)).status == 400


def test_default_did_requires_the_replace_cli_action(emulator: Emulator, caller: Caller) -> None:
    """Required with `replace_cli`, rejected with other actions; duplicate prefixes are stored once."""
    (did,) = emulator.state.seed({"dids": [{"number": "12025550100"}]})["dids"]
    linked = {"default_did": {"type": "dids", "id": did}}
    assert get_invalid_members(caller, "POST", "/voice_out_trunks", outbound(relationships=linked)) == {"default_did"}
    body = outbound(relationships=linked, on_cli_mismatch_action="replace_cli", dst_prefixes=["44", "1", "44"])
    created = caller.write("POST", "/voice_out_trunks", body, 201)["data"]
    assert created["attributes"]["dst_prefixes"] == ["44", "1"]
    path, id = f"/voice_out_trunks/{created['id']}", created["id"]
    change: dict[str, Any] = {"on_cli_mismatch_action": "reject_call"}
    assert get_invalid_members(caller, "PATCH", path, document("voice_out_trunks", id, **change)) == {"default_did"}
    caller.write("PATCH", path, document("voice_out_trunks", id, {"default_did": None}, **change))


def test_cli_mismatch_actions_need_their_feature(emulator: Emulator, caller: Caller) -> None:
    """Without the feature the error points to the attribute."""
    emulator.features.put({"randomize_cli": False})
    body = outbound(on_cli_mismatch_action="randomize_cli")
    assert get_invalid_members(caller, "POST", "/voice_out_trunks", body) == {"on_cli_mismatch_action"}
    emulator.features.put({"randomize_cli": True})
    caller.write("POST", "/voice_out_trunks", body, 201)


@pytest.mark.parametrize(
    ("switch", "name"), [("allow_any_did_as_cli", "dids"), ("emergency_enable_all", "emergency_dids")]
)
def test_source_dids_exclude_allow_any_did_as_cli(emulator: Emulator, caller: Caller, switch: str, name: str) -> None:
    """Either list the DIDs or allow any; both together are rejected, also if one was stored before."""
    (did,) = emulator.state.seed({"dids": [{"number": "12025550100"}]})["dids"]
    linked = {name: [{"type": "dids", "id": did}]}
    assert get_invalid_members(
        caller, "POST", "/voice_out_trunks", outbound(relationships=linked, **{switch: True})
    ) == {name}
    id = caller.write("POST", "/voice_out_trunks", outbound(relationships=linked), 201)["data"]["id"]
    path, body = f"/voice_out_trunks/{id}", document("voice_out_trunks", id, **{switch: True})
    assert get_invalid_members(caller, "PATCH", path, body) == {name}
    caller.write("PATCH", path, document("voice_out_trunks", id, {name: []}, **{switch: True}))
