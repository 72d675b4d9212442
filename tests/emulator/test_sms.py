"""Test text messages: SMS trunks, their groups and credentials, routes of DIDs, and sender IDs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    Did,
    HttpInConfiguration,
    HttpOutConfiguration,
    InvalidValueError,
    NotFoundError,
    ReadOnlyFieldError,
    SmppEsmeConfiguration,
    SmppSmscConfiguration,
    SmsToEmailConfiguration,
    SmsTrunk,
    SmsTrunkConfiguration,
    SmsTrunkGroup,
    SmsTrunkRegenerateCredential,
    ValidationError,
)
from support.api_caller import Caller, document
from support.token_caller import TokenCaller

if TYPE_CHECKING:
    from collections.abc import Callable

    from didww import DidwwClient
    from didww.emulator import Emulator

VERSION = "2026-11-19"
NOWHERE = "8d1a3c5e-0000-4000-8000-000000000001"
EMAIL = SmsToEmailConfiguration(send_to="sms@example.com", subject="From {SMS_SRC_ADDR}", message="{SMS_TEXT}")
HTTP_OUT = HttpOutConfiguration(callback_url="https://hooks.example.com/sms", allowed_ips=["192.0.2.10"])
ESME = SmppEsmeConfiguration(server_location="fra", allowed_ips=["192.0.2.0/24"])
SMSC = SmppSmscConfiguration(host="smsc.example.com", system_id="didww", password="secret8", server_location="nyc")


def http_in(**fields: Any) -> HttpInConfiguration:
    whole = {"url": "https://hooks.example.com/sms", "http_method": "post", "body_type": "json", "body": "{}", **fields}
    return HttpInConfiguration(**whole)


@pytest.fixture
def client(emulator: Emulator) -> DidwwClient:
    """Return a client of the version with text messages."""
    return emulator.client(api_version=VERSION)


@pytest.fixture
def caller(emulator: Emulator) -> TokenCaller:
    """Return a caller that the client's checks do not hold back."""
    return TokenCaller(emulator.engine, emulator.key)


@pytest.fixture
def create(client: DidwwClient) -> Callable[..., SmsTrunk]:
    """Return a function that creates a trunk."""

    def make(name: str, configuration: SmsTrunkConfiguration, **fields: Any) -> SmsTrunk:
        trunk = SmsTrunk(name=name, configuration=configuration, **fields)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        return client.sms_trunks().create(trunk).data

    return make


@pytest.fixture
def dids(emulator: Emulator) -> list[Did]:
    """Return two DIDs of the account."""
    numbers = [{"number": "442079460001"}, {"number": "442079460002"}]
    return [Did.build(id) for id in emulator.state.seed({"dids": numbers})["dids"]]


def trunk_body(type: str, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    relationships = more.pop("relationships", None)
    configuration = {"type": type, "attributes": attributes}
    whole = {"name": "New", "configuration": configuration, **more}
    return document("sms_trunks", relationships=relationships, **whole)


# Trunks


@pytest.mark.parametrize(
    ("configuration", "incoming", "outgoing", "priority"),
    [
        (EMAIL, True, False, 100),
        (http_in(), True, False, 100),
        (HTTP_OUT, False, True, None),
        (ESME, True, True, 100),
        (SMSC, True, True, 100),
    ],
    ids=lambda value: value.type if isinstance(value, SmsTrunkConfiguration) else None,
)
def test_the_type_determines_the_directions_and_the_priority(
    configuration: SmsTrunkConfiguration,
    incoming: bool,
    outgoing: bool,
    priority: int | None,
    create: Callable[..., SmsTrunk],
    client: DidwwClient,
) -> None:
    """Each type is created as sent, with the service's defaults, and found by its type."""
    trunk = create("Main", configuration)
    assert type(trunk.configuration) is type(configuration)
    sent = configuration.to_dict()["attributes"]
    assert {name: trunk.configuration.to_dict()["attributes"][name] for name in sent} == sent
    assert (trunk.allow_in, trunk.allow_out, trunk.priority) == (incoming, outgoing, priority)
    assert (trunk.blocked, trunk.allow_any_did_as_source) == (False, False)
    assert trunk.updated_at == trunk.created_at
    assert client.sms_trunks().one(filter={"configuration.type": configuration.type}) == trunk


def test_meta_host_is_a_url_of_http_trunks_only(create: Callable[..., SmsTrunk]) -> None:
    """Messages are submitted to `meta.host`; other types have no `meta`."""
    assert (create("Out", HTTP_OUT).meta.host or "").startswith("https://")
    both = create("Both", ESME)
    assert (dict(both.meta), both.meta.host) == ({}, None)


def test_names_are_unique_over_trunks_and_groups(client: DidwwClient, create: Callable[..., SmsTrunk]) -> None:
    """A name of a trunk is taken for groups, and the reverse."""
    trunk = create("Main", EMAIL)
    client.sms_trunk_groups().create(SmsTrunkGroup(name="Group"))
    for name in ("Main", "Group"):
        with pytest.raises(ValidationError, match="has already been taken"):
            create(name, EMAIL)
        with pytest.raises(ValidationError, match="has already been taken"):
            client.sms_trunk_groups().create(SmsTrunkGroup(name=name))
    trunk.name = "Group"
    with pytest.raises(ValidationError, match="has already been taken"):
        client.sms_trunks().update(trunk)
    assert client.sms_trunks().count(filter={"name": ["Main", "Other"]}) == 1


def test_updates_merge_the_configuration(client: DidwwClient, create: Callable[..., SmsTrunk]) -> None:
    """Only changed members are sent; the others stay."""
    trunk = create("Main", http_in(headers={"X-Token": "t"}, follow_redirect=True))
    configuration = trunk.configuration
    assert isinstance(configuration, HttpInConfiguration)
    configuration.url = "https://other.example.com"
    sent = {"type": "http_in", "attributes": {"url": "https://other.example.com"}}
    assert trunk.changes == {"attributes": {"configuration": sent}}
    updated = client.sms_trunks().update(trunk).data.configuration
    assert isinstance(updated, HttpInConfiguration)
    assert (updated.url, updated.headers, updated.follow_redirect) == (
        "https://other.example.com",
        {"X-Token": "t"},
        True,
    )


def test_a_change_to_get_sends_nulls(client: DidwwClient, create: Callable[..., SmsTrunk], caller: Caller) -> None:
    """`http_method = "get"` sets the body and its type to null in the same update; without them it is refused."""
    trunk = create("Main", http_in())
    only = {"type": "http_in", "attributes": {"http_method": "get"}}
    refused = caller.send("PATCH", f"/sms_trunks/{trunk.id}", document("sms_trunks", trunk.id, configuration=only))
    assert refused.status == 422
    assert isinstance(trunk.configuration, HttpInConfiguration)
    trunk.configuration.http_method = "get"  # type: ignore[assignment] # pyright: ignore[reportAttributeAccessIssue] # text works, too
    sent = trunk.changes["attributes"]["configuration"]["attributes"]
    assert sent == {"http_method": "get", "body_type": None, "body": None}
    updated = client.sms_trunks().update(trunk).data.configuration
    assert isinstance(updated, HttpInConfiguration)
    assert (updated.http_method, updated.body_type, updated.body) == ("get", None, None)


@pytest.mark.parametrize(
    ("body_type", "body"),
    [
        ("json", '{"text": "{SMS_TEXT}"}'),
        ("raw", "{SMS_TEXT}"),
        ("html_multipart", {"text": "{SMS_TEXT}"}),
        ("html_url_encoded", {"text": "{SMS_TEXT}", "from": "{SMS_SRC_ADDR}"}),
    ],
)
def test_the_body_is_text_or_a_dict_by_its_type(
    body_type: str, body: str | dict[str, str], create: Callable[..., SmsTrunk]
) -> None:
    """Each kind of body is stored as sent, and the other form is refused before sending."""
    trunk = create("Main", http_in(body_type=body_type, body=body))
    assert isinstance(trunk.configuration, HttpInConfiguration)
    assert trunk.configuration.body == body
    with pytest.raises(InvalidValueError, match=r"HttpInConfiguration\.body must be (text|a dict) while body_type is"):
        create("Other", http_in(body_type=body_type, body={"text": ""} if isinstance(body, str) else "text"))


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ({"http_method": "post"}, "body_type"),
        ({"http_method": "put", "body_type": "json"}, "body"),
        ({"http_method": "get", "body_type": "raw", "body": "text"}, "body_type"),
        ({"http_method": "post", "body_type": "html_multipart", "body": "text"}, "body"),
        ({"http_method": "POST", "body_type": "raw", "body": "text"}, "http_method"),
        ({"http_method": "post", "body_type": "raw", "body": 1}, "body"),
    ],
)
def test_the_service_checks_the_body(attributes: dict[str, Any], pointer: str, caller: Caller) -> None:
    """A missing, superfluous or wrong body is a 422 on its member."""
    body = trunk_body("http_in", {"url": "https://hooks.example.com", **attributes})
    response = caller.send("POST", "/sms_trunks", body)
    assert response.status == 422
    assert f"configuration/{pointer}".encode() in response.body


def test_ports_are_equal_in_transceiver_mode(create: Callable[..., SmsTrunk], caller: Caller) -> None:
    """The default ports differ, so a transceiver needs both ports."""
    whole: dict[str, Any] = {
        "host": "smsc.example.com",
        "system_id": "didww",
        "password": "secret8",
        "server_location": "nyc",
    }
    for ports in ({}, {"tx_port": 2775}, {"tx_port": 2775, "rx_port": 2776}):
        with pytest.raises(InvalidValueError, match=r"rx_port must be equal to tx_port"):
            create("Both", SmppSmscConfiguration(**whole, **ports, transceiver_mode=True))
        body = trunk_body("smpp_smsc", {**whole, **ports, "transceiver_mode": True})
        assert caller.error("POST", "/sms_trunks", body)["source"]["pointer"].endswith("/rx_port")
    trunk = create("Both", SmppSmscConfiguration(**whole, tx_port=2775, rx_port=2775, transceiver_mode=True))
    assert isinstance(trunk.configuration, SmppSmscConfiguration)
    assert (trunk.configuration.tx_port, trunk.configuration.rx_port) == (2775, 2775)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (trunk_body("smpp_esme", {"server_location": "fra", "system_id": "mine"}), "400"),
        (trunk_body("http_out", {"auth_password": "mine"}), "400"),
        (trunk_body("http_out", {}, allow_in=True), "400"),
        (trunk_body("http_out", {}, color="red"), "400"),
        (trunk_body("sms_to_email", {"send_to": "sms@example.com", "subject": "s"}), "422"),
        (trunk_body("carrier_pigeon", {}), "422"),
        (trunk_body("http_out", {}, priority=5), "422"),
        (trunk_body("smpp_esme", {"server_location": "fra"}, priority=40000), "422"),
        (trunk_body("smpp_esme", {"server_location": "fra", "system_type": "x" * 13}), "422"),
        (trunk_body("smpp_esme", {"server_location": "fra", "allowed_ips": ["somewhere"]}), "422"),
        (trunk_body("http_out", {}, external_reference_id="x" * 101), "422"),
        (trunk_body("http_out", {}, name=" "), "422"),
        (
            trunk_body(
                "sms_to_email",
                {"send_to": "a@example.com", "subject": "s", "message": "m"},
                allow_any_did_as_source=True,
            ),
            "422",
        ),
    ],
)
def test_the_service_refuses_other_trunks(body: dict[str, Any], status: str, caller: Caller) -> None:
    """Members that cannot be written are a 400, invalid values a 422."""
    assert caller.error("POST", "/sms_trunks", body)["status"] == status


def test_a_null_priority_becomes_the_default(client: DidwwClient, create: Callable[..., SmsTrunk]) -> None:
    """A trunk that can be in a group has a priority."""
    trunk = create("Main", EMAIL, priority=None)
    assert trunk.priority == 100
    trunk.priority = 7
    assert client.sms_trunks().update(trunk).data.priority == 7
    trunk.priority = None
    assert client.sms_trunks().update(trunk).data.priority == 100


# Outgoing DIDs


def test_outgoing_dids_are_replaced(client: DidwwClient, create: Callable[..., SmsTrunk], dids: list[Did]) -> None:
    """The list is replaced as a whole; the DIDs do not prevent the deletion of the trunk."""
    trunk = create("Out", HTTP_OUT, outgoing_dids=dids)
    assert client.sms_trunks().find(trunk.id, include=["outgoing_dids"]).data.outgoing_dids == dids
    trunk.outgoing_dids = dids[:1]
    client.sms_trunks().update(trunk)
    found = client.sms_trunks().find(trunk.id, include=["outgoing_dids", "incoming_dids"]).data
    assert (found.outgoing_dids, found.incoming_dids) == (dids[:1], [])
    client.sms_trunks().delete(trunk)


def test_any_did_as_source_empties_the_outgoing_dids(
    client: DidwwClient, create: Callable[..., SmsTrunk], dids: list[Did], caller: Caller
) -> None:
    """Switching it on empties the list, which must then stay empty."""
    trunk = create("Out", ESME, outgoing_dids=dids)
    path, linkage = f"/sms_trunks/{trunk.id}", [{"type": "dids", "id": dids[0].id}]
    caller.write("PATCH", path, document("sms_trunks", trunk.id, allow_any_did_as_source=True))
    found = client.sms_trunks().find(trunk.id, include=["outgoing_dids"]).data
    assert (found.allow_any_did_as_source, found.outgoing_dids) == (True, [])
    body = document("sms_trunks", trunk.id, relationships={"outgoing_dids": linkage})
    assert caller.error("PATCH", path, body)["status"] == "422"
    with pytest.raises(InvalidValueError, match="outgoing_dids must be empty while allow_any_did_as_source is True"):
        found.outgoing_dids = dids
        client.sms_trunks().update(found)
    off = SmsTrunk.build(trunk.id, allow_any_did_as_source=False, outgoing_dids=dids)
    client.sms_trunks().update(off)
    on = SmsTrunk.build(trunk.id, allow_any_did_as_source=True)
    assert on.changes["relationships"] == {"outgoing_dids": []}
    assert client.sms_trunks().update(on, include=["outgoing_dids"]).data.outgoing_dids == []


def test_the_service_checks_outgoing_dids(emulator: Emulator, caller: Caller, dids: list[Did]) -> None:
    """Duplicates, DIDs that await registration, unknown DIDs, and types that do not send are refused."""
    one = {"type": "dids", "id": dids[0].id}
    esme = {"server_location": "fra"}
    waiting = emulator.state.seed({"dids": [{"number": "442079460003", "awaiting_registration": True}]})["dids"][0]
    for linkage in ([one, one], [one, {"type": "dids", "id": waiting}], [{"type": "dids", "id": NOWHERE}]):
        body = trunk_body("smpp_esme", esme, relationships={"outgoing_dids": linkage})
        assert caller.error("POST", "/sms_trunks", body)["source"]["pointer"] == "/data/relationships/outgoing_dids"
    email = {"send_to": "sms@example.com", "subject": "s", "message": "m"}
    body = trunk_body("sms_to_email", email, relationships={"outgoing_dids": [one]})
    assert caller.error("POST", "/sms_trunks", body)["status"] == "422"


# Groups


def test_groups_have_members_and_a_count(client: DidwwClient, create: Callable[..., SmsTrunk]) -> None:
    """Setting the members moves them from other groups; null leaves the group; [] empties it."""
    first, second = create("First", EMAIL), create("Second", ESME)
    group = client.sms_trunk_groups().create(SmsTrunkGroup(name="Main", sms_trunks=[first, second])).data
    assert group.meta.sms_trunks_count == 2
    other = client.sms_trunk_groups().create(SmsTrunkGroup(name="Other", sms_trunks=[second])).data
    found = client.sms_trunk_groups().find(group.id, include=["sms_trunks"]).data
    assert (found.sms_trunks, found.meta.sms_trunks_count) == ([first], 1)
    first.sms_trunk_group = None
    client.sms_trunks().update(first)
    other.sms_trunks = []
    assert client.sms_trunk_groups().update(other).data.meta.sms_trunks_count == 0
    assert client.sms_trunk_groups().find(group.id).data.meta.sms_trunks_count == 0


def test_http_trunks_have_no_group(client: DidwwClient, create: Callable[..., SmsTrunk], caller: Caller) -> None:
    """A trunk that only sends is refused in a group, and a group or a priority on it."""
    out = create("Out", HTTP_OUT)
    group = client.sms_trunk_groups().create(SmsTrunkGroup(name="Main")).data
    with pytest.raises(ValidationError, match="sms_trunks - is invalid"):
        client.sms_trunk_groups().create(SmsTrunkGroup(name="Other", sms_trunks=[out]))
    group.sms_trunks = [out]
    with pytest.raises(ValidationError, match="sms_trunks - is invalid"):
        client.sms_trunk_groups().update(group)
    linkage = {"type": "sms_trunk_groups", "id": group.id}
    body = document("sms_trunks", out.id, relationships={"sms_trunk_group": linkage})
    assert caller.error("PATCH", f"/sms_trunks/{out.id}", body)["status"] == "422"
    with pytest.raises(InvalidValueError, match="sms_trunk_group must be None while the type of configuration is"):
        client.sms_trunks().create(SmsTrunk(name="New", configuration=HTTP_OUT, sms_trunk_group=group))


def test_deleting_a_group_deletes_its_trunks(
    client: DidwwClient, create: Callable[..., SmsTrunk], dids: list[Did]
) -> None:
    """It is refused while a DID is routed to the group or to a member."""
    trunk = create("Main", EMAIL)
    group = client.sms_trunk_groups().create(SmsTrunkGroup(name="Group", sms_trunks=[trunk])).data
    for route in ({"sms_trunk": trunk}, {"sms_trunk_group": group}):
        client.dids().update(Did.build(dids[0].id, **route))
        with pytest.raises(ValidationError):
            client.sms_trunk_groups().delete(group)
    client.dids().update(Did.build(dids[0].id, sms_trunk_group=None))
    client.sms_trunk_groups().delete(group)
    with pytest.raises(NotFoundError):
        client.sms_trunks().find(trunk.id)


# Credentials


@pytest.mark.parametrize(
    ("configuration", "names"),
    [(HTTP_OUT, ("auth_name", "auth_password")), (ESME, ("system_id", "password"))],
    ids=["http_out", "smpp_esme"],
)
def test_generated_credentials_are_masked_and_replaced(
    configuration: SmsTrunkConfiguration,
    names: tuple[str, str],
    client: DidwwClient,
    create: Callable[..., SmsTrunk],
) -> None:
    """They are read from the trunk, kept by updates, in no repr, and never sent."""
    trunk = create("Main", configuration)
    before = [getattr(trunk.configuration, name) for name in names]
    assert all(before)
    assert not any(secret in shown for secret in before for shown in (repr(trunk), repr(client.sms_trunks().list())))
    with pytest.raises(ReadOnlyFieldError):
        setattr(trunk.configuration, names[1], "mine")
    trunk.blocked = True
    kept = client.sms_trunks().update(trunk).data
    assert [getattr(kept.configuration, name) for name in names] == before
    answer = client.sms_trunk_regenerate_credentials().create(SmsTrunkRegenerateCredential(sms_trunk=trunk)).data
    assert answer.id == trunk.id
    after = client.sms_trunks().find(trunk.id).data.configuration
    assert not {getattr(after, name) for name in names} & set(before)


def test_other_types_have_no_credentials_to_replace(
    client: DidwwClient, create: Callable[..., SmsTrunk], emulator: Emulator
) -> None:
    """A 422 for other types, and for trunks of others."""
    credentials = client.sms_trunk_regenerate_credentials()
    for trunk in (create("Main", EMAIL), create("Server", SMSC), create("In", http_in())):
        with pytest.raises(ValidationError, match="sms_trunk - is invalid"):
            credentials.create(SmsTrunkRegenerateCredential(sms_trunk=trunk))
    stranger = emulator.client("another-key", api_version=VERSION)
    foreign = stranger.sms_trunks().create(SmsTrunk(name="Main", configuration=ESME)).data
    with pytest.raises(ValidationError, match="sms_trunk - is invalid"):
        credentials.create(SmsTrunkRegenerateCredential(sms_trunk=foreign))
    with pytest.raises(NotFoundError):
        client.sms_trunks().find(foreign.id)


# Routes of DIDs


def test_a_did_has_an_sms_trunk_or_a_group(
    client: DidwwClient, create: Callable[..., SmsTrunk], dids: list[Did]
) -> None:
    """Setting one replaces the other; null clears only its own; the voice route is not touched."""
    trunk = create("Main", EMAIL)
    group = client.sms_trunk_groups().create(SmsTrunkGroup(name="Group")).data
    include = ["sms_trunk", "sms_trunk_group", "voice_in_trunk"]

    def routed(**fields: Any) -> tuple[object, object]:
        updated = client.dids().update(Did.build(dids[0].id, **fields), include=include).data  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        return updated.sms_trunk, updated.sms_trunk_group

    assert routed(sms_trunk=trunk) == (trunk, None)
    assert routed(sms_trunk_group=None) == (trunk, None)
    assert routed(sms_trunk_group=group) == (None, group)
    assert client.dids().count(filter={"sms_trunk_group.id": group}) == 1
    assert client.dids().count(filter={"sms_trunk.id": trunk.id}) == 0
    assert routed(sms_trunk=None) == (None, group)
    assert routed(sms_trunk=trunk, sms_trunk_group=None) == (trunk, None)
    assert client.sms_trunks().find(trunk.id, include=["incoming_dids"]).data.incoming_dids == [dids[0]]
    with pytest.raises(ValidationError):
        client.sms_trunks().delete(trunk)
    assert routed(sms_trunk=None) == (None, None)
    client.sms_trunks().delete(trunk)


def test_the_service_checks_the_route(create: Callable[..., SmsTrunk], caller: Caller, dids: list[Did]) -> None:
    """Both routes, a trunk that only sends, and unknown trunks are a 422."""
    trunk, out = create("Main", EMAIL), create("Out", HTTP_OUT)
    group = caller.write("POST", "/sms_trunk_groups", document("sms_trunk_groups", name="Group"), 201)["data"]["id"]
    of_group = {"type": "sms_trunk_groups", "id": group}
    for routes in (
        {"sms_trunk": {"type": "sms_trunks", "id": trunk.id}, "sms_trunk_group": of_group},
        {"sms_trunk": {"type": "sms_trunks", "id": out.id}},
        {"sms_trunk": {"type": "sms_trunks", "id": NOWHERE}},
        {"sms_trunk_group": {"type": "sms_trunk_groups", "id": NOWHERE}},
    ):
        body = document("dids", dids[0].id, relationships=routes)
        assert caller.error("PATCH", f"/dids/{dids[0].id}", body)["status"] == "422"


# Sender IDs


def test_sender_ids_are_listed_renamed_and_assigned(
    emulator: Emulator, client: DidwwClient, create: Callable[..., SmsTrunk]
) -> None:
    """The account can do no more; null removes the trunk."""
    added = emulator.sender_ids.add("Shop", sender_ids=["SHOP", "SHOP-UK"], countries=["GB"])
    trunk = create("Out", HTTP_OUT)
    sender = client.sender_id_verifications().one(filter={"status": "active"}, include=["countries", "sms_trunk"])
    assert (sender.id, sender.reference, sender.sender_ids) == (added.id, added.reference, ["SHOP", "SHOP-UK"])
    assert ([country.iso for country in sender.countries], sender.sms_trunk) == (["GB"], None)
    assert (sender.is_active, sender.sender_type, sender.reject_reasons) == (True, "alphanumeric", None)
    sender.name, sender.sms_trunk = "Web shop", trunk
    client.sender_id_verifications().update(sender)
    assert client.sender_id_verifications().count(filter={"sms_trunk.id": [trunk], "name": "Web shop"}) == 1
    found = client.sms_trunks().find(trunk.id, include=["sender_id_verifications"]).data
    assert found.sender_id_verifications == [sender]
    sender.sms_trunk = None
    assert client.sender_id_verifications().update(sender, include=["sms_trunk"]).data.sms_trunk is None
    with pytest.raises(ReadOnlyFieldError):
        sender.sender_ids = ["OTHER"]


def test_sender_ids_are_assigned_to_trunks_that_send(
    emulator: Emulator, client: DidwwClient, create: Callable[..., SmsTrunk]
) -> None:
    """Other types, a sender ID that the trunk has already, and closed verifications are a 422."""
    senders = client.sender_id_verifications()
    first = senders.find(emulator.sender_ids.add("First", sender_ids=["SHOP", "A"]).id).data
    second = senders.find(emulator.sender_ids.add("Second", sender_ids=["SHOP", "B"]).id).data
    closed = senders.find(emulator.sender_ids.add("Third", sender_ids=["C"], status="closed").id).data
    trunks = [create(configuration.type, configuration) for configuration in (ESME, SMSC, HTTP_OUT)]
    for trunk in trunks:
        first.sms_trunk = trunk
        senders.update(first)
    for wrong, sender in ((trunks[-1], second), (trunks[0], closed), (create("In", EMAIL), first)):
        sender.sms_trunk = wrong
        with pytest.raises(ValidationError, match="sms_trunk"):
            senders.update(sender)
    second.sms_trunk = trunks[0]
    senders.update(second)
    client.sms_trunks().delete(trunks[0])
    assert senders.find(second.id, include=["sms_trunk"]).data.sms_trunk is None


def test_statuses_of_sender_ids(emulator: Emulator, client: DidwwClient, create: Callable[..., SmsTrunk]) -> None:
    """Reasons belong to `changes_required`; a closed verification has no renewal and no trunk."""
    emulator.clock.freeze("2026-11-20T10:00:00Z")
    id = emulator.sender_ids.add("Shop", sender_ids=["SHOP"], status="new").id
    senders = client.sender_id_verifications()
    assert (senders.find(id).data.activated_at, senders.find(id).data.renew_date) == (None, None)
    emulator.sender_ids.set_status(id, "changes_required", reasons=["Letter is missing"], comment="See the form.")
    rejected = senders.find(id).data
    assert (rejected.reject_reasons, rejected.reject_comment) == (["Letter is missing"], "See the form.")
    emulator.sender_ids.set_status(id, "changes_required")
    assert senders.find(id).data.reject_reasons is None
    emulator.sender_ids.set_status(id, "active")
    active = senders.find(id).data
    assert (active.reject_comment, active.renew_date) == (None, "2026-12-20")
    active.sms_trunk = create("Out", HTTP_OUT)
    senders.update(active)
    emulator.sender_ids.set_status(id, "closed")
    closed = senders.find(id, include=["sms_trunk"]).data
    assert (closed.renew_date, closed.sms_trunk, closed.is_closed) == (None, None, True)
    assert closed.closed_at is not None
    with pytest.raises(ValueError, match="closed already"):
        emulator.sender_ids.set_status(id, "active")
    with pytest.raises(ValueError, match="status must be one of"):
        emulator.sender_ids.set_status(id, "frozen")
    with pytest.raises(LookupError):
        emulator.sender_ids.set_status(NOWHERE, "active")


def test_numbers_as_sender_ids(emulator: Emulator, client: DidwwClient, dids: list[Did]) -> None:
    """The sender IDs of long codes are the numbers of the DIDs."""
    added = emulator.sender_ids.add("Numbers", sender_type="long_code", dids=[did.id for did in dids])
    sender = client.sender_id_verifications().find(added.id, include=["dids"]).data
    assert sender.sender_ids == ["442079460001", "442079460002"]
    assert sender.dids == dids


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sender_ids": []}, "sender_ids"),
        ({"sender_ids": "SHOP"}, "must be a list"),
        ({"sender_ids": ["SHOP"], "sender_type": "telex"}, "sender_type"),
        ({"sender_ids": ["SHOP"], "status": "frozen"}, "status"),
        ({"sender_ids": ["SHOP"], "countries": ["XX"]}, "no country 'XX'"),
        ({"sender_ids": ["SHOP"], "trunk": NOWHERE}, "sms_trunk"),
    ],
)
def test_sender_ids_that_cannot_be_added(arguments: dict[str, Any], message: str, emulator: Emulator) -> None:
    """The message names the argument."""
    with pytest.raises(ValueError, match=message):
        emulator.sender_ids.add("Shop", **arguments)


def test_accounts_cannot_create_or_delete_sender_ids(emulator: Emulator, caller: Caller) -> None:
    """Only the name and the trunk can be written."""
    id = emulator.sender_ids.add("Shop", sender_ids=["SHOP"]).id
    path = f"/sender_id_verifications/{id}"
    assert (
        caller.error("POST", "/sender_id_verifications", document("sender_id_verifications", name="x"))["status"]
        == "405"
    )
    assert caller.error("DELETE", path)["status"] == "405"
    body = document("sender_id_verifications", id, sender_ids=["OTHER"])
    assert caller.error("PATCH", path, body)["status"] == "400"
    for query in ({"filter[name]": ""}, {"filter[status]": ""}, {"filter[sms_trunk.id]": ""}):
        assert caller.error("GET", "/sender_id_verifications", **query)["status"] == "400"


@pytest.mark.parametrize("seed", [{"sms_trunk": "http_out"}, {"sms_trunk": "smpp_esme", "sms_trunk_group": "group"}])
def test_seed_cannot_route_messages_where_no_request_can(emulator: Emulator, seed: dict[str, str]) -> None:
    """To a trunk that only sends, or to a trunk and a group."""
    client = emulator.client(api_version="2026-11-19")
    esme, out = SmppEsmeConfiguration(server_location="fra"), HttpOutConfiguration()
    ids = {
        "smpp_esme": client.sms_trunks().create(SmsTrunk(name="In", configuration=esme)).data.id,
        "http_out": client.sms_trunks().create(SmsTrunk(name="Out", configuration=out)).data.id,
        "group": client.sms_trunk_groups().create(SmsTrunkGroup(name="Group")).data.id,
    }
    did = {"number": "12125550100", **{name: ids[value] for name, value in seed.items()}}
    with pytest.raises(ValueError, match="sms_trunk"):
        emulator.state.seed({"dids": [did]})


def test_type_of_a_trunk_cannot_be_changed(emulator: Emulator) -> None:
    """Whatever the other rules of the types say."""
    client = emulator.client(api_version="2026-11-19")
    email = SmsToEmailConfiguration(send_to="sms@example.com", subject="SMS", message="{SMS_TEXT}")
    configurations = [
        email,
        HttpInConfiguration(url="https://sms.example.com/", http_method="get"),
        HttpOutConfiguration(),
        SmppEsmeConfiguration(server_location="fra"),
        SmppSmscConfiguration(host="smsc.example.com", system_id="a", password="b", server_location="fra"),
    ]
    for configuration in configurations:
        trunk = client.sms_trunks().create(SmsTrunk(name=configuration.type, configuration=configuration)).data
        for other in configurations:
            if other.type == configuration.type:
                continue
            changed = client.sms_trunks().find(trunk.id).data
            changed.configuration = other
            with pytest.raises(InvalidValueError, match=f"must be of type '{configuration.type}'"):
                client.sms_trunks().update(changed)
            attributes = {"configuration": {"type": other.type, "attributes": {}}}
            body = {"data": {"type": "sms_trunks", "id": trunk.id, "attributes": attributes}}
            with pytest.raises(ValidationError) as caught:
                client.patch(f"/sms_trunks/{trunk.id}", body)
            assert [error["source"]["pointer"] for error in caught.value.errors] == [
                "/data/attributes/configuration/type"
            ]
