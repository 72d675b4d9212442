"""Test the console: what its pages show and hide, its forms, and how it works in a browser."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
import sys
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx2
import pytest

from didww import CallbackMethod, Codec, DidwwClient, DidwwError, Order, SipConfiguration, VoiceInTrunk
from didww._core.effects import Request
from didww._server.asgi_server import wait_until_started
from didww.emulator import Emulator, console
from didww.emulator.console import formatting, masking, snippets
from didww.emulator.controls.clock import Clock
from didww.emulator.http.server import Server
from didww.resources.order_item.did_order_item import DidOrderItem
from support.registration import Registration, bought, person, plain, prove_all

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww._core.effects import Response

HOSTILE = "<script>alert(1)</script>"
KEY = "a-key-that-nobody-may-see"
PASSWORD = "correct-horse-battery"
ROOT = "http://127.0.0.1/_emulator/console/"
PAGES = (
    "",
    "journal",
    "journal/1",
    "journal/fragment",
    "resources",
    "pending",
    "calls",
    "clock",
    "faults",
    "callbacks",
    "state",
)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator with a frozen clock."""
    with Emulator(clock=Clock(start=datetime(2026, 3, 10, 12, tzinfo=UTC), running=False)) as emulator:
        yield emulator


def get(emulator: Emulator, place: str, status: int = 200) -> str:
    """Return the text of a page."""
    response = console.handle(emulator, Request("GET", urljoin(ROOT, place), {}, None))
    assert response.status == status, response.body
    return response.body.decode()


def post(emulator: Emulator, place: str, *fields: tuple[str, str], **more: str) -> Response:
    """Submit a form and return the response."""
    body = urlencode([*fields, *more.items()]).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return console.handle(emulator, Request("POST", urljoin(ROOT, place), headers, body))


def trunk(name: str) -> VoiceInTrunk:
    """Return a trunk with a password."""
    configuration = SipConfiguration(
        codec_ids=[Codec.PCMU], host="sip.example.com", auth_enabled=True, auth_user="u", auth_password=PASSWORD
    )
    return VoiceInTrunk(name=name, configuration=configuration)


def order(client: DidwwClient, qty: int = 1, **more: Any) -> Order:
    """Order numbers in London."""
    filters: Any = {"country.id": client.countries().list(filter={"iso": "GB"}).data[0].id, "area_name": "London"}
    group = client.did_groups().list(filter=filters, include="stock_keeping_units").data[0]
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty)
    return client.orders().create(Order(items=[item], **more)).data


def fill(emulator: Emulator) -> SimpleNamespace:
    """Put content on every page, with markup in every user text, and secrets."""
    client = emulator.client(KEY)
    main = client.voice_in_trunks().create(trunk(HOSTILE)).data
    address = f"http://hooks.example.com/?token={PASSWORD}&x={HOSTILE}"
    done = order(client, callback_url=address, callback_method=CallbackMethod.POST)
    emulator.clock.advance(1)
    did = client.dids().list().data[0]
    did.voice_in_trunk = main
    client.dids().update(did)
    emulator.transitions.set("orders", by_hand=True, reasons=[HOSTILE], comment=HOSTILE)
    waiting = order(client, 2)
    for query in (f"filter[{HOSTILE}]=1", f"filter[password]={PASSWORD}&include={HOSTILE}"):
        headers = {"Api-Key": KEY, "X-Note": HOSTILE}
        emulator.exchange(Request("GET", f"http://127.0.0.1/v3/dids?{query}", headers, None))
    emulator.exchange(Request("PUT", "http://127.0.0.1/v3/<b>", {"Api-Key": KEY}, HOSTILE.encode()))
    emulator.faults.add(status=503, path=f"/{HOSTILE}", body=HOSTILE)
    emulator.state.snapshot(HOSTILE)
    emulator.callbacks.settle()
    return SimpleNamespace(client=client, trunk=main, done=done, waiting=waiting, did=did)


def every_page(emulator: Emulator) -> dict[str, str]:
    """Return all pages that can be reached by links, up to 150."""
    seen: dict[str, str] = {}
    todo = list(PAGES)
    while todo and len(seen) < 150:
        place = todo.pop(0)
        if place not in seen:
            text = seen[place] = get(emulator, place)
            for link in re.findall(r'href="([^"]+)"', text):
                address = urljoin(urljoin(ROOT, place), html.unescape(link))
                if address.startswith(ROOT):
                    todo.append(address.removeprefix(ROOT))
    return seen


# Content


def test_no_broken_links_and_user_text_is_escaped(emulator: Emulator) -> None:
    """Every linked page exists and shows user markup as text."""
    scene = fill(emulator)
    pages = every_page(emulator)
    assert len(pages) > 60
    assert f"resources/voice_in_trunks/{scene.trunk.id}" in pages
    assert [place for place, text in pages.items() if "<script>alert" in text or "<b>" in text] == []
    naming = [place for place, text in pages.items() if html.escape(HOSTILE) in text]
    kinds = {place.split("/")[0].split("?")[0] for place in naming}
    assert {"", "journal", "resources", "faults", "callbacks", "state", "pending"} <= kinds


def test_console_never_shows_keys_or_passwords(emulator: Emulator) -> None:
    """Not in bodies, responses, attributes, URLs, queries, or text to copy."""
    scene = fill(emulator)
    pages = every_page(emulator)
    assert [place for place, text in pages.items() if PASSWORD in text or KEY in text] == []
    assert masking.MASK in pages[f"resources/voice_in_trunks/{scene.trunk.id}"]
    assert sum("$DIDWW_API_KEY" in text for text in pages.values()) >= 5


@pytest.mark.parametrize("place", [*PAGES, "nowhere"])
def test_pages_are_self_contained_with_a_strict_csp(emulator: Emulator, place: str) -> None:
    """Styles and scripts are inline, with a new nonce each time."""
    fill(emulator)
    first, second = (console.handle(emulator, Request("GET", ROOT + place, {}, None)) for _ in range(2))
    policy = first.headers["content-security-policy"]
    nonces = set(re.findall(r"'nonce-([^']+)'", policy))
    text = first.body.decode()
    assert len(nonces) == 1
    assert nonces.isdisjoint(re.findall(r"'nonce-([^']+)'", second.headers["content-security-policy"]))
    assert set(re.findall(r"<(?:script|style)([^>]*)>", text)) <= {f' nonce="{nonce}"' for nonce in nonces}
    assert "unsafe" not in policy
    assert {"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//', text) == []
    assert re.findall(r'\son\w+="|\sstyle="', text) == []


@pytest.mark.parametrize(
    "place",
    [
        "nowhere",
        "journal/99",
        "journal/1x",
        "journal/99999999999999999999",
        "journal/1/2",
        "resources/nothing",
        "resources/dids/none",
        "resources/dids/a/b",
        "resources/dids?page=0",
        "resources/..%2F/x",
        "resources/sqlite_master",
    ],
)
def test_missing_pages_return_404(emulator: Emulator, place: str) -> None:
    """The error is an HTML page."""
    assert "Not found" in get(emulator, place, 404)


def test_console_journal_can_be_filtered(emulator: Emulator) -> None:
    """By method, path and status; an invalid status shows an error."""
    fill(emulator)
    assert get(emulator, "journal/fragment?method=POST&path=/orders&status=201").count("<li>") == 2
    assert 'data-poll="/_emulator/console/journal/fragment?status=404"' in get(emulator, "journal?status=404&method=")
    assert "Expected `int" in html.unescape(get(emulator, "journal?status=abc", 422))


def test_record_pages_link_to_related_records(emulator: Emulator) -> None:
    """In both directions, and to the catalog."""
    scene = fill(emulator)
    text = get(emulator, f"resources/dids/{scene.did.id}")
    links = re.findall(r'href="/_emulator/console/resources/(\w+)/([^"]+)"', text)
    assert ("voice_in_trunks", scene.trunk.id) in links
    assert {"did_groups", "orders", "voice_in_trunks"} <= {type for type, _ in links}


def test_viewing_pages_has_no_side_effects() -> None:
    """Viewing all pages does not change the next ids."""
    ids: list[str] = []
    for look in (False, True):
        with Emulator() as emulator:
            client = emulator.client()
            created = [client.voice_in_trunks().create(trunk("a")).data.id]
            if look:
                every_page(emulator)
            created += [client.balance().find().data.id, client.capacity_pools().list().data[0].id]
            created.append(client.voice_in_trunks().create(trunk("b")).data.id)
        ids.append(" ".join(created))
    assert ids[0] == ids[1]


# Copied commands


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


# Forms

Check = "Callable[[Emulator, SimpleNamespace], Any]"


@pytest.mark.parametrize(
    ("place", "fields", "page", "check"),
    [
        ("journal/clear", {}, "journal", lambda s, _: s.journal.entries() == []),
        ("clock/advance", {"by": "2 days 1 s"}, "clock", lambda s, _: s.clock.now().day == 12),
        ("clock/freeze", {"at": "2026-05-01T00:00:00Z"}, "clock", lambda s, _: s.clock.now().month == 5),
        ("clock/run", {}, "clock", lambda s, _: s.clock.state().running),
        ("transitions/complete", {"id": "waiting"}, "pending", lambda s, c: c.client.orders().find(c.waiting.id).data.status == "completed"),
        ("transitions/cancel", {"id": "waiting"}, "pending", lambda s, c: c.client.orders().find(c.waiting.id).data.status == "canceled"),
        (
            "transitions/set",
            {"type": "address_verifications", "outcome": "reject", "reasons": "Blurred", "after": "1 h", "reads": ""},
            "pending",
            lambda s, _: (s.transitions.show()["address_verifications"].after, s.transitions.show()["address_verifications"].reasons) == (3600, ["Blurred"]),
        ),
        ("transitions/reset", {"type": "orders"}, "pending", lambda s, _: s.transitions.show() == {}),
        (
            "faults/add",
            {"method": "GET", "path": "/dids*", "status": "503", "nth": "2", "probability": "0.5", "html": "true", "latency": "2 s", "body": ""},
            "faults",
            lambda s, _: [(rule.status, rule.nth, rule.probability, rule.html, rule.latency, rule.body) for rule in s.faults.rules()[1:]] == [(503, 2, 0.5, True, 2.0, None)],
        ),
        ("faults/preset", {"name": "flaky"}, "faults", lambda s, _: len(s.faults.rules()) == 5),
        ("faults/remove", {"id": "1"}, "faults", lambda s, _: s.faults.rules() == []),
        ("faults/clear", {}, "faults", lambda s, _: s.faults.rules() == []),
        ("callbacks/allow", {"hosts": "a.example.com  b.example.com"}, "callbacks", lambda s, _: s.callbacks._hosts == {"a.example.com", "b.example.com"}),
        ("callbacks/sign", {"how": "wrong"}, "callbacks", lambda s, _: s.callbacks._signing == "wrong"),
        ("callbacks/replay", {"id": "1"}, "callbacks", lambda s, _: len(s.callbacks.settle()[0].attempts) == 2),
        ("state/snapshot", {"name": "one"}, "state", lambda s, _: "one" in s.state.snapshots()),
        ("state/snapshot", {"name": ""}, "state", lambda s, _: "default" in s.state.snapshots()),
        ("state/restore", {"name": HOSTILE}, "state", lambda s, _: True),
        ("state/reset", {}, "state", lambda s, c: c.client.voice_in_trunks().list().data == []),
        ("balance/put", {"balance": "25.50", "credit": "", "api_key": KEY}, "state", lambda s, c: str(c.client.balance().find().data.total_balance) == "25.50"),
    ],
)  # fmt: skip
def test_forms_run_their_operation_and_redirect(
    emulator: Emulator, place: str, fields: dict[str, str], page: str, check: Check
) -> None:
    """Once: a redirect leads to a GET page with the result."""
    scene = fill(emulator)
    values = {name: scene.waiting.id if value == "waiting" else value for name, value in fields.items()}
    response = post(emulator, place, **values)
    assert response.status == 303, response.body
    address = urlsplit(response.headers["location"])
    assert address.path == f"/_emulator/console/{page}"
    assert dict(parse_qsl(address.query)) == {"done": place}
    assert 'role="status"' in get(emulator, response.headers["location"])
    assert check(emulator, scene)


def test_verification_can_be_rejected_with_several_reasons(emulator: Emulator) -> None:
    """Fields of the same name form a list."""
    scene = Registration(emulator, plain)
    emulator.transitions.set("address_verifications", by_hand=True)
    client = scene.client
    dids = bought(emulator, client, scene.group)
    identity, address = person(client, scene.country)
    prove_all(client, scene.requirement, identity, address)
    id = client.address_verifications().create(scene.verification(address, dids)).data.id
    page = get(emulator, "pending")
    assert id in page
    assert "transitions/approve" in page
    response = post(
        emulator, "transitions/reject", ("reasons", "Blurred"), ("reasons", "Expired"), id=id, comment="Again"
    )
    assert response.status == 303, response.body
    verification = client.address_verifications().find(id).data
    assert (verification.status, verification.reject_reasons, verification.reject_comment) == (
        "rejected",
        ["Blurred", "Expired"],
        "Again",
    )


@pytest.mark.parametrize(
    ("place", "fields", "status", "message"),
    [
        ("clock/advance", {"by": "soon"}, 422, "'soon' is not a duration"),
        ("clock/advance", {}, 422, "missing required field `by`"),
        ("clock/advance", {"by": "1 s", "more": "x"}, 422, "unknown field `more`"),
        ("faults/add", {"status": "9"}, 422, "status must be from"),
        ("faults/add", {"status": "<b>"}, 422, "Expected `int"),
        ("faults/preset", {"name": "<b>"}, 422, "no preset '<b>'"),
        ("faults/remove", {"id": "77"}, 422, "There is no fault 77"),
        ("transitions/complete", {"id": "x"}, 422, "No record with id 'x'"),
        ("transitions/set", {"type": "orders", "after": "1", "reads": "1"}, 422, "Pass only one of"),
        ("callbacks/replay", {"id": "77"}, 422, "There is no delivery 77"),
        ("state/restore", {"name": "x"}, 422, "There is no snapshot 'x'"),
        ("balance/put", {"balance": "much"}, 422, "much"),
        ("stock/put", {"did_group": "x", "count": "1"}, 422, "There is no DID group 'x'"),
        ("journal/entries", {}, 404, "Not found"),
        ("state/seed", {}, 404, "Not found"),
        ("state/close", {}, 404, "Not found"),
        ("clock", {}, 404, "Not found"),
        ("nothing/at-all", {}, 404, "Not found"),
    ],
)
def test_invalid_forms_show_the_error(
    emulator: Emulator, place: str, fields: dict[str, str], status: int, message: str
) -> None:
    """The error page shows submitted values as text."""
    response = post(emulator, place, **fields)
    text = response.body.decode()
    assert response.status == status
    assert message in html.unescape(text)
    assert "<b>" not in text
    assert emulator.faults.rules() == []


def test_form_rejects_an_invalid_api_key() -> None:
    """The error says so, without a formatting failure."""
    with Emulator(api_key="the-only-key") as emulator:
        response = post(emulator, "balance/put", balance="1", api_key=KEY)
        assert response.status == 422
        assert b"api_key: Unauthorized" in response.body
        assert KEY.encode() not in response.body


def test_console_returns_405_for_other_methods(emulator: Emulator) -> None:
    """`Allow` lists the supported methods."""
    response = console.handle(emulator, Request("PUT", ROOT, {}, b""))
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, POST")


def test_console_without_jinja2_says_what_to_install(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page names the extra."""
    monkeypatch.setitem(sys.modules, "jinja2", None)
    console._templates.cache_clear()
    response = console.handle(emulator, Request("GET", ROOT, {}, None))
    assert response.status == 501
    assert b"emulator" in response.body


# Over HTTP


@contextmanager
def served(*, open_control: bool = False) -> Iterator[tuple[Emulator, str]]:
    """Serve an emulator and return it with the URL of its console."""
    with Emulator() as emulator:
        server = Server(emulator, open_control=open_control)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            wait_until_started(server, thread)
            yield emulator, server.base_url.removesuffix("/v3") + "/_emulator/console/"
        finally:
            server.stop()
            thread.join(timeout=60)


def test_root_redirects_to_the_console() -> None:
    """So do URLs without their trailing slash; console pages are not in the journal."""
    with served() as (emulator, root):
        for address in (urljoin(root, "/"), urljoin(root, "/_emulator"), root[:-1]):
            response = httpx2.get(address)
            assert (response.status_code, response.headers["location"]) == (307, "/_emulator/console/"), address
        response = httpx2.get(root)
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert httpx2.head(root).status_code == 200
        assert emulator.journal.entries() == []


@pytest.mark.parametrize("open_control", [False, True])
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("{own}", 303),
        (None, 303),
        ("http://evil.example.com", 403),
        ("null", 403),
        ("http://127.0.0.1:1", 403),
    ],
)
def test_forms_of_other_origins_are_rejected(open_control: bool, origin: str | None, status: int) -> None:
    """Whether or not the control API is open to other machines."""
    with served(open_control=open_control) as (emulator, root):
        own = root.removesuffix("/_emulator/console/")
        headers = {} if origin is None else {"origin": origin.format(own=own)}
        response = httpx2.post(root + "faults/preset", data={"name": "flaky"}, headers=headers)
        assert response.status_code == status
        assert bool(emulator.faults.rules()) == (status == 303)


def test_console_rejects_other_machines() -> None:
    """Host names that others' DNS points here are rejected, too."""
    with served() as (_, root):
        assert httpx2.get(root, headers={"host": "evil.example.com"}).status_code == 403


# In a browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start a browser."""
    driver = pytest.importorskip("playwright.sync_api")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("There is no chromium here.")
    with driver.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """Open a page in its own window; script errors and new windows fail the test."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.set_default_timeout(10_000)
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def dialog(opened_dialog: Any) -> None:
        wrong.append(f"dialog {opened_dialog.message}")
        opened_dialog.dismiss()

    page.on("dialog", dialog)
    page.goto(address)
    yield page
    context.close()
    assert wrong == []


def test_journal_page_updates_live(chromium: Any) -> None:
    """Requests appear as escaped text without moving the focus; pausing stops updates."""
    with served() as (emulator, root), opened(chromium, root + "journal") as page:
        page.get_by_text("No requests yet").wait_for()
        client = emulator.client()
        client.voice_in_trunks().create(trunk(HOSTILE))
        page.get_by_role("link", name="/v3/voice_in_trunks").focus()
        emulator.exchange(Request("GET", f"http://127.0.0.1/v3/dids?filter[{HOSTILE}]=1", {"Api-Key": "k"}, None))
        page.get_by_text(f"filter[{HOSTILE}] is not allowed", exact=False).wait_for()
        assert page.evaluate("document.activeElement.id") == "entry-1"
        page.get_by_role("button", name="Pause").click()
        client.pops().list()
        page.wait_for_timeout(1500)
        assert page.get_by_role("link", name="/v3/pops").count() == 0
        page.get_by_role("button", name="Resume").click()
        page.get_by_role("link", name="/v3/pops").click()
        page.get_by_role("heading", name="GET /v3/pops").wait_for()


def test_copy_buttons_copy_their_text(chromium: Any) -> None:
    """The clipboard has the text next to the button."""
    with served() as (emulator, root):
        emulator.client().pops().list()
        with opened(chromium, root + "journal/1", permissions=["clipboard-read", "clipboard-write"]) as page:
            page.locator("[data-copy=curl]").click()
            page.get_by_text("Copied").wait_for()
            copied = page.evaluate("navigator.clipboard.readText()")
            assert copied == snippets.to_curl(emulator.journal.entries()[0], root.removesuffix("/_emulator/console/"))


@pytest.mark.parametrize("scripts", [True, False])
def test_order_can_be_completed_in_the_console(chromium: Any, scripts: bool) -> None:
    """With and without JavaScript; a browser's own form is accepted."""
    with served() as (emulator, root):
        emulator.transitions.set("orders", by_hand=True)
        client = emulator.client()
        created = order(client)
        with opened(chromium, root + "pending", java_script_enabled=scripts) as page:
            page.get_by_role("button", name="Complete").click()
            page.get_by_text("No pending orders").wait_for()
            assert page.url == f"{root}pending?done=transitions%2Fcomplete"
            assert client.orders().find(created.id).data.status == "completed"


def test_cross_origin_pages_cannot_use_the_console(chromium: Any) -> None:
    """Their forms are rejected, and the console cannot be framed."""
    with served() as (emulator, root):
        context = chromium.new_context()
        page = context.new_page()
        page.set_content(
            f'<form method="post" action="{root}faults/preset"><input name="name" value="flaky"><button>Go'
        )
        with page.expect_response(lambda response: "faults/preset" in response.url) as waiting:
            page.get_by_role("button").click()
        assert waiting.value.status == 403
        assert emulator.faults.rules() == []
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_a_phone(chromium: Any, scheme: str) -> None:
    """Pages fit 380 px and run no user scripts, in light and dark mode."""
    with served() as (emulator, root):
        scene = fill(emulator)
        shown_whole = [place for place in PAGES if place != "journal/fragment"]
        for place in [*shown_whole, "resources/dids", f"resources/voice_in_trunks/{scene.trunk.id}"]:
            with opened(chromium, root + place, viewport={"width": 380, "height": 740}, color_scheme=scheme) as page:
                page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
                width, ground = page.evaluate(
                    "[document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]"
                )
                assert width <= 380, place
                dark = sum(map(int, re.findall(r"\d+", ground)[:3])) < 200
                assert dark == (scheme == "dark"), place
