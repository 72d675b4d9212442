"""The transports against real loopback servers: deadlines, broken exchanges, what is sent and what is kept.

Most tests run over all three that use sockets: "sync" and "async" (httpx2), and "session" (the caller's requests).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import importlib.util
import os
import pickle
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from typing import TYPE_CHECKING, Any

import httpcore2
import httpx2
import pytest
import requests
import urllib3

from didww import DidOrderItem, Order
from didww._core.effects import Request, Response
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    ClientClosedError,
    InvalidValueError,
    UnexpectedResponseError,
)
from didww.transport import base, body, httpx_common
from didww.transport.errors import CONNECTING, POOL, READING, RESPONSE, SENDING
from didww.transport.httpx_async import AsyncHttpTransport
from didww.transport.httpx_sync import HttpTransport
from didww.transport.inprocess import AsyncInProcessTransport, InProcessTransport
from didww.transport.requests_session import SessionTransport
from support.clients import client_of
from support.real_time import patient, seconds
from support.servers import FullPort, Server, certificate, dead_port, header, http, once, responding, rude, silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from didww._core.effects import Opened

KEY = "k3y-that-nobody-may-see"
CERTIFICATES = ssl.create_default_context()
SECRETS = (KEY, "phone=37061234567", "secret body")


class Blocking:
    """An asynchronous transport to be used like the others, over an event loop of its own."""

    def __init__(self, inner: AsyncHttpTransport) -> None:
        self.inner = inner
        self._runner = asyncio.Runner()

    def send(self, request: Request, deadline: float) -> Response:
        return self._runner.run(self.inner.send(request, deadline))

    def open(self, request: Request, deadline: float) -> Opened:
        return self._runner.run(self.inner.open(request, deadline))

    def read(self, opened: Opened) -> bytes:
        return self._runner.run(self.inner.read(opened))

    def release(self, opened: Opened) -> None:
        self._runner.run(self.inner.release(opened))

    def close(self) -> None:
        self._runner.run(self.inner.close())

    def finish(self) -> None:
        self.close()
        self._runner.close()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def make() -> Iterator[Callable[..., Any]]:
    """Makes transports by kind, and closes them after the test."""
    with contextlib.ExitStack() as stack:

        def maker(kind: str, **options: Any) -> Any:
            # Loading the system's certificates takes longer than most tests.
            options.setdefault("verify", CERTIFICATES)
            if kind == "session":
                session = stack.enter_context(requests.Session())
                session.mount("https://", _Trusting(options["verify"]))
                if "proxy" in options:
                    session.proxies = dict.fromkeys(("http", "https"), options["proxy"])
                return SessionTransport(session)
            if kind == "async":
                blocking = Blocking(AsyncHttpTransport(**options))
                stack.callback(blocking.finish)
                return blocking
            transport = HttpTransport(**options)
            stack.callback(transport.close)
            return transport

        yield maker


class _Trusting(requests.adapters.HTTPAdapter):
    def __init__(self, context: Any) -> None:
        self.context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options, ssl_context=self.context)

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the certificates to the context."""


@pytest.fixture(params=["sync", "async", "session"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def transport(make: Callable[..., Any], kind: str) -> Any:
    return make(kind)


both = pytest.mark.parametrize("kind", ["sync", "async"], indirect=True)


def get(url: str, **headers: str) -> Request:
    return Request("GET", f"{url}/v3/dids?phone=37061234567", {"Api-Key": KEY, "User-Agent": "didww", **headers})


def post(url: str, content: bytes = b"secret body") -> Request:
    return Request("POST", f"{url}/v3/orders", {"Api-Key": KEY, "Content-Type": "application/vnd.api+json"}, content)


def soon(within: float = 60.0) -> float:
    return time.monotonic() + within


def read_all(transport: Any, opened: Opened) -> bytes:
    pieces = []
    while piece := transport.read(opened):
        pieces.append(piece)
    return b"".join(pieces)


def secrets_in(thing: object, seen: set[int] | None = None) -> list[str]:
    """Secrets that can be reached from `thing`: by its texts, attributes, items, causes and contexts."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, type):
        return []
    seen.add(id(thing))
    texts = [repr(thing), str(thing)]
    found = [secret for secret in SECRETS for text in texts if secret in text]
    inner: list[Any] = [*getattr(thing, "__dict__", {}).values()]
    inner += [getattr(thing, name, None) for name in getattr(type(thing), "__slots__", ())]
    inner += [getattr(thing, name, None) for name in ("args", "__cause__", "__context__", "object", "request")]
    if isinstance(thing, dict):
        inner += [*thing.keys(), *thing.values()]
    if isinstance(thing, (list, tuple, set)):
        inner += thing
    return found + [secret for part in inner for secret in secrets_in(part, seen)]


@contextlib.contextmanager
def quick(limit: float = 30.0) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < limit


def failed(expected: type[ApiConnectionError], *, sent: bool, call: Callable[[], Any], phase: str | None = None) -> str:
    """The text of the error that `call` raises, which is as expected and gives no secret away."""
    with quick(), pytest.raises(ApiConnectionError) as caught:
        call()
    assert type(caught.value) is expected
    assert caught.value.request_sent is sent
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert secrets_in(caught.value) == []
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.phase) == (str(caught.value), caught.value.phase)
    if phase is not None:
        assert caught.value.phase == phase
        assert not phase or expected is ApiConnectionError or f"while {phase}" in str(caught.value)
    return str(caught.value)


# Requests and responses


def test_response_is_complete(transport: Any) -> None:
    """It has the status, lower-case headers with repeated ones joined, and the body."""
    with Server(
        responding(http(b'{"data": []}', "X-Request-Id: r-1", "X-Part: a", "X-Part: b", status="404 No"))
    ) as at:
        response = transport.send(get(at.url), soon())
    assert response.status == 404
    assert response.body == b'{"data": []}'
    assert response.headers["x-request-id"] == "r-1"
    assert response.headers["x-part"] == "a, b"
    assert type(response.headers) is dict


def test_request_is_sent_unchanged(transport: Any) -> None:
    """Method, target with query, headers and body reach the server; the library's own user agent does not."""
    with Server(responding(http())) as at:
        transport.send(get(at.url), soon())
        transport.send(post(at.url), soon())
    first, second = at.requests
    assert first.startswith(b"GET /v3/dids?phone=37061234567 HTTP/1.1\r\n")
    assert header(first, "api-key") == KEY
    assert header(first, "user-agent") == "didww"
    assert header(first, "accept-encoding") == "gzip, deflate"
    assert header(first, "host") == f"127.0.0.1:{at.port}"
    assert second.startswith(b"POST /v3/orders HTTP/1.1\r\n")
    assert second.endswith(b"\r\n\r\nsecret body")


def test_infinite_timeout_works(transport: Any) -> None:
    """Infinity is a deadline like any other."""
    with Server(responding(http(b"x"))) as at:
        assert transport.send(get(at.url), float("inf")).body == b"x"
        opened = transport.open(get(at.url), float("inf"))
        assert read_all(transport, opened) == b"x"
        transport.release(opened)


def test_redirect_is_not_followed(transport: Any) -> None:
    """A redirect is returned as it is, and its target gets no request."""
    with Server(responding(http())) as other:
        raw = http(b"moved", f"Location: {other.url}/elsewhere", status="302 Found")
        with Server(responding(raw)) as at:
            response = transport.send(get(at.url), soon())
            opened = transport.open(get(at.url), soon())
            assert read_all(transport, opened) == b"moved"
            transport.release(opened)
    assert response.status == 302
    assert response.headers["location"].endswith("/elsewhere")
    assert response.body == b"moved"
    assert other.connections == 0


@both
def test_cookies_are_not_kept(transport: Any) -> None:
    """A cookie that the server sets is not sent back."""
    with Server(responding(http(b"{}", "Set-Cookie: session=1; Path=/"))) as at:
        transport.send(get(at.url), soon())
        transport.send(get(at.url), soon())
    assert header(at.requests[1], "cookie") is None


@pytest.mark.parametrize(
    ("packing", "packed"),
    [
        ("gzip", gzip.compress(b"data" * 1000)),
        ("deflate", zlib.compress(b"data" * 1000)),
        ("deflate", zlib.compress(b"data" * 1000, wbits=-15)),
        ("identity", b"data" * 1000),
    ],
    ids=["gzip", "zlib", "deflate", "identity"],
)
def test_compressed_responses_are_decompressed(transport: Any, packing: str, packed: bytes) -> None:
    """The encodings are gzip, deflate and raw deflate, which some servers send."""
    with Server(responding(http(packed, f"Content-Encoding: {packing}"))) as at:
        assert transport.send(get(at.url), soon()).body == b"data" * 1000


def test_download_is_not_decompressed(transport: Any) -> None:
    """The bytes are read as sent, and identity encoding is requested."""
    packed = gzip.compress(b"data" * 1000)
    with Server(responding(http(packed, "Content-Encoding: gzip"))) as at:
        opened = transport.open(get(at.url), soon())
        assert opened.status == 200
        assert opened.headers["content-length"] == str(len(packed))
        assert read_all(transport, opened) == packed
        assert transport.read(opened) == b""
        transport.release(opened)
    assert header(at.requests[0], "accept-encoding") == "identity"


def test_response_without_body(transport: Any) -> None:
    """A 204 has no body, whatever its headers say."""
    with Server(responding(b"HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n")) as at:
        assert transport.send(get(at.url), soon()).body == b""
        assert transport.send(get(at.url), soon()).status == 204
        assert at.connections == 1


@pytest.mark.parametrize("packed", [True, False])
def test_oversized_response_raises(transport: Any, monkeypatch: pytest.MonkeyPatch, *, packed: bool) -> None:
    """A few kilobytes that decompress to a hundred megabytes stop at the limit, like plain data."""
    monkeypatch.setattr(body, "MAX_BYTES", 2 << 20)
    flood = gzip.compress(bytes(100 << 20), 1) if packed else bytes(4 << 20)
    response = http(flood, "Content-Encoding: gzip") if packed else http(flood)
    with (
        Server(responding(response)) as at,
        pytest.raises(UnexpectedResponseError, match="larger than 2 MiB") as caught,
    ):
        transport.send(get(at.url), soon())
    assert caught.value.status_code == 200
    assert secrets_in(caught.value) == []


@pytest.mark.parametrize(
    ("packing", "content", "message"),
    [
        ("br", b"\x0b\x02\x80data\x03", "unexpected Content-Encoding, 'br'"),
        ("gzip", b"this is not gzip", "cannot be decompressed"),
        ("gzip", gzip.compress(os.urandom(5000))[:-9], "ends before its compressed data is complete"),
    ],
    ids=["other", "damaged", "cut"],
)
def test_response_that_cannot_be_decompressed_raises(
    transport: Any, packing: str, content: bytes, message: str
) -> None:
    """Unknown encodings, damaged data and truncated data are distinguished."""
    with Server(responding(http(content, f"Content-Encoding: {packing}"))) as at:
        with pytest.raises(UnexpectedResponseError, match=message) as caught:
            transport.send(get(at.url), soon())
    assert caught.value.__context__ is None


# Broken exchanges


def test_connection_refused_error_says_what_to_check(transport: Any) -> None:
    """The error has the URL, the reason and what to do; nothing was sent."""
    port = dead_port()
    text = failed(ApiConnectionError, sent=False, call=lambda: transport.send(get(f"http://127.0.0.1:{port}"), soon()))
    assert text == (
        f"Cannot connect to http://127.0.0.1:{port} (Connection refused). Is the server running? "
        "Check base_url / DIDWW_BASE_URL. Start the local emulator with: didww emulator"
    )
    request = get(f"http://127.0.0.1:{port}")
    failed(ApiConnectionError, sent=False, call=lambda: transport.open(request, soon()), phase=CONNECTING)


def test_unknown_host_name_raises(transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent."""

    def nothing(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    text = failed(ApiConnectionError, sent=False, call=lambda: transport.send(get("http://no.such"), soon()))
    assert "Cannot connect to http://no.such (Name or service not known). Check the name" in text


def test_connection_closed_without_a_response(transport: Any) -> None:
    """The request may have been processed."""
    with Server(once()) as at:
        text = failed(ApiConnectionError, sent=True, call=lambda: transport.send(post(at.url), soon()))
    assert text.startswith(f"POST {at.url}/v3/orders failed: ")


def test_connection_closed_after_accept(transport: Any) -> None:
    """A connection that was established and broke counts as sent: bytes may have arrived."""
    with Server(rude) as at:
        failed(ApiConnectionError, sent=True, call=lambda: transport.send(get(at.url), soon()))


@pytest.mark.parametrize(
    "raw",
    [
        http(b"half", length=8),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n8\r\nha",
    ],
)
def test_truncated_response_raises(transport: Any, raw: bytes) -> None:
    """A body shorter than announced is an error, also in a download."""
    with Server(once(raw)) as at:
        text = failed(ApiConnectionError, sent=True, call=lambda: transport.send(get(at.url), soon()))
        assert text == f"GET {at.url}/v3/dids failed: the response is incomplete."
        opened = transport.open(get(at.url), soon())
        failed(ApiConnectionError, sent=True, call=lambda: read_all(transport, opened))
        transport.release(opened)


def test_non_http_response_raises(transport: Any) -> None:
    """Another service may listen on that port."""
    with Server(once(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as at:
        failed(ApiConnectionError, sent=True, call=lambda: transport.send(get(at.url), soon()))


def test_invalid_header_is_rejected(transport: Any) -> None:
    """A line break or a non-Latin-1 character raises, and the header is not shown."""
    with Server(responding(http())) as at:
        for bad in (f"{KEY}\r\nX: y", f"{KEY}\u0142"):
            request = Request("GET", at.url, {"Api-Key": bad})
            text = failed(ApiConnectionError, sent=False, call=lambda r=request: transport.send(r, soon()))
            assert "characters that HTTP does not allow" in text
    assert at.requests == []


class Body:
    """A body that is made while it is sent, and is not what its length says."""

    def __init__(self, length: int, *pieces: bytes | Exception) -> None:
        self.length = length
        self.pieces = pieces

    def sent(self, size: int) -> None:
        """Nobody wants to know."""

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


UNICODE = UnicodeEncodeError("ascii", KEY, 0, 1, "no ascii")


@both
@pytest.mark.parametrize(
    "body",
    [
        Body(9, b"four"),
        Body(2, b"four"),
        Body(9, b"four", UNICODE),
        Body(9, b"four", httpx2.LocalProtocolError(KEY)),
        Body(9, b"four", httpx2.InvalidURL(KEY)),
    ],
    ids=["short", "long", "unicode", "protocol", "address"],
)
def test_failure_while_sending_the_body_counts_as_sent(transport: Any, body: Body) -> None:
    """The server has the head and may have acted on it, whatever error ends the rest."""
    with Server(responding(http())) as at:
        headers = {"Api-Key": KEY, "Content-Length": str(len(body))}
        request = Request("POST", f"{at.url}/v3/orders", headers, body)
        text = failed(ApiConnectionError, sent=True, call=lambda: transport.send(request, soon()))
        assert text.endswith("failed: the length of its body does not match its Content-Length.")
        assert transport.send(get(at.url), soon()).status == 200


@both
@pytest.mark.parametrize("tls", [False, True])
def test_early_response_is_returned(make: Callable[..., Any], kind: str, tmp_path: Path, *, tls: bool) -> None:
    """A server responds after the head and closes the connection: its response counts, not the broken connection."""

    def refuse(server: Server, connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(http(b"too large", status="413 Too Large"))

    server, trusting = certificate(tmp_path)
    with Server(refuse, tls=server if tls else None) as at:
        transport = make(kind, verify=trusting)
        pieces = Body(32 << 20, *[bytes(1 << 16)] * 512)
        request = Request("POST", f"{at.url}/v3/x", {"Content-Length": str(len(pieces))}, pieces)
        for _ in range(3):
            response = transport.send(request, soon())
            assert (response.status, response.body) == (413, b"too large")


@both
def test_invalid_header_on_a_kept_connection_counts_as_unsent(transport: Any) -> None:
    """Nothing of that request was sent, although the connection had carried one before."""
    with Server(responding(http())) as at:
        transport.send(get(at.url), soon())
        request = Request("POST", at.url, {"Api-Key": KEY, "X-Bad": "a\nb"}, b"x")
        failed(ApiConnectionError, sent=False, call=lambda: transport.send(request, soon()))
        assert len(at.requests) == 1


@pytest.mark.parametrize("url", ["http://[::1", "ftp://127.0.0.1/x", "127.0.0.1/x"])
def test_invalid_url_is_rejected(transport: Any, url: str) -> None:
    """The error says that the URL is invalid."""
    request = Request("GET", url, {"Api-Key": KEY})
    assert "check base_url" in failed(ApiConnectionError, sent=False, call=lambda: transport.send(request, soon()))


def test_password_in_the_url_is_hidden(transport: Any) -> None:
    """A file's URL may contain a username and a password."""
    request = Request("GET", f"http://user:{KEY}@127.0.0.1:{dead_port()}/x", {})
    failed(ApiConnectionError, sent=False, call=lambda: transport.open(request, soon()))


def test_handled_caller_error_does_not_change_the_outcome(transport: Any) -> None:
    """While the caller handles its own refused connection, a request that breaks still counts as sent."""
    with Server(once()) as at:
        try:
            requests.get(f"http://127.0.0.1:{dead_port()}", timeout=1)
        except requests.ConnectionError:
            with pytest.raises(ApiConnectionError) as caught:
                transport.send(post(at.url), soon())
    assert caught.value.request_sent


# Deadlines

FEW = 0.15


@both
@patient
def test_dripping_headers_end_at_the_deadline(transport: Any) -> None:
    """Each byte comes quickly but the head never ends: the deadline holds.

    Fails if httpx2 no longer accepts a backend.
    """
    with Server(once(drip=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500)) as at:
        for call in (transport.send, transport.open):
            failed(ApiTimeoutError, sent=True, call=lambda c=call: c(get(at.url), soon(seconds(FEW))), phase=RESPONSE)


@pytest.mark.parametrize("packed", [False, True])
@patient
def test_dripping_body_ends_at_the_deadline(transport: Any, *, packed: bool) -> None:
    """The same holds for the body, also in a download."""
    lines = ["Content-Encoding: gzip"] if packed else []
    content = gzip.compress(os.urandom(500))
    with Server(once(http(b"", *lines, length=500), drip=content)) as at:
        failed(ApiTimeoutError, sent=True, call=lambda: transport.send(get(at.url), soon(seconds(FEW))), phase=READING)
        opened = transport.open(get(at.url), soon(seconds(FEW)))
        assert transport.read(opened)
        failed(ApiTimeoutError, sent=True, call=lambda: read_all(transport, opened), phase=READING)
        transport.release(opened)


@pytest.mark.parametrize(
    ("head", "phase"), [(b"", RESPONSE), (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfew", READING)]
)
@patient
def test_stalling_server_ends_at_the_deadline(transport: Any, head: bytes, phase: str) -> None:
    """The server stalls before or after the head; the error of an order says to check it."""
    with Server(once(head, stall=True)) as at:
        text = failed(
            ApiTimeoutError, sent=True, call=lambda: transport.send(post(at.url), soon(seconds(FEW))), phase=phase
        )
    assert "check before retrying" in text


@both
@patient
def test_server_that_does_not_read_ends_at_the_deadline(transport: Any) -> None:
    """A large upload goes to a server that reads nothing."""
    with Server(silent) as at:
        upload = post(at.url, bytes(30 << 20))
        failed(ApiTimeoutError, sent=True, call=lambda: transport.send(upload, soon(seconds(FEW))), phase=SENDING)


@patient
def test_connecting_ends_at_the_deadline(transport: Any) -> None:
    """Nothing was sent while the connection was being established."""
    with FullPort() as port:
        request = post(f"http://127.0.0.1:{port}")
        text = failed(
            ApiTimeoutError, sent=False, call=lambda: transport.send(request, soon(seconds(FEW))), phase=CONNECTING
        )
    assert "could not be sent" in text


@both
@patient
def test_tls_handshake_ends_at_the_deadline(transport: Any) -> None:
    """The server does not respond to the handshake: nothing was sent."""
    with Server(silent) as at:
        request = post(at.url.replace("http:", "https:"))
        failed(ApiTimeoutError, sent=False, call=lambda: transport.send(request, soon(seconds(FEW))), phase=CONNECTING)


def test_expired_deadline_sends_nothing(transport: Any) -> None:
    """No attempt is made."""
    with Server(responding(http())) as at:
        failed(ApiTimeoutError, sent=False, call=lambda: transport.send(post(at.url), time.monotonic() - 1), phase="")
    assert at.connections == 0


@patient
def test_waiting_for_a_free_connection_ends_at_the_deadline(make: Callable[..., Any]) -> None:
    """All hundred connections are in use: nothing was sent."""
    transport = make("sync")
    with Server(responding(http(b"x" * (1 << 17)))) as at:
        held = [transport.open(get(at.url), soon()) for _ in range(100)]
        text = failed(
            ApiTimeoutError, sent=False, call=lambda: transport.send(post(at.url), soon(seconds(0.1))), phase=POOL
        )
        assert "fewer concurrent calls" in text
        for opened in held:
            transport.release(opened)
        assert transport.send(get(at.url), soon()).status == 200


@both
def test_unreachable_address_leaves_time_for_the_others(transport: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of a host's several addresses is unreachable."""
    with Server(responding(http())) as at:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, at.port)) for ip in ("127.0.0.9", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        assert transport.send(get(f"http://api.test:{at.port}"), soon()).status == 200


# TLS and proxies


def test_tls_certificates_are_verified(make: Callable[..., Any], kind: str, tmp_path: Path) -> None:
    """A trusted certificate is accepted; for an untrusted one nothing was sent."""
    server, trusting = certificate(tmp_path)
    with Server(responding(http(b"safe")), tls=server) as at:
        assert make(kind, verify=trusting).send(get(at.url), soon()).body == b"safe"
        sent = len(at.requests)
        text = failed(ApiConnectionError, sent=False, call=lambda: make(kind).send(get(at.url), soon()))
    assert "(self-signed certificate). Behind a company's proxy" in text
    assert len(at.requests) == sent


@both
@patient
def test_dripping_tls_response_ends_at_the_deadline(make: Callable[..., Any], kind: str, tmp_path: Path) -> None:
    """The deadline holds over TLS too."""
    server, trusting = certificate(tmp_path)
    with Server(once(drip=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500), tls=server) as at:
        transport = make(kind, verify=trusting)
        # Time enough for the handshake on a busy machine; the response drips for longer.
        failed(ApiTimeoutError, sent=True, call=lambda: transport.send(get(at.url), soon(seconds(0.6))))


def test_https_url_of_an_http_server_raises(transport: Any) -> None:
    """The handshake fails."""

    def plain(_: Server, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(http(status="400 Bad Request"))

    with Server(plain) as at:
        with quick(), pytest.raises(ApiConnectionError, match=r"Check base_url|the connection was lost"):
            transport.send(get(at.url.replace("http:", "https:")), soon())


def test_proxy_is_used(make: Callable[..., Any], kind: str) -> None:
    """The request goes to the proxy with the absolute URL."""
    with Server(responding(http(b"by proxy"))) as proxy:
        response = make(kind, proxy=proxy.url).send(get("http://api.example.com:9"), soon())
    assert response.body == b"by proxy"
    assert proxy.requests[0].startswith(b"GET http://api.example.com:9/v3/dids?")


def test_proxy_environment_variables_are_used(
    make: Callable[..., Any], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY is used, except for the hosts of NO_PROXY."""
    monkeypatch.setattr(socket, "getaddrinfo", _loopback_for("api.example.com"))
    with Server(responding(http(b"by proxy"))) as proxy, Server(responding(http(b"direct"))) as at:
        monkeypatch.setenv("http_proxy", proxy.url)
        url = f"http://api.example.com:{at.port}"
        assert make(kind).send(get(url), soon()).body == b"by proxy"
        monkeypatch.setenv("no_proxy", "api.example.com")
        assert make(kind).send(get(url), soon()).body == b"direct"


def _loopback_for(name: str) -> Callable[..., Any]:
    look_up = socket.getaddrinfo

    def looked_up(host: Any, *rest: Any, **options: Any) -> Any:
        return look_up("127.0.0.1" if host in (name, name.encode()) else host, *rest, **options)

    return looked_up


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "LocalHost", "[::1]", "[::ffff:127.0.0.1]"])
@pytest.mark.parametrize("where", ["argument", "http_proxy", "all_proxy"])
def test_loopback_is_not_sent_to_a_proxy(
    make: Callable[..., Any], kind: str, host: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a proxy, 127.0.0.1 is itself: the key would go to whoever listens there."""
    if ":" in host and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with Server(responding(http(b"by proxy"))) as proxy, Server(responding(http(b"direct"))) as at:
        options = {"proxy": proxy.url} if where == "argument" else {}
        if where != "argument":
            monkeypatch.setenv(where, proxy.url)
        # Nobody listens at the others: that nothing went to the proxy is what counts.
        with contextlib.suppress(ApiConnectionError):
            assert make(kind, **options).send(get(f"http://{host}:{at.port}"), soon()).body == b"direct"
    assert proxy.connections == 0
    assert at.connections == 1 or host.lower() not in ("127.0.0.1", "localhost")


@both
@patient
def test_dripping_proxy_ends_at_the_deadline(make: Callable[..., Any], kind: str) -> None:
    """The proxy drips its response to CONNECT: the deadline holds."""
    with Server(once(drip=b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 500)) as proxy:
        transport = make(kind, proxy=proxy.url)
        with quick(), pytest.raises(ApiTimeoutError) as caught:
            transport.send(get("https://api.example.com:9"), soon(seconds(FEW)))
    assert secrets_in(caught.value) == []
    assert (caught.value.request_sent, caught.value.phase) == (False, CONNECTING)
    assert not any(KEY.encode() in request for request in proxy.requests)


def test_rejecting_proxy_raises(make: Callable[..., Any], kind: str) -> None:
    """Nothing was sent, and the key did not reach the proxy."""
    with Server(responding(http(b"", status="407 Proxy Authentication Required"))) as proxy:
        request = get("https://api.example.com:9")
        text = failed(ApiConnectionError, sent=False, call=lambda: make(kind, proxy=proxy.url).send(request, soon()))
    assert "https://api.example.com:9" in text
    assert not any(KEY.encode() in request for request in proxy.requests)


def test_unreachable_proxy_is_named(make: Callable[..., Any]) -> None:
    """The error does not blame the service."""
    port = dead_port()
    transport = make("sync", proxy=f"http://127.0.0.1:{port}")
    text = failed(ApiConnectionError, sent=False, call=lambda: transport.send(get("http://api.example.com:9"), soon()))
    assert f"dialed 127.0.0.1:{port}, the proxy" in text


@both
def test_invalid_proxy_url_is_rejected(make: Callable[..., Any], kind: str) -> None:
    """The error shows the URL without its password."""
    with pytest.raises(InvalidValueError, match="proxy URL must be like") as caught:
        make(kind, proxy=f"gopher://user:{KEY}@127.0.0.1:1").send(get("http://127.0.0.1:9"), soon())
    assert secrets_in(caught.value) == []


# Files and packages that are missing


def _broken_file(how: str, folder: Path) -> Path:
    path = folder / how
    if how == "empty":
        path.touch()
    elif how == "no certificate":
        path.write_text("nothing of the kind", encoding="utf-8")
    return path


BROKEN_FILES = ["missing", "empty", "no certificate"]
# Which names are read by whom; the last one by OpenSSL itself.
FILE_SETTINGS = {
    "sync": ["SSL_CERT_FILE", "SSL_CERT_DIR", "verify"],
    "async": ["SSL_CERT_FILE", "SSL_CERT_DIR", "verify"],
    "session": ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "session.verify", "session.cert"],
}


@pytest.fixture
def no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


def _transport_naming(setting: str, path: str, kind: str, monkeypatch: pytest.MonkeyPatch, make: Any) -> Any:
    if setting.isupper():
        monkeypatch.setenv(setting, path)
    if kind != "session":
        return make(kind, verify=path if setting == "verify" else True)
    session = requests.Session()
    if setting == "session.verify":
        session.verify = path
    if setting == "session.cert":
        session.verify, session.cert = False, path
    return SessionTransport(session)


@pytest.mark.usefixtures("no_certificates")
@pytest.mark.filterwarnings("ignore:.*verify=<str>:DeprecationWarning")
@pytest.mark.parametrize("how", BROKEN_FILES)
@pytest.mark.parametrize(("kind", "setting"), [(kind, one) for kind, names in FILE_SETTINGS.items() for one in names])
def test_unusable_certificate_file_is_named(
    make: Callable[..., Any], kind: str, setting: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the variable or argument and the path; nothing was sent, and a retry would not help."""
    path = str(_broken_file(how, tmp_path))
    with Server(responding(http())) as at:
        transport = _transport_naming(setting, path, kind, monkeypatch, make)
        request = post(f"https://127.0.0.1:{at.port}")
        with pytest.raises(ApiConnectionError, match=rf"was not sent: {setting} names ") as caught:
            transport.send(request, soon(30))
        if kind == "session":
            transport._session.close()
    assert f"{setting} names {path}, which cannot be used (" in str(caught.value)
    assert (caught.value.request_sent, caught.value.transient) == (False, False)
    assert caught.value.__context__ is None
    assert secrets_in(caught.value) == []
    assert at.requests == []


@pytest.mark.usefixtures("no_certificates")
def test_unwritable_tls_key_log_file_is_named(
    make: Callable[..., Any], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's `ssl` contexts open it when they are created."""
    server, _ = certificate(tmp_path)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nowhere" / "keys"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with Server(responding(http()), tls=server) as at:
        transport = SessionTransport(requests.Session()) if kind == "session" else make(kind, verify=True)
        with pytest.raises(
            ApiConnectionError, match=r"SSLKEYLOGFILE names .*nowhere/keys, which cannot be used"
        ) as caught:
            transport.send(post(at.url), soon(30))
    assert (caught.value.request_sent, caught.value.transient) == (False, False)


@pytest.mark.skipif(sys.platform != "linux", reason="the system verifies")
@pytest.mark.usefixtures("no_certificates")
def test_clients_share_the_default_certificates_until_these_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with a context of the caller, nor with a key log, which a context opens when it is created."""
    loaded: list[ssl.SSLContext] = []
    load = httpcore2.default_ssl_context

    def counted(**options: Any) -> ssl.SSLContext:
        loaded.append(load(**options))
        return loaded[-1]

    monkeypatch.setattr(httpcore2, "default_ssl_context", counted)
    monkeypatch.setattr(httpx_common, "_trusted", {})

    def loads(kind: Any, *, verify: bool | ssl.SSLContext = True) -> int:
        before = len(loaded)
        httpx_common.make_client(kind, None, verify)
        return len(loaded) - before

    both = (httpx2.Client, httpx2.AsyncClient)
    assert [loads(kind) for kind in (*both, *both)] == [1, 0, 0, 0]
    assert loads(httpx2.Client, verify=ssl.create_default_context()) == 0
    assert loads(httpx2.Client, verify=False) == 0
    assert len(httpx_common._trusted) == 1

    for name in ("a", "b"):
        certificate(tmp_path)
        (tmp_path / "cert.pem").rename(tmp_path / name)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "a"))
    assert [loads(httpx2.Client) for _ in range(2)] == [1, 0]
    assert loaded[-1].get_ca_certs() != []
    (tmp_path / "b").replace(tmp_path / "a")
    assert [loads(httpx2.Client) for _ in range(2)] == [1, 0]
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert [loads(httpx2.Client) for _ in range(2)] == [1, 0]

    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    with monkeypatch.context() as patch:
        patch.delattr(httpx_common, "_default_context")  # httpx2 creates a context itself
        httpx_common.make_client(httpx2.Client, None, True)
    monkeypatch.delenv("SSLKEYLOGFILE")
    monkeypatch.delenv("SSL_CERT_DIR")
    assert loads(httpx2.Client) == 1


@pytest.mark.usefixtures("no_certificates")
def test_certificate_folders_are_accepted(
    make: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of several may be missing, as for OpenSSL."""
    monkeypatch.setenv("SSL_CERT_DIR", os.pathsep.join([str(tmp_path / "nowhere"), str(tmp_path)]))
    with Server(responding(http())) as at:
        assert make("sync", verify=True).send(get(at.url), soon(30)).status == 200


@pytest.mark.usefixtures("no_certificates")
@pytest.mark.parametrize("kind", ["sync", "async", "session"])
def test_missing_certificate_file_is_not_retried(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is one attempt, and an unsent order is not in doubt."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "missing.pem"))
    order = Order(items=[DidOrderItem(sku_id="8d1a3c5e-0000-4000-8000-000000000001", qty=1)])
    with client_of(kind, "https://127.0.0.1:9/v3") as client:
        calls: list[Callable[[], Any]] = [
            lambda: client.balance().find(),
            lambda: client.orders().create(order),
            lambda: client.download_export("https://127.0.0.1:9/v3/exports/a.csv.gz", tmp_path / "a"),
        ]
        for call in calls:
            with quick(5), pytest.raises(ApiConnectionError, match=r"names .*missing\.pem") as caught:
                call()
            assert (caught.value.attempts, caught.value.request_sent) == (1, False)
            assert not caught.value.outcome_unknown
            assert caught.value.lookup is None


@pytest.mark.parametrize(
    ("proxy", "message"),
    [
        ("socks5://127.0.0.1:9", "SOCKS proxy needs an extra package: pip install 'requests"),
        (f"socks5h://user:{KEY}@127.0.0.1:9", "SOCKS proxy needs an extra package"),
        ("gopher://127.0.0.1:9", "the URL of the session's proxy is invalid"),
        ("http://", "the URL of the session's proxy is invalid"),
    ],
)
def test_invalid_session_proxy_is_named(proxy: str, message: str) -> None:
    """The error does not blame base_url."""
    if proxy.startswith("socks") and importlib.util.find_spec("socks"):
        pytest.skip("PySocks is here")
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": proxy}
        request = post("https://api.example.com/v3/orders")
        text = failed(ApiConnectionError, sent=False, call=lambda: SessionTransport(session).send(request, soon()))
    assert message in text
    assert "base_url" not in text


def test_session_without_a_thread_counts_as_unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the process cannot start another thread, the call counts as unsent."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with requests.Session() as session, monkeypatch.context() as changed:
        changed.setattr(threading.Thread, "start", refuse)
        text = failed(
            ApiConnectionError, sent=False, call=lambda: SessionTransport(session).send(post("http://x"), soon())
        )
    assert "can't start new thread" in text


@both
def test_missing_socks_package_is_named(make: Callable[..., Any], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so an order is not in doubt."""
    if importlib.util.find_spec("socksio"):
        pytest.skip("socksio is here")
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:9")
    with pytest.raises(InvalidValueError, match=r"SOCKS proxy .*ALL_PROXY.* pip install 'httpx2\[socks\]'"):
        make(kind).send(get("https://api.example.com"), soon())
    order = Order(items=[DidOrderItem(sku_id="8d1a3c5e-0000-4000-8000-000000000001", qty=1)])
    with client_of(kind, "https://api.example.com/v3") as client:
        with pytest.raises(InvalidValueError, match="SOCKS") as caught:
            client.orders().create(order)
    assert not caught.value.outcome_unknown


# Connections


def test_connection_is_reused(transport: Any) -> None:
    """Ten requests and two complete downloads use one connection."""
    with Server(responding(http(b"x" * 1000))) as at:
        for _ in range(10):
            transport.send(get(at.url), soon())
        for _ in range(2):
            opened = transport.open(get(at.url), soon())
            read_all(transport, opened)
            transport.release(opened)
        assert at.connections == 1


def test_a_second_response_in_the_same_packet_is_discarded(transport: Any) -> None:
    """Extra bytes are dropped with their connection, and not read as the next response."""
    forged = http(b'{"forged": true}')

    def serve(server: Server, connection: socket.socket) -> None:
        server.receive(connection)
        connection.sendall(http(b'{"first": true}') + forged)
        server.receive(connection)
        connection.sendall(http(b'{"second": true}'))

    def one_each(server: Server, connection: socket.socket) -> None:
        server.receive(connection)
        connection.sendall(http(b'{"first": true}' if server.connections == 1 else b'{"second": true}') + forged)

    for behave in (serve, one_each):
        with Server(behave) as server:
            assert transport.send(get(server.url), soon()).body == b'{"first": true}'
            assert transport.send(post(server.url), soon()).body != b'{"forged": true}'


def test_post_does_not_use_an_idle_connection(transport: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server may be closing it; reads do use it."""
    monkeypatch.setattr(base, "MAX_IDLE", 1e9)
    with Server(responding(http())) as server:
        for request in (get(server.url), post(server.url), get(server.url)):
            transport.send(request, soon())
        # How long each connection of a session was idle cannot be told: there, a POST always takes a new one.
        assert server.connections == (2 if kind == "session" else 1)
        before = server.connections
        monkeypatch.setattr(base, "MAX_IDLE", -1.0)
        transport.send(get(server.url), soon())
        assert server.connections == before
        transport.send(post(server.url), soon())
        assert server.connections == before + 1


def test_unread_download_does_not_affect_the_next_request(transport: Any) -> None:
    """A download is given up half-way."""
    with Server(responding(http(b"x" * (1 << 20)))) as at:
        opened = transport.open(get(at.url), soon())
        assert transport.read(opened)
        transport.release(opened)
        assert len(transport.send(get(at.url), soon()).body) == 1 << 20


@patient
def test_connection_closed_by_the_server_is_not_reused(transport: Any) -> None:
    """The server closed a kept connection between two requests."""
    with Server(once(http(b"fresh"))) as at:
        for _ in range(3):
            assert transport.send(post(at.url), soon()).body == b"fresh"
            time.sleep(seconds(0.05))
        assert at.connections == 3


def test_threads_share_a_transport(make: Callable[..., Any]) -> None:
    """Each gets its own responses."""

    def echo(server: Server, connection: socket.socket) -> None:
        while True:
            connection.sendall(http(server.receive(connection).partition(b"\r\n\r\n")[2]))

    transport = make("sync")
    wrong: list[bytes] = []

    def run(number: int) -> None:
        for turn in range(10):
            content = f"{number} {turn}".encode()
            if transport.send(post(at.url, content), soon()).body != content:
                wrong.append(content)

    with Server(echo) as at:
        threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong
        assert len(at.requests) == 160
        assert at.connections <= 16


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@both
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_forked_child_opens_its_own_connection(transport: Any, kind: str) -> None:
    """Parent and child never write to the same socket, and the parent's connection stays open."""
    with Server(responding(http(b"ok"))) as at:
        transport.send(get(at.url), soon())
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException):
                if kind == "async":
                    # The parent's loop is not the child's.
                    status = 0 if asyncio.run(transport.inner.send(get(at.url), soon())).body == b"ok" else 1
                else:
                    status = 0 if transport.send(get(at.url), soon()).body == b"ok" else 1
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert at.connections == 2
        transport.send(get(at.url), soon())
        assert at.connections == 2


def test_closed_transport_raises(transport: Any) -> None:
    """Every method raises after close; closing twice is allowed."""
    with Server(responding(http(b"x" * (1 << 20)))) as at:
        opened = transport.open(get(at.url), soon())
        transport.close()
        transport.close()
        calls: list[Callable[[], Any]] = [
            lambda: transport.send(get(at.url), soon()),
            lambda: transport.open(get(at.url), soon()),
            lambda: transport.read(opened),
        ]
        for call in calls:
            with pytest.raises(
                ClientClosedError,
                match=r"^This client is closed\. Create a new one, or make the call inside the `with`",
            ):
                call()
        transport.release(opened)


@patient
def test_closing_while_sending_has_an_unknown_outcome(make: Callable[..., Any]) -> None:
    """A request in progress when another thread calls close() may have been processed."""
    transport = make("sync")
    with Server(once(stall=True)) as at:
        errors: list[Exception] = []

        def run() -> None:
            try:
                transport.send(post(at.url), soon(seconds(FEW)))
            except ApiConnectionError as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        while not at.requests:
            time.sleep(0.01)
        transport.close()
        thread.join()
    assert [getattr(error, "request_sent", None) for error in errors] == [True]


def test_http_libraries_are_imported_late() -> None:
    """The drivers, a session and the in-process transport need no HTTP library of ours."""
    code = (
        "import sys, didww._drivers.sync, didww._drivers.asynchronous, didww.transport.requests_session, "
        "didww.transport.inprocess; "
        "sys.exit(' '.join({'httpx2', 'httpcore2', 'requests', 'anyio', 'asyncio'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_httpx2_uses_our_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pools of a client, also those of proxies, use our backend; fails if a new httpx2 renames the attributes."""
    import httpx2

    from didww.transport import httpx_deadlines

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with httpx2.Client(verify=False) as client:
        httpx_deadlines.bind(client)
        pools = list(httpx_deadlines._pools(client))
        assert len(pools) == 2
        assert all(isinstance(pool._network_backend, httpx_deadlines._Backend) for pool in pools)


# Tasks


@patient
def test_caller_cancellation_propagates() -> None:
    """The caller's `asyncio.timeout` works as usual, and the transport stays usable."""

    async def main(stalling: str, answering_: str) -> None:
        transport = AsyncHttpTransport()
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(seconds(0.1)):
                await transport.send(get(stalling), soon())
        assert type(caught.value) is TimeoutError
        task = asyncio.create_task(transport.send(get(stalling), soon()))
        await asyncio.sleep(seconds(0.05))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (await transport.send(get(answering_), soon())).status == 200
        await transport.close()

    with Server(once(stall=True)) as slow, Server(responding(http())) as at:
        asyncio.run(main(slow.url, at.url))


def test_tasks_share_a_transport() -> None:
    """A slow task does not block the others."""

    async def main(url: str, slow: str) -> None:
        transport = AsyncHttpTransport()
        held = asyncio.create_task(transport.send(get(slow), soon(60)))
        responses = await asyncio.gather(*(transport.send(post(url, b"%d" % n), soon(30)) for n in range(16)))
        assert [response.status for response in responses] == [200] * 16
        assert not held.done()
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        await transport.close()

    with Server(once(stall=True)) as slow, Server(responding(http())) as at:
        asyncio.run(main(at.url, slow.url))


def test_transport_works_in_a_second_event_loop() -> None:
    """After its first loop has ended, it opens new connections."""
    transport = AsyncHttpTransport()
    with Server(responding(http())) as at, warnings.catch_warnings():
        # Nobody can close the connections of a loop that is gone; asyncio says so when they are collected.
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(2):
            assert asyncio.run(transport.send(get(at.url), soon())).status == 200
        assert at.connections == 2
        asyncio.run(transport.close())
        gc.collect()


# The caller's session


def test_session_is_used_and_left_unchanged() -> None:
    """Its headers and hooks apply, ours take precedence, and nothing of ours remains in it."""
    seen: list[int] = []
    with requests.Session() as session, Server(responding(http())) as at:
        session.headers.update({"X-Company": "acme", "User-Agent": "acme", "Api-Key": "other", "Accept-Encoding": "br"})
        session.hooks["response"].append(lambda response, **_: seen.append(response.status_code))
        before = dict(session.headers)
        transport = SessionTransport(session)
        transport.send(get(at.url), soon())
        transport.close()
        assert session.get(at.url, timeout=1).status_code == 200
        assert dict(session.headers) == before
        assert not session.cookies
        assert seen == [200, 200]
        assert at.connections == 1
    assert header(at.requests[0], "x-company") == "acme"
    assert header(at.requests[0], "api-key") == KEY
    assert header(at.requests[0], "user-agent") == "didww"
    assert header(at.requests[1], "api-key") == "other"


def test_session_with_retries_never_counts_as_unsent() -> None:
    """An earlier attempt of its adapter may have been sent."""
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=urllib3.Retry(1, backoff_factor=0)))
        request = post(f"http://127.0.0.1:{dead_port()}")
        failed(ApiConnectionError, sent=True, call=lambda: SessionTransport(session).send(request, soon()))


def test_session_with_a_custom_adapter_works() -> None:
    """A stand-in connection, for example in tests, is read the way requests reads it."""

    class Canned(requests.adapters.BaseAdapter):
        def send(self, request: Any, **_: Any) -> requests.Response:
            response = requests.Response()
            response.status_code, response.url, response.request = 200, request.url, request
            response.headers["Content-Encoding"] = "gzip"
            response._content = b"canned"
            response._content_consumed = True
            return response

        def close(self) -> None: ...

    with requests.Session() as session:
        session.mount("http://", Canned())
        assert SessionTransport(session).send(get("http://127.0.0.1:9"), soon()).body == b"canned"


def test_session_hook_error_propagates() -> None:
    """It is the caller's own error, unchanged."""

    def refuse(response: requests.Response, **_: Any) -> None:
        response.close()
        raise LookupError("mine")

    with requests.Session() as session, Server(responding(http())) as at:
        session.hooks["response"].append(refuse)
        with pytest.raises(LookupError, match="mine"):
            SessionTransport(session).send(get(at.url), soon())


def test_connection_error_of_a_session_hook_propagates() -> None:
    """Our request got its response: the hook's error propagates, and the request does not count as unsent."""

    def audit(response: requests.Response, **_: Any) -> None:
        requests.post("http://127.0.0.1:9/audit", data=b"x", timeout=1)

    with requests.Session() as session, Server(responding(http())) as at:
        session.hooks["response"].append(audit)
        with pytest.raises(requests.ConnectionError):
            SessionTransport(session).send(post(at.url), soon())
    assert len(at.requests) == 1


class _Again(requests.Session):
    def request(self, *args: Any, **options: Any) -> Any:
        try:
            return super().request(*args, **options)
        except requests.ConnectionError:
            return super().request(*args, **options)


class _AgainBelow(requests.adapters.HTTPAdapter):
    def send(self, *args: Any, **options: Any) -> Any:
        try:
            return super().send(*args, **options)
        except requests.ConnectionError:
            return super().send(*args, **options)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # urllib3 leaves a socket to the collector
@pytest.mark.parametrize("where", ["session", "adapter"])
def test_custom_session_send_never_counts_as_unsent(where: str) -> None:
    """Its first attempt was accepted and the second was refused, so something was sent."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        connection, _ = listener.accept()
        listener.close()
        with connection:
            connection.recv(1 << 16)

    thread = threading.Thread(target=take)
    thread.start()
    with _Again() if where == "session" else requests.Session() as session, listener:
        session.trust_env = False
        if where == "adapter":
            session.mount("http://", _AgainBelow())
        request = post(f"http://127.0.0.1:{listener.getsockname()[1]}")
        failed(ApiConnectionError, sent=True, call=lambda: SessionTransport(session).send(request, soon()))
    thread.join()
    gc.collect()


@pytest.mark.parametrize(
    "error", [requests.exceptions.InvalidURL, requests.exceptions.InvalidProxyURL, requests.JSONDecodeError]
)
def test_url_error_of_a_session_hook_propagates(error: type[Exception]) -> None:
    """Our request got its response: a URL, proxy or document error of a hook says nothing about it."""

    def audit(response: requests.Response, **_: Any) -> None:
        response.close()
        raise error("mine", "", 0) if error is requests.JSONDecodeError else error("mine")

    with requests.Session() as session, Server(responding(http())) as at:
        session.hooks["response"].append(audit)
        with pytest.raises(error, match="mine"):
            SessionTransport(session).send(post(at.url), soon())
    assert len(at.requests) == 1


class _AuditAuth(requests.auth.AuthBase):
    """Authentication whose response hook talks to another host, or fails in another way."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.register_hook("response", self.audit)
        return request

    def audit(self, response: requests.Response, **_: Any) -> None:
        if self.failure is not None:
            raise self.failure
        requests.post(f"http://127.0.0.1:{dead_port()}/audit", data=b"x", timeout=1)


@pytest.mark.parametrize(
    "failure",
    [
        None,
        ValueError("SOCKS"),
        requests.exceptions.MissingSchema("mine"),
        UnicodeEncodeError("ascii", "x", 0, 1, "mine"),
        FileNotFoundError(2, "mine", "/nowhere"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_error_of_an_auth_hook_never_counts_as_unsent(failure: Exception | None) -> None:
    """Hooks of `session.auth` run after the response, too, whatever they raise."""
    with requests.Session() as session, Server(responding(http())) as at:
        session.auth = _AuditAuth(failure)
        with pytest.raises(requests.ConnectionError if failure is None else type(failure)) as caught:
            SessionTransport(session).send(post(at.url), soon())
    assert not isinstance(caught.value, ApiConnectionError)
    assert len(at.requests) == 1


@pytest.mark.parametrize("method", ["send", "build_response"])
@pytest.mark.parametrize(
    "failure",
    [
        requests.ConnectionError(urllib3.exceptions.NewConnectionError(None, "mine")),  # type: ignore[arg-type]
        requests.exceptions.MissingSchema("mine"),
        requests.exceptions.InvalidProxyURL("mine"),
        requests.exceptions.ConnectTimeout("mine"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_error_of_an_adapters_own_method_counts_as_sent(method: str, failure: Exception) -> None:
    """It may have sent the request before."""

    class Auditing(requests.adapters.HTTPAdapter):
        pass

    def audit(self: Any, *arguments: Any, **options: Any) -> Any:
        getattr(super(Auditing, self), method)(*arguments, **options).close()
        raise failure

    setattr(Auditing, method, audit)
    with requests.Session() as session, Server(responding(http())) as at:
        session.mount("http://", Auditing())
        expected = ApiTimeoutError if isinstance(failure, requests.Timeout) else ApiConnectionError
        failed(expected, sent=True, call=lambda: SessionTransport(session).send(post(at.url), soon()))
    assert len(at.requests) == 1


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # urllib3 leaves a socket to the collector
def test_contradictory_length_of_a_response_counts_as_sent() -> None:
    """urllib3 has an InvalidHeader of its own, for what arrived."""
    head = b"HTTP/1.1 201 Created\r\nContent-Length: 5, 6\r\n\r\nhello"
    with requests.Session() as session, Server(responding(head)) as at:
        failed(ApiConnectionError, sent=True, call=lambda: SessionTransport(session).send(post(at.url), soon()))
    assert len(at.requests) == 1
    gc.collect()


def test_session_that_lists_its_arguments_is_called_with_common_ones() -> None:
    """A session with a `request` of its own gets the arguments that requests documents, and no hooks."""

    class Listed(requests.Session):
        def request(  # type: ignore[override]
            self,
            method: Any,
            url: Any,
            data: Any,
            headers: Any,
            timeout: Any,
            allow_redirects: Any,
            stream: Any,
            proxies: Any,
        ) -> requests.Response:
            return super().request(
                method, url, data=data, headers=headers, timeout=timeout, allow_redirects=allow_redirects, stream=stream,
                proxies=proxies,
            )  # fmt: skip

    with Listed() as session, Server(responding(http())) as at:
        assert SessionTransport(session).send(post(at.url), soon()).status == 200
    assert len(at.requests) == 1


def test_failed_tls_handshake_says_what_to_check() -> None:
    """A plain server behind an https URL: where the connection broke is not proven, so it counts as sent."""
    listener = socket.create_server(("127.0.0.1", 0))

    def refuse() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")

    thread = threading.Thread(target=refuse)
    thread.start()
    with requests.Session() as session, listener:
        session.trust_env = False
        request = post(f"https://127.0.0.1:{listener.getsockname()[1]}")
        text = failed(ApiConnectionError, sent=True, call=lambda: SessionTransport(session).send(request, soon()))
    thread.join()
    assert "is it https, with the right port?" in text


@pytest.mark.parametrize("location", ["http://[::1/", "\xff\xfe://x"])
def test_redirect_to_an_invalid_url_counts_as_sent(location: str) -> None:
    """The requests library parses the target of a redirect even if it is not followed."""
    with requests.Session() as session, Server(responding(http(b"", f"Location: {location}", status="302 F"))) as at:
        failed(ApiConnectionError, sent=True, call=lambda: SessionTransport(session).send(post(at.url), soon()))


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # urllib3 leaves a socket to the collector
@pytest.mark.parametrize("end", ["close", "reset"])
def test_request_accepted_by_a_proxy_counts_as_sent(end: str) -> None:
    """The proxy gets the whole request and closes the connection: it may have forwarded it."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1 << 16)
            if end == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    thread = threading.Thread(target=take)
    thread.start()
    with requests.Session() as session, listener:
        session.trust_env = False
        session.proxies = {"http": f"http://127.0.0.1:{listener.getsockname()[1]}"}
        with pytest.raises(ApiConnectionError) as caught:
            SessionTransport(session).send(post("http://api.example.com/v3/orders"), soon())
        thread.join()
        gc.collect()
    assert caught.value.request_sent is True


# Without a socket


def test_in_process_transport() -> None:
    """The function returns the response; a download comes in chunks of 64 kB, and a closed transport raises."""
    content = os.urandom(150_000)
    transport = InProcessTransport(lambda request: Response(200, {"x-method": request.method}, content))
    assert transport.send(get("http://here"), soon()).headers == {"x-method": "GET"}
    opened = transport.open(get("http://here"), soon())
    assert opened.status == 200
    pieces = [transport.read(opened) for _ in range(4)]
    assert [len(piece) for piece in pieces] == [65536, 65536, 18928, 0]
    assert b"".join(pieces) == content
    transport.release(opened)
    transport.close()
    with pytest.raises(ClientClosedError):
        transport.send(get("http://here"), soon())


def test_in_process_transport_for_tasks() -> None:
    """The same holds for tasks, which run between two responses."""
    transport = AsyncInProcessTransport(lambda _: Response(200, {}, b"body"))

    async def main() -> None:
        assert (await transport.send(get("http://here"), soon())).body == b"body"
        opened = await transport.open(get("http://here"), soon())
        assert [await transport.read(opened), await transport.read(opened)] == [b"body", b""]
        await transport.release(opened)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                while True:
                    await transport.send(get("http://here"), soon())
        await transport.close()
        with pytest.raises(ClientClosedError):
            await transport.send(get("http://here"), soon())

    asyncio.run(main())
