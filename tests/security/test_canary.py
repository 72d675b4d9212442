"""The key, SIP passwords and callback secrets are never revealed, and the scan would find them."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    BearerToken,
    CredentialsAndIpAuthenticationMethod,
    Did,
    DidwwClient,
    DidwwError,
    RequestValidator,
    SipConfiguration,
    VoiceInTrunk,
    VoiceOutTrunk,
)
from didww.emulator.http.server import running
from didww.enums import Codec, DefaultDstAction, OnCliMismatchAction
from support import secret_canary as canary
from support.clients import KINDS, client_of
from support.servers import Server, dead_port, http, once, responding, rude, silent

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = "c4nary-of-the-key-0123456789"
TOKEN = "c4nary-of-the-token-0123456789"
PASSWORD = "C4nary-Of-The-Password"
SECRET = "c4nary-of-callbacks-0123456789"
MARKS = (KEY, TOKEN, PASSWORD, SECRET)


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.clients.KEY", KEY)


class Seen:
    """Everything that a program could show of what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def value(self, value: Any) -> None:
        self.texts += [repr(value), str(value)]

    def error(self, error: BaseException) -> None:
        self.value(error)
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        # The frames of this test hold the secrets themselves.
        shown.stack = traceback.StackSummary.from_list([one for one in shown.stack if "/tests/" not in one.filename])
        self.texts += list(shown.format())
        chain = (error.__cause__, error.__context__)
        for one in chain:
            if one is not None:
                self.error(one)
        if isinstance(error, DidwwError):
            self.texts.append(repr(pickle.dumps(error)))
            self.value(copy.copy(error))

    def check(self) -> None:
        found = [text[:400] for text in self.texts if any(mark in text for mark in MARKS)]
        assert not found, found[:3]


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Seen]:
    """What was shown, with the log of all levels, what was printed, and the files that were left."""
    caplog.set_level(logging.DEBUG)
    seen = Seen()
    yield seen
    seen.texts += [caplog.text, *(repr(record.args) for record in caplog.records), *capfd.readouterr()]
    seen.texts += [one.read_bytes().decode("latin-1") for one in tmp_path.rglob("*") if one.is_file()]
    seen.check()


def trunk() -> VoiceInTrunk:
    configuration = SipConfiguration(
        host="sip.example.com", auth_enabled=True, auth_user="u", auth_password=PASSWORD, codec_ids=[Codec.PCMU]
    )
    return VoiceInTrunk(name="Front desk", configuration=configuration)


@pytest.mark.parametrize("kind", KINDS)
def test_successful_calls_reveal_no_secret(kind: str, seen: Seen, tmp_path: Path) -> None:
    """The test covers clients, responses, records, copies and pickles of typical work."""
    with running() as base_url, client_of(kind, base_url) as client:
        seen.value(getattr(client, "_client", client))
        created = client.voice_in_trunks().create(trunk())
        for one in (created, created.data, created.data.configuration, created.meta, trunk()):
            seen.value(one)
        out = VoiceOutTrunk(name="Out")
        out.authentication_method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.0/24"])
        out.default_dst_action = DefaultDstAction.ALLOW_ALL
        out.on_cli_mismatch_action = OnCliMismatchAction.REJECT_CALL
        made = client.voice_out_trunks().create(out).data
        for one in (made, made.authentication_method, copy.deepcopy(made)):
            seen.value(one)
            assert made.authentication_method.password not in repr(one)
        seen.value(client.upload_file(b"%PDF", description="scan"))
        seen.value(RequestValidator(SECRET))
        with pytest.raises(DidwwError) as caught:
            pickle.dumps(getattr(client, "_client", client)._configuration.credentials)
        seen.error(caught.value)
        seen.value(client.dids().update_many([Did.build("x")]))


TROUBLE: dict[str, Callable[..., None]] = {
    "silent": silent,
    "rude": rude,
    "not http": once(b"garbage\r\n\r\n"),
    "cut off": responding(http(b"{}", length=99)),
    "a page": responding(http(b"<html>")),
    "redirect": responding(http(b"", "Location: http://127.0.0.1:1/v3/other", status="302 Found")),
    "refused": responding(http(b'{"errors":[{"title":"no"}]}', status="422 No")),
    "wrong key": responding(http(b"", status="401 No")),
    "down": responding(http(b"", status="503 Down")),
    "packed wrongly": responding(http(b"xx", "Content-Encoding: gzip")),
    "odd header": once(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", [*TROUBLE, "nobody there"])
def test_failing_calls_reveal_no_secret(case: str, kind: str, seen: Seen, tmp_path: Path) -> None:
    """The test covers errors with locals, causes and contexts, for reads, writes, uploads and downloads."""
    with contextlib.ExitStack() as stack:
        if case == "nobody there":
            base_url = f"http://127.0.0.1:{dead_port()}/v3"
        else:
            base_url = f"{stack.enter_context(Server(TROUBLE[case])).url}/v3"
        client = stack.enter_context(client_of(kind, base_url, timeout=0.4, max_retries=1))
        for call in (
            lambda: client.dids().find("8d1a3c5e-0000-4000-8000-000000000001"),
            lambda: client.voice_in_trunks().create(trunk()),
            lambda: client.upload_file(b"%PDF"),
            lambda: client.download_export(f"{base_url}/exports/a.csv.gz", tmp_path / "a"),
        ):
            try:
                call()
            except Exception as error:  # noqa: BLE001 whatever it is, it must not show them
                seen.error(error)


def issued(**changes: Any) -> bytes:
    return json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 900, **changes}).encode()


TOKEN_TROUBLE: dict[str, Callable[..., None]] = {
    **TROUBLE,
    "refused by the API": responding(http(issued()), http(b"", status="401 No")),
    "failing API": responding(http(issued()), http(b"<html>")),
    "an expiry that is not believed": responding(http(issued(expires_in=-1))),
    "another version": responding(http(issued(api_version="2026-04-16"))),
    "a wrong type": responding(http(issued(token_type="mac"))),
    "an error with the key": responding(http(json.dumps({"error": KEY, "error_description": KEY}).encode(), status="401 No")),
    "cut in the token": once(http(issued(), length=999)),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("case", TOKEN_TROUBLE)
def test_failing_token_requests_reveal_no_secret(case: str, kind: str, seen: Seen, tmp_path: Path) -> None:
    """Neither the key nor the token is in errors, whoever fails: the token service or the API."""
    hooked: list[Any] = []
    with (
        Server(TOKEN_TROUBLE[case]) as server,
        client_of(
            kind,
            f"{server.url}/v3",
            api_version="2026-11-19",
            timeout=0.4,
            max_retries=1,
            on_request=hooked.append,
            on_response=hooked.append,
        ) as client,
    ):
        seen.value(getattr(client, "_client", client)._configuration)
        for call in (
            lambda: client.dids().find("8d1a3c5e-0000-4000-8000-000000000001"),
            lambda: client.voice_in_trunks().create(trunk()),
            lambda: client.download_export(f"{server.url}/exports/a.csv.gz", tmp_path / "a"),
        ):
            try:
                call()
            except Exception as error:  # noqa: BLE001 whatever it is, it must not show them
                seen.error(error)
    for event in hooked:
        if event.request.url.endswith("/token"):
            seen.texts += [repr(event), repr(event.request.headers), repr(getattr(event, "response", None))]


def test_tokens_of_the_caller_are_not_revealed(seen: Seen) -> None:
    """Nor are they copied."""
    client = DidwwClient(credentials=BearerToken(TOKEN), base_url="http://127.0.0.1:9/v3", api_version="2026-11-19")
    for value in (client, client._configuration, client._configuration.credentials, BearerToken(lambda: TOKEN)):
        seen.value(value)
    for call in (lambda: client.balance().find(), lambda: pickle.dumps(client._configuration.credentials)):
        with pytest.raises(DidwwError) as caught:
            call()
        seen.error(caught.value)
    with pytest.raises(DidwwError) as caught:
        BearerToken(f"Bearer {TOKEN}")
    seen.value(caught.value)


def test_invalid_value_errors_reveal_no_secret(seen: Seen) -> None:
    """Secrets are passed in the wrong place or with the wrong type."""
    for call in (
        lambda: RequestValidator([SECRET]),  # type: ignore[arg-type]
        lambda: SipConfiguration(auth_password=[PASSWORD]),  # type: ignore[arg-type]
        lambda: SipConfiguration(auth_password=PASSWORD * 100),
        lambda: client_of("sync", f"http://{SECRET}@example.com/v3").__enter__(),
    ):
        try:
            call()
        except DidwwError as error:
            seen.value(error)
            seen.value(pickle.dumps(error))


def test_secret_scan_detects_a_revealed_secret() -> None:
    """The scan of the whole suite knows the secrets of this test and finds them in text."""
    with running() as base_url, client_of("sync", base_url) as client:
        client.voice_in_trunks().create(trunk())
        RequestValidator(SECRET)
        BearerToken(TOKEN)
    assert set(MARKS) <= canary.SECRETS
    for mark in MARKS:
        assert canary.shown(["harmless", f"before {mark} after"]) == [f"before {mark} after"]
    handler = canary.Heard()
    logger = logging.getLogger("canary.another")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    logger.debug("key %s", KEY)
    assert canary.shown(handler.texts)
    assert canary.HEARD in logging.getLogger().handlers
