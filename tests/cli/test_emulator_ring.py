"""`didww emulator ring`: what it prints, its exit codes, and errors that say what to do."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

from didww._server.asgi_server import served
from didww.cli import exit_codes
from support.sip_account import buy_number, route_to_group

pytest.importorskip("aiosipua")

if TYPE_CHECKING:
    from support.command import Command


@pytest.fixture
def number(didww: Command) -> str:
    """Return a number that is routed to a group."""
    number = buy_number(didww.emulator, didww.client)
    route_to_group(didww.client, number, "Main", "Backup")
    return number


def test_answered_call_is_a_table_and_exit_code_0(didww: Command, number: str) -> None:
    """With the reasons, and with --ladder the messages."""
    out = didww.ok(f"emulator ring {number} --caller 442079460999 --duration 7 --instant --far-end Main=busy")
    lines = out.splitlines()
    assert lines[0].startswith(f"442079460999 to {number}, ")
    assert lines[0].endswith("UTC: answered, 7.0 s")
    assert lines[3].split()[:2] == ["1", "Main"]
    assert "486 Busy Here" in lines[3]
    assert lines[4].split()[:2] == ["2", "Backup"]
    assert "|--- INVITE" not in out
    ladder = didww.ok(f"emulator ring {number} --instant --ladder")
    assert "|--- INVITE" in ladder
    assert ladder.count("12025550123 to ") == 1


def test_unanswered_call_has_an_exit_code_of_its_own(didww: Command, number: str) -> None:
    """9, and the report on standard output; nothing on standard error."""
    result = didww(f"emulator ring {number} --instant --far-end *=busy")
    assert result.code == exit_codes.NOT_ANSWERED == 9
    assert "not answered, 486 Busy Here" in result.out
    assert result.err == ""


def test_output_formats(didww: Command, number: str) -> None:
    """JSON has the report, CSV the attempts, mermaid only the diagram."""
    line = f"emulator ring {number} --instant --far-end Main=busy"
    report = json.loads(didww.ok(f"{line} -o json"))
    assert (report["answered"], [attempt["code"] for attempt in report["attempts"]]) == (True, [486, 200])
    assert didww.ok(f"{line} --query attempts[].trunk").split() == ["Main", "Backup"]
    rows = list(csv.DictReader(didww.ok(f"{line} -o csv").splitlines()))
    assert [(row["trunk"], row["code"], row["ended_by"]) for row in rows] == [
        ("Main", "486", "far end"),
        ("Backup", "200", "caller"),
    ]
    assert didww.ok(f"{line} --columns trunk,code").splitlines()[1] == "Main\t486"
    assert didww.ok(f"{line} --mermaid").splitlines()[0] == "sequenceDiagram"


def test_account_is_that_of_the_key(didww: Command, number: str) -> None:
    """The number of another account is unknown."""
    didww.env["DIDWW_API_KEY"] = "another-key"
    result = didww(f"emulator ring {number} --instant")
    assert result.code == exit_codes.NOT_FOUND
    assert f"no number '{number}'" in result.err


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ("--far-end Main=busy", 2, "--far-end needs --instant"),
        ("--instant --far-end Main", 2, "--far-end must be TRUNK=WHAT"),
        ("--instant --far-end Mian=busy", 3, "no trunk 'Mian'. Did you mean 'Main'?"),
        ("--instant --far-end Main=bussy", 3, "must be answers, busy, silent, rings"),
        ("--caller Alex", 3, "caller must be a phone number"),
        ("--environment production", 2, "not the environment production"),
    ],
)
def test_wrong_arguments(didww: Command, number: str, options: str, code: int, message: str) -> None:
    """The error names the option or the argument."""
    result = didww(f"emulator ring {number} {options}")
    assert (result.code, result.out) == (code, "")
    assert message in result.err


def test_unknown_number_says_which_there_are(didww: Command, number: str) -> None:
    """So that a typo is seen."""
    result = didww("emulator ring 442079460001 --instant")
    assert result.code == exit_codes.NOT_FOUND
    assert f"It has {number}." in result.err


def test_without_an_emulator(didww: Command) -> None:
    """The error says how to start one, or how to pass another address."""
    didww.env["DIDWW_BASE_URL"] = "http://127.0.0.1:9/v3"
    result = didww("emulator ring 442079460001")
    assert result.code == exit_codes.NO_RESPONSE
    assert "There is no emulator at http://127.0.0.1:9 (Connection refused)." in result.err
    assert "Start one in another terminal with didww emulator" in result.err


async def _something_else(scope, receive, send) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})
    await send({"type": "http.response.body", "body": b"<p>Welcome</p>"})


def test_address_of_something_else(didww: Command) -> None:
    """It is not sent an API key."""
    with served(_something_else) as address:
        result = didww(f"emulator ring 442079460001 --base-url {address}/v3")
    assert result.code == exit_codes.NO_RESPONSE
    assert f"What answers at {address} is not an emulator" in result.err
    result = didww("emulator ring 442079460001 --base-url nowhere")
    assert result.code == exit_codes.USAGE
    assert "must be a URL such as http://127.0.0.1:8750/v3" in result.err


def test_emulator_in_a_file(didww: Command, number: str) -> None:
    """--emulator calls the numbers of the emulator in a file, without a server."""
    result = didww(f"--emulator emulator ring {number} --instant")
    assert result.code == exit_codes.NOT_FOUND
    assert "It has none: buy one first." in result.err


def test_options_of_the_server_are_refused_before_a_command(didww: Command) -> None:
    """They would have no effect."""
    result = didww("emulator --port 0 ring 442079460001")
    assert result.code == exit_codes.USAGE
    assert "--port is an option of the server" in result.err
