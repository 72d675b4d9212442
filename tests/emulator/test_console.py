"""What the pages of the console show and hide, and their forms."""

from __future__ import annotations

import csv
import gzip
import html
import io
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from didww import (
    DidwwError,
    Export,
    VoiceInTrunk,
)
from didww._core.effects import Request
from didww.emulator import Emulator, console
from didww.emulator.console import calls, formatting, masking
from didww.emulator.console.fault_text import describe
from didww.emulator.controls.clock import Clock
from support.console_account import HOSTILE, KEY, PAGES, PASSWORD, ROOT, every_page, fill, get, order, post, trunk
from support.registration import Registration, bought, person, plain, prove_all

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator with a frozen clock."""
    with Emulator(clock=Clock(start=datetime(2026, 3, 10, 12, tzinfo=UTC), running=False)) as emulator:
        yield emulator


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


# What people look for


def text_of(page: str) -> str:
    """Return the text of a page, with single spaces."""
    body = re.sub(r"<(style|script|head)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_overview_shows_what_matters_first(emulator: Emulator) -> None:
    """Balance, counts, pending records, what falls due next, faults, and why requests failed."""
    client = emulator.client()
    order(client, 3)
    emulator.clock.advance(1)
    emulator.transitions.set("orders", by_hand=True)
    order(client, 2, external_reference_id="PO-4711")
    emulator.faults.preset("flaky")
    with pytest.raises(DidwwError):
        client.request("POST", "/orders", json={"data": {"type": "orders", "attributes": {"items": []}}})
    text = text_of(get(emulator, ""))
    assert re.search(r"\b3 Numbers 0 Inbound trunks\b.* 2 Orders", text)
    assert re.search(r"Balance 999\d\.\d\d USD, local-key", text)
    assert "quantity 2" in text
    assert "your reference PO-4711" in text
    assert re.search(r"2026-04-10 12:00 Numbers renew, or end if canceled or unpaid: 4420", text)
    assert "10% of requests get a 503 response" in text
    assert "items - is too short (minimum is 1)" in text


def test_tables_show_the_declared_columns_with_links(emulator: Emulator) -> None:
    """A number's country, route, expiry and description; columns without a value are omitted."""
    scene = fill(emulator)
    scene.did.description = "Main line"
    scene.client.dids().update(scene.did)
    page = get(emulator, "resources/dids")
    assert re.findall(r"<th>([^<]+)</th>", page) == ["number", "country", "area", "route", "expires", "description"]
    for text in (scene.did.number, "Main line", "2026-04-10 12:00", ">GB</a>", ">London</a>"):
        assert text in page
    assert f'/resources/voice_in_trunks/{scene.trunk.id}">{html.escape(HOSTILE)}</a>' in page
    page = get(emulator, "resources/orders")
    headings = ["reference", "what", "quantity", "amount", "status", "created"]
    assert re.findall(r"<th>([^<]+)</th>", page) == headings
    assert "didww-" not in page  # references that the SDK generated


@pytest.mark.parametrize(
    ("search", "places"),
    [
        ("GB London", ["London"]),
        ("united kingdom lond", ["London"]),
        ("GB toll", ["Toll-free"]),
        ("gb' OR 1=1 --", []),
        ("%", []),
    ],
)
def test_groups_can_be_searched_by_country_and_city(emulator: Emulator, search: str, places: list[str]) -> None:
    """Every word must occur; the search is kept in the form."""
    page = get(emulator, f"resources/did_groups?{urlencode({'q': search})}")
    assert re.findall(r'data-label="area"[^>]*>([^<]+)<', page) == places
    assert f'value="{search}"' in html.unescape(page)


@pytest.mark.parametrize(
    "type", ["dids", "voice_in_trunks", "orders", "cities", "nanpa_prefixes", "emergency_requirements"]
)
def test_any_list_can_be_searched(emulator: Emulator, type: str) -> None:
    """Words that occur nowhere find nothing; secrets are not searched."""
    fill(emulator)
    assert "No records match" in get(emulator, f"resources/{type}?q=zzzzzz")
    assert "No records match" in get(emulator, f"resources/{type}?q={PASSWORD}")


def test_search_pages_keep_the_search(emulator: Emulator) -> None:
    """The links to other pages have it, too."""
    page = get(emulator, "resources/did_groups?q=US")
    assert 'href="?q=US&amp;page=2"' in page
    assert "Page 2 of" in get(emulator, "resources/did_groups?q=US&page=2")


def test_journal_rows_say_why_a_request_failed_and_what_it_did(emulator: Emulator) -> None:
    """Errors of the response; the created record; changed members; the number of records."""
    client = emulator.client()
    created = order(client, 2)
    emulator.balance.put("0.01")
    with pytest.raises(DidwwError):
        order(client)
    trunk_id = client.voice_in_trunks().create(trunk("Main")).data.id
    client.voice_in_trunks().update(VoiceInTrunk.build(trunk_id, priority=4, description="x"))
    client.voice_in_trunks().list()
    text = text_of(get(emulator, "journal"))
    assert f"{created.reference}, DID, 2, 2.50" in text
    assert "Insufficient balance (available_balance 0.01, total_cost 1.25)" in text
    assert {"priority, description", "description, priority"} & set(
        re.findall(r"priority, description|description, priority", text)
    )
    assert "/v3/voice_in_trunks 1 record" in re.sub(r" [\d.]+ ms", "", text)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["orders", "dids/8d1a3c5e-0000-4000-8000-000000000001", "nowhere/x/y/z"])
@pytest.mark.parametrize(
    "body",
    [
        '{"errors": {"a": 1}, "data": 5}',
        '{"data": {"type": "zzz", "attributes": {"name": []}}}',
        '{"data": {"type": "orders", "attributes": {"status": [1], "items": {"a": 1}, "amount": true}}}',
        '{"data": {"type": "dids", "relationships": {"order": 1, "voice_in_trunk": {"data": 2}, "x": []}}}',
        '{"data": [{"type": "dids", "id": 1}], "meta": {"total_records": "many"}}',
        "[[[",
        "",
    ],
)
@pytest.mark.parametrize("status", [200, 422])
def test_journal_shows_requests_and_responses_of_any_shape(
    emulator: Emulator, method: str, path: str, body: str, status: int
) -> None:
    """The program to copy is valid Python."""
    emulator.faults.add(status=status, body=body)
    emulator.exchange(Request(method, f"http://127.0.0.1/v3/{path}", {"Api-Key": KEY}, body.encode()))
    get(emulator, "journal")
    get(emulator, "")
    program = re.findall(r'<pre id="python"[^>]*>(.*?)</pre>', get(emulator, "journal/1"), re.DOTALL)[0]
    compile(html.unescape(program), "program", "exec")


def test_accounts_are_named_without_showing_keys(emulator: Emulator) -> None:
    """Only the key that the emulator made up is shown; others by the beginning of their hash."""
    emulator.client().pops().list()
    emulator.client(KEY).pops().list()
    text = "".join(text_of(get(emulator, place)) for place in ("", "journal", "journal/1", "state"))
    assert "local-key" in text
    assert len(set(re.findall(r"\bkey [0-9a-f]{8}\b", text))) == 1
    with Emulator(api_key=KEY) as other:
        other.client().pops().list()
        assert "key " in (text := text_of(get(other, "")))
        assert KEY not in text
        assert "local-key" not in text


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ({"status": 503, "probability": 0.1, "method": "get"}, "10% of GET requests get a 503 response"),
        ({"status": 429, "nth": 3, "resource": "orders", "retry_after": 5}, "The 3rd request for orders gets a 429 response with Retry-After 5 s"),
        ({"status": 503, "html": True, "times": 1}, "All requests get a 503 response with an HTML page, at most 1 time"),
        ({"lost_response": True, "path": "/orders"}, "All requests to /orders are processed but get no response"),
        ({"latency": 2, "drip": 1.5, "cut": 20}, "All requests are delayed by 2 s, have a body sent slowly over 1.5 s and are cut off after 20 bytes"),
        ({"empty": True, "nth": 11}, "The 11th request is processed but gets an empty body"),
        ({"hold": True, "method": "POST"}, "All POST requests create records that stay pending"),
        ({"callback": "drop", "probability": 0.5}, "50% of callbacks are dropped"),
        ({"callback": "duplicate", "resource": "exports", "nth": 2}, "The 2nd callback about exports is sent twice"),
        ({"status": 500, "nth": 1, "probability": 0.25}, "The 1st request, with a probability of 25%, gets a 500 response"),
    ],
)  # fmt: skip
def test_faults_are_described_in_words(emulator: Emulator, rule: dict[str, Any], text: str) -> None:
    """On the overview and on the page of faults."""
    assert describe(emulator.faults.add(**rule)) == text
    assert text in text_of(get(emulator, "faults"))


def test_faults_page_shows_which_presets_are_in_force(emulator: Emulator) -> None:
    """Also after some of its rules were applied."""
    emulator.faults.preset("rate-limited")
    for _ in range(5):
        emulator.exchange(Request("GET", "http://127.0.0.1/v3/pops", {"Api-Key": KEY}, None))
    text = text_of(get(emulator, "faults"))
    assert "Add rate-limited in force" in text
    assert text.count("in force") == 1


def test_clock_page_lists_what_falls_due(emulator: Emulator) -> None:
    """Renewals, transitions, deletions and retries of callbacks, with links."""
    client = emulator.client()
    order(client)
    emulator.clock.advance(1)
    month = {"from": datetime(2026, 3, 1, tzinfo=UTC), "to": datetime(2026, 3, 2, tzinfo=UTC)}
    client.exports().create(Export(export_type="cdr_in", filters=month))
    page = get(emulator, "clock")
    text = text_of(page)
    assert re.search(r"2026-03-10 12:00 Export starts processing: cdr_in, pending", text)
    assert re.search(r"2026-04-10 12:00 Numbers renew, or end if canceled or unpaid: 442079460000", text)
    assert f"resources/dids/{client.dids().first().id}" in page
    emulator.clock.advance("2 h")
    assert "Export is deleted: cdr_in, completed" in text_of(get(emulator, "clock"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (3661, "1 h 1 min"),
        (-90, "1 min 30 s"),
        (86400, "1 day"),
        (30 * 86400 + 7, "30 days 7 s"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    """The two largest ones."""
    assert formatting.format_duration(seconds) == text


# Calls


def test_calls_page_counts_the_calls_of_the_exports(emulator: Emulator, tmp_path: Path) -> None:
    """By hour, with those that were simulated; a call that was routed on counts once."""
    client = emulator.client()
    order(client, 8)
    emulator.clock.advance("11 h")
    number = client.dids().first()
    emulator.calls.inbound(number.id, count=3, code="486")
    emulator.clock.advance("1 day")
    day = datetime(2026, 3, 10, tzinfo=UTC)
    filters = {"from": day, "to": day + timedelta(days=1)}
    export = client.exports().create(Export(export_type="cdr_in", filters=filters)).data
    emulator.clock.advance(2)
    export = client.exports().find(export.id).data
    text = gzip.decompress(client.download_export(export, tmp_path / "calls.csv.gz").read_bytes()).decode()
    exported = [row for row in csv.DictReader(io.StringIO(text)) if row["Attempt"] == "1"]
    shown = calls.get_day(emulator, day.date())
    assert sum(bar.answered + bar.failed for bar in shown.bars) == shown.inbound == len(exported) > 10
    page = get(emulator, "calls?day=2026-03-10")
    assert page.count('<rect class="answered"') == 24
    assert f"{shown.inbound} inbound, 0 outbound" in text_of(page)
    assert [call.result for call in shown.latest if call.at.endswith("23:00:00")] == ["486"] * 3
    assert "No calls on this day" in get(emulator, "calls?day=2030-01-01")
    assert "must be a date" in get(emulator, "calls?day=tomorrow", 422)


def test_calls_can_be_simulated_for_numbers_of_any_account(emulator: Emulator) -> None:
    """The account is that of the number."""
    client = emulator.client(KEY)
    order(client)
    emulator.clock.advance(1)
    did = client.dids().first()
    response = post(emulator, "calls/inbound", did=did.id, duration="90 s", page=f"resources/dids/{did.id}")
    assert response.status == 303, response.body
    assert response.headers["location"].endswith(f"/resources/dids/{did.id}?done=calls%2Finbound")
    latest = calls.get_day(emulator, emulator.clock.now().date()).latest[0]
    assert (latest.destination, latest.seconds, latest.answered) == (did.number, 90, True)


# Actions


def test_actions_are_on_the_page_of_a_record(emulator: Emulator) -> None:
    """Complete and cancel a pending order, simulate a call, send a callback, set the stock."""
    scene = fill(emulator)
    group = scene.client.did_groups().first()
    for place, action in (
        (f"resources/orders/{scene.waiting.id}", "transitions/complete"),
        (f"resources/orders/{scene.done.id}", "callbacks/fire"),
        (f"resources/dids/{scene.did.id}", "calls/inbound"),
        (f"resources/did_groups/{group.id}", "stock/put"),
        ("state", "balance/top_up"),
    ):
        page = get(emulator, place)
        assert f'action="/_emulator/console/{action}"' in page, place
        assert f'name="page" value="{place}"' in page, place
    page = get(emulator, f"resources/orders/{scene.done.id}")
    assert "transitions/complete" not in page


def test_top_up_adds_to_the_balance_of_an_account(emulator: Emulator) -> None:
    """Of any account, which its page names by a hash."""
    emulator.client().balance().find()
    emulator.client(KEY).balance().find()
    own, other = re.findall(r'name="account" value="([0-9a-f]{8})"', get(emulator, ""))
    for amount in ("50", "0.50"):
        assert post(emulator, "balance/top_up", account=other, amount=amount, page="").status == 303
    assert str(emulator.client(KEY).balance().find().data.total_balance) == "10050.50"
    assert post(emulator, "balance/top_up", account=own, amount="1").status == 303
    assert str(emulator.client().balance().find().data.total_balance) == "10001.00"
    for wrong in ("-1", "0", "much", "NaN", "1e9"):
        page = post(emulator, "balance/top_up", account=own, amount=wrong, page="").body.decode()
        assert "amount must be" in page
        assert page.count(f'value="{wrong}"') == 1
    for unknown in ("00000000", own[:7], own[:1]):
        assert b"There is no account" in post(emulator, "balance/top_up", account=unknown, amount="1").body


def test_stock_form_returns_to_the_search(emulator: Emulator) -> None:
    """With the new stock."""
    client = emulator.client()
    client.pops().list()
    page = get(emulator, "resources/did_groups?q=GB+Nottingham")
    (group,) = re.findall(r'name="did_group" value="([^"]+)"', page)
    back = html.unescape(re.findall(r'name="page" value="([^"]+)"', page)[0])
    response = post(emulator, "stock/put", did_group=group, count="7", page=back)
    assert response.headers["location"] == "/_emulator/console/resources/did_groups?q=GB+Nottingham&done=stock%2Fput"
    assert re.search(r"GB Nottingham Local 115 .* 7 Details", text_of(get(emulator, response.headers["location"])))
    assert emulator.stock.show(group).count == 7


def test_callbacks_can_be_sent_from_the_page_of_a_record(emulator: Emulator) -> None:
    """To the URL of the record or to another one, for a final status."""
    client = emulator.client()
    emulator.transitions.set("orders", by_hand=True)
    pending = order(client)
    response = post(emulator, "callbacks/fire", type="orders", id=pending.id, url="http://127.0.0.1:9/")
    assert (response.status, b"No callback reports the status" in response.body) == (422, True)
    emulator.transitions.complete(pending.id)
    assert b"has no callback_url" in post(emulator, "callbacks/fire", type="orders", id=pending.id).body
    assert b"There is no record" in post(emulator, "callbacks/fire", type="orders", id="x", url="http://a/").body
    assert b"There is no record" in post(emulator, "callbacks/fire", type="balances", id="x", url="http://a/").body
    assert post(emulator, "callbacks/fire", type="orders", id=pending.id, url="http://127.0.0.1:9/x").status == 303
    (delivery,) = emulator.callbacks.deliveries(record=pending.id)
    assert delivery.url == "http://127.0.0.1:9/x"
    assert delivery.fields == {"type": "orders", "id": pending.id, "status": "completed"}


@pytest.mark.parametrize(
    ("place", "fields", "kept"),
    [
        ("faults/add", {"path": "/dids/<x>", "status": "9", "html": "true", "method": "PATCH"}, ["/dids/&lt;x&gt;", 'value="true" checked', "<option selected>PATCH"]),
        ("balance/put", {"balance": "much", "credit": "12.50", "api_key": KEY}, ['value="much"', 'value="12.50"']),
        ("clock/advance", {"by": "soon"}, ['value="soon"']),
        ("transitions/set", {"type": "orders", "after": "1", "reads": "77"}, ["<details open>", 'value="77"']),
        ("transitions/reject", {"id": "x", "reasons": "Blurred"}, []),
        ("calls/inbound", {"did": "none", "source": "442079460999"}, []),
        ("state/snapshot", {"name": "x" * 300}, []),
    ],
)  # fmt: skip
def test_refused_forms_keep_what_was_typed(
    emulator: Emulator, place: str, fields: dict[str, str], kept: list[str]
) -> None:
    """Except keys."""
    fill(emulator)
    response = post(emulator, place, **fields)
    page = response.body.decode()
    assert response.status == 422 or place == "state/snapshot"
    assert [text for text in kept if text not in page] == []
    assert KEY not in page


def test_refused_form_of_one_record_does_not_fill_the_others(emulator: Emulator) -> None:
    """Of several forms of the same operation, only the submitted one keeps its values."""
    groups = re.findall(r'name="did_group" value="([^"]+)"', get(emulator, "resources/did_groups?q=GB"))
    response = post(emulator, "stock/put", did_group=groups[3], count="-5", page="resources/did_groups?q=GB")
    assert response.status == 422
    assert response.body.count(b'value="-5"') == 1


@pytest.mark.parametrize(
    "page", ["//evil.example.com/", "../../", "https://evil.example.com", "x y", "a" * 999, "%0d%0aX: y\r\n"]
)
def test_forms_return_only_to_pages_of_the_console(emulator: Emulator, page: str) -> None:
    """Whatever the field says."""
    location = post(emulator, "clock/run", page=page).headers["location"]
    assert location.startswith("/_emulator/console/")
    assert ".." not in location
    assert "\n" not in location


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
