"""Lines to paste are for the shell of the user, and its arguments are taken as they are."""

from __future__ import annotations

import os
import sys
from typing import Any

import click.core
import pytest

from didww import DidwwClient
from didww._util import shells
from didww.cli.session import Session
from didww.exceptions import DidwwClientError
from support.command import Command


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run on Windows, in PowerShell or cmd."""
    monkeypatch.setattr(sys, "platform", "win32")
    for name in ("MSYSTEM", "SHELL"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("442079460001", "442079460001"),
        (r"C:\Users\Ada\state.db", r"C:\Users\Ada\state.db"),
        ("Front desk", '"Front desk"'),
        ("", '""'),
        ("a,b", '"a,b"'),  # a list in PowerShell
        ("@name.txt", '"@name.txt"'),  # the values of a variable in PowerShell
        ("it's", '"it\'s"'),
        ("$5", "'$5'"),  # a variable in PowerShell
        ('{"a": "it\'s"}', "'{\"a\": \"it''s\"}'"),
        ("C:\\my files\\", "'C:\\my files\\'"),  # the backslash would quote a double quote
    ],
)
def test_words_are_quoted_for_windows(word: str, typed: str) -> None:
    """In double quotes where PowerShell and cmd both take them, otherwise for PowerShell."""
    assert shells.command_line("didww", word) == f"didww {typed}"


@pytest.mark.parametrize("variable", ["MSYSTEM", "SHELL"])
@pytest.mark.usefixtures("windows")
def test_git_bash_is_a_shell_of_unix(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sets variables that PowerShell and cmd do not have."""
    monkeypatch.setenv(variable, "MINGW64")
    assert shells.set_variable("DIDWW_API_KEY", "local-key") == "export DIDWW_API_KEY=local-key"
    assert shells.command_line("didww", "it's") == "didww 'it'\"'\"'s'"


@pytest.mark.usefixtures("windows")
def test_advice_is_for_powershell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the client and of the command."""
    monkeypatch.delenv("DIDWW_API_KEY", raising=False)
    with pytest.raises(DidwwClientError, match=r'variable: \$env:DIDWW_API_KEY = "\.\.\." \(any key'):
        DidwwClient()
    session = Session()
    session.settings.emulator_file = r"C:\my files\state.db"
    assert session.command_line("orders", "show", "KTH-1") == (
        'didww --emulator-file "C:\\my files\\state.db" orders show KTH-1'
    )


class OsOfWindows:
    """The module `os`, as click sees it on Windows."""

    name = "nt"

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def test_arguments_are_not_expanded(didww: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Click would replace `*` by the files of the folder, even if it was quoted."""
    from didww.cli.app import run

    def expanded(arguments: list[str]) -> list[str]:
        raise AssertionError(arguments)

    monkeypatch.setattr(click.core, "os", OsOfWindows())
    monkeypatch.setattr(click.core, "_expand_args", expanded)
    monkeypatch.setattr(sys, "argv", ["didww", "api", "GET", "/dids", "-f", "filter[number]=*"])
    for name, value in didww.env.items():
        monkeypatch.setenv(name, value)
    assert run() == 0
