"""Test outbound trunks: three authentication methods, and credentials that DIDWW generates."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    CredentialsAndIpAuthenticationMethod,
    DidOrderItem,
    DidwwClient,
    GenericAuthenticationMethod,
    IpOnlyAuthenticationMethod,
    NotIncludedError,
    OnCliMismatchAction,
    Order,
    ReadOnlyFieldError,
    TwilioAuthenticationMethod,
    ValidationError,
    VoiceOutTrunk,
    VoiceOutTrunkRegenerateCredential,
)
from didww._jsonapi.encode import encode
from support.scripted_transport import Scripted, json_response

if TYPE_CHECKING:
    pass

SID = "AC" + 32 * "0"


def trunk(method: Any, name: str = "Outbound", **fields: Any) -> VoiceOutTrunk:
    return VoiceOutTrunk(
        name=name, on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL, authentication_method=method, **fields
    )


def by_credentials(*ips: str) -> CredentialsAndIpAuthenticationMethod:
    return CredentialsAndIpAuthenticationMethod(allowed_sip_ips=list(ips))


def test_generated_credentials_are_readable_but_masked_in_reprs(client: DidwwClient) -> None:
    """Single addresses become networks, defaults are the contract's, and updates keep the credentials."""
    made = client.voice_out_trunks().create(trunk(by_credentials("192.0.2.10", "198.51.100.0/24"))).data
    method = made.authentication_method
    assert isinstance(method, CredentialsAndIpAuthenticationMethod)
    assert method.allowed_sip_ips == ["192.0.2.10/32", "198.51.100.0/24"]
    assert method.username
    assert method.password
    for shown in (repr(made), repr(method), str(made), f"{method}", repr(client.voice_out_trunks().list())):
        assert method.password not in shown
    assert (made.status, made.meta.spent_amount) == ("active", Decimal("0.0"))
    method.allowed_sip_ips.append("203.0.113.7")
    again = client.voice_out_trunks().update(made).data.authentication_method
    assert isinstance(again, CredentialsAndIpAuthenticationMethod)
    assert again.allowed_sip_ips[-1] == "203.0.113.7/32"
    assert (again.username, again.password) == (method.username, method.password)


def test_outbound_trunk_names_are_unique(client: DidwwClient) -> None:
    """Creating and renaming are rejected; a trunk may send its own name again."""
    client.voice_out_trunks().create(trunk(by_credentials("192.0.2.10")))
    other = client.voice_out_trunks().create(trunk(by_credentials("192.0.2.10"), "Other")).data
    other.name = "Outbound"
    for call in (
        lambda: client.voice_out_trunks().create(trunk(by_credentials("192.0.2.11"))),
        lambda: client.voice_out_trunks().update(other),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.fields == {"name": ["has already been taken"]}
    other.name = "Other"
    client.voice_out_trunks().update(other)


def test_default_did_can_be_included_and_filtered(client: DidwwClient) -> None:
    """As in DIDWW's own SDKs."""
    (group,) = client.did_groups().list(page=(1, 1), include="stock_keeping_units").data
    order = client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)])).data
    client.orders().wait(order)
    did = client.dids().one()
    with_it = trunk(by_credentials("192.0.2.10"))
    with_it.on_cli_mismatch_action = OnCliMismatchAction.REPLACE_CLI
    with_it.default_did = did
    made = client.voice_out_trunks().create(with_it).data
    with pytest.raises(NotIncludedError, match="add include='default_did'"):
        _ = made.default_did
    assert client.voice_out_trunks().find(made, include="default_did").data.default_did == did
    assert client.voice_out_trunks().one(filter={"default_did.id": did}).id == made.id


def test_generated_credentials_are_never_sent() -> None:
    """Neither in a change of the method, nor when another trunk takes it over."""
    loaded = {
        "allowed_sip_ips": ["192.0.2.10/32"],
        "tech_prefix": None,
        "username": "u",
        "password": "example-password",
    }
    attributes = {"name": "a", "authentication_method": {"type": "credentials_and_ip", "attributes": loaded}}
    document = {"data": {"type": "voice_out_trunks", "id": "1", "attributes": attributes}}
    transport = Scripted(json_response(document=document))
    client = DidwwClient("key", base_url="https://api.example.com/v3", transport=transport)
    record = client.voice_out_trunks().find("1").data
    assert isinstance(record.authentication_method, CredentialsAndIpAuthenticationMethod)
    record.authentication_method.allowed_sip_ips.append("192.0.2.11")
    client.voice_out_trunks().update(record)
    client.voice_out_trunks().create(trunk(record.authentication_method, "a"))
    assert len(transport.sent) == 2
    assert b"example-password" not in encode({"sent": transport.sent})


def test_credentials_can_be_regenerated(client: DidwwClient) -> None:
    """The response has only the trunk's id; trunks of other methods have no credentials."""
    old = client.voice_out_trunks().create(trunk(by_credentials("192.0.2.10"))).data
    renewal = VoiceOutTrunkRegenerateCredential()
    renewal.voice_out_trunk = old
    done = client.voice_out_trunk_regenerate_credentials().create(renewal)
    assert (done.status_code, done.data.id) == (201, old.id)
    new = client.voice_out_trunks().find(old).data
    assert isinstance(old.authentication_method, CredentialsAndIpAuthenticationMethod)
    assert isinstance(new.authentication_method, CredentialsAndIpAuthenticationMethod)
    assert new.authentication_method.password != old.authentication_method.password
    assert new.authentication_method.username != old.authentication_method.username
    assert new.authentication_method.allowed_sip_ips == old.authentication_method.allowed_sip_ips

    renewal.voice_out_trunk = (
        client.voice_out_trunks().create(trunk(TwilioAuthenticationMethod(twilio_account_sid=SID), "T")).data
    )
    with pytest.raises(ValidationError) as caught:
        client.voice_out_trunk_regenerate_credentials().create(renewal)
    assert caught.value.fields == {"voice_out_trunk": ["is invalid"]}


def test_authentication_method_can_be_replaced(client: DidwwClient) -> None:
    """By a method of another type."""
    made = client.voice_out_trunks().create(trunk(by_credentials("192.0.2.10"))).data
    made.authentication_method = TwilioAuthenticationMethod(twilio_account_sid=SID)
    changed = client.voice_out_trunks().update(made).data.authentication_method
    assert isinstance(changed, TwilioAuthenticationMethod)
    assert changed.twilio_account_sid == SID


def test_ip_only_authentication_is_read_only() -> None:
    """Assigning it names the two valid types; a loaded one stays and allows other changes."""
    with pytest.raises(
        ReadOnlyFieldError, match=r"must be Credentials\w+ or Twilio\w+, got IpOnlyAuthenticationMethod"
    ):
        trunk(IpOnlyAuthenticationMethod())
    attributes = {
        "name": "a",
        "authentication_method": {"type": "ip_only", "attributes": {"allowed_sip_ips": ["192.0.2.10/32"]}},
    }
    document = {"data": {"type": "voice_out_trunks", "id": "1", "attributes": attributes}}
    transport = Scripted(json_response(document=document))
    record = (
        DidwwClient("key", base_url="https://api.example.com/v3", transport=transport).voice_out_trunks().find("1").data
    )
    assert isinstance(record.authentication_method, IpOnlyAuthenticationMethod)
    assert record.authentication_method.allowed_sip_ips == ["192.0.2.10/32"]
    record.name = "b"
    assert record.changes == {"attributes": {"name": "b"}}


def test_unknown_authentication_method_is_preserved() -> None:
    """It is readable by name, masked in reprs, and survives other changes."""
    there = {"type": "token", "attributes": {"token": "example-secret", "ttl": 5}}
    attributes = {"name": "a", "authentication_method": there}
    document = {"data": {"type": "voice_out_trunks", "id": "1", "attributes": attributes}}
    transport = Scripted(json_response(document=document))
    client = DidwwClient("key", base_url="https://api.example.com/v3", transport=transport)
    record: Any = client.voice_out_trunks().find("1").data
    assert type(record.authentication_method) is GenericAuthenticationMethod
    assert (record.authentication_method.type, record.authentication_method.ttl) == ("token", 5)
    assert "example-secret" not in repr(record)
    record.name = "b"
    client.voice_out_trunks().update(record)
    assert transport.sent[0]["data"]["attributes"] == {"name": "b"}
    record.authentication_method = record.authentication_method
    assert record.changes["attributes"]["authentication_method"] == there


def test_credentials_are_read_only(client: DidwwClient) -> None:
    """They cannot be set in the constructor or later."""
    method: Any = by_credentials("192.0.2.10")
    for name in ("username", "password"):
        with pytest.raises(ReadOnlyFieldError, match=f"{name} cannot be set: it is read-only"):
            setattr(method, name, "x")
    assert client.voice_out_trunks().list().total_records == 0
