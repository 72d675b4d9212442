"""Documentation code works: Python blocks and doctests run against the emulator."""

from __future__ import annotations

import doctest
import importlib
import logging
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

import didww
from didww import configuration, exceptions
from didww._schema.registry import all_classes
from didww.emulator.http.server import running
from support.calls import talkative_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "AGENTS.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(one.name for one in pkgutil.walk_packages(didww.__path__, "didww.") if "__main__" not in one.name)
BLOCK = re.compile(r"(?P<before>[^\n]*)\n```python\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
NOT_EXECUTED = re.compile(r"<!-- not executed: \S.* -->")


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """First line and code of each Python block that is not marked as not executed."""
    for found in BLOCK.finditer(f"\n{text}"):
        if NOT_EXECUTED.fullmatch(found["before"].strip()) is None:
            # The newline put in front above makes up for lines counting from 1.
            yield found.string.count("\n", 0, found.start("code")), found["code"]


@pytest.fixture
def local_didww(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """An emulator on loopback that every client of the documentation reaches, and an empty working directory."""
    monkeypatch.chdir(tmp_path)
    with running(seed=talkative_seed()) as base_url:
        for name in configuration.Environment:
            monkeypatch.setitem(configuration._BASE_URLS, name, base_url)
        monkeypatch.setenv("DIDWW_BASE_URL", base_url)
        monkeypatch.setenv("DIDWW_API_KEY", "local-key")
        monkeypatch.setenv("DIDWW_CALLBACK_SECRET", "emulator-callback-secret")
        monkeypatch.setenv("DIDWW_CALLBACK_URL", "https://hooks.example.com/didww")
        monkeypatch.delenv("DIDWW_ENVIRONMENT", raising=False)
        yield base_url


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
@pytest.mark.usefixtures("local_didww")
def test_python_blocks_of_a_page_run_in_order(page: Path) -> None:
    """The blocks of a page, pasted one after the other into one program, run without an error."""
    text = page.read_text(encoding="utf-8")
    namespace: dict[str, object] = {"__name__": "__main__"}
    try:
        for line, code in blocks(text):
            # Empty lines in front make a traceback name the line of the page.
            exec(compile("\n" * (line - 1) + code, str(page), "exec"), namespace)
    finally:
        for value in namespace.values():
            if isinstance(value, didww.DidwwClient):
                value.close()  # as the end of a program does


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "\ndef test_" in page.read_text(encoding="utf-8")], ids=lambda page: page.stem
)
def test_tests_of_a_page_pass(page: Path, tmp_path: Path) -> None:
    """The tests of a page, in one module, pass with the pytest plugin of the package."""
    pytest.importorskip("aiosipua")
    code = "".join(code for _, code in blocks(page.read_text(encoding="utf-8")) if "def test_" in code)
    tmp_path.joinpath("test_page.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout
    passed = re.search(r"^(\d+) passed", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= code.count("def test_")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_python_block_is_found(page: Path) -> None:
    """The pattern matches each opening fence, so that no block escapes the test above."""
    text = page.read_text(encoding="utf-8")
    assert len(BLOCK.findall(f"\n{text}")) == len(re.findall(r"^\s*(?:```|~~~)\s*(?:python|py)\b", text, re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_file_links_are_valid(page: Path) -> None:
    """A link to a file of the project leads to an existing file."""
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_heading_links_are_valid(page: Path) -> None:
    """A link to a heading of the same page names an existing heading."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    assert [link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in anchors] == []


RESOURCE_PATHS = {cls._path for cls in all_classes()}


def test_architecture_page_names_every_module() -> None:
    """Each module is named, except those of packages with many alike, and each named path exists."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "src" / "didww"
    modules = {path.relative_to(package) for path in package.rglob("*.py") if not path.name.startswith("__")}
    many = {"resources", "behaviors", *(path.name for path in (package / "cli").iterdir() if path.is_dir())}
    endpoints = {path for path in modules if path.parts[0] == "_endpoints" and path.stem in RESOURCE_PATHS}
    named = set(re.findall(r"`(\w+)(?:\.py)?`", text))
    assert [
        str(path) for path in sorted(modules - endpoints) if not many & set(path.parts) and path.stem not in named
    ] == []
    paths = re.findall(r"(?<![\w/])(?:\w+/)*\w+\.py\b", text)
    roots = (ROOT, package.parent, package, package / "emulator")
    assert [path for path in paths if not any((root / path).exists() for root in roots)] == []


def test_pages_cover_every_accessor() -> None:
    """The how-to, explanation and reference pages name each accessor of the client and each operation."""
    parts = ("how-to", "explanation", "reference")
    text = "".join(page.read_text(encoding="utf-8") for part in parts for page in (ROOT / "docs" / part).rglob("*.md"))
    ours = {name for name in dir(didww.DidwwClient) if not name.startswith("_")}
    operations = {"list", "find", "iterate", "create", "update", "delete", "wait"}
    assert {name for name in ours if not re.search(rf"(?:`|client\.){name}\b", text)} == set()
    assert {name for name in operations if f").{name}(" not in text} == set()


def test_error_page_covers_every_error() -> None:
    """Every error class is explained."""
    text = (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8")
    assert [name for name in exceptions.__all__ if f"`{name}`" not in text and f" {name} " not in text] == []


@pytest.mark.parametrize("library", ["httpx2", "urllib3"])
def test_library_logs_can_be_silenced_as_documented(
    library: str, local_didww: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By default they show the query of a URL; at the documented level neither they nor our log do."""
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    (level,) = re.findall(rf'logging\.getLogger\("{library}"\)\.setLevel\(logging\.(\w+)\)', page)
    caplog.set_level(logging.NOTSET, library)
    caplog.set_level(logging.DEBUG)
    for set_to, shown in ((logging.NOTSET, True), (getattr(logging, level), False)):
        logging.getLogger(library).setLevel(set_to)  # reset by the fixture
        caplog.clear()
        with requests.Session() as session:
            over = session if library == "urllib3" else None
            with didww.DidwwClient("local-key", base_url=local_didww, session=over) as client:
                client.countries().list(filter={"name": "Canary"})
        assert ("Canary" in caplog.text) is shown
        assert "/v3/countries: 200" in caplog.text


@pytest.mark.parametrize("name", MODULES)
def test_doctests_pass(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The docstring examples of a module give the stated results."""
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(name)).failed == 0
