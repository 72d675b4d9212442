"""Raw calls: any path of the API by method, with the key, the limits, the retries and the errors of all other calls."""

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
from support.scripted_transport import AsyncScripted, Scripted, answer

KEY = "k3y-that-nobody-may-see"
DOCUMENT = {"data": [{"id": "1", "type": "new_things", "attributes": {"name": "one"}}], "meta": {"total_records": 1}}


def client_of(*script: Any, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script or (answer(document=DOCUMENT),))
    return DidwwClient(KEY, base_url=BASE, transport=transport, rate_limit=None, **options), transport


def configuration(**options: Any) -> Configuration:
    return Configuration(credentials=ApiKey(KEY), base_url=BASE, jitter=lambda: 1.0, **options)


def test_each_method_sends_what_it_is_given() -> None:
    """The short forms are `request` with a method; the asynchronous client sends the same."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        ("get", ("/dids", {"page[size]": "1"}), {}),
        ("post", ("/things", {"data": {"type": "things"}}), {"params": {"include": "order"}}),
        ("patch", ("things/1", {"data": {"type": "things", "id": "1"}}), {}),
        ("delete", ("/things/1",), {}),
        ("request", ("get", "/dids"), {"params": QueryParams().filter("blocked", True).page(size=2)}),
        ("request", ("DELETE", "/things/1/relationships/x"), {"json": {"data": []}}),
    ]
    client, transport = client_of()
    twin = AsyncScripted(answer(document=DOCUMENT))

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


def test_a_response_is_the_document_and_knows_where_it_came_from() -> None:
    """A dict to programs and tools, with status, headers, attempts and request id; `raw` is the bare dict."""
    client, _ = client_of()
    document = client.get("/dids")
    assert document["data"][0]["attributes"]["name"] == "one"
    assert (document.status_code, document.request_id, document.attempts) == (200, "req-1", 1)
    assert type(document.raw) is dict
    assert json.loads(json.dumps(document)) == document.raw == DOCUMENT
    again = pickle.loads(pickle.dumps(document))
    assert (again, again.status_code) == (document, 200)


@pytest.mark.parametrize("body", [b"", b" "])
def test_what_was_done_without_a_document_is_an_empty_one(body: bytes) -> None:
    """A write needs no document; a read does."""
    client, _ = client_of(answer(204, body=body))
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
def test_the_key_stays_at_the_origin(path: Any) -> None:
    """A path that leads elsewhere, or may be read in two ways, is refused before anything is sent."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=r"^path ") as caught:
        client.get(path)
    assert caught.value.field == "path"
    assert transport.requests == []


def test_a_link_of_the_api_is_followed() -> None:
    """An absolute address of the same origin, with its query, to which parameters are added."""
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
        (lambda c: c.get("/dids", {5: "x"}), "params must have text as names"),
        (lambda c: c.get("/dids", {"filter[x]": 1.5}), "'x' takes text"),
        (lambda c: c.request("GET", "/dids", json={}), "json goes with POST"),
        (lambda c: c.post("/dids", "text"), "json must be a dict"),
        (lambda c: c.post("/dids", {"data": object()}), "json holds something that JSON cannot carry"),
        (lambda c: c.post("/dids", {"data": "\ud800"}), "json holds something"),
    ],
)
def test_a_mistake_is_named_before_anything_is_sent(call: Any, words: str) -> None:
    """Method, parameters and document are checked as far as they can be without a declaration."""
    client, transport = client_of()
    with pytest.raises(InvalidValueError, match=words):
        call(client)
    assert transport.requests == []


def test_a_document_may_hold_values_of_python() -> None:
    """Times, amounts, members of enums and UUIDs are written as the service writes them."""
    client, transport = client_of()
    id = UUID("8d1a3c5e-0000-4000-8000-000000000001")
    client.post(
        "/x", {"at": datetime(2026, 3, 1, tzinfo=UTC), "a": Decimal("1.50"), "s": OrderStatus.PENDING, "id": id}
    )
    assert transport.sent == [{"at": "2026-03-01T00:00:00Z", "a": "1.50", "s": "pending", "id": str(id)}]


@pytest.mark.parametrize(
    ("status", "expected"), [(404, NotFoundError), (422, ValidationError), (429, RateLimitError), (500, ServerError)]
)
def test_errors_are_those_of_all_other_calls(status: int, expected: type[Exception]) -> None:
    """By status, with the error objects and the request id."""
    errors = [{"title": "no"}]
    client, _ = client_of(answer(status, {"errors": errors}), max_retries=0)
    with pytest.raises(expected, match=rf"HTTP {status}: no \(GET /v3/things, request id req-1\)") as caught:
        client.get("/things")
    assert caught.value.errors == errors


def test_a_redirect_is_not_followed() -> None:
    """The key would go along."""
    client, transport = client_of(answer(302, location="https://evil.example.net/"))
    with pytest.raises(UnexpectedResponseError, match="redirect"):
        client.get("/things")
    assert len(transport.requests) == 1


# What may be sent again


@pytest.mark.parametrize("result", ["lost", 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_can_happen_twice_is_sent_again(method: str, result: Any) -> None:
    """As the table of retries has it."""
    service = FakeService(AttemptResult(how=result))
    service.serve = lambda request: answer(document=DOCUMENT)
    response = service.run(raw.request(configuration(), method, "/things/1"))
    assert (response, response.attempts, len(service.sent)) == (DOCUMENT, 2, 2)


@pytest.mark.parametrize("result", ["lost", 500, 502, 503, 504])
def test_a_post_that_may_have_been_carried_out_is_never_repeated(result: Any) -> None:
    """It goes out once, and the error says that the outcome is not known."""
    service = FakeService(AttemptResult(how=result))
    service.serve = lambda request: answer(document=DOCUMENT)
    with pytest.raises(
        DidwwError, match="It is not known whether the request was carried out: check before you send it again"
    ) as caught:
        service.run(raw.request(configuration(), "POST", "/orders", None, {"data": {"type": "orders"}}))
    assert caught.value.outcome_unknown
    assert len(service.sent) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"data": ', b"[]"])
def test_a_post_with_a_broken_response_has_an_unknown_outcome(body: bytes) -> None:
    """It was received; whether it was carried out is not known."""
    client, transport = client_of(answer(201, body=body))
    with pytest.raises(UnexpectedResponseError) as caught:
        client.post("/orders", {"data": {"type": "orders"}})
    assert caught.value.outcome_unknown
    assert len(transport.requests) == 1


@pytest.mark.parametrize("result", ["unsent", 429])
def test_a_post_that_was_certainly_not_carried_out_is_sent_again(result: Any) -> None:
    """Nothing was done."""
    service = FakeService(AttemptResult(how=result))
    service.serve = lambda request: answer(201, DOCUMENT)
    assert service.run(raw.request(configuration(), "POST", "/orders", None, {})).attempts == 2


def test_a_post_that_never_went_out_has_a_known_outcome() -> None:
    """Nothing to look for."""
    service = FakeService(*[AttemptResult(how="unsent")] * 3)
    with pytest.raises(ApiConnectionError) as caught:
        service.run(raw.request(configuration(), "POST", "/orders", None, {}))
    assert not caught.value.outcome_unknown


def test_a_deletion_that_is_done_already_was_done() -> None:
    """The first attempt's answer was lost; the second is told that there is no such record."""
    service = FakeService(AttemptResult(how="lost"))
    service.serve = lambda request: answer(404, {"errors": [{"title": "Record not found"}]})
    assert service.run(raw.request(configuration(), "DELETE", "/things/1")) == {}
    with pytest.raises(NotFoundError):
        service.run(raw.request(configuration(), "DELETE", "/things/1"))


# What surrounds a call


def test_the_deadline_and_the_rate_limit_hold() -> None:
    """One timeout for all attempts; one permit for each of them."""
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
    service.serve = lambda request: answer(document=DOCUMENT)
    service.run(raw.request(configuration(limiter=Counting(20)), "GET", "/things"))
    assert len(taken) == 1


def test_hooks_cannot_give_the_key_away() -> None:
    """However an event is encoded, the key is masked in it; what is sent has it."""
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


def test_the_log_and_the_hooks_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """As of all other calls; neither query, nor document, nor key is in the log."""
    told: list[Any] = []
    client, _ = client_of(on_request=told.append, on_response=told.append)
    with caplog.at_level(logging.DEBUG, logger="didww"):
        client.post("/things", {"data": {"password": "hush"}}, {"token": "hush"})
    assert [type(one).__name__ for one in told] == ["RequestStarted", "ResponseReceived"]
    assert f"POST {BASE}/things: 200" in caplog.text
    assert "hush" not in caplog.text
    assert KEY not in caplog.text


def test_a_closed_client_makes_none() -> None:
    """As all other calls."""
    client, _ = client_of()
    client.close()
    with pytest.raises(ClientClosedError):
        client.get("/dids")


def test_a_program_of_raw_calls_against_the_local_didww() -> None:
    """Create, read, change and delete a trunk group."""
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


def test_a_client_knows_its_environment() -> None:
    """That of its address; None for an address of the caller's own."""
    for environment in Environment:
        with DidwwClient(KEY, environment) as client:
            assert client.environment is environment
            assert client.with_options(timeout=1).environment is environment
    with DidwwClient(KEY, base_url=BASE) as client:
        assert client.environment is None
    assert AsyncDidwwClient(KEY, "production").environment is Environment.PRODUCTION


@pytest.mark.parametrize("make", [DidwwClient, AsyncDidwwClient])
def test_a_client_is_not_pickled_and_says_why(make: Any) -> None:
    """Neither it, nor an accessor, nor an iterator of it; a shallow copy shares the connections."""
    transport = Scripted(answer(document=DOCUMENT)) if make is DidwwClient else AsyncScripted(answer(document=DOCUMENT))
    client = make(KEY, base_url=BASE, transport=transport, rate_limit=None)
    for one in (client, client.dids()):
        for copying in (*(lambda x, p=p: pickle.dumps(x, p) for p in range(6)), copy.deepcopy):
            with pytest.raises(DidwwError, match=r"cannot be pickled.*API key.*with_options\(\)") as caught:
                copying(one)
            assert KEY not in str(caught.value)
    for copying in (pickle.dumps, copy.deepcopy):
        with pytest.raises(DidwwError, match=r"RecordIterator cannot be pickled.*resume=cursor"):
            copying(client.dids().iterate())
    assert copy.copy(client)._driver is client._driver


def test_an_interrupted_post_says_that_it_may_have_been_carried_out() -> None:
    """As for orders: Ctrl-C while the response is awaited gets a note; before anything was sent it does not."""

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
