"""Unusual responses that are good enough: success stays success, and an error keeps its class."""

from __future__ import annotations

import contextlib
import copy
import gzip
import json
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest

from didww import (
    ApiConnectionError,
    Did,
    DidwwClient,
    Export,
    InvalidValueError,
    QueryParams,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    ValidationError,
)
from didww._core import operations
from didww._core.effects import Request, Response
from didww._core.response import error_for
from didww._core.retry import MAX_RETRY_AFTER
from didww.configuration import ApiKey, Configuration
from didww.transport.body import Body
from didww.transport.inprocess import InProcessTransport
from support.clients import KINDS
from support.clients import client_of as client_of_kind
from support.fake_service import BASE, AttemptResult, FakeService
from support.scripted_transport import Scripted, json_response
from support.servers import Server

ID = "8d1a3c5e-0000-4000-8000-000000000001"
REQUEST = Request("GET", "https://api.example.com/v3/dids?signature=1", {"Api-Key": "example-key"})


def client_of(*script: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    return DidwwClient("key", base_url="https://api.example.com/v3", transport=transport, rate_limit=None), transport


@pytest.mark.parametrize("response", [json_response(204), json_response(200), json_response(200, body=b"\n")])
def test_update_without_a_document_succeeds(response: Response) -> None:
    """`data` is the record that was sent, and it counts as saved."""
    client, _ = client_of(response)
    did = Did.build(ID)
    did.description = "x"
    done = client.dids().update(did)
    assert done.data is did
    assert did.changes == {}
    assert done.raw == {}


@pytest.mark.parametrize(
    "body", [b"", b" \n", b'{"meta":{"api_version":"x"}}', b'{"jsonapi":{}}', b"OK", b"<p>gone</p>"]
)
@pytest.mark.parametrize("status", [200, 202, 204])
def test_successful_delete_ignores_its_body(status: int, body: bytes) -> None:
    """The status says that the record is gone, whatever the body is."""
    client, _ = client_of(json_response(status, body=body))
    assert client.dids().delete(ID).data is None


def test_create_without_a_document_raises() -> None:
    """The created record and its id would be lost: the error says that the response was empty."""
    from didww import VoiceInTrunkGroup

    client, _ = client_of(json_response(201))
    with pytest.raises(UnexpectedResponseError, match="an empty body"):
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="x"))


def test_next_link_may_be_relative() -> None:
    """A path of the same origin and a query alone are followed."""
    pages = [
        json_response(document={"data": [{"type": "dids", "id": f"{ID[:-1]}{number}"}], "links": {"next": link}})
        for number, link in ((1, "/v3/dids?page=2"), (2, "?page=3"), (3, "?page=3"))
    ]
    client, transport = client_of(*pages)
    assert len(list(client.dids().iterate())) == 3
    assert [request.url for request in transport.requests][1:] == [
        "https://api.example.com/v3/dids?page=2",
        "https://api.example.com/v3/dids?page=3",
    ]


def body_of(status: int, packing: str, *pieces: bytes) -> bytes:
    body = Body(status, {"content-encoding": packing})
    for piece in pieces:
        body.feed(piece)
    return body.whole()


def test_multi_member_gzip_is_one_body() -> None:
    """Chunk boundaries and trailing padding do not matter; an empty body is empty."""
    packed = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two") + b"\0" * 9
    for size in (1, 7, len(packed)):
        pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
        assert body_of(200, "gzip", *pieces) == b"one two"
    assert body_of(200, "gzip") == b""


@pytest.mark.parametrize(
    "packed",
    [b"no gzip", gzip.compress(b"x" * 999)[:20], gzip.compress(b"x") + b"rest"],
    ids=["not packed", "cut", "rest"],
)
def test_damaged_error_body_keeps_the_error(packed: bytes) -> None:
    """A proxy's 502 stays a ServerError with its status; a damaged body of a success raises."""
    assert type(error_for(REQUEST, 502, {}, body_of(502, "gzip", packed))) is ServerError
    assert body_of(502, "br", b"x", b"y") == b""
    for packing in ("gzip", "br"):
        with pytest.raises(UnexpectedResponseError):
            body_of(200, packing, packed)
    with pytest.raises(UnexpectedResponseError):
        body_of(200, "deflate", zlib.compress(b"x" * 99)[:9])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:00 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry-after": "Monday, 23-Nov-26 10:00:30 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon Nov 23 10:00:30 2026", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": "Mon Nov 23 10:00:00 2026"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, MAX_RETRY_AFTER),
        ({"retry-after": "-3"}, MAX_RETRY_AFTER),
        ({"retry-after": "1.5"}, MAX_RETRY_AFTER),
        ({"retry-after": "5, 5"}, MAX_RETRY_AFTER),
        ({"retry-after": "soon"}, MAX_RETRY_AFTER),
        ({"retry-after": "\u0663"}, MAX_RETRY_AFTER),
        ({"retry-after": "9" * 400}, 2.0**31),
        ({"retry-after": " "}, None),
        ({}, None),
    ],
)
def test_retry_after_accepts_seconds_and_dates(headers: dict[str, str], expected: float | None) -> None:
    """Dates in any HTTP format are compared with the response's Date, not with our clock."""
    assert error_for(REQUEST, 429, headers, b"").retry_after == expected


def test_unreadable_retry_after_waits_longest() -> None:
    """The retry comes after the longest pause, if there is time for it."""
    service = FakeService(AttemptResult(0.1, 503, "in a while"))
    configuration = Configuration(credentials=ApiKey("key"), base_url=BASE, timeout=600)
    service.run(operations.list_(configuration, Did, QueryParams()))
    assert service.slept[0] >= MAX_RETRY_AFTER
    service = FakeService(AttemptResult(0.1, 503, "in a while"))
    with pytest.raises(ServerError):
        service.run(operations.list_(configuration.replaced(timeout=30), Did, QueryParams()))
    assert service.slept == []


ODD = [
    (rb"\ud83d", "\ufffd"),
    (rb"\udc00", "\ufffd"),
    (rb"\ud83d\u0041", "\ufffdA"),
    (rb"\ud83d\ud83d\ude00", "\ufffd\U0001f600"),
    (rb"\u00zz", "\ufffdzz"),
    (rb"\x41", "\ufffd41"),
    (b"\xff", "\ufffd"),
    (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
    (b"\xc3", "\ufffd"),
    (b"\0", "\ufffd"),
    (b"a\nb", "a\ufffdb"),
]


@pytest.mark.parametrize(("odd", "expected"), ODD)
def test_invalid_character_is_replaced(odd: bytes, expected: str) -> None:
    """Lone surrogates, bad escapes and invalid UTF-8 become U+FFFD, and all else stays as sent."""
    good = rb"\ud83d\ude00 \u00e9 \\ \" \\u00zz " + "é".encode()
    records = [b'{"type":"dids","id":"%d","attributes":{"description":"%s"}}' % (n, good) for n in range(3)]
    records[1] = records[1].replace(good, good + odd + b"!")
    client, _ = client_of(json_response(body=b'\xef\xbb\xbf{"data": [\n' + b",\n".join(records) + b"\n]}\n"))
    response = client.dids().list()
    text = '\U0001f600 é \\ " \\u00zz é'
    assert [did.description for did in response.data] == [text, f"{text}{expected}!", text]
    assert response.raw["data"][1]["attributes"]["description"] == f"{text}{expected}!"


@pytest.mark.parametrize("end", [1, 2, 3, 6, 9, 12])
@pytest.mark.parametrize("odd", [rb"\ud83d", b"\xff", b"\0"])
def test_invalid_characters_do_not_hide_truncation(end: int, odd: bytes) -> None:
    """A truncated document still raises."""
    whole = b'{"data": {"type": "dids", "id": "1", "attributes": {"description": "' + odd + odd + b'"}}}'
    client, _ = client_of(json_response(body=whole[:-end]))
    with pytest.raises(UnexpectedResponseError, match="truncated or invalid JSON"):
        client.dids().find(ID)


def test_invalid_characters_in_an_error_keep_the_error(tmp_path: Path) -> None:
    """The error is the one that the service sent."""
    client, _ = client_of(json_response(422, body=b'{"errors": [{"title": "\xff is taken", "code": "100"}]}'))
    with pytest.raises(ValidationError, match="\ufffd is taken"):
        client.dids().find(ID)


def test_redacted_request_hides_secrets() -> None:
    """Neither query nor headers are shown."""
    assert repr(REQUEST) == "Request(GET https://api.example.com/v3/dids)"


def test_partially_constructed_client_has_a_repr() -> None:
    """Debuggers show it while the constructor's error propagates."""
    assert repr(DidwwClient.__new__(DidwwClient)) == "DidwwClient()"


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 10**400},
        {"timeout": -(10**5000)},
        {"timeout": float("nan")},
        {"timeout": "5"},
        {"headers": "x"},
        {"headers": ["x"]},
        {"headers": {5: "a"}},
        {"headers": {"X-A": 5}},
        {"headers": {"X A": "a"}},
        {"headers": {"X:A": "a"}},
        {"headers": {"": "a"}},
        {"headers": {"X-A": " a"}},
        {"headers": {"X-A": "a\r\nB: c"}},
        {"headers": {"Api-Key": "a"}},
    ],
    ids=lambda options: next(iter(options)),
)
def test_invalid_option_is_named_in_the_error(options: dict[str, Any]) -> None:
    """`InvalidValueError` has the option's name."""
    client, _ = client_of(json_response(200))
    with pytest.raises(ValueError, match=next(iter(options))):
        client.with_options(**options)


@pytest.mark.parametrize(
    "base_url",
    [
        *("http://", 5, b"http://x", "http://x:99999", "http://[::1", "http://a b/", "ftp://x", "http://x\n.com"),
        *("http://é.com", "http://u:p@x/", "http://x/?a", "http://x#a", "http://x\\y", "http://x/\ud800"),
    ],
    ids=lambda value: ascii(value),
)
def test_base_url_must_be_plain(base_url: Any) -> None:
    """Anything else raises immediately, without repeating a possible password."""
    with pytest.raises(ValueError, match="base_url must be") as caught:
        DidwwClient("key", base_url=base_url)
    assert "u:p" not in str(caught.value)


def test_empty_page_does_not_end_iteration() -> None:
    """Its next link is followed; after several empty pages the iteration ends."""

    def page(number: int, *ids: str) -> Response:
        data = [{"type": "dids", "id": one} for one in ids]
        return json_response(document={"data": data, "links": {"next": f"?page={number + 1}"}})

    client, _ = client_of(page(1, "a"), page(2), page(3, "c"), json_response(document={"data": []}))
    assert [did.id for did in client.dids().iterate()] == ["a", "c"]
    client, transport = client_of(*(page(number) for number in range(1, 50)))
    assert list(client.dids().iterate()) == []
    assert len(transport.requests) < 6


DIGITS = "9" * 5000


@pytest.mark.parametrize("date", ["", DIGITS])
@pytest.mark.parametrize("kind", ["in process", *KINDS])
def test_huge_numbers_are_handled(kind: str, date: str, tmp_path: Path) -> None:
    """Python refuses to parse these: an error keeps its class, and a file of such a length raises."""
    busy = {"retry-after": DIGITS, "date": date, "content-length": "2"}
    long = {"content-length": DIGITS}

    def answer_to(request: Request) -> Response:
        return Response(200, long, b"{}") if "file" in request.url else Response(429, busy, b"{}")

    def serve(server: Server, connection: socket.socket) -> None:
        asked = server.receive(connection)
        found = answer_to(Request("GET", asked.split(b" ")[1].decode(), {}))
        lines = "".join(f"{name}: {value}\r\n" for name, value in found.headers.items())
        connection.sendall(f"HTTP/1.1 {found.status} OK\r\n{lines}\r\n".encode() + found.body)

    with contextlib.ExitStack() as stack:
        if kind == "in process":
            base_url = "https://api.example.com/v3"
            client: Any = stack.enter_context(
                DidwwClient(
                    "key", base_url=base_url, transport=InProcessTransport(answer_to), max_retries=0, rate_limit=None
                )
            )
        else:
            base_url = f"{stack.enter_context(Server(serve)).url}/v3"
            client = stack.enter_context(client_of_kind(kind, base_url, max_retries=0))
        with pytest.raises(RateLimitError) as caught:
            client.balance().find()
        assert caught.value.retry_after == 2.0**31
        with pytest.raises((UnexpectedResponseError, ApiConnectionError)):
            client.download_export(f"{base_url}/file", tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def nested(levels: int, opening: str, closing: str) -> bytes:
    return f"{opening * levels}1{closing * levels}".encode()


@pytest.mark.parametrize("levels", [150, 480, 700, 900, 985, 5000])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]"), ('[{"x":{},"a":[', "]}]")])
@pytest.mark.parametrize("where", ["attributes", "meta", "links", "document"])
def test_deeply_nested_response_raises(levels: int, opening: str, closing: str, where: str) -> None:
    """Python can neither copy nor compare a thousand levels, so such data is never returned."""
    value = nested(levels, opening, closing)
    places = dict.fromkeys(("attributes", "meta", "links"), b"{}")
    places["document"] = b"1"
    places[where] = b'{"z":' + value + b"}"
    body = b'{"data":{"type":"dids","id":"1","attributes":%b,"meta":%b},"links":%b,"x":%b}' % tuple(places.values())
    client, _ = client_of(json_response(200, body=body))
    if where == "document":  # nobody gets to see it
        with contextlib.suppress(UnexpectedResponseError):
            assert client.dids().find(ID).data.id == "1"
    else:
        with pytest.raises(UnexpectedResponseError):
            client.dids().find(ID)


@pytest.mark.parametrize("levels", [4, 5, 6, 9, 40, 90])
def test_moderately_nested_response_is_accepted(levels: int) -> None:
    """Realistic nesting can be read, copied, compared and printed."""
    value = nested(levels, '{"a":', "}")
    client, _ = client_of(
        json_response(200, body=b'{"data":{"type":"dids","id":"1","attributes":{"number":%b,"z":%b}}}' % (value, value))
    )
    first, second = client.dids().find("1").data, client.dids().find("1").data
    assert first.to_dict()["attributes"]["z"] == json.loads(value)
    assert first.to_dict() == copy.deepcopy(second).to_dict()
    assert "number={'a': {'a'" in repr(first)


@pytest.mark.parametrize("levels", [150, 900, 985, 5000])
def test_deeply_nested_error_keeps_its_class(levels: int) -> None:
    """The status decides the class."""
    detail = nested(levels, '{"a":', "}")
    client, _ = client_of(json_response(422, body=b'{"errors":[{"detail":%b}]}' % detail))
    with pytest.raises(ValidationError) as caught:
        client.dids().find(ID)
    assert caught.value.errors == []


def deep(levels: int, kind: type) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if kind is dict else kind([value])
    return value


@pytest.mark.parametrize("kind", [dict, list, tuple])
@pytest.mark.parametrize("levels", [120, 400, 493, 497, 700, 5000])
def test_deeply_nested_export_filters_are_rejected(levels: int, kind: type) -> None:
    """The error names the field, before anything is sent."""
    with pytest.raises(InvalidValueError, match=r"^Export.filters must not be nested") as caught:
        Export(export_type="cdr_in", filters={"x": deep(levels, kind)})
    assert caught.value.field == "Export.filters"


def test_self_referencing_export_filters_are_rejected() -> None:
    """The error is raised immediately, however often they repeat."""
    filters: dict[str, Any] = {}
    filters.update(dict.fromkeys("abcdefgh", filters))
    with pytest.raises(InvalidValueError, match="contain itself"):
        Export(export_type="cdr_in", filters=filters)
