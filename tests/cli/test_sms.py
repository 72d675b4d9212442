"""`didww sms-trunks`, `sms-groups`, `sender-ids`, and text messages in `numbers` and `exports`."""

from __future__ import annotations

import json
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from didww.cli.sender_ids import sender_ids
from didww.cli.sms_groups import sms_groups
from didww.cli.sms_trunks import sms_trunks
from support.cli_account import buy_numbers, examples_of, meanwhile, run_example, writes

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Command


@pytest.fixture
def account(didww: Command) -> Command:
    """Return the command; its account has the SMS trunks Inbox, Hook, Spare and Gateway, and a sender ID."""
    didww.env["DIDWW_API_VERSION"] = "2026-11-19"
    mail = "--subject SMS --message '{SMS_TEXT}'"
    for name in ("Inbox", "Hook", "Spare"):
        didww.ok(f"sms-trunks create --name {name} --send-to {name.lower()}@example.com {mail}")
    didww.ok("sms-trunks create --name Gateway --configuration-type smpp_esme --server-location fra")
    didww.ok("sms-trunks create --name Sender --configuration-type http_out --callback-url https://example.com/status")
    didww.emulator.sender_ids.add("Example Shop", sender_ids=["EXAMPLE"], countries=["GB"])
    return didww


EXAMPLES = [
    (command, example)
    for group in (sms_trunks, sms_groups, sender_ids)
    for command, examples in examples_of(group).values()
    for example in examples
]


@pytest.mark.parametrize(("command", "example"), EXAMPLES, ids=[example[6:] for _, example in EXAMPLES])
def test_examples_run(account, command, example, tmp_path, monkeypatch):
    """Each example of the help works, in an account with the records that it names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "trunks.csv").write_text("name,priority,blocked\nInbox,200,\nHook,,yes\n", encoding="utf-8")
    mail = {"type": "sms_to_email", "send_to": "sales@example.com", "subject": "SMS", "message": "{SMS_TEXT}"}
    (tmp_path / "trunk.json").write_text(json.dumps({"name": "Sales", "configuration": mail}), encoding="utf-8")
    if "sms-trunks create " in example:
        for name in ("Inbox", "Hook", "Gateway"):
            account.ok(f"sms-trunks delete {name} --yes")
    if "sms-groups" in example and " create " not in example:
        account.ok("sms-groups create Messages Inbox Hook --yes")
    if "unassign" in example:
        account.ok("sender-ids assign 'Example Shop' Gateway --yes")
    run_example(account, command, example)


def test_routes_of_messages(account):
    """They are independent of the routes of calls; a group replaces a trunk."""
    first, second = buy_numbers(account, 2)
    account.ok("trunks create Office --sip sip.example.com")
    account.ok("sms-groups create Messages Inbox --yes")
    account.ok(f"numbers route {first} --trunk Office --sms-trunk Hook --yes")
    row = next(row for row in json.loads(account.ok("numbers list -o json")) if row["number"] == first)
    assert (row["voice_in_trunk"]["name"], row["sms_trunk"]["name"]) == ("Office", "Hook")
    result = account(f"numbers route {first} {second} --sms-group Messages --yes")
    assert "SMS route: SMS trunk Hook -> SMS trunk group Messages" in result.err
    assert "SMS route: none -> SMS trunk group Messages" in result.err
    assert account.ok("numbers list --sms-group Messages --query '[].number'").split() == sorted([first, second])
    table = account.ok("numbers list").splitlines()
    assert table[0].split("\t")[3:5] == ["route", "sms route"]
    assert "Office\tMessages" in account.ok("numbers list --trunk Office")
    account.ok(f"numbers route {first} --no-sms --yes")
    assert account.ok("numbers list --sms-group Messages --query '[].number'").split() == [second]
    assert "Office" in account.ok(f"numbers show {first}")


def test_routes_of_messages_from_a_file(account, tmp_path):
    """A row has a route of calls, of messages, or of both; results are written, and an equal route is left alone."""
    numbers = buy_numbers(account, 3)
    account.ok("trunks create Office --sip sip.example.com")
    file = tmp_path / "routes.csv"
    lines = ["number,trunk,sms_trunk", f"{numbers[0]},Office,Inbox", f"{numbers[1]},,Hook", f"{numbers[2]},Office,"]
    file.write_text("\n".join(lines), encoding="utf-8")
    account.ok(f"numbers route --from-csv {file} --yes")
    rows = {row["number"]: row for row in json.loads(account.ok("numbers list -o json"))}
    assert [(rows[number]["sms_trunk"] or {}).get("name") for number in numbers] == ["Inbox", "Hook", None]
    assert [(rows[number]["voice_in_trunk"] or {}).get("name") for number in numbers] == ["Office", None, "Office"]
    sent = len(writes(account))
    account.ok(f"numbers route --from-csv {file} --yes")
    assert len([line for line in writes(account)[sent:] if line.startswith("PATCH")]) == 0
    file.write_text(f"number,sms_trunk\n{numbers[0]},none\n", encoding="utf-8")
    account.ok(f"numbers route --from-csv {file} --results {tmp_path / 'second.csv'} --yes")
    assert json.loads(account.ok(f"numbers show {numbers[0]} -o json"))["sms_trunk"] is None


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        ("--sms-trunk Sender", 3, "only sends"),
        ("--sms-trunk Inbox --sms-group Messages", 2, "--no-sms"),
        ("--sms-trunk Messages", 4, "--sms-group"),
        ("--sms-group Inbox", 4, "--sms-trunk"),
        ("--sms-trunk Inbx", 4, "Inbox"),
        ("", 2, "--sms-trunk"),
    ],
)
def test_wrong_routes(account, options, code, said):
    """Nothing is sent."""
    (number,) = buy_numbers(account, 1)
    account.ok("sms-groups create Messages Inbox --yes")
    before = writes(account)
    result = account(f"numbers route {number} {options} --yes")
    assert result.code == code, result
    assert said in result.err
    assert [line for line in writes(account)[len(before) :] if "/token" not in line] == []


def test_trunk_in_use_is_not_deleted(account):
    """The numbers are named, with the command that routes them elsewhere."""
    (number,) = buy_numbers(account, 1)
    account.ok(f"numbers route {number} --sms-trunk Inbox --yes")
    result = account("sms-trunks delete Inbox --yes")
    assert result.code == 3
    assert f"numbers route {number} --sms-trunk OTHER" in result.err
    assert number in account.ok("sms-trunks show Inbox")
    account.ok("sms-trunks delete Hook --yes")


def test_changes_of_a_trunk_are_confirmed(account):
    """Without a terminal, the answer is --yes; a dry run prints the request with masked secrets."""
    result = account("sms-trunks update Inbox --send-to office@example.com")
    assert result.code == 2
    assert "inbox@example.com -> office@example.com" in result.err
    out = account.ok("sms-trunks update Inbox --blocked --dry-run")
    assert "PATCH" in out
    assert '"blocked": true' in out
    assert not account.client.balance().find().data.balance < 0
    account.ok("sms-trunks update Inbox --blocked --yes")
    assert json.loads(account.ok("sms-trunks show Inbox -o json"))["blocked"] is True


def test_group_is_deleted_without_its_trunks(account):
    """Unless they are to go with it."""
    account.ok("sms-groups create Messages Inbox Hook --yes")
    result = account("sms-groups delete Messages --yes")
    assert "Trunks that stay: Hook, Inbox." in result.err
    assert "Inbox" in account.ok("sms-trunks list")
    account.ok("sms-groups create Messages Inbox --yes")
    result = account("sms-groups delete Messages --with-trunks --yes")
    assert "deleted with it: Inbox" in result.err
    assert "Inbox" not in account.ok("sms-trunks list")
    account.ok("sms-groups create Messages Hook --yes")
    result = account("resources sms-trunk-groups delete Messages")
    assert result.code == 2
    assert "sms-groups delete Messages" in result.err


def test_group_in_use_is_not_deleted(account):
    """Neither with nor without its trunks."""
    (number,) = buy_numbers(account, 1)
    account.ok("sms-groups create Messages Inbox Hook --yes")
    account.ok(f"numbers route {number} --sms-trunk Inbox --yes")
    assert account("sms-groups delete Messages --with-trunks --yes").code == 3
    account.ok(f"numbers route {number} --sms-group Messages --yes")
    assert account("sms-groups delete Messages --yes").code == 3
    assert account("resources sms-trunk-groups delete Messages --yes").code == 3


def test_group_that_changes_meanwhile(account, monkeypatch):
    """Nothing is changed then."""
    account.ok("sms-groups create Messages Inbox --yes")
    meanwhile(monkeypatch, lambda: account.ok("sms-groups add Messages Hook --yes"))
    result = account("sms-groups delete Messages --yes")
    assert result.code == 3
    assert "meanwhile" in result.err


def test_members_of_a_group(account):
    """The highest priority comes first."""
    account.ok("sms-trunks update Hook --priority 200 --yes")
    account.ok("sms-groups create Messages Inbox Hook --yes")
    trunks = json.loads(account.ok("sms-groups show Messages -o json"))["trunks"]
    assert [trunk["trunk"] for trunk in trunks] == ["Hook", "Inbox"]
    assert account("sms-groups add Messages Hook --yes").code == 2
    assert account("sms-groups add Messages Sender --yes").code == 3
    account.ok("sms-groups remove Messages Hook --yes")
    assert account("sms-groups remove Messages Hook --yes").code == 2
    result = account("sms-groups create Others Inbox --yes")
    assert "leaves group 'Messages'" in result.err


@pytest.mark.parametrize("trunk", ["Gateway", "Sender"])
def test_credentials_are_masked_shown_or_saved(account, tmp_path, trunk):
    """A file is new, and only for its user; new credentials replace the old ones."""
    masked = json.loads(account.ok(f"sms-trunks credentials {trunk} -o json"))
    assert list(masked.values()) == [trunk, "***", "***"]
    shown = json.loads(account.ok(f"sms-trunks credentials {trunk} --show -o json"))
    file: Path = tmp_path / "credentials.json"
    result = account(f"sms-trunks rotate {trunk} --save {file} --yes")
    assert result.code == 0, result
    saved = json.loads(file.read_text(encoding="utf-8"))
    assert saved.keys() == shown.keys()
    assert all(saved[name] != shown[name] for name in list(saved)[1:])
    assert not [value for value in list(saved.values())[1:] if value in result.out + result.err]
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = writes(account)
    result = account(f"sms-trunks rotate {trunk} --save {file} --yes")
    assert result.code == 2
    assert "exists" in result.err
    assert [line for line in writes(account)[len(before) :] if "/token" not in line] == []


def test_trunk_without_generated_credentials(account):
    """Its type is named."""
    for command in ("credentials", "rotate"):
        result = account(f"sms-trunks {command} Inbox")
        assert result.code == 3
        assert "sms_to_email" in result.err


def test_sender_ids(account):
    """Found by name, reference or id; the trunk is changed after a question."""
    listed = json.loads(account.ok("sender-ids list --status active -o json"))
    reference, id = listed[0]["reference"], listed[0]["id"]
    result = account(f"sender-ids assign {reference} Gateway")
    assert result.code == 2
    assert "trunk none -> Gateway" in result.err
    assert json.loads(account.ok(f"sender-ids assign {id} Gateway --yes -o json"))["sms_trunk"]["name"] == "Gateway"
    assert reference in account.ok("sender-ids list --trunk Gateway")
    assert "Nothing to change" in account("sender-ids assign 'Example Shop' Gateway").err
    account.ok("sender-ids rename 'Example Shop' 'Example Store'")
    assert "Example Store" in account.ok(f"sender-ids show {reference}")
    result = account("sender-ids unassign 'Example Store' --yes")
    assert "can no longer show it" in result.err
    assert account("sender-ids assign 'Example Store' Inbox --yes").code == 3
    result = account("sender-ids show 'Exmple Store'")
    assert result.code == 4
    assert "Example Store" in result.err


def test_exports_of_messages(account):
    """The same command goes on with the same export; its filters are those of the type."""
    line = "exports create sms_in --last 24h --no-wait --status Failed --sms-trunk Inbox -o json"
    first = json.loads(account.ok(line))
    assert json.loads(account.ok(line))["id"] == first["id"]
    other = line.replace("Failed", "Success")
    assert json.loads(account.ok(other))["id"] != first["id"]
    out = "exports create sms_out --last 24h --no-wait --service-type a2p --sender-id 'Example Shop' --source EXAMPLE"
    export = json.loads(account.ok(f"{out} -o json"))
    filters = json.loads(account.ok(f"exports show {export['id']} -o json"))["filters"]
    assert filters["source_address_eq"] == "EXAMPLE"
    assert {"service_type", "sender_id_verification.id"} <= filters.keys()
    assert len(export["your_reference"]) <= 100
    assert first["your_reference"] == "sms_in-last-1d-status=Failed-Inbox"


def test_export_file_of_messages(account, tmp_path, monkeypatch):
    """Its name has the name of the trunk. It is waited for, downloaded and decompressed."""
    monkeypatch.chdir(tmp_path)
    row = json.loads(account.ok("exports create sms_in --month last --sms-trunk Inbox -o json"))
    assert row["file"].startswith("sms_in_")
    assert row["file"].endswith("_Inbox.csv.gz")
    file = tmp_path / "messages.csv"
    account.ok(f"exports create sms_in --last 24h --gunzip -O {file}")
    assert file.read_text(encoding="utf-8").count(",") > 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sms_in --service-type a2p", "--service-type is for sms_out"),
        ("sms_in --number 442079460001", "--number is for cdr_in"),
        ("cdr_in --status Failed", "--status is for sms_in and sms_out"),
        ("sms_in --status Lost", "Write one of Success, Failed"),
        ("sms_in --status 'in progress'", "--status of sms_in is one of Success"),
    ],
)
def test_filters_of_another_type(account, line, said):
    """Exit code 2, and the filters that the type has."""
    result = account(f"exports create {line} --last 24h --no-wait")
    assert result.code == 2, result
    assert said in result.err


URL = "--url https://example.com/sms --http-method post"


@pytest.mark.parametrize(
    ("options", "body"),
    [
        ('--body-type json --body \'{"text": "{SMS_TEXT}"}\'', '{"text": "{SMS_TEXT}"}'),
        ("--body-type raw --body 'a=b'", "a=b"),
        (
            "--body-type html_url_encoded --body text={SMS_TEXT} --body 'note=a, b=c'",
            {"text": "{SMS_TEXT}", "note": "a, b=c"},
        ),
        ('--body-type html_multipart --body \'{"text": "{SMS_TEXT}"}\'', {"text": "{SMS_TEXT}"}),
    ],
)
def test_bodies(account, options, body):
    """Text, or the fields of a form; an update knows the type of the body."""
    client = account.emulator.client(api_version="2026-11-19")
    account.ok(f"sms-trunks create Body {URL} {options}")
    trunk = client.sms_trunks().one(filter={"name": "Body"})
    assert trunk.configuration.body == body
    form = isinstance(body, dict)
    account.ok(f"sms-trunks update Body --body {'other=1' if form else 'other'} --yes")
    trunk = client.sms_trunks().one(filter={"name": "Body"})
    assert trunk.configuration.body == ({"other": "1"} if form else "other")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (f"Body {URL} --body-type html_multipart --body text", "must be NAME=VALUE"),
        (f"Body {URL} --body-type json --body a --body b", "one text here"),
        (f"Body {URL} --body-type json", "--body must be set while"),
        ("Body --type smpp_smsc --host smpp.example.com", "Missing --server-location, --system-id and --password"),
        ("--type smpp_esme --server-location fra", "Missing NAME"),
    ],
)
def test_wrong_trunks(account, options, said):
    """In the words of the options."""
    before = writes(account)
    result = account(f"sms-trunks create {options}")
    assert result.code == 2, result
    assert said in result.err
    assert [line for line in writes(account)[len(before) :] if "/token" not in line] == []


def test_trunks_from_files(account, tmp_path):
    """JSON as it is printed, with bodies of any type; a CSV file changes many, and clears with none."""
    configuration = {"type": "http_in", "url": "https://example.com/sms", "http_method": "post"}
    form = {"body_type": "html_url_encoded", "body": {"text": "{SMS_TEXT}"}}
    document = {
        "data": {"type": "sms_trunks", "attributes": {"name": "Form", "configuration": {**configuration, **form}}}
    }
    account.ok("sms-trunks create --json -", input=json.dumps(document))
    file = tmp_path / "trunks.csv"
    file.write_text("name,external_reference_id,body\nForm,crm-1,other=1\n", encoding="utf-8")
    account.ok(f"sms-trunks update --from-csv {file} --yes")
    trunk = account.emulator.client(api_version="2026-11-19").sms_trunks().one(filter={"name": "Form"})
    assert (trunk.external_reference_id, trunk.configuration.body) == ("crm-1", {"other": "1"})
    account.ok(f"sms-trunks update {trunk.id} --json - --yes", input=json.dumps({"external_reference_id": None}))
    assert json.loads(account.ok("sms-trunks show Form -o json"))["external_reference_id"] is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("sender-ids assign 'Example Shop' Inbox", "which only receives messages"),
        ("sms-groups create Others Sender", "which only sends messages"),
    ],
)
def test_wrong_kind_of_trunk(account, line, said):
    """Nothing is asked nor sent, without --yes too."""
    before = writes(account)
    result = account(line)
    assert result.code == 3, result
    assert said in result.err
    assert "trunk none" not in result.err
    assert [line for line in writes(account)[len(before) :] if "/token" not in line] == []


def test_completion_offers_what_can_work(account):
    """Trunks of the right direction; references of sender IDs with one name."""
    account.emulator.sender_ids.add("Example Shop", sender_ids=["OTHER"], countries=["GB"])

    def offered(line: str) -> list[str]:
        words = f"didww {line} "
        env = {"_DIDWW_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()))}
        return [each.partition(",")[2] for each in account.process("", **env).out.splitlines()]

    assert offered("numbers route 442079460001 --sms-trunk") == ["Inbox", "Hook", "Spare", "Gateway"]
    assert offered("sender-ids assign X") == ["Gateway", "Sender"]
    found = offered("sender-ids show")
    assert len(found) == 2
    assert "Example Shop" not in found


def test_headers_and_bodies_are_masked(account):
    """Each member of them, in a table, in JSON, in CSV and in chosen columns."""
    options = "--headers X-Key=CANARY-1 --query-parameters k=CANARY-2 --body-type html_multipart --body a=CANARY-3"
    columns = "--columns configuration.headers.X-Key,configuration.body.a,configuration.body,configuration.headers"
    lines = (
        f"create Masked {URL} {options}",
        "show Masked",
        "show Masked -o json",
        f"list {columns}",
        f"list -o csv {columns}",
        "update Masked --body a=CANARY-4 --yes",
        "update Masked --body a=CANARY-5 --headers X=CANARY-6 --dry-run",
        "update Masked --body a=CANARY-5 --headers X=CANARY-6 --dry-run -o json",
    )
    outputs = [account(f"sms-trunks {line}") for line in lines]
    assert [result for result in outputs if result.code or "CANARY" in result.out + result.err] == []


def test_closed_sender_id_is_not_assigned(account):
    """Before anything is asked."""
    record = account.emulator.sender_ids.add("Closed", sender_ids=["CLOSED"], countries=["GB"], status="closed")
    result = account(
        f"sender-ids assign {record} Gateway" if isinstance(record, str) else "sender-ids assign Closed Gateway"
    )
    assert result.code == 3, result
    assert "is closed" in result.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("number,sms_trunk,sms_group\n{},Inbox,Messages\n", "pass sms_trunk or sms_group, not both"),
        ("number,sms_trunk\n{},\n", "column sms_trunk: pass sms_trunk"),
        ("number\n{}\n", "a column trunk or group or sms_trunk or sms_group is needed"),
        ("number,sms_trunk\n{},Messages\n", "'Messages' is the name of the SMS trunk group."),
    ],
)
def test_faults_of_a_file_of_routes(account, tmp_path, content, said):
    """In the words of the columns that the file has."""
    (number,) = buy_numbers(account, 1)
    account.ok("sms-groups create Messages Inbox --yes")
    file = tmp_path / "routes.csv"
    file.write_text(content.format(number), encoding="utf-8")
    result = account(f"numbers route --from-csv {file} --yes")
    assert result.code in (2, 4), result
    assert said in result.err
