"""Test the emulator as an HTTP server: methods, hosts, browsers, compression, validators, dates, fair queuing."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from didww import Export, ExportType, NotFoundError
from didww._server.asgi_server import served
from didww.emulator import Clock, Emulator
from didww.emulator.http import app
from didww.emulator.http.app import EmulatorApp
from didww.emulator.http.fair_queue import FairQueue
from didww.emulator.http.server import Server

START = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEY = {"Api-Key": "key"}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False)) as emulator:
        yield emulator


@pytest.fixture
def raw(emulator: Emulator) -> Iterator[httpx2.Client]:
    """Return an HTTP client without default headers, for a served emulator."""
    server = Server(emulator, hosts=["emulator.example.com"])
    with served(server), httpx2.Client(base_url=server.address, headers=KEY, trust_env=False) as client:
        yield client


def send_raw(raw: httpx2.Client, head: str) -> bytes:
    """Send the raw request and return the whole response, until the connection closes."""
    url = raw.base_url
    with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
        connection.sendall(f"{head}\r\nApi-Key: key\r\nConnection: close\r\n\r\n".encode())
        response = b""
        while piece := connection.recv(65536):
            response += piece
    return response


def test_head_is_get_without_a_body(raw: httpx2.Client) -> None:
    """Same status and length for a record, a list, an error and an unauthorized request."""
    for path, status in (("/v3/balance", 200), ("/v3/countries", 200), ("/v3/dids/x", 404), ("/v3/nothing", 404)):
        got, head = raw.get(path, headers={"Accept-Encoding": ""}), raw.head(path, headers={"Accept-Encoding": ""})
        assert (got.status_code, head.status_code) == (status, status)
        assert head.content == b""
        assert head.headers["content-length"] == str(len(got.content))
    assert raw.head("/v3/balance", headers={"Api-Key": ""}).status_code == 401
    assert raw.head("/_emulator/clock/state").status_code == 200
    assert raw.head("/_emulator/clock/advance").status_code == 405


def test_head_works_for_export_files(emulator: Emulator, raw: httpx2.Client) -> None:
    """The response has the length and ETag, and no body."""
    span = {"from": "2026-03-01 00:00:00", "to": "2026-03-10 00:00:00"}
    export = emulator.client("key").exports().create(Export(export_type=ExportType.CDR_IN, filters=span)).data
    emulator.clock.advance(1)
    path = urlsplit(str(emulator.client("key").exports().find(export.id).data.url)).path
    got, head = raw.get(path), raw.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["etag"] == got.headers["etag"]
    assert "content-encoding" not in got.headers
    assert raw.get(path, headers={"If-None-Match": got.headers["etag"]}).status_code == 304


def test_local_pages_get_cors_headers(raw: httpx2.Client) -> None:
    """Preflights need no key; all responses have the service's CORS headers, errors too."""
    request_headers = {"Origin": "http://localhost:3000", "Access-Control-Request-Headers": "api-key"}
    preflight = raw.options("/v3/orders", headers={**request_headers, "Api-Key": ""})
    assert preflight.status_code == 200
    for response in (
        preflight,
        raw.get("/v3/balance", headers=request_headers),
        raw.get("/v3/dids/x", headers=request_headers),
    ):
        cors = {name.removeprefix("access-control-"): value for name, value in response.headers.items()}
        assert cors["allow-origin"] == "http://localhost:3000"
        assert cors["allow-methods"] == "GET, POST, DELETE, PUT, PATCH, OPTIONS"
        assert cors["allow-credentials"] == "true"
        assert "api-key" in cors["allow-headers"].split(", ")
        assert cors["expose-headers"] == (
            "Date, X-Request-Id, Content-Disposition, Last-Modified, Retry-After, WWW-Authenticate"
        )
        assert "Origin" in cors["vary"] if response is not preflight else True


@pytest.mark.parametrize(
    ("origin", "let_in"),
    [
        ("http://127.0.0.1:3000", True),
        ("https://app.localhost", True),
        ("https://emulator.example.com", True),
        ("https://example.com", False),
        ("http://203.0.113.7", False),
        ("null", False),
        ("http://[bad", False),
        ("", False),
    ],
)
def test_cors_headers_depend_on_the_origin(raw: httpx2.Client, origin: str, let_in: bool) -> None:
    """Only origins of this machine and of allowed hosts get them, since the key is well known."""
    response = raw.get("/v3/balance", headers={"Origin": origin})
    assert response.status_code == 200
    assert ("access-control-allow-origin" in response.headers) is let_in


@pytest.mark.parametrize("path", ["/_emulator/clock/state", "/_emulator/console/"])
def test_control_api_and_console_reject_other_origins(raw: httpx2.Client, path: str) -> None:
    """No CORS header lets in a page of another origin."""
    response = raw.get(path, headers={"Origin": "http://localhost:3000"})
    assert response.status_code == 403
    assert not [name for name in response.headers if name.startswith("access-control")]
    assert raw.options(path).status_code in (403, 405)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("127.0.0.1:8750", 200),
        ("[::1]:8750", 200),
        ("didww", 200),
        ("host.docker.internal:8750", 200),
        ("didww.ns.svc.cluster.local", 200),
        ("local.example.com", 403),
        ("Emulator.example.com:80", 200),
        ("rebound.example.com", 403),
        ("127.0.0.1.example.com", 403),
    ],
)
def test_api_rejects_unknown_host_names(raw: httpx2.Client, host: str, status: int) -> None:
    """Protect against DNS rebinding; the error says how to allow the host."""
    response = raw.get("/v3/balance", headers={"Host": host})
    assert response.status_code == status
    if status == 403:
        assert "--allow-host" in response.json()["errors"][0]["detail"]


def test_any_host_can_be_allowed(emulator: Emulator) -> None:
    """`*` allows every host."""
    server = Server(emulator, hosts=["*"])
    with served(server):
        response = httpx2.get(
            f"{server.base_url}/balance", headers={**KEY, "Host": "x.example.com", "Origin": "https://y.example.com"}
        )
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == "https://y.example.com"


def test_absolute_request_target_is_accepted(raw: httpx2.Client) -> None:
    """As sent to proxies; its host counts for links and for the host check."""
    response = send_raw(raw, "GET http://localhost:99/v3/did_groups?page[size]=1 HTTP/1.1\r\nHost: 127.0.0.1")
    assert response.startswith(b"HTTP/1.1 200 ")
    assert b'"http://localhost:99/v3/did_groups?' in response
    assert send_raw(raw, "GET HTTP://[::1]/_emulator/clock/state HTTP/1.1\r\nHost: x").startswith(b"HTTP/1.1 200 ")
    assert send_raw(raw, "GET http://r.example.com/v3/balance HTTP/1.1\r\nHost: x").startswith(b"HTTP/1.1 403 ")
    assert send_raw(raw, "GET http://r.example.com/_emulator/clock/state HTTP/1.1\r\nHost: localhost").startswith(
        b"HTTP/1.1 403 "
    )
    assert send_raw(raw, "GET http://localhost HTTP/1.1\r\nHost: x").startswith(b"HTTP/1.1 307 ")


@pytest.mark.parametrize("host", ["[::1", "[bad]", "a:b:c", "%zz", ""])
def test_invalid_host_headers_get_a_response(raw: httpx2.Client, host: str) -> None:
    """The response is an error of the emulator or of the server."""
    response = send_raw(raw, f"GET /v3/balance HTTP/1.1\r\nHost: {host}")
    assert response[9:12] in (b"200", b"400", b"403")
    assert raw.get("/_emulator/journal/entries").status_code == 200


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("*", True), ("", False), ("br", False), ("gzip;q=0", False)],
)
def test_responses_are_compressed_on_request(raw: httpx2.Client, accepted: str, packed: bool) -> None:
    """With gzip; export files never are."""
    with raw.stream("GET", "/v3/countries", headers={"Accept-Encoding": accepted}) as response:
        body = b"".join(response.iter_raw())
        assert ("content-encoding" in response.headers) is packed
        assert response.headers["content-length"] == str(len(body))
        assert "Accept-Encoding" in response.headers["vary"]
    assert len(json.loads(gzip.decompress(body) if packed else body)["data"]) > 100


def test_responses_have_validators(raw: httpx2.Client) -> None:
    """ETag with 304, Cache-Control, X-Runtime."""
    first = raw.get("/v3/balance")
    tag = first.headers["etag"]
    assert tag.startswith('W/"')
    assert first.headers["cache-control"] == "max-age=0, private, must-revalidate"
    assert 0 < float(first.headers["x-runtime"]) < 60
    again = raw.get("/v3/balance", headers={"If-None-Match": f'"x", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert raw.get("/v3/balance", headers={"If-None-Match": '"x"'}).status_code == 200
    missing = raw.get("/v3/dids/x")
    assert "etag" not in missing.headers
    assert missing.headers["cache-control"] == "no-cache"


def test_date_header_follows_the_emulator_clock(emulator: Emulator, raw: httpx2.Client) -> None:
    """Each response has one Date header; advancing the clock moves it."""
    paths = ("/v3/balance", "/v3/nothing", "/_emulator/clock/state", "/_emulator/console/")
    for _ in range(2):
        for path in paths:
            (date,) = raw.get(path).headers.get_list("date")
            assert parsedate_to_datetime(date) == emulator.clock.now()
        emulator.clock.advance("40 days")


def test_only_one_date_header_is_sent(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the request body never arrives; other applications have the server's date."""
    monkeypatch.setattr(app, "SECONDS_FOR_BODY", 0.2)
    half = b"POST /v3/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nhalf"
    with served(EmulatorApp(emulator)) as address, httpx2.Client(trust_env=False) as client:
        dates = client.get(f"{address}/v3/balance").headers.get_list("date")
        url = httpx2.URL(address)
        with socket.create_connection((url.host, url.port or 80), timeout=30) as connection:
            connection.sendall(half)
            head = connection.recv(65536)
            assert head.startswith(b"HTTP/1.1 408 ")
    dates += [line[6:].decode() for line in head.split(b"\r\n") if line.startswith(b"date: ")]
    assert [parsedate_to_datetime(date) for date in dates] == [emulator.clock.now()] * 2

    async def plain(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204})
        await send({"type": "http.response.body"})

    with served(plain) as address:
        assert len(httpx2.get(address).headers.get_list("date")) == 1


def test_client_reports_the_server_time(emulator: Emulator) -> None:
    """It is that of the last response, errors too; None before the first; derived clients share it."""
    with emulator.client() as client:
        assert client.server_time is None
        other = client.with_options(timeout=5)
        client.balance().find()
        assert client.server_time == other.server_time == START
        emulator.clock.advance("40 days")
        assert client.server_time == START
        with pytest.raises(NotFoundError):
            other.dids().find("x")
        assert client.server_time == emulator.clock.now()

    async def asynchronous() -> None:
        async with emulator.async_client() as client:
            assert client.server_time is None
            await client.balance().find()
            assert client.server_time == emulator.clock.now()

    asyncio.run(asynchronous())


# Fair queuing


async def finished(works: list[tuple[str, float]]) -> list[str]:
    """Return the order in which concurrent requests are processed."""
    queue, order = FairQueue(), []

    async def ask(name: str, work: float) -> None:
        async with queue.share_of(name, work):
            order.append(name)

    await asyncio.gather(*(ask(*work) for work in works))
    return order


def test_small_requests_go_first_without_starving_large_ones() -> None:
    """A connection's small requests go first until it has used its share; equals go in order."""
    order = asyncio.run(finished([("a", 100), ("b", 100), *(("small", 30.0) for _ in range(9))]))
    assert order == ["small", "small", "small", "a", "b", *["small"] * 6]


def test_canceled_waiters_do_not_block_others() -> None:
    """Canceled while waiting, or just when its turn has come."""

    async def main() -> list[str]:
        queue, order, begun = FairQueue(), [], asyncio.Event()

        async def ask(name: str) -> None:
            async with queue.share_of(name, 1):
                order.append(name)
                begun.set()
                await asyncio.sleep(0)

        tasks = [asyncio.create_task(ask(str(n))) for n in range(6)]
        await begun.wait()
        for task in tasks[1:4]:
            task.cancel()
        await asyncio.wait(tasks)
        late = asyncio.create_task(ask("late"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # sets its future
        late.cancel()
        await asyncio.wait([late])
        await ask("last")
        return order

    assert asyncio.run(main())[-3:] in (["4", "5", "last"], ["5", "late", "last"])


def test_large_pages_do_not_block_other_clients() -> None:
    """A small request after thirty large pages gets one of the first responses."""
    completed: list[str] = []

    async def ask(app: Any, name: str, query: bytes) -> None:
        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                completed.append(name)

        path = "/v3/balance" if not query else "/v3/areas"
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1"), (b"api-key", name.encode())],
            "client": ("127.0.0.1", int(name)),
            "server": ("127.0.0.1", 80),
            "scheme": "http",
        }
        await app(scope, receive, send)

    async def main(emulator: Emulator) -> None:
        app = EmulatorApp(emulator)
        await ask(app, "1", b"page%5Bsize%5D=1000")  # generates the rows
        completed.clear()
        large = [asyncio.create_task(ask(app, str(n), b"page%5Bsize%5D=1000")) for n in range(30)]
        while not completed:
            await asyncio.sleep(0)
        await ask(app, "999", b"")
        await asyncio.gather(*large)

    with Emulator() as emulator:
        asyncio.run(main(emulator))
    assert completed.index("999") < 5
    assert len(completed) == 31
