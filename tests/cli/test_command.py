"""What all commands have in common: accounts, streams, output formats, dry runs, secrets, errors."""

from __future__ import annotations

import csv
import io
import json
import subprocess

import pytest

from didww.enums import Codec
from didww.resources.authentication_method.credentials_and_ip import CredentialsAndIpAuthenticationMethod
from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.configuration.sip import SipConfiguration
from didww.resources.voice_in_trunk import VoiceInTrunk
from didww.resources.voice_out_trunk import VoiceOutTrunk
from support.command import PROGRAM
from support.unix import unix_only


def trunk(didww, name="Main"):
    """Create a trunk that forwards calls to a phone number."""
    configuration = PstnConfiguration(dst="442079460999")
    return didww.client.voice_in_trunks().create(VoiceInTrunk(name=name, configuration=configuration)).data


@pytest.mark.parametrize("line", ["", "numbers", "orders", "capacity"])
def test_group_without_a_command_prints_its_help(didww, line):
    """The help as it is, with the lines of a help."""
    result = didww(line)
    assert len((result.out + result.err).splitlines()) > 10
    assert "\\n" not in result.err


def test_option_on_the_line_is_stronger_than_the_variable(didww):
    """`--profile` before the command, too."""
    for name in ("test", "prod"):
        key = f"key-of-{name}"
        didww.ok(f"login --profile {name} --base-url {didww.base_url}", input=f"{key}\n")
        didww.emulator.balance.put(balance={"test": "1.00", "prod": "2.00"}[name], api_key=key)
    didww.env |= {"DIDWW_PROFILE": "prod"}
    del didww.env["DIDWW_BASE_URL"], didww.env["DIDWW_API_KEY"]
    assert didww.ok("--profile test balance --query total").strip() == "1.00"
    assert didww.ok("balance --profile test --query total").strip() == "1.00"
    assert didww.ok("balance --query total").strip() == "2.00"


def test_dry_run_sends_no_change_whatever_its_url(didww):
    """Only the two validations, which store nothing, are sent."""
    made = trunk(didww)
    line = f"api DELETE '/voice_in_trunks/{made.id}?x=/address_requirement_validations' --dry-run -o json"
    assert json.loads(didww(line).out)["method"] == "DELETE"
    assert didww.client.voice_in_trunks().find(made.id).data.name == "Main"


def test_dry_run_as_json(didww):
    """One object for each request."""
    made = trunk(didww)
    request = json.loads(didww.ok(f"api PATCH /voice_in_trunks/{made.id} -f description=x --dry-run -o json"))
    assert (request["method"], request["body"]["data"]["id"]) == ("PATCH", made.id)


@pytest.mark.parametrize("format", ["table", "json", "jsonl", "csv", "yaml"])
def test_passwords_are_masked_in_each_format(didww, format):
    """Also as a whole object in a column of its own."""
    client = didww.client
    sip = SipConfiguration(
        host="sip.example.com", codec_ids=[Codec.PCMU], auth_enabled=True, auth_user="example", auth_password="pass-1"
    )
    client.voice_in_trunks().create(VoiceInTrunk(name="Sip", configuration=sip))
    method = CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.1"])
    out = (
        client.voice_out_trunks()
        .create(VoiceOutTrunk(name="Out", authentication_method=method, on_cli_mismatch_action="reject_call"))
        .data
    )
    secrets = ("pass-1", out.authentication_method.password, out.authentication_method.username)
    for line in (
        "voice_in_trunks list",
        "voice_in_trunks list --columns configuration",
        "voice_in_trunks list --columns configuration.auth_password",
        "voice_in_trunks find Sip",
        "voice_out_trunks list",
        "voice_out_trunks list --columns authentication_method",
        "out-trunks show Out",
        "trunks show Sip",
    ):
        printed = didww.ok(f"{line} -o {format}")
        assert not any(secret in printed for secret in secrets), line


def test_query_prints_rows(didww):
    """Objects and lists that a query selects are rows of a CSV file."""
    trunk(didww)
    text = didww.ok("trunks list --query '[].{name: name, priority: priority}' -o csv")
    assert list(csv.DictReader(io.StringIO(text))) == [{"name": "Main", "priority": "1"}]
    assert didww.ok("trunks list --query '[].[name, priority]' -o csv") == "Main,1\n"
    assert didww.ok("trunks list --query '[].name' -o jsonl") == '"Main"\n'


def test_control_characters_are_escaped_in_json(didww):
    """A terminal obeys none of them, and a program reads them back."""
    text = "\x1b]0;name\x07 \x9b31m \u202eevil"
    made = trunk(didww)
    change = VoiceInTrunk.build(made.id, description=text)
    didww.client.voice_in_trunks().update(change)
    printed = didww.ok("voice_in_trunks list -o json")
    assert all(character.isprintable() or character == "\n" for character in printed)
    assert json.loads(printed)[0]["description"] == text


def test_advice_is_a_command(didww):
    """Errors do not speak of Python."""
    didww.emulator.faults.add(method="POST", path="/orders", lost_response=True)
    didww.emulator.faults.add(method="GET", path="/orders", status=503)
    result = didww("numbers buy GB --city London --type local --channels 0 --yes")
    assert result.code == 6
    assert "()." not in result.err
    assert "didww orders list" in result.err


def test_rate_limit_says_when_to_try_again(didww):
    """The delay of the service is said."""
    didww.emulator.faults.add(status=429, retry_after=400)
    result = didww("balance --timeout 5")
    assert result.code == 3
    assert "Try again in 400 s." in result.err


@unix_only
@pytest.mark.slow
@pytest.mark.parametrize("closed", ["2>&-", "<&-", "2>/dev/full"])
def test_closed_streams_end_nothing_midway(didww, closed):
    """A purchase is finished, though nobody can read the messages."""
    trunk(didww)
    line = "numbers buy GB --city London --type local --channels 0 --trunk Main --yes --query [].number"
    done = subprocess.run(
        ["bash", "-c", f'"$@" {closed}', "-", *PROGRAM, *line.split()],
        env=didww._env({}),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, len(done.stdout.split())) == (0, 1)
    assert didww.client.dids().list(include="voice_in_trunk").data[0].voice_in_trunk.name == "Main"


@pytest.mark.slow
def test_broken_standard_error_ends_nothing_midway(didww):
    """The reader of the messages goes away at once."""
    trunk(didww)
    line = "numbers buy GB --city London --type local --channels 0 --trunk Main --yes --query [].number"
    program = subprocess.Popen(
        [*PROGRAM, *line.split()], env=didww._env({}), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    assert program.stderr is not None
    program.stderr.close()
    assert program.stdout is not None
    assert len(program.stdout.read().split()) == 1
    program.stdout.close()
    assert program.wait(60) == 0
    assert didww.client.dids().list(include="voice_in_trunk").data[0].voice_in_trunk.name == "Main"


def test_debug_logs_requests(didww):
    """Method, URL and status on standard error, without the key."""
    result = didww("balance --debug")
    assert result.code == 0
    assert "GET " in result.err
    assert "/v3/balance: 200" in result.err
    assert didww.emulator.key not in result.err
    assert "GET " not in didww("balance").err


@pytest.mark.slow
def test_colors_are_for_terminals_only(didww):
    """An error is red on a terminal; with NO_COLOR, and in a pipe, nothing is colored."""
    with didww.terminal("numbers show 12") as terminal:
        assert terminal.wait() == 2
    assert b"\x1b[31m" in terminal.raw
    with didww.terminal("numbers show 12", NO_COLOR="1") as terminal:
        assert terminal.wait() == 2
    assert b"\x1b[" not in terminal.raw
    assert "\x1b" not in didww.process("numbers show 12").err


def test_expiring_has_an_order_of_its_own(didww):
    """An option that would do nothing is refused."""
    result = didww("numbers list --expiring 14d --sort number")
    assert result.code == 2
    assert "--sort" in result.err
