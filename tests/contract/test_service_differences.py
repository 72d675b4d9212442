"""Every difference of credentials, errors, limits and prices between the versions, in both.

The rules are rows of `facts_2026_11_19/_services.yaml` and `_prices.yaml`. Details are in tests/emulator/test_tokens.py,
tests/emulator/test_prices.py and tests/core/.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from didww import DidwwClient, Environment, Export, SmsInPrice, SmsOutPrice, VoiceInPrice, VoiceOutPrice
from didww._core.effects import Request, Response
from didww._schema.registry import all_classes
from didww.callback.request_validator import RequestValidator
from didww.emulator import Emulator
from didww.exceptions import (
    AuthenticationError,
    PriceNotFoundError,
    PricePlanNotAssignedError,
    ReadOnlyClientError,
    UnsupportedVersionError,
)
from didww.services import AUDIENCES, _default_urls
from didww.transport.inprocess import InProcessTransport
from support.api_caller import MEDIA_TYPE, document
from support.contract_check import check_price
from support.contract_facts import NEW, OLD, Raw, facts, sheet
from support.two_versions import account, covers

if TYPE_CHECKING:
    from didww.version import ApiVersion

ORIGIN = "http://127.0.0.1:8080"
SERVICES: Raw = sheet("_services")
PRICES: Raw = sheet("_prices")
JSON = {"Content-Type": "application/json"}
ID = "8d1a3c5e-0000-4000-8000-000000000001"
LISTS = {
    "voice_in": ("/api-vin/v3", "filter[number]=448081570001"),
    "voice_out": ("/api-vout/v3", "filter[number]=442079460001"),
    "sms_out": ("/api-sms/v3/sms_out/a2p", "filter[dst_country_iso]=GB"),
    "sms_in": ("/api-sms/v3/sms_in", "filter[dst_country_iso]=GB"),
}
"""The price lists: path, and a query that finds something."""
CLASSES: dict[str, Any] = {
    "voice_in": VoiceInPrice,
    "voice_out": VoiceOutPrice,
    "sms_out": SmsOutPrice,
    "sms_in": SmsInPrice,
}


def send(method: str, path: str, body: Any = None, **headers: str) -> Response:
    """Send a request to the emulator; underscores of header names are hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    response, _ = account().emulator.exchange(Request(method, ORIGIN + path, sent, content))
    return response


def mint(key: str | None = None, **asked: Any) -> Response:
    """Ask for a token."""
    body = {"aud": "api.didww.com", "api_version": NEW} | asked
    return send("POST", "/token", body, Api_Key=key or account().key, Content_Type="application/json")


def granted(**asked: Any) -> dict[str, Any]:
    """Return the members of a granted token."""
    response = mint(**asked)
    assert response.status == 200, response.body
    members: dict[str, Any] = json.loads(response.body)
    return members


def bearer(**asked: Any) -> dict[str, str]:
    """Return the header with a new token."""
    return {"Authorization": f"Bearer {granted(**asked)['access_token']}"}


def credentials(version: str) -> dict[str, str]:
    """Return the headers of an ordinary request in a version."""
    return {"Accept": MEDIA_TYPE} | ({"Api_Key": account().key} if version == OLD else bearer())


def errors(response: Response) -> list[dict[str, Any]]:
    """Return the error objects of a document."""
    found: list[dict[str, Any]] = json.loads(response.body)["errors"]
    return found


def prices(
    name: str, operation: str, method: str = "GET", token: dict[str, str] | None = None, **headers: str
) -> Response:
    """Send a request to a price list."""
    path, _ = LISTS[name]
    audience = {"api-vin": "api-vin.didww.com", "api-vout": "api-vout.didww.com", "api-sms": "api-sms.didww.com"}
    own = bearer(aud=audience[path.split("/")[1]], scope="read") if token is None else token
    return send(method, f"{path}/{operation}", **{"Accept": "*/*", **own, **headers})


def lookup(name: str, query: str = "", **headers: str) -> Response:
    """Look prices up."""
    return prices(name, f"lookup/prices?{query or LISTS[name][1]}", **headers)


ALSO_NULL: dict[str, dict[str, str]] = {
    "voice_out": {
        "initial_increment": "rows of files without a price in effect have none",
        "recurring_increment": "the same",
    },
}
"""Attributes that are None in some records, although no lookup has null for them."""

every_list = pytest.mark.parametrize("name", LISTS)


# Credentials and the version


class Recording:
    """Hands requests of a client to the emulator, and keeps them."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    def handle(self, request: Request) -> Response:
        """Return the response of the emulator."""
        self.requests.append(request)
        return account().emulator.engine.handle(request)

    def client(self, version: ApiVersion, **options: Any) -> DidwwClient:
        """Return a client."""
        transport = InProcessTransport(self.handle)
        return DidwwClient(
            account().key, base_url=f"{ORIGIN}/v3", transport=transport, rate_limit=None, api_version=version, **options
        )


def header_names(request: Request) -> set[str]:
    """Return the names of the headers in lower case."""
    return {name.lower() for name in request.headers}


@covers("services.credential", "services.version-selection", "services.no-version-header", "services.version-in-meta")
def test_requests_of_a_version(version: ApiVersion) -> None:
    """A key and the version header, or a token and no version header; `meta` has the version."""
    wire = Recording()
    response = wire.client(version).did_groups().list(page=(1, 1))
    *minting, request = wire.requests
    assert response.meta["api_version"] == version
    if version == OLD:
        assert {"api-key", "x-didww-api-version"} <= header_names(request)
        assert "authorization" not in header_names(request)
        assert minting == []
        return
    assert "authorization" in header_names(request)
    assert not {"api-key", "x-didww-api-version"} & header_names(request)
    (asked,) = minting
    assert json.loads(asked.body or b"")["api_version"] == NEW  # type: ignore[arg-type]
    own = bearer()
    for sent in ({}, {"X_DIDWW_Api_Version": OLD}):
        shown = send("GET", "/v3/countries", **{"Accept": MEDIA_TYPE, **own, **sent})
        assert json.loads(shown.body)["meta"]["api_version"] == NEW


@covers("services.key-refused", "services.no-bearer")
def test_keys_on_ordinary_calls(version: ApiVersion) -> None:
    """Accepted in one version, and refused in the other; without credentials, only the older one has a document."""
    asked = {"Accept": MEDIA_TYPE, "X_DIDWW_Api_Version": version}
    with_key = send("GET", "/v3/balance", Api_Key=account().key, **asked)
    without = send("GET", "/v3/balance", **asked)
    assert without.status == 401
    if version == OLD:
        assert with_key.status == 200
        assert errors(without)[0]["status"] == "401"
    else:
        assert (with_key.status, with_key.body, without.body) == (401, b"", b"")


@covers("services.mismatch")
def test_accounts_that_were_moved(version: ApiVersion) -> None:
    """A key of such an account is refused, and the error names the argument; tokens work."""
    with Emulator() as emulator:
        emulator.versions.set(NEW)
        client = emulator.client(api_version=version)
        if version == NEW:
            assert client.countries().list().meta["api_version"] == NEW
            return
        with pytest.raises(AuthenticationError, match="api_version"):
            client.countries().list()


@covers("services.hosts", "services.audiences")
def test_hosts_and_audiences(version: ApiVersion) -> None:
    """Five hosts in each environment; the audience is that of production. The main API is the same in both versions."""
    environments = {"production": Environment.PRODUCTION, "sandbox": Environment.SANDBOX}
    for name, environment in environments.items():
        client = DidwwClient("key", environment=environment, api_version=version)
        base_url = SERVICES["hosts"]["api"][name]
        assert client._configuration.base_url == base_url
        urls = _default_urls(base_url)
        for service in SERVICES["hosts"].keys() - {"api"}:
            assert getattr(urls, service) == SERVICES["hosts"][service][name]
    audiences = {service: host["audience"] for service, host in SERVICES["hosts"].items() if "audience" in host}
    assert dict(AUDIENCES) == audiences


@covers("services.download-with-either", "exports.download-credentials")
def test_downloads_take_a_key_or_a_token(version: ApiVersion) -> None:
    """In both versions, whoever created the export."""
    path = export_path(version)
    for headers in ({"Api_Key": account().key}, bearer()):
        assert send("GET", path, **headers).status == 200


def export_path(version: str) -> str:
    """Create an export, and return the path of its file."""
    filters = {"from": "2026-11-01 00:00:00", "to": "2026-11-19 00:00:00"}
    body = document("exports", export_type="cdr_in", filters=filters)
    caller = account().caller(version)
    account().emulator.clock.freeze("2026-11-20T12:00:00Z")
    account().emulator.calls.rate(0)
    id = caller.write("POST", "/exports", body, 201)["data"]["id"]
    account().emulator.clock.advance("1 minute")
    return "/v3/" + caller.get(f"/exports/{id}")["data"]["attributes"]["url"].partition("/v3/")[2]


@covers("services.key-refused-on-download", "services.bearer-refused-on-download")
def test_refused_downloads(version: ApiVersion) -> None:
    """A refused key has no body; a refused token has a document and a challenge."""
    path = export_path(version)
    key = send("GET", path, Api_Key="")
    assert (key.status, key.body, "www-authenticate" in key.headers) == (401, b"", False)
    refused = send("GET", path, Authorization="Bearer x.y.z")
    assert refused.status == 401
    assert errors(refused)[0]["code"] == "401"
    assert refused.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@covers("services.public-keys-without")
def test_public_keys_take_no_credentials(version: ApiVersion) -> None:
    """Neither in the one version nor in the other, and there is no `meta`."""
    response = send("GET", "/v3/public_keys", Accept=MEDIA_TYPE, X_DIDWW_Api_Version=version)
    assert response.status == 200
    assert "meta" not in json.loads(response.body)
    assert facts("public_keys", version).paginated is False


# The token endpoint, which is of no version: a token selects one


@covers("services.token-members", "services.token-scope-default", "services.token-version", "services.life")
def test_granted_tokens(version: ApiVersion) -> None:
    """Members, headers and defaults; the version asked for is the one granted."""
    response = mint(api_version=version)
    members = json.loads(response.body)
    assert set(members) == set(SERVICES["token"]["members"])
    assert {name: response.headers[name] for name in SERVICES["token"]["headers"]} == SERVICES["token"]["headers"]
    assert (members["token_type"], members["scope"], members["api_version"]) == ("Bearer", "full", version)
    assert members["expires_in"] == SERVICES["token"]["life"]["default"]
    shown = send("GET", "/v3/countries", Accept=MEDIA_TYPE, Authorization=f"Bearer {members['access_token']}")
    assert json.loads(shown.body)["meta"]["api_version"] == version


@covers("services.token-version-default")
def test_default_version_of_tokens(version: ApiVersion) -> None:
    """That of the account."""
    with Emulator() as emulator:
        emulator.versions.set(version)
        headers = {"Api-Key": emulator.key, **JSON}
        body = json.dumps({"aud": "api.didww.com"}).encode()
        response, _ = emulator.exchange(Request("POST", f"{ORIGIN}/token", headers, body))
        assert json.loads(response.body)["api_version"] == version


@covers("services.token-audiences", "services.token-life-clamped", "services.token-narrower-scope")
def test_requested_members_of_tokens(version: ApiVersion) -> None:
    """Audiences as text or list; the life is pulled into its range; unknown reading scopes are granted as `read`."""
    audiences = [host["audience"] for host in SERVICES["hosts"].values() if "audience" in host]
    for aud in (*audiences, audiences):
        assert granted(aud=aud, api_version=version)["aud"] == aud
    refused = send("POST", "/token", {}, Api_Key=account().key, Content_Type="application/json")
    assert (refused.status, json.loads(refused.body)["error"]) == (400, "invalid_request")
    low, high = SERVICES["token"]["life"]["minimum"], SERVICES["token"]["life"]["maximum"]
    lives = {1: low, low: low, 100: 100, high: high, 10**6: high}
    assert {asked: granted(expires_in=asked, api_version=version)["expires_in"] for asked in lives} == lives
    assert granted(scope="read:dids", api_version=version)["scope"] == "read"


@covers("services.token-errors", "services.token-media-type")
def test_errors_of_tokens(version: ApiVersion) -> None:
    """The form of OAuth, for every version asked for."""
    refusals = {
        (400, "invalid_scope"): mint(scope="write", api_version=version),
        (400, "invalid_request"): mint(aud="www.example.com", api_version=version),
        (401, "invalid_client"): send("POST", "/token", {"aud": "api.didww.com"}, Content_Type="application/json"),
    }
    form = send(
        "POST", "/token", b"aud=api.didww.com", Api_Key=account().key, Content_Type="application/x-www-form-urlencoded"
    )
    for (status, error), response in [*refusals.items(), ((400, "invalid_request"), form)]:
        members = json.loads(response.body)
        assert (response.status, members["error"]) == (status, error)
        assert set(members) == {"error", "error_description"}


# Scopes and refusals


@covers("services.scope-read")
def test_scope_for_reading(version: ApiVersion) -> None:
    """The service refuses everything else, validations too, and the client refuses it before sending."""
    wire = Recording()
    client = wire.client(version, scope="read")
    assert client.countries().list().data
    sent = len(wire.requests)
    calls = [
        lambda: client.dids().delete(ID),
        lambda: client.voice_in_trunk_groups().delete(ID),
    ]
    for call in calls:
        with pytest.raises(ReadOnlyClientError):
            call()
    assert len(wire.requests) == sent
    headers = {"Accept": MEDIA_TYPE, "Content_Type": MEDIA_TYPE, **bearer(scope="read", api_version=version)}
    for method, path in (
        ("POST", "/v3/orders"),
        ("POST", "/v3/address_requirement_validations"),
        ("DELETE", f"/v3/dids/{ID}"),
    ):
        response = send(method, path, {}, **headers)
        assert (response.status, errors(response)[0]["code"]) == (403, "403")
        assert errors(response)[0]["title"] == "Insufficient scope"
        assert response.headers["www-authenticate"] == 'Bearer error="insufficient_scope"'


@covers("services.bearer-refused", "services.wrong-audience")
def test_refused_tokens(version: ApiVersion) -> None:
    """A document with the code 401, and a challenge."""
    other = bearer(aud="api-vin.didww.com", api_version=version)
    for headers in ({"Authorization": "Bearer nonsense"}, other):
        response = send("GET", "/v3/countries", Accept=MEDIA_TYPE, **headers)
        assert (response.status, errors(response)[0]["code"]) == (401, "401")
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


# Errors, limits and callbacks


@covers("services.removed-names", "services.not-found", "services.codes-are-text")
def test_request_errors(version: ApiVersion) -> None:
    """Names that a version does not have are a 400, unknown ids a 404; codes are text."""
    headers = credentials(version)
    lacking = "number_type" if version == OLD else "did_group_type.id"
    wrong = send("GET", f"/v3/did_groups?filter[{lacking}]=x", **headers)
    missing = send("GET", f"/v3/did_groups/{ID}", **headers)
    assert (wrong.status, missing.status) == (400, 404)
    assert all(isinstance(error["code"], str) for error in [*errors(wrong), *errors(missing)])


@covers("services.media-types")
def test_media_types(version: ApiVersion) -> None:
    """406 and 415 in both versions."""
    headers = credentials(version)
    assert send("GET", "/v3/countries", **{**headers, "Accept": "text/html"}).status == 406
    assert send("POST", "/v3/orders", {}, **{**headers, "Content_Type": "application/json"}).status == 415


@covers("services.conflicts", "services.forbidden")
def test_conflicts_and_features(version: ApiVersion) -> None:
    """409 for an identity in use, and 403 without a challenge for a feature that is off, in both versions."""
    key = f"features-{version}"
    own = account(key)
    person = {"identity_type": "personal", "first_name": "A", "last_name": "B", "phone_number": "442079460001"}
    place = {"address": "1 Example Street", "city_name": "Genoa", "postal_code": "16100"}
    words = {name: f"{name}-{version}" for name in ("identity", "address", "did")}
    seeded = own.emulator.state.seed(
        {
            "features": {"emergency_calling": False},
            "identities": [{"id": words["identity"], **person, "country": country(version)}],
            "addresses": [
                {"id": words["address"], "identity": words["identity"], **place, "country": country(version)}
            ],
            "dids": [{"id": words["did"], "number": "442079461234"}],
        },
        api_key=key,
    )
    caller = own.caller(version)
    (identity,), (address,), (did,) = (seeded[type] for type in ("identities", "addresses", "dids"))
    own.emulator.engine.session(key).update("dids", did, {"identity": identity, "address": address})
    assert caller.send("DELETE", f"/identities/{identity}").status == 409
    off = caller.send("GET", "/emergency_verifications")
    assert (off.status, "www-authenticate" in off.headers) == (403, False)


def country(version: str) -> str:
    """Return the id of a country."""
    return str(account().caller(version).get("/countries", **{"filter[iso]": "IT"})["data"][0]["id"])


@covers("services.rate-limit", "services.token-rate-limit", "prices.rate-limit")
def test_rate_limits(version: ApiVersion) -> None:
    """429 with `Retry-After` on every service, each in its own form."""
    with Emulator(rate_limit=1) as emulator:

        def ask(method: str, path: str, headers: dict[str, str], body: bytes | None = None) -> Response:
            return emulator.exchange(Request(method, ORIGIN + path, headers, body))[0]

        asked = json.dumps({"aud": ["api.didww.com", "api-vin.didww.com"], "api_version": version}).encode()
        key = {"Api-Key": emulator.key}
        token = {"Authorization": f"Bearer {json.loads(ask('POST', '/token', key | JSON, asked).body)['access_token']}"}
        own = {"Accept": MEDIA_TYPE} | (key if version == OLD else token)
        limited = [ask("GET", "/v3/countries", own), ask("GET", "/api-vin/v3/lookup/prices?filter[number]=1", token)]
        for response in limited:
            assert response.status == 429
        for response in limited if version == NEW else limited[1:]:
            assert int(response.headers["retry-after"]) >= 1
        assert errors(limited[1])[0]["code"] == "too_many_requests"
        if version == NEW:
            assert errors(limited[0])[0]["code"] == "too_many_requests"
        refused = ask("POST", "/token", key | JSON, asked)
        assert (refused.status, json.loads(refused.body)["error"]) == (429, "rate_limit_exceeded")
        assert int(refused.headers["retry-after"]) >= 1


@covers("services.callbacks")
def test_callbacks_are_the_same(version: ApiVersion) -> None:
    """Members and signature of the callback of an export, by whatever version it was created."""
    with Emulator(callback_secret="a-callback-secret-for-tests") as emulator:
        emulator.clock.freeze("2026-11-20T12:00:00Z")
        emulator.callbacks.allow("hooks.example.com")
        filters = {"from": "2026-11-01 00:00:00", "to": "2026-11-19 00:00:00"}
        callback: Any = {"callback_url": "https://hooks.example.com/x", "callback_method": "post"}
        client = emulator.client(api_version=version, rate_limit=None)
        made = client.exports().create(Export(export_type="cdr_in", filters=filters, **callback)).data  # type: ignore[arg-type]
        emulator.clock.advance("1 minute")
        (delivery,) = emulator.callbacks.deliveries(record=made.id)
        request = emulator.callbacks.request(delivery.id)
        members = dict(parse_qsl(request.body, keep_blank_values=True))
        assert set(members) == {"id", "type", "status", "url"}
        assert (members["id"], members["type"], members["status"]) == (made.id, "exports", "completed")
        signature = {name.lower(): value for name, value in request.headers.items()}["x-didww-signature"]
        assert re.fullmatch("[0-9a-f]{40}", signature)
        assert RequestValidator("a-callback-secret-for-tests").validate(request.url, members, signature)


# Prices


@covers("prices.only-newer-version", "prices.services")
def test_prices_are_of_the_newer_version(version: ApiVersion) -> None:
    """A client of the older version refuses them before sending."""
    client = account().client(version)
    sent = len(account().sent)
    calls = [
        lambda: client.prices().voice_in.lookup("448081570001"),
        lambda: client.prices().voice_out.lookup("442079460001"),
        lambda: client.prices().sms_out("a2p").lookup(dst_country_iso="GB"),
        lambda: client.prices().sms_in.lookup(dst_country_iso="GB"),
    ]
    for call in calls:
        if version == NEW:
            assert call()
            continue
        with pytest.raises(UnsupportedVersionError, match=NEW):
            call()
    assert (len(account().sent) == sent) is (version == OLD)


@every_list
def test_declared_prices_match_the_facts(name: str) -> None:
    """The class of a price list has the attributes of the table, with their kinds."""
    kinds = {"datetime": "text", "enum": "text"}
    declared = {
        field.member: kinds.get(field.kind.name, field.kind.name) + (" or null" if field.nullable else "")
        for field in CLASSES[name]._field_map.values()
        if field.place == "attributes"
    }
    expected = PRICES["attributes"][name]
    assert set(declared) == set(expected)
    for attribute, kind in expected.items():
        lenient = f"{kind} or null" if attribute in ALSO_NULL.get(name, {}) else kind
        assert declared[attribute] == lenient, attribute


@every_list
@covers("prices.attributes", "prices.document", "prices.scope")
def test_lookups(name: str, version: ApiVersion) -> None:
    """Documents of prices: the attributes of the table, and no links, version, paging or relationships."""
    if version == OLD:  # a token of the older version changes nothing: prices are of no version
        assert "api_version" not in json.loads(lookup(name).body)["meta"]
    response = lookup(name)
    shown = json.loads(response.body)
    assert (response.status, response.headers["content-type"]) == (200, MEDIA_TYPE)
    assert set(shown) == {"data", "meta"}
    assert shown["meta"] == {"total_records": len(shown["data"])}
    assert shown["data"]
    for record in shown["data"]:
        check_price(record, PRICES["attributes"][name])
    if name == "voice_out":
        assert {record["attributes"]["category"] for record in shown["data"]} <= set(PRICES["categories"])


@every_list
@covers("prices.only-filters", "prices.filters-needed", "prices.accept", "prices.no-price")
def test_refused_lookups(name: str, version: ApiVersion) -> None:
    """Other parameters are a 400, another media type is a 406, and nothing found is a 404."""
    query = LISTS[name][1]
    others = [
        "sort=id",
        "page[size]=5",
        "fields[prices]=rate",
        "include=x",
        f"filter[id]={ID}",
        "filter[name]=x",
        "x=1",
    ]
    known = {*PRICES["filters"][name].get("required", ()), *PRICES["filters"][name].get("optional", ())}
    if "src_country_iso" not in known:
        others.append("filter[src_country_iso]=GB")
    refused = [lookup(name, f"{query}&{other}") for other in others] + [
        lookup(name, "filter[number]=x"),
        prices(name, "lookup/prices"),
    ]
    for response in refused:
        assert response.status == 400
        assert errors(response)[0]["code"].isdigit()
    assert lookup(name, Accept="text/csv").status == 406
    nothing = "filter[number]=99912345678" if "number" in known else "filter[dst_number]=99912345678"
    response = lookup(name, nothing)
    assert (response.status, errors(response)[0]["code"]) == (404, "price_not_found")
    if version == NEW:
        service = getattr(account().client(NEW).prices(), name)
        with pytest.raises(PriceNotFoundError):
            (service("a2p") if name == "sms_out" else service).lookup("99912345678")


@every_list
@covers("prices.no-plan", "prices.serving-failure", "services.unavailable")
def test_missing_plans_and_files(name: str, version: ApiVersion) -> None:
    """404 without a plan, and 503 with `Retry-After` of a file that cannot be served."""
    emulator = account().emulator
    plan = (name, "a2p") if name == "sms_out" else (name,)
    emulator.prices.unassign(*plan)
    try:
        for response in (lookup(name), prices(name, "prices.csv.gz")):
            assert (response.status, errors(response)[0]["code"]) == (404, "price_plan_not_assigned")
        if version == NEW:
            service = getattr(account().client(NEW).prices(), name)
            with pytest.raises(PricePlanNotAssignedError):
                (service("a2p") if name == "sms_out" else service).lookup("442079460001")
    finally:
        emulator.prices.assign(*plan)
    emulator.faults.preset("price-files-missing")
    try:
        response = prices(name, "prices.csv.gz")
        assert (response.status, errors(response)[0]["code"]) == (503, "serving_failure")
        assert int(response.headers["retry-after"]) >= 1
        assert lookup(name).status == 200
    finally:
        emulator.faults.clear()


@every_list
@covers("prices.audience", "services.no-bearer-prices")
def test_tokens_of_prices(name: str, version: ApiVersion) -> None:
    """A key, no credentials and the token of the main API are a 401 with a challenge."""
    key = {"Api_Key": account().key, "X_DIDWW_Api_Version": version}
    for token in ({"X": "y"}, key, bearer(api_version=version)):
        response = prices(name, f"lookup/prices?{LISTS[name][1]}", token=token)
        assert (response.status, errors(response)[0]["code"]) == (401, "401")
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


@every_list
@covers("prices.file-headers", "prices.file-columns", "prices.conditional", "prices.head")
def test_price_files(name: str, version: ApiVersion) -> None:
    """Headers, columns, and conditional requests, for tokens of every version."""
    audience = next(
        host["audience"]
        for host in SERVICES["hosts"].values()
        if host.get("audience", "").startswith(LISTS[name][0].split("/")[1] + ".")
    )
    token = bearer(aud=audience, scope="read", api_version=version)
    response = prices(name, "prices.csv.gz", token=token)
    expected = {
        "content-type": "application/gzip",
        "accept-ranges": "none",
        "cache-control": "private",
        "vary": "Authorization",
        "content-length": str(len(response.body)),
    }
    assert response.status == 200
    assert {header: response.headers.get(header) for header in expected} == expected
    assert not {"etag", "content-encoding"} & response.headers.keys()
    disposition = response.headers["content-disposition"]
    assert disposition.startswith("attachment")
    assert PRICES["file_names"].get(name, ".csv.gz") in disposition
    text = gzip.decompress(response.body).decode()
    assert "\r" not in text
    columns = next(csv.reader(io.StringIO(text)))
    confirmed = PRICES["columns"][name]
    assert columns[: len(confirmed)] == confirmed
    assert name == "voice_out" or columns == confirmed
    changed = response.headers["last-modified"]
    same = prices(name, "prices.csv.gz", token=token, If_Modified_Since=changed)
    assert (same.status, same.body, "content-length" in same.headers) == (304, b"", False)
    assert prices(name, "prices.csv.gz", token=token, If_None_Match="*").status == 200
    head = prices(name, "prices.csv.gz", "HEAD", token=token)
    assert {key: head.headers[key] for key in (*expected, "last-modified", "content-disposition")} == {
        key: response.headers[key] for key in (*expected, "last-modified", "content-disposition")
    }


def test_price_classes_are_known() -> None:
    """The classes compared here are all that are declared."""
    assert {cls for cls in all_classes() if cls._type_name == "prices"} <= set(CLASSES.values())
