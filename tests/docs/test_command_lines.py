"""Command lines of README, tutorial and how-to pages: the command exists and accepts its options and arguments."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from didww.cli.app import command
from didww.cli.session import Session

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("tutorial*.md")),
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINES = [
    (page.name, line.removeprefix("$ "))
    for page in PAGES
    for language, block in FENCE.findall(page.read_text(encoding="utf-8"))
    for line in block.splitlines()
    if language != "python" and line.removeprefix("$ ").startswith("didww ")
]


@pytest.mark.parametrize(("page", "line"), LINES, ids=[f"{page}: {line}" for page, line in LINES])
def test_command_line_is_accepted(page: str, line: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Options and arguments are parsed without an error; nothing is run."""
    monkeypatch.chdir(tmp_path)
    for name in ("1.pdf", "2.pdf", "passport.pdf", "bill.pdf", "routes.csv"):
        (tmp_path / name).touch()
    words = [word for word in shlex.split(re.split(r" [<>|] ", line)[0]) if word != "--emulator"][1:]
    context = click.Context(command, info_name="didww", obj=Session())
    found: click.Command = command
    while isinstance(found, click.Group):
        if found.invoke_without_command and (not words or words[0].startswith("-")):
            break  # as in `didww emulator --sip`
        name = words.pop(0)
        inner = found.get_command(context, name)
        assert inner is not None, f"{page}: there is no command {name!r}"
        found, parent = inner, context
        context = click.Context(inner, info_name=name, parent=parent, obj=parent.obj)
    found.make_context(context.info_name, words, parent=context.parent)


def test_pages_have_command_lines() -> None:
    """The pattern finds the lines."""
    assert len({page for page, _ in LINES}) > 20
