"""Raw calls: any API path and method, with the usual key, limits, retries and errors."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from didww import AsyncDidwwClient, DidwwClient, Environment, QueryParams
from didww._core import raw
from didww._core.raw import RawResponse
from didww.configuration import ApiKey, Configuration
from didww.emulator import Emulator
from didww.enums import OrderStatus
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    ClientClosedError,
    DidwwError,
    InvalidValueError,
    NotFoundError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    ValidationError,
)
from didww.rate_limit.local import RateLimiter
from support.fake_service import BASE, AttemptResult, FakeService
from support.scripted_transport import AsyncScripted, Scripted, json_response

KEY = "k3y-that-nobody-may-see"
DOCUMENT = {"data": [{"id": "1", "type": "new_things", "attributes": {"name": "one"}}], "meta": {"total_records": 1}}


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script or (json_response(document=DOCUMENT),))
    return DidwwClient(KEY, base_url=BASE, transport=transport, rate_limit=None, **options), transport


def configuration(**options: Any) -> Configuration:
    return Configuration(credentials=ApiKey(KEY), base_url=BASE, jitter=lambda: 1.0, **options)


def test_each_method_sends_its_arguments() -> None:
    """The short forms call `request` with a method; the asynchronous client sends the same."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("get", ("/dids", {"page[size]": "1"}), {}),
        ("post", ("/things", {"data": {"type": "things"}}), {"params": {"include": "order"}}),
        ("patch", ("things/1", {"data": {"type": "things", "id": "1"}}), {}),
        ("delete", ("/things/1",), {}),
        ("request", ("get", "/dids"), {"params": QueryParams().filter("blocked", True).page(size=2)}),
        ("request", ("DELETE", "/things/1/relationships/x"), {"json": {"data": []}}),
    ]
    client, transport = client_of()
    twin = AsyncScripted(json_response(document=DOCUMENT))

    async def main() -> None:
        async with AsyncDidwwClient(KEY, base_url=BASE, transport=twin, rate_limit=None) as other:
            for name, arguments, options in calls:
                assert await getattr(other, name)(*arguments, **options) == DOCUMENT

    asyncio.run(main())
    for name, arguments, options in calls:
        assert getattr(client, name)(*arguments, **options) == DOCUMENT
    sent = [(one.method, one.url.removeprefix(BASE), json.loads(one.body or b"null")) for one in transport.requests]
    assert sent == [
        ("GET", "/dids?page%5Bsize%5D=1", None),
        ("POST", "/things?include=order", {"data": {"type": "things"}}),
        ("PATCH", "/things/1", {"data": {"type": "things", "id": "1"}}),
        ("DELETE", "/things/1", None),
        ("GET", "/dids?filter%5Bblocked%5D=true&page%5Bsize%5D=2", None),
        ("DELETE", "/things/1/relationships/x", {"data": []}),
    ]
    for one, other in zip(transport.requests, twin.inner.requests, strict=True):
        assert (one.method, one.url, one.headers, one.body) == (other.method, other.url, other.headers, other.body)
        assert one.headers["Api-Key"] == KEY
        assert one.headers["X-DIDWW-API-Version"]


def test_response_is_the_document_with_metadata() -> None:
    """It is a dict with status, headers, attempts and request id; `raw` is the plain dict."""
    client, _ = client_of()
    document = client.get("/dids")
    assert document["data"][0]["attributes"]["name"] == "one"
    assert (document.status_code, document.request_id, document.attempts) == (200, "req-1", 1)
    assert type(document.raw) is dict
    assert json.loads(json.dumps(document)) == document.raw == DOCUMENT
    again = pickle.loads(pickle.dumps(document))
    assert (again, again.status_code) == (document, 200)


@pytest.mark.parametrize("body", [b"", b" "])
def test_empty_write_response_is_an_empty_dict(body: bytes) -> None:
    """A write needs no document; a read does."""
    client, _ = client_of(json_response(204, body=body))
    for call in (lambda: client.post("/x", {}), lambda: client.patch("/x", {}), lambda: client.delete("/x")):
        assert call() == {}
        assert call().status_code == 204
    with pytest.raises(UnexpectedResponseError, match="an empty body"):
        client.get("/x")


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example.net/v3/dids",
        "https://api.example.com.evil.example.net/v3/dids",
        "http://api.example.com/v3/dids",
        "https://api.example.com:8443/v3/dids",
        "https://key@api.example.com/v3/dids",
        "//evil.example.net/dids/../x",
        "ftp://api.example.com/dids",
        "/dids#x",
        "/../internal",
        "/dids/..",
        "/dids/%2e%2e/x",
        "/dids/%2E./x",
        "/d ids",
        "/dids\r\nHost: evil.example.net",
        "/dids\\..",
        "/dïds",
        "",
        "/",
        None,
        5,
    ],
)
def test_key_is_sent_only_to_the_origin(path: Any) -> None:
    """A path to another host, or an ambiguous one, raises before anything is sent."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=r"^path ") as caught:
        client.get(path)
    assert caught.value.field == "path"
    assert transport.requests == []


def test_api_link_is_accepted_as_a_path() -> None:
    """Parameters are added to the query of an absolute URL of the same origin."""
    client, transport = client_of()
    client.get(f"{BASE}/dids?page[number]=2", {"page[size]": 5})
    client.get("/dids?sort=number", {"include": ["order", "did_group"]})
    assert [one.url for one in transport.requests] == [
        f"{BASE}/dids?page[number]=2&page%5Bsize%5D=5",
        f"{BASE}/dids?sort=number&include=order,did_group",
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda c: c.request("PUT", "/dids"), "method must be one of GET, POST, PATCH, DELETE, got 'PUT'"),
        (lambda c: c.request(None, "/dids"), "method must be one of"),
        (lambda c: c.get("/dids", "page=1"), "params must be a dict"),
        (lambda c: c.get("/dids", {5: "x"}), "params must have non-empty text names"),
        (lambda c: c.get("/dids", {"filter[x]": 1.5}), "'x' must be text"),
        (lambda c: c.request("GET", "/dids", json={}), "json must not be set for a GET"),
        (lambda c: c.post("/dids", "text"), "json must be a dict"),
        (lambda c: c.post("/dids", {"data": object()}), "json must hold only values that JSON can represent"),
        (lambda c: c.post("/dids", {"data": "\ud800"}), "json must hold only values"),
    ],
)
def test_invalid_arguments_raise_before_anything_is_sent(call: Any, words: str) -> None:
    """Method, parameters and document are checked as far as possible without a declaration."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=words):
        call(client)
    assert transport.requests == []


def test_document_may_contain_python_values() -> None:
    """Datetimes, decimals, enum members and UUIDs are written in the service's format."""
    client, transport = client_of()
    id = UUID("8d1a3c5e-0000-4000-8000-000000000001")
    client.post(
        "/x", {"at": datetime(2026, 3, 1, tzinfo=UTC), "a": Decimal("1.50"), "s": OrderStatus.PENDING, "id": id}
    )
    assert transport.sent == [{"at": "2026-03-01T00:00:00Z", "a": "1.50", "s": "pending", "id": str(id)}]


@pytest.mark.parametrize(
    ("status", "expected"), [(404, NotFoundError), (422, ValidationError), (429, RateLimitError), (500, ServerError)]
)
def test_errors_are_the_usual_classes(status: int, expected: type[Exception]) -> None:
    """The status decides the class, with error objects and request id."""
    errors = [{"title": "no"}]
    client, _ = client_of(json_response(status, {"errors": errors}), max_retries=0)
    with pytest.raises(expected, match=rf"HTTP {status}: no \(GET /v3/things, request id req-1\)") as caught:
        client.get("/things")
    assert caught.value.errors == errors


def test_redirect_is_not_followed() -> None:
    """The key would be sent along."""
    client, transport = client_of(json_response(302, location="https://evil.example.net/"))
    with pytest.raises(UnexpectedResponseError, match="redirect"):
        client.get("/things")
    assert len(transport.requests) == 1


# Retries


@pytest.mark.parametrize("result", ["lost", 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_idempotent_request_is_retried(method: str, result: Any) -> None:
    """The table of retries applies."""
    service = FakeService(AttemptResult(how=result))
    service.serve = lambda request: json_response(document=DOCUMENT)
    response = service.run(raw.request(configuration(), method, "/things/1"))
    assert (response, response.attempts, len(service.sent)) == (DOCUMENT, 2, 2)


@pytest.mark.parametrize("result", ["lost", 500, 502, 503, 504])
def test_post_with_unknown_outcome_is_never_retried(result: Any) -> None:
    """It is sent once, and the error says that the outcome is unknown."""
    service = FakeService(AttemptResult(how=result))
    service.serve = lambda request: json_response(document=DOCUMENT)
    with pytest.raises(DidwwError, match="It is unknown whether the server processed the request") as caught:
        service.run(raw.request(configuration(), "POST", "/orders", None, {"data": {"type": "orders"}}))
    assert caught.value.outcome_unknown
    assert len(service.sent) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"data": ', b"[]"])
def test_post_with_a_broken_response_has_an_unknown_outcome(body: bytes) -> None:
    """It was received; whether it was processed is unknown."""
    client, transport = client_of(json_response(201, body=body))
    with pytest.raises(UnexpectedResponseError) as caught:
        client.post("/orders", {"data": {"type": "orders"}})
    assert caught.value.outcome_unknown
    assert len(transport.requests) == 1


@pytest.mark.parametrize("result", ["unsent", 429])
def test_post_that_was_not_processed_is_retried(result: Any) -> None:
    """Nothing was done."""
    service = FakeService(AttemptResult(how=result))
    service.serve = lambda request: json_response(201, DOCUMENT)
    assert service.run(raw.request(configuration(), "POST", "/orders", None, {})).attempts == 2


def test_unsent_post_has_a_known_outcome() -> None:
    """There is nothing to look for."""
    service = FakeService(*[AttemptResult(how="unsent")] * 3)
    with pytest.raises(ApiConnectionError) as caught:
        service.run(raw.request(configuration(), "POST", "/orders", None, {}))
    assert not caught.value.outcome_unknown


def test_retried_delete_that_gets_404_succeeds() -> None:
    """The first response was lost; the second attempt gets a 404."""
    service = FakeService(AttemptResult(how="lost"))
    service.serve = lambda request: json_response(404, {"errors": [{"title": "Record not found"}]})
    assert service.run(raw.request(configuration(), "DELETE", "/things/1")) == {}
    with pytest.raises(NotFoundError):
        service.run(raw.request(configuration(), "DELETE", "/things/1"))


# Deadline, limits, hooks and logs


def test_deadline_and_rate_limit_apply() -> None:
    """There is one timeout for all attempts and one permit for each."""
    service = FakeService(AttemptResult(4.0, "lost"), AttemptResult(4.0, "lost"))
    with pytest.raises(ApiTimeoutError):
        service.run(raw.request(configuration(timeout=6.0), "GET", "/things"))
    assert service.now == 1006.0
    taken: list[float] = []

    class Counting(RateLimiter):
        def acquire(self, timeout: float = float("inf")) -> Any:
            taken.append(timeout)
            return super().acquire(timeout)

    service = FakeService()
    service.serve = lambda request: json_response(document=DOCUMENT)
    service.run(raw.request(configuration(limiter=Counting(20)), "GET", "/things"))
    assert len(taken) == 1


def test_events_mask_the_key() -> None:
    """The key is masked in any encoding of an event, but sent unmasked."""
    told: list[Any] = []
    emulator = Emulator()
    emulator.faults.add(status=503, times=1)
    options: dict[str, Any] = dict.fromkeys(("on_request", "on_response", "on_retry"), told.append)
    with emulator.client("k3y-that-nobody-may-see", **options) as client:
        client.balance().find()
    assert {type(event).__name__ for event in told} == {"RequestStarted", "ResponseReceived", "RetryScheduled"}
    for event in told:
        assert event.request.headers["Api-Key"] == "***"
        for text in (repr(event), str(msgspec.to_builtins(event)), msgspec.json.encode(event).decode()):
            assert "k3y-that" not in text


def test_calls_are_logged_and_sent_to_hooks(caplog: pytest.LogCaptureFixture) -> None:
    """They are logged like all calls, without query, document and key."""
    told: list[Any] = []
    client, _ = client_of(on_request=told.append, on_response=told.append)
    with caplog.at_level(logging.DEBUG, logger="didww"):
        client.post("/things", {"data": {"password": "hush"}}, {"token": "hush"})
    assert [type(one).__name__ for one in told] == ["RequestStarted", "ResponseReceived"]
    assert f"POST {BASE}/things: 200" in caplog.text
    assert "hush" not in caplog.text
    assert KEY not in caplog.text


def test_closed_client_raises() -> None:
    """This is as for all other calls."""
    client, _ = client_of()
    client.close()
    with pytest.raises(ClientClosedError):
        client.get("/dids")


def test_raw_calls_work_with_the_emulator() -> None:
    """The program creates, reads, updates and deletes a trunk group."""
    with Emulator().client() as client:
        made = client.post(
            "/voice_in_trunk_groups", {"data": {"type": "voice_in_trunk_groups", "attributes": {"name": "a"}}}
        )
        assert made.status_code == 201
        id = made["data"]["id"]
        change = {"data": {"type": "voice_in_trunk_groups", "id": id, "attributes": {"name": "b"}}}
        assert client.patch(f"/voice_in_trunk_groups/{id}", change)["data"]["attributes"]["name"] == "b"
        assert client.get("/voice_in_trunk_groups", {"filter[id]": id})["data"][0]["attributes"]["name"] == "b"
        assert client.delete(f"/voice_in_trunk_groups/{id}") == {}
        assert client.get("/voice_in_trunk_groups") == RawResponse({**client.get("/voice_in_trunk_groups"), "data": []})


# The client itself


def test_client_has_its_environment() -> None:
    """It follows from the base URL, and is None for a custom one."""
    for environment in Environment:
        with DidwwClient(KEY, environment) as client:
            assert client.environment is environment
            assert client.with_options(timeout=1).environment is environment
    with DidwwClient(KEY, base_url=BASE) as client:
        assert client.environment is None
    assert AsyncDidwwClient(KEY, "production").environment is Environment.PRODUCTION


@pytest.mark.parametrize("make", [DidwwClient, AsyncDidwwClient])
def test_client_cannot_be_pickled(make: Any) -> None:
    """Clients, accessors and iterators raise with the reason; a shallow copy shares the connections."""
    transport = (
        Scripted(json_response(document=DOCUMENT))
        if make is DidwwClient
        else AsyncScripted(json_response(document=DOCUMENT))
    )
    client = make(KEY, base_url=BASE, transport=transport, rate_limit=None)
    for one in (client, client.dids()):
        for copying in (*(lambda x, p=p: pickle.dumps(x, p) for p in range(6)), copy.deepcopy):
            with pytest.raises(DidwwError, match=r"cannot be pickled.*credentials.*with_options\(\)") as caught:
                copying(one)
            assert KEY not in str(caught.value)
    for copying in (pickle.dumps, copy.deepcopy):
        with pytest.raises(DidwwError, match=r"RecordIterator cannot be pickled.*resume=cursor"):
            copying(client.dids().iterate())
    assert copy.copy(client)._driver is client._driver


def test_interrupted_post_notes_the_unknown_outcome() -> None:
    """As for orders, Ctrl-C while waiting for the response adds a note; before sending it does not."""

    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    for options, unknown in (({"on_response": interrupt}, True), ({"on_request": interrupt}, False)):
        client = Emulator().client(**options)  # type: ignore[arg-type]
        with pytest.raises(KeyboardInterrupt) as caught:
            client.post(
                "/voice_in_trunk_groups", {"data": {"type": "voice_in_trunk_groups", "attributes": {"name": "Main"}}}
            )
        assert getattr(caught.value, "outcome_unknown", False) is unknown
        assert bool(getattr(caught.value, "__notes__", [])) is unknown
