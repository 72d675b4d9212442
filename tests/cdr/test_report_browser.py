"""The page of a report in a browser: light, dark, on a phone, and in print."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("matplotlib")

from didww.cdr.report.page import Figure, page
from support.report_plots import HOSTILE, every_plot

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

_CONTRAST = """() => {
    const luminance = color => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const back = luminance(getComputedStyle(document.querySelector(".didww-report")).backgroundColor);
    return [...document.querySelectorAll("h1, h2, p, dt, dd *, li, summary, td, th, svg text")].map(each => {
        const style = getComputedStyle(each), fore = luminance(each.closest("svg") ? style.fill : style.color);
        return [(Math.max(fore, back) + 0.05) / (Math.min(fore, back) + 0.05), each.textContent];
    });
}"""
_OUTSIDE = """() => [...document.querySelectorAll("svg")].filter(svg => svg.getBoundingClientRect().width).flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter(text => {
        const box = text.getBoundingClientRect();
        return box.left < frame.left - 8 || box.right > frame.right + 8 || box.bottom > frame.bottom + 8;
    }).map(text => text.textContent);
})"""


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


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with every plot, and names that are too long, or look like markup."""
    file: Path = tmp_path_factory.mktemp("page") / "report.html"
    figures = [Figure("Calls", "1,234,567", "1,000,000 inbound, 234,567 outbound")] * 6
    file.write_text(page("Calls", ["All calls."], figures, every_plot(HOSTILE)), encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1100])
def test_page_fits_and_is_readable(chromium: Any, address: str, scheme: str, width: int) -> None:
    """It has the colors of the reader, no scroll bar, no text outside of its drawing, and enough contrast."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown = context.new_page()
    messages: list[str] = []
    shown.on("console", lambda message: messages.append(message.text))
    shown.on("dialog", lambda dialog: messages.append(dialog.message))
    shown.goto(address)
    shown.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") == width
    back = shown.evaluate("getComputedStyle(document.querySelector('.didww-report')).backgroundColor")
    assert back == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(18, 23, 29)")
    visible = shown.evaluate(
        "[...document.querySelectorAll('svg')].filter(e => e.clientWidth).map(e => e.className.baseVal)"
    )
    assert set(visible) == {"narrow" if width == 390 else "wide"}
    assert not shown.evaluate(_OUTSIDE)
    poor = [found for found in shown.evaluate(_CONTRAST) if found[0] < 4.5]
    assert not poor
    assert not messages
    context.close()


def test_print_is_light_and_on_whole_pages(chromium: Any, address: str) -> None:
    """Also of a reader with dark colors: drawings are wide, and closed tables are left out."""
    context = chromium.new_context(viewport={"width": 700, "height": 900}, color_scheme="dark")
    shown = context.new_page()
    shown.goto(address)
    shown.emulate_media(media="print")
    assert (
        shown.evaluate("getComputedStyle(document.querySelector('.didww-report')).backgroundColor")
        == "rgb(255, 255, 255)"
    )
    assert shown.evaluate("[...document.querySelectorAll('svg.narrow')].every(e => !e.clientWidth)")
    assert shown.evaluate("[...document.querySelectorAll('details:not([open])')].every(e => !e.clientHeight)")
    assert shown.pdf(format="A4", prefer_css_page_size=True)[:5] == b"%PDF-"
    context.close()
