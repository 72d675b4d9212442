"""Requests of the journal as Python and as curl, and the secrets in them."""

from __future__ import annotations

import html
import json
import re
import shlex
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from didww import (
    Codec,
    CredentialsAndIpAuthenticationMethod,
    DidwwError,
    Export,
    OnCliMismatchAction,
    VoiceInTrunkGroup,
    VoiceOutTrunk,
)
from didww._core.effects import Request
from didww.emulator import Emulator
from didww.emulator.console import formatting, masking, snippets
from didww.emulator.controls.clock import Clock
from support.console_account import KEY, order, served, trunk
from support.registration import Registration, bought, person, plain, prove_all

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator with a frozen clock."""
    with Emulator(clock=Clock(start=datetime(2026, 3, 10, 12, tzinfo=UTC), running=False)) as emulator:
        yield emulator


def written(emulator: Emulator, method: str) -> list[str]:
    """Return the last statement but one of the requests of a method, as Python, oldest first."""
    entries = reversed(emulator.journal.entries())
    programs = [snippets.to_python(entry, "http://h") for entry in entries if entry.method == method]
    return [program.split("    response = ")[1].rpartition("\n    print")[0] for program in programs]


def test_writes_become_calls_of_this_library(emulator: Emulator) -> None:
    """Built from the body and the declarations; generated references are omitted."""
    client = emulator.client()
    created = order(client, 2)
    emulator.clock.advance(1)
    did = client.dids().first()
    main = client.voice_in_trunks().create(trunk("Main")).data
    did.description, did.voice_in_trunk = 'it\'s "new"', main
    client.dids().update(did)
    with pytest.raises(DidwwError):
        client.request("POST", "/orders", json={"data": {"type": "orders", "attributes": {"colour": "red"}}})
    first, second, third = written(emulator, "POST")
    sku = json.loads(emulator.journal.entries(method="POST", path="/orders")[-1].body)["data"]["attributes"]["items"]
    sku_id = sku[0]["attributes"]["sku_id"]
    assert created.id
    assert " ".join(first.split()) == (
        f'client.orders().create(Order( items=[DidOrderItem(sku_id="{sku_id}", qty=2)], ))'
    )
    assert 'auth_password="********"' in second
    assert "codec_ids=[Codec.PCMU]" in second
    assert "client.request(" in third
    (update,) = written(emulator, "PATCH")
    assert " ".join(update.split()) == (
        f'client.dids().update(Did.build( "{did.id}", description=\'it\\\'s "new"\','
        f' voice_in_trunk=VoiceInTrunk.build("{main.id}"), ))'
    )


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("dids?filter[number]=4420&page[number]=2&page[size]=5&include=order,did_group", 'client.dids().list(include=["order", "did_group"], filter={"number": "4420"}, page=(2, 5))'),
        ("countries?filter[iso]=GB&sort=name", None),
        ("dids/none?include=order", 'client.dids().find("none", include="order")'),
        ("balance", "client.balance().find()"),
        ("dids?filter[numbr]=1", 'client.dids().list(params=QueryParams().param("filter[numbr]", "1"))'),
    ],
)  # fmt: skip
def test_queries_become_keywords_where_the_library_has_them(emulator: Emulator, path: str, code: str | None) -> None:
    """Other parameters are passed as they are."""
    emulator.exchange(Request("GET", f"http://127.0.0.1/v3/{path}", {"Api-Key": KEY}, None))
    (text,) = written(emulator, "GET")
    flat = re.sub(r",? ?([)\]}])", r"\1", re.sub(r"([(\[{]) ", r"\1", " ".join(text.split())))
    assert code is None or flat == code


def test_copied_writes_run_against_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pasted and executed, each sends the same body again."""
    monkeypatch.setenv("DIDWW_API_KEY", "local-key")
    with served() as (emulator, root):
        base = root.removesuffix("/_emulator/console/")
        registration = Registration(emulator, plain)
        client = registration.client
        order(client, 2)
        emulator.clock.advance(1)
        emulator.transitions.set("address_verifications", after=0)
        dids = bought(emulator, client, registration.group)
        identity, address = person(client, registration.country)
        prove_all(client, registration.requirement, identity, address)
        client.address_verifications().create(registration.verification(address, dids))
        first = client.voice_in_trunks().create(trunk("First")).data
        client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Group", voice_in_trunks=[first]))
        first.configuration.codec_ids = [Codec.PCMA, Codec.PCMU]
        client.voice_in_trunks().update(first)
        did = client.dids().first()
        did.voice_in_trunk, did.capacity_limit, did.terminated = first, 3, True
        client.dids().update(did)
        month = {"from": datetime.now(UTC) - timedelta(minutes=2), "to": datetime.now(UTC) - timedelta(minutes=1)}
        client.exports().create(Export(export_type="cdr_in", filters=month))
        client.voice_out_trunks().create(
            VoiceOutTrunk(
                name="Out",
                authentication_method=CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["203.0.113.7"]),
                on_cli_mismatch_action=OnCliMismatchAction.REJECT_CALL,
                threshold_amount="12.50",
            )
        )
        entries = [entry for entry in reversed(emulator.journal.entries()) if entry.method in ("POST", "PATCH")]
        kinds: dict[str, int] = {}
        for entry in entries:
            if entry.path == "/v3/encrypted_files":  # a binary body
                continue
            program = snippets.to_python(entry, base)
            assert "client.request" not in program, program
            with suppress(DidwwError):  # a name may be taken already
                exec(program, {"print": id})
            again = emulator.journal.entries()[0]
            assert (again.method, again.path) == (entry.method, entry.path)
            assert attributes_of(again.body) == attributes_of(formatting.pretty(entry.body))
            kinds[entry.path.split("/")[2]] = again.status
        assert len(kinds) >= 9


def attributes_of(body: str) -> Any:
    """Return the members of a body, without generated references."""
    data = json.loads(body)["data"]
    attributes = {name: value for name, value in data["attributes"].items() if not str(value).startswith("didww-")}
    return attributes, data.get("relationships")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v3/dids?filter%5Bnumber%5D=4420&page%5Bsize%5D=5&include=order,did_group", None),
        ("GET", "/v3/balance", None),
        ("GET", "/v3/countries?filter%5Bnumbr%5D=it%27s", None),
        ("GET", "/v3/voice_in_trunks/none", None),
        ("DELETE", "/v3/voice_in_trunks/none", None),
        ("GET", "/v3/orders/none/relationships/x", None),
        (
            "POST",
            "/v3/voice_in_trunks",
            {"data": {"type": "voice_in_trunks", "attributes": {"name": 'it\'s "é" $HOME'}}},
        ),
        ("PATCH", "/v3/dids/none", {"data": {"type": "dids", "id": "none", "attributes": {"terminated": True}}}),
    ],
)
def test_copied_commands_send_the_same_request(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    """As a shell command and as a Python program."""
    monkeypatch.setenv("DIDWW_API_KEY", KEY)
    with served() as (emulator, root):
        base = root.removesuffix("/_emulator/console/")
        content = None if body is None else json.dumps(body).encode()
        headers = {"Api-Key": KEY, "Content-Type": "application/vnd.api+json", "Accept": "application/vnd.api+json"}
        httpx2.request(method, base + path, headers=headers, content=content)
        first = emulator.journal.entries()[0]
        command = snippets.to_curl(first, base).replace("\\\n", "").replace("$DIDWW_API_KEY", KEY)
        program, dash, sent, address, *rest = shlex.split(command)
        assert (program, dash) == ("curl", "-X")
        options = [rest[n : n + 2] for n in range(0, len(rest), 2)]
        headers = dict(value.split(": ", 1) for option, value in options if option == "-H")
        data = next((value.encode() for option, value in options if option == "--data-binary"), None)
        httpx2.request(sent, address, headers=headers, content=data)
        with suppress(DidwwError):  # the error response
            exec(snippets.to_python(first, base), {})
        entries = emulator.journal.entries()
    requests = [
        (entry.method, entry.path, sorted(entry.query), entry.body and json.loads(entry.body), entry.status, entry.key)
        for entry in entries[:3]
    ]
    assert requests[0] == requests[1] == requests[2]
    assert len(entries) == 3


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"auth_password":"x1y2"}', '{\n  "auth_password": "********"\n}'),
        (
            '{"a":[{"Password":7,"name":"n"}]}',
            '{\n  "a": [\n    {\n      "Password": "********",\n      "name": "n"\n    }\n  ]\n}',
        ),
        ('{"password":{"deep":"x1y2"}}', '{\n  "password": "********"\n}'),
        ('{"password":null}', '{\n  "password": null\n}'),
        (
            '{"url":"http://a.example.com/?api_key=x1y2&b=1"}',
            '{\n  "url": "http://a.example.com/?api_key=********&b=1"\n}',
        ),
        ('{"auth_password":"x1y2","na... (70000 bytes)', '{"auth_password":"********","na... (70000 bytes)'),
        ('{"password": "x1\\"y2... (70000 bytes)', '{"password": "********"'),
        ('{"password": 12, "b', '{"password": "********", "b'),
        ("not JSON <b>", "not JSON <b>"),
        ("", ""),
        ("[" * 5000, "[" * 5000),
    ],
)
def test_secrets_are_masked(body: str, expected: str) -> None:
    """By member name, in complete and truncated JSON."""
    assert formatting.pretty(body) == expected


@pytest.mark.parametrize("name", ["api_key", "X-Signature", "password"])
def test_secrets_in_queries_are_masked(name: str) -> None:
    """By parameter name."""
    assert masking.mask_parameter("x1y2", name) == "********"
    assert masking.mask_text(f"/?{name}=x1y2") == f"/?{name}=********"
    assert masking.mask_parameter("GB", "filter[iso]") == "GB"


@pytest.mark.parametrize(
    "text",
    ['{"a<b>": ["x & \\" y", -1.5e3, true, null], "c": "<i>"}', "<p>no JSON</p> & 'more' 12", '{"cut <b> off', ""],
)
def test_highlighting_does_not_change_the_text(text: str) -> None:
    """Highlighting adds only color markup."""
    plain = re.sub(r'<span class="(?:name|text|word)">|</span>', "", str(formatting.highlight(text)))
    assert "<" not in plain
    assert html.unescape(plain) == text
