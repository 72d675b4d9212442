"""Both API versions: commands that work in each, names of one of them only, completion, help, the choice of one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest

from didww.cli.app import command
from didww.cli.session import Session
from didww.version import API_VERSIONS
from support.cli_account import buy_numbers, writes
from support.cli_registration import ADDRESS, PERSON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.command import Command

OLD, NEW = API_VERSIONS


@pytest.fixture(params=API_VERSIONS)
def either(request: pytest.FixtureRequest, didww: Command) -> Command:
    """Return the command in one API version, then in the other."""
    didww.env["DIDWW_API_VERSION"] = request.param
    return didww


@pytest.fixture
def new(didww: Command) -> Command:
    """Return the command in version 2026-11-19."""
    didww.env["DIDWW_API_VERSION"] = NEW
    return didww


def rows(didww: Command, line: str) -> list[dict[str, object]]:
    """Return what a command prints as JSON."""
    found: list[dict[str, object]] = json.loads(didww.ok(f"{line} -o json"))
    return found


def test_find_buy_route_cancel(either):
    """The life of a number; the type of numbers is given by the same words."""
    offers = rows(either, "numbers search GB --city London --type Local")
    assert {str(offer["type"]).lower() for offer in offers} == {"local"}
    assert rows(either, "numbers search GB --type toll-free")
    assert rows(either, "numbers available GB --city London --type local --limit 1")
    either.ok("trunks create Office --sip sip.example.com")
    either.ok("numbers buy GB --city London --type local --channels 0 --qty 2 --trunk Office --reference PO-1 --yes")
    either.ok("numbers buy GB --city London --type local --channels 0 --qty 2 --reference PO-1 --yes")
    assert "local" in either.ok("orders show PO-1").lower()
    (first, second) = [str(row["number"]) for row in rows(either, "numbers list --trunk Office")]
    either.ok(f"numbers route {first} --none --yes")
    assert [row["number"] for row in rows(either, "numbers list --trunk none")] == [first]
    assert json.loads(either.ok(f"numbers show {second} -o json"))["voice_in_trunk"]["name"] == "Office"
    either.ok("numbers history")
    either.ok(f"numbers cancel {first} --yes")
    either.ok(f"numbers restore {first} --yes")


def test_particular_numbers(either):
    """Reserving and buying one number."""
    number = str(rows(either, "numbers available GB --city London --limit 1")[0]["number"])
    either.ok(f"numbers reserve {number}")
    assert number in either.ok("numbers reserve --list")
    either.ok(f"numbers buy --number {number} --channels 0 --yes")
    assert [row["number"] for row in rows(either, "numbers list")] == [number]


def test_trunks_and_points_of_presence(either):
    """The point of presence has the same option and the same output."""
    shown = either.ok("trunks create Office --sip sip.example.com --pop fra")
    assert "FRA" in shown
    assert either.ok("trunks update Office --pop MIA --yes")
    assert "MIA" in either.ok("trunks show Office")
    result = either("trunks update Office --pop none --yes")
    assert "MIA -> none" in result.err
    assert writes(either)[-1].startswith("PATCH /voice_in_trunks/")
    result = either("trunks update Office --pop moon --yes")
    assert result.code in (2, 4)
    assert "MIA" in result.err
    either.ok("trunks list")
    either.ok("groups create Support Office --yes")
    either.ok("groups show Support")
    either.ok("groups delete Support --yes")
    either.ok("trunks delete Office --yes")


@pytest.mark.parametrize(
    ("version", "text", "meant"),
    [
        (NEW, "US, NY", "NYC"),
        (NEW, "US, LA", "LAC"),
        (NEW, "SG, SIN", "SG"),
        (NEW, "frankfurt", "NYC, FRA"),
        (OLD, "NYC", "US, NY"),
        (OLD, "FRAN", "DE, FRA"),
    ],
)
def test_point_of_presence_by_a_name_of_the_other_version(didww, version, text, meant):
    """It is suggested; where the end of the name is the code, it is accepted."""
    didww.env["DIDWW_API_VERSION"] = version
    result = didww(f"trunks create Office --sip sip.example.com --pop '{text}'")
    assert result.code in (2, 4)
    assert meant in result.err
    assert "FRA" in didww.ok("trunks create Other --sip sip.example.com --pop 'DE, FRA'")


def test_out_trunks_and_capacity(either):
    """What has not changed between the versions."""
    either.ok("out-trunks create Outbound --allow 192.0.2.10")
    either.ok("out-trunks credentials Outbound")
    either.ok("out-trunks regenerate Outbound --yes")
    either.ok("out-trunks delete Outbound --yes")
    either.ok("capacity show")
    either.ok("balance")


def test_registration(either):
    """Requirements by the type of numbers, and identities with addresses."""
    assert rows(either, "numbers register --requirements DE --type local")
    for group in ("identities", "addresses", "verifications", "emergency"):
        either.ok(f"{group} list")
    assert "monthly_price" in either.ok("emergency requirements US --type local -o json")


@pytest.fixture
def emulated(either: Command, tmp_path: Path) -> Callable[[str], str]:
    """Return a function that runs a command line with `--emulator-file`, in either version."""
    del either.env["DIDWW_API_KEY"], either.env["DIDWW_BASE_URL"]
    file = tmp_path / "state.db"
    return lambda line: either.ok(f"{line} --emulator-file '{file}'")


def test_registration_is_submitted(emulated, tmp_path):
    """With documents, which are approved."""
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7 scan")
    emulated(PERSON)
    emulated(f"{ADDRESS} --country DE")
    emulated("numbers buy DE --city Munich --type local --channels 0 --yes")
    (number,) = json.loads(emulated("numbers list --query '[].number' -o json"))
    line = f"numbers register +{number} --identity Example --proof passport='{scan}' --proof 'Utility Bill={scan}'"
    assert json.loads(emulated(f"{line} --yes -o json"))["status"] == "approved"
    assert "false" in emulated("numbers list --query '[].awaiting_registration' -o json")


def test_emergency_calling_is_enabled(emulated):
    """For a number in the United States."""
    emulated(PERSON)
    emulated(f"{ADDRESS} --country US --description Site")
    emulated("numbers buy US --city 'New York' --prefix 212 --type local --channels 0 --yes")
    (number,) = json.loads(emulated("numbers list --query '[].number' -o json"))
    service = json.loads(emulated(f"emergency enable {number} --address Site --yes -o json"))
    assert service["status"] == "active"
    assert "true" in emulated("numbers list --query '[].emergency_enabled' -o json")


def test_capacity_is_bought_and_shared(emulated):
    """Channels of a pool, shared by a number."""
    emulated("numbers buy GB --city London --type local --channels 0 --yes")
    (number,) = json.loads(emulated("numbers list --query '[].number' -o json"))
    emulated("capacity buy Europe --channels 10 --yes")
    emulated(f"capacity share Support --number {number} --pool Europe --channels 2 --yes")
    pool = json.loads(emulated("capacity show Europe -o json"))
    assert (pool["channels"], pool["free"]) == (10, 8)
    emulated("capacity unshare Support --yes")
    assert json.loads(emulated("capacity show Europe -o json"))["free"] == 10


def test_exports(either):
    """Calls of the last day."""
    either.ok("exports create cdr_in --last 24h --no-wait --reference one")
    either.ok("exports show one")
    either.ok("exports list")


def test_tools(either):
    """doctor, api, resources and each list of a resource type that the version has."""
    assert either("doctor").code == 0
    assert json.loads(either.ok("api /countries"))["data"]
    for row in rows(either, "resources"):
        if "list" in str(row["commands"]):
            result = either(f"resources {row['type']} list --limit 2")
            assert result.code in (0, 3), result


def test_completion_has_names_of_the_version_only(didww):
    """Commands, options, sort keys, includes and values."""

    def completed(words: str, incomplete: str, **env: str) -> list[str]:
        result = didww.process(
            "", COMP_WORDS=f"didww {words} {incomplete}", COMP_CWORD=str(len(words.split()) + 1), **env
        )
        return [line.partition(",")[2] for line in result.out.split()]

    def both(words: str, incomplete: str) -> tuple[list[str], list[str]]:
        env = {"_DIDWW_COMPLETE": "bash_complete"}
        old, new = (completed(f"--api-version {version} {words}", incomplete, **env) for version in API_VERSIONS)
        return old, new

    assert both("", "sms") == ([], ["sms-trunks", "sms-groups"])
    assert both("did-groups list", "--number-t") == ([], ["--number-type"])
    assert both("did-groups list", "--did-group-t") == (["--did-group-type"], [])
    assert both("did-groups list --sort", "is_d") == ([], ["is_demo"])
    assert both("did-groups list --include", "did_group_type") == (["did_group_type"], [])
    assert both("exports create", "sms") == ([], ["sms_in", "sms_out"])
    assert both("numbers route", "--sms-t") == ([], ["--sms-trunk"])


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("sms-trunks list", "sms-trunks"),
        ("sms-trunk-groups list", "sms-trunk-groups"),
        ("prices lookup voice-out 442079460001", "prices"),
        ("sender-ids list", "sender-ids"),
        ("numbers route +442079460001 --sms-trunk Inbox", "--sms-trunk"),
        ("numbers list --sms-group Inbox", "--sms-group"),
        ("numbers list --columns sms_trunk.name", "sms_trunk.name"),
        ("did-groups list --number-type local", "--number-type"),
        ("did-groups list --sort is_demo", "is_demo"),
        ("did-groups list -f number_type=local", "number_type"),
        ("dids list --include sms_trunk", "sms_trunk"),
        ("voice-in-trunks create --name A --host sip.example.com --pop-code FRA", "--pop-code"),
        ("exports create sms_in --last 7d", "sms_in"),
        ("exports create cdr_in --last 7d --source 1", "--source"),
    ],
)
def test_name_of_the_later_version(didww, line, what):
    """Exit code 2, the version that has it, and the option to pass; nothing is sent that changes something."""
    result = didww(f"{line} --yes" if "create" in line and "exports" not in line else line)
    assert result.code == 2, result
    assert what in result.err
    assert OLD in result.err
    assert f"--api-version {NEW}" in result.err
    assert "api_version" not in result.err
    assert writes(didww) == []


@pytest.mark.parametrize(
    ("line", "replacement"),
    [
        ("pops list", "--pop of didww trunks create"),
        ("did-group-types list", "--number-type of didww did-groups list"),
        ("did-groups list --did-group-type Local", "Use --number-type instead"),
        ("did-groups list --include did_group_type", "number_type"),
        ("available-dids list -f did_group_type.id=8d1a3c5e-0000-4000-8000-000000000001", "did_group.number_type"),
        ("voice-in-trunks list --columns pop.name", "pop_code"),
    ],
)
def test_name_of_the_earlier_version(new, line, replacement):
    """Exit code 2, the replacement, and the option to stay with the earlier version."""
    result = new(line)
    assert result.code == 2, result
    assert replacement in result.err
    assert f"--api-version {OLD}" in result.err
    assert "api_version" not in result.err


def test_csv_file_with_sms_routes_in_the_earlier_version(didww, tmp_path):
    """Columns are names of a version, too."""
    (number,) = buy_numbers(didww, 1)
    file = tmp_path / "routes.csv"
    file.write_text(f"number,sms_trunk\n{number},Inbox\n", encoding="utf-8")
    result = didww(f"numbers route --from-csv {file} --yes")
    assert result.code == 2
    assert f"--api-version {NEW}" in result.err


def test_help_says_which_versions_have_a_name():
    """Commands, options, sort keys and includes."""
    root = click.Context(command, info_name="didww", obj=Session())
    group = command.get_command(root, "did-groups")
    assert isinstance(group, click.Group)
    inner = click.Context(group, info_name="did-groups", parent=root)
    found = group.get_command(inner, "list")
    assert found is not None
    text = " ".join(found.get_help(click.Context(found, info_name="list", parent=inner)).split())
    assert "True if it is a demo group. Since API version 2026-11-19." in text
    assert "Filter by DID group type; repeatable. Until API version 2026-04-16." in text
    assert "since API version 2026-11-19: is_demo, number_type" in text
    assert "SMS trunks" in command.get_help(root)


def test_resources_are_those_of_the_version(didww):
    """The others are named below the table."""
    result = didww("resources")
    assert "sms-trunks" not in result.out
    assert "since API version 2026-11-19: sender-id-verifications" in result.err
    result = didww(f"resources --api-version {NEW}")
    assert "sms-trunks" in result.out
    assert "pops\t" not in result.out


def test_option_comes_before_the_variable_and_shows_in_commands_and_confirmations(didww):
    """Advice keeps the option; the account of a question names a version other than the default."""
    didww.env["DIDWW_API_VERSION"] = OLD
    result = didww(f"trunks create Office --sip sip.example.com --api-version {NEW}")
    assert f"--api-version {NEW} trunks show Office" in result.err
    result = didww("trunks delete Office --yes", "--api-version", NEW)
    assert f"API version {NEW}" in result.err
    didww.ok("trunks create Office --sip sip.example.com")
    assert "API version" not in didww("trunks delete Office --yes").err


def test_wrong_version_is_refused(didww):
    """Both are named."""
    result = didww("balance --api-version 2022-05-10")
    assert result.code == 2
    assert OLD in result.err
    assert NEW in result.err


def test_account_that_has_moved(didww):
    """An API key is refused; the message and doctor name the option."""
    didww.emulator.versions.set(NEW)
    result = didww("balance")
    assert result.code == 3
    assert f"--api-version {NEW}" in result.err
    report = {row["check"]: row for row in json.loads(didww("doctor -o json").out)}
    assert report["API key"]["state"] == "problem"
    assert f"--api-version {NEW}" in report["API key"]["advice"]
    assert "moved" in report["API key"]["advice"]
    assert didww(f"balance --api-version {NEW}").code == 0


def test_doctor_reports_the_token_and_the_version(new):
    """With their sources."""
    report = {row["check"]: row for row in json.loads(new("doctor -o json").out)}
    assert report["token service"]["state"] == "ok"
    assert "scope full" in report["token service"]["finding"]
    assert report["API version"]["finding"] == f"{NEW}, from DIDWW_API_VERSION."


def test_doctor_says_that_the_token_service_is_down(new):
    """The API may be well then."""
    new.env["DIDWW_TOKEN_URL"] = "http://127.0.0.1:9/token"
    result = new("doctor -o json")
    report = {row["check"]: row for row in json.loads(result.out)}
    assert result.code == 1
    assert report["token service"]["state"] == "problem"
    assert "connection" not in report


def test_dry_run_gets_a_token_and_sends_nothing_else(new):
    """A plan needs reads."""
    new.ok("trunks create Office --sip sip.example.com")
    before = writes(new)
    result = new("trunks update Office --pop FRA --dry-run")
    assert result.code == 0
    assert '"pop": "FRA"' in result.out
    assert [line for line in writes(new)[len(before) :] if "/token" not in line] == []


@pytest.mark.parametrize(
    "body", ['{"access_token": "x", "expires_in": 0}', "{}", "<html>"], ids=["expired", "without a token", "HTML"]
)
@pytest.mark.parametrize("line", ["balance", "trunks create Office --sip sip.example.com"], ids=["read", "write"])
def test_unusable_response_of_the_token_service(new, line, body):
    """Nothing was sent to the API, so the outcome is known."""
    new.emulator.faults.add(method="POST", path="/token", status=200, body=body)
    result = new(line)
    assert result.code == 5, result
    assert "unknown" not in result.err
