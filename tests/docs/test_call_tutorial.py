"""The tutorial about call records prints what it shows, and asks its question in ten lines."""

from __future__ import annotations

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial-call-records.md"
BLOCK = re.compile(
    r"(?P<before>[^\n]*)\n```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.DOTALL | re.MULTILINE
)


@pytest.fixture
def blocks() -> list[tuple[str, str]]:
    """The executed blocks of the page, with what the page says that they print."""
    found = BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
    return [(one["code"], one["shown"] or "") for one in found if "not executed" not in one["before"]]


@pytest.mark.unchecked
def test_blocks_print_what_the_page_shows(
    blocks: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The nights, all hours, the codes, and the total in both ways; the trunk that fails is the one of the page."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for code, shown in blocks:
        printed = StringIO()
        with redirect_stdout(printed):
            exec(compile(code, str(PAGE), "exec"), namespace)
        assert [line.rstrip() for line in printed.getvalue().splitlines()] == shown.splitlines()
    assert sum(bool(shown) for _, shown in blocks) >= 3
    failing = namespace["emulator"].calls.failing()
    assert [trunk.name for trunk in failing] == ["Berlin"]
    assert namespace["night"].summary(by="trunk", sort="asr").rows[0]["trunk"] == "Berlin"


def test_question_takes_ten_lines(blocks: list[tuple[str, str]]) -> None:
    """From the imports to what is printed."""
    (code,) = [code for code, _ in blocks if "open_calls" in code]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
