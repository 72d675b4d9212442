"""Answers that are odd, and good enough: done is done, and an error stays the error that it is."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest

from didww import Did, DidwwClient, DidwwClientError, ServerError, UnexpectedResponse
from didww.calls.answer import error_for
from didww.calls.effects import Request, Response
from didww.transport.body import Body
from scripted import Scripted, answer

ID = "8d1a3c5e-0000-4000-8000-000000000001"
REQUEST = Request("GET", "https://api.example.com/v3/dids?signature=1", {"Api-Key": "example-key"})


def client_of(*script: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    return DidwwClient("key", base_url="https://api.example.com/v3", transport=transport, rate_limit=None), transport


@pytest.mark.parametrize("response", [answer(204), answer(200), answer(200, body=b"\n")])
def test_an_update_without_a_document_was_done(response: Response) -> None:
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
def test_a_deletion_that_was_done_is_never_an_error(status: int, body: bytes) -> None:
    """Whatever the body is, the status says that the record is gone."""
    client, _ = client_of(answer(status, body=body))
    assert client.dids().delete(ID).data is None


def test_creating_without_a_document_is_unexpected() -> None:
    """What was made, and its id, would be lost: the error says that the answer was empty."""
    from didww import VoiceInTrunkGroup

    client, _ = client_of(answer(201))
    with pytest.raises(UnexpectedResponse, match="an empty body"):
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="x"))


def test_a_link_to_the_next_page_may_be_relative() -> None:
    """A path of the same origin, and a query alone, are followed."""
    pages = [
        answer(document={"data": [{"type": "dids", "id": f"{ID[:-1]}{number}"}], "links": {"next": link}})
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


def test_gzip_of_several_members_is_one_body() -> None:
    """However the pieces are cut, and with padding behind; a body without anything is empty."""
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
def test_a_damaged_body_of_an_error_leaves_the_error(packed: bytes) -> None:
    """A proxy's 502 stays a ServerError with its status; a damaged body of a success is refused."""
    assert type(error_for(REQUEST, 502, {}, body_of(502, "gzip", packed))) is ServerError
    assert body_of(502, "br", b"x", b"y") == b""
    for packing in ("gzip", "br"):
        with pytest.raises(UnexpectedResponse):
            body_of(200, packing, packed)
    with pytest.raises(UnexpectedResponse):
        body_of(200, "deflate", zlib.compress(b"x" * 99)[:9])


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 09:00:00 GMT", "date": "Mon, 23 Nov 2026 10:00:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 10:00:30 GMT"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "\u0663"}, None),
        ({}, None),
    ],
)
def test_the_time_to_wait_is_seconds_or_a_date(headers: dict[str, str], expected: float | None) -> None:
    """A date is compared with the answer's own, so that no clock of ours matters; anything else is left out."""
    assert error_for(REQUEST, 429, headers, b"").retry_after == expected


def test_what_is_shown_of_a_request_opens_nothing() -> None:
    """Neither query nor headers."""
    assert repr(REQUEST) == "Request(GET https://api.example.com/v3/dids)"


def test_a_client_that_was_never_made_has_a_repr() -> None:
    """Debuggers show it while the constructor's error is on its way."""
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
def test_an_option_that_cannot_be_used_is_named(options: dict[str, Any]) -> None:
    """`InvalidValue` with the option's name."""
    client, _ = client_of(answer(200))
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
def test_an_address_of_the_api_is_plain(base_url: Any) -> None:
    """Anything else is refused at once, without repeating what may be a password."""
    with pytest.raises(ValueError, match="base_url must be") as caught:
        DidwwClient("key", base_url=base_url)
    assert "u:p" not in str(caught.value)


def test_an_empty_page_is_not_the_end() -> None:
    """If it names a next one, it is asked for; after some empty ones, the walk ends."""

    def page(number: int, *ids: str) -> Response:
        data = [{"type": "dids", "id": one} for one in ids]
        return answer(document={"data": data, "links": {"next": f"?page={number + 1}"}})

    client, _ = client_of(page(1, "a"), page(2), page(3, "c"), answer(document={"data": []}))
    assert [did.id for did in client.dids().iterate()] == ["a", "c"]
    client, transport = client_of(*(page(number) for number in range(1, 50)))
    assert list(client.dids().iterate()) == []
    assert len(transport.requests) < 6


def test_a_full_disk_is_named(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """`DidwwClientError`, and nothing is left of the file."""
    from didww.transport import driver, files

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    monkeypatch.setattr(driver, "open_file", lambda path: Full(files.open_file(path)))
    client, _ = client_of(answer(200, body=b"data"))
    with pytest.raises(DidwwClientError, match=r"Cannot write .*No space left on device"):
        client.download_export("https://api.example.com/v3/exports/a.csv.gz", tmp_path / "a")
    assert list(tmp_path.iterdir()) == []
