"""`didww prices`."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from didww.cli.prices import SERVICES, prices
from support.cli_account import examples_of, run_example

if TYPE_CHECKING:
    from support.command import Command


@pytest.fixture
def account(didww: Command) -> Command:
    """Return the command in the API version that has prices."""
    didww.env["DIDWW_API_VERSION"] = "2026-11-19"
    return didww


@pytest.mark.parametrize(
    ("command", "example"),
    [(command, example) for command, examples in examples_of(prices).values() for example in examples],
    ids=lambda value: value.partition("prices ")[2] if isinstance(value, str) else "",
)
def test_examples_run(account, command, example, tmp_path, monkeypatch):
    """Each example of the help works."""
    monkeypatch.chdir(tmp_path)
    run_example(account, command, example)


def test_lookup_by_number(account):
    """A table has the declared columns; JSON has all attributes, with money as text."""
    lines = account.ok("prices lookup voice-out +442079460001").splitlines()
    headings = lines[0].split("\t")
    assert headings[:5] == ["prefix", "network", "rate", "per call", "billing"]
    assert "/" in lines[1].split("\t")[4]
    found = json.loads(account.ok("prices lookup voice-out +442079460001 -o json"))
    assert found
    assert all("442079460001".startswith(price["prefix"]) for price in found)
    assert isinstance(found[0]["rate"], str)


def test_lookup_by_country(account):
    """By name or code, of messages only."""
    by_code = json.loads(account.ok("prices lookup sms-out --country gb -o json"))
    by_name = json.loads(account.ok("prices lookup sms-out --country 'United Kingdom' -o json"))
    assert by_code == by_name
    assert {price["country"] for price in by_code} == {"United Kingdom"}
    table = list(csv.DictReader(io.StringIO(account.ok("prices lookup sms-in --country GB -o csv"))))
    assert all(row["price"] for row in table)


def test_domains_have_their_own_prices(account):
    """The usual one is a2p."""
    usual = account.ok("prices lookup sms-out --country GB -o json")
    assert usual == account.ok("prices lookup sms-out --country GB --domain a2p -o json")
    assert usual != account.ok("prices lookup sms-out --country GB --domain otp -o json")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("lookup voice-in", "number"),
        ("lookup sms-in", "--country"),
        ("lookup voice-out 442079460001 --country GB", "--country goes with"),
        ("lookup voice-out 442079460001 --from-country GB", "--from-country goes with"),
        ("lookup voice-in 442079460001 --domain otp", "--domain goes with"),
        ("lookup voice-in 12", "international format"),
        ("lookup fax 442079460001", "voice-in"),
        ("download sms-in - --if-newer", "--if-newer needs a file"),
        ("download sms-in ''", "must not be empty"),
        ("lookup all 442079460001", "SERVICE: There is no 'all'. Write one of voice-in, voice-out, sms-in, sms-out."),
    ],
)
def test_wrong_use(account, line, said):
    """Exit code 2, and what is wrong."""
    result = account(f"prices {line}")
    assert result.code == 2, result
    assert said in result.err


def test_no_price_and_no_plan(account):
    """Exit code 4 for both."""
    result = account("prices lookup sms-out 99999999999")
    assert result.code == 4, result
    account.emulator.prices.unassign("voice_out")
    result = account("prices lookup voice-out 442079460001")
    assert result.code == 4, result


@pytest.mark.parametrize("service", SERVICES)
def test_download(account, tmp_path, service):
    """The file is a gzip file or CSV text, and has the date of the prices."""
    packed, text = tmp_path / "prices.csv.gz", tmp_path / "prices.csv"
    row = json.loads(account.ok(f"prices download {service} {packed} -o json"))
    account.ok(f"prices download {service} {text} --decompress")
    assert gzip.decompress(packed.read_bytes()) == text.read_bytes()
    assert row["bytes"] == packed.stat().st_size
    assert row["changed"] is True
    changed = datetime.fromisoformat(row["prices_of"])
    assert datetime.fromtimestamp(packed.stat().st_mtime, UTC) == changed


def test_download_only_what_is_newer(account, tmp_path):
    """Unchanged prices are no failure; changed ones replace the file."""
    file = tmp_path / "prices.csv.gz"
    line = f"prices download sms-in {file} --if-newer"
    account.ok(line)
    before = file.stat()
    result = account(f"{line} -o json")
    assert result.code == 0
    assert "Unchanged" in result.err
    assert json.loads(result.out)["changed"] is False
    assert file.stat().st_ino == before.st_ino
    account.emulator.clock.advance("2 days")
    account.emulator.prices.assign("sms_in")
    assert json.loads(account.ok(f"{line} -o json"))["changed"] is True
    assert file.stat().st_mtime > before.st_mtime


@pytest.mark.parametrize(
    ("first", "then", "code"),
    [
        ("voice-in FILE", "voice-out FILE", 2),
        ("sms-in FILE", "sms-in FILE --decompress", 2),
        ("sms-in FILE --decompress", "sms-in FILE", 2),
        ("sms-out FILE", "sms-out FILE --domain otp", 0),
        ("sms-out FILE", "sms-out FILE --domain otp --force", 0),
        ("voice-in FILE", "voice-out FILE --force", 0),
    ],
)
def test_newer_file_of_other_prices(account, tmp_path, first, then, code):
    """Only a file of the same prices is left alone: other prices of the same kind are downloaded, others are refused."""
    file = tmp_path / "prices"
    account.ok(f"prices download {first.replace('FILE', str(file))}")
    before = file.read_bytes()
    result = account(f"prices download {then.replace('FILE', str(file))} --if-newer")
    assert result.code == code, result
    assert (file.read_bytes() == before) is (code != 0)
    assert ("--force" in result.err) is (code != 0)


def test_newer_file_that_is_none(account, tmp_path):
    """Notes are not replaced; nor does a file count that was edited."""
    file = tmp_path / "notes.txt"
    file.write_text("hello\n", encoding="utf-8")
    result = account(f"prices download voice-in {file} --if-newer --decompress")
    assert result.code == 2
    assert "no CSV file of voice-in prices" in result.err
    other = tmp_path / "prices.csv"
    account.ok(f"prices download voice-in {other} --decompress")
    whole = other.read_bytes()
    other.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 1])
    account.ok(f"prices download voice-in {other} --decompress --if-newer")
    assert other.read_bytes() == whole


def test_local_number_has_no_price_of_inbound_calls(account):
    """The message says which numbers have one."""
    result = account("prices lookup voice-in 442079460001")
    assert result.code == 4
    assert "toll-free, shared-cost and metered" in result.err


def test_existing_file_is_kept(account, tmp_path):
    """Unless the options say otherwise."""
    file = tmp_path / "prices.csv"
    file.write_text("mine", encoding="utf-8")
    result = account(f"prices download sms-in {file}")
    assert result.code == 2
    assert "--force" in result.err
    assert "--if-newer" in result.err
    assert "-O" not in result.err
    assert file.read_text(encoding="utf-8") == "mine"
    account.ok(f"prices download sms-in {file} --force --decompress")
    assert file.read_text(encoding="utf-8").startswith("Source prefix,")


def test_download_to_standard_output(account):
    """It is written when it is complete."""
    assert account.ok("prices download sms-in - --decompress").startswith("Source prefix,")


def test_progress_is_shown(account, tmp_path):
    """On standard error."""
    result = account(f"prices download voice-out {tmp_path / 'prices.csv.gz'}")
    assert "Downloading" in result.err


@pytest.mark.parametrize("fault", [{"status": 503}, {"cut": 200}], ids=["refused", "cut"])
def test_interrupted_download_leaves_no_file(account, tmp_path, fault):
    """A file is complete or absent; an old one stays."""
    file = tmp_path / "prices.csv.gz"
    account.ok(f"prices download voice-out {tmp_path / 'old'}")
    before = (tmp_path / "old").read_bytes()
    account.emulator.faults.add(method="GET", path="*prices.csv.gz", **fault)
    for target in (file, tmp_path / "old"):
        result = account(f"prices download voice-out {target} --force")
        assert result.code == 5, result
    assert list(tmp_path.glob("prices*")) == []
    assert (tmp_path / "old").read_bytes() == before


def test_lookup_without_a_result(account):
    """An empty list is no price."""
    account.emulator.faults.add(method="GET", path="*lookup/prices", status=200, body='{"data": []}')
    assert account("prices lookup voice-out 442079460001").code == 4
