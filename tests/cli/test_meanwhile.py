"""What changes while a question is on the screen: the command refuses to carry out an outdated plan."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.cli_account import buy_numbers, meanwhile, writes

if TYPE_CHECKING:
    from support.command import Command


def refused(didww: Command, monkeypatch: pytest.MonkeyPatch, other: str, line: str, text: str) -> None:
    """Check that `line` is refused and sends nothing, because `other` ran meanwhile."""
    after: list[list[str]] = []

    def change() -> None:
        didww.ok(f"{other} --yes")
        after.append(writes(didww))

    meanwhile(monkeypatch, change)
    result = didww(f"{line} --yes")
    assert (result.code, result.out) == (3, ""), result
    assert text in result.err
    assert "Run the command again" in result.err
    assert writes(didww) == after[0]


@pytest.fixture
def groups(didww: Command) -> Command:
    """Return the command with trunks A to D, and A in the group G."""
    for name in "ABCD":
        didww.ok(f"trunks create {name} --sip 192.0.2.10")
    didww.ok("groups create G A B --yes")
    didww.ok("groups create H D --yes")
    return didww


@pytest.mark.parametrize(
    ("other", "line", "text"),
    [
        ("groups add G D", "groups add G C", "trunks of the group: A, B -> A, B, D"),
        ("groups add H C", "groups add G C", "group of C: none -> H"),
        ("groups add G C", "groups remove G A", "trunks of the group: A, B -> A, B, C"),
        ("groups add G C", "groups delete G --with-trunks", "trunks of the group: A, B -> A, B, C"),
        ("groups update G --order B,A", "groups update G --priorities 5,6", "priority of A: 1 -> 2"),
        ("groups add H C", "groups create I D C", "group of C: none -> H"),
    ],
)
def test_groups(groups, monkeypatch, other, line, text):
    """The trunks of a group are written as a whole."""
    refused(groups, monkeypatch, other, line, text)


@pytest.mark.parametrize(
    ("other", "line", "text"),
    [
        (
            "capacity buy Europe --channels 5",
            "capacity release Europe --channels 2",
            "channels of pool Europe: 10 -> 15",
        ),
        ("capacity share S --channels 3", "capacity share S --channels 4", "channels: 2 -> 3"),
        ("capacity share S --number {}", "capacity share S --number {1}", "numbers: none -> {}"),
        ("capacity share S --number {}", "capacity unshare S", "numbers: none -> {}"),
        (
            "capacity assign {} --pool Europe --channels 1",
            "capacity assign {} --pool Europe --channels 2",
            "{}: 0 -> 1",
        ),
        ("capacity share S --number {}", "capacity share T --pool Europe --channels 1 --number {}", "{}: none -> S"),
    ],
)
def test_capacity(didww, monkeypatch, other, line, text):
    """Channels are written as absolute numbers."""
    numbers = buy_numbers(didww, 2)
    didww.ok("capacity buy Europe --channels 10 --yes")
    didww.ok("capacity share S --pool Europe --channels 2 --yes")
    first, second = numbers
    other, line, text = (each.replace("{1}", second).replace("{}", first) for each in (other, line, text))
    refused(didww, monkeypatch, other, line, text)


def test_numbers_of_an_outbound_trunk(didww, monkeypatch):
    """They are replaced as a whole; a change of something else does not matter."""
    first, second = buy_numbers(didww, 2)
    didww.ok("out-trunks create Out --allow 192.0.2.10")
    other = f"out-trunks update Out --number {first}"
    refused(didww, monkeypatch, other, f"out-trunks update Out --number {second}", f"number: none -> {first}")
    meanwhile(monkeypatch, lambda: didww.ok("out-trunks update Out --capacity-limit 5 --yes"))
    didww.ok(f"out-trunks update Out --number {second} --yes")


def test_generic_commands(groups, monkeypatch):
    """What is deleted with a record, and what a new one takes away."""
    refused(groups, monkeypatch, "groups add G C", "voice-in-trunk-groups delete G", "it: A, B, C.")
    line = "voice-in-trunk-groups create --name I --voice-in-trunks A"
    refused(groups, monkeypatch, "groups update G --rename Other", line, "leaves group Other")


@pytest.mark.slow
def test_after_the_answer_at_a_terminal(didww):
    """The question shows the old plan; the answer comes too late."""
    didww.ok("capacity buy Europe --channels 10 --yes")
    with didww.terminal("capacity release Europe --channels 2") as terminal:
        terminal.expect("[y/N]")
        didww.ok("capacity buy Europe --channels 5 --yes")
        terminal.send("y\n")
        assert terminal.wait() == 3
    assert json.loads(didww.ok("capacity show Europe -o json"))["channels"] == 15
