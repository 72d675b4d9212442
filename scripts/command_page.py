"""Write docs/reference/command.md: run its console blocks on an emulator, and append the reference of all commands.

`--check` prints what is out of date instead. The emulator has a frozen clock and a seed, so the output never changes.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from didww._schema.registry import all_classes  # noqa: E402 after the path
from didww._server.asgi_server import served  # noqa: E402
from didww.cli import exit_codes  # noqa: E402
from didww.cli.app import SECTIONS, command  # noqa: E402
from didww.emulator import Clock, Emulator  # noqa: E402
from didww.emulator.controls.clock import parse_datetime  # noqa: E402
from didww.emulator.http.server import Server  # noqa: E402
from support.command import Command, rendered  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "command.md"
BLOCK = re.compile(r"^```console\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
CODES = re.compile(r"(?<=<!-- exit codes -->\n).*?(?=<!-- end -->)", re.DOTALL)
REFERENCE = "<!-- reference -->\n"
COLUMNS = 80
NOW = "2026-03-15T12:00:00Z"


def page(text: str) -> str:
    """Return the page with the output of its blocks, the table of exit codes and the reference."""
    text = text[: text.index(REFERENCE)] + REFERENCE
    rows = "".join(f"| {code} | {meaning} |\n" for code, meaning in exit_codes.DESCRIPTIONS.items())
    text = CODES.sub(lambda _: f"\n| Code | Meaning |\n| --- | --- |\n{rows}\n", text)
    with tempfile.TemporaryDirectory() as home, Emulator(clock=Clock(parse_datetime(NOW), running=False)) as emulator:
        emulator.transitions.set("orders", reads=1)
        emulator.transitions.set("exports", reads=1)
        server = Server(emulator)
        with served(server):
            didww = Command(emulator, server.base_url, Path(home))
            text = BLOCK.sub(lambda block: f"```console\n{output(didww, block['body'])}```", text)
            text = text.replace(server.base_url, "http://127.0.0.1:8750/v3")
    return text + "\n".join(reference())


def output(didww: Command, body: str) -> str:
    """Run the commands of a block and return the block with what they print."""
    printed = ""
    for line in body.splitlines():
        if line.startswith("$ "):
            printed += f"{line}\n{screen(didww, line.removeprefix('$ '))}"
    return printed


def screen(didww: Command, line: str) -> str:
    """Run a line and return what a terminal shows."""
    name, *arguments = shlex.split(line)
    if name == "didww":
        with didww.terminal(shlex.join(arguments), columns=COLUMNS) as terminal:
            terminal.wait()
            return rendered(terminal.raw)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **didww.env, "PATH": path, "PYTHONPATH": str(ROOT / "src")},
        cwd=didww.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def reference() -> list[str]:
    """Return the lines of the reference: one section a command, in the order of the help."""
    lines = [""]
    root = click.Context(command, info_name="didww", max_content_width=100, terminal_width=100)
    for title, section in SECTIONS.items():
        lines += [f"### {title}", ""]
        for name in section:
            found = command.get_command(root, name)
            assert found is not None, name
            lines += types() if name == "resources" else described(found, root, name)
    return lines


def types() -> list[str]:
    """Return the section of the commands of resource types: one table for all."""
    lines = [
        "#### didww TYPE",
        "",
        "`didww TYPE --help` lists the commands of a type. Where another command has the name of a type, write",
        "`didww resources TYPE`.",
        "",
        "| Type | Commands |",
        "| --- | --- |",
    ]
    for cls in all_classes():
        operations = cls._operations | cls._extra_operations
        if operations:
            names = ", ".join(
                f"`{name}`" for name in ("list", "find", "create", "update", "delete") if name in operations
            )
            lines.append(f"| `{cls._type_name}` | {names} |")
    return [*lines, ""]


def described(found: click.Command, parent: click.Context, name: str) -> list[str]:
    """Return the section of a command, or of each command of a group."""
    context = click.Context(found, info_name=name, parent=parent, max_content_width=100, terminal_width=100)
    text = [f"#### {context.command_path}", "", "```text", shortened(found.get_help(context)), "```", ""]
    if isinstance(found, click.Group):
        lines = text if found.invoke_without_command else []
        for inner in found.list_commands(context):
            command_ = found.get_command(context, inner)
            assert command_ is not None, inner
            lines += described(command_, context, inner)
        return lines
    return text


def shortened(text: str) -> str:
    """Return a help text without the sections of options that all commands have."""
    sections = re.split(r"\n(?=\S[^\n]*:\n)", text)
    shared = ("Safety:\n", "Output:\n", "Account:\n", "Options of all commands")
    return "\n\n".join(part.rstrip() for part in sections if not part.startswith(shared)).rstrip()


def main() -> None:
    """Write the page, or compare it."""
    text = PAGE.read_text(encoding="utf-8")
    new = page(text)
    if sys.argv[1:] == ["--check"]:
        if new != text:
            sys.exit("docs/reference/command.md is out of date: run python scripts/command_page.py")
    else:
        PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
