"""Request validation before sending: limits, formats, None, and conflicting fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from didww import DidwwClient
from didww._util.suggest import did_you_mean
from didww.callback.verifier import CallbackVerifier
from didww.emulator.behaviors.trunks import SIP_DEFAULTS
from didww.enums import CallbackMethod, Codec, IdentityType, OnCliMismatchAction, TxDtmfFormat
from didww.exceptions import InvalidValueError
from didww.resources.address import Address
from didww.resources.address_requirement import AddressRequirement
from didww.resources.address_requirement_validation import AddressRequirementValidation
from didww.resources.address_verification import AddressVerification
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.capacity_pool import CapacityPool
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.emergency_calling_service import EmergencyCallingService
from didww.resources.emergency_verification import EmergencyVerification
from didww.resources.encrypted_file import EncryptedFile
from didww.resources.export import Export
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.capacity_order_item import CapacityOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.permanent_supporting_document import PermanentSupportingDocument
from didww.resources.proof import Proof
from didww.resources.shared_capacity_group import SharedCapacityGroup
from didww.resources.stock_keeping_unit import StockKeepingUnit
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from didww.resources.voice_out_trunk import VoiceOutTrunk
from support.scripted_transport import Scripted, echo, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
OTHER = "8d1a3c5e-0000-4000-8000-000000000002"
HOST = {"host": "sip.example.com", "codec_ids": [Codec.PCMU]}
URL = "https://hooks.example.com/didww"
SECRET = "example-password"


def client_of(*script: Any) -> tuple[DidwwClient, Scripted]:
    """A client with scripted answers, and the transport that shows what was sent."""
    transport = Scripted(*script)
    return DidwwClient("key", base_url="https://api.example.com/v3", transport=transport, rate_limit=None), transport


def some(cls: Any, count: int) -> list[Any]:
    """As many different records."""
    return [cls.build(f"8d1a3c5e-0000-4000-8000-{number:012}") for number in range(count)]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: PstnConfiguration(dst="+442079460000"),
            "PstnConfiguration.dst must be digits only, got '+442079460000'. Write '442079460000'.",
        ),
        (lambda: PstnConfiguration(dst="44 (0) 20"), "PstnConfiguration.dst must be digits only, got '44 (0) 20'."),
        (lambda: PstnConfiguration(dst="1" * 16), "PstnConfiguration.dst must have at most 15 characters, got 16."),
        (lambda: Identity(phone_number="1-202-555-0100"), "got '1-202-555-0100'. Write '12025550100'."),
        (lambda: Identity(contact_email="jane"), "must be an email address such as 'jane@example.com', got 'jane'."),
        (lambda: Address(address="x" * 201), "Address.address must have at most 200 characters, got 201."),
        (lambda: SipConfiguration(username="a b@c"), "must be text without white space or '@', got 'a b@c'."),
        (lambda: SipConfiguration(codec_ids=[Codec.PCMU, Codec.PCMU]), "must have unique items, got 9 twice."),
        (lambda: SipConfiguration(sip_timer_b=999), "SipConfiguration.sip_timer_b must be 1000 to 64000, got 999."),
        (lambda: SipConfiguration(rtp_timeout=4), "must be 5 to 600, got 4."),
        (lambda: SipConfiguration(max_transfers=9), "must be 0 to 8, got 9."),
        (lambda: SipConfiguration(sst_min_timer=0), "must be at least 1, got 0."),
        (
            lambda: SipConfiguration(allowed_rtp_ips=[f"192.0.2.{n}" for n in range(11)]),
            "must have 0 to 10 items, got 11.",
        ),
        (lambda: VoiceInTrunk(capacity_limit=0), "VoiceInTrunk.capacity_limit must be 1 to 32767, got 0."),
        (lambda: VoiceInTrunk(cli_prefix="+1 2"), "must be letters, digits, '+' and '#' only, got '+1 2'."),
        (lambda: VoiceInTrunk(ringing_timeout=33), "must be 1 to 32, got 33."),
        (lambda: VoiceInTrunkGroup(voice_in_trunks=some(VoiceInTrunk, 11)), "must have 0 to 10 items, got 11."),
        (lambda: VoiceOutTrunk(dst_prefixes=["44", "+1"]), "dst_prefixes[1] must be digits only, got '+1'. Write '1'."),
        (lambda: VoiceOutTrunk(callback_url="ftp://example.com"), "must be an HTTP or HTTPS URL with a host, got"),
        (lambda: VoiceOutTrunk(dids=some(Did, 1) * 2), "VoiceOutTrunk.dids must have unique items"),
        (lambda: VoiceOutTrunk(rtp_timeout=29), "must be 30 to 600, got 29."),
        (
            lambda: CredentialsAndIpAuthenticationMethod(tech_prefix="1*"),
            "tech_prefix must be digits and '#' only, got '1*'.",
        ),
        (
            lambda: TwilioAuthenticationMethod(twilio_account_sid="AC0"),
            "twilio_account_sid must be two letters and 32 hexadecimal digits, got 'AC0'.",
        ),
        (lambda: DidOrderItem(qty=1001), "must be 1 to 1000, got 1001."),
        (lambda: CapacityOrderItem(qty=10_001), "must be 1 to 10000, got 10001."),
        (
            lambda: Order(items=[DidOrderItem(sku_id=ID), CapacityOrderItem(capacity_pool_id=ID)]),
            (
                "Order.items must have items of one type, got did_order_items and capacity_order_items. "
                "Send one request for each type."
            ),
        ),
        (lambda: Proof(files=some(EncryptedFile, 6)), "Proof.files must have 1 to 5 items, got 6."),
        (
            lambda: Did.build(ID, address_verification=AddressVerification.build(ID)),
            (
                "Did.address_verification must be None (to detach), got AddressVerification. To attach it, create an "
                "AddressVerification with the number among its dids."
            ),
        ),
    ],
)
def test_out_of_range_value_is_rejected_when_assigned(make: Any, words: str) -> None:
    """The message names the field, the allowed values, the value, and a suggestion where there is one."""
    with pytest.raises(InvalidValueError) as caught:
        make()
    assert words in str(caught.value)


NO_CALLBACK_URLS = [
    *(
        "mailto:a@example.com",
        "javascript:alert(1)",
        "http:example.com",
        "https:/hooks.example.com/x",
        "https:",
        "http://",
    ),
    *("?a=b", "#x", "/x", "//example.com", "example.com:0", "example.com:65536", "http://example.com:99999/", "a:b:c"),
    *(
        "example.com:abc",
        "[::1",
        "http://[",
        "user@example.com",
        "example.com/\0",
        "example.com/ x",
        "ftp://example.com",
    ),
]


@pytest.mark.parametrize("url", NO_CALLBACK_URLS)
def test_callback_url_must_be_http_with_a_host(url: str) -> None:
    """Other schemes, a single slash, no host and invalid ports raise; emulator and signatures have the same rule."""
    with pytest.raises(InvalidValueError, match="must be an HTTP or HTTPS URL with a host, got"):
        VoiceOutTrunk(callback_url=url)
    with pytest.raises(InvalidValueError):
        CallbackVerifier(secrets=["secret"], public_url=url)


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8000/x", "HTTP://hooks.example.com", "https://user:pw@hooks.example.com:65535/x?y#z"),
        *("http://[::1]:80/", "[::1]:80", "hooks.example.com?a=http://example.com/", "192.0.2.1"),
    ],
)
def test_valid_callback_urls_are_accepted(url: str) -> None:
    """Without a scheme, the URL is http and starts with the host; such URLs can be signed too."""
    assert VoiceOutTrunk(callback_url=url).callback_url == url
    assert CallbackVerifier(secrets=["secret"], public_url=url)


@pytest.mark.parametrize(
    "make",
    [
        lambda: VoiceOutTrunk(callback_url="hooks.example.com/didww"),
        lambda: VoiceOutTrunk(callback_url="HTTP://hooks.example.com:8080/"),
        lambda: VoiceOutTrunk(threshold_amount=Decimal(250_000)),
        lambda: VoiceInTrunkGroup(voice_in_trunks=some(VoiceInTrunk, 10) * 2),
        lambda: SipConfiguration(username="{DID}", allowed_rtp_ips=None, port=None, codec_ids=[]),
        lambda: VoiceInTrunk(cli_prefix="", ringing_timeout=None, capacity_limit=None),
        lambda: Did.build(ID, address_verification=None, emergency_calling_service=None),
        lambda: Order(callback_url=None, callback_method=None, external_reference_id=None, items=[]),
    ],
)
def test_valid_values_are_accepted(make: Any) -> None:
    """Examples are a URL without a scheme, duplicate trunks, and lists that are filled later."""
    make()


@pytest.mark.parametrize(
    ("cls", "name", "words"),
    [
        (SharedCapacityGroup, "metered_channels_count", "must be an int, got None. Write 0 for none."),
        (SipConfiguration, "tx_dtmf_format_id", "got None. Leave it out to keep the stored value."),
        (SipConfiguration, "rtp_timeout", "got None. Leave it out to keep the stored value."),
        (
            PstnConfiguration,
            "dst",
            "got None. Set a number, or leave the field out of an update to keep the stored one.",
        ),
        (DidOrderItem, "billing_cycles_count", "must be an int, got None. Leave it out."),
        (VoiceOutTrunk, "threshold_amount", "got None. Leave it out to keep the stored value."),
        (Order, "allow_back_ordering", "got None. Leave it out for True."),
        (CapacityOrderItem, "capacity_pool_id", "got None. Set the id of the pool."),
    ],
)
def test_response_only_none_cannot_be_written(cls: Any, name: str, words: str) -> None:
    """For a field that only reads as None, the error says what to write instead."""
    kept = {"type": cls._type_name, "attributes": {name: None}, **({} if hasattr(cls, "merges") else {"id": ID})}
    assert getattr(cls.from_dict(kept), name) is None
    with pytest.raises(InvalidValueError) as caught:
        cls(**{name: None})
    assert words in str(caught.value)


def test_response_only_none_is_not_sent_back() -> None:
    """A new configuration is sent completely, except members that a request cannot carry."""
    attributes = {"host": "sip.example.com", "rtp_timeout": None, "auth_user": None, "tx_dtmf_format_id": 3}
    data = {"id": ID, "attributes": {"configuration": {"type": "sip_configurations", "attributes": attributes}}}
    loaded: Any = VoiceInTrunk.from_dict(data)
    assert loaded.configuration.tx_dtmf_format_id == 3
    trunk = VoiceInTrunk.build(OTHER, configuration=loaded.configuration)
    trunk.configuration.port = 5061
    sent = trunk.changes["attributes"]["configuration"]["attributes"]
    assert sent == {"host": "sip.example.com", "port": 5061, "auth_user": None, "tx_dtmf_format_id": 3}


def test_undocumented_dtmf_number_can_be_read_and_written() -> None:
    """Older clients number DTMF formats differently; their values are kept."""
    configuration = SipConfiguration._loaded("sip_configurations", {"tx_dtmf_format_id": 3})
    assert configuration.tx_dtmf_format_id == 3
    assert not configuration.tx_dtmf_format_id.is_known  # type: ignore[union-attr] # it is a number
    configuration.tx_dtmf_format_id = TxDtmfFormat(3)
    with pytest.raises(InvalidValueError, match=r"must be a known TxDtmfFormat \(0, 1, 2, 4\), got 3\."):
        configuration.tx_dtmf_format_id = 3  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue]


def in_trunk(**configuration: Any) -> VoiceInTrunk:
    """A new trunk to a host, with more of its configuration."""
    return VoiceInTrunk(name="a", configuration=SipConfiguration(**{**HOST, **configuration}))


def out_trunk(**fields: Any) -> VoiceOutTrunk:
    """A new outbound trunk that lacks nothing."""
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.10"])
    return VoiceOutTrunk(
        **{
            "name": "a",
            "authentication_method": method,
            "on_cli_mismatch_action": OnCliMismatchAction.REJECT_CALL,
            **fields,
        }
    )


def identity(type_: IdentityType, **fields: Any) -> Identity:
    """A new identity that lacks nothing of a person."""
    return Identity(identity_type=type_, first_name="A", last_name="B", phone_number="12025550100", **fields)


ADDRESS = Address.build(ID)
ITEM = DidOrderItem(sku_id=ID)
PERIOD = {"from": "2026-03-01 00:00:00", "to": "2026-04-01 00:00:00"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (in_trunk(host=None, enabled_sip_registration=False), "SipConfiguration.host must be set while"),
        (
            in_trunk(enabled_sip_registration=True),
            "host must be None while enabled_sip_registration is True, got 'sip.",
        ),
        (
            in_trunk(enabled_sip_registration=False, use_did_in_ruri=True),
            "use_did_in_ruri must be False while enabled_sip_registration is False, got True.",
        ),
        (in_trunk(auth_enabled=True, auth_user="u"), "auth_password must be set while auth_enabled is True, got None."),
        (
            in_trunk(auth_enabled=False, auth_password=SECRET),
            "auth_password must be None while auth_enabled is False, got ***. Leave it out, or change auth_enabled.",
        ),
        (in_trunk(sst_enabled=True, sst_min_timer=90), "sst_max_timer must be set while sst_enabled is True"),
        (
            in_trunk(sst_min_timer=90, sst_session_expires=600, sst_max_timer=500),
            "sst_session_expires must be at most sst_max_timer, which is 500, got 600.",
        ),
        (in_trunk(sst_min_timer=900, sst_max_timer=600), "sst_min_timer must be at most sst_max_timer, which is 600"),
        (
            in_trunk(dns_srv_failover_timer=9000, sip_timer_b=8000),
            "dns_srv_failover_timer must be at most sip_timer_b, which is 8000, got 9000. Lower it, or raise sip_timer_b.",
        ),
        (
            VoiceInTrunk(name="a", configuration=SipConfiguration(host="h")),
            "needs VoiceInTrunk.configuration.codec_ids",
        ),
        (VoiceInTrunk(name="a", configuration=PstnConfiguration()), "needs VoiceInTrunk.configuration.dst"),
        (
            out_trunk(on_cli_mismatch_action=OnCliMismatchAction.REPLACE_CLI),
            "VoiceOutTrunk.default_did must be set while on_cli_mismatch_action is 'replace_cli', got None.",
        ),
        (
            out_trunk(default_did=Did.build(ID)),
            "default_did must be None while on_cli_mismatch_action is 'reject_call'",
        ),
        (
            out_trunk(allow_any_did_as_cli=True, dids=some(Did, 2)),
            "VoiceOutTrunk.dids must be empty while allow_any_did_as_cli is True, got 2 items.",
        ),
        (out_trunk(emergency_enable_all=True, emergency_dids=some(Did, 1)), "emergency_dids must be empty while"),
        (
            VoiceOutTrunk(
                name="a", authentication_method=TwilioAuthenticationMethod(twilio_account_sid="AC" + 32 * "0")
            ),
            "needs VoiceOutTrunk.on_cli_mismatch_action",
        ),
        (identity(IdentityType.BUSINESS), "company_name must be set while identity_type is 'business'"),
        (
            identity(IdentityType.PERSONAL, company_name="X"),
            "company_name must be None while identity_type is 'personal'",
        ),
        (
            identity(IdentityType.BUSINESS, company_name="X", vat_id="1"),
            "Identity.country must be set while vat_id is set",
        ),
        (
            Order(items=[ITEM], callback_url=URL),
            "Order.callback_method must be set together with callback_url, got None.",
        ),
        (
            Order(items=[ITEM], callback_method=CallbackMethod.POST),
            "Order.callback_url must be set together with callback_method, got None. Set both, or neither.",
        ),
        (
            VoiceInTrunk(name="a", configuration=SipConfiguration(codec_ids=[Codec.PCMU])),
            "SipConfiguration.host must be set while enabled_sip_registration is False (its default), got None. Set it,",
        ),
        (
            in_trunk(auth_user="u", auth_password=SECRET),
            "auth_user must be None while auth_enabled is False (its default), got ***. Leave it out, or change auth_",
        ),
        (Order(items=[]), "Order.items must have at least 1 item, got 0."),
        (Order(items=[CapacityOrderItem()]), "needs Order.items[0].capacity_pool_id"),
        (
            Export(export_type="cdr_in", filters=PERIOD, callback_url=URL),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "Export.callback_method must be set together",
        ),
        (
            Export(export_type="cdr_in", filters={**PERIOD, "did_number": "+12025550100"}),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "must be digits only, got '+12025550100'. Write '12025550100'.",
        ),
        (
            Export(export_type="cdr_in", filters={**PERIOD, "year": "2026"}),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "Export.filters has no 'year' for cdr_in.",
        ),
        (AddressVerification(address=ADDRESS), "needs AddressVerification.dids"),
        (AddressVerification(address=ADDRESS, dids=[]), "AddressVerification.dids must have at least 1 item, got 0."),
        (
            EmergencyVerification(address=ADDRESS),
            "needs EmergencyVerification.dids or EmergencyVerification.emergency_calling_service",
        ),
        (
            EmergencyVerification(
                address=ADDRESS, dids=some(Did, 1), emergency_calling_service=EmergencyCallingService.build(ID)
            ),
            "emergency_calling_service must be None if dids is set",
        ),
        (
            AddressRequirementValidation(address_requirement=AddressRequirement.build(ID)),
            "needs AddressRequirementValidation.identity or AddressRequirementValidation.address",
        ),
    ],
)
def test_conflicting_fields_are_rejected(record: Any, words: str) -> None:
    """Nothing is sent; the message names the field and what to do, and masks secrets."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError) as caught:
        getattr(client, type(record)._path)().create(record)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.field.partition(".")[2]
    assert not transport.requests


@pytest.mark.parametrize(
    "record",
    [
        in_trunk(),
        in_trunk(auth_enabled=True, auth_user="u", auth_password=SECRET),
        in_trunk(sst_enabled=True, sst_min_timer=90, sst_session_expires=600, sst_max_timer=600),
        VoiceInTrunk(name="a", configuration=SipConfiguration(enabled_sip_registration=True, codec_ids=[Codec.PCMU])),
        out_trunk(on_cli_mismatch_action=OnCliMismatchAction.REPLACE_CLI, default_did=Did.build(ID)),
        identity(IdentityType.BUSINESS, company_name="X", vat_id="1", country=Country.build(ID)),
        identity(IdentityType.PERSONAL, company_name=None),
        Order(items=[ITEM, DidOrderItem(sku_id=ID, qty=2)], callback_url=URL, callback_method=CallbackMethod.GET),
        EmergencyVerification(address=ADDRESS, emergency_calling_service=EmergencyCallingService.build(ID)),
        AddressVerification(address=ADDRESS, dids=some(Did, 1)),
    ],
)
def test_compatible_fields_are_sent(record: Any) -> None:
    """Each rule has a record that satisfies it."""
    client, transport = client_of(echo)
    getattr(client, type(record)._path)().create(record)
    assert len(transport.requests) == 1


def loaded(cls: Any, **attributes: Any) -> Any:
    """A record that a response held."""
    return cls.from_dict({"id": ID, "attributes": attributes})


def test_update_is_checked_by_its_changes_and_known_fields() -> None:
    """Unknown fields may be stored, and unchanged ones are the service's responsibility."""
    client, transport = client_of(*[json_response(document={"data": {"type": "identities", "id": ID}})] * 2)
    person = loaded(Identity, identity_type="personal", company_name="From older days")
    person.description = "x"
    client.identities().update(person)
    client.identities().update(Identity.build(ID, vat_id="DE1"))
    assert len(transport.requests) == 2
    person = loaded(Identity, identity_type="personal")
    person.company_name = "X"
    with pytest.raises(
        InvalidValueError, match=r"Identity\.company_name must be None while identity_type is 'personal'"
    ):
        client.identities().update(person)


@pytest.mark.parametrize(
    ("stored", "change", "words"),
    [
        (
            {"host": None, "enabled_sip_registration": True},
            {"enabled_sip_registration": False},
            "SipConfiguration.host must be set while enabled_sip_registration is False, got None.",
        ),
        (
            {"host": "a", "auth_enabled": False},
            {"auth_user": "u", "auth_password": SECRET},
            "auth_user must be None while auth_enabled is False, got ***. Leave it out, or change auth_enabled.",
        ),
        (
            {"host": "a", "sst_max_timer": 900},
            {"sst_min_timer": 1000},
            "sst_min_timer must be at most sst_max_timer, which is 900, got 1000.",
        ),
    ],
)
@pytest.mark.parametrize("new", [True, False])
def test_changed_configuration_is_checked_with_the_stored_one(
    stored: dict[str, Any], change: dict[str, Any], words: str, *, new: bool
) -> None:
    """It is changed in place, or is a new object that the service merges with the stored one."""
    client, transport = client_of()
    trunk = loaded(VoiceInTrunk, configuration={"type": "sip_configurations", "attributes": stored})
    if new:
        trunk.configuration = SipConfiguration(**change)
    else:
        for name, value in change.items():
            setattr(trunk.configuration, name, value)
    with pytest.raises(InvalidValueError) as caught:
        client.voice_in_trunks().update(trunk)
    assert words in str(caught.value)
    assert not transport.requests


def test_stored_configuration_cannot_change_its_type() -> None:
    """The service rejects it; the error suggests another trunk."""
    client, transport = client_of()
    trunk = loaded(VoiceInTrunk, configuration={"type": "sip_configurations", "attributes": {"host": "a"}})
    trunk.configuration = PstnConfiguration(dst="12025550100")
    with pytest.raises(InvalidValueError) as caught:
        client.voice_in_trunks().update(trunk)
    assert str(caught.value) == (
        "VoiceInTrunk.configuration must be of type 'sip_configurations', which cannot be changed, got "
        "'pstn_configurations'. Create a new VoiceInTrunk instead."
    )
    assert not transport.requests


def test_changing_the_action_clears_the_default_did() -> None:
    """The service rejects the caller id of `replace_cli` with other actions, and most responses do not show it."""
    for trunk in (VoiceOutTrunk.build(ID), loaded(VoiceOutTrunk, on_cli_mismatch_action="replace_cli")):
        trunk.on_cli_mismatch_action = OnCliMismatchAction.REJECT_CALL
        assert trunk.changes == {
            "attributes": {"on_cli_mismatch_action": "reject_call"},
            "relationships": {"default_did": None},
        }
        trunk.on_cli_mismatch_action = OnCliMismatchAction.REPLACE_CLI
        trunk.default_did = Did.build(ID)
        assert trunk.changes["relationships"] == {"default_did": {"type": "dids", "id": ID}}
    new = out_trunk()
    assert "relationships" not in new.changes
    new.default_did = Did.build(ID)
    new.on_cli_mismatch_action = OnCliMismatchAction.SEND_ORIGINAL_CLI
    assert new.default_did is None


@pytest.mark.parametrize(
    ("switch", "name"), [("allow_any_did_as_cli", "dids"), ("emergency_enable_all", "emergency_dids")]
)
def test_switch_conflicts_with_stored_dids(switch: str, name: str) -> None:
    """Only the caller can decide to drop a list of DIDs; the error says how."""
    client, transport = client_of(json_response(document={"data": {"type": "voice_out_trunks", "id": ID}}))
    linked = {name: {"data": [{"type": "dids", "id": OTHER}]}}
    trunk: Any = VoiceOutTrunk.from_dict({"id": ID, "attributes": {}, "relationships": linked})
    setattr(trunk, switch, True)
    with pytest.raises(InvalidValueError) as caught:
        client.voice_out_trunks().update(trunk)
    assert str(caught.value) == (
        f"VoiceOutTrunk.{name} must be empty while {switch} is True, got 1 item. Also set it to [], or change {switch}."
    )
    assert not transport.requests
    setattr(trunk, name, [])
    client.voice_out_trunks().update(trunk)
    assert len(transport.requests) == 1


def test_required_member_loaded_as_none_counts_as_missing() -> None:
    """Some responses hold None; a request that needs the member raises before it is sent."""
    client, transport = client_of()
    method = {"type": "credentials_and_ip", "attributes": {"allowed_sip_ips": None}}
    trunk = loaded(VoiceOutTrunk, authentication_method=method)
    trunk.authentication_method.tech_prefix = "1"
    with pytest.raises(InvalidValueError, match=r"needs VoiceOutTrunk\.authentication_method\.allowed_sip_ips"):
        client.voice_out_trunks().update(trunk)
    stored = PstnConfiguration.from_dict({"type": "pstn_configurations", "attributes": {"dst": None}})
    with pytest.raises(InvalidValueError, match=r"needs VoiceInTrunk\.configuration\.dst"):
        client.voice_in_trunks().create(VoiceInTrunk(name="a", configuration=stored))
    assert not transport.requests


def test_setting_two_exclusive_routes_raises() -> None:
    """Neither of two exclusive routes is dropped silently."""
    with pytest.raises(
        InvalidValueError, match=r"voice_in_trunk_group must be None if voice_in_trunk is set\..*not both"
    ):
        Did.build(ID, voice_in_trunk=VoiceInTrunk.build(ID), voice_in_trunk_group=VoiceInTrunkGroup.build(ID))
    did = Did.build(ID, voice_in_trunk=VoiceInTrunk.build(ID), voice_in_trunk_group=None)
    assert did.changes["relationships"]["voice_in_trunk_group"] is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: VoiceOutTrunk(allowed_sip_ips=["192.0.2.1"]),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
            "It is a field of authentication_method: CredentialsAndIpAuthenticationMethod(allowed_sip_ips=...).",
        ),
        (
            lambda: VoiceInTrunk(host="a"),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
            "It is a field of configuration: SipConfiguration(host=...).",
        ),
        (
            lambda: DidOrderItem(did_reservation_id=ID),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
            "It is a field of ReservationDidOrderItem.",
        ),
        (
            lambda: SipConfiguration(transport=1),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
            "Did you mean 'transport_protocol_id'?",
        ),
        (
            lambda: SipConfiguration(auth=1),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
            "Did you mean 'auth_enabled', 'auth_user' or 'auth_password'?",
        ),
        (
            lambda: SipConfiguration(dtmf=1),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
            "Did you mean 'rx_dtmf_format_id' or 'tx_dtmf_format_id'?",
        ),
        (
            lambda: VoiceOutTrunk(media_encryption_mode="SRTP"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "Did you mean 'srtp_sdes' or 'srtp_dtls'?",
        ),
        (lambda: SipConfiguration(codec_ids=["G711"]), "Did you mean Codec.PCMU or Codec.PCMA?"),  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
        (lambda: SipConfiguration(codec_ids=["g711u"]), "Did you mean Codec.PCMU?"),  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
        (
            lambda: Identity(identity_type="company"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "Did you mean 'business'?",
        ),
        (
            lambda: Identity(identity_type=IdentityType.ANY),
            "Identity.identity_type must be 'personal' or 'business', got 'any'.",
        ),
        (
            lambda: DidOrderItem(sku_id="abc"),
            "sku_id must be the id of a record, such as 8d1a3c5e-0000-4000-8000-000000000001, got 'abc'.",
        ),
        (lambda: AvailableDidOrderItem(available_did_id="442079460000"), "available_did_id must be the id of a record"),
        (
            lambda: DidOrderItem(sku_id=StockKeepingUnit.build(ID)),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "sku_id must be a str, got StockKeepingUnit. Write stock_keeping_unit.id.",
        ),
        (
            lambda: CapacityOrderItem(capacity_pool_id=CapacityPool.build(ID)),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            "Write capacity_pool.id.",
        ),
        (
            lambda: setattr(loaded(Order), "callback_url", URL),
            "it can be set on create only. Writable fields: external_reference_id.",
        ),
        (lambda: Order(amount=1), "it is read-only. Writable fields: items, allow_back_ordering"),  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
        (
            lambda: setattr(PermanentSupportingDocument.build(ID), "files", []),
            "Writable fields: external_reference_id.",
        ),
    ],
)
def test_error_suggestion_is_what_was_meant(make: Any, words: str) -> None:
    """The message does not suggest something that is only spelled alike."""
    with pytest.raises(InvalidValueError) as caught:
        make()
    assert words in str(caught.value)


def test_error_suggests_nothing_with_another_meaning() -> None:
    """It suggests no opposite, other number or other word."""
    with pytest.raises(InvalidValueError) as caught:
        SipConfiguration(stir_shaken_mode="enabled")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert "Did you mean" not in str(caught.value)
    assert did_you_mean("g721", ["g722", "g729"]) == ""
    assert did_you_mean("allowed_sip_ips", ["allowed_rtp_ips"]) == ""


def test_rule_defaults_match_the_emulator() -> None:
    """A rule and the emulator check a new trunk the same way."""
    declared = {name: field.default for name, field in SipConfiguration._field_map.items() if field.default is not None}
    assert declared.items() <= SIP_DEFAULTS.items()
    assert declared


def test_partial_configuration_update_is_accepted() -> None:
    """The service merges it with the stored one, so a codec or a password may already exist."""
    client, transport = client_of(json_response(document={"data": {"type": "voice_in_trunks", "id": ID}}))
    client.voice_in_trunks().update(
        VoiceInTrunk.build(ID, configuration=SipConfiguration(auth_enabled=True, auth_user="u"))
    )
    assert len(transport.requests) == 1


def test_authentication_method_update_must_be_complete() -> None:
    """The service replaces it, so missing members would be lost."""
    client, transport = client_of()
    trunk = VoiceOutTrunk.build(ID, authentication_method=CredentialsAndIpAuthenticationMethod(tech_prefix="1"))
    with pytest.raises(InvalidValueError, match=r"update needs VoiceOutTrunk\.authentication_method\.allowed_sip_ips"):
        client.voice_out_trunks().update(trunk)
    assert not transport.requests


def test_disabling_authentication_clears_the_credentials() -> None:
    """The service rejects a username or password without it."""
    trunk = in_trunk(auth_enabled=True, auth_user="u", auth_password=SECRET)
    trunk.configuration.auth_enabled = False
    assert isinstance(trunk.configuration, SipConfiguration)
    assert (trunk.configuration.auth_user, trunk.configuration.auth_password) == (None, None)


def test_permanent_document_only_changes_its_reference() -> None:
    """A new document replaces the one for the same identity and template."""
    document = PermanentSupportingDocument.build(ID, external_reference_id=None)
    assert document.changes == {"attributes": {"external_reference_id": None}}
    for name in ("template", "identity", "files"):
        with pytest.raises(InvalidValueError, match="can be set on create only"):
            setattr(document, name, None)
