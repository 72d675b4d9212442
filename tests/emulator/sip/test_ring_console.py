"""Calls over SIP in the console: the form, the list, the page of a report."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator

import pytest

from didww._core.effects import Request
from didww.emulator import Emulator, console
from didww.emulator.console.calls import get_day
from didww.emulator.sip.effects import Progress
from didww.emulator.sip.model import AttemptResult, Route, Step
from support.console_account import ROOT, get, post, served
from support.sip_account import buy_number, route_to_group

HOSTILE = "</title></svg><script>alert(1)</script>\x1b[2J"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator."""
    with Emulator() as emulator:
        yield emulator


def ring(emulator: Emulator, number: str, **fields: str) -> str:
    """Submit the form, and return the page that it leads to."""
    response = post(emulator, "calls/ring", did=number, **fields)
    assert response.status == 303, html.unescape(response.body.decode())
    return str(response.headers["location"].removeprefix("/_emulator/console/"))


def test_form_leads_to_the_report(emulator: Emulator) -> None:
    """The page has the attempts, the reasons and a ladder an attempt; the page of calls lists the call."""
    pytest.importorskip("aiosipua")
    client = emulator.client()
    number = buy_number(emulator, client)
    route_to_group(client, number, "Main", "Backup")
    assert "Ring a number" in get(emulator, "calls")
    page = ring(emulator, number, instant="true", far_ends="Main=busy, *=answers")
    text = html.unescape(get(emulator, page))
    assert page == "calls/1?done=calls%2Fring"
    assert "answered, 5.0 s" in text
    assert "486 Busy Here" in text
    assert "<h2>Why</h2>" in text
    assert text.count('<svg xmlns="http://www.w3.org/2000/svg" class="sip-ladder') == 2
    assert 'data-poll="' not in text
    assert f'<a href="/_emulator/console/calls/1">{number}</a>' in get(emulator, "calls")
    did = client.dids().one(filter={"number": number})
    assert "Ring this number" in get(emulator, f"resources/dids/{did.id}")


def test_refused_form_keeps_what_was_typed(emulator: Emulator) -> None:
    """The error names the field."""
    pytest.importorskip("aiosipua")
    number = buy_number(emulator, emulator.client())
    response = post(emulator, "calls/ring", did=number, instant="true", far_ends="Main", caller="12025550123")
    text = html.unescape(response.body.decode())
    assert response.status == 422
    assert "far_ends must be TRUNK=WHAT, separated by commas, got 'Main'." in text
    assert 'value="12025550123"' in text
    assert 'name="instant" value="true" checked' in text


def running(emulator: Emulator) -> str:
    """Add a call that rings, whose far end is hostile; return the ID of its report."""
    route = Route(number="442079460001", caller=HOSTILE, caller_name=HOSTILE, group=HOSTILE, notes=(HOSTILE,))
    call = emulator.calls._placed.add("0123", route, emulator.clock.now(), instant=False)
    steps = [Step(0.1, False, f"180 {HOSTILE}", HOSTILE, HOSTILE)]
    attempt = AttemptResult(
        number=1, trunk_id="1", trunk=HOSTILE, destination=HOSTILE, ringing=0.1, user_agent=HOSTILE, steps=steps
    )
    call.follow(Progress("ringing", 0.1, attempt))
    call.started(lambda: call.finish(HOSTILE))
    return call.id


def test_call_in_progress_is_refreshed_until_it_is_hung_up(emulator: Emulator) -> None:
    """The fragment is what the script loads; the button hangs up."""
    id = running(emulator)
    page, fragment = get(emulator, f"calls/{id}"), get(emulator, f"calls/{id}/fragment")
    assert f'data-poll="/_emulator/console/calls/{id}/fragment"' in page
    assert "<html" not in fragment
    assert "Hang up" in fragment
    assert "data-over" not in fragment
    assert f'name="page" value="calls/{id}"' in fragment
    response = post(emulator, "calls/hang_up", id=id)
    assert response.headers["location"].partition("?")[0] == f"/_emulator/console/calls/{id}"
    fragment = get(emulator, f"calls/{id}/fragment")
    assert "data-over" in fragment
    assert "Hang up" not in fragment


def test_what_far_ends_send_is_text(emulator: Emulator) -> None:
    """In the report, in the ladder and in the list."""
    id = running(emulator)
    for place in (f"calls/{id}", f"calls/{id}/fragment", "calls"):
        text = get(emulator, place)
        assert "<script>alert" not in text
        assert "\x1b" not in text
        assert "&lt;script&gt;alert" in text


def test_page_of_a_report_keeps_the_strict_csp(emulator: Emulator) -> None:
    """The picture has neither a style sheet nor styles of its own."""
    response = console.handle(emulator, Request("GET", f"{ROOT}calls/{running(emulator)}", {}, None))
    (nonce,) = set(re.findall(r"'nonce-([^']+)'", response.headers["content-security-policy"]))
    text = response.body.decode()
    assert set(re.findall(r"<(?:script|style)([^>]*)>", text)) == {f' nonce="{nonce}"'}
    assert re.findall(r'\son\w+="|\sstyle="', text) == []


@pytest.mark.parametrize("place", ["calls/99", "calls/x/fragment", "calls/1/other", "calls/1/fragment/x"])
def test_missing_reports_are_missing_pages(emulator: Emulator, place: str) -> None:
    """As other pages."""
    running(emulator)
    assert "Not found" in get(emulator, place, 404)


@pytest.mark.slow
def test_page_in_a_browser_follows_a_call_and_stops_when_it_is_over() -> None:
    """At the width of a phone, too; no script runs that a far end sent."""
    driver = pytest.importorskip("playwright.sync_api")
    executable = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if executable is None:
        pytest.skip("There is no chromium here.")
    with served() as (emulator, root), driver.sync_playwright() as playwright:
        id = running(emulator)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: (problems.append("dialog"), dialog.dismiss()))
        polled: list[str] = []
        page.on("request", lambda request: polled.append(request.url) if "fragment" in request.url else None)
        page.goto(f"{root}calls/{id}")
        page.wait_for_selector("[data-state]:text-is('live')")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        emulator.calls.hang_up(id)
        page.wait_for_selector("[data-over]")
        page.wait_for_selector("[data-pause]", state="hidden")
        assert page.locator("text=Hang up").count() == 0
        count = len(polled)
        page.wait_for_timeout(2500)
        assert len(polled) == count
        assert problems == []
        browser.close()


def test_a_call_with_two_attempts_is_one_call_of_the_day(emulator: Emulator) -> None:
    """The last attempt says how it ended."""
    pytest.importorskip("aiosipua")
    client = emulator.client()
    number = buy_number(emulator, client)
    route_to_group(client, number, "Main", "Backup")
    emulator.calls.rate(0)
    emulator.calls.ring(number, instant=True, far_ends={"Main": "busy"})
    day = get_day(emulator, emulator.clock.now().date())
    assert (day.inbound, day.failed) == (1, 0)
    assert [(call.result, call.trunk) for call in day.latest] == [("200 Bye", "Backup")]
