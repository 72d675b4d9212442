"""`didww cdr fetch`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from support.fetching import lines_of

if TYPE_CHECKING:
    from support.command import Command

NOW = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def here(didww: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty directory, on 26 November 2026 by the clock of the emulator."""
    didww.emulator.clock.freeze(NOW.isoformat())
    didww.emulator.transitions.set("exports", after=0)
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
    client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)]))
    did = client.dids().first()
    assert did is not None
    return did.number


def test_new_calls(didww, here, number):
    """The first run fetches all, the next ones what is new, and nothing is printed for nothing."""
    first = didww("cdr fetch cdr_in calls/ --from 2026-11-20 -o json")
    assert first.code == 0, first
    (file,) = json.loads(first.out)
    assert file["file"] == str(Path("calls", "cdr_in_20261120T000000Z_20261126T123000Z.csv.gz"))
    assert file["bytes"] == (here / file["file"]).stat().st_size
    rows = lines_of([here / file["file"]]).total()
    assert f"{rows} new records in cdr_in from 2026-11-20 00:00 to 2026-11-26 12:30 UTC." in first.err
    assert "Downloading export 1 of 1, 2026-11-20 to 2026-11-26: " in first.err
    didww.emulator.calls.inbound(number)
    didww.emulator.clock.advance("1 second")
    second = didww("cdr fetch cdr_in calls/")
    assert second.code == 0
    assert "1 new record in cdr_in" in second.err
    didww.emulator.clock.advance("1 second")
    third = didww("cdr fetch cdr_in calls/")
    assert (third.code, third.out) == (0, "")
    assert "0 new records" in third.err
    assert json.loads(didww.ok("cdr fetch cdr_in calls/ -o json")) == []


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("--month 2026-10", ["20261001T000000Z_20261101T000000Z"]),
        ("--month this", ["20261101T000000Z_20261126T123000Z"]),
        ("--last 7d", ["20261119T123000Z_20261126T123000Z"]),
        (
            "--from 2026-10-31 --to 2026-11-01",
            ["20261031T000000Z_20261101T000000Z", "20261101T000000Z_20261102T000000Z"],
        ),
    ],
)
def test_period(didww, here, number, options, names):
    """A period is fetched as it is, one file for each month."""
    didww.ok(f"cdr fetch cdr_in calls {options}")
    assert sorted(path.name for path in here.glob("calls/*.gz")) == [f"cdr_in_{name}.csv.gz" for name in names]


def test_what_is_used_again_is_told(didww, here, number):
    """The number of records, the export that was there before, and other files with the same calls."""
    first = didww("cdr fetch cdr_in calls --month 2026-10")
    name = "cdr_in_20261001T000000Z_20261101T000000Z.csv.gz"
    rows = lines_of([here / "calls" / name]).total()
    period = "2026-10-01 00:00 to 2026-11-01 00:00 UTC"
    assert rows > 1
    assert f"{rows} records in cdr_in from {period}." in first.err
    assert "again" not in first.err
    didww.emulator.clock.advance("1 hour")
    again = didww("cdr fetch cdr_in calls --month 2026-10")
    assert f"{name}: used the export of 2026-11-26 12:30 UTC again; the file is already there." in again.err
    assert f"{rows} records" in again.err
    elsewhere = didww("cdr fetch cdr_in other --month 2026-10")
    assert f"{name}: used the export of 2026-11-26 12:30 UTC again." in elsewhere.err
    assert "same time" not in again.err + elsewhere.err
    overlapping = didww("cdr fetch cdr_in calls --from 2026-10-31 --to 2026-10-31")
    assert f"{Path('calls', name)} has calls of the same time" in overlapping.err
    (here / "calls" / name).write_bytes((here / "calls" / name).read_bytes()[:-5])
    assert didww("cdr fetch cdr_in calls --month 2026-10").code == 0
    assert lines_of([here / "calls" / name]).total() == rows


def test_filters(didww, here, number):
    """Numbers and trunks are those that people know."""
    didww.ok(f"cdr fetch cdr_in calls/ --last 7d --number +{number}")
    assert [path.name for path in here.glob("calls/*.gz")] == [
        f"cdr_in_20261119T123000Z_20261126T123000Z_{number}.csv.gz"
    ]
    result = didww("cdr fetch cdr_in calls/ --trunk Office")
    assert result.code == 2
    assert "--trunk is for cdr_out. Filters of cdr_in: --number." in result.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("cdr fetch cdr_in calls/ --from 2026-05-01", "--from must be within what the service has"),
        ("cdr fetch cdr_in calls/ --from 2026-05-01 --to 2026-05-02", "--from"),
        ("cdr fetch cdr_in", "DIRECTORY"),
        ("cdr fetch sms_in calls/", "cdr_in"),
        ("cdr fetch cdr_in calls/ --month 2026-08", "2026-09-01"),
        ("cdr fetch cdr_in calls/ --month 2026-10 --last 7d", "one of"),
        ("cdr fetch cdr_in calls/ --to 2026-11-15", "--from"),
        ("cdr fetch cdr_in calls/ --from 2026-08-31", "from 2026-09-01 00:00:00 UTC"),
        ("cdr fetch cdr_in calls/ --from 2026-11-27", "until now"),
    ],
)
def test_what_cannot_be_fetched(didww, here, line, said):
    """Exit code 2, and the message says what is possible."""
    result = didww(line)
    assert (result.code, result.out) == (2, ""), result
    assert said in result.err
    assert [*here.glob("calls/*.gz")] == []


def test_waiting_ends_in_time(didww, here):
    """The export goes on being prepared; the next run waits for it."""
    didww.emulator.transitions.set("exports", by_hand=True)
    result = didww("cdr fetch cdr_in calls/ --month 2026-10 --wait 1s")
    assert result.code == 8, result
    assert "To continue: run the same command again" in result.err
    assert "Waiting for export 1 of 1, 2026-10-01 to 2026-11-01: being prepared" in result.err
    didww.emulator.transitions.complete(didww.client.exports().one().id)
    didww.ok("cdr fetch cdr_in calls/ --month 2026-10")
    assert len(didww.client.exports().list().data) == 1
