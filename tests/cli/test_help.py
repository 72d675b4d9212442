"""Help of the `didww` command: every command has an example that its own options accept, every option has a text."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import click
import pytest

from didww.cli.app import SECTIONS, command
from didww.cli.session import Session


def commands(group, context, path):
    """Yield the context of each command below a group, with its path."""
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None, name
        inner = click.Context(found, info_name=name, parent=context, max_content_width=100, terminal_width=100)
        if isinstance(found, click.Group):
            yield from commands(found, inner, f"{path} {name}")
        if not isinstance(found, click.Group) or found.invoke_without_command:
            yield f"{path} {name}", inner


ROOT = click.Context(command, info_name="didww", obj=Session())
ALL = {path: context for path, context in commands(command, ROOT, "didww") if not path.startswith("didww resources")}


@pytest.mark.parametrize("path", ALL)
def test_each_command_has_help_and_examples(path):
    """A summary, a text for each option, lines of at most 100 characters, an example."""
    context = ALL[path]
    text = context.command.get_help(context)
    assert context.command.get_short_help_str(200).endswith(".")
    assert all(len(line) <= 100 for line in text.partition("\nExamples:\n")[0].splitlines())
    for param in context.command.params:
        if isinstance(param, click.Option) and not param.hidden:
            assert param.help, param.opts
            assert param.help[0].isupper(), param.opts
            assert param.help.rstrip(")")[-1] in ".?", param.opts
    assert context.command.examples


@pytest.mark.parametrize("path", ALL)
def test_examples_are_lines_that_the_command_accepts(path, tmp_path, monkeypatch):
    """Each example names this command; its options and arguments are parsed without an error."""
    context = ALL[path]
    monkeypatch.chdir(tmp_path)
    for name in ("1.pdf", "2.pdf", "passport.pdf", "bill.pdf"):
        (tmp_path / name).touch()
    for example in context.command.examples:
        line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", example)
        words = list(takewhile(lambda word: word not in {"<", ">", "|"}, shlex.split(line)))
        own = path.split()
        assert [word for word in words if word != "--emulator"][: len(own)] == own
        given = words[len(own) + words.count("--emulator") :]
        context.command.make_context(own[-1], given, parent=context.parent)


def test_commands_of_the_help_exist():
    """Each name in the sections of the help is a command with that short help."""
    for section in SECTIONS.values():
        for name, (_, text) in section.items():
            found = command.get_command(ROOT, name)
            assert found is not None, name
            assert text.endswith(".")


def test_help_imports_no_client():
    """`didww --help` is quick, because it imports neither the client nor rich nor the emulator."""
    program = (
        "import sys; from didww.cli.app import run; run(['--help']);"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in"
        " ('httpx2', 'msgspec', 'rich', 'jmespath', 'yaml', 'platformdirs', 'cryptography')), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stderr.split() == []
    assert "Numbers and routing" in done.stdout


@pytest.mark.slow
def test_page_of_the_command_is_up_to_date():
    """docs/reference/command.md has the screens and the reference that scripts/command_page.py writes."""
    script = Path(__file__).resolve().parents[2] / "scripts" / "command_page.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
