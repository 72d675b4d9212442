"""`didww completion`, in the shells themselves where they are installed."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import stat
import subprocess
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from didww.cli.app import run
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_in_trunk_group import VoiceInTrunkGroup
from support.command import PROGRAM, Terminal

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.command import Command


def trunk(didww: Command, name: str) -> None:
    """Create a trunk."""
    configuration = PstnConfiguration(dst="442079460000")
    didww.client.voice_in_trunks().create(VoiceInTrunk(name=name, configuration=configuration))


@pytest.fixture
def numbers(didww: Command) -> list[str]:
    """Return two numbers of the account."""
    client = didww.client
    didww.emulator.transitions.set("orders", after=0)
    group = client.did_groups().first(
        filter={"area_name": "London", "needs_registration": False, "is_available": True}, include="stock_keeping_units"
    )
    client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=2)]))
    return [did.number for did in client.dids().iterate(sort="number")]


def complete(didww: Command, line: str, **env: str) -> list[str]:
    """Return the completions that bash gets for the last word of a line."""
    words = shlex.split(line) + [""] * line.endswith(" ")
    asked = {"_DIDWW_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with (
        mock.patch.dict(os.environ, {**didww.env, **asked, **env}),
        redirect_stdout(out),
        redirect_stderr(err),
        suppress(SystemExit),
    ):
        run([])
    printed, errors = (stream.buffer.getvalue().decode() for stream in (out, err))  # type: ignore[attr-defined] a BytesIO
    assert errors == ""
    return [text.partition(",")[2] for text in printed.splitlines() if text]


def test_commands_are_completed_without_their_modules(didww):
    """By the sections of the help."""
    assert complete(didww, "didww num") == ["numbers"]
    assert {"list", "show", "buy"} <= set(complete(didww, "didww numbers "))
    assert complete(didww, "didww orders w") == ["wait"]


def test_options_and_choices(didww):
    """Those of the command."""
    assert "--status" in complete(didww, "didww orders list --")
    assert complete(didww, "didww orders list --status p") == ["pending"]
    assert complete(didww, "didww exports create cdr") == ["cdr_in", "cdr_out"]


def test_numbers_are_completed_as_they_are_typed(didww, numbers):
    """With a plus if there is one."""
    assert complete(didww, f"didww numbers show {numbers[0][:4]}") == numbers
    assert complete(didww, f"didww numbers show +{numbers[0]}") == [f"+{numbers[0]}"]
    assert complete(didww, "didww numbers show 999") == []


def test_names_orders_and_countries(didww, numbers):
    """Names in any case."""
    trunk(didww, "Office London")
    didww.client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Failover"))
    order = didww.client.orders().first()
    assert order is not None
    assert complete(didww, "didww numbers list --trunk off") == ["Office London"]
    assert complete(didww, "didww numbers list --group F") == ["Failover"]
    assert complete(didww, "didww numbers list --country G")[:1] != []
    assert complete(didww, "didww orders show ") == [order.reference]
    didww.ok("exports create cdr_in --last 1d --no-wait")
    assert complete(didww, "didww exports show cdr") == ["cdr_in-last-1d"]


def test_profiles(didww):
    """Their names are completed without the network."""
    didww("login --no-check --environment sandbox --profile shop", input="example-key")
    assert complete(didww, "didww balance --profile s") == ["shop"]


def requests(didww: Command) -> int:
    """Return the number of requests so far."""
    return len(didww.emulator.journal.entries())


def test_values_are_cached_for_each_account(didww, numbers):
    """The second completion sends nothing; another key has another cache; the file does not tell the key."""
    line = "didww numbers show "
    assert complete(didww, line) == numbers
    sent = requests(didww)
    assert complete(didww, line) == numbers
    assert requests(didww) == sent
    assert complete(didww, line, DIDWW_API_KEY="another-key") == []
    files = list((didww.home / "cache" / "didww").iterdir())
    assert len(files) == 2
    assert not any(didww.emulator.key in file.name + file.read_text(encoding="utf-8") for file in files)
    if sys.platform != "win32":
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)


@pytest.mark.parametrize("content", ["", "{", "5", "[1]", '[["a"]]', "[[1,2]]", '[["a",null]]'])
def test_damaged_cache_is_replaced(didww, numbers, content):
    """The values are read again."""
    complete(didww, "didww numbers show ")
    (file,) = (didww.home / "cache" / "didww").iterdir()
    file.write_text(content, encoding="utf-8")
    assert complete(didww, "didww numbers show ") == numbers


def test_old_cache_is_replaced(didww, numbers):
    """After a minute, and if the clock was set back."""
    complete(didww, "didww numbers show ")
    (file,) = (didww.home / "cache" / "didww").iterdir()
    for seconds in (-3600, 3600):
        changed = file.stat().st_mtime + seconds
        os.utime(file, (changed, changed))
        sent = requests(didww)
        assert complete(didww, "didww numbers show ") == numbers
        assert requests(didww) == sent + 1


@pytest.mark.parametrize(
    "env", [{"DIDWW_BASE_URL": "http://127.0.0.1:9/v3"}, {"DIDWW_API_KEY": ""}, {"DIDWW_PROFILE": "nobody"}]
)
def test_completion_is_silent_without_an_account(didww, env):
    """No error is printed into the line that is typed."""
    assert complete(didww, "didww numbers show ", **env) == []


def test_no_cache_directory(didww, numbers):
    """Then nothing is cached."""
    (didww.home / "cache").write_text("no directory", encoding="utf-8")
    assert complete(didww, "didww numbers show ") == numbers


def test_shell_is_checked(didww):
    """Exit code 2 for others."""
    assert didww("completion csh").code == 2
    for shell in ("bash", "zsh", "fish"):
        assert "_DIDWW_COMPLETE" in didww.ok(f"completion {shell}")


# The shells


def needs(shell: str) -> pytest.MarkDecorator:
    """Skip a test if a shell is not installed."""
    return pytest.mark.skipif(shutil.which(shell) is None, reason=f"{shell} is not installed")


@pytest.fixture
def environment(didww: Command, tmp_path: Path) -> dict[str, str]:
    """Return variables with which a shell finds the command."""
    program = tmp_path / "bin" / "didww"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return didww._env({"PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ "})


@contextmanager
def shell(program: list[str], environment: dict[str, str], setup: str) -> Generator[Terminal]:
    """Run a shell in a pseudo-terminal with the completion loaded."""
    terminal = Terminal(program, environment, 200, Path(environment["HOME"]))
    try:
        terminal.send(f"{setup}; echo rea''dy\n")
        terminal.expect("ready")
        yield terminal
    finally:
        terminal.close()


BASH = ["bash", "--norc", "--noprofile", "-i"]
ZSH = ["zsh", "-f", "-i"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "setup"),
    [
        pytest.param(BASH, 'eval "$(didww completion bash)"', marks=needs("bash")),
        pytest.param(ZSH, 'autoload -U compinit; compinit -u -D; eval "$(didww completion zsh)"', marks=needs("zsh")),
    ],
    ids=["bash", "zsh"],
)
def test_tab_key(didww, numbers, environment, program, setup):
    """Commands, a number, and a name with a space, which the command gets as one argument."""
    trunk(didww, "Office, London")
    with shell(program, environment, setup) as terminal:
        terminal.send("didww num\tlist --trunk Off\t --query '[].id'; echo do''ne=$?\n")
        terminal.expect("done=0")
        terminal.send(f"didww numbers show {numbers[0]}\t--columns number; echo en''d=$?\n")
        terminal.expect("end=0")
        assert f"number  {numbers[0]}" in terminal.text


@pytest.mark.slow
@needs("fish")
def test_fish(didww, numbers, environment):
    """Each value has its description; names with commas are whole."""
    trunk(didww, "Office, London")

    def completed(line: str) -> list[str]:
        script = f"didww completion fish | source; complete -C {shlex.quote(line)}"
        done = subprocess.run(
            ["fish", "--no-config", "-c", script],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert completed("didww num") == ["numbers\tSearch, buy, route and cancel phone numbers."]
    assert completed(f"didww numbers show {numbers[0][:4]}") == numbers
    assert completed("didww numbers list --trunk Off") == ["Office, London"]
