"""Invalid arguments raise an error of this package that names them, before anything is sent."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    AsyncDidwwClient,
    AvailableDidOrderItem,
    Balance,
    CapacityOrderItem,
    DidOrderItem,
    DidwwClient,
    Export,
    QueryParams,
    ReservationDidOrderItem,
    SipConfiguration,
    TwilioAuthenticationMethod,
    VoiceInTrunk,
    VoiceOutTrunk,
)
from didww._schema.filter_rules import filter_rules, filter_versions
from didww._schema.registry import all_classes
from didww._schema.versions import EVERY_VERSION
from didww.callback.verifier import CallbackVerifier
from didww.credentials import ApiKey, BearerToken
from didww.emulator import Emulator
from didww.enums import Codec, ExportStatus, ExportType, Feature, OrderStatus
from didww.exceptions import ApiTimeoutError, InvalidValueError, NotFoundError, NotLoadedError
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.region import Region
from didww.version import API_VERSION, API_VERSIONS
from support.scripted_transport import AsyncScripted, Scripted, echo, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
HUGE = 10**5000


def str_or_type(value: object) -> str:
    """What a test is called by: not the value, which may have no text."""
    return value if isinstance(value, str) and len(value) < 30 else type(value).__name__


def client_of(*script: Any, version: str = API_VERSION) -> tuple[Any, Scripted]:
    """A client, untyped as a beginner's program is, and what it sent."""
    transport = Scripted(*script or (json_response(document={"data": []}),))
    credentials = ApiKey("key") if version == API_VERSION else BearerToken("token")
    client = DidwwClient(
        base_url="https://api.example.com/v3",
        credentials=credentials,
        api_version=version,
        transport=transport,
        rate_limit=None,
    )
    return client, transport


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"filter": "number"}, "filter must be a dict"),
        ({"filter": ["number"]}, "filter must be a dict"),
        ({"filter": {5: "x"}}, "filter must have text as its name"),
        ({"filter": {",": "x"}}, "cannot be filtered by ','"),
        ({"filter": {"number,description": "x"}}, "cannot be filtered by 'number,description'"),
        ({"filter": {"number": HUGE}}, "number"),
        ({"filter": {"number": b"x"}}, "'number' must be text, got b'x'"),
        ({"filter": {"number": True}}, "'number' must be text, got True"),
        ({"filter": {"number": [["x"]]}}, r"'number' must be text, got \['x'\]"),
        ({"filter": {"blocked": "banana"}}, "'blocked' must be True or False, got 'banana'"),
        ({"filter": {"blocked": 1}}, "'blocked' must be True or False"),
        ({"filter": {"blocked": [True]}}, "must be a single value"),
        ({"filter": {"number": []}}, "an empty list"),
        ({"filter": {"description": "\ud800"}}, "surrogate"),
        ({"include": 5}, "include must be a name or a list of names"),
        ({"include": [5]}, "include must have text as names"),
        ({"include": b"order"}, "include must be a name"),
        ({"sort": 5}, "sort must be a name"),
        ({"fields": ["number"]}, "fields must be a dict"),
        ({"fields": {"dids": 5}}, r"fields\['dids'\] must be a name"),
        ({"fields": {5: ["number"]}}, "fields must have text as the resource type"),
        ({"fields": {"did": ["number"]}}, r"must name a resource type, got 'did'\. Did you mean 'dids'\?"),
        ({"fields": {"voice_trunks": ["name"]}}, r"Did you mean 'voice_(in|out)_trunks'\?"),
        ({"fields": {"dids": ["trunk"]}}, r"Did you mean 'voice_in_trunk'\?"),
        ({"include": "trunk"}, r"cannot include 'trunk'\. Did you mean 'voice_in_trunk'\?"),
        ({"include": "trunks"}, r"Did you mean 'voice_in_trunk'\?"),
        ({"include": "did_group.countries"}, r"did_groups cannot include 'countries'\. Did you mean 'country'\?"),
        ({"include": "qqq"}, r"cannot include 'qqq'\. Its relationships"),
        ({"params": {"number": "1"}}, r"got dict\. Pass filters as a keyword: filter=\{\.\.\.\}"),
        ({"params": "number"}, r"got str\.$"),
        ({"page": ()}, "page must be a whole number, or"),
        ({"page": (1, 2, 3)}, "page must be a whole number, or"),
        ({"page": {"number": 1}}, "page must be a whole number, or"),
        ({"page": 0}, "page: number must be a whole number from 1, got 0"),
        ({"page": HUGE}, "page: number"),
        ({"page": (1, HUGE)}, "page: size"),
        ({"page": float("nan")}, "page must be a whole number, or"),
    ],
    ids=str_or_type,
)
def test_invalid_list_argument_raises_an_error_with_its_name(arguments: dict[str, Any], words: str) -> None:
    """`list` and `iterate` raise a short `InvalidValueError` immediately; nothing is sent."""
    client, transport = client_of()
    for call in (client.dids().list, client.dids().iterate):
        with pytest.raises(InvalidValueError, match=words) as caught:
            call(**arguments)
        assert len(str(caught.value)) < 3000
    assert not transport.requests


@pytest.mark.parametrize(("name", "value"), [("a", None), ("a", 1), (5, "x"), (None, "x")])
def test_raw_parameter_must_be_text(name: Any, value: Any) -> None:
    """This applies to its name and its value."""
    with pytest.raises(InvalidValueError, match="param must have text as its"):
        QueryParams().param(name, value)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.datetimes(),
    st.lists(st.one_of(st.text(), st.integers(), st.none())),
    st.dictionaries(st.text(), st.text()),
    st.just(object()),
    st.just(HUGE),
    st.sampled_from(list(OrderStatus)),
)
FILTERS = [(cls, name) for cls in all_classes() for name, rule in filter_rules(cls).items() if rule.detour is None]


@given(filter=st.sampled_from(FILTERS), value=ODD)
def test_any_filter_value_is_sent_or_rejected(filter: tuple[type, str], value: Any) -> None:
    """For any value, the request has that filter, or `InvalidValueError` names it."""
    cls: Any = filter[0]
    versions = filter_versions(cls).get(filter[1], EVERY_VERSION)
    version = next(one for one in API_VERSIONS if cls._versions.includes(one) and versions.includes(one))
    client, transport = client_of(version=version)
    refused = ""
    try:
        getattr(client, cls._path)().list(filter={filter[1]: value})
    except InvalidValueError as error:
        refused = str(error)
    if refused:
        assert filter[1] in refused or "surrogate" in refused
    assert [f"filter%5B{filter[1]}%5D=" in request.url for request in transport.requests] == [] if refused else [True]


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("blocked", "true", "true"),
        ("blocked", False, "false"),
        ("order.id", Order.build(ID), ID),
        ("order.id", [Order.build(ID)], ID),
        ("number", 442079460000, "442079460000"),
        ("number", {"442079460000"}, "442079460000"),
        ("created_at_gteq", datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC), "2026-01-02T03:04:05.678Z"),
        ("created_at_gteq", "2026-01-02", "2026-01-02"),
    ],
)
def test_equivalent_filter_values_are_accepted(name: str, value: Any, text: str) -> None:
    """Text works for anything, a record for its id, and numbers for digits."""
    client, transport = client_of()
    accessor = client.orders() if name.startswith("created_at") else client.dids()
    accessor.list(filter={name: value})
    assert transport.requests[0].url.replace("%3A", ":").endswith(f"={text}")


@pytest.mark.parametrize("operation", ["find", "delete", "wait"])
@pytest.mark.parametrize(
    "id", [None, "", " ", 5, HUGE, "../dids", "a/b", "é", "\ud800", "x" * 100_000, b"x"], ids=str_or_type
)
def test_invalid_id_is_rejected(operation: str, id: Any) -> None:
    """Each operation that accepts an id raises a short error, and nothing is sent."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=rf"orders\(\)\.{operation} expects") as caught:
        getattr(client.orders(), operation)(id)
    assert len(str(caught.value)) < 400
    assert not transport.requests


@pytest.mark.parametrize(
    ("cls", "id", "way"),
    [
        (Country, "GB", r"countries\(\)\.one\(filter=\{'iso': 'GB'\}\)"),
        (Region, "US-CA", r"regions\(\)\.one\(filter=\{'iso': 'US-CA'\}\)"),
        (Did, "442079460000", r"dids\(\)\.one\(filter=\{'number': '442079460000'\}\)"),
    ],
)
def test_natural_key_is_rejected_as_an_id(cls: Any, id: str, way: str) -> None:
    """A country code or phone number is no id; the error names the query that finds the record."""
    client, transport = client_of()
    for call in (cls.build, getattr(client, cls._path)().find):
        with pytest.raises(InvalidValueError, match=rf"expects an id such as .*, got '{id}'\. Find it first: {way}"):
            call(id)
    assert transport.requests == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda c: c.dids().find(ID, filter={}),
            r"^dids\(\)\.find\(\) got .*'filter'.*Its arguments: resource_id, params,",
        ),
        (lambda c: c.countries().list(limit=3), r"^countries\(\)\.list\(\) got an unexpected .*'limit'"),
        (lambda c: c.dids().list(1, 2, 3), r"^dids\(\)\.list\(\) takes from 1 to 2 positional"),
        (lambda c: c.dids().delete_many(), r"^dids\(\)\."),
        (lambda c: c.download_export(), r"^DidwwClient\.download_export\(\) missing 2 .*Its arguments: url, file_path"),
    ],
)
def test_unexpected_argument_error_names_the_method(call: Any, words: str) -> None:
    """The error shows the method as the caller wrote it, not the implementing class."""
    client, _ = client_of()
    with pytest.raises((TypeError, AttributeError), match=words):
        call(client)


def test_unexpected_argument_error_names_the_async_method() -> None:
    """The asynchronous client does the same."""

    async def find() -> None:
        async with Emulator().async_client() as client:
            await client.dids().find()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] what is refused

    with pytest.raises(TypeError, match=r"^dids\(\)\.find\(\) missing 1 .*'resource_id'"):
        asyncio.run(find())


def test_type_error_inside_a_call_is_unchanged() -> None:
    """A TypeError raised by a hook keeps its message."""

    def hook(_: object) -> None:
        raise TypeError("of the hook")

    with pytest.raises(TypeError, match="of the hook"):
        Emulator().client(on_request=hook).countries().list()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.dids().iterate(limit="5"), r"limit must be a whole number from 0, got '5'\. Omit it for all"),
        (
            lambda c: c.dids().iterate(page_size=1001),
            r"page_size must be a whole number from 1 to 1000, got 1001\. Omit",
        ),
        (
            lambda c: c.dids().iterate(page=(1, 5), page_size=6),
            r"page_size must equal the size in page, 5, got 6\.",
        ),
        (lambda c: c.dids().iterate(prefetch=HUGE), r"prefetch must be a whole number from 0 to 100, got a huge int\."),
        (
            lambda c: c.with_options(timeout=0),
            r"timeout must be a number of seconds above 0, got 0\. .*didww\.NO_TIMEOUT",
        ),
        (
            lambda c: c.with_options(max_retries="2"),
            r"max_retries must be a whole number from 0 to 100, got '2'\. 0 disables",
        ),
        (
            lambda _: DidwwClient("key", rate_limit="20"),
            r"rate_limit must be a number .* or None, got '20'\. None disables rate limiting",
        ),
        (
            lambda c: c.dids().update_many([], concurrency=0),
            r"concurrency must be a whole number from 1 to 100, got 0\.",
        ),
        (lambda _: SipConfiguration(port="5060"), r"SipConfiguration\.port must be an int, got '5060'\. Write 5060\."),
        (lambda _: SipConfiguration(port="sip"), r"SipConfiguration\.port must be an int, got 'sip'\.$"),
        (lambda _: SipConfiguration(codec_ids=["OPUS"]), r"codec_ids\[0\] must be Codec, got 'OPUS'\."),
        (lambda _: DidOrderItem(qty="2"), r"qty must be an int, got '2'\. Write 2\."),
        (lambda _: Identity(phone_number=b"secret"), r"must be a str, got bytes\.$"),
        (lambda _: CallbackVerifier(secrets="abc"), r"secrets must be a list .*Pass a list: secrets=\["),
    ],
)
def test_invalid_value_error_shows_the_value_and_the_fix(call: Any, words: str) -> None:
    """The error says what is accepted, what was passed, and what to write instead."""
    client, _ = client_of()
    with pytest.raises(InvalidValueError, match=words):
        call(client)


def test_record_can_be_passed_as_id() -> None:
    """`find(record)` fetches it again; a record of another class or a new one is rejected."""
    client, transport = client_of(json_response(document={"data": {"type": "dids", "id": ID}}))
    assert client.dids().find(Did.build(ID)).data.id == ID
    assert transport.requests[0].url.endswith(f"/dids/{ID}")
    for operation in (client.dids().find, client.dids().delete, client.orders().wait):
        with pytest.raises(InvalidValueError, match=r"must be (Did|Order), got Country"):
            operation(Country.build(ID))
    with pytest.raises(InvalidValueError, match="expects the id"):
        client.dids().find(Did())


@pytest.mark.parametrize(
    ("accessor", "operation", "words"),
    [
        (
            "countries",
            "create",
            r"countries\(\) has no 'create'\. Available: list, iterate, first, one, count, find\.",
        ),
        ("balance", "list", r"balance\(\) has no 'list'\. Available: find\."),
        ("dids", "creat", r"dids\(\) has no 'creat'"),
    ],
)
def test_unsupported_operation_error_lists_the_supported_ones(accessor: str, operation: str, words: str) -> None:
    """It raises `AttributeError`, like any missing attribute."""
    client, _ = client_of()
    with pytest.raises(AttributeError, match=words):
        getattr(getattr(client, accessor)(), operation)
    assert not hasattr(getattr(client, accessor)(), operation)


DID_RECORD = Did.build(ID)


@pytest.mark.parametrize(
    ("record", "name", "words"),
    [
        (DID_RECORD, "save", r"Did has no 'save': .*client\.dids\(\)\.update\(did\)"),
        (DID_RECORD, "update", r"client\.dids\(\)\.update\(did\)"),
        (DID_RECORD, "destroy", r"client\.dids\(\)\.delete\(did\)"),
        (DID_RECORD, "reload", r"client\.dids\(\)\.find\(did\)"),
        (DID_RECORD, "create", r"has no field 'create'"),
        (VoiceInTrunk(), "save", r"client\.voice_in_trunks\(\)\.create\(voice_in_trunk\)"),
        (VoiceInTrunk.build(ID), "save", r"client\.voice_in_trunks\(\)\.update\(voice_in_trunk\)"),
        (Country.build(ID), "save", r"Country has no field 'save'\. Fields: name"),
        (Balance(), "refresh", r"client\.balance\(\)\.find\(\)"),
        (DID_RECORD, "trunk", r"Did has no field 'trunk'\. Did you mean 'voice_in_trunk' or 'sms_trunk'\?"),
    ],
)
def test_missing_record_method_error_names_the_client_call(record: Any, name: str, words: str) -> None:
    """An `AttributeError` says how the SDK does it, if the API supports it."""
    with pytest.raises(AttributeError, match=words):
        getattr(record, name)()
    assert not hasattr(record, name)


@pytest.mark.parametrize(
    ("accessor", "id", "words"),
    [
        (
            "available_dids",
            "442079460000",
            r"looks like a number, not an id: available_dids\(\)\.list\(filter=\{'number_contains': '442079460000'\}\)",
        ),
        ("dids", ID, r"\(GET /v3/dids/[-0-9a-f]*, request id req-1\)$"),
        ("orders", "442079460000", r"request id req-1\)$"),
    ],
)
def test_not_found_error_explains_that_a_number_is_no_id(accessor: str, id: str, words: str) -> None:
    """The text of the error says so."""
    client, _ = client_of(json_response(404, document={"errors": [{"title": "Record not found"}]}))
    with pytest.raises(NotFoundError, match=words):
        getattr(client, accessor)().find(id)


def test_async_client_in_a_sync_with_block_raises() -> None:
    """The error says what to write."""
    client: Any = AsyncDidwwClient("key", transport=AsyncScripted(json_response()))
    with pytest.raises(TypeError, match="AsyncDidwwClient must be used with 'async with', not 'with'"):
        with client:
            pass


def test_misspelled_wait_state_is_rejected() -> None:
    """Nothing is sent; a newer state unknown to the SDK can be passed explicitly."""
    client, transport = client_of(
        json_response(document={"data": {"type": "orders", "id": ID, "attributes": {"status": "new"}}})
    )
    with pytest.raises(
        InvalidValueError, match=r"until: Order\.status must be a known OrderStatus .*, got 'complete'.*'completed'"
    ):
        client.orders().wait(ID, until="complete")
    assert not transport.requests
    assert client.orders().wait(ID, until=OrderStatus("new")).data.id == ID


def test_wait_ends_at_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each poll may take the remaining time, and one second at the end, whatever the client's timeout is."""
    clock = [100.0]
    monkeypatch.setattr("didww._drivers.sync.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("didww._drivers.sync.time.sleep", lambda seconds: clock.__setitem__(0, clock[0] + seconds))
    pending = {"data": {"type": "orders", "id": ID, "attributes": {"status": "pending"}}}
    client, transport = client_of(json_response(document=pending), ApiTimeoutError("late"))
    with pytest.raises(ApiTimeoutError, match=rf"Order {ID} is still pending after 2 s.*wait again"):
        client.orders().wait(ID, timeout=2)
    assert transport.deadline <= 103
    client, transport = client_of(ApiTimeoutError("the client's own"))
    with pytest.raises(ApiTimeoutError, match="the client's own"):
        client.with_options(timeout=0.5).orders().wait(ID, timeout=2)


def test_one_accepts_a_query() -> None:
    """Keywords and `QueryParams` are checked as everywhere."""
    balance = {"data": {"type": "balances", "id": ID, "attributes": {"credit": "0.0"}}}
    client, transport = client_of(json_response(document=balance))
    found = client.balance().find(QueryParams().fields("balances", "credit")).data
    assert client.balance().find(fields={"balances": ["credit"]}).data == found
    assert {request.url.partition("?")[2] for request in transport.requests} == {"fields%5Bbalances%5D=credit"}
    with pytest.raises(NotLoadedError, match="was not requested: add 'balance'"):
        _ = found.balance
    with pytest.raises(InvalidValueError, match="creditt"):
        client.balance().find(fields={"balances": ["creditt"]})


def test_response_passed_as_record_raises_an_error_that_names_data(tmp_path: Any) -> None:
    """Every message names `.data`."""
    client, transport = client_of(json_response(document={"data": {"type": "dids", "id": ID}}))
    response = client.dids().find(ID)
    with pytest.raises(AttributeError, match=r"ApiResponse has no 'number'.*\.data"):
        _ = response.number
    record = Did.build(ID)
    for call in (
        lambda: client.dids().find(response),
        lambda: client.dids().update(response),
        lambda: client.dids().delete(response),
        lambda: client.orders().wait(response),
        lambda: client.download_export(response, tmp_path / "a"),
        lambda: setattr(record, "voice_in_trunk", response),
    ):
        with pytest.raises(InvalidValueError, match=r"\.data"):
            call()
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("accessor", "name", "value", "words"),
    [
        ("orders", "status", "complete", "Did you mean 'completed'"),
        ("orders", "status", "COMPLETED", "Did you mean 'completed'"),
        ("orders", "status", ["pending", "complete"], "Did you mean 'completed'"),
        ("orders", "status", "pending,complete", "Did you mean 'completed'"),
        ("orders", "status", "", "must be a known OrderStatus .*, got ''"),
        (
            "orders",
            "status",
            "frozen",
            r"write OrderStatus\('frozen'\)\.$",
        ),
        ("orders", "status", "x" * 100_000, "must be a known OrderStatus"),
        ("orders", "status", 5, "must be OrderStatus, got 5"),
        ("orders", "status", ExportStatus.PENDING, "must be OrderStatus, got <ExportStatus"),
        ("address_verifications", "status", "aproved", "Did you mean 'approved'"),
        ("address_verifications", "status", "pending,approved", "must be a known AddressVerificationStatus"),
        ("did_groups", "features", ["voice_in", "sms"], "Did you mean 'sms_in'"),
        ("dids", "did_group.features", "sms", "Did you mean 'sms_in'"),
        ("nanpa_prefixes", "did_group.features", "sms", "Did you mean 'sms_in'"),
        ("proof_types", "entity_type", "personal", "Did you mean 'Personal'"),
        ("did_history", "action", "asigned", "Did you mean 'assigned'"),
        ("voice_out_trunks", "on_cli_mismatch_action", "reject", "Did you mean 'reject_call'"),
        ("voice_in_trunks", "configuration.type", "sip_config", "Did you mean 'sip_configurations'"),
        ("voice_in_trunks", "configuration.type", "iax2_configurations", r"QueryParams\(\)\.param"),
        ("voice_out_trunks", "authentication_method.type", ["twilio", "iponly"], "Did you mean 'ip_only'"),
    ],
    ids=str_or_type,
)
def test_unknown_filter_value_is_rejected(accessor: str, name: str, value: Any, words: str) -> None:
    """It would match nothing; the error lists the known values and what to do."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=words) as caught:
        getattr(client, accessor)().list(filter={name: value})
    assert caught.value.field == name
    assert len(str(caught.value)) < 600
    assert not transport.requests


@pytest.mark.parametrize(
    ("accessor", "arguments"),
    [
        ("orders", {"filter": {"status": "completed"}}),
        ("orders", {"filter": {"status": ["pending", OrderStatus.COMPLETED]}}),
        ("orders", {"filter": {"status": "pending,completed"}}),
        ("orders", {"filter": {"status": OrderStatus("frozen")}}),
        ("orders", {"params": QueryParams().param("filter[status]", "frozen")}),
        ("did_groups", {"filter": {"features": [Feature.SMS_IN, Feature("fax")]}}),
        ("voice_in_trunks", {"filter": {"configuration.type": ["sip_configurations", "pstn_configurations"]}}),
        ("identities", {"filter": {"phone_number": None}}),
        ("dids", {"filter": {"order.reference": "ABC-123456,DEF-123456"}}),
        ("voice_in_trunks", {"filter": {"name": "anything"}}),
        ("dids", {"filter": {"order.reference": "anything"}}),
    ],
    ids=str,
)
def test_known_and_explicit_filter_values_are_sent(accessor: str, arguments: dict[str, Any]) -> None:
    """Known values are accepted in any spelling; newer ones as an explicit enum member or a raw parameter."""
    client, transport = client_of()
    getattr(client, accessor)().list(**arguments)
    assert len(transport.requests) == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: SipConfiguration(codec_ids=["PCMU"]),
            r"codec_ids\[0\] must be Codec, got 'PCMU'\. Did you mean Codec\.PCMU\?",
        ),
        (lambda: SipConfiguration(codec_ids=["pcm_u"]), r"Did you mean Codec\.PCMU\?"),
        (lambda: SipConfiguration(codec_ids=["9"]), r"Did you mean Codec\.PCMU\?"),
        (lambda: SipConfiguration(transport_protocol_id="tls"), r"Did you mean TransportProtocol\.TLS\?"),
        (lambda: VoiceInTrunk(cli_format="E.164"), r"Did you mean 'e164'\?.*write CliFormat\('E\.164'\)"),
    ],
)
def test_member_name_as_value_suggests_the_member(make: Any, words: str) -> None:
    """The error suggests the member for numeric enums, and the value for text enums."""
    with pytest.raises(InvalidValueError, match=words):
        make()


def test_error_suggestions_are_valid() -> None:
    """`build` is suggested only for what looks like an id, and a known value for another case of it."""
    with pytest.raises(InvalidValueError, match=rf"Use Country\.build\('{ID}'\)"):
        Identity(country=ID)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValueError, match=r"Find it first"):
        Identity(country="DE")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidValueError, match=r"Did you mean 'personal'\?"):
        Identity(identity_type="PERSONAL")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("item", "missing"),
    [
        (DidOrderItem(), ["sku_id"]),
        (DidOrderItem(qty=1), ["sku_id"]),
        (AvailableDidOrderItem(), ["sku_id", "available_did_id"]),
        (AvailableDidOrderItem(sku_id=ID), ["available_did_id"]),
        (AvailableDidOrderItem(available_did_id=ID), ["sku_id"]),
        (ReservationDidOrderItem(sku_id=ID), ["did_reservation_id"]),
        (ReservationDidOrderItem(did_reservation_id=ID), ["sku_id"]),
    ],
    ids=repr,
)
def test_missing_item_field_error_has_the_item_index(item: Any, missing: list[str]) -> None:
    """It is raised before anything is sent, in an order whose other items are complete."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError) as caught:
        client.orders().create(Order(items=[DidOrderItem(sku_id=ID, qty=1), item]))
    places = [f"Order.items[1].{name}" for name in missing]
    assert (
        str(caught.value)
        == f"orders().create needs {' and '.join(places)}; set {'it' if len(places) == 1 else 'them'} first."
    )
    assert caught.value.field == places[0]
    assert not transport.requests


@pytest.mark.parametrize(
    "item",
    [
        DidOrderItem(sku_id=ID),
        DidOrderItem(sku_id=ID, qty=1000),
        DidOrderItem(sku_id=ID, nanpa_prefix_id=ID),
        DidOrderItem(sku_id=ID, qty=1, nanpa_prefix_id=ID, billing_cycles_count=0),
        AvailableDidOrderItem(sku_id=ID, available_did_id=ID, billing_cycles_count=3),
        ReservationDidOrderItem(sku_id=ID, did_reservation_id=ID),
        CapacityOrderItem(capacity_pool_id=ID),
        CapacityOrderItem(capacity_pool_id=ID, qty=10_000),
    ],
    ids=repr,
)
def test_every_order_item_type_is_sent(item: Any) -> None:
    """Each variant is sent with its required fields only, and with all optional ones."""
    client, transport = client_of(echo)
    client.orders().create(Order(items=[item]))
    assert len(transport.requests) == 1


def test_missing_nested_field_error_has_its_path() -> None:
    """The path is like that of a list item, without an index."""
    client, _ = client_of()
    trunk = VoiceOutTrunk(name="Outbound", authentication_method=TwilioAuthenticationMethod())
    with pytest.raises(InvalidValueError) as caught:
        client.voice_out_trunks().create(trunk)
    assert "VoiceOutTrunk.authentication_method.twilio_account_sid" in str(caught.value)


START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
PERIOD: dict[str, Any] = {"from": START, "to": END}


@pytest.mark.parametrize(
    ("type_", "filters", "key", "words"),
    [
        (
            "cdr_in",
            {**PERIOD, "form": START},
            "form",
            r"no 'form' for cdr_in\. Did you mean 'from'\? It takes: from, to,",
        ),
        ("cdr_in", {**PERIOD, "number": "1"}, "number", r"Did you mean 'did_number'"),
        ("cdr_in", {**PERIOD, "voice_out_trunk.id": ID}, "voice_out_trunk.id", "It takes: from, to, did_number."),
        (
            "cdr_out",
            {**PERIOD, "voice_out_trunk_id": ID},
            "voice_out_trunk_id",
            r"Did you mean 'voice_out_trunk\.id'\?",
        ),
        ("cdr_out", {**PERIOD, "did_number": "1"}, "did_number", "It takes: from, to, voice_out_trunk.id."),
        ("cdr_in", {}, "from", "must be a datetime with a time zone, got None"),
        ("cdr_in", {"from": START}, "to", "must be a datetime with a time zone, got None"),
        ("cdr_in", {**PERIOD, "to": None}, "to", "must be a datetime with a time zone, got None"),
        ("cdr_in", {**PERIOD, "from": 2026}, "from", "must be a datetime with a time zone, or text in UTC such as"),
        ("cdr_in", {"from": END, "to": START}, "from", "must be before 'to'"),
        ("cdr_in", {"from": START, "to": START}, "from", "must be before 'to'"),
        ("cdr_in", {"from": "2026-04-01 00:00:00", "to": START}, "from", "must be before 'to'"),
        ("sms_in", {"from": "2026-04-01T00:00:00Z", "to": "2026-03-01 00:00:00"}, "from", "must be before 'to'"),
        ("cdr_in", {**PERIOD, "from": date(2026, 3, 1)}, "from", r"got a date.*datetime\(2026, 3, 1, tzinfo="),
        ("cdr_in", {**PERIOD, "to": date(2026, 3, 31)}, "to", r"got a date.*datetime\(2026, 3, 31, tzinfo="),
    ],
)
def test_invalid_export_filters_are_rejected(type_: str, filters: Any, key: str, words: str) -> None:
    """Misspelled, mistyped, missing and reversed filters raise before anything is sent."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=words) as caught:
        client.exports().create(Export(export_type=ExportType(type_), filters=filters))
    assert caught.value.field == f"Export.filters[{key!r}]"
    assert not transport.requests


@pytest.mark.parametrize(
    ("type_", "filters"),
    [
        ("cdr_in", PERIOD),
        ("cdr_in", {**PERIOD, "did_number": "442079460000"}),
        ("cdr_out", {**PERIOD, "voice_out_trunk.id": ID}),
        ("cdr_out", {**PERIOD, "voice_out_trunk.id": UUID(ID)}),
        ("cdr_out", {**PERIOD, "voice_out_trunk.id": VoiceOutTrunk.build(ID)}),
        ("cdr_in", {"from": START, "to": START + timedelta(seconds=1)}),
        ("cdr_in", {"from": START.astimezone(timezone(timedelta(hours=5))), "to": "2026-03-01 00:00:01"}),
        ("fax_in", {**PERIOD, "sms_trunk.id": ID}),
    ],
)
def test_export_filters_are_sent(type_: str, filters: Any) -> None:
    """This covers all filters of the contract, and any filter for an export type newer than this SDK."""
    client, transport = client_of(json_response(document={"data": {"type": "exports", "id": ID}}, status=201))
    client.exports().create(Export(export_type=ExportType(type_), filters=filters))
    (sent,) = transport.sent
    assert set(sent["data"]["attributes"]["filters"]) == set(filters)
    assert sent["data"]["attributes"]["filters"].get("voice_out_trunk.id", ID) == ID


@pytest.mark.parametrize(
    ("type_", "name", "value", "words"),
    [
        (
            "cdr_out",
            "voice_out_trunk.id",
            "Main",
            r"or its id such as .*, got 'Main'\. Find it first: voice_out_trunks\(\)",
        ),
        ("cdr_out", "voice_out_trunk.id", VoiceInTrunk.build(ID), r"must be VoiceOutTrunk or its id, got VoiceInTrunk"),
        ("cdr_out", "voice_out_trunk.id", VoiceOutTrunk(), r"must be an existing record, got one without an id"),
        ("cdr_out", "voice_out_trunk.id", None, r"or its id such as .*, got None"),
        ("cdr_in", "did_number", "+442079460000", r"must be digits only, .*Write '442079460000'"),
        ("cdr_in", "did_number", 442079460000, r"must be digits only, .*Write '442079460000'"),
        ("cdr_in", "did_number", ["442079460000"], r"must be digits only, got \['442079460000'\]"),
    ],
)
def test_export_filters_that_match_nothing_are_rejected(type_: str, name: str, value: Any, words: str) -> None:
    """A trunk name or a number with a plus sign would create an empty export."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=words) as caught:
        client.exports().create(Export(export_type=ExportType(type_), filters=cast("Any", {**PERIOD, name: value})))
    assert caught.value.field == f"Export.filters[{name!r}]"
    assert transport.requests == []


def test_export_filters_changed_in_place_are_checked() -> None:
    """They are checked like assigned ones."""
    client, transport = client_of()
    export = Export(export_type=ExportType.CDR_IN, filters=PERIOD)
    export.filters["form"] = export.filters.pop("from")
    with pytest.raises(InvalidValueError, match="Did you mean 'from'"):
        client.exports().create(export)
    assert not transport.requests


@pytest.mark.parametrize(
    ("resource", "filter", "words"),
    [
        ("dids", {"number": "+442079460000"}, r"must be digits only, got '\+442079460000'\. Write '442079460000'\."),
        ("dids", {"number": ["442079460000", "020 7946"]}, r"got '020 7946'\. Write '0207946'\."),
        ("dids", {"number": "442079460000,+1"}, r"got '\+1'\. Write '1'\."),
        ("did_history", {"did_number": "+12025550100"}, r"Write '12025550100'\."),
        ("available_dids", {"number_contains": "abc"}, r"must be digits only, got 'abc'\. To send it unchecked"),
        ("dids", {"country.id": "GB"}, r"got 'GB'\. Find it first: countries\(\)\.one\(filter=\{'iso': 'GB'\}\)\."),
        ("did_groups", {"city.id": ["London"]}, r"Find it first: cities\(\)\.one\(filter=\{'name': 'London'\}\)\."),
        ("dids", {"id": "442079460000"}, r"Filter by 'number' instead: \{'number': '442079460000'\}\."),
        (
            "voice_out_trunks",
            {"default_did.id": "442079460000"},
            r"dids\(\)\.one\(filter=\{'number': '442079460000'\}\)",
        ),
        ("orders", {"id": 5}, r"'id' must be an id such as .*, got '5'\."),
        (
            "dids",
            {"order.id": f"{ID},1"},
            r"got '1'\. To send it unchecked: QueryParams\(\)\.param\('filter\[order\.id\]'",
        ),
        ("dids", {"order.id": Did.build(ID)}, r"'order\.id' must be Order or its id, got Did\."),
        ("dids", {"order.id": Order()}, r"must be an existing record, got one without an id\."),
        ("identities", {"phone_number": "+442079460000"}, r"Write '442079460000'\."),
        ("identities", {"phone_number_contains": "+44"}, r"Write '44'\."),
        ("countries", {"prefix": "+44"}, r"Write '44'\."),
        ("did_groups", {"prefix": "+4420"}, r"got '\+4420'\. The prefix of a DID group has no country code: London is"),
        ("did_groups", {"prefix": "20-7"}, r"Write '207'\. The prefix"),
        ("did_groups", {"nanpa_prefix.npanxx": "+1212555"}, r"1 to 6 digits, .*Write '212555'\."),
        ("nanpa_prefixes", {"npanxx": "1 (212) 555-0100"}, r"Write '212555'\."),
        ("nanpa_prefixes", {"npanxx": "+1212555"}, r"Write '212555'\."),
        ("nanpa_prefixes", {"npa": "+1212"}, r"Write '212'\."),
        ("nanpa_prefixes", {"nxx": "55x"}, r"got '55x'\. To send it unchecked"),
        ("countries", {"iso": "gb"}, r"two capital letters, such as 'GB', got 'gb'\. Write 'GB'\."),
        ("countries", {"iso": "GB,us"}, r"got 'us'\. Write 'US'\."),
        ("countries", {"iso": ["GBR"]}, r"got 'GBR'\. To send it unchecked"),
        ("regions", {"iso": "us-ca"}, r"such as 'US-CA', got 'us-ca'\. Write 'US-CA'\."),
        ("regions", {"iso": "CA"}, r"that includes the country code, such as 'US-CA', got 'CA'\."),
        (
            "did_groups",
            {"country.id": None},
            r"'country\.id' must have a value, got None: it cannot match did_groups without",
        ),
        ("did_groups", {"country.id": ""}, r"'country\.id' must have a value, got ''"),
        ("voice_in_trunks", {"name": None}, r"'name' must have a value, got None"),
        ("countries", {"iso": None}, r"Omit the filter for all records\."),
        ("dids", {"number": None}, r"'number' must have a value"),
        ("dids", {"blocked": None}, r"'blocked' must have a value"),
        ("did_history", {"created_at_gteq": date(2026, 3, 1)}, r"Write the start of the day: datetime\(2026, 3, 1, tz"),
    ],
)
def test_filter_that_can_match_nothing_is_rejected(resource: str, filter: dict[str, Any], words: str) -> None:
    """Numbers are digits and ids are UUIDs: the service would return an empty list; the error says what to write."""
    client, transport = client_of()
    for query in ({"filter": filter}, {"params": QueryParams().filter(*next(iter(filter.items())))}):
        with pytest.raises(InvalidValueError, match=words):
            getattr(client, resource)().list(**query)
    assert transport.requests == []


@pytest.mark.parametrize(
    ("resource", "name", "ways"),
    [
        ("voice_in_trunks", "name", "id or external_reference_id"),
        ("shared_capacity_groups", "name", "id or external_reference_id"),
        ("cities", "name", "id"),
        ("did_groups", "area_name", "id"),
        ("supporting_document_templates", "name", "id or name_contains"),
    ],
)
@pytest.mark.parametrize("value", ["A, B", ["A, B"], ["C", "A, B"]], ids=str)
def test_comma_in_a_free_text_filter_is_rejected(resource: str, name: str, ways: str, value: Any) -> None:
    """The service would read it as two values and return the record of another name."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=r"must be text without a comma, got 'A, B'") as caught:
        getattr(client, resource)().one(filter={name: value})
    assert ("pass a list: ['A', 'B']" in str(caught.value)) is isinstance(value, str)
    assert f"To find a record whose {name} contains a comma, filter by {ways}." in str(caught.value)
    assert caught.value.field == name
    assert transport.requests == []


def test_comma_filter_never_returns_another_record() -> None:
    """A trunk named like the first part of the text is not returned."""
    client = Emulator().client()
    for name in ("A", "A, B"):
        configuration = SipConfiguration(host="sip.example.com", codec_ids=[Codec.PCMU])
        client.voice_in_trunks().create(VoiceInTrunk(name=name, configuration=configuration))
    with pytest.raises(InvalidValueError):
        client.voice_in_trunks().one(filter={"name": "A, B"})
    unchecked = client.voice_in_trunks().list(QueryParams().param("filter[name]", "A, B")).data
    assert [trunk.name for trunk in unchecked] == ["A"]


@pytest.mark.parametrize(
    ("resource", "filter"),
    [
        ("countries", {"iso": "GB,US"}),
        ("dids", {"number": "442079460000,442079460001"}),
        ("dids", {"order.id": f"{ID},{ID}"}),
        ("did_groups", {"features": "voice_in,t38"}),
        ("did_groups", {"prefix": "20,161"}),
        ("identities", {"company_name": "Example, Inc."}),
        ("voice_out_trunks", {"name": "Main, NY"}),
    ],
)
def test_unambiguous_comma_is_sent(resource: str, filter: dict[str, Any]) -> None:
    """It may separate values without commas, or be part of a single-value filter."""
    client, transport = client_of()
    getattr(client, resource)().list(filter=filter)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("resource", ["regions", "countries", "pops", "public_keys", "available_dids"])
def test_page_of_an_unpaginated_list_is_rejected(resource: str) -> None:
    """Each page would hold everything again, and a loop over pages would never end."""
    client, transport = client_of()
    for page in (2, (3, 10)):
        with pytest.raises(
            InvalidValueError, match=rf"page must be 1, got {page if page == 2 else 3}: {resource} is not paginated"
        ):
            getattr(client, resource)().list(page=page)
    assert transport.requests == []
    getattr(client, resource)().list(page=(1, 10))
    assert len(transport.requests) == 1


def test_naive_datetime_error_names_the_filter() -> None:
    """`field` of the error is the plain filter name, as for other filters."""
    client, _ = client_of()
    with pytest.raises(InvalidValueError, match=r"got datetime\.datetime\(2026, 1, 1, 0, 0\)\. Add tzinfo") as caught:
        client.orders().list(filter={"created_at_gteq": datetime(2026, 1, 1)})
    assert caught.value.field == "created_at_gteq"


def test_id_is_accepted_among_the_fields() -> None:
    """Every record has it, so requesting only the id requests no other field."""
    client, transport = client_of()
    client.dids().list(fields={"dids": ["id", "number"]})
    assert transport.requests[0].url.endswith("?fields%5Bdids%5D=id,number")


@pytest.mark.parametrize("value", [ID, ID.upper(), UUID(ID), Country.build(ID), [UUID(ID)], [Country.build(ID)]])
def test_id_filter_accepts_any_form_of_id(value: Any) -> None:
    """It accepts text in either case, a UUID, the record, or a list of these."""
    client, transport = client_of()
    client.regions().list(filter={"country.id": value})
    assert transport.requests[0].url.lower().endswith(f"?filter%5bcountry.id%5d={ID}")


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2026-03-01 00:00:00", "2026-03-01 00:00:00"),
        ("2026-03-01T00:00:00", "2026-03-01T00:00:00"),
        ("2026-03-01 00:00", "2026-03-01 00:00:00"),
        ("2026-03-01T02:00:00+02:00", "2026-03-01 00:00:00"),
        ("2026-03-01T00:00:00Z", "2026-03-01 00:00:00"),
    ],
)
def test_export_datetimes_are_sent_in_the_service_format(text: str, sent: str) -> None:
    """Other formats are converted; the zone defaults to UTC."""
    client, transport = client_of(json_response(document={"data": {"type": "exports", "id": ID}}, status=201))
    filters: Any = {"from": text, "to": "2026-03-02 00:00:00"}
    client.exports().create(Export(export_type=ExportType.CDR_IN, filters=filters))
    assert transport.sent[0]["data"]["attributes"]["filters"]["from"] == sent


def test_untrusted_id_cannot_change_the_path() -> None:
    """An id from cached JSON becomes one path segment or is rejected."""
    client, transport = client_of(json_response(document={"data": {"type": "dids", "id": ID}}))
    did = Did.from_dict({"id": "a/../../orders", "attributes": {}})
    did.description = "x"
    for call in (lambda: client.dids().update(did), lambda: client.dids().delete(did), lambda: client.dids().find(did)):
        with pytest.raises(InvalidValueError, match="expects an id such as"):
            call()
    assert not transport.requests
