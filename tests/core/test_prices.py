"""Prices: what lookups send and return, downloads of price files, and the reader of their rows."""

from __future__ import annotations

import contextlib
import copy
import csv
import gzip
import io
import os
import pickle
import tempfile
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import (
    BearerToken,
    DidwwClient,
    PriceFile,
    SmsInPrice,
    SmsOutPrice,
    VoiceInPrice,
    VoiceOutPrice,
    VoiceOutPriceCategory,
    read_prices,
)
from didww._core.csv_rows import MAX_ROW
from didww._core.effects import Request, Response
from didww.exceptions import (
    ApiConnectionError,
    DidwwApiError,
    DidwwClientError,
    InvalidValueError,
    NotFoundError,
    NotLoadedError,
    PriceFileError,
    PriceNotFoundError,
    PricePlanNotAssignedError,
    RateLimitError,
    ServerError,
    UnexpectedResponseError,
    UnsupportedVersionError,
)
from support.clients import KINDS, client_of
from support.hypothesis_profiles import law
from support.scripted_transport import Scripted, json_response
from support.servers import Server, header, http, once, responding

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

TOKEN = "t0ken-that-nobody-may-see"
ID = "8d1a3c5e-0000-4000-8000-000000000001"
HEADER = (
    "Country,Src country name,Source type,Destination,Rate,Connection fee,Initial interval,Next interval,Reject calls"
)
ROWS = (
    "United Kingdom,,fixed,United Kingdom - Toll-free,0.0125,0.0,60,1,false",
    ",United States,cellular,International,,,1,1,true",
)
CSV = "\n".join([HEADER, *ROWS, ""])
PACKED = gzip.compress(CSV.encode())
OUTBOUND = "Category,Country,Network,Prefix,Rate,Connection fee,Initial increment,Recurring increment"
SMS = "Source prefix,Destination prefix,Country,MCC,MCC name,MNC,MNC name,Reject SMS,Price"
RECEIVED = (
    "Source prefix,Source number length min,Source number length max,Destination prefix,"
    "Destination number length min,Destination number length max,Country,Price"
)
CHANGED = "Thu, 19 Nov 2026 08:30:00 GMT"
CHANGED_AT = datetime(2026, 11, 19, 8, 30, tzinfo=UTC)
FILE_HEADERS = (
    "Content-Type: application/gzip",
    'Content-Disposition: attachment; filename="voice_in_prices.csv.gz"',
    f"Last-Modified: {CHANGED}",
    "Cache-Control: private",
    "Vary: Authorization",
    "Accept-Ranges: none",
)


def client_with(*script: Response | Exception | Callable[[Request], Response], **options: Any) -> tuple[Any, Scripted]:
    transport = Scripted(*script)
    options.setdefault("rate_limit", None)
    options.setdefault("api_version", "2026-11-19")
    client = DidwwClient(
        credentials=BearerToken(TOKEN), base_url="https://api.example.com/v3", transport=transport, **options
    )
    return client, transport


def found(**attributes: object) -> Response:
    """The response to a lookup with one price."""
    data = [{"type": "prices", "id": ID, "attributes": attributes}]
    return json_response(200, {"data": data, "meta": {"total_records": 1}})


def refused(status: int, code: str, **headers: str) -> Response:
    error = {"title": "No", "code": code, "status": str(status)}
    return json_response(status, {"errors": [error]}, **headers)


# --- lookups ---------------------------------------------------------------------------------------------------------

CALLS: dict[str, tuple[Callable[[Any], Any], str, dict[str, str]]] = {
    "inbound": (
        lambda prices: prices.voice_in.lookup("448081570001"),
        "/api-vin/v3/lookup/prices",
        {"number": "448081570001"},
    ),
    "inbound from a country": (
        lambda prices: prices.voice_in.lookup("448081570001", src_country_iso="GB"),
        "/api-vin/v3/lookup/prices",
        {"number": "448081570001", "src_country_iso": "GB"},
    ),
    "outbound": (
        lambda prices: prices.voice_out.lookup("442079460001"),
        "/api-vout/v3/lookup/prices",
        {"number": "442079460001"},
    ),
    "messages to a number": (
        lambda prices: prices.sms_out("a2p").lookup("442079460001"),
        "/api-sms/v3/sms_out/a2p/lookup/prices",
        {"dst_number": "442079460001"},
    ),
    "messages to a number in a country": (
        lambda prices: prices.sms_out("otp").lookup("442079460001", dst_country_iso="GB"),
        "/api-sms/v3/sms_out/otp/lookup/prices",
        {"dst_number": "442079460001", "dst_country_iso": "GB"},
    ),
    "inbound messages of a country": (
        lambda prices: prices.sms_in.lookup(dst_country_iso="GB"),
        "/api-sms/v3/sms_in/lookup/prices",
        {"dst_country_iso": "GB"},
    ),
}


@pytest.mark.parametrize("case", CALLS)
def test_lookup_sends_only_its_filters(case: str) -> None:
    """The service refuses any other parameter; the request has a token and no key."""
    call, path, filters = CALLS[case]
    client, transport = client_with(found())
    response = call(client.prices())
    (request,) = transport.requests
    split = urlsplit(request.url)
    assert split.path == path
    assert parse_qs(split.query) == {f"filter[{name}]": [value] for name, value in filters.items()}
    assert request.method == "GET"
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert "Api-Key" not in request.headers
    assert request.headers["Accept"] == "application/vnd.api+json"
    assert response.total_records == len(response.data) == 1
    assert response.data[0].id == ID


def test_prices_of_inbound_calls_are_typed() -> None:
    """Money is Decimal, and null is None; what the response lacks is reported, unless it can be null."""
    rejected = {"destination": "X", "country": None, "rate": None, "reject_calls": True, "initial_interval": 60}
    client, _ = client_with(found(**rejected, connection_fee="0.10"))
    (price,) = client.prices().voice_in.lookup("448081570001").data
    assert type(price) is VoiceInPrice
    assert (price.rate, price.country, price.reject_calls, price.initial_interval) == (None, None, True, 60)
    assert price.connection_fee == Decimal("0.10")
    assert price.src_country_name is None
    with pytest.raises(NotLoadedError, match=r"VoiceInPrice\.next_interval is not in the response"):
        _ = price.next_interval
    assert VoiceInPrice.from_dict(price.to_dict()).to_dict() == price.to_dict()


def test_prices_of_outbound_calls_are_typed() -> None:
    """A scheduled change is typed under the likely names, and readable under any other."""
    client, _ = client_with(
        found(
            category="Origin based",
            rate="0.0020",
            next_rate="0.5",
            effective_at="2026-12-01T00:00:00.000Z",
            following_rate="0.7",
        )
    )
    (price,) = client.prices().voice_out.lookup("442079460001").data
    assert type(price) is VoiceOutPrice
    assert price.category is VoiceOutPriceCategory.ORIGIN_BASED
    assert (price.rate, price.next_rate) == (Decimal("0.0020"), Decimal("0.5"))
    assert price.effective_at == datetime(2026, 12, 1, tzinfo=UTC)
    assert price.next_connection_fee is None
    assert price.following_rate == "0.7"


def test_prices_of_messages_are_typed() -> None:
    """The same type has other attributes in each service."""
    client, _ = client_with(
        found(mcc=234, mnc=None, reject_sms=False, price="0.031"),
        found(price="0.0059", source_number_length_min=1, destination_prefix="44"),
    )
    (out,) = client.prices().sms_out("p2p").lookup(dst_country_iso="GB").data
    (received,) = client.prices().sms_in.lookup(dst_country_iso="GB").data
    assert type(out) is SmsOutPrice
    assert type(received) is SmsInPrice
    assert (out.mcc, out.mnc, out.price, out.reject_sms) == (234, None, Decimal("0.031"), False)
    assert (received.price, received.source_number_length_min) == (Decimal("0.0059"), 1)


LOOKUPS: dict[str, Callable[[Any], Any]] = {
    "VoiceInPrice": lambda prices: prices.voice_in.lookup("448081570001"),
    "VoiceOutPrice": lambda prices: prices.voice_out.lookup("442079460001"),
    "SmsInPrice": lambda prices: prices.sms_in.lookup("442079460001"),
    "SmsOutPrice": lambda prices: prices.sms_out("otp").lookup(dst_country_iso="GB"),
}


@pytest.mark.parametrize("name", LOOKUPS)
@pytest.mark.parametrize("copied", [lambda value: pickle.loads(pickle.dumps(value)), copy.copy, copy.deepcopy])
def test_prices_can_be_copied(name: str, copied: Callable[[Any], Any]) -> None:
    """The price, the list and the response, with class and content, as all other records."""
    client, _ = client_with(found(country="United Kingdom", unknown="yes"))
    response = LOOKUPS[name](client.prices())
    for price in (copied(response.data[0]), copied(response.data)[0], copied(response).data[0]):
        assert type(price).__name__ == name
        assert (price.id, price.country, price.unknown) == (ID, "United Kingdom", "yes")
        assert price.to_dict() == response.data[0].to_dict()


@pytest.mark.parametrize("header", ["Accept", "accept"])
@pytest.mark.parametrize("name", LOOKUPS)
def test_custom_accept_is_not_sent_to_lookups(name: str, header: str) -> None:
    """They refuse any other type; other custom headers are sent."""
    client, transport = client_with(found(), headers={header: "application/json", "X-Proxy": "1"})
    LOOKUPS[name](client.prices())
    sent = {key: value for key, value in transport.requests[0].headers.items() if key.lower() == "accept"}
    assert sent == {"Accept": "application/vnd.api+json"}
    assert transport.requests[0].headers["X-Proxy"] == "1"


@pytest.mark.parametrize(
    ("call", "field", "message"),
    [
        (lambda p: p.voice_in.lookup("+44 808 157 0001"), "number", r"8 to 15 digits.*Write '448081570001'\."),
        (lambda p: p.voice_in.lookup("0448081570001"), "number", r"8 to 15 digits.*got '0448081570001'\.$"),
        (lambda p: p.voice_in.lookup("1234567"), "number", "8 to 15 digits"),
        (lambda p: p.voice_in.lookup("1234567890123456"), "number", "8 to 15 digits"),
        (lambda p: p.voice_in.lookup("١٢٣٤٥٦٧٨"), "number", "8 to 15 digits"),
        (lambda p: p.voice_in.lookup(448081570001), "number", r"a text of .*got 448081570001\. Write '448081570001'\."),
        (lambda p: p.voice_in.lookup("448081570001", src_country_iso="gb"), "src_country_iso", r"Write 'GB'\."),
        (lambda p: p.voice_in.lookup("448081570001", src_country_iso="GBR"), "src_country_iso", r"got 'GBR'\.$"),
        (lambda p: p.voice_in.lookup("448081570001", src_country_iso="uk"), "src_country_iso", r"Write 'GB'\."),
        (lambda p: p.sms_in.lookup(dst_country_iso="UK"), "dst_country_iso", r"Write 'GB'\."),
        (lambda p: p.sms_in.lookup("02079460001"), "dst_number", r"got '02079460001'\.$"),
        (lambda p: p.voice_out.lookup("02079460001"), "number", r"country code.*got '02079460001'\.$"),
        (lambda p: p.voice_out.lookup(442079460001), "number", r"a text of digits.*Write '442079460001'\."),
        (lambda p: p.voice_out.lookup("+442079460001"), "number", r"a text of digits.*Write '442079460001'\."),
        (
            lambda p: p.voice_out.lookup(None),
            "number",
            r"number of prices\(\)\.voice_out\.lookup must be .*, got None\.$",
        ),
        (lambda p: p.voice_in.lookup(None, src_country_iso="GB"), "number", r"must be .*, got None\.$"),
        (lambda p: p.voice_out.lookup(""), "number", r"a text of digits.*got ''\.$"),
        (lambda p: p.voice_out.lookup(10**5000), "number", r"a text of digits"),
        (lambda p: p.voice_out.lookup(True), "number", r"got True\.$"),
        (lambda p: p.sms_in.lookup(442079460001), "dst_number", r"Write '442079460001'\."),
        (lambda p: p.sms_out("p2p").lookup("44 20 7946 0001"), "dst_number", r"Write '442079460001'\."),
        (lambda p: p.sms_out("p2p").lookup("442079460001", dst_country_iso=" gb"), "dst_country_iso", r"Write 'GB'\."),
        (lambda p: p.sms_in.lookup(dst_country_iso=""), "dst_country_iso", r"such as 'GB', got ''\.$"),
        (lambda p: p.sms_in.lookup(), "dst_number", r"sms_in\.lookup must have dst_number or dst_country_iso, got"),
        (lambda p: p.sms_out("a2p").lookup("44-2079460001"), "dst_number", r"sms_out\('a2p'\)\.lookup must.*Write"),
        (lambda p: p.sms_out("mms"), "domain", r"domain must be 'a2p', 'p2p' or 'otp', got 'mms'"),
    ],
)
def test_invalid_argument_is_refused(call: Callable[[Any], Any], field: str, message: str) -> None:
    """The error names the argument and, if it can be guessed, the corrected text; nothing is sent."""
    client, transport = client_with(found())
    with pytest.raises(InvalidValueError, match=message) as caught:
        call(client.prices())
    assert caught.value.field == field
    assert transport.requests == []


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (refused(404, "price_not_found"), PriceNotFoundError),
        (refused(404, "price_plan_not_assigned"), PricePlanNotAssignedError),
        (refused(404, "404"), NotFoundError),
        (refused(400, "102"), DidwwApiError),
        (refused(406, "406"), DidwwApiError),
        (refused(429, "too_many_requests", retry_after="61"), RateLimitError),
        (refused(503, "serving_failure", retry_after="61"), ServerError),
        (refused(400, "price_not_found"), DidwwApiError),
    ],
)
def test_error_response_raises_its_class(response: Response, error: type[DidwwApiError]) -> None:
    """Each kind of 404 has an error class, chosen by its code."""
    client, _ = client_with(response)
    with pytest.raises(DidwwApiError) as caught:
        client.prices().voice_in.lookup("448081570001")
    assert type(caught.value) is error
    assert caught.value.path == "/api-vin/v3/lookup/prices"


def test_lookup_is_repeated_after_a_429() -> None:
    """It waits for the time that the service asks for."""
    client, transport = client_with(refused(429, "too_many_requests", retry_after="0"), found(rate="1.5"))
    response = client.prices().voice_out.lookup("442079460001")
    assert (response.data[0].rate, response.attempts, len(transport.requests)) == (Decimal("1.5"), 2, 2)


@pytest.mark.parametrize(
    "document",
    [
        {"data": [{"type": "dids", "id": ID, "attributes": {}}]},
        {"data": {"type": "prices", "id": ID, "attributes": {}}},
        {"data": None},
    ],
)
def test_response_without_prices_is_an_error(document: dict[str, Any]) -> None:
    """A response of another service, or of another shape, is not returned as prices."""
    client, _ = client_with(json_response(200, document))
    with pytest.raises(UnexpectedResponseError):
        client.prices().voice_in.lookup("448081570001")


def test_prices_need_the_newer_version() -> None:
    """The error of an older client names the argument to pass; nothing is sent."""
    transport = Scripted(found())
    client = DidwwClient("key", base_url="https://api.example.com/v3", transport=transport)
    with pytest.raises(UnsupportedVersionError, match=r"prices\(\) does not exist.*2026-11-19.*api_version="):
        client.prices()
    assert transport.requests == []


def test_misspelled_name_is_reported() -> None:
    """The error lists the price lists; reprs name what there is."""
    client, _ = client_with(found())
    prices = client.prices()
    with pytest.raises(AttributeError, match="Available: voice_in, voice_out, sms_in, sms_out"):
        _ = prices.voice
    assert repr(prices) == "<PricesEndpoint: voice_in, voice_out, sms_in, sms_out>"
    assert repr(prices.sms_out("a2p")) == "<prices().sms_out('a2p'): lookup, download, file_info>"


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def prices_of(kind: str, server: Server, **options: Any) -> Any:
    return client_of(
        kind, f"{server.url}/v3", None, credentials=BearerToken(TOKEN), api_version="2026-11-19", **options
    )


def in_turn(*responses: bytes) -> Callable[[Server, socket.socket], None]:
    """Send one response to each connection, and close it."""
    remaining = list(responses)

    def serve(server: Server, connection: socket.socket) -> None:
        server.receive(connection)
        connection.sendall(remaining.pop(0))

    return serve


def not_modified() -> bytes:
    return "\r\n".join(["HTTP/1.1 304 Not Modified", *FILE_HEADERS, "", ""]).encode()


def test_download_returns_what_the_service_says(kind: str, tmp_path: Path) -> None:
    """The file is stored as it is, for its owner only; the request has the token and asks for no encoding."""
    target = tmp_path / "prices.csv.gz"
    with Server(once(http(PACKED, *FILE_HEADERS))) as server, prices_of(kind, server) as client:
        file = client.prices().voice_in.download(target)
    assert file == PriceFile(True, CHANGED_AT, len(PACKED), "voice_in_prices.csv.gz", target)
    assert target.read_bytes() == PACKED
    assert target.stat().st_mode & 0o077 == 0
    request = server.requests[0]
    assert request.startswith(b"GET /api-vin/v3/prices.csv.gz HTTP/1.1\r\n")
    assert header(request, "authorization") == f"Bearer {TOKEN}"
    assert header(request, "accept-encoding") == "identity"
    assert b"if-modified-since" not in request.lower()
    assert b"x-didww-api-version" not in request.lower()


def test_download_can_decompress(kind: str, tmp_path: Path) -> None:
    """The text is stored, and its rows can be read."""
    target = tmp_path / "prices.csv"
    with Server(once(http(PACKED, *FILE_HEADERS))) as server, prices_of(kind, server) as client:
        file = client.prices().voice_in.download(target, decompress=True)
    assert target.read_text(encoding="utf-8") == CSV
    assert file.content_length == len(PACKED)
    assert len(list(read_prices(file.path, VoiceInPrice))) == 2


def test_unchanged_file_is_not_downloaded(kind: str, tmp_path: Path) -> None:
    """A 304 leaves the existing file alone, writes nothing, and returns the time of the service."""
    target = tmp_path / "prices.csv.gz"
    target.write_bytes(b"earlier")
    with Server(once(not_modified())) as server, prices_of(kind, server) as client:
        since = CHANGED_AT.astimezone(timezone(timedelta(hours=2))) + timedelta(milliseconds=900)
        file = client.prices().voice_in.download(target, if_modified_since=since)
    assert file == PriceFile(False, CHANGED_AT, None, "voice_in_prices.csv.gz", target)
    assert header(server.requests[0], "if-modified-since") == CHANGED
    assert target.read_bytes() == b"earlier"
    assert os.listdir(tmp_path) == ["prices.csv.gz"]  # noqa: PTH208 names are what is compared


def test_file_info_sends_a_head(kind: str) -> None:
    """It returns size, name and time; a 304 says that nothing changed; an error has no body."""
    head = "\r\n".join(["HTTP/1.1 200 OK", *FILE_HEADERS, "Content-Length: 4711", "", ""]).encode()
    absent = b"HTTP/1.1 404 Not Found\r\nContent-Length: 30\r\n\r\n"
    with Server(responding(head, not_modified(), absent)) as server, prices_of(kind, server) as client:
        prices = client.prices().voice_in
        assert prices.file_info() == PriceFile(True, CHANGED_AT, 4711, "voice_in_prices.csv.gz")
        assert prices.file_info(if_modified_since=CHANGED_AT).changed is False
        with pytest.raises(NotFoundError):
            prices.file_info()
    assert [request.split(b" ")[0] for request in server.requests] == [b"HEAD"] * 3
    assert header(server.requests[1], "if-modified-since") == CHANGED


def test_file_without_headers_is_described_as_far_as_possible(tmp_path: Path) -> None:
    """Missing and malformed headers are None."""
    client, _ = client_with(Response(200, {"last-modified": "yesterday", "content-disposition": "inline"}, PACKED))
    target = tmp_path / "prices.csv.gz"
    file = client.prices().sms_in.download(target)
    assert file == PriceFile(True, None, len(PACKED), None, target)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="voice_in_prices.csv.gz"', "voice_in_prices.csv.gz"),
        ("attachment; filename*=UTF-8''pr%C3%A9cios%20a.csv.gz", "précios a.csv.gz"),
        ('attachment; filename="../../../etc/cron.d/x"', "x"),
        ('attachment; filename="/etc/passwd"', "passwd"),
        (r'attachment; filename="C:\\\\temp\\\\x.csv"', "x.csv"),
        ('attachment; filename="C:x.csv"', "x.csv"),
        ("attachment; filename*=UTF-8''..%2F..%2Fx", "x"),
        ('attachment; filename=".."', None),
        ('attachment; filename="folder/.."', None),
        ('attachment; filename="/"', None),
        ('attachment; filename=" "', None),
        ('attachment; filename="a\x1b[2Jb"', None),
        ("attachment; filename*=UTF-8''a%00b", None),
        ("attachment; filename*=UTF-8''a%0Ab", None),
        ("attachment; filename*=UTF-8''%E2%80%AEgz.exe", None),
        (f'attachment; filename="{"a" * 255}"', "a" * 255),
        (f'attachment; filename="{"a" * 256}"', None),
        (f"attachment; filename*{'9' * 5000}=x", None),
        ("attachment; filename*=x; filename*0=y; filename*1*=z", None),
        ("attachment", None),
    ],
)
def test_file_name_cannot_leave_a_folder(disposition: str, name: str | None, tmp_path: Path) -> None:
    """It is one printable component, or None; the file is stored in any case."""
    client, _ = client_with(Response(200, {"content-disposition": disposition}, PACKED))
    target = tmp_path / "prices.csv.gz"
    file = client.prices().sms_in.download(target)
    assert file.filename == name
    assert target.read_bytes() == PACKED


@law(100)
@given(
    st.lists(
        st.sampled_from(["filename", "*", "0", "1", "=", ";", '"', "utf-8''", "%2F", "/", "x", "é", "\n", "9" * 5000]),
        max_size=12,
    ).map("".join)
)
def test_any_disposition_gives_a_name_or_none(disposition: str) -> None:
    """Whatever the header has, describing the file does not fail, and the name stays in its folder."""
    client, _ = client_with(Response(200, {"content-disposition": f"attachment; {disposition}"}, b""))
    name = client.prices().sms_in.file_info().filename
    assert name is None or (name.isprintable() and Path("folder", name).parent == Path("folder"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 19 Nov 2026 10:30:00 +0200", CHANGED_AT),
        ("Fri, 20 Nov 2026 08:29:00 +2359", CHANGED_AT),
        ("Fri, 31 Dec 9999 23:00:00 -0200", None),
    ],
)
def test_time_of_a_file_is_in_utc(text: str, expected: datetime | None) -> None:
    """Also if the header has another zone."""
    client, _ = client_with(Response(200, {"last-modified": text}, b""))
    changed = client.prices().sms_in.file_info().last_modified
    assert changed == expected
    assert changed is None or changed.tzinfo is UTC


INVALID: dict[str, tuple[bytes, type[Exception], str]] = {
    "cut off": (http(PACKED[:-9], *FILE_HEADERS), UnexpectedResponseError, "truncated"),
    "wrong check sum": (
        http(PACKED[:-1] + b"x", *FILE_HEADERS),
        UnexpectedResponseError,
        "damaged or not gzip; nothing was saved. D",
    ),
    "fewer bytes than told": (http(PACKED, *FILE_HEADERS, length=len(PACKED) + 1), ApiConnectionError, "incomplete"),
    "nothing": (http(b"", *FILE_HEADERS), UnexpectedResponseError, "is empty"),
    "not packed": (http(CSV.encode(), "Content-Type: text/csv"), UnexpectedResponseError, "damaged or not gzip"),
    "HTML": (http(b"<html>"), UnexpectedResponseError, "a page"),
    "JSON": (http(b'{"errors":[]}'), UnexpectedResponseError, "a page"),
    "text": (http(b"please log in", "Content-Type: text/plain"), UnexpectedResponseError, "a page"),
    "redirect": (http(b"", "Location: https://files.example.com/", status="302 Found"), UnexpectedResponseError, "302"),
    "304 without a condition": (http(b"", status="304 Not Modified"), UnexpectedResponseError, "304"),
    "not generated yet": (http(b"", "Retry-After: 0", status="503 Service Unavailable"), ServerError, "503"),
}


@pytest.mark.parametrize("case", INVALID)
def test_invalid_file_is_not_kept(case: str, kind: str, tmp_path: Path) -> None:
    """No file or part file remains, an existing file is unchanged, also after retries."""
    response, error, message = INVALID[case]
    target = tmp_path / "prices.csv.gz"
    target.write_bytes(b"earlier")
    with Server(once(response)) as server, prices_of(kind, server, max_retries=1) as client:
        with pytest.raises(error, match=message):
            client.prices().voice_in.download(target)
    assert target.read_bytes() == b"earlier"
    assert os.listdir(tmp_path) == ["prices.csv.gz"]  # noqa: PTH208 names are what is compared


def test_file_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    """`max_bytes` limits the decompressed size."""
    client, _ = client_with(Response(200, {}, gzip.compress(bytes(1_000_001))))
    with pytest.raises(UnexpectedResponseError, match="more than 1000000 bytes"):
        client.prices().voice_in.download(tmp_path / "prices.csv", decompress=True, max_bytes=1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_download_waits_until_the_file_is_generated(tmp_path: Path) -> None:
    """A 503 with `Retry-After` is repeated, with the condition; the error is raised when retries are used up."""
    later = refused(503, "serving_failure", retry_after="0")
    client, transport = client_with(later, later, Response(200, {}, PACKED))
    (tmp_path / "prices.csv.gz").write_bytes(b"earlier")
    client.prices().voice_in.download(tmp_path / "prices.csv.gz", if_modified_since=CHANGED_AT)
    assert [request.headers["If-Modified-Since"] for request in transport.requests] == [CHANGED] * 3
    client, _ = client_with(later)
    with pytest.raises(ServerError) as caught:
        client.prices().voice_in.download(tmp_path / "prices.csv.gz")
    assert caught.value.errors[0]["code"] == "serving_failure"
    client, transport = client_with(refused(404, "price_plan_not_assigned"))
    with pytest.raises(PricePlanNotAssignedError):
        client.prices().voice_in.download(tmp_path / "other.csv.gz")
    assert len(transport.requests) == 1


def test_interrupted_download_starts_over(tmp_path: Path) -> None:
    """The service has no ranges and no ETag, so the second request is for the whole file."""
    with Server(in_turn(http(PACKED, *FILE_HEADERS, length=len(PACKED) + 5), http(PACKED, *FILE_HEADERS))) as server:
        with prices_of("sync", server) as client:
            client.prices().voice_in.download(tmp_path / "prices.csv.gz")
    assert (tmp_path / "prices.csv.gz").read_bytes() == PACKED
    assert len(server.requests) == 2
    assert b"range:" not in server.requests[1].lower()


def test_304_after_a_part_keeps_nothing(tmp_path: Path) -> None:
    """The part that was received before is deleted."""
    target = tmp_path / "prices.csv.gz"
    target.write_bytes(b"earlier")
    with Server(in_turn(http(PACKED, *FILE_HEADERS, length=len(PACKED) + 5), not_modified())) as server:
        with prices_of("sync", server) as client:
            file = client.prices().voice_in.download(target, if_modified_since=CHANGED_AT)
    assert file.changed is False
    assert list(tmp_path.iterdir()) == [target]
    assert target.read_bytes() == b"earlier"


def test_missing_file_is_downloaded_even_if_unchanged(tmp_path: Path) -> None:
    """Without the file, the time of the last download is ignored. An invalid time is refused in any case."""
    client, transport = client_with(Response(200, {}, PACKED))
    target = tmp_path / "prices.csv.gz"
    assert client.prices().voice_in.download(target, if_modified_since=CHANGED_AT).changed
    assert "If-Modified-Since" not in transport.requests[0].headers
    assert target.read_bytes() == PACKED


@pytest.mark.parametrize("value", ["2026-11-19", datetime(2026, 11, 19), 1, CHANGED])
def test_condition_must_be_a_time(value: Any, tmp_path: Path) -> None:
    """A datetime with a time zone; nothing is sent otherwise."""
    client, transport = client_with(Response(200, {}, PACKED))
    prices = client.prices().voice_in
    for call in (
        lambda: prices.download(tmp_path / "x", if_modified_since=value),
        lambda: prices.file_info(if_modified_since=value),
    ):
        with pytest.raises(InvalidValueError, match="if_modified_since must be a datetime with a time zone"):
            call()
    assert transport.requests == []


def test_progress_is_reported(tmp_path: Path) -> None:
    """In compressed bytes, with the total of the service."""
    client, _ = client_with(Response(200, {"content-length": str(len(PACKED))}, PACKED))
    seen: list[tuple[int, int | None]] = []
    client.prices().voice_in.download(tmp_path / "x.csv.gz", progress=lambda progress: seen.append(tuple(progress)))
    assert seen[-1] == (len(PACKED), len(PACKED))
    with pytest.raises(InvalidValueError, match="progress must be a function"):
        client.prices().voice_in.download(tmp_path / "x.csv.gz", progress=1)
    with pytest.raises(InvalidValueError, match="decompress must be True or False"):
        client.prices().voice_in.download(tmp_path / "x.csv.gz", decompress="yes")


# --- rows ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write a price file."""

    def write(text: str | bytes, *, packed: bool = True) -> Path:
        path = tmp_path / "prices.csv.gz"
        data = text.encode() if isinstance(text, str) else text
        path.write_bytes(gzip.compress(data) if packed else data)
        return path

    return write


def test_rows_are_typed(file: Callable[..., Path]) -> None:
    """Empty cells are None; a row has no id; the values are those of a lookup."""
    first, second = read_prices(file(CSV), VoiceInPrice)
    assert (first.id, first.country, first.src_country_name) == (None, "United Kingdom", None)
    assert (first.rate, first.initial_interval, first.reject_calls) == (Decimal("0.0125"), 60, False)
    assert (second.country, second.src_country_name, second.rate, second.reject_calls) == (
        None,
        "United States",
        None,
        True,
    )
    assert first.to_dict()["attributes"] == {
        "country": "United Kingdom",
        "src_country_name": None,
        "source_type": "fixed",
        "destination": "United Kingdom - Toll-free",
        "rate": "0.0125",
        "connection_fee": "0.0",
        "initial_interval": 60,
        "next_interval": 1,
        "reject_calls": False,
    }
    assert first != second
    assert first == next(read_prices(file(CSV), VoiceInPrice))


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        (CSV, True),
        (CSV, False),
        (CSV.replace("\n", "\r\n"), True),
        ("\ufeff" + CSV, False),
        (CSV + "\n\n", True),
        (CSV[:-1], True),
    ],
)
def test_variants_of_a_file_are_read(text: str, packed: bool, file: Callable[..., Path]) -> None:
    """Compressed or not, with any line ends, a byte order mark, blank lines or no last line end."""
    assert [price.destination for price in read_prices(file(text, packed=packed), VoiceInPrice)] == [
        "United Kingdom - Toll-free",
        "International",
    ]


def test_columns_are_found_by_name(file: Callable[..., Path]) -> None:
    """Their order does not matter, and added ones are readable as text."""
    names, cells = ("Added column", *reversed(HEADER.split(","))), ("new", *reversed(ROWS[0].split(",")))
    (price,) = read_prices(file(f"{','.join(names)}\n{','.join(cells)}\n"), VoiceInPrice)
    assert (price.rate, price.source_type, price.reject_calls) == (Decimal("0.0125"), "fixed", False)
    assert price.added_column == "new"  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("cls", "header"), [(VoiceInPrice, HEADER), (VoiceOutPrice, OUTBOUND), (SmsOutPrice, SMS), (SmsInPrice, RECEIVED)]
)
def test_documented_column_must_be_in_the_file(cls: Any, header: str, file: Callable[..., Path]) -> None:
    """Without it, each price would read as rejected, or as not rejected; the error names it."""
    names = header.split(",")
    assert list(read_prices(file(f"{header}\n"), cls)) == []
    for name in names:
        renamed = [f"New {name}" if other == name else other for other in names]
        for others in (renamed, [other for other in names if other != name]):
            with pytest.raises(PriceFileError, match=f"the header lacks '{name}'") as caught:
                list(read_prices(file(",".join(others) + "\n"), cls))
            assert (caught.value.line, caught.value.column) == (1, name)
    with pytest.raises(PriceFileError, match="'Rate', 'Reject calls'"):
        list(read_prices(file(HEADER.replace("Rate", "X").replace("Reject calls", "Y") + "\n"), VoiceInPrice))


def test_column_that_the_file_lacks_is_not_none(file: Callable[..., Path]) -> None:
    """Nothing says that calls are not rejected, or that no change is scheduled, unless the file does."""
    row = "International,United Kingdom,,44,,,,"
    (price,) = read_prices(file(f"{OUTBOUND},Rejected,Next rate\n{row},true,\n"), VoiceOutPrice)
    assert (price.rate, price.next_rate) == (None, None)
    with pytest.raises(
        NotLoadedError, match=r"VoiceOutPrice\.reject_calls is not in the file, which has no column 'Reject calls'\."
    ):
        _ = price.reject_calls
    with pytest.raises(NotLoadedError, match="'Effective at'"):
        _ = price.effective_at
    assert price.to_dict()["attributes"]["rejected"] == "true"
    assert "reject_calls" not in price.to_dict()["attributes"]
    assert "reject_calls" not in repr(price)
    for same in (pickle.loads(pickle.dumps(price)), copy.deepcopy(price)):
        assert same == price
        with pytest.raises(NotLoadedError, match="'Reject calls'"):
            _ = same.reject_calls


@pytest.mark.parametrize(
    ("names", "cells", "expected"),
    [
        ("Reject", "true", True),
        ("Reject", "false", False),
        ("REJECT", "", None),
        ("Reject calls", "true", True),
        ("Reject,Reject calls", "true,false", False),
    ],
)
def test_rejection_of_outbound_calls_has_two_names(
    names: str, cells: str, expected: bool | None, file: Callable[..., Path]
) -> None:
    """Its name is not documented; with both, the one of the attribute counts."""
    (price,) = read_prices(file(f"{OUTBOUND},{names}\nLocal,,,44,,,,,{cells}\n"), VoiceOutPrice)
    assert price.reject_calls is expected
    with pytest.raises(PriceFileError, match="must be true or false, got 'maybe'") as caught:
        list(read_prices(file(f"{OUTBOUND},Reject\nLocal,,,44,,,,,maybe\n"), VoiceOutPrice))
    assert caught.value.column == "Reject"


def test_rows_of_each_kind_are_read(file: Callable[..., Path]) -> None:
    """With the documented header rows."""
    (call,) = read_prices(file(f"{OUTBOUND},Effective at\nOrigin based,,,44,,,,,2026-12-01\n"), VoiceOutPrice)
    assert (call.category, call.prefix, call.rate, call.initial_increment) == ("Origin based", "44", None, None)
    assert call.effective_at == datetime(2026, 12, 1, tzinfo=UTC)
    (message,) = read_prices(file(f"{SMS}\n,44,UK,234,UK,,,true,\n"), SmsOutPrice)
    assert (message.mcc, message.mnc, message.reject_sms, message.price) == (234, None, True, None)
    (inbound,) = read_prices(file(f"{RECEIVED}\n,1,15,1,11,11,United States,0.0\n"), SmsInPrice)
    assert (inbound.source_number_length_max, inbound.destination_prefix, inbound.price) == (15, "1", Decimal("0.0"))


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        (f"{HEADER}\n{ROWS[0]}\n{ROWS[0].replace('0.0125', 'free')}\n", 3, "Rate", r"an amount such as .*got 'free'"),
        (f"{HEADER}\n{ROWS[0].replace('0.0125', '1e5')}\n", 2, "Rate", "an amount"),
        (f"{HEADER}\n{ROWS[0].replace('0.0125', 'NaN')}\n", 2, "Rate", "an amount"),
        (f"{HEADER}\n{ROWS[0].replace(',60,', ',6O,')}\n", 2, "Initial interval", "a whole number, got '6O'"),
        (f"{HEADER}\n{ROWS[0].replace('false', 'maybe')}\n", 2, "Reject calls", "true or false, got 'maybe'"),
        (f"{HEADER}\n{ROWS[0]},more\n", 2, "", "must have 9 cells, got 10"),
        (f"{HEADER}\nshort\n", 2, "", "must have 9 cells, got 1"),
        (f'{HEADER}\n"a\nb",,,,,,,,\n{ROWS[0]}x\n', 4, "Reject calls", "true or false"),
        (f'{HEADER}\n"open,,,,\n', 2, "", "not valid CSV"),
        (f'{HEADER}\n"a"b,,,,,,,,\n', 2, "", "not valid CSV"),
        (f"{HEADER},Rate\n", 1, "", "has 2 columns 'rate'"),
        (f"{HEADER},\n", 1, "", "a column without a name"),
        ("Prefix,Network,Country\n", 1, "", "1 of its 3 columns in common with VoiceInPrice"),
        ("<html>\n", 1, "", "0 of its 1 columns"),
    ],
)
def test_invalid_row_is_an_error(text: str, line: int, column: str, message: str, file: Callable[..., Path]) -> None:
    """It has the line and the column; rows before it were returned."""
    with pytest.raises(PriceFileError, match=message) as caught:
        list(read_prices(file(text), VoiceInPrice))
    assert (caught.value.line, caught.value.column) == (line, column)
    assert f"line {line}" in str(caught.value)


DAMAGED = {
    "cut in the check sum": (PACKED[:-1], "truncated"),
    "cut in the data": (PACKED[:40], "truncated"),
    "wrong check sum": (PACKED[:-8] + bytes(8), "damaged"),
    "something behind": (PACKED + b"more", "damaged"),
    "nothing": (b"", "is empty"),
    "nothing packed": (gzip.compress(b""), "is empty"),
    "blank lines": (gzip.compress(b"\n\n"), "column"),
    "not UTF-8": (gzip.compress(f"{HEADER}\n\xff".encode("latin-1")), "is not UTF-8"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_invalid_file_is_an_error(case: str, file: Callable[..., Path]) -> None:
    """A compressed file is verified to its last byte."""
    data, message = DAMAGED[case]
    with pytest.raises(PriceFileError, match=message):
        list(read_prices(file(data, packed=False), VoiceInPrice))


def test_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """The error names the path and the reason; wrong arguments are refused at once."""
    with pytest.raises(PriceFileError, match=r"Cannot read .*missing\.csv\.gz: No such file"):
        next(read_prices(tmp_path / "missing.csv.gz", VoiceInPrice))
    with pytest.raises(DidwwClientError, match="Cannot read"):
        next(read_prices(tmp_path, VoiceInPrice))
    untyped: Any = read_prices
    with pytest.raises(InvalidValueError, match="record_class must be VoiceInPrice, VoiceOutPrice"):
        untyped("x.csv.gz", dict)
    with pytest.raises(InvalidValueError, match="file_path must be a path"):
        untyped(5, VoiceInPrice)
    with pytest.raises(InvalidValueError, match="max_bytes"):
        read_prices("x.csv.gz", VoiceInPrice, max_bytes=0)


HUGE: dict[str, Callable[[], Iterator[bytes]]] = {
    "a long line": lambda: (b"x" * 1_000_000 for _ in range(40)),
    "a long cell": lambda: (b'"' + b"x" * 1_000_000 for _ in range(40)),
    "a row of many lines": lambda: (b'"\n",' * 200_000 for _ in range(40)),
    "many columns": lambda: (b"a," * 500_000 for _ in range(40)),
}


@pytest.mark.parametrize("case", HUGE)
def test_huge_row_is_refused_before_it_is_read(case: str, file: Callable[..., Path]) -> None:
    """A few kilobytes that decompress to a huge row do not fill the memory."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb") as writer:
        writer.write(f"{HEADER}\n".encode())
        for piece in HUGE[case]():
            writer.write(piece)
    path = file(packed.getvalue(), packed=False)
    tracemalloc.start()
    try:
        with pytest.raises(PriceFileError, match=f"larger than {MAX_ROW} bytes|not valid CSV"):
            list(read_prices(path, VoiceInPrice))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


def test_memory_use_does_not_grow_with_the_file(file: Callable[..., Path]) -> None:
    """It is less than the text of the file, whose decompressed size is limited."""
    path = file(f"{HEADER}\n" + f"{ROWS[0].replace('Toll-free', 'x' * 40_000)}\n" * 300)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_prices(path, VoiceInPrice)) == 300
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    with pytest.raises(PriceFileError, match="decompresses to more than 1000000 bytes"):
        list(read_prices(path, VoiceInPrice, max_bytes=1_000_000))


def test_file_is_closed_when_the_iterator_is(file: Callable[..., Path]) -> None:
    """Also if not all rows were read."""
    rows: Any = read_prices(file(CSV), VoiceInPrice)
    next(rows)
    rows.close()
    file(CSV)  # can be replaced, also on Windows


@contextlib.contextmanager
def written(data: bytes) -> Iterator[str]:
    """The path of a file with this content."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "prices.csv.gz")  # noqa: PTH118 a text
        with open(path, "wb") as target:  # noqa: PTH123 the same
            target.write(data)
        yield path


_OTHER_COLUMNS = sorted({*HEADER.split(",")} - {"Destination", "Source type", "Country"})
# Without a lone carriage return, which the writer of older Pythons does not quote.
_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), max_size=20)


@law(60)
@given(cells=st.lists(st.tuples(_CELL, _CELL, _CELL), max_size=20), newline=st.sampled_from(["\n", "\r\n"]))
def test_any_text_survives(cells: list[tuple[str, str, str]], newline: str) -> None:
    """What a CSV writer writes is read back, with quotes, commas and line ends."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=newline)
    writer.writerow(["Destination", "Source type", "Country", *_OTHER_COLUMNS])
    writer.writerows([(*row, *("" for _ in _OTHER_COLUMNS)) for row in cells])
    with written(gzip.compress(text.getvalue().encode())) as path:
        rows = [(price.destination, price.source_type, price.country) for price in read_prices(path, VoiceInPrice)]
    assert rows == [tuple(cell or None for cell in row) for row in cells]


@law(150)
@given(
    data=st.binary(max_size=300) | st.builds(lambda tail: f"{HEADER}\n".encode() + tail, st.binary(max_size=300)),
    packed=st.booleans(),
)
def test_any_bytes_give_rows_or_an_error(data: bytes, packed: bool) -> None:
    """No other exception leaves the reader, and every value of a row can be read."""
    with written(gzip.compress(data) if packed else data) as path:
        for cls in (VoiceInPrice, VoiceOutPrice, SmsOutPrice, SmsInPrice):
            try:
                rows = list(read_prices(path, cls))
            except PriceFileError as error:
                assert path in str(error)
                continue
            for row in rows:
                assert repr(row)
                for name in cls._field_map:
                    with contextlib.suppress(NotLoadedError):
                        getattr(row, name)


@law(200)
@given(place=st.integers(0, len(PACKED) - 1), value=st.integers(0, 255), cut=st.integers(0, len(PACKED)))
def test_damage_is_never_read_as_other_prices(place: int, value: int, cut: int) -> None:
    """A changed byte or a cut gives the rows of the file, or an error."""
    changed = bytearray(PACKED)
    changed[place] = value
    expected = [row.split(",")[3] for row in ROWS]
    for data in (bytes(changed), PACKED[:cut]):
        with written(data) as path, contextlib.suppress(PriceFileError):
            assert [price.destination for price in read_prices(path, VoiceInPrice)] == expected
