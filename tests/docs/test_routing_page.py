"""The page about testing routes: what it shows is what its programs print, and its drill works against SIPp too."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import pytest

from support.sip_line import of_records, of_report, read_records
from support.sip_programs import Sipp

pytest.importorskip("aiosipua", reason="needs the extra sip")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "test-routing.md"
BLOCK = re.compile(
    r"(?<!-->\n)```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<shown>.*?)^```\n)?", re.DOTALL | re.MULTILINE
)


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[re.Match[str]]:
    """The Python blocks of the page that are executed, with the output that follows; an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return list(BLOCK.finditer(PAGE.read_text(encoding="utf-8")))


def test_page_shows_what_its_programs_print(blocks: list[re.Match[str]]) -> None:
    """The output below a block is that of the block."""
    namespace: dict[str, Any] = {}
    for block in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(block["code"], namespace)
        assert printed.getvalue() == (block["shown"] or "")
    assert sum(block["shown"] is not None for block in blocks) == 3


@pytest.mark.slow
def test_drill_of_the_page_works_against_sipp(blocks: list[re.Match[str]], tmp_path: Path) -> None:
    """The trunks of the page, with SIPp at their ports: the real call is routed as the simulated one."""
    namespace: dict[str, Any] = {}
    with contextlib.ExitStack() as running:
        ends = [running.enter_context(Sipp(scenario, tmp_path)) for scenario in ("busy", "silent", "answers")]
        code = blocks[0]["code"]
        for shown, end in zip(("5071", "5072", "5073"), ends, strict=True):
            assert code.count(shown) == 1
            code = code.replace(shown, str(end.port))
        exec(code, namespace)
        exec(blocks[1]["code"], namespace)
        simulated = namespace["report"]
        emulator = namespace["emulator"]
        report = emulator.calls.ring("12125550100", duration=1)
        for end in ends:
            end.check()
    wanted = [(one.trunk, one.code, one.reason, one.ended_by) for one in simulated.attempts]
    assert [(one.trunk, one.code, one.reason, one.ended_by) for one in report.attempts] == wanted
    assert [re.sub(r"\d+\.\d+ s", "", one.why) for one in report.attempts] == [
        re.sub(r"\d+\.\d+ s", "", one.why) for one in simulated.attempts
    ]
    records = read_records(emulator, namespace["client"], "12125550100", tmp_path)
    assert of_records([one for one in records if one.call_id == report.call_id]) == of_report(report)
