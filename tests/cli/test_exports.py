"""`didww exports`."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from didww import DidwwClient
from didww.cli.export_periods import Wanted
from didww.cli.periods import date_time, month
from didww.enums import ExportType
from didww.exceptions import InvalidValueError
from didww.resources.export import Export
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem

if TYPE_CHECKING:
    from support.command import Command

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def here(didww: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty directory, on 26 November 2026 by the clock of the emulator."""
    didww.emulator.clock.freeze(NOW.isoformat())
    didww.emulator.transitions.set("exports", reads=1)
    directory = tmp_path / "here"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return directory


@pytest.fixture
def number(didww: Command) -> str:
    """Return a number of the account."""
    client = didww.client
    group = client.did_groups().first(
        filter={"area_name": "London", "needs_registration": False, "is_available": True}, include="stock_keeping_units"
    )
    didww.emulator.transitions.set("orders", after=0)
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
    client.orders().create(Order(items=[item]))
    did = client.dids().first()
    assert did is not None
    return did.number


def made(didww: Command) -> list[Export]:
    """Return the exports of the account."""
    return didww.client.exports().list().data


def posts(didww: Command) -> int:
    """Return how many requests may have created something."""
    return sum(entry.method == "POST" for entry in didww.emulator.journal.entries())


def test_month_is_downloaded(didww, here):
    """The calls of a whole month, with days in the name of the file."""
    result = didww("exports create cdr_in --month 2026-10 -o json")
    assert result.code == 0, result
    record = json.loads(result.out)
    assert record["file"] == "cdr_in_2026-10-01_2026-10-31.csv.gz"
    assert (record["from"], record["to"]) == ("2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z")
    text = gzip.decompress((here / record["file"]).read_bytes()).decode()
    assert "Date/Time Start (UTC)" in next(csv.reader(io.StringIO(text)))
    assert "Downloading: " in result.err


@pytest.mark.parametrize(
    ("options", "start", "end"),
    [
        ("--month 2026-11", "2026-11-01 00:00:00", "2026-11-26 12:30:00"),
        ("--month 2026-09", "2026-09-01 00:00:00", "2026-10-01 00:00:00"),
        ("--month this", "2026-11-01 00:00:00", "2026-11-26 12:30:00"),
        ("--month last", "2026-10-01 00:00:00", "2026-11-01 00:00:00"),
        ("--last 7d", "2026-11-19 12:30:00", "2026-11-26 12:30:00"),
        ("--last 90m", "2026-11-26 11:00:00", "2026-11-26 12:30:00"),
        ("--from 2026-11-01", "2026-11-01 00:00:00", "2026-11-26 12:30:00"),
        ("--from 2026-11-01 --to 2026-11-15", "2026-11-01 00:00:00", "2026-11-16 00:00:00"),
        ("--from 2026-11-05 --to 2026-11-05", "2026-11-05 00:00:00", "2026-11-06 00:00:00"),
        ("--from 2026-11-01 --to 2026-11-26", "2026-11-01 00:00:00", "2026-11-26 12:30:00"),
        ("--from 2026-11-01T08:00 --to '2026-11-01 20:00'", "2026-11-01 08:00:00", "2026-11-01 20:00:00"),
        ("--from 2026-11-01T08:00+02:00 --to 2026-11-01", "2026-11-01 06:00:00", "2026-11-02 00:00:00"),
    ],
)
def test_periods(didww, options, start, end):
    """Days are whole, times are in UTC, and nothing is later than now."""
    didww.ok(f"exports create cdr_in --no-wait {options}")
    (export,) = made(didww)
    assert (export.filters["from"], export.filters["to"]) == (start, end)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("", "--month"),
        ("--month 2026-11 --last 7d", "one of"),
        ("--to 2026-11-15", "one of"),
        ("--month 2026-11 --to 2026-11-15", "--from"),
        ("--month 2026-08", "2026-09-01"),
        ("--from 2026-08-31", "2026-09-01"),
        ("--last 90d", "2026-09-01"),
        ("--month 2026-12", "--month"),
        ("--from 2026-11-27", "later"),
        ("--from 2026-11-01 --to 2026-11-27", "Omit --to"),
        ("--from 2026-11-01 --to 2026-11-26T12:31", "Omit --to"),
        ("--from 2026-11-15 --to 2026-11-14", "after --from"),
        ("--from 15.11.2026", "Write 2026-11-01"),
        ("--from 2026-11-31", "Write 2026-11-01"),
        ("--month november", "Write 2026-11"),
        ("--month 2026-10 --reference ''", "--reference"),
        ("--month 2026-10 --reference ' '", "must not be empty"),
        ("--month 2026-13", "Write 2026-11"),
        ("--last 0d", "--last"),
        ("--last week", "14d"),
        ("--month 2026-11 --trunk Office", "--number"),
        ("--month 2026-11 --number 12", "international"),
    ],
)
def test_impossible_periods_and_options(didww, options, said):
    """Exit code 2, the message says what is possible, and no export is made."""
    result = didww(f"exports create cdr_in {options}")
    assert (result.code, result.out) == (2, ""), result
    assert said in result.err
    assert posts(didww) == 0


def test_january_goes_back_to_november():
    """The range of the service crosses the year."""
    wanted = Wanted.of(None, None, month("2026-11"), None)
    assert wanted.period(datetime(2027, 1, 31, tzinfo=UTC)).start == datetime(2026, 11, 1, tzinfo=UTC)
    early = Wanted.of(date_time("2026-11-01"), None, None, None)
    assert early.period(datetime(2027, 1, 1, tzinfo=UTC)).end == datetime(2027, 1, 1, tzinfo=UTC)


def test_calls_of_one_number(didww, number):
    """A number may have plus and spaces; the file is named after it."""
    out = didww.ok("exports create cdr_in --last 7d --gunzip --number", f"+{number[:2]} {number[2:]}")
    (export,) = made(didww)
    assert export.filters["did_number"] == number
    (file,) = Path().glob("*.csv")
    assert file.name in out
    assert number in file.name
    with file.open(encoding="utf-8", newline="") as lines:
        assert "Date/Time Start (UTC)" in next(csv.reader(lines))


def test_trunk_of_outbound_calls_is_found_by_name(didww):
    """An unknown name is exit code 4; `--number` belongs to inbound calls."""
    assert didww("exports create cdr_out --last 1d --trunk Nowhere").code == 4
    result = didww("exports create cdr_out --last 1d --number +442079460001")
    assert result.code == 2
    assert "--trunk" in result.err


def test_same_command_goes_on_with_the_same_export(didww, here):
    """After an interrupted wait."""
    didww.emulator.transitions.set("exports", by_hand=True)
    result = didww("exports create cdr_in --month 2026-10 --wait 1s")
    assert result.code == 8
    (export,) = made(didww)
    assert f"didww exports download {export.id}" in result.err
    didww.emulator.transitions.complete(export.id)
    result = didww("exports create cdr_in --month 2026-10")
    assert result.code == 0
    assert f"Going on with export {export.id}, created " in result.err
    assert "pass --new" in result.err
    assert len(made(didww)) == 1
    assert [file.name for file in here.iterdir()] == ["cdr_in_2026-10-01_2026-10-31.csv.gz"]


def test_interrupted_download_goes_on(didww, here):
    """After a failed download nothing is left, and the same command gets the file."""
    fault = didww.emulator.faults.add(method="GET", path="/exports/*.csv.gz", status=404)
    result = didww("exports create cdr_in --month 2026-10 --gunzip -O 'my calls.csv'")
    assert result.code == 4
    (export,) = made(didww)
    assert f"To continue: didww exports download {export.id} --gunzip -O 'my calls.csv'" in result.err
    assert list(here.iterdir()) == []
    didww.emulator.faults.remove(fault.id)
    didww.ok("exports create cdr_in --month 2026-10 --gunzip -O 'my calls.csv'")
    assert len(made(didww)) == 1
    assert [file.name for file in here.iterdir()] == ["my calls.csv"]


def test_period_that_ends_now_is_exported_again_later(didww):
    """Within a quarter of an hour the same export is used, later a new one with the latest calls."""
    didww.ok("exports create cdr_in --last 7d --no-wait")
    didww.emulator.clock.advance("10 minutes")
    didww.ok("exports create cdr_in --last 7d --no-wait")
    assert len(made(didww)) == 1
    didww.emulator.clock.advance("10 minutes")
    didww.ok("exports create cdr_in --last 7d --no-wait")
    assert len(made(didww)) == 2


def test_past_period_is_exported_once(didww):
    """Calls of the past do not change; `--new` makes another export."""
    didww.ok("exports create cdr_in --month 2026-10 --no-wait")
    didww.emulator.clock.advance("3 days")
    didww.ok("exports create cdr_in --month 2026-10 --no-wait")
    assert len(made(didww)) == 1
    didww.ok("exports create cdr_in --month 2026-10 --no-wait --new")
    assert len(made(didww)) == 2


def test_own_reference_does_not_hide_other_calls(didww):
    """An export with the same reference is used for the same calls only."""
    for options in ("--month 2026-10", "--month 2026-09", "--month 2026-10 --number +442079460001"):
        didww.ok(f"exports create cdr_in --no-wait --reference calls {options}")
    didww.ok("exports create cdr_out --no-wait --reference calls --month 2026-10")
    assert len(made(didww)) == 4


def test_existing_file_is_not_replaced(didww, here):
    """Nothing is sent if the file exists; `--force` replaces it."""
    (here / "calls.csv.gz").write_text("mine", encoding="utf-8")
    result = didww("exports create cdr_in --month 2026-10 -O calls.csv.gz")
    assert result.code == 2
    assert "--force" in result.err
    assert (here / "calls.csv.gz").read_text(encoding="utf-8") == "mine"
    assert posts(didww) == 0
    didww.ok("exports create cdr_in --month 2026-10 -O calls.csv.gz --force")
    assert gzip.decompress((here / "calls.csv.gz").read_bytes())


@pytest.mark.parametrize("path", ["nowhere/calls.csv", "."])
def test_file_that_cannot_be_written(didww, path):
    """It is said before anything is sent."""
    result = didww("exports create cdr_in --month 2026-10 -O", path)
    assert result.code == 2
    assert posts(didww) == 0


def test_dry_run_prints_the_request(didww):
    """Nothing is sent or written."""
    out = didww.ok("exports create cdr_in --month 2026-10 --dry-run")
    assert out.startswith("POST ")
    assert '"from": "2026-10-01 00:00:00"' in out
    assert posts(didww) == 0


def test_standard_output(didww):
    """`-O -` prints the file alone, decompressed for `head`."""
    result = didww.process("exports create cdr_in --month 2026-10 --gunzip -O -")
    assert result.code == 0, result
    assert "Date/Time Start (UTC)" in result.out.splitlines()[0]


def test_list_show_and_download(didww, here):
    """Each takes what the list prints in its first column."""
    didww.ok("exports create cdr_in --month 2026-10 --no-wait")
    with DidwwClient(didww.emulator.key, base_url=didww.base_url) as client:
        client.exports().create(Export(export_type=ExportType.CDR_OUT, filters=period()))
    rows = [line.split("\t") for line in didww.ok("exports list").splitlines()[1:]]
    assert {row[1] for row in rows} == {"cdr_in", "cdr_out"}
    for name, *_ in rows:
        record = json.loads(didww.ok("exports show -o json", name))
        assert name in (record["id"], record["external_reference_id"])
        didww.ok("exports download", name)
    assert len(list(here.iterdir())) == 2
    assert len(json.loads(didww.ok("exports list --reference cdr_in-2026-10 -o json"))) == 1


def period() -> Any:
    """Return a day of calls."""
    return {"from": NOW - timedelta(days=1), "to": NOW}


def test_unknown_export(didww):
    """Exit code 4."""
    for text in ("nothing", "", "858d9d61-04f4-48af-b089-d064fe168040"):
        assert didww("exports show", text).code == 4


def test_removed_export_is_made_again(didww, here):
    """The service keeps exports for a month."""
    didww.ok("exports create cdr_in --month 2026-11")
    didww.emulator.clock.advance("33 days")
    didww.ok("exports create cdr_in --month 2026-11")
    assert len(list(here.iterdir())) == 2


@pytest.mark.slow
def test_progress_on_a_terminal(didww):
    """A bar with the size; no line is wider than the terminal."""
    result = didww.screen("exports create cdr_in --month 2026-10")
    assert result.code == 0
    assert "Downloading" in result.out
    assert "cdr_in_2026-10-01_2026-10-31.csv.gz" in result.out


@pytest.mark.slow
def test_interrupted_wait_says_how_to_go_on(didww):
    """Ctrl-C leaves the export."""
    didww.emulator.transitions.set("exports", by_hand=True)
    with didww.terminal("exports create cdr_in --month 2026-10") as terminal:
        terminal.expect("pending")
        terminal.interrupt()
        assert terminal.wait() == 130
        (export,) = made(didww)
        assert f"To continue: didww exports download {export.id}" in terminal.text


def test_filters_of_the_client_are_those_of_the_command(didww):
    """The client refuses what the command refuses."""
    with pytest.raises(InvalidValueError):
        didww.client.exports().create(
            Export(export_type=ExportType.CDR_IN, filters={**period(), "voice_out_trunk.id": "1"})
        )
