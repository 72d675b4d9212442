"""Records of text messages: routes, configurations, and the filters of exports."""

from __future__ import annotations

from typing import Any

import pytest

from didww import (
    Did,
    Export,
    HttpInConfiguration,
    HttpOutConfiguration,
    InvalidValueError,
    SenderIdVerification,
    SmppSmscConfiguration,
    SmsToEmailConfiguration,
    SmsTrunk,
    SmsTrunkConfiguration,
    SmsTrunkGroup,
)

ID, OTHER = "8d1a3c5e-0000-4000-8000-000000000001", "8d1a3c5e-0000-4000-8000-000000000002"
PERIOD = {"from": "2026-11-16 00:00:00", "to": "2026-11-20 00:00:00"}


def linkage(did: Did) -> dict[str, Any]:
    return {name: value and value["id"] for name, value in did.changes["relationships"].items()}


def stored(type: str, **attributes: Any) -> SmsTrunk:
    shape = {"type": type, "attributes": attributes}
    return SmsTrunk.from_dict({"id": ID, "attributes": {"name": "Main", "configuration": shape}})


def test_setting_an_sms_route_clears_the_other_and_no_voice_route() -> None:
    """The last one set is sent with its id, and the other as null."""
    did = Did.build(ID)
    did.sms_trunk_group = SmsTrunkGroup.build(OTHER)
    did.sms_trunk = SmsTrunk.build(ID)
    assert linkage(did) == {"sms_trunk": ID, "sms_trunk_group": None}
    assert did.sms_trunk_group is None
    did.sms_trunk_group = SmsTrunkGroup.build(OTHER)
    assert linkage(did) == {"sms_trunk": None, "sms_trunk_group": OTHER}


def test_none_clears_only_its_own_sms_route() -> None:
    """The other route is not sent."""
    did = Did.build(ID, sms_trunk=None)
    assert linkage(did) == {"sms_trunk": None}
    assert linkage(Did.build(ID, sms_trunk=SmsTrunk.build(OTHER), sms_trunk_group=None)) == {
        "sms_trunk": OTHER,
        "sms_trunk_group": None,
    }
    with pytest.raises(InvalidValueError, match="sms_trunk_group must be None if sms_trunk is set"):
        Did.build(ID, sms_trunk=SmsTrunk.build(ID), sms_trunk_group=SmsTrunkGroup.build(OTHER))


def test_get_has_no_body() -> None:
    """A change to `get` sends nulls; with a new body in the same call it is refused."""
    trunk = stored("http_in", url="https://hooks.example.com", http_method="put", body_type="raw", body="text")
    configuration = trunk.configuration
    assert isinstance(configuration, HttpInConfiguration)
    configuration.http_method = "get"
    assert trunk.changes["attributes"]["configuration"] == {
        "type": "http_in",
        "attributes": {"http_method": "get", "body_type": None, "body": None},
    }
    configuration.http_method = "post"
    assert trunk.changes["attributes"]["configuration"]["attributes"]["body"] is None


def test_a_body_changed_in_place_is_sent() -> None:
    """A dict can be changed like any attribute."""
    trunk = stored("http_in", http_method="post", body_type="html_multipart", body={"text": "{SMS_TEXT}"})
    configuration: Any = trunk.configuration
    configuration.body["from"] = "{SMS_SRC_ADDR}"
    sent = trunk.changes["attributes"]["configuration"]["attributes"]
    assert sent == {"body": {"text": "{SMS_TEXT}", "from": "{SMS_SRC_ADDR}"}}
    for wrong in (1, ["text"], b"text"):
        with pytest.raises(InvalidValueError, match="must be a str or a dict"):
            configuration.body = wrong


def test_secrets_are_masked() -> None:
    """Credentials, headers and query parameters are in no repr and no error."""
    smsc = SmppSmscConfiguration(host="smsc.example.com", system_id="login-1", password="secret-1"[:8])
    web = HttpInConfiguration(url="u", headers={"Authorization": "token-1"}, query_parameters={"key": "token-2"})
    out = stored("http_out", auth_name="login-2", auth_password="secret-2")
    esme = stored("smpp_esme", system_id="login-3", password="secret-3")
    shown = f"{smsc!r}{web!r}{out!r}{esme!r}"
    assert not any(secret in shown for secret in ("login-", "secret-", "token-"))
    with pytest.raises(InvalidValueError) as error:
        smsc.password = "secret-longer"
    assert "secret" not in str(error.value)
    with pytest.raises(InvalidValueError) as error:
        web.headers = "token-3"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    assert "token" not in str(error.value)


def test_types_of_later_versions_are_kept() -> None:
    """An unknown type reads as raw values, and is sent back unchanged."""
    trunk = stored("rcs", agent="a")
    assert type(trunk.configuration) is SmsTrunkConfiguration
    assert trunk.configuration.to_dict() == {"type": "rcs", "attributes": {"agent": "a"}}
    sender = SenderIdVerification.from_dict({"id": ID, "attributes": {"status": "frozen", "sender_type": "rcs"}})
    assert (sender.status, sender.status.is_known, sender.is_active, sender.sender_type) == (
        "frozen",
        False,
        False,
        "rcs",
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"configuration": HttpOutConfiguration(), "priority": 5}, "priority must be None while the type"),
        (
            {"configuration": HttpOutConfiguration(), "sms_trunk_group": SmsTrunkGroup.build(ID)},
            "sms_trunk_group must be None while the type",
        ),
        (
            {"configuration": SmsToEmailConfiguration(), "allow_any_did_as_source": True},
            "allow_any_did_as_source must be False while the type",
        ),
        (
            {"configuration": SmsToEmailConfiguration(), "outgoing_dids": [Did.build(ID)]},
            "outgoing_dids must be empty while the type",
        ),
        (
            {
                "configuration": HttpOutConfiguration(),
                "outgoing_dids": [Did.build(ID)],
                "allow_any_did_as_source": True,
            },
            "outgoing_dids must be empty while allow_any_did_as_source is True",
        ),
    ],
)
def test_fields_that_a_type_does_not_have(fields: dict[str, Any], message: str) -> None:
    """The error names the field and the type."""
    with pytest.raises(InvalidValueError, match=message):
        SmsTrunk(name="Main", **fields)._check_rules(creating=True)


@pytest.mark.parametrize(
    ("kind", "filters", "message"),
    [
        (
            "sms_in",
            {"status": "In Progress"},
            r"\['status'\] must be 'Success' or 'Failed' or 'Queued', got 'In Progress'",
        ),
        ("sms_out", {"status": "success"}, "must be 'Routing Error'"),
        ("sms_in", {"trunk_type": ["Email", "Fax"]}, "or a list of them"),
        ("sms_in", {"trunk_type": []}, "or a list of them"),
        ("sms_out", {"trunk_type": "Email"}, "no 'trunk_type' for sms_out"),
        ("sms_out", {"service_type": "otp"}, "'p2p' or 'a2p', in any case"),
        ("sms_out", {"sms_trunk.id": "Main"}, "a SmsTrunk or its id"),
        ("sms_out", {"sms_trunk.id": [ID, "Main"]}, "a SmsTrunk or its id"),
        ("sms_out", {"sender_id_verification.id": SmsTrunk.build(ID)}, "SenderIdVerification or its id"),
        ("sms_in", {"sms_id": ""}, "text that is not empty"),
        ("sms_in", {"source_address_eq": " "}, "text that is not empty"),
        ("cdr_in", {"source_country_iso": "Germany"}, "a country code of two letters"),
        ("cdr_in", {"source_number": ["1", "2"]}, "text that is not empty"),
        ("cdr_in", {"did_number": "+1 212"}, "Write '1212'"),
        ("cdr_out", {"voice_out_trunk.id": [ID]}, "a VoiceOutTrunk or its id"),
    ],
)
def test_filters_that_an_export_does_not_take(kind: str, filters: dict[str, Any], message: str) -> None:
    """The error says what the filter takes."""
    with pytest.raises(InvalidValueError, match=message):
        Export(export_type=kind, filters={**PERIOD, **filters})._to_send()  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("kind", "filters", "sent"),
    [
        ("sms_out", {"service_type": "P2p"}, {"service_type": "P2p"}),
        ("sms_out", {"sms_trunk.id": SmsTrunk.build(ID)}, {"sms_trunk.id": ID}),
        ("sms_in", {"sms_trunk.id": [SmsTrunk.build(ID), OTHER]}, {"sms_trunk.id": [ID, OTHER]}),
        ("sms_in", {"trunk_type": "SMPP SMSC"}, {"trunk_type": "SMPP SMSC"}),
        ("cdr_out", {"cli": "anonymous"}, {"cli": "anonymous"}),
    ],
)
def test_filters_of_an_export(kind: str, filters: dict[str, Any], sent: dict[str, Any]) -> None:
    """Records become ids; the rest is sent as it is."""
    export = Export(export_type=kind, filters={**PERIOD, **filters})  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert export._to_send()["filters"] == {**PERIOD, **sent}
