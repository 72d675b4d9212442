"""The site is built without broken links, and works from files in a browser without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import build_site
from support.unix import unix_only

if TYPE_CHECKING:
    from collections.abc import Iterator

CHROMIUM = shutil.which("chromium")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The path that the site is built to."""
    monkeypatch.setattr(build_site, "BUILD", tmp_path)
    monkeypatch.setattr(build_site, "PAGES", tmp_path / "docs")
    monkeypatch.setattr(build_site, "SITE", tmp_path / "site")
    return tmp_path / "site"


@pytest.mark.slow
def test_site_is_complete_and_works_offline(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No link is broken, plain-text editions exist, and the search finds a page when the site is opened as files."""
    pytest.importorskip("zensical", reason="no Zensical: `make docs` installs it")
    assert build_site.main() == 0, capsys.readouterr().out
    listing = (site / "llms.txt").read_text(encoding="utf-8")
    whole = (site / "llms-full.txt").read_text(encoding="utf-8")
    assert "(reference/resources/dids.md): A phone number (DID) that the account owns." in listing
    assert "dedicated_channels_count" in whole
    assert (site / "reference" / "resources" / "dids.md").exists()
    if CHROMIUM is None:
        pytest.skip("no Chromium: the site is not opened in a browser")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 390, "height": 800})
        requested: list[str] = []
        page.on("request", lambda request: requested.append(request.url))
        page.goto((site / "reference" / "resources" / "dids.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.set_viewport_size({"width": 1280, "height": 900})
        page.keyboard.press("Control+k")
        page.keyboard.type("dedicated channels")
        page.get_by_text("results").first.wait_for(timeout=60_000)
        assert [url for url in requested if not url.startswith("file:")] == []
        browser.close()


def test_index_pages_list_the_pages_of_their_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that its section does not list is a problem: nobody would find it."""
    monkeypatch.setattr(build_site, "PAGES", tmp_path)
    monkeypatch.setattr(build_site, "SECTIONS", {"How-to": "how-to"})
    (tmp_path / "how-to").mkdir()
    pages = {name: tmp_path / "how-to" / f"{name}.md" for name in ("index", "listed", "forgotten")}
    for name, page in pages.items():
        page.write_text("- [x](listed.md)" if name == "index" else f"# {name}", encoding="utf-8")
    assert build_site.unlisted(pages) == ["how-to/forgotten.md is not listed in how-to/index.md."]


def test_broken_links_of_the_site_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Missing pages, missing headings and resources of other hosts are reported."""
    monkeypatch.setattr(build_site, "SITE", tmp_path)
    (tmp_path / "a.html").write_text(
        '<h1 id="top"></h1><a href="b.html">b</a><a href="#nowhere">x</a><a href="#top">y</a>'
        '<a href="https://doc.didww.com">z</a><script src="https://cdn.example.com/x.js"></script>'
        '<a href="../outside.txt">o</a><img srcset="a.html 1x, none.png 2x">',
        encoding="utf-8",
    )
    (tmp_path.parent / "outside.txt").touch()
    (tmp_path / "a.css").write_text("a { background: url(https://cdn.example.com/x.png) }", encoding="utf-8")
    assert build_site.broken_links() == [
        "a.css: loads https://cdn.example.com/x.png",
        "a.html: no page b.html",
        "a.html: no heading #nowhere",
        "a.html: script of another host: https://cdn.example.com/x.js",
        "a.html: no page ../outside.txt",
        "a.html: no page none.png",
    ]


@pytest.mark.slow
@unix_only
def test_pictures_of_the_command_are_up_to_date() -> None:
    """Run `python scripts/pictures.py` after a change of what the command prints."""
    script = Path(build_site.__file__).with_name("pictures.py")
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, encoding="utf-8", timeout=300, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
