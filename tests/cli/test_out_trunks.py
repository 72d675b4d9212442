"""`didww out-trunks`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from didww.cli.out_trunks import out_trunks
from didww.cli.out_trunks.options import NUMBER_OPTIONS, OPTIONS
from didww.resources.authentication_method import CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod
from didww.resources.voice_out_trunk import VoiceOutTrunk
from support.cli_account import buy_numbers, examples_of, run_example, writes

if TYPE_CHECKING:
    from support.command import Command

SID = "AC" + 32 * "0"


@pytest.fixture
def outbound(didww: Command) -> Command:
    """Return the command with a trunk Outbound."""
    didww.ok("out-trunks create Outbound --allow 192.0.2.10")
    return didww


def secrets(didww: Command) -> tuple[str, str]:
    method = didww.client.voice_out_trunks().one(filter={"name": "Outbound"}).authentication_method
    assert isinstance(method, CredentialsAndIpAuthenticationMethod)
    return method.username or "", method.password or ""


def test_each_writable_field_has_an_option():
    """A field that is added to the declarations needs an option."""
    options = {(option.cls, option.field.name) for option in OPTIONS}
    options |= {(VoiceOutTrunk, name) for name in ("name", "authentication_method", *NUMBER_OPTIONS)}
    for cls in (VoiceOutTrunk, CredentialsAndIpAuthenticationMethod, TwilioAuthenticationMethod):
        assert {(cls, name) for name, field in cls._field_map.items() if field.create} <= options


EXAMPLES = [(name, command, example) for name, (command, each) in examples_of(out_trunks).items() for example in each]


@pytest.mark.parametrize(("name", "command", "example"), EXAMPLES, ids=[each[2][17:] for each in EXAMPLES])
def test_examples_run(didww, name, command, example):
    """Each example of the help works."""
    if name != "create":
        didww.ok("out-trunks create Outbound --allow 192.0.2.10")
    run_example(didww, command, example)


def test_create(didww):
    """Calls with another caller ID are rejected by default; credentials are masked."""
    first, second, _ = buy_numbers(didww)
    result = didww(
        f"out-trunks create Outbound --allow 192.0.2.10,198.51.100.0/24 --allow 2001:db8::/64 --spending-limit 50 "
        f"--number +{first},{second} --destinations reject-all --prefix 44,1 --tech-prefix 99# --media-from none"
    )
    assert result.code == 0, result
    trunk = didww.client.voice_out_trunks().one(filter={"name": "Outbound"}, include="dids")
    assert trunk.on_cli_mismatch_action == "reject_call"
    assert sorted(did.number for did in trunk.dids) == [first, second]
    assert trunk.dst_prefixes == ["44", "1"]
    user, password = secrets(didww)
    assert user not in result.out + result.err
    assert password not in result.out + result.err
    assert "didww out-trunks credentials Outbound --show" in result.err


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", ["--allow", "--twilio"]),
        ("--allow sip.example.com", ["--allow", "IP address"]),
        ("--allow 192.0.2.10/24", ["--allow", "192.0.2.0/24"]),
        ("--allow 192.0.2.1,192.0.2.1", ["--allow"]),
        ("--media-from 192.0.2.300 --allow 192.0.2.1", ["--media-from"]),
        (f"--allow 192.0.2.1 --twilio {SID}", ["--allow", "--twilio"]),
        ("--tech-prefix 1", ["--tech-prefix", "--allow"]),
        ("--twilio AC1", ["--twilio"]),
        ("--allow 192.0.2.1 --cli-mismatch replace-cli", ["--replace-with", "--cli-mismatch"]),
        ("--allow 192.0.2.1 --cli-mismatch reject", ["--cli-mismatch", "reject_call"]),
        ("--allow 192.0.2.1 --spending-limit much", ["--spending-limit"]),
        ("--allow 192.0.2.1 --rtp-timeout 5", ["--rtp-timeout", "30"]),
        ("--allow 192.0.2.1 --number 12", ["number"]),
    ],
)
def test_bad_input_names_the_option(didww, line, names):
    """Exit code 2, and nothing is sent."""
    result = didww(f"out-trunks create Outbound {line}")
    assert (result.code, result.out) == (2, ""), result
    assert all(name in result.err for name in names), result.err
    assert not writes(didww)


@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_any_address_is_warned_about(outbound, network):
    """On create and on update."""
    assert "any address" in outbound(f"out-trunks create Open --allow {network}").err
    assert "any address" in outbound(f"out-trunks update Outbound --allow {network}").err
    assert "any address" not in outbound("out-trunks create Closed --allow 192.0.2.0/24").err


def test_credentials_are_shown_on_demand(outbound):
    """Masked otherwise, by each command and in each format."""
    user, password = secrets(outbound)
    for line in ("credentials Outbound", "credentials Outbound -o json", "show Outbound", "show Outbound -o json",
                 "list", "list -o json", "list -o csv"):  # fmt: skip
        out = outbound.ok(f"out-trunks {line}")
        assert user not in out
        assert password not in out
    for option in ("--show", "--show-credentials"):
        assert json.loads(outbound.ok(f"out-trunks credentials Outbound {option} -o json")) == {
            "trunk": "Outbound",
            "username": user,
            "password": password,
        }
    assert outbound.ok("out-trunks credentials Outbound --show --query password").strip() == password


def test_regenerate_asks(outbound):
    """The old credentials stop working."""
    old = secrets(outbound)
    before = writes(outbound)
    result = outbound("out-trunks regenerate Outbound")
    assert (result.code, "stop working" in result.err, "--yes" in result.err) == (2, True, True)
    assert outbound("out-trunks regenerate Outbound --dry-run").code == 0
    assert writes(outbound) == before
    hidden = outbound("out-trunks regenerate Outbound --yes")
    assert hidden.code == 0
    assert secrets(outbound)[1] != old[1]
    assert secrets(outbound)[1] not in hidden.out + hidden.err
    shown = outbound.ok("out-trunks regenerate Outbound --yes --show -o json")
    assert json.loads(shown)["password"] == secrets(outbound)[1]


def test_twilio_has_no_credentials(didww):
    """Exit code 3."""
    didww.ok(f"out-trunks create Twilio --twilio {SID}")
    for command in ("credentials", "regenerate"):
        result = didww(f"out-trunks {command} Twilio")
        assert (result.code, "twilio" in result.err) == (3, True)


def test_update(outbound):
    """From what to what; a change of the addresses keeps the credentials."""
    first, *_ = buy_numbers(outbound)
    kept = secrets(outbound)
    result = outbound(f"out-trunks update Outbound --allow 192.0.2.11 --number {first} --spending-limit 200")
    assert result.code == 2
    assert "192.0.2.10/32 -> 192.0.2.11" in result.err
    assert f"number: none -> {first}" in result.err
    outbound.ok(f"out-trunks update Outbound --allow 192.0.2.11 --number {first} --yes")
    assert secrets(outbound) == kept
    outbound.ok("out-trunks update Outbound --number none --status blocked --yes")
    trunk = outbound.client.voice_out_trunks().one(filter={"name": "Outbound"}, include="dids")
    assert (trunk.dids, trunk.status) == ([], "blocked")
    assert outbound("out-trunks update Outbound --status blocked").code == 0
    changed = outbound(f"out-trunks update Outbound --twilio {SID}")
    assert "credentials stop working" in changed.err


def test_delete_asks(outbound):
    """It says what ends."""
    before = writes(outbound)
    result = outbound("out-trunks delete Outbound")
    assert (result.code, "end at once" in result.err) == (2, True)
    assert writes(outbound) == before
    outbound.ok("out-trunks delete Outbound --yes")
    assert outbound("out-trunks show Outbound").code == 4


@pytest.mark.slow
def test_a_pipe_gets_data_only(outbound):
    """Standard output has the trunk, standard error the rest."""
    result = outbound.process("out-trunks create Second --allow 0.0.0.0/0 -o json")
    assert result.code == 0
    assert json.loads(result.out)["name"] == "Second"
    assert "any address" in result.err
