"""Tokens of a provider: one request for all calls that need one, renewal, refusals, and failures at each point."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from didww import AsyncDidwwClient, DidOrderItem, DidwwClient, Order, RateLimiter, TokenProvider
from didww._core.create import LOOKS
from didww._core.effects import Await, Now, Open, Request, Response, Send, Sleep
from didww._core.operations import create, find, list_
from didww._core.tokens import RENEWAL_PAUSE
from didww._drivers import asynchronous, sync
from didww._util.token_cache import REFUSAL_PAUSE, Flight, Lease, Token, TokenCache
from didww.configuration import Configuration
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    AuthenticationError,
    ClientClosedError,
    DidwwError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    ValidationError,
)
from didww.query_params import QueryParams
from didww.resources.balance import Balance
from didww.resources.country import Country
from didww.transport.cancellation import CancelToken, InterruptedCallError
from support.hypothesis_profiles import law
from support.token_service import BASE, ID, TOKEN_URL, VERSION, AsyncServed, Served, TokenService
from support.unix import unix_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = "k3y-that-nobody-may-see"
PATIENCE = 600.0
"""Seconds after which a test that hangs fails."""


def oauth(status: int, code: str, description: str = "", **headers: str) -> Response:
    body = {"error": code, "error_description": description}
    return Response(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(body).encode()
    )


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[TokenService], list[float]]:
    """Return a function that lets the clients live by the clock of a service, and returns their pauses."""

    def use(service: TokenService) -> list[float]:
        pauses: list[float] = []

        def sleep(seconds: float) -> None:
            pauses.append(seconds)
            service.now += seconds

        fake = SimpleNamespace(monotonic=lambda: service.now, sleep=sleep)
        monkeypatch.setattr(sync, "time", fake)
        monkeypatch.setattr(asynchronous, "time", fake)
        return pauses

    return use


def client_of(service: TokenService, **options: Any) -> DidwwClient:
    options.setdefault("rate_limit", None)
    key = None if "credentials" in options else KEY
    return DidwwClient(key, base_url=BASE, api_version=VERSION, transport=Served(service), **options)


def async_client_of(service: TokenService, before_mint: Any = None, **options: Any) -> AsyncDidwwClient:
    options.setdefault("rate_limit", None)
    key = None if "credentials" in options else KEY
    return AsyncDidwwClient(
        key, base_url=BASE, api_version=VERSION, transport=AsyncServed(service, before_mint), **options
    )


def an_order() -> Order:
    return Order(items=[DidOrderItem(sku_id=ID, qty=1)])


# One token


def test_token_is_requested_for_a_key_and_kept(at: Any) -> None:
    """The key goes to the token service only, and the token to the API only."""
    service = TokenService()
    at(service)
    client = client_of(service, headers={"X-Job": "1"})
    client.balance().find()
    client.balance().find()
    first, *others = service.requests
    assert (first.method, first.url, first.headers["Api-Key"]) == ("POST", TOKEN_URL, KEY)
    assert (first.headers["Content-Type"], first.headers["X-Job"]) == ("application/json", "1")
    assert service.minted == [{"aud": "api.didww.com", "scope": "full", "api_version": VERSION}]
    for request in others:
        assert request.headers["Authorization"] == "Bearer t0ken-that-nobody-may-see-1"
        assert "Api-Key" not in request.headers


def test_scope_and_life_are_requested() -> None:
    """A client's scope narrows that of the provider, and each scope has its own token."""
    service = TokenService()
    provider = TokenProvider(KEY, expires_in=120)
    for scope in (None, "read", "read:dids", "read"):
        client_of(service, credentials=provider, scope=scope).balance().find()
    assert [(one["scope"], one["expires_in"]) for one in service.minted] == [
        ("full", 120),
        ("read", 120),
        ("read:dids", 120),
    ]


@pytest.mark.parametrize(("life", "renewed"), [(3600, 3540), (900, 840), (300, 240), (200, 160), (60, 48)])
def test_token_is_renewed_shortly_before_its_expiry(life: float, renewed: float, at: Any) -> None:
    """A minute before, or in the last fifth of a short life."""
    service = TokenService(life=life)
    at(service)
    client = client_of(service)
    client.balance().find()
    service.now += renewed - 0.5
    client.balance().find()
    assert len(service.minted) == 1
    service.now += 1
    client.balance().find()
    assert len(service.minted) == 2


def test_token_expires_in_the_middle_of_an_iteration(at: Any) -> None:
    """No page is lost."""
    service = TokenService(life=60)
    at(service)
    pages = 12
    plain = service.handle

    def handle(request: Request) -> Response:
        response = plain(request)
        if response.status != 200 or not request.url.startswith(f"{BASE}/dids"):
            return response
        service.now += 25
        number = int(request.url.partition("page%5Bnumber%5D=")[2] or 1)
        link = {"next": f"{BASE}/dids?page%5Bnumber%5D={number + 1}"} if number < pages else {}
        data = [{"type": "dids", "id": f"{number:08d}-0000-4000-8000-000000000000", "attributes": {}}]
        return Response(200, {}, json.dumps({"data": data, "links": link, "meta": {"total_records": pages}}).encode())

    service.handle = handle  # type: ignore[method-assign]
    assert len(list(client_of(service).dids().iterate(prefetch=0))) == pages
    assert 4 <= len(service.minted) <= pages
    assert len(service.served) == pages


def test_token_takes_a_permit_and_is_logged_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    """Hooks see the request with a masked key, and the response without its body."""
    service, seen, permits = TokenService(), [], []

    class Counting(RateLimiter):
        def acquire(self, timeout: float) -> Any:
            permits.append(timeout)
            return super().acquire(timeout)

    client = client_of(service, rate_limit=Counting(20), on_request=seen.append, on_response=seen.append)
    with caplog.at_level(logging.DEBUG, "didww"):
        client.balance().find()
    assert len(permits) == 2
    assert [event.request.url for event in seen] == [TOKEN_URL] * 2 + [f"{BASE}/balance"] * 2
    assert (seen[0].request.headers["Api-Key"], seen[1].response.body) == ("***", b"")
    assert seen[2].request.headers["Authorization"] == "***"
    assert seen[3].response.body
    assert f"POST {TOKEN_URL}: 200" in caplog.text
    shown = caplog.text + repr(seen) + "".join(str(event.request.headers) for event in seen)
    assert KEY not in shown
    assert "t0ken-" not in shown


def test_other_scope_than_requested_is_logged_once(caplog: pytest.LogCaptureFixture, at: Any) -> None:
    """The client still refuses to write."""
    service = TokenService(life=60)
    at(service)
    service.changes = {"scope": "full"}
    client = client_of(service, scope="read:dids")
    for _ in range(3):
        client.balance().find()
        service.now += 59
    assert len(service.minted) == 3
    assert caplog.text.count("granted the scope full instead of read:dids") == 1
    with pytest.raises(DidwwError, match="can only read"):
        client.delete("/dids/1")


# Refusals and failures of the token service


@pytest.mark.parametrize(
    ("response", "cls", "message"),
    [
        (oauth(401, "invalid_client", f"Unknown key {KEY}"), AuthenticationError, "HTTP 401: Unknown key *** (POST /token"),
        (oauth(401, "invalid_client"), AuthenticationError, "its list of IP addresses"),
        (oauth(400, "invalid_scope", "No such scope"), PermissionDeniedError, "No such scope (POST /token). Pass another scope="),
        (oauth(400, "invalid_request", "aud is missing"), ValidationError, "HTTP 400: aud is missing"),
        (oauth(429, "rate_limit_exceeded", "Slow down", retry_after="90"), RateLimitError, "Slow down"),
        (Response(403, {}, b"<html>"), PermissionDeniedError, "HTTP 403: Forbidden"),
        (Response(500, {}, b""), ServerError, "HTTP 500"),
        (Response(404, {}, b'{"errors": [{"title": "No route"}]}'), UnexpectedResponseError, "Check the token URL"),
    ],
)  # fmt: skip
def test_refused_token_is_an_error_of_its_status(response: Response, cls: type[DidwwError], message: str) -> None:
    """It has the service's own message, and never the key. Nothing else is sent."""
    service = TokenService(response)
    with pytest.raises(cls) as caught:
        client_of(service).orders().create(an_order())
    assert message in str(caught.value)
    assert KEY not in str(caught.value)
    assert not caught.value.outcome_unknown
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "t0ken-that\nnobody-may-see"},
        {"access_token": "t0ken-that-nobody-may-see\u00e9"},
        {"access_token": "x" * 20_000},
        {"token_type": "mac"},
        {"token_type": ["Bearer"]},
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_in": "900"},
        {"expires_in": True},
        {"expires_in": 1e300},
        {"expires_in": []},
        {"aud": "api-vin.didww.com"},
        {"aud": []},
        {"aud": {"api.didww.com": 1}},
        {"api_version": "2026-04-16"},
        {"api_version": 5},
    ],
)
def test_malformed_token_is_refused(changes: dict[str, Any]) -> None:
    """The error says what is wrong, and shows nothing of the response."""
    service = TokenService()
    service.changes = changes
    with pytest.raises(UnexpectedResponseError) as caught:
        client_of(service).orders().create(an_order())
    assert "t0ken" not in str(caught.value)
    assert len(service.requests) == 1
    assert not caught.value.outcome_unknown
    if "api_version" in changes:
        assert "see api_version=" in str(caught.value)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"access_token": "t0ken-that'])
@pytest.mark.parametrize("status", [200, 302])
def test_response_without_a_document_is_refused(body: bytes, status: int) -> None:
    """A redirect is not followed, because the key would go with it."""
    service = TokenService(Response(status, {"location": "https://elsewhere.example.com"}, body))
    with pytest.raises(UnexpectedResponseError, match=f"HTTP {status}"):
        client_of(service).balance().find()
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    "changes",
    [{"aud": "api.didww.com"}, {"aud": ["api-vin.didww.com", "api.didww.com"]}, {"aud": None}, {"token_type": "bearer"},
     {"token_type": None}, {"scope": None}, {"api_version": None}, {"expires_in": 59.5}],
)  # fmt: skip
def test_variants_of_a_token_are_accepted(changes: dict[str, Any]) -> None:
    """Members that repeat the request may be missing, and the audience may be text or a list."""
    service = TokenService()
    service.changes = changes
    assert client_of(service).balance().find().status_code == 200


def test_requests_for_tokens_are_retried(at: Any) -> None:
    """Within the rules of all requests: after Retry-After, and after a lost connection."""
    service = TokenService(oauth(429, "rate_limit_exceeded", retry_after="7"), ApiConnectionError("lost"))
    pauses = at(service)
    assert client_of(service).balance().find().attempts == 1
    assert len(service.minted) == 3
    assert 7 <= pauses[0] < 8


def test_lost_connection_says_what_was_not_sent(at: Any) -> None:
    """Even an order is certain not to exist."""
    service = TokenService(*[ApiConnectionError("lost")] * 3)
    at(service)
    with pytest.raises(
        ApiConnectionError, match=r"POST https://api.example.com/v3/orders was not sent: no token. lost \(3"
    ) as caught:
        client_of(service).orders().create(an_order())
    assert not caught.value.request_sent
    assert not caught.value.outcome_unknown
    assert caught.value.phase == "getting a token"
    assert service.served == []


def test_bulk_knows_that_nothing_was_sent(at: Any) -> None:
    """Errors of the token service leave no item in doubt."""
    for script in (ServerError([], 500), UnexpectedResponseError("x"), ApiConnectionError("x")):
        service = TokenService(*[script] * 9)
        at(service)
        report = client_of(service, max_retries=0).orders().create_many([an_order(), an_order()], concurrency=1)
        assert [item.state for item in report.items] == ["failed", "failed"]


def test_failed_renewal_keeps_the_old_token(at: Any) -> None:
    """It is tried again some seconds later, without retries in between."""
    service = TokenService(life=300)
    pauses = at(service)
    client = client_of(service)
    client.balance().find()
    service.now += 250
    for error in (Response(503, {}, b""), ApiConnectionError("lost"), oauth(401, "invalid_client")):
        service.script = [error]
        minted = len(service.minted)
        client.balance().find()
        assert len(service.minted) == minted + 1
        service.now += RENEWAL_PAUSE - 1
        client.balance().find()
        assert len(service.minted) == minted + 1
        service.now += 2
    assert pauses == []
    client.balance().find()
    assert service.requests[-1].headers["Authorization"].endswith("-5")


@pytest.mark.parametrize(("timeout", "most"), [(4.0, 2.0), (100.0, 10.0)])
def test_renewal_that_hangs_leaves_time_for_the_request(timeout: float, most: float, at: Any) -> None:
    """It may take half of the time of the call, and at most ten seconds."""
    service = TokenService(life=300)
    at(service)
    deadlines: list[float] = []

    class Hanging(Served):
        def send(self, request: Request, deadline: float) -> Response:
            if request.url == TOKEN_URL and service.minted:
                deadlines.append(deadline - service.now)
                service.now = deadline
                raise ApiTimeoutError("late")
            return super().send(request, deadline)

    client = DidwwClient(
        KEY, base_url=BASE, api_version=VERSION, transport=Hanging(service), rate_limit=None, timeout=timeout
    )
    client.balance().find()
    service.now += 250
    client.balance().find()
    assert deadlines == [most]


def test_no_time_for_a_token_is_a_timeout(at: Any) -> None:
    """The message says that the token is missing."""
    service = TokenService()
    at(service)
    client = client_of(service, timeout=5)

    def late() -> None:
        service.now += 6
        raise ApiTimeoutError("late")

    service.before_mint = late
    with pytest.raises(ApiTimeoutError, match="no token arrived before its timeout") as caught:
        client.orders().create(an_order())
    assert (caught.value.phase, caught.value.request_sent, caught.value.outcome_unknown) == (
        "getting a token",
        False,
        False,
    )


# Refusals by the API


@pytest.mark.parametrize("retries", [0, 2])
def test_refused_token_is_replaced_once(retries: int) -> None:
    """Also for an order, which was refused before it was placed."""
    service = TokenService()
    client = client_of(service, max_retries=retries)
    client.balance().find()
    service.revoke()
    response = client.orders().create(an_order())
    assert (response.attempts, len(service.orders), len(service.minted)) == (1, 1, 2)
    service.revoke()
    assert client.balance().find().attempts == 1
    assert len(service.minted) == 3


def test_token_that_is_always_refused_is_an_error() -> None:
    """Two requests, one new token, no loop."""
    service = TokenService()
    service.refuses_all = True
    with pytest.raises(AuthenticationError, match="The service refused the token") as caught:
        client_of(service).orders().create(an_order())
    assert (len(service.served), len(service.minted)) == (2, 2)
    assert not caught.value.outcome_unknown
    assert service.orders == []


def test_service_that_issues_the_same_token_again_is_no_loop() -> None:
    """Threads with the same refused token do not each get another one."""
    service = TokenService()
    service.changes = {"access_token": "t0ken-that-nobody-may-see"}
    client = client_of(service)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: failure_of(client.balance().find), range(8)))
    assert all(isinstance(outcome, AuthenticationError) for outcome in outcomes)
    assert len(service.minted) <= 1 + 8


def test_failure_to_replace_a_refused_token_is_certain(at: Any) -> None:
    """The order was refused, so it was not placed."""
    service = TokenService()
    at(service)
    client = client_of(service)
    client.balance().find()
    service.revoke()
    service.script = [ApiConnectionError("lost", request_sent=True)] * 3
    with pytest.raises(ApiConnectionError) as caught:
        client.orders().create(an_order())
    assert not caught.value.outcome_unknown
    assert not caught.value.request_sent
    assert service.orders == []


def test_download_gets_and_replaces_tokens(tmp_path: Path) -> None:
    """The response with the refusal is closed."""
    service = TokenService()
    import gzip

    service.file = gzip.compress(b"a,b\n")
    client = client_of(service, max_retries=0)
    url = f"{BASE}/exports/a.csv.gz"
    client.download_export(url, tmp_path / "a")
    service.revoke()
    client.download_export(url, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == service.file
    assert len(service.minted) == 2
    assert client._driver.transport.released == 3  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    service.refuses_all = True
    with pytest.raises(AuthenticationError, match="refused the token"):
        client.download_export(url, tmp_path / "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_file_elsewhere_needs_no_token(tmp_path: Path) -> None:
    """None is requested, and none is sent."""
    service = TokenService(ApiConnectionError("down"))
    with pytest.raises(AuthenticationError):  # this service wants one
        client_of(service).download_export("https://files.example.com/a.csv.gz", tmp_path / "a")
    assert service.minted == []
    assert "Authorization" not in service.requests[0].headers


def test_upload_is_sent_again_with_another_token() -> None:
    """From its first byte."""
    service = TokenService()
    client = client_of(service)
    client.balance().find()
    service.revoke()
    assert client.upload_encrypted_file("a:::b", b"x" * 100) == ID
    assert len(service.minted) == 2
    assert len(service.served) == 3


# Many calls at once


def failure_of(call: Callable[[], Any]) -> BaseException | None:
    try:
        call()
    except Exception as error:  # noqa: BLE001 the outcome
        return error
    return None


def waiting(client: DidwwClient | AsyncDidwwClient, number: int) -> threading.Event:
    """Return an event that is set when this number of calls wait for a token of the client."""
    return waiting_for(client._configuration.credentials, number)


def waiting_for(provider: Any, number: int) -> threading.Event:
    ready = threading.Event()
    count = [0]
    plain = Flight.listen

    class Counting(Flight):
        def listen(self, wake: Callable[[], object]) -> None:
            plain(self, wake)
            count[0] += 1
            if count[0] >= number:
                ready.set()

    provider.cache.new_flight = Counting
    return ready


def test_thirty_two_threads_get_one_token() -> None:
    """The token service is slow: all others wait for the first, and each order is placed once."""
    service = TokenService()
    client = client_of(service)
    others = waiting(client, 31)
    service.before_mint = lambda: others.wait(PATIENCE)
    with ThreadPoolExecutor(32) as pool:
        responses = list(pool.map(lambda _: client.orders().create(an_order()), range(32)))
    assert len(service.minted) == 1
    assert len(service.orders) == len({response.data.id for response in responses}) == 32


def test_five_hundred_tasks_get_one_token() -> None:
    """Of asyncio, whose loop is not blocked."""
    service = TokenService()

    async def main() -> None:
        arrived = asyncio.Event()
        client = async_client_of(service, arrived.wait)
        others = waiting(client, 499)
        tasks = [asyncio.create_task(client.orders().create(an_order())) for _ in range(500)]
        while not others.is_set():
            await asyncio.sleep(0)
        arrived.set()
        ids = {(await task).data.id for task in tasks}
        assert len(ids) == 500

    asyncio.run(main())
    assert (len(service.minted), len(service.orders)) == (1, 500)


def test_tasks_of_trio_get_one_token() -> None:
    """As those of asyncio."""
    service = TokenService()

    async def main() -> None:
        arrived = trio.Event()
        client = async_client_of(service, arrived.wait)
        others = waiting(client, 49)
        async with trio.open_nursery() as nursery:
            for _ in range(50):
                nursery.start_soon(client.orders().create, an_order())
            while not others.is_set():
                await trio.lowlevel.checkpoint()
            arrived.set()

    trio.run(main)
    assert (len(service.minted), len(service.orders)) == (1, 50)


@pytest.mark.parametrize("leader", ["thread", "task"])
def test_threads_and_tasks_share_a_provider(leader: str) -> None:
    """Of a synchronous and an asynchronous client, whoever is first."""
    service, provider = TokenService(), TokenProvider(KEY)
    client = client_of(service, credentials=provider)
    others, begun = waiting_for(provider, 2), threading.Event()

    def slow() -> None:
        begun.set()
        others.wait(PATIENCE)

    async def aside() -> None:
        await anyio.to_thread.run_sync(slow)

    async def tasks() -> None:
        async with async_client_of(service, aside, credentials=provider) as asynchronous_client:
            await asyncio.gather(*(asynchronous_client.balance().find() for _ in range(2)))

    calls: list[Callable[[], Any]] = [client.balance().find, lambda: asyncio.run(tasks())]
    if leader == "thread":
        service.before_mint = slow
    else:
        calls.reverse()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(calls[0])
        assert begun.wait(PATIENCE)
        second = pool.submit(calls[1])
        first.result(PATIENCE)
        second.result(PATIENCE)
    assert len(service.minted) == 1


def test_refused_token_is_replaced_once_for_all_threads() -> None:
    """Each of them was refused with the same token."""
    service = TokenService()
    client = client_of(service)
    client.balance().find()
    service.revoke()
    others = waiting(client, 15)
    service.before_mint = lambda: others.wait(PATIENCE)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: client.orders().create(an_order()), range(16)))
    assert (len(service.minted), len(service.orders)) == (2, 16)


def test_renewal_does_not_keep_others_waiting(at: Any) -> None:
    """They go on with the token that is still valid."""
    service = TokenService(life=300)
    at(service)
    client = client_of(service)
    client.balance().find()
    service.now += 250
    begun, done = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        done.wait(PATIENCE)

    service.before_mint = slow
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(client.balance().find)
        assert begun.wait(PATIENCE)
        client.balance().find()
        assert service.requests[-1].headers["Authorization"].endswith("-1")
        done.set()
        renewing.result(PATIENCE)
    assert service.requests[-1].headers["Authorization"].endswith("-2")


@pytest.mark.parametrize(
    "error", [oauth(401, "invalid_client"), UnexpectedResponseError("odd"), ApiConnectionError("down")]
)
def test_error_of_the_token_service_is_raised_by_all_that_waited(error: Any) -> None:
    """Each gets its own copy, and none of them asks again."""
    service = TokenService(error)
    client = client_of(service, max_retries=0)
    others = waiting(client, 7)
    service.before_mint = lambda: others.wait(PATIENCE)
    with ThreadPoolExecutor(8) as pool:
        failures = list(pool.map(lambda _: failure_of(client.balance().find), range(8)))
    assert len(service.minted) == 1
    assert len({id(failure) for failure in failures}) == 8
    assert len({type(failure) for failure in failures}) == 1
    assert len({str(failure) for failure in failures}) == 1


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), ClientClosedError("closed"), ApiTimeoutError("late"), RuntimeError("a bug of a hook")],
)
def test_another_call_takes_over_from_one_that_ends(error: BaseException) -> None:
    """Ctrl-C, a closed client or the timeout of one call says nothing about the others."""
    service = TokenService(error)
    client = client_of(service, max_retries=0)
    others = waiting(client, 7)
    service.before_mint = lambda: others.wait(PATIENCE)

    def call(_: int) -> BaseException | None:
        try:
            client.orders().create(an_order())
        except BaseException as failure:  # noqa: BLE001 the outcome
            return failure
        return None

    with ThreadPoolExecutor(8) as pool:
        failures = [failure for failure in pool.map(call, range(8)) if failure is not None]
    assert [type(failure) for failure in failures] == [type(error)]
    assert (len(service.minted), len(service.orders)) == (2, 7)


def test_another_task_takes_over_from_a_canceled_one() -> None:
    """In asyncio, also if the last one that waits is canceled."""
    service = TokenService()

    async def main() -> None:
        arrived = asyncio.Event()
        client = async_client_of(service, arrived.wait)
        others = waiting(client, 3)
        tasks = [asyncio.create_task(client.orders().create(an_order())) for _ in range(4)]
        while not others.is_set():
            await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[3].cancel()
        await asyncio.wait(tasks[:1])
        arrived.set()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(outcome, asyncio.CancelledError) for outcome in outcomes] == [True, False, False, True]

    asyncio.run(main())
    assert (len(service.minted), len(service.orders)) == (1, 2)


def test_another_task_takes_over_under_trio() -> None:
    """As in asyncio."""
    service = TokenService()

    async def main() -> None:
        arrived = trio.Event()
        client = async_client_of(service, arrived.wait)
        others = waiting(client, 1)
        scope = trio.CancelScope()

        async def canceled() -> None:
            with scope:
                await client.balance().find()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(canceled)
            await trio.testing.wait_all_tasks_blocked()
            nursery.start_soon(client.orders().create, an_order())
            while not others.is_set():
                await trio.lowlevel.checkpoint()
            scope.cancel()
            arrived.set()

    trio.run(main)
    assert (len(service.minted), len(service.orders)) == (1, 1)


def test_started_call_that_waits_for_a_token_can_be_canceled() -> None:
    """It ends at once, and no longer waits."""
    token, flight, listening = CancelToken(), Flight(), threading.Event()
    canceling = threading.Thread(target=lambda: (listening.wait(PATIENCE), token.interrupt()))
    canceling.start()
    plain = flight.listen

    class Observed:
        def listen(self, wake: Any) -> None:
            plain(wake)
            listening.set()

        forget = flight.forget

    with pytest.raises(InterruptedCallError):
        token.wait(Observed(), PATIENCE)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    with pytest.raises(InterruptedCallError):  # and not only then
        token.wait(flight, PATIENCE)
    canceling.join(PATIENCE)


@unix_only
def test_ctrl_c_ends_the_wait_for_a_token() -> None:
    """The call that gets the token goes on, and its token is kept."""
    service = TokenService()
    client = client_of(service)
    other = waiting(client, 1)
    begun, done = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        other.wait(PATIENCE)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        done.wait(PATIENCE)

    service.before_mint = slow
    with ThreadPoolExecutor(1) as pool:
        leading = pool.submit(client.balance().find)
        assert begun.wait(PATIENCE)
        with pytest.raises(KeyboardInterrupt):
            client.orders().create(an_order())
        done.set()
        leading.result(PATIENCE)
    assert (len(service.minted), service.orders) == (1, [])


def test_call_that_waits_longer_than_its_timeout_ends() -> None:
    """The others go on."""
    cache = TokenCache()
    key = (TOKEN_URL, "api.didww.com", "full", VERSION)
    service = TokenService()
    provider = TokenProvider(KEY)
    provider.cache = cache
    leader = Lease(cache, key)
    assert leader.claim(0.0).leads
    client = client_of(service, credentials=provider, timeout=0.01)
    with pytest.raises(ApiTimeoutError, match="no token arrived"):
        client.balance().find()
    leader.release()
    assert client.with_options(timeout=60).balance().find().status_code == 200


def test_forked_process_does_not_wait_for_a_thread_that_it_lacks() -> None:
    """It keeps the tokens and forgets those on their way."""
    cache = TokenCache()
    kept, flying = Lease(cache, "kept"), Lease(cache, "flying")
    kept.claim(0.0)
    kept.store(Token("t0ken", since=0.0, life=900))
    assert flying.claim(0.0).leads
    cache.after_fork()
    assert Lease(cache, "kept").claim(1.0).token is not None
    assert Lease(cache, "flying").claim(1.0).leads
    flying.release()


# Any sequence of faults


OUTCOMES = st.sampled_from(
    ["token", "token", "short", "401", "500", "503", "429", "lost", "unsent", "late", "malformed", "same"]
)
FATES = st.sampled_from(["served", "served", "refused", "expired", "503", "lost", "unsent"])


class Schedule:
    """Carries out the effects of calls by scripts of the token service and of the API."""

    def __init__(self, mints: list[str], fates: list[str]) -> None:
        self.mints, self.fates = list(mints), list(fates)
        self.now = 1000.0
        self.issued = 0
        self.placed: list[Any] = []
        self.sent: list[Request] = []
        self.asked = 0
        self.refused = 0

    def run(self, call: Any) -> Any:
        outcome: Any = None
        failure: BaseException | None = None
        while True:
            try:
                effect = call.send(outcome) if failure is None else call.throw(failure)
            except StopIteration as stop:
                return stop.value
            outcome, failure = None, None
            if isinstance(effect, Now):
                outcome = self.now
            elif isinstance(effect, Sleep):
                self.now += effect.seconds
            elif isinstance(effect, Send):
                try:
                    outcome = self.send(effect.request, effect.deadline)
                except DidwwError as error:
                    failure = error
            else:
                assert not isinstance(effect, (Await, Open)), "nothing else is running"

    def send(self, request: Request, deadline: float) -> Response:
        self.now += 0.25
        if request.url == TOKEN_URL:
            self.asked += 1
            how = self.mints.pop(0) if self.mints else "token"
        else:
            self.sent.append(request)
            assert request.headers["Authorization"].startswith("Bearer t0ken")
            how = self.fates.pop(0) if self.fates else "served"
        if self.now >= deadline or how == "late":
            self.now = max(self.now, deadline)
            raise ApiTimeoutError("late")
        if how in ("lost", "unsent"):
            if how == "lost" and request.method == "POST" and request.url != TOKEN_URL:
                self.placed.append(json.loads(request.body))  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            raise ApiConnectionError(how, request_sent=how == "lost")
        if how.isdecimal():
            return Response(int(how), {}, b"")
        if how in ("refused", "expired"):
            self.refused += 1
            return Response(401, {}, b"")
        if request.url == TOKEN_URL:
            self.issued += how != "same"
            life = 0 if how == "malformed" else 60 if how == "short" else 900
            return Response(200, {}, json.dumps({"access_token": f"t0ken-{self.issued}", "expires_in": life}).encode())
        if request.method == "POST":
            data = json.loads(request.body)["data"]  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
            self.placed.append(data)
            return Response(201, {}, json.dumps({"data": {**data, "id": ID}}).encode())
        data = [] if "orders" in request.url or "countries" in request.url else {"type": "balances", "id": ID}
        return Response(200, {}, json.dumps({"data": data}).encode())


@law(3000)
@given(
    mints=st.lists(OUTCOMES, max_size=12),
    fates=st.lists(FATES, max_size=12),
    calls=st.lists(st.sampled_from(["find", "list", "order"]), min_size=1, max_size=5),
    gaps=st.lists(st.floats(0, 1000), min_size=5, max_size=5),
    retries=st.integers(0, 3),
)
def test_any_sequence_of_faults(
    mints: list[str], fates: list[str], calls: list[str], gaps: list[float], retries: int
) -> None:
    """No order twice, no loop, at most one new token for a refused one, and an outcome that is true."""
    schedule = Schedule(mints, fates)
    provider = TokenProvider("key")
    configuration = Configuration(
        credentials=provider, base_url=BASE, api_version="2026-11-19", max_retries=retries, jitter=lambda: 0.5
    )
    made: dict[str, Callable[[], Any]] = {
        "find": lambda: find(configuration, Balance, None, QueryParams()),
        "list": lambda: list_(configuration, Country, QueryParams()),
        "order": lambda: create(configuration, Order, an_order(), QueryParams()),
    }
    for call, gap in zip(calls, gaps, strict=False):
        placed, asked, refused = len(schedule.placed), schedule.asked, schedule.refused
        error: DidwwError | None = None
        try:
            schedule.run(made[call]())
        except DidwwError as failure:
            error = failure
        new = len(schedule.placed) - placed
        # Each request replaces a refused token once; an order whose response was lost is looked up.
        assert schedule.refused - refused <= 2 * (1 + LOOKS if call == "order" else 1)
        assert new <= 1
        if call == "order":
            assert error is not None or new == 1
            assert not new or error is None or error.outcome_unknown
        # Each attempt needs a token, or two if the first is refused, and each request for a token has its retries.
        requests = 1 + LOOKS if call == "order" else 1
        assert schedule.asked - asked <= requests * (retries + 2) * (retries + 2)
        entries = provider.cache._entries.values()
        assert all(entry.flight is None for entry in entries)
        schedule.now += gap


# Services that refuse every token


def test_tokens_that_are_all_refused_are_not_requested_over_and_over(at: Any) -> None:
    """A token that replaces a refused one and is refused, too, is replaced only after some seconds."""
    service = TokenService()
    client = client_of(service)
    service.refuses_all = True
    for _ in range(20):
        with pytest.raises(AuthenticationError):
            client.balance().find()
    assert len(service.minted) == 2
    service.now += REFUSAL_PAUSE
    at(service)
    with pytest.raises(AuthenticationError):
        client.balance().find()
    assert len(service.minted) == 3
    service.refuses_all = False
    assert client.balance().find().data.total_balance == 1
    assert len(service.minted) == 3


def test_token_that_was_accepted_is_replaced_at_once() -> None:
    """Also if it replaced a refused one a moment ago."""
    service = TokenService()
    client = client_of(service)
    for number in range(1, 6):
        client.balance().find()
        assert len(service.minted) == number
        service.revoke()


def test_limit_of_the_token_service_does_not_slow_down_the_api(at: Any) -> None:
    """A renewal that gets a 429 leaves the permits of other requests alone."""
    service = TokenService(life=100)
    limiter = RateLimiter(1000)
    client = client_of(service, rate_limit=limiter)
    client.balance().find()
    service.script = [oauth(429, "rate_limit_exceeded", "Slow down", retry_after="30")]
    service.now += 90
    at(service)
    client.balance().find()
    assert limiter.acquire(0.0).wait < 1


def test_hook_that_makes_a_call_does_not_wait_for_its_own_token() -> None:
    """The call of the hook gets a token of its own."""
    service, provider = TokenService(), TokenProvider(KEY)
    inner, made = client_of(service, credentials=provider), []

    def hook(_: object) -> None:
        if not made:
            made.append(True)
            made.append(inner.balance().find().data.total_balance)

    outer = client_of(service, credentials=provider, on_request=hook)
    outer.balance().find()
    assert made == [True, 1]
    assert len(service.minted) == 2


def test_canceling_a_call_inside_the_cache_does_not_block() -> None:
    """Garbage collection can end a call while another one of the same thread holds the lock."""
    cache = TokenCache()
    lease = Lease(cache, "key")
    assert lease.claim(0.0).leads
    with cache.lock:
        lease.release()
    assert Lease(cache, "key").claim(0.0).leads
