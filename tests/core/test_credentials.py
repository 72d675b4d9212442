"""Credentials of a client, the scope that it may use, and the hosts that they are sent to."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import pickle
import warnings
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    ApiKey,
    ApiVersionWarning,
    AsyncDidwwClient,
    BearerToken,
    DidOrderItem,
    DidwwClient,
    Environment,
    Order,
    ServiceUrls,
    TokenProvider,
    VoiceInTrunk,
)
from didww._core.effects import Response
from didww._core.request import build, build_download
from didww._drivers import sync
from didww._util.token_cache import Token
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    AuthenticationError,
    DidwwClientError,
    DidwwError,
    InvalidValueError,
    PermissionDeniedError,
    ReadOnlyClientError,
)
from didww.services import AUDIENCES
from support.scripted_transport import AsyncScripted, Scripted, json_response
from support.token_service import BASE, ID, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "k3y-that-nobody-may-see"
TOKEN = "t0ken-that-nobody-may-see"
BALANCE = {"data": {"type": "balances", "id": ID, "attributes": {}}}
VARIABLES = ("TOKEN", "VOICE_IN_PRICES", "VOICE_OUT_PRICES", "SMS_PRICES")


def bearer(*script: Any, token: Any = TOKEN, **options: Any) -> tuple[DidwwClient, Scripted]:
    transport = Scripted(*script)
    client = DidwwClient(
        credentials=BearerToken(token),
        base_url=BASE,
        api_version=VERSION,
        transport=transport,
        rate_limit=None,
        **options,
    )
    return client, transport


@pytest.mark.parametrize(
    "credentials", [ApiKey(KEY), TokenProvider(KEY), BearerToken(TOKEN), BearerToken(lambda: TOKEN)]
)
def test_credentials_show_no_secret_and_are_not_copied(credentials: Any) -> None:
    """Neither text nor copies have the key or the token."""
    assert KEY not in f"{credentials!r} {credentials}"
    assert TOKEN not in f"{credentials!r} {credentials}"
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(DidwwClientError, match="cannot be"):
            copied(credentials)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DidwwClient(KEY, credentials=ApiKey(KEY)), "api_key= and credentials= must not both be passed"),
        (lambda: DidwwClient(credentials=KEY), "credentials must be an ApiKey, a TokenProvider or a BearerToken, got str"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: DidwwClient(credentials=TokenProvider(KEY)), "Pass api_version='2026-11-19', or use ApiKey"),
        (lambda: DidwwClient(credentials=BearerToken(TOKEN)), "Pass api_version='2026-11-19', or use ApiKey"),
        (
            lambda: DidwwClient(credentials=ApiKey(KEY), api_version=VERSION),
            "Pass the key as api_key=, or use TokenProvider",
        ),
        (lambda: DidwwClient(KEY, scope="write"), "scope must be 'full', 'read' or 'read:...', got 'write'"),
        (lambda: TokenProvider(KEY, scope="read: x"), "scope must be 'full', 'read' or 'read:...'"),
        (
            lambda: DidwwClient(credentials=TokenProvider(KEY, "read"), scope="full", api_version=VERSION),
            "scope must not allow more than that of the credentials, 'read', got 'full'",
        ),
        (lambda: TokenProvider(""), "api_key must not be empty"),
        (lambda: TokenProvider(KEY, expires_in=59), "expires_in must be a whole number of seconds from 60 to 3600"),
        (lambda: TokenProvider(KEY, expires_in=True), "expires_in must be a whole number of seconds from 60 to 3600"),
        (lambda: BearerToken(""), "token must be the text of a token, or a function that returns one, got empty text"),
        (lambda: BearerToken(None), "got NoneType"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
        (lambda: BearerToken("Bearer x"), "without the word Bearer"),
        (lambda: BearerToken("x" * 20_000), "at most 16384 printable ASCII characters"),
        (lambda: DidwwClient(KEY, service_urls={}), "service_urls must be ServiceUrls"),  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    ],
)  # fmt: skip
def test_wrong_credentials_are_refused_at_construction(make: Callable[[], Any], message: str) -> None:
    """The message says what to pass instead."""
    with pytest.raises(DidwwError) as caught:
        make()
    assert message in str(caught.value)


def test_scope_of_a_client_narrows_that_of_the_credentials() -> None:
    """A narrower scope is accepted, and the credentials' own is the default."""
    for scope, own, expected in (
        (None, "full", "full"),
        ("read", "full", "read"),
        (None, "read", "read"),
        ("read:dids", "read", "read:dids"),
    ):
        client = DidwwClient(credentials=TokenProvider(KEY, own), scope=scope, api_version=VERSION)
        assert client._configuration.scope == expected


WRITES: dict[str, Callable[[DidwwClient], Any]] = {
    "create": lambda client: client.orders().create(Order(items=[DidOrderItem(sku_id=ID, qty=1)])),
    "create once": lambda client: client.orders().create(
        Order(items=[DidOrderItem(sku_id=ID, qty=1)], external_reference_id="x"), once=True
    ),
    "update": lambda client: client.voice_in_trunks().update(VoiceInTrunk.build(ID, name="a")),
    "delete": lambda client: client.voice_in_trunks().delete(ID),
    "create_many": lambda client: client.orders().create_many([Order(items=[DidOrderItem(sku_id=ID, qty=1)])]),
    "update_many": lambda client: client.voice_in_trunks().update_many([VoiceInTrunk.build(ID, name="a")]),
    "delete_many": lambda client: client.voice_in_trunks().delete_many([ID]),
    "upload": lambda client: client.upload_file(b"%PDF"),
    "upload encrypted": lambda client: client.upload_encrypted_file("a:::b", b"x"),
    "post": lambda client: client.post("/orders", {}),
    "patch": lambda client: client.patch(f"/dids/{ID}", {}),
    "raw delete": lambda client: client.delete(f"/dids/{ID}"),
    "validation": lambda client: client.address_requirement_validations().create(_validation()),
}  # fmt: skip


def _validation() -> Any:
    from didww.resources.address import Address
    from didww.resources.address_requirement import AddressRequirement
    from didww.resources.address_requirement_validation import AddressRequirementValidation

    return AddressRequirementValidation(address=Address.build(ID), address_requirement=AddressRequirement.build(ID))


@pytest.mark.parametrize("version", ["2026-04-16", VERSION])
@pytest.mark.parametrize("write", WRITES)
def test_client_with_a_scope_for_reading_sends_no_write(write: str, version: str) -> None:
    """It is refused before anything is sent, in both versions; reading works."""
    transport = Scripted(json_response(200, BALANCE))
    client = DidwwClient(KEY, base_url=BASE, api_version=version, scope="read", transport=transport)
    with pytest.raises(ReadOnlyClientError, match=r"scope='read' and can only read.*scope=\"full\""):
        WRITES[write](client)
    assert transport.requests == []
    if version != VERSION:
        assert client.balance().find().data.id == ID


def test_bearer_replaces_key_and_version_header() -> None:
    """The version of a request with a token is that of the token."""
    client, transport = bearer(json_response(200, BALANCE))
    client.balance().find()
    headers = {name.lower(): value for name, value in transport.requests[0].headers.items()}
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert not {"api-key", "x-didww-api-version"} & set(headers)
    keyed = Scripted(json_response(200, BALANCE))
    DidwwClient(KEY, base_url=BASE, transport=keyed).balance().find()
    headers = {name.lower(): value for name, value in keyed.requests[0].headers.items()}
    assert (headers["api-key"], headers["x-didww-api-version"]) == (KEY, "2026-04-16")
    assert "authorization" not in headers


def test_function_supplies_a_token_for_each_request() -> None:
    """It is called again once if the service refuses the token."""
    tokens = ["t0ken-number-1", "t0ken-number-2", "t0ken-number-3"]
    client, transport = bearer(
        json_response(401), json_response(200, BALANCE), json_response(401), token=lambda: tokens.pop(0), max_retries=0
    )
    assert client.balance().find().attempts == 1
    assert [request.headers["Authorization"] for request in transport.requests] == [
        "Bearer t0ken-number-1",
        "Bearer t0ken-number-2",
    ]
    with pytest.raises(IndexError):  # the caller's own error
        client.balance().find()


def test_fixed_token_that_is_refused_raises() -> None:
    """There is no other one."""
    client, transport = bearer(json_response(401))
    with pytest.raises(AuthenticationError, match=r"The service refused the token\..*audience api\.didww\.com"):
        client.balance().find()
    assert len(transport.requests) == 1


def test_coroutine_function_supplies_tokens_to_an_asynchronous_client() -> None:
    """A synchronous client refuses it before anything is sent."""

    async def token() -> str:
        await asyncio.sleep(0)
        return TOKEN

    async def main() -> None:
        transport = AsyncScripted(json_response(200, BALANCE))
        for given in (token, lambda: TOKEN):
            client = AsyncDidwwClient(
                credentials=BearerToken(given), base_url=BASE, api_version=VERSION, transport=transport
            )
            await client.balance().find()
        assert {one.headers["Authorization"] for one in transport.inner.requests} == {f"Bearer {TOKEN}"}

    asyncio.run(main())
    client, transport = bearer(json_response(200, BALANCE), token=token)
    with pytest.raises(InvalidValueError, match="Use AsyncDidwwClient"):
        client.balance().find()
    assert transport.requests == []


@pytest.mark.parametrize("value", ["", None, "two words", "line\nbreak"])
def test_function_that_returns_no_token_sends_nothing(value: Any) -> None:
    """The message does not show it."""
    client, transport = bearer(json_response(200, BALANCE), token=lambda: value)
    with pytest.raises(InvalidValueError, match="token must be") as caught:
        client.balance().find()
    assert "two words" not in str(caught.value)
    assert transport.requests == []


def test_insufficient_scope_names_the_argument() -> None:
    """It is raised at once; other refusals with this status do not mention the scope."""
    challenge = 'Bearer error="insufficient_scope"'
    client, transport = bearer(json_response(403, www_authenticate=challenge), json_response(403))
    with pytest.raises(PermissionDeniedError, match='scope="full"'):
        client.balance().find()
    with pytest.raises(PermissionDeniedError) as caught:
        client.balance().find()
    assert "scope" not in str(caught.value)
    assert len(transport.requests) == 2


# Hosts


def test_services_of_each_environment() -> None:
    """Audiences are hosts of production in all environments; other servers have all services at one origin."""
    urls = {
        environment: DidwwClient(KEY, environment=environment, api_version=VERSION)._configuration.service_urls
        for environment in Environment
    }
    assert urls[Environment.PRODUCTION].token == "https://auth.didww.com/token"
    assert urls[Environment.SANDBOX] == (
        "https://auth-sandbox.didww.com/token",
        "https://api-vin-sandbox.didww.com/v3",
        "https://api-vout-sandbox.didww.com/v3",
        "https://api-sms-sandbox.didww.com/v3",
    )
    assert urls[Environment.LOCAL].token == "http://127.0.0.1:8750/token"
    other = DidwwClient(KEY, base_url="https://mock.example.com/any/v3", api_version=VERSION)._configuration
    assert other.url_of("api") == "https://mock.example.com/any/v3"
    assert other.url_of("sms_prices") == "https://mock.example.com/api-sms/v3"
    assert set(AUDIENCES.values()) == {
        "api.didww.com",
        "api-vin.didww.com",
        "api-vout.didww.com",
        "api-sms.didww.com",
    }


def test_services_are_overridden_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments override variables, and the others keep their defaults."""
    for name in VARIABLES:
        monkeypatch.setenv(f"DIDWW_{name}_URL", f"https://{name.lower().replace('_', '-')}.example.com/x")
    urls = DidwwClient(
        KEY,
        environment="sandbox",
        api_version=VERSION,
        service_urls=ServiceUrls(token="https://own.example.com/token"),
    )._configuration.service_urls
    assert urls.token == "https://own.example.com/token"
    assert urls.sms_prices == "https://sms-prices.example.com/x"
    monkeypatch.delenv("DIDWW_SMS_PRICES_URL")
    assert (
        DidwwClient(KEY, api_version=VERSION)._configuration.url_of("sms_prices")
        == "https://api-sms-sandbox.didww.com/v3"
    )
    monkeypatch.setenv("DIDWW_TOKEN_URL", "ftp://x")
    with pytest.raises(InvalidValueError, match="DIDWW_TOKEN_URL must be a URL"):
        DidwwClient(KEY, api_version=VERSION)


@pytest.mark.parametrize("options", [{"environment": Environment.PRODUCTION}, {"base_url": "https://api.didww.com/v3"}])
def test_explicit_host_ignores_the_variables(options: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a variable cannot send the key of production elsewhere."""
    for name in VARIABLES:
        monkeypatch.setenv(f"DIDWW_{name}_URL", "https://elsewhere.example.com/x")
    assert (
        DidwwClient(KEY, api_version=VERSION, **options)._configuration.service_urls.token
        == "https://auth.didww.com/token"
    )


@pytest.mark.parametrize("field", ServiceUrls._fields)
def test_services_must_be_encrypted(field: str) -> None:
    """Each URL is checked like base_url."""
    urls = ServiceUrls(**{field: "http://198.51.100.1/x"})
    with pytest.raises(InvalidValueError, match=rf"service_urls\.{field} must be an https URL"):
        DidwwClient(KEY, service_urls=urls)
    assert DidwwClient(KEY, service_urls=urls, allow_insecure=True)
    assert DidwwClient(KEY, service_urls=ServiceUrls(**{field: "http://127.0.0.1:1/x"}))


@pytest.mark.parametrize("version", ["2026-04-16", VERSION])
def test_requests_to_other_hosts_have_no_credentials(version: str) -> None:
    """A file elsewhere gets neither key nor token, nor headers of the client."""
    client = DidwwClient(KEY, base_url=BASE, api_version=version, headers={"X-Job": "1"})
    own = build_download(client._configuration, f"{BASE}/exports/a.csv.gz")
    away = build_download(client._configuration, "https://files.example.com/a.csv.gz")
    assert (own.audience, "Api-Key" in own.headers) == (("api.didww.com", False) if version == VERSION else ("", True))
    assert away.audience == ""
    assert not {"Api-Key", "Authorization", "X-Job", "X-DIDWW-API-Version"} & set(away.headers)


def test_prices_have_audiences_of_their_own() -> None:
    """A request names the service that it is sent to."""
    configuration = DidwwClient(KEY, environment="sandbox", api_version=VERSION)._configuration
    request = build(configuration, "GET", "rates", service="voice_in_prices")
    assert (request.url, request.audience) == ("https://api-vin-sandbox.didww.com/v3/rates", "api-vin.didww.com")
    file = build_download(configuration, f"{configuration.url_of('sms_prices')}/file.csv", service="sms_prices")
    assert file.audience == "api-sms.didww.com"
    assert build_download(configuration, "https://sandbox-api.didww.com/v3/x", service="sms_prices").audience == ""


def test_redirect_gets_no_token() -> None:
    """It is not followed."""
    client, transport = bearer(json_response(302, location="https://elsewhere.example.com/"))
    with pytest.raises(DidwwError, match="redirect"):
        client.balance().find()
    assert len(transport.requests) == 1


def test_session_of_the_caller_keeps_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the session's own auth nor a netrc file replaces it."""
    import requests

    from support.servers import Server, http, responding

    (tmp_path / "netrc").write_text("default login a password b\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    seen: list[str] = []

    class Session(requests.Session):
        def request(self, *args: Any, **options: Any) -> Any:
            return super().request(*args, **options)

    for session in (requests.Session(), Session()):
        session.auth = ("a", "b")
        session.hooks["response"].append(lambda response, **_: seen.append(response.request.headers["Authorization"]))
        with Server(responding(http(b"{}"))) as server:
            client = DidwwClient(
                credentials=BearerToken(TOKEN), base_url=f"{server.url}/v3", api_version=VERSION, session=session
            )
            assert client.get("/x") == {}
    assert seen == [f"Bearer {TOKEN}"] * 2


# Versions


def versioned(version: str) -> Any:
    return json_response(200, {**BALANCE, "meta": {"api_version": version}})


@contextmanager
def silent(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that the block issues no warning, which the client would log if pytest made an error of it."""
    with warnings.catch_warnings(record=True) as caught, caplog.at_level(logging.WARNING, "didww"):
        warnings.simplefilter("always")
        yield
    assert not caught
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_other_version_of_the_service_is_a_warning_once(caplog: pytest.LogCaptureFixture) -> None:
    """Copies of the client share it; documents without a version say nothing."""
    transport = Scripted(json_response(200, BALANCE), versioned(VERSION))
    client = DidwwClient(KEY, base_url=BASE, transport=transport)
    client.balance().find()
    with pytest.warns(
        ApiVersionWarning, match=r"uses API version 2026-04-16.*2026-11-19.*api_version='2026-11-19'"
    ) as caught:
        client.with_options(timeout=5).balance().find()
    assert caught[0].filename == __file__
    with silent(caplog):
        client.balance().find()
        client.with_options(max_retries=0).get("/balance")


def test_warning_turned_into_an_error_does_not_lose_an_order(caplog: pytest.LogCaptureFixture) -> None:
    """The order was placed, so the mismatch is logged instead."""
    order = json_response(
        201, {"data": {"type": "orders", "id": ID, "attributes": {}}, "meta": {"api_version": VERSION}}
    )
    client = DidwwClient(KEY, base_url=BASE, transport=Scripted(order))
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "didww"):
        warnings.simplefilter("error")
        placed = client.post("/orders", {"data": {}})
    assert placed["data"]["id"] == ID
    assert "responds in version 2026-11-19" in caplog.text


def test_same_version_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The first document with a version settles it."""
    client = DidwwClient(KEY, base_url=BASE, transport=Scripted(versioned("2026-04-16"), versioned(VERSION)))
    with silent(caplog):
        client.balance().find()
        client.balance().find()


# Functions that return tokens


def test_coroutine_function_that_hangs_ends_with_the_timeout() -> None:
    """Nothing is sent, and the function is not called again."""
    calls: list[int] = []

    async def hanging() -> str:
        calls.append(1)
        await asyncio.Event().wait()
        raise AssertionError

    async def main() -> None:
        client = AsyncDidwwClient(
            credentials=BearerToken(hanging),
            base_url=BASE,
            api_version=VERSION,
            transport=AsyncScripted(),
            rate_limit=None,
            timeout=1.0,
        )
        with pytest.raises(ApiTimeoutError, match="Check the function of the BearerToken") as caught:
            await client.orders().create(Order(items=[DidOrderItem(sku_id=ID, qty=1)]))
        assert not caught.value.outcome_unknown

    asyncio.run(main())
    assert calls == [1]


def test_late_token_of_a_function_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain function cannot be interrupted, but nothing happens after it."""
    now = [1000.0]

    def slow() -> str:
        now[0] += 10
        return TOKEN

    monkeypatch.setattr(sync, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=lambda _: None))
    client, transport = bearer(token=slow, timeout=5)
    with pytest.raises(ApiTimeoutError, match="was not sent"):
        client.balance().find()
    assert transport.requests == []
    assert now == [1010]


def test_failure_of_the_function_after_a_lost_request_leaves_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first attempt may have changed the record."""
    monkeypatch.setattr(sync, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=lambda _: None))
    answers = iter([TOKEN])

    def sealed() -> str:
        for answer in answers:
            return answer
        raise RuntimeError("the vault is sealed")

    client, _ = bearer(ApiConnectionError("lost", request_sent=True), token=sealed)
    trunk = VoiceInTrunk.build(ID)
    trunk.name = "x"
    with pytest.raises(RuntimeError, match="the vault is sealed") as caught:
        client.voice_in_trunks().update(trunk)
    assert caught.value.outcome_unknown  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue]
    assert "may have processed an earlier attempt" in "".join(caught.value.__notes__)


# Settings that belong to other versions


@pytest.mark.parametrize(
    ("base_url", "token_url"),
    [
        ("https://API.didww.com/v3", "https://auth.didww.com/token"),
        ("https://api.didww.com:443/v3/", "https://auth.didww.com/token"),
        ("https://sandbox-api.didww.com:443/v3", "https://auth-sandbox.didww.com/token"),
        ("https://api.didww.com:8443/v3", "https://api.didww.com:8443/token"),
    ],
)
def test_hosts_are_known_in_every_spelling(base_url: str, token_url: str) -> None:
    """By their origin."""
    client = DidwwClient(KEY, base_url=base_url, api_version=VERSION)
    assert client._configuration.service_urls.token == token_url


def test_variables_of_other_services_do_not_concern_versions_without_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if they are not valid."""
    monkeypatch.delenv("DIDWW_BASE_URL", raising=False)
    monkeypatch.setenv("DIDWW_TOKEN_URL", "http://auth.corp.example.com/token")
    client = DidwwClient(KEY)
    assert not client._configuration.has_origin("https://api-vin.didww.com/v3", "voice_in_prices")
    assert not client._configuration.has_origin("not a url", "voice_in_prices")
    with pytest.raises(InvalidValueError, match="https"):
        DidwwClient(KEY, api_version=VERSION)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://auth.didww.com", "service_urls.token must have a path, as in https://auth.didww.com/token"),
        ("ftp://auth.example.com", "service_urls.token must be a URL such as https://auth.didww.com/token"),
    ],
)
def test_unusable_token_url_is_refused(url: str, message: str) -> None:
    """The message names the argument, and shows the URL of production."""
    with pytest.raises(InvalidValueError, match=message) as caught:
        DidwwClient(KEY, api_version=VERSION, service_urls=ServiceUrls(token=url))
    assert caught.value.field == "service_urls.token"


def test_header_with_a_version_is_refused_with_tokens() -> None:
    """The version of a request is that of its token."""
    headers = {"x-didww-api-version": "2026-04-16"}
    with pytest.raises(InvalidValueError, match="Pass api_version="):
        DidwwClient(KEY, api_version=VERSION, headers=headers)
    with pytest.raises(InvalidValueError, match="Pass api_version="):
        DidwwClient(KEY, api_version=VERSION).with_options(headers=headers)


def test_error_of_the_api_does_not_repeat_the_key(caplog: pytest.LogCaptureFixture) -> None:
    """Nor do the request id in errors and logs."""
    body = {"errors": [{"title": f"Key {KEY} is invalid", "detail": None}]}
    response = Response(403, {"x-request-id": KEY}, json.dumps(body).encode())
    client = DidwwClient(KEY, base_url=BASE, transport=Scripted(response))
    with (
        caplog.at_level(logging.DEBUG, "didww"),
        pytest.raises(PermissionDeniedError, match=r"Key \*\*\* is") as caught,
    ):
        client.balance().find()
    assert KEY not in f"{caught.value} {caught.value.errors} {caught.value.request_id} {caplog.text}"


def test_token_cannot_be_pickled() -> None:
    """As all other credentials."""
    with pytest.raises(DidwwClientError, match="cannot be copied or pickled"):
        pickle.dumps(Token(TOKEN, since=0.0, life=900))
