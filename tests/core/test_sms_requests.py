"""Requests for text messages: what is sent, and what is refused before sending."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    ApiKey,
    BearerToken,
    Did,
    DidwwClient,
    HttpInConfiguration,
    HttpOutConfiguration,
    InvalidValueError,
    SmsToEmailConfiguration,
    SmsTrunk,
    SmsTrunkGroup,
    SmsTrunkRegenerateCredential,
    UnsupportedVersionError,
)
from support.scripted_transport import Scripted, echo

if TYPE_CHECKING:
    from collections.abc import Callable

ID, OTHER = "8d1a3c5e-0000-4000-8000-000000000001", "8d1a3c5e-0000-4000-8000-000000000002"
EMAIL = SmsToEmailConfiguration(send_to="sms@example.com", subject="s", message="m")


def connected(transport: Scripted) -> DidwwClient:
    return DidwwClient(
        credentials=BearerToken("example-token"),
        api_version="2026-11-19",
        base_url="https://api.example.com/v3",
        transport=transport,
        rate_limit=None,
    )


def sent_by(send: Callable[[DidwwClient], object]) -> Any:
    transport = Scripted(echo)
    with connected(transport) as client:
        send(client)
    return transport.sent[-1]["data"]


def test_nulls_inside_a_configuration_are_sent() -> None:
    """An update repeats the type, and sends null for members that were set to None."""
    shape = {
        "type": "http_in",
        "attributes": {"url": "u", "http_method": "post", "body_type": "raw", "body": "b", "headers": {"X": "1"}},
    }
    trunk = SmsTrunk.from_dict({"id": ID, "attributes": {"name": "Web", "configuration": shape}})
    assert isinstance(trunk.configuration, HttpInConfiguration)
    trunk.configuration.headers = None
    trunk.configuration.http_method = "get"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]
    sent = sent_by(lambda client: client.sms_trunks().update(trunk))
    assert sent["attributes"] == {
        "configuration": {
            "type": "http_in",
            "attributes": {"http_method": "get", "headers": None, "body_type": None, "body": None},
        }
    }


def test_a_new_trunk_is_sent_as_built() -> None:
    """A create request has what was passed, and no read-only member."""
    trunk = SmsTrunk(name="Out", configuration=HttpOutConfiguration(allowed_ips=None), outgoing_dids=[Did.build(ID)])
    sent = sent_by(lambda client: client.sms_trunks().create(trunk))
    assert sent == {
        "type": "sms_trunks",
        "attributes": {"name": "Out", "configuration": {"type": "http_out", "attributes": {"allowed_ips": None}}},
        "relationships": {"outgoing_dids": {"data": [{"type": "dids", "id": ID}]}},
    }


def test_routes_exclude_each_other() -> None:
    """One is sent with an id and the other as null."""
    did = Did.build(ID, sms_trunk_group=SmsTrunkGroup.build(OTHER))
    sent = sent_by(lambda client: client.dids().update(did))
    assert sent["relationships"] == {
        "sms_trunk": {"data": None},
        "sms_trunk_group": {"data": {"type": "sms_trunk_groups", "id": OTHER}},
    }


def test_required_members_are_checked_before_sending() -> None:
    """A configuration lacks its required members, a trunk its name."""
    transport = Scripted(echo)
    with connected(transport) as client:
        for trunk, missing in (
            (SmsTrunk(configuration=EMAIL), "SmsTrunk.name"),
            (SmsTrunk(name="Main"), "SmsTrunk.configuration"),
            (SmsTrunk(name="Main", configuration=HttpInConfiguration(url="u")), "http_method"),
        ):
            with pytest.raises(InvalidValueError, match=missing):
                client.sms_trunks().create(trunk)
    assert transport.requests == []


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.sms_trunks().list(),
        lambda client: client.sms_trunks().create(SmsTrunk(name="Main", configuration=EMAIL)),
        lambda client: client.sms_trunk_groups().find(ID),
        lambda client: client.sms_trunk_regenerate_credentials().create(
            SmsTrunkRegenerateCredential(sms_trunk=SmsTrunk.build(ID))
        ),
        lambda client: client.sender_id_verifications().list(),
        lambda client: client.dids().update(Did.build(ID, sms_trunk=None)),
        lambda client: client.dids().list(include="sms_trunk"),
        lambda client: client.dids().list(filter={"sms_trunk_group.id": ID}),
        lambda client: client.dids().list(fields={"dids": ["sms_trunk"]}),
    ],
)
def test_the_older_version_has_no_text_messages(call: Callable[[DidwwClient], object]) -> None:
    """Nothing is sent, and the error names the version."""
    transport = Scripted(echo)
    with (
        DidwwClient(credentials=ApiKey("example-key"), transport=transport, rate_limit=None) as client,
        pytest.raises(UnsupportedVersionError, match="2026-11-19"),
    ):
        call(client)
    assert transport.requests == []
