"""What the client sends, and how it handles the responses."""

from __future__ import annotations

import asyncio
import copy
import pickle
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from didww import ApiResponse, AsyncDidwwClient, DidwwClient, QueryParams
from didww.configuration import NO_TIMEOUT, Environment
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    AuthenticationError,
    ConflictError,
    DidwwApiError,
    DidwwClientError,
    InsufficientBalanceError,
    InvalidValueError,
    NotFoundError,
    NotIncludedError,
    NotLoadedError,
    PermissionDeniedError,
    RateLimitError,
    ReadOnlyFieldError,
    ServerError,
    UnexpectedResponseError,
    ValidationError,
    WaitError,
)
from didww.resources.address import Address
from didww.resources.address_requirement import AddressRequirement
from didww.resources.address_requirement_validation import AddressRequirementValidation
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.country import Country
from didww.resources.did import Did
from didww.resources.emergency_requirement import EmergencyRequirement
from didww.resources.emergency_requirement_validation import EmergencyRequirementValidation
from didww.resources.identity import Identity
from didww.resources.order import Order
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from support.scripted_transport import AsyncScripted, Scripted, json_response

ID = "8d1a3c5e-0000-4000-8000-000000000001"
OTHER = "8d1a3c5e-0000-4000-8000-000000000002"
KEY = "secret-key-0123456789"
BASE = "https://api.example.com/v3"
DID = {"id": ID, "type": "dids", "attributes": {"number": "442079460001", "description": None, "capacity_limit": None}}
ONE_DID = {"data": DID, "meta": {"api_version": "2026-04-16"}}


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    options.setdefault("rate_limit", None)
    client = DidwwClient(KEY, base_url=BASE, transport=transport, **options)
    client._configuration.jitter = lambda: 0.0
    return client, transport


# Requests


def test_request_has_method_url_key_and_version() -> None:
    """A GET has no content type."""
    client, transport = client_of(json_response(document=ONE_DID))
    client.dids().find(ID)
    request = transport.requests[0]
    assert (request.method, request.url, request.body) == ("GET", f"{BASE}/dids/{ID}", None)
    assert request.headers["Api-Key"] == KEY
    assert request.headers["Accept"] == "application/vnd.api+json"
    assert request.headers["X-DIDWW-API-Version"] == "2026-04-16"
    assert "Content-Type" not in request.headers


def test_keywords_and_query_params_are_combined() -> None:
    """Includes, filters, sorting, page and fields are encoded as the service expects."""
    client, transport = client_of(json_response(document={"data": []}))
    client.dids().list(
        QueryParams().filter("number", ["442079460001", "442079460002"]).include("order"),
        include=["voice_in_trunk"],
        filter={"terminated": False, "did_group.features": "voice_in"},
        sort="-created_at",
        page=(2, 10),
        fields={"dids": ["number", "order"]},
    )
    assert transport.requests[0].url == (
        f"{BASE}/dids?include=order,voice_in_trunk&filter%5Bnumber%5D=442079460001,442079460002"
        "&filter%5Bterminated%5D=false&filter%5Bdid_group.features%5D=voice_in"
        "&sort=-created_at&page%5Bnumber%5D=2&page%5Bsize%5D=10&fields%5Bdids%5D=number,order"
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.did_groups().list(filter={"area_nam": "London"}), ["area_nam", "'area_name'", "Its filters"]),
        (lambda c: c.did_groups().list(sort="area"), ["area", "area_name"]),
        (lambda c: c.dids().list(include="voice_trunk"), ["voice_trunk", "'voice_in_trunk'"]),
        (lambda c: c.dids().list(include="did_group.contry"), ["did_groups cannot include", "'country'"]),
        (lambda c: c.dids().find(ID, fields={"dids": ["numbr"]}), ["numbr", "'number'"]),
        (lambda c: c.dids().list(fields={"dix": ["number"]}), ["got 'dix'"]),
        (lambda c: c.dids().list(page=0), ["number", "from 1"]),
        (lambda c: c.dids().list(page=(1, 5000)), ["size", "1000"]),
        (lambda c: c.dids().find(""), ["id"]),
        (lambda c: c.dids().find("../orders"), ["id"]),
        (lambda c: c.dids().find("a?b=c"), ["id"]),
        (lambda c: c.dids().find(None), ["id", "None"]),
        (lambda c: c.dids().list(filter={"number": ["1,2"]}), ["digits only", "'1,2'"]),
        (lambda c: c.dids().list(filter={"order.reference": ["1,2"]}), ["comma"]),
        (lambda c: c.dids().list(filter={"description": ["1", "2"]}), ["description", "single value, got a list"]),
        (lambda c: c.dids().list(filter={"pending_removal": True}), ["cannot be filtered by 'pending_removal'"]),
        (lambda c: c.available_dids().list(sort="number"), ["cannot be sorted by 'number'"]),
        (lambda c: c.available_dids().list(filter={"number_contains": "20"}), ["at least 3 digits", "did_group.id"]),
        (
            lambda c: c.dids().list(include="did_group.country.region"),
            ["countries cannot include 'region'", "'regions'", "param('include', 'did_group.country.region')"],
        ),
        (lambda c: c.proofs().list(include="entity.contry"), ["identities and addresses cannot", "'country'"]),
        (lambda c: c.dids().list(filter={"number": 1.5}), ["got 1.5"]),
        (lambda c: c.dids().list(filter={"description": "\ud800"}), ["surrogate"]),
        (lambda c: c.dids().list("number=1"), ["QueryParams"]),
        (lambda c: c.dids().update(Did()), ["without an id", "create"]),
        (lambda c: c.dids().update(Country.build(ID)), ["must be Did", "Country"]),
        (lambda c: c.voice_in_trunks().create(VoiceInTrunk.build(ID)), ["update"]),
        (lambda c: c.voice_in_trunks().create(VoiceInTrunk()), ["VoiceInTrunk.name", "VoiceInTrunk.configuration"]),
        (lambda c: c.dids().iterate(limit=-1), ["limit"]),
    ],
)
def test_invalid_arguments_raise_before_anything_is_sent(call: Any, words: list[str]) -> None:
    """A wrong name, id or record raises an InvalidValueError that names it and says what to do."""
    client, transport = client_of(json_response(document={"data": []}))
    with pytest.raises(InvalidValueError) as caught:
        result = call(client)
        list(result)
    for word in words:
        assert word in str(caught.value)
    assert not transport.requests


def test_undeclared_parameter_can_be_sent_explicitly() -> None:
    """`QueryParams.param` is sent unchanged, for parameters that the SDK does not declare."""
    client, transport = client_of(json_response(document={"data": []}))
    client.dids().list(QueryParams().param("filter[brand_new]", "a b"))
    assert transport.requests[0].url.endswith("/dids?filter%5Bbrand_new%5D=a%20b")


# Writing


def test_update_sends_only_changes() -> None:
    """The PATCH holds the changed fields; after success, the record counts as unchanged."""
    client, transport = client_of(json_response(document=ONE_DID))
    did = client.dids().find(ID).data
    did.description = "Updated"
    did.capacity_limit = 20
    client.dids().update(did)
    client.dids().update(did)
    assert transport.requests[1].method == "PATCH"
    assert transport.requests[1].headers["Content-Type"] == "application/vnd.api+json"
    changed = {"description": "Updated", "capacity_limit": 20}
    assert transport.sent[0] == {"data": {"type": "dids", "id": ID, "attributes": changed}}
    assert transport.sent[1] == {"data": {"type": "dids", "id": ID, "attributes": {}}}


def test_failed_update_keeps_the_changes() -> None:
    """After an error the same update can be sent again."""
    client, transport = client_of(json_response(422, {"errors": []}), json_response(document=ONE_DID))
    did = Did.build(ID)
    did.description = None
    with pytest.raises(ValidationError):
        client.dids().update(did)
    client.dids().update(did)
    assert (
        transport.sent[0]
        == transport.sent[1]
        == {"data": {"type": "dids", "id": ID, "attributes": {"description": None}}}
    )


def test_assignments_during_an_update_stay_changes() -> None:
    """An assignment before the response arrives does not count as saved."""
    did = Did.build(ID)

    def meanwhile(_: Any) -> Any:
        did.description = "second"
        return json_response(document=ONE_DID)

    client, _ = client_of(meanwhile)
    did.description = "first"
    client.dids().update(did)
    assert did.changes == {"attributes": {"description": "second"}}


def test_exclusive_relationships_are_set_to_null() -> None:
    """Routing to a trunk sends the trunk group as null."""
    client, transport = client_of(json_response(document=ONE_DID))
    did = Did.build(ID)
    did.voice_in_trunk = VoiceInTrunk.build(OTHER)
    client.dids().update(did)
    assert transport.sent[0] == {
        "data": {
            "type": "dids",
            "id": ID,
            "attributes": {},
            "relationships": {
                "voice_in_trunk": {"data": {"type": "voice_in_trunks", "id": OTHER}},
                "voice_in_trunk_group": {"data": None},
            },
        }
    }


def test_delete_returns_no_data() -> None:
    """A 204 gives None, for an id and for a record."""
    client, transport = client_of(json_response(204))
    assert client.voice_in_trunks().delete(ID).data is None
    assert client.voice_in_trunks().delete(VoiceInTrunk.build(ID)).data is None
    assert [request.method for request in transport.requests] == ["DELETE", "DELETE"]


# Reading


def test_response_has_its_metadata() -> None:
    """It has data, meta, links, totals, the raw document, status, headers, request id and attempts."""
    document = {"data": [DID], "meta": {"total_records": 7, "api_version": "2026-04-16"}, "links": {"first": "f"}}
    client, _ = client_of(json_response(document=document))
    found = client.dids().list()
    assert [did.number for did in found.data] == ["442079460001"]
    assert (found.total_records, found.api_version, found.links["first"]) == (7, "2026-04-16", "f")
    assert (found.raw, found.status_code, found.request_id, found.attempts) == (document, 200, "req-1", 1)


def test_included_resource_is_one_object() -> None:
    """Two DIDs of one order share the Order object."""
    linked = {"order": {"data": {"type": "orders", "id": OTHER}}}
    document = {
        "data": [{**DID, "relationships": linked}, {**DID, "id": OTHER, "relationships": linked}],
        "included": [{"type": "orders", "id": OTHER, "attributes": {"reference": "ABC-1"}}],
    }
    client, _ = client_of(json_response(document=document))
    first, second = client.dids().list(include="order").data
    assert first.order is second.order
    assert first.order is not None
    assert first.order.reference == "ABC-1"


def test_cycles_lead_back_to_the_same_objects() -> None:
    """A trunk's group holds the trunk itself, linkage finds primary resources as well, and copies keep that."""
    member, group = {"type": "voice_in_trunks", "id": ID}, {"type": "voice_in_trunk_groups", "id": OTHER}
    document = {
        "data": [{**member, "attributes": {"name": "a"}, "relationships": {"voice_in_trunk_group": {"data": group}}}],
        "included": [
            {**group, "attributes": {"name": "g"}, "relationships": {"voice_in_trunks": {"data": [member, member]}}}
        ],
    }
    client, _ = client_of(json_response(document=document))
    (trunk,) = client.voice_in_trunks().list(include="voice_in_trunk_group.voice_in_trunks").data
    for one in (trunk, copy.deepcopy(trunk), pickle.loads(pickle.dumps(trunk))):
        assert one.voice_in_trunk_group is not None
        assert one.voice_in_trunk_group.voice_in_trunks[0] is one
        assert one.voice_in_trunk_group.voice_in_trunks[1].voice_in_trunk_group is one.voice_in_trunk_group
        assert one.changes == {}
    twin = copy.copy(trunk)
    assert twin.voice_in_trunk_group is trunk.voice_in_trunk_group
    trunk.voice_in_trunk_group.voice_in_trunks.pop()
    assert trunk.voice_in_trunk_group.changes == {"relationships": {"voice_in_trunks": [member]}}


def test_absent_null_and_unincluded_linkage_are_distinguished() -> None:
    """Absent linkage raises and names the include, null reads None, and an unincluded record is a stub."""
    relationships = {
        "order": {"links": {"self": "x"}},
        "voice_in_trunk": {"data": None},
        "did_group": {"data": {"type": "did_groups", "id": OTHER}},
    }
    client, _ = client_of(json_response(document={"data": {**DID, "relationships": relationships}}))
    did = client.dids().find(ID).data
    with pytest.raises(NotIncludedError, match="include='order'"):
        _ = did.order
    assert did.voice_in_trunk is None
    assert did.did_group is not None
    assert did.did_group.id == OTHER
    with pytest.raises(NotLoadedError, match=r"only the id of did_groups"):
        _ = did.did_group.prefix


def test_unknown_members_are_kept() -> None:
    """Unknown attributes, relationships, types and enum values can be read and appear in to_dict."""
    document = {
        "data": {
            **DID,
            "attributes": {**DID["attributes"], "brand_new": [1, 2]},
            "relationships": {"owner": {"data": {"type": "wizards", "id": "w1"}}},
        },
        "included": [{"type": "wizards", "id": "w1", "attributes": {"hat": "blue"}}],
    }
    client, _ = client_of(json_response(document=document))
    did: Any = client.dids().find(ID).data
    assert did.brand_new == [1, 2]
    assert did.owner.type == "wizards"
    assert did.owner.hat == "blue"
    assert did.to_dict()["attributes"]["brand_new"] == [1, 2]


def test_unrequested_field_raises_not_loaded_error() -> None:
    """With sparse fieldsets, the error names the field to add."""
    client, transport = client_of(
        json_response(document={"data": {"id": ID, "type": "dids", "attributes": {"number": "1"}}})
    )
    did = client.dids().find(ID, fields={"dids": ["number"]}).data
    assert transport.requests[0].url.endswith("?fields%5Bdids%5D=number")
    with pytest.raises(NotLoadedError, match="was not requested: add 'description'"):
        _ = did.description


def test_built_record_has_only_its_id() -> None:
    """Reading anything else raises an error that says how to load it; writing needs no loading."""
    did = Did.build(ID)
    with pytest.raises(NotLoadedError, match="find"):
        _ = did.number
    with pytest.raises(NotIncludedError):
        _ = did.order


def test_iterate_follows_next_links() -> None:
    """It yields all records in order, fetches pages on demand, and stops at the limit."""
    pages = [
        json_response(
            document={"data": [{**DID, "id": f"{ID[:-1]}{n}"}], "links": {"next": f"{BASE}/dids?page={n + 1}"}}
        )
        for n in range(1, 4)
    ]
    client, transport = client_of(*pages, json_response(document={"data": []}))
    walk = client.dids().iterate(page=(1, 1))
    assert next(walk).id == f"{ID[:-1]}1"
    assert len(transport.requests) == 1
    assert len(list(walk)) == 2
    client, transport = client_of(*pages)
    assert len(list(client.dids().iterate(limit=2))) == 2
    assert len(transport.requests) == 2
    assert list(client.dids().iterate(limit=0)) == []


def test_foreign_or_circular_next_link_is_not_followed() -> None:
    """A link never sends the key to another host, and a circle ends the iteration."""
    client, transport = client_of(
        json_response(document={"data": [DID], "links": {"next": "https://evil.example.com/v3/dids"}})
    )
    with pytest.raises(UnexpectedResponseError, match="leads to another host"):
        list(client.dids().iterate())
    assert len(transport.requests) == 1
    client, _ = client_of(json_response(document={"data": [DID], "links": {"next": f"{BASE}/dids"}}))
    assert len(list(client.dids().iterate())) == 1


# Errors


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, DidwwApiError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, ValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
    ],
)
def test_each_status_raises_its_error_class(status: int, expected: type[DidwwApiError]) -> None:
    """The error keeps the error objects and request details, also when pickled."""
    errors = [{"title": "No", "detail": "name - no", "code": "100", "status": str(status)}]
    client, _ = client_of(json_response(status, {"errors": errors}, retry_after="3"), max_retries=0)
    with pytest.raises(DidwwApiError) as caught:
        client.dids().find(ID)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert type(error) is expected
        assert (error.status_code, error.errors, error.request_id) == (status, errors, "req-1")
        assert (error.method, error.path, error.retry_after) == ("GET", f"/v3/dids/{ID}", 3.0)
        assert "name - no" in str(error)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><h1>502 Bad Gateway</h1></html>",
        b'{"errors":[{"status":"429","detail":"Too Many',
        b"[]",
        b'{"errors":3}',
    ],
)
def test_error_without_error_objects_has_the_class_of_its_status(body: bytes) -> None:
    """Empty bodies, a proxy's page and truncated JSON give an error without error objects."""
    client, _ = client_of(json_response(502, body=body))
    with pytest.raises(ServerError) as caught:
        client.dids().find(ID)
    assert caught.value.errors == []


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b'{"data":{"id":', b"[]", b'{"meta":{}}', b'{"data":[]}'])
def test_success_without_a_resource_raises_unexpected_response(body: bytes) -> None:
    """A 200 without the resource raises UnexpectedResponseError instead of returning nothing."""
    client, _ = client_of(json_response(200, body=body))
    with pytest.raises(UnexpectedResponseError):
        client.dids().find(ID)


def test_redirect_is_not_followed() -> None:
    """A 302 raises, and its target gets no request."""
    client, transport = client_of(json_response(302, body=b"", location="https://evil.example.com/"))
    with pytest.raises(UnexpectedResponseError, match="redirect"):
        client.dids().find(ID)
    assert len(transport.requests) == 1


def test_validation_messages_are_mapped_to_fields() -> None:
    """Pointers become Python names; messages about the whole object have an empty name."""
    pointers = {
        "/data/attributes/name": "name",
        "/data/attributes/items/0/qty": "items[0].qty",
        "/data/attributes/configuration/host": "configuration.host",
        "/data/relationships/pop": "pop",
        "/data/attributes/voice_in_trunk_id": "voice_in_trunk",
        "/data": "",
        "/data/attributes/base": "",
    }
    errors = [{"title": "bad", "detail": "x - bad", "source": {"pointer": pointer}} for pointer in pointers]
    client, _ = client_of(json_response(422, {"errors": [*errors, {"title": "worse", "source": 5}, {}]}))
    with pytest.raises(ValidationError) as caught:
        client.dids().update(Did.build(ID))
    assert caught.value.fields == {
        **dict.fromkeys(pointers.values(), ["bad"]),
        "": ["bad", "bad", "worse", "is invalid"],
    }


def test_insufficient_balance_error_has_both_amounts() -> None:
    """A 400 `Insufficient balance` gives both amounts as Decimal."""
    meta = {"available_balance": "1.9", "total_cost": "2.0"}
    client, _ = client_of(
        json_response(400, {"errors": [{"title": "Insufficient balance", "status": "400", "meta": meta}]})
    )
    with pytest.raises(InsufficientBalanceError) as caught:
        client.dids().find(ID)
    assert (caught.value.available_balance, caught.value.total_cost) == (Decimal("1.9"), Decimal("2.0"))


# Waiting


def order(status: str) -> Any:
    return json_response(document={"data": {"id": ID, "type": "orders", "attributes": {"status": status}}})


def test_wait_polls_until_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is polled at growing intervals until it is completed."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    client, transport = client_of(order("pending"), order("pending"), order("completed"))
    assert client.orders().wait(Order.build(ID)).data.status == "completed"
    assert len(transport.requests) == 3
    assert pauses == [0.5, 0.75]


def test_wait_raises_at_another_terminal_status(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canceled order raises WaitError with its last state; `until="canceled"` accepts it."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    client, _ = client_of(order("pending"), order("canceled"))
    with pytest.raises(WaitError, match="canceled") as caught:
        client.orders().wait(ID)
    assert caught.value.resource == Order.build(ID)
    assert client.orders().wait(ID, until="canceled").data.status == "canceled"
    assert client.orders().wait(ID, until=lambda found: found.status != "pending").data.id == ID


def test_wait_raises_after_its_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ApiTimeoutError says how to continue."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr("time.sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    client, _ = client_of(order("pending"))
    with pytest.raises(ApiTimeoutError, match=r"still pending after 20 s.*wait again"):
        client.orders().wait(ID, timeout=20)
    assert now[0] == pytest.approx(20)


# Downloads


def test_download_appears_only_when_complete(tmp_path: Path) -> None:
    """The file is streamed to disk with the key, and no part file remains."""
    client, transport = client_of(json_response(body=b"x" * 100, content_length="100"))
    target = tmp_path / "calls.csv.gz"
    assert client.download_export(f"{BASE}/exports/a.csv.gz", target) == target
    assert target.read_bytes() == b"x" * 100
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv.gz"]
    assert transport.requests[0].headers["Api-Key"] == KEY
    assert transport.requests[0].headers["Accept-Encoding"] == "identity"
    assert transport.released == 1
    assert target.stat().st_mode & 0o077 == 0


def test_another_host_never_gets_the_key(tmp_path: Path) -> None:
    """A download from another host is sent without the key and the client's own headers."""
    client, transport = client_of(json_response(body=b"x"), headers={"X-Mine": "1"})
    client.download_export("https://files.example.net/a.csv.gz", tmp_path / "a")
    assert KEY not in str(transport.requests[0].headers)
    assert "X-Mine" not in transport.requests[0].headers


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (json_response(404, body=b""), NotFoundError),
        (json_response(401, {"errors": []}), AuthenticationError),
        (json_response(200, body=b"x" * 10, content_length="100"), UnexpectedResponseError),
        (json_response(302, body=b""), UnexpectedResponseError),
        (ApiConnectionError("broken"), ApiConnectionError),
    ],
)
def test_failed_download_leaves_no_file(tmp_path: Path, script: Any, expected: type[Exception]) -> None:
    """No file or part file remains, and an existing file of that name is unchanged."""
    target = tmp_path / "calls.csv.gz"
    target.write_bytes(b"old")
    client, _ = client_of(script)
    with pytest.raises(expected):
        client.download_export(f"{BASE}/exports/a.csv.gz", target)
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv.gz"]
    assert target.read_bytes() == b"old"


def test_missing_folder_is_named_in_the_error(tmp_path: Path) -> None:
    """An unwritable path raises DidwwClientError with the path."""
    client, _ = client_of(json_response(body=b"x"))
    with pytest.raises(DidwwClientError, match="nowhere"):
        client.download_export(f"{BASE}/exports/a.csv.gz", tmp_path / "nowhere" / "a.gz")


def test_folder_is_rejected_as_a_download_path(tmp_path: Path) -> None:
    """The error names the path, and nothing is left beside it."""
    (tmp_path / "calls").mkdir()
    client, _ = client_of(json_response(body=b"x"))
    with pytest.raises(DidwwClientError, match=r"Cannot write .*calls: "):
        client.download_export(f"{BASE}/exports/a.csv.gz", tmp_path / "calls")
    assert [path.name for path in tmp_path.iterdir()] == ["calls"]


def test_interrupted_download_leaves_no_file(tmp_path: Path) -> None:
    """Ctrl-C in the body removes the part file, releases the connection and propagates."""

    class Interrupted(Scripted):
        def read(self, opened: Any) -> bytes:
            if len(opened.chunks) < 5:
                raise KeyboardInterrupt
            return super().read(opened)

    transport = Interrupted(json_response(body=b"x" * 100))
    client = DidwwClient(KEY, base_url=BASE, transport=transport)
    with pytest.raises(KeyboardInterrupt):
        client.download_export(f"{BASE}/exports/a.csv.gz", tmp_path / "a.gz")
    assert list(tmp_path.iterdir()) == []
    assert transport.released == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com.evil.example.net/v3/x",
        "https://api.example.com:8443/v3/x",
        "http://api.example.com/v3/x",
        "https://api.example.co/v3/x",
        "https://api-example.com/v3/x",
    ],
)
def test_only_the_same_origin_gets_the_key(url: str, tmp_path: Path) -> None:
    """Scheme, host and port must be the configured ones, whatever a URL looks like."""
    client, transport = client_of(json_response(body=b"x"), allow_insecure=True)
    client.download_export(url, tmp_path / "a")
    assert KEY not in str(transport.requests[0].headers)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com@evil.example.net/v3/x",
        "https://evil.example.net\\@api.example.com/v3/x",
        "https://api.example.com./v3/x",
        "https://api.example.com:port/v3/x",
        "https://[::1/v3/x",
        "https://api.example.com\t/v3/x",
        "https://api.example.com/v3/x y",
        "https://\u212apple.example.com/v3/x",
        "ftp://api.example.com/v3/x?signature=example-secret",
        " https://api.example.com/v3/x",
    ],
)
def test_ambiguous_url_is_rejected(url: str, tmp_path: Path) -> None:
    """Libraries would connect to different hosts, so nothing is sent; the error hides a possible signature."""
    client, transport = client_of(json_response(document={"data": [DID], "links": {"next": url}}))
    with pytest.raises(InvalidValueError, match="http or https URL") as caught:
        client.download_export(url, tmp_path / "a")
    assert "example-secret" not in str(caught.value)
    assert not transport.requests
    with pytest.raises(UnexpectedResponseError, match="leads to another host"):
        list(client.dids().iterate())
    assert len(transport.requests) == 1


@pytest.mark.parametrize("given", [None, "", "a.csv.gz"])
def test_export_without_a_file_raises_an_error_that_says_to_wait(given: Any, tmp_path: Path) -> None:
    """It has no url yet, and nothing is sent."""
    client, transport = client_of(json_response(body=b"x"))
    with pytest.raises(InvalidValueError):
        client.download_export(given, tmp_path / "a")
    assert not transport.requests


# The client itself


@pytest.mark.parametrize("key", ["", "   ", None, "two words", "new\nline"])
def test_invalid_api_key_is_rejected(key: Any) -> None:
    """An empty or unusable key raises DidwwClientError immediately."""
    with pytest.raises(DidwwClientError):
        DidwwClient(key)


def test_api_key_is_hidden() -> None:
    """No repr, error or pickle of anything reachable shows the key."""
    client, _ = client_of(json_response(401, {"errors": [{"title": "Unauthorized"}]}))
    with pytest.raises(AuthenticationError) as caught:
        client.balance().find()
    for shown in (client, client.dids(), client._configuration, client._configuration.credentials, caught.value):
        assert KEY not in repr(shown)
        assert KEY not in str(shown)
    with pytest.raises(DidwwClientError):
        pickle.dumps(client._configuration.credentials)


SANDBOX, PRODUCTION = "https://sandbox-api.didww.com/v3", "https://api.didww.com/v3"
LOCAL, ELSEWHERE = "http://127.0.0.1:8750/v3", "http://127.0.0.1:9999/v3"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without variables of ours but the key."""
    for name in ("DIDWW_ENVIRONMENT", "DIDWW_BASE_URL", "DIDWW_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DIDWW_API_KEY", KEY)
    return monkeypatch


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ({}, {}, SANDBOX),
        ({}, {"DIDWW_ENVIRONMENT": "Production"}, PRODUCTION),
        ({"environment": "sandbox"}, {"DIDWW_ENVIRONMENT": "production"}, SANDBOX),
        ({}, {"DIDWW_BASE_URL": LOCAL + "/"}, LOCAL),
        ({}, {"DIDWW_BASE_URL": LOCAL, "DIDWW_ENVIRONMENT": "production"}, LOCAL),
        ({"environment": Environment.SANDBOX}, {"DIDWW_BASE_URL": LOCAL}, LOCAL),
        ({"environment": Environment.PRODUCTION}, {"DIDWW_BASE_URL": LOCAL}, PRODUCTION),
        ({"environment": Environment.LOCAL}, {}, LOCAL),
        ({"environment": "Local"}, {"DIDWW_ENVIRONMENT": "production"}, LOCAL),
        ({}, {"DIDWW_ENVIRONMENT": "local"}, LOCAL),
        ({"environment": Environment.LOCAL}, {"DIDWW_BASE_URL": ELSEWHERE}, ELSEWHERE),
        ({"environment": Environment.LOCAL, "base_url": ELSEWHERE}, {}, ELSEWHERE),
        ({"base_url": ELSEWHERE}, {"DIDWW_BASE_URL": LOCAL}, ELSEWHERE),
        ({"base_url": ELSEWHERE, "environment": Environment.PRODUCTION}, {}, ELSEWHERE),
        ({}, {"DIDWW_API_VERSION": "2026-04-16"}, SANDBOX),
    ],
)
@pytest.mark.parametrize("make", [DidwwClient, AsyncDidwwClient, DidwwClient.from_env, AsyncDidwwClient.from_env])
def test_arguments_override_environment_variables(
    environment: pytest.MonkeyPatch, make: Any, options: dict[str, Any], variables: dict[str, str], expected: str
) -> None:
    """DIDWW_BASE_URL replaces the URL of SANDBOX and LOCAL, but never that of an explicit PRODUCTION."""
    for name, value in variables.items():
        environment.setenv(name, value)
    assert make(**options).base_url == expected


def test_invalid_environment_variables_are_named(environment: pytest.MonkeyPatch) -> None:
    """A missing key, an unknown environment, an invalid URL and a future version raise."""
    for name, value, message in (
        ("DIDWW_ENVIRONMENT", "staging", "staging"),
        ("DIDWW_BASE_URL", "127.0.0.1:8750", "DIDWW_BASE_URL must"),
        ("DIDWW_API_VERSION", "2030-01-01", "DIDWW_API_VERSION must be '2026-04-16' or '2026-11-19', got '2030-01-01'"),
    ):
        with environment.context() as changed:
            changed.setenv(name, value)
            with pytest.raises(DidwwClientError, match=message):
                DidwwClient()
    environment.delenv("DIDWW_API_KEY")
    with pytest.raises(DidwwClientError, match="DIDWW_API_KEY is not set"):
        DidwwClient()
    environment.setenv("DIDWW_API_KEY", KEY)
    with pytest.raises(DidwwClientError, match="empty"):
        DidwwClient("")


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": ""},
        {"base_url": "api.example.com"},
        {"base_url": "ftp://api.example.com"},
        {"base_url": "https://user:pass@api.example.com"},
        {"base_url": "https://api.example.com:port"},
        {"environment": "prod"},
        {"allow_insecure": "no"},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": True},
        {"headers": {"api-key": "other"}},
        {"headers": {"X-A": "a\r\nX-B: b"}},
    ],
)
def test_invalid_options_are_rejected(options: dict[str, Any]) -> None:
    """An invalid base URL, environment, timeout or header raises immediately."""
    with pytest.raises(InvalidValueError):
        DidwwClient(KEY, **options)


@pytest.mark.parametrize(
    "host", ["api.example.com", "192.0.2.1", "[2001:db8::1]", "127.example.com", "localhost.example.com"]
)
def test_http_over_a_network_must_be_allowed_explicitly(host: str, tmp_path: Path) -> None:
    """Anyone on the network could read the key and the call records of an export."""
    with pytest.raises(
        InvalidValueError, match=r"base_url must be an https URL, got http://.*allow_insecure=True"
    ) as caught:
        DidwwClient(KEY, base_url=f"http://{host}/v3")
    assert caught.value.field == "base_url"
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=r"^url must be an https URL"):
        client.download_export(f"http://{host}/v3/exports/a.csv.gz?signature=secret", tmp_path / "a")
    assert transport.requests == []
    allowed = Scripted(json_response(body=b"x"))
    client = DidwwClient(KEY, base_url=f"http://{host}/v3", transport=allowed, allow_insecure=True)
    client.with_options(timeout=5).download_export(f"http://{host}/v3/exports/a.csv.gz", tmp_path / "a")
    assert len(allowed.requests) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "[::1]", "[::ffff:127.0.0.1]"])
def test_http_to_loopback_is_allowed(host: str) -> None:
    """Loopback traffic crosses no network."""
    DidwwClient(KEY, base_url=f"http://{host}:8750/v3").close()


def test_with_options_copies_options_and_shares_connections() -> None:
    """`with_options` changes only the copy; closing one closes both."""
    client, transport = client_of(json_response(document=ONE_DID), headers={"X-A": "1"})
    patient = client.with_options(timeout=NO_TIMEOUT, headers={"X-B": "2"})
    patient.dids().find(ID)
    assert transport.deadline == float("inf")
    assert {"X-A", "X-B"} <= set(transport.requests[0].headers)
    client.dids().find(ID)
    assert transport.deadline < float("inf")
    assert "X-B" not in transport.requests[1].headers
    with client:
        pass
    with pytest.raises(DidwwClientError):
        patient.dids().find(ID)


def test_asynchronous_client_behaves_the_same() -> None:
    """find, list, update, iterate, wait and download work with await, over the same core."""

    async def main() -> None:
        transport = AsyncScripted(
            json_response(document=ONE_DID),
            json_response(document=ONE_DID),
            json_response(document={"data": [DID]}),
            order("completed"),
        )
        async with AsyncDidwwClient(KEY, base_url=BASE, transport=transport, rate_limit=None) as client:
            did = (await client.dids().find(ID)).data
            did.description = "x"
            await client.dids().update(did)
            assert [found.number async for found in client.dids().iterate()] == ["442079460001"]
            assert (await client.orders().wait(ID)).data.status == "completed"
        with pytest.raises(DidwwClientError):
            await client.dids().find(ID)
        assert transport.inner.sent == [{"data": {"type": "dids", "id": ID, "attributes": {"description": "x"}}}]

    asyncio.run(main())


def test_canceled_asynchronous_download_cleans_up(tmp_path: Path) -> None:
    """A canceled download leaves no part file."""
    reading = asyncio.Event()

    class Slow(AsyncScripted):
        async def read(self, opened: Any) -> bytes:
            if not opened.chunks[1:]:
                reading.set()
                await asyncio.sleep(60)
            return self.inner.read(opened)

    async def main() -> None:
        transport = Slow(json_response(body=b"x" * 100))
        client = AsyncDidwwClient(KEY, base_url=BASE, transport=transport)
        task = asyncio.create_task(client.download_export(f"{BASE}/exports/a.csv.gz", tmp_path / "a.gz"))
        await reading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(tmp_path.iterdir()) == []
        assert transport.inner.released == 1

    asyncio.run(main())


def test_only_writable_fields_are_sent() -> None:
    """A read-only field, a create-only field and a wrong value each raise with the field's name."""
    client, _ = client_of(json_response(document=ONE_DID))
    did: Any = client.dids().find(ID).data
    with pytest.raises(ReadOnlyFieldError, match=r"Did\.number.*read-only.*description"):
        did.number = "1"
    built: Any = Order.build(ID)
    with pytest.raises(ReadOnlyFieldError, match=r"Order\.items.*set on create only"):
        built.items = []
    with pytest.raises(InvalidValueError, match=r"Did\.capacity_limit must be 1 to 32767, got 40000"):
        did.capacity_limit = 40000
    with pytest.raises(InvalidValueError, match=r"Did\.capacity_limit must be an int, got True"):
        did.capacity_limit = True
    with pytest.raises(InvalidValueError, match=r"Did\.voice_in_trunk must be VoiceInTrunk.*build"):
        did.voice_in_trunk = OTHER
    with pytest.raises(InvalidValueError, match="Did you mean 'description'"):
        did.descripton = "x"
    with pytest.raises(InvalidValueError, match="Did you mean 'description'"):
        Did(descripton="x")


def test_in_place_change_of_a_read_only_list_raises() -> None:
    """The update raises instead of sending or dropping the change."""
    items = [{"type": "did_order_items", "attributes": {"qty": 1}}]
    client, transport = client_of(
        json_response(
            document={"data": {"id": ID, "type": "orders", "attributes": {"status": "pending", "items": items}}}
        )
    )
    placed = client.orders().find(ID).data
    placed.items.clear()
    with pytest.raises(ReadOnlyFieldError, match=r"Order\.items.*on create only"):
        client.orders().update(placed)
    assert len(transport.requests) == 1


def validations() -> list[Any]:
    """What is tested and not stored, each with an accessor's name."""
    requirement = AddressRequirementValidation(
        address_requirement=AddressRequirement.build(OTHER), address=Address.build(ID)
    )
    emergency = EmergencyRequirementValidation(
        emergency_requirement=EmergencyRequirement.build(OTHER),
        address=Address.build(ID),
        identity=Identity.build(ID),
    )
    return [
        pytest.param("address_requirement_validations", requirement, id="address"),
        pytest.param("emergency_requirement_validations", emergency, id="emergency"),
    ]


@pytest.mark.parametrize(("accessor", "record"), validations())
def test_validation_with_204_succeeds(accessor: str, record: Any) -> None:
    """A 204 says that the requirement is met; the response holds what was validated."""
    client, transport = client_of(json_response(204))
    result = getattr(client, accessor)().create(record)
    assert (result.status_code, result.data) == (204, record)
    assert [request.method for request in transport.requests] == ["POST"]


@pytest.mark.parametrize(("accessor", "record"), validations())
@pytest.mark.parametrize("status", [200, 201])
def test_empty_validation_response_of_another_status_raises(accessor: str, record: Any, status: int) -> None:
    """A damaged response must not pass for a fulfilled requirement."""
    client, _ = client_of(json_response(status), max_retries=0)
    with pytest.raises(UnexpectedResponseError, match="an empty body"):
        getattr(client, accessor)().create(record)


def test_create_with_204_raises() -> None:
    """A 204 does not say which record was created."""
    client, _ = client_of(json_response(204), json_response(document={"data": []}), timeout=1)
    with pytest.raises(DidwwClientError) as caught:
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="a"))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_records_can_be_pickled_with_every_protocol(protocol: int) -> None:
    """Loaded, built and new records keep their changes, nested objects and linked records."""
    client, _ = client_of(json_response(document=ONE_DID))
    loaded = client.dids().find(ID).data
    loaded.description = "x"
    trunk = VoiceInTrunk(name="a", configuration=SipConfiguration(host="sip.example.com"))
    for record in (loaded, Did.build(ID), trunk, client.dids().find(ID)):
        again = pickle.loads(pickle.dumps(record, protocol))
        if isinstance(record, ApiResponse):
            assert (again.data, again.status_code) == (record.data, record.status_code)
            continue
        assert type(again) is type(record)
        assert (again.to_dict(), again.changes) == (record.to_dict(), record.changes)
    report = client.dids().delete_many([ID])
    assert [item.input for item in pickle.loads(pickle.dumps(report, protocol)).items] == [ID]
