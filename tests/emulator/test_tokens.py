"""Test the token endpoint, and the credentials that each API version accepts."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import DidwwClient
from didww._core.effects import Request, Response
from didww.emulator import Emulator
from didww.emulator.engine.services import AUDIENCES
from didww.emulator.http.server import running
from support.api_caller import MEDIA_TYPE, document

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "http://127.0.0.1:8080"
KEY = "a-key-of-an-account"
OLD, NEW = "2026-04-16", "2026-11-19"
API = "api.didww.com"
JSON = {"Content-Type": "application/json"}
INVALID = 'Bearer error="invalid_token"'
FILE = "/v3/exports/00000000-0000-4000-8000-000000000000.csv.gz"


def send(
    emulator: Emulator, method: str, path: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> Response:
    """Return the response to a request."""
    return emulator.exchange(Request(method, f"{ORIGIN}{path}", headers or {}, body))[0]


def ask(emulator: Emulator, members: Any, *, key: str | None = KEY) -> Response:
    """Return the response of the token endpoint."""
    headers = JSON if key is None else {**JSON, "Api-Key": key}
    return send(emulator, "POST", "/token", headers, json.dumps(members).encode())


def mint(emulator: Emulator, *, key: str = KEY, **members: Any) -> str:
    """Return a token; of the main API and the new version by default."""
    response = ask(emulator, {"aud": API, "api_version": NEW, **members}, key=key)
    assert response.status == 200, response.body
    return str(json.loads(response.body)["access_token"])


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a request with a token."""
    return {"Authorization": f"Bearer {token}", "Accept": MEDIA_TYPE}


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a token, unverified."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def errors_of(response: Response) -> list[dict[str, Any]]:
    """Return the errors of a JSON:API document."""
    assert response.headers["content-type"] == MEDIA_TYPE
    errors: list[dict[str, Any]] = json.loads(response.body)["errors"]
    return errors


def test_granted_token(emulator: Emulator) -> None:
    """The members and headers of the response, and the claims of the token."""
    response = ask(emulator, {"aud": API, "api_version": NEW})
    members = json.loads(response.body)
    token = members.pop("access_token")
    assert members == {"token_type": "Bearer", "expires_in": 900, "aud": API, "scope": "full", "api_version": NEW}
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"
    assert response.headers["content-type"] == "application/json"
    assert "etag" not in response.headers
    parts = token.split(".")
    assert len(parts) == 3
    assert not any("=" in part for part in parts)
    claims = claims_of(token)
    assert set(claims) == {"sub", "aud", "api_version", "scope", "environment", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == pytest.approx(900)
    assert KEY not in str(claims)
    assert claims_of(mint(emulator))["jti"] != claims["jti"]


@pytest.mark.parametrize(
    ("sent", "granted"),
    [
        ({"aud": [API]}, {"aud": [API]}),
        ({"aud": list(AUDIENCES)}, {"aud": list(AUDIENCES)}),
        ({"aud": [API, API]}, {"aud": [API]}),
        ({"scope": "full"}, {"scope": "full"}),
        ({"scope": "read"}, {"scope": "read"}),
        ({"scope": "read:dids"}, {"scope": "read"}),
        ({"scope": "read:orders:completed"}, {"scope": "read"}),
        ({"api_version": OLD}, {"api_version": OLD}),
        ({"expires_in": 60}, {"expires_in": 60}),
        ({"expires_in": 3600}, {"expires_in": 3600}),
        ({"expires_in": 1}, {"expires_in": 60}),
        ({"expires_in": -(10**30)}, {"expires_in": 60}),
        ({"expires_in": 10**30}, {"expires_in": 3600}),
        ({"grant_type": "client_credentials"}, {"scope": "full"}),
    ],
    ids=str,
)
def test_granted_members(emulator: Emulator, sent: dict[str, Any], granted: dict[str, Any]) -> None:
    """What is granted for what is asked for; the life is pulled into its range."""
    response = ask(emulator, {"aud": API, "api_version": NEW, **sent})
    assert response.status == 200, response.body
    members = json.loads(response.body)
    assert {name: members[name] for name in granted} == granted


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, "invalid_request"),
        ([], "invalid_request"),
        ("text", "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"aud": ""}, "invalid_request"),
        ({"aud": []}, "invalid_request"),
        ({"aud": 5}, "invalid_request"),
        ({"aud": {}}, "invalid_request"),
        ({"aud": "sandbox-api.didww.com"}, "invalid_request"),
        ({"aud": "https://api.didww.com"}, "invalid_request"),
        ({"aud": [API, "other.example.com"]}, "invalid_request"),
        ({"aud": [API, None]}, "invalid_request"),
        ({"aud": [[API]]}, "invalid_request"),
        ({"aud": API, "scope": "write"}, "invalid_scope"),
        ({"aud": API, "scope": ""}, "invalid_scope"),
        ({"aud": API, "scope": "read:"}, "invalid_scope"),
        ({"aud": API, "scope": "read full"}, "invalid_scope"),
        ({"aud": API, "scope": "FULL"}, "invalid_scope"),
        ({"aud": API, "scope": None}, "invalid_scope"),
        ({"aud": API, "scope": ["read"]}, "invalid_scope"),
        ({"aud": API, "api_version": "2026-10-22"}, "invalid_request"),
        ({"aud": API, "api_version": ""}, "invalid_request"),
        ({"aud": API, "api_version": None}, "invalid_request"),
        ({"aud": API, "api_version": 20261119}, "invalid_request"),
        ({"aud": API, "expires_in": "900"}, "invalid_request"),
        ({"aud": API, "expires_in": 900.5}, "invalid_request"),
        ({"aud": API, "expires_in": True}, "invalid_request"),
        ({"aud": API, "expires_in": None}, "invalid_request"),
    ],
    ids=str,
)
def test_refused_members(emulator: Emulator, sent: Any, error: str) -> None:
    """400 in the form of OAuth, which names the member."""
    response = ask(emulator, sent)
    members = json.loads(response.body)
    assert (response.status, members["error"]) == (400, error)
    assert set(members) == {"error", "error_description"}
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"aud=api.didww.com"),
        ({"Content-Type": MEDIA_TYPE}, b'{"aud": "api.didww.com"}'),
        ({}, b'{"aud": "api.didww.com"}'),
        (JSON, b""),
        (JSON, None),
        (JSON, b"{"),
        (JSON, b"\xff"),
        (JSON, b"[" * 100_000),
        (JSON, b'{"aud": "api.didww.com", "x": "' + b"x" * 70_000 + b'"}'),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refused_bodies(emulator: Emulator, headers: dict[str, str], body: bytes | None) -> None:
    """Another media type, or no JSON object, is an invalid request."""
    response = send(emulator, "POST", "/token", {"Api-Key": KEY, **headers}, body)
    assert (response.status, json.loads(response.body)["error"]) == (400, "invalid_request")


def test_media_type_may_have_parameters(emulator: Emulator) -> None:
    """A charset does no harm."""
    headers = {"Api-Key": KEY, "content-type": "Application/JSON; charset=utf-8"}
    assert send(emulator, "POST", "/token", headers, b'{"aud": "api.didww.com"}').status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
def test_refused_methods(emulator: Emulator, method: str) -> None:
    """405 with the method that works."""
    response = send(emulator, method, "/token", {"Api-Key": KEY})
    assert (response.status, response.headers["allow"]) == (405, "POST")
    assert json.loads(response.body)["error"] == "invalid_request"


def test_refused_keys() -> None:
    """401 without a key, with a blank one, and with another than the one that the emulator was started with."""
    with Emulator(api_key=KEY) as emulator:
        assert ask(emulator, {"aud": API}).status == 200
        for key in (None, " ", "another-key-altogether"):
            response = ask(emulator, {"aud": API}, key=key)
            assert (response.status, json.loads(response.body)["error"]) == (401, "invalid_client")


def test_default_version_is_that_of_the_account(emulator: Emulator) -> None:
    """Until the account is moved, the older one."""
    assert json.loads(ask(emulator, {"aud": API}).body)["api_version"] == OLD
    emulator.versions.set(NEW, api_key=KEY)
    assert json.loads(ask(emulator, {"aud": API}).body)["api_version"] == NEW
    assert json.loads(ask(emulator, {"aud": API}, key="another-key-altogether").body)["api_version"] == OLD


def test_token_selects_its_version_and_account(emulator: Emulator) -> None:
    """The claim selects the version, not the header; the account is that of the key."""
    with emulator.engine.locked():
        ids = {key: emulator.engine.session(key).find("balances")[0]["id"] for key in (KEY, "another-key-altogether")}
    for key, id in ids.items():
        for version in (OLD, NEW):
            for header in ({}, {"X-DIDWW-API-Version": OLD}, {"X-DIDWW-API-Version": NEW}):
                headers = bearer(mint(emulator, key=key, api_version=version)) | header
                found = json.loads(send(emulator, "GET", "/v3/balance", headers).body)
                assert found["meta"]["api_version"] == version
                assert found["data"]["id"] == id


def test_tokens_expire_on_the_clock(emulator: Emulator) -> None:
    """Accepted to the last moment of their life, and then no longer."""
    emulator.clock.freeze()
    headers = bearer(mint(emulator, expires_in=120))
    emulator.clock.advance("119 seconds")
    assert send(emulator, "GET", "/v3/balance", headers).status == 200
    emulator.clock.advance("1 second")
    response = send(emulator, "GET", "/v3/balance", headers)
    assert (response.status, response.headers["www-authenticate"]) == (401, INVALID)
    (error,) = errors_of(response)
    assert (error["code"], error["status"], error["title"]) == ("401", "401", "Token has expired")


def refused_tokens(emulator: Emulator) -> dict[str, str]:
    """Return tokens that the main API refuses, by what is wrong with them."""
    token = mint(emulator)
    head, payload, signature = token.split(".")
    claims = emulator.engine._tokens.read(token)
    sign = emulator.engine._tokens.sign
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    with Emulator() as other:
        foreign = mint(other)
    import msgspec

    replace = msgspec.structs.replace
    return {
        "empty": "",
        "text": "no-token",
        "key": KEY,
        "two parts": f"{head}.{payload}",
        "four parts": f"{token}.x",
        "no signature": f"{head}.{payload}.",
        "algorithm": f"{none}.{payload}.",
        "signature": f"{head}.{payload}.{signature[:-2]}{'AA' if signature[-2:] != 'AA' else 'BB'}",
        "padding": f"{token}=",
        "claims": f"{head}.{payload[:-2]}.{signature}",
        "non-ASCII": f"{head}.{payload}.\u00e9",
        "other emulator": foreign,
        "audience": mint(emulator, aud=list(AUDIENCES[1:])),
        "environment": sign(replace(claims, environment="production")),
        "version": sign(replace(claims, api_version="2026-10-22")),
    }


@pytest.mark.parametrize("path", ["/v3/balance", "/v3/dids", FILE, "/v3/nothing"])
def test_refused_tokens(emulator: Emulator, path: str) -> None:
    """401 with a JSON:API body and a challenge, on the export download too."""
    for what, token in refused_tokens(emulator).items():
        response = send(emulator, "GET", path, bearer(token))
        assert (response.status, response.headers.get("www-authenticate")) == (401, INVALID), what
        (error,) = errors_of(response)
        assert error["code"] == "401", what
        assert error["title"], what


def test_scheme_is_case_insensitive(emulator: Emulator) -> None:
    """As HTTP has it."""
    assert send(emulator, "GET", "/v3/balance", {"authorization": f"bEARER   {mint(emulator)} "}).status == 200


def test_account_that_is_not_accepted() -> None:
    """A token of a key that the emulator no longer accepts."""
    with Emulator(api_key=KEY) as emulator:
        claims = emulator.engine._tokens.read(mint(emulator))
        import msgspec

        token = emulator.engine._tokens.sign(msgspec.structs.replace(claims, sub="0" * 64))
        response = send(emulator, "GET", "/v3/balance", bearer(token))
        assert (response.status, errors_of(response)[0]["title"]) == (401, "Unknown account")


def test_read_scope(emulator: Emulator) -> None:
    """GET and HEAD work; every other method is refused, on validations and unknown paths too."""
    headers = bearer(mint(emulator, scope="read")) | {"Content-Type": MEDIA_TYPE}
    body = json.dumps(document("voice_in_trunk_groups", name="x")).encode()
    assert send(emulator, "GET", "/v3/voice_in_trunk_groups", headers).status == 200
    assert send(emulator, "HEAD", "/v3/voice_in_trunk_groups", headers).status == 200
    for method, path in (
        ("POST", "/v3/voice_in_trunk_groups"),
        ("PATCH", "/v3/voice_in_trunk_groups/00000000-0000-4000-8000-000000000000"),
        ("DELETE", "/v3/voice_in_trunk_groups/00000000-0000-4000-8000-000000000000"),
        ("POST", "/v3/address_requirement_validations"),
        ("POST", "/v3/encrypted_files"),
        ("PUT", "/v3/nothing"),
    ):
        response = send(emulator, method, path, headers, body)
        assert response.status == 403, path
        assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'
        (error,) = errors_of(response)
        assert (error["code"], error["title"]) == ("403", "Insufficient scope")
    assert send(emulator, "POST", "/v3/voice_in_trunk_groups", bearer(mint(emulator)) | JSON, body).status == 415


@pytest.mark.parametrize("old", [OLD, NEW])
def test_no_body_without_a_bearer(emulator: Emulator, old: str) -> None:
    """A request of the new version without a token gets 401 without a body, also with a key."""
    if old == NEW:
        emulator.versions.set(NEW, api_key=KEY)
    header = {"X-DIDWW-API-Version": NEW}
    requests = [{"Api-Key": KEY, **header}, header, {"Authorization": "Basic eDp4"}]
    if old == NEW:
        requests += [{"Api-Key": KEY}, {"Api-Key": KEY, "X-DIDWW-API-Version": OLD}]
    for headers in requests:
        for method, path in (("GET", "/v3/dids"), ("POST", "/v3/orders"), ("GET", "/v3/nothing")):
            response = send(emulator, method, path, headers)
            assert (response.status, response.body) == (401, b"")
            assert "www-authenticate" not in response.headers


def test_keys_of_the_older_version(emulator: Emulator) -> None:
    """Unchanged: a key works, and no key gets 401 with a document."""
    for headers in ({"Api-Key": KEY}, {"Api-Key": KEY, "X-DIDWW-API-Version": OLD}):
        assert json.loads(send(emulator, "GET", "/v3/balance", headers).body)["meta"]["api_version"] == OLD
    response = send(emulator, "GET", "/v3/balance")
    assert (response.status, errors_of(response)[0]["title"]) == (401, "Unauthorized")
    assert "www-authenticate" not in response.headers


def test_public_keys_need_no_credentials(emulator: Emulator) -> None:
    """Neither in one version nor in the other, and refused ones do no harm."""
    expired = bearer("expired")
    for headers in ({}, {"X-DIDWW-API-Version": NEW}, {"Api-Key": KEY}, expired, bearer(mint(emulator))):
        assert send(emulator, "GET", "/v3/public_keys", headers).status == 200


def test_export_download(emulator: Emulator) -> None:
    """With a token or a key, in both versions; a refused key gets no body."""
    body = document(
        "exports", export_type="cdr_in", filters={"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}
    )
    emulator.clock.freeze("2026-03-05T00:00:00Z")
    emulator.versions.set(NEW, api_key=KEY)
    headers = bearer(mint(emulator)) | {"Content-Type": MEDIA_TYPE}
    created = json.loads(send(emulator, "POST", "/v3/exports", headers, json.dumps(body).encode()).body)
    emulator.clock.advance("1 minute")
    headers = bearer(mint(emulator, scope="read"))
    url = json.loads(send(emulator, "GET", f"/v3/exports/{created['data']['id']}", headers).body)
    path = url["data"]["attributes"]["url"].removeprefix(ORIGIN)
    for accepted in (headers, {"Api-Key": KEY}, {"Api-Key": KEY, "X-DIDWW-API-Version": NEW}):
        assert send(emulator, "GET", path, accepted).status == 200
    assert send(emulator, "GET", path, {"Api-Key": "another-key-altogether"}).status == 404
    for refused in ({}, {"Api-Key": " "}):
        response = send(emulator, "GET", path, refused)
        assert (response.status, response.body) == (401, b"")
        assert "www-authenticate" not in response.headers


def test_tokens_survive_a_restart(tmp_path: Path) -> None:
    """Those of an emulator with a file; another file has another secret."""
    path = str(tmp_path / "state.db")
    with Emulator(path=path) as emulator:
        token = mint(emulator)
    with Emulator(path=path) as emulator:
        assert send(emulator, "GET", "/v3/balance", bearer(token)).status == 200
    with Emulator(path=str(tmp_path / "other.db")) as emulator:
        assert send(emulator, "GET", "/v3/balance", bearer(token)).status == 401


def test_tokens_survive_reset_and_restore(emulator: Emulator) -> None:
    """Nothing about a token is stored, and its account is created again."""
    emulator.state.snapshot()
    token = mint(emulator)
    emulator.state.reset()
    assert send(emulator, "GET", "/v3/balance", bearer(token)).status == 200
    emulator.state.restore()
    assert send(emulator, "GET", "/v3/balance", bearer(token)).status == 200


def test_reset_restores_default_versions(emulator: Emulator) -> None:
    """As all settings of accounts."""
    emulator.versions.set(NEW)
    assert emulator.versions.show() == NEW
    emulator.state.reset()
    assert emulator.versions.show() == OLD
    with pytest.raises(ValueError, match="version must be 2026-04-16 or 2026-11-19"):
        emulator.versions.set("2026-10-22")


def test_journal_has_no_secret(emulator: Emulator) -> None:
    """Neither keys nor tokens; requests with a token have the account of their key."""
    token = mint(emulator)
    send(emulator, "GET", "/v3/balance", bearer(token))
    send(emulator, "GET", "/v3/balance", {"Api-Key": KEY})
    entries = emulator.journal.entries()
    assert len({entry.key for entry in entries}) == 1
    assert entries[0].key
    recorded = repr(entries)
    assert token not in recorded
    assert token.split(".")[1] not in recorded
    assert KEY not in recorded
    assert '"access_token":"***"' in entries[-1].response
    emulator.journal.assert_called("POST", "/token", json={"aud": API}, status=200)


@pytest.mark.parametrize(
    ("method", "path", "headers", "hint"),
    [
        ("GET", "/v3/dids", {}, "Send the key in the header Api-Key, or a token"),
        ("GET", "/v3/dids", {"Api-Key": KEY, "X-DIDWW-API-Version": NEW}, "cannot select 2026-11-19"),
        ("GET", "/v3/dids", {"Authorization": f"Bearer {KEY}"}, "an API key belongs in the header Api-Key"),
        ("GET", "/api-vin/v3/lookup/prices", {"Api-Key": KEY}, "Prices need a token: POST /token with aud api-vin"),
        ("POST", "/token", JSON, "Send the key in the header Api-Key, also for a token."),
    ],
    ids=str,
)
def test_hints(emulator: Emulator, method: str, path: str, headers: dict[str, str], hint: str) -> None:
    """The journal explains credentials that are mixed up."""
    assert send(emulator, method, path, headers).status == 401
    (found,) = emulator.journal.entries()[0].hints
    assert hint in found


def test_hints_for_tokens_and_moved_accounts(emulator: Emulator) -> None:
    """The journal says why a token is refused, and that an account was moved."""
    emulator.versions.set(NEW, api_key=KEY)
    send(emulator, "GET", "/v3/dids", {"Api-Key": KEY})
    assert "was moved to API version 2026-11-19" in emulator.journal.entries()[0].hints[0]
    send(emulator, "GET", "/v3/dids", bearer(mint(emulator, aud="api-vin.didww.com")))
    assert "the main API is api.didww.com" in emulator.journal.entries()[0].hints[0]
    send(emulator, "POST", "/v3/dids", bearer(mint(emulator, scope="read")))
    assert "scope read" in emulator.journal.entries()[0].hints[0]


@pytest.mark.parametrize("path", ["/api-vin/v3/lookup/prices", "/api-vout/v3/prices.csv.gz", "/api-sms/v3/nothing"])
def test_prices_services_need_a_token_of_their_audience(emulator: Emulator, path: str) -> None:
    """401 with a document and a challenge, also without any credentials."""
    for headers in ({}, {"Api-Key": KEY}, bearer("x"), bearer(mint(emulator, scope="read"))):
        response = send(emulator, "GET", path, headers)
        assert (response.status, response.headers["www-authenticate"]) == (401, INVALID)
        assert errors_of(response)[0]["code"] == "401"


def test_rate_limit() -> None:
    """An account has one budget for its key, its tokens and the token endpoint, each refused in its own form."""
    with Emulator(rate_limit=2) as emulator:
        token = mint(emulator)
        assert send(emulator, "GET", "/v3/balance", bearer(token)).status == 200
        response = send(emulator, "GET", "/v3/balance", bearer(token))
        assert (response.status, response.headers["retry-after"]) == (429, "1")
        (error,) = errors_of(response)
        assert (error["code"], error["status"]) == ("too_many_requests", "429")
        response = send(emulator, "GET", "/api-vin/v3/lookup/prices", bearer(token))
        assert (response.status, errors_of(response)[0]["code"]) == (429, "too_many_requests")
        assert int(response.headers["retry-after"]) >= 1
        response = ask(emulator, {"aud": API})
        assert (response.status, json.loads(response.body)["error"]) == (429, "rate_limit_exceeded")
        assert int(response.headers["retry-after"]) >= 1
        response = send(emulator, "GET", "/v3/balance", {"Api-Key": KEY})
        assert (response.status, response.body) == (429, b'{"errors":[{"status":"429","detail":"Too Many Requests"}]}')
        assert "retry-after" not in response.headers
        assert ask(emulator, {"aud": API}, key="another-key-altogether").status == 200


def test_faults_of_the_token_endpoint(emulator: Emulator) -> None:
    """Rules match its path, and their errors have its form."""
    emulator.faults.add(path="/token", status=429, retry_after=7, times=1)
    emulator.faults.add(path="/token", status=401, times=1)
    emulator.faults.add(path="/token", status=503, times=1)
    response = ask(emulator, {"aud": API})
    assert (json.loads(response.body)["error"], response.headers["retry-after"]) == ("rate_limit_exceeded", "7")
    response = ask(emulator, {"aud": API})
    assert (response.status, json.loads(response.body)["error"]) == (401, "invalid_client")
    assert ask(emulator, {"aud": API}).status == 503
    assert send(emulator, "GET", "/v3/balance", bearer(mint(emulator))).status == 200


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
_MEMBERS = st.dictionaries(
    st.sampled_from(["aud", "scope", "api_version", "expires_in", "other"]),
    _JSON | st.sampled_from([API, [API], "read", "full", OLD, NEW, 900]),
)


@pytest.fixture(scope="module")
def shared() -> Emulator:
    """Return one emulator for all examples."""
    return Emulator()


@given(members=_MEMBERS)
def test_any_members(shared: Emulator, members: dict[str, Any]) -> None:
    """Each request gets a token that works, or an error of OAuth."""
    response = ask(shared, members)
    document = json.loads(response.body)
    if response.status == 200:
        assert 60 <= document["expires_in"] <= 3600
        assert document["scope"] in ("full", "read")
        accepted = send(shared, "GET", "/v3/balance", bearer(document["access_token"])).status
        assert accepted == (200 if API in document["aud"] else 401)
    else:
        assert response.status == 400
        assert document["error"] in ("invalid_request", "invalid_scope")


@given(
    method=st.sampled_from(["POST", "GET", "PUT", "OPTIONS"]),
    headers=st.dictionaries(
        st.sampled_from(["Api-Key", "Content-Type", "Authorization", "Accept"]),
        st.text() | st.sampled_from(["application/json", KEY]),
    ),
    body=st.none() | st.binary() | st.sampled_from([b'{"aud":"api.didww.com"}', b"{}", b"[]"]),
)
def test_any_request(shared: Emulator, method: str, headers: dict[str, str], body: bytes | None) -> None:
    """Nothing fails in the emulator itself."""
    response = send(shared, method, "/token", headers, body)
    assert response.status in (200, 400, 401, 405)
    assert ("error" in json.loads(response.body)) == (response.status != 200)


@given(token=st.text())
def test_any_bearer(shared: Emulator, token: str) -> None:
    """Each text that no emulator signed is refused."""
    response = send(shared, "GET", "/v3/balance", {"Authorization": f"Bearer {token}"})
    assert (response.status, errors_of(response)[0]["code"]) == (401, "401")


def test_served_emulator() -> None:
    """Over HTTP, a client mints its token, and reads the price file of another service with one of its own."""
    with running() as base_url, DidwwClient(KEY, base_url=base_url, api_version=NEW) as client:
        assert client.balance().find().data.balance
        assert client.prices().voice_in.file_info().content_length
