"""Test the journal: entries, hints for rejected requests, assertions that list similar requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from didww import Address, DidwwClient, VoiceInTrunkGroup
from didww._core.effects import Request
from didww.emulator import Emulator
from support.token_caller import TokenCaller

BASE = "http://emulator.example.com/v3"
HEADERS = {"Api-Key": "local-key", "Accept": "application/vnd.api+json", "Authorization": "Basic c2VjcmV0"}


def send(emulator: Emulator, path: str, method: str = "GET", body: Any = None) -> Any:
    """Send a request without a client and return its journal entry."""
    headers = HEADERS | ({"Content-Type": "application/vnd.api+json"} if body is not None else {})
    content = None if body is None else json.dumps(body).encode()
    emulator.exchange(Request(method, f"{BASE}{path}", headers, content))
    return emulator.journal.entries(limit=1)[0]


def test_entry_has_request_and_response_without_the_key() -> None:
    """An entry has everything but secrets."""
    with Emulator() as emulator:
        document = {"data": {"type": "voice_in_trunk_groups", "attributes": {"name": "Main"}}}
        entry = send(emulator, "/voice_in_trunk_groups", "POST", document)
        assert (entry.method, entry.path, entry.status) == ("POST", "/v3/voice_in_trunk_groups", 201)
        assert json.loads(entry.body) == document
        assert json.loads(entry.response)["data"]["attributes"]["name"] == "Main"
        assert entry.ms > 0
        assert entry.fault is None
        text = repr(entry)
        assert "local-key" not in text
        assert "c2VjcmV0" not in text
        assert entry.key
        assert send(emulator, "/balance").key == entry.key
        with emulator.client("another") as other:
            other.balance().find()
        assert emulator.journal.entries(limit=1)[0].key not in ("", entry.key)


@pytest.mark.unchecked
@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/dids?filter[numbr]=1", "filter[numbr] is not allowed. Did you mean 'number'?"),
        ("/dids?include=ordr", "include=ordr is not allowed. Did you mean 'order'?"),
        ("/dids?sort=-create_at", "sort=create_at is not allowed. Did you mean 'created_at'?"),
        ("/dids?fields[dids]=numbr", "fields[dids]=numbr is not allowed. Did you mean 'number'?"),
        ("/balance?filter[x]=1", None),
        ("/did", "There is no /did. Did you mean '/dids'?"),
        ("/dids/nothing", None),
    ],
)
def test_journal_suggests_corrections(path: str, hint: str | None) -> None:
    """A hint suggests a declared name that is close."""
    with Emulator() as emulator:
        hints = send(emulator, path).hints
        assert hints == [hint] if hint else not any("Did you mean" in hint for hint in hints)


def test_journal_has_hints_for_bodies_and_keys() -> None:
    """Misspelled attribute, read-only attribute, missing key."""
    with Emulator() as emulator:
        body = {"data": {"type": "voice_in_trunk_groups", "attributes": {"nmae": "x", "created_at": "2026-01-01"}}}
        hints = send(emulator, "/voice_in_trunk_groups", "POST", body).hints
        assert hints[0] == "nmae is not allowed. Did you mean 'name'?"
        assert "created_at" in hints[1]
        assert "cannot be written" in hints[1]
        emulator.exchange(Request("GET", f"{BASE}/dids", {}))
        assert "Api-Key" in emulator.journal.entries(limit=1)[0].hints[0]


def test_request_for_another_api_version_gets_a_hint() -> None:
    """Whatever its response; requests for this version or for none get no hint."""
    with Emulator() as emulator:

        def hinted(path: str, **headers: str) -> list[str]:
            emulator.exchange(Request("GET", f"{BASE}{path}", HEADERS | headers))
            return emulator.journal.entries(limit=1)[0].hints

        assert hinted("/balance") == []
        assert hinted("/balance", **{"X-DIDWW-API-Version": "2026-04-16"}) == []
        (hint,) = hinted("/balance", **{"x-didww-api-version": "2022-05-10"})
        assert "asks for 2022-05-10" in hint
        assert "2026-04-16" in hint
        assert len(hinted("/did", **{"X-DIDWW-API-Version": "2022-05-10"})) == 2


def test_journal_entries_can_be_filtered() -> None:
    """By method, path, status and id; newest first."""
    with Emulator() as emulator, emulator.client() as client:
        client.balance().find()
        client.countries().list(filter={"iso": "GB"})
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main"))
        send(emulator, "/nothing")
        journal = emulator.journal
        assert [entry.path for entry in journal.entries()] == [
            "/v3/nothing",
            "/v3/voice_in_trunk_groups",
            "/v3/countries",
            "/v3/balance",
        ]
        assert [entry.id for entry in journal.entries(limit=2)] == [4, 3]
        assert [entry.id for entry in journal.entries(after=2)] == [4, 3]
        assert [entry.id for entry in journal.entries(method="post")] == [3]
        assert [entry.id for entry in journal.entries(path="/voice_*")] == [3]
        assert [entry.id for entry in journal.entries(status=404)] == [4]
        journal.clear()
        assert journal.entries() == []


def test_journal_keeps_the_last_thousand_entries() -> None:
    """A long run does not fill the memory."""
    with Emulator() as emulator, emulator.client() as client:
        for _ in range(1010):
            client.balance().find()
        assert len(emulator.journal.entries(limit=5000)) == 1000


@pytest.fixture
def played() -> Any:
    with Emulator() as emulator, emulator.client() as client:
        play(client)
        yield emulator


def play(client: DidwwClient) -> None:
    client.countries().list(filter={"iso": "GB"})
    client.countries().list(filter={"iso": "US"})
    client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main", capacity_limit=3))


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "GET", "path": "/countries"},
        {"method": "get", "path": "/countries", "times": 2},
        {"method": "GET", "path": "/countries", "times": 1, "query": {"filter[iso]": "GB"}},
        {"method": "GET", "path": "/c*", "times": 2},
        {"method": "POST", "path": "/voice_in_trunk_groups", "status": 201},
        {"method": "POST", "path": "/*", "json": {"data": {"attributes": {"capacity_limit": 3}}}},
        {"method": "DELETE", "path": "/countries", "times": 0},
    ],
)
def test_assert_called(played: Emulator, arguments: dict[str, Any]) -> None:
    """Return the matching entries."""
    entries = played.journal.assert_called(**arguments)
    assert len(entries) == arguments.get("times", len(entries))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "POST", "path": "/orders"}, "Recorded requests:"),
        ({"method": "GET", "path": "/countries", "times": 3}, "3 times, but 2 times"),
        ({"method": "GET", "path": "/countries", "query": {"filter[iso]": "DE"}}, "filter[iso] is 'US'"),
        ({"method": "GET", "path": "/countries", "query": {"sort": "name"}}, "no sort"),
        (
            {"method": "POST", "path": "/*", "json": {"data": {"attributes": {"name": "Other"}}}},
            'data.attributes.name is "Main"',
        ),
        ({"method": "POST", "path": "/*", "json": {"data": {"attributes": {"nmae": "x"}}}}, "no data.attributes.nmae"),
        ({"method": "POST", "path": "/*", "status": 422}, "status is 201"),
    ],
)
def test_assert_called_lists_similar_requests(played: Emulator, arguments: dict[str, Any], message: str) -> None:
    """The failure lists similar requests and why they did not match."""
    with pytest.raises(AssertionError) as failed:
        played.journal.assert_called(**arguments)
    assert message in str(failed.value)


def test_assert_not_called(played: Emulator) -> None:
    """Fail if a matching request was recorded."""
    played.journal.assert_not_called("POST", "/orders")
    played.journal.assert_not_called("POST", "/*", json={"data": {"attributes": {"name": "Other"}}})
    with pytest.raises(AssertionError, match="was called 2 times"):
        played.journal.assert_not_called("GET", "/countries")


def test_uploads_and_binary_bodies_are_summarized() -> None:
    """Binary bodies are shown as a byte count."""
    with Emulator() as emulator:
        headers = {**HEADERS, "Content-Type": "multipart/form-data; boundary=x"}
        emulator.exchange(Request("POST", f"{BASE}/encrypted_files", headers, b"\xff\xfe" * 50))
        assert emulator.journal.entries(limit=1)[0].body == "(100 bytes)"
        long = Address(city_name="x" * 100_000, postal_code="1", address="1")
        del long
        emulator.exchange(Request("POST", f"{BASE}/addresses", HEADERS, b"x" * 100_000))
        assert len(emulator.journal.entries(limit=1)[0].body) < 70_000


@pytest.mark.parametrize(
    ("method", "path", "hint"),
    [
        ("POST", "/v3/token", "Tokens are issued at /token, without /v3."),
        ("GET", "/api-vin/v3/lookup/price", "Did you mean '/lookup/prices'?"),
        ("GET", "/api-sms/v3/prices.csv.gz", "Did you mean '/sms_in/prices.csv.gz'?"),
        ("GET", "/api-vin/v3/lookup/prices?filter[nummber]=442079460000", "Did you mean 'number'?"),
        (
            "GET",
            "/v3/pops",
            "/pops exists until API version 2026-04-16. Its replacement is the attribute pop of voice_in_",
        ),
    ],
)
def test_hints_on_services_and_versions(method: str, path: str, hint: str) -> None:
    """The traps of the newer version, in the names of requests."""
    with Emulator() as emulator:
        audience = {"/api-vin": "api-vin.didww.com", "/api-sms": "api-sms.didww.com"}.get(path[:8], "api.didww.com")
        token = TokenCaller(emulator.engine, audience=audience).token
        emulator.exchange(Request(method, f"{BASE.removesuffix('/v3')}{path}", {"Authorization": f"Bearer {token}"}))
        assert hint in emulator.journal.entries(limit=1)[0].hints[0]
