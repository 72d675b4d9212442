"""The console over HTTP and in a browser."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx2
import pytest

from didww._core.effects import Request
from didww.emulator.console import snippets
from support.console_account import HOSTILE, PAGES, fill, order, served, trunk
from support.registration import Registration, bought, person, plain, prove_all

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from collections.abc import Iterator


# Over HTTP


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


def test_pages_work_on_a_phone_and_by_keyboard(chromium: Any) -> None:
    """Tables become cards whose numbers stay in one line; the focus is visible; the first link skips the navigation."""
    with served() as (emulator, root):
        fill(emulator)
        with opened(chromium, root + "resources/dids", viewport={"width": 390, "height": 740}) as page:
            cell = page.locator("td[data-label=number]").first
            assert cell.evaluate("element => getComputedStyle(element, '::before').content") == '"number"'
            link = cell.locator("a")
            assert link.evaluate("element => element.getClientRects().length") == 1
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.textContent") == "Skip to content"
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.closest('main') !== null")
            for _ in range(12):
                page.keyboard.press("Tab")
                outline = "getComputedStyle(document.activeElement).outlineStyle"
                assert page.evaluate(f"document.activeElement === document.body ? 'solid' : {outline}") == "solid"
        for place in ("resources/did_groups?q=GB", "calls", "resources/orders", "resources/cities"):
            with opened(chromium, root + place, viewport={"width": 390, "height": 740}) as page:
                assert page.evaluate("document.documentElement.scrollWidth") <= 390, place


def test_verification_can_be_rejected_where_it_is_shown(chromium: Any) -> None:
    """On the overview, with a reason; the page stays the overview."""
    with served() as (emulator, root):
        scene = Registration(emulator, plain)
        emulator.transitions.set("address_verifications", by_hand=True)
        dids = bought(emulator, scene.client, scene.group)
        identity, address = person(scene.client, scene.country)
        prove_all(scene.client, scene.requirement, identity, address)
        id = scene.client.address_verifications().create(scene.verification(address, dids)).data.id
        with opened(chromium, root) as page:
            page.get_by_text("Reject ...").click()
            page.get_by_label("Reason", exact=True).fill("Blurred")
            page.get_by_role("button", name="Reject").click()
            page.get_by_text("Rejected.").wait_for()
            assert page.url == f"{root}?done=transitions%2Freject"
        verification = scene.client.address_verifications().find(id).data
        assert (verification.status, verification.reject_reasons) == ("rejected", ["Blurred"])
