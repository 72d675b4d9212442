"""`exports().fetch`: the calls of a period, as files."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    DidwwClientError,
    ExportType,
    FetchProgress,
    InvalidValueError,
    read_calls,
)
from support.fetching import NOW, Account, lines_of, total

if TYPE_CHECKING:
    from collections.abc import Iterator

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
LATE_OCTOBER = datetime(2026, 10, 30, 6, tzinfo=UTC)


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, account: Account) -> Iterator[Any]:
    if request.param == "sync":
        yield account.client
        return
    with asyncio.Runner() as runner:
        yield account.asynchronous(runner)


def test_calls_of_a_period(account: Account, client: Any, tmp_path: Path) -> None:
    """The files have exactly the calls of the service, one file for each month, until now."""
    files = client.exports().fetch(ExportType.CDR_IN, start=SEPTEMBER, directory=tmp_path)
    assert [path.name for path in files] == [
        "cdr_in_20260901T000000Z_20261001T000000Z.csv.gz",
        "cdr_in_20261001T000000Z_20261101T000000Z.csv.gz",
        "cdr_in_20261101T000000Z_20261126T123000Z.csv.gz",
    ]
    assert (files.start, files.end, files.export_type, len(files)) == (SEPTEMBER, NOW, "cdr_in", 3)
    expected = account.generated("cdr_in", SEPTEMBER, NOW)
    assert lines_of(files) == expected
    assert total(lines_of(files), 20) == total(expected, 20) > 1
    calls = [*read_calls(files)]
    assert sum(call.cost or 0 for call in calls) == total(expected, 20)
    assert len(calls) == expected.total()
    assert [export.filters["to"] for export in files.exports] == [
        *("2026-10-01 00:00:00", "2026-11-01 00:00:00", "2026-11-26 12:30:00")
    ]


def test_only_one_number_or_trunk(account: Account, client: Any, tmp_path: Path) -> None:
    """A number or a trunk selects its calls, and is in the name of the file."""
    number = account.numbers[0]
    files = client.exports().fetch("cdr_in", start=LATE_OCTOBER, did_number=number, directory=tmp_path)
    assert lines_of(files) == account.generated("cdr_in", LATE_OCTOBER, NOW, number)
    assert files.paths[0].name == f"cdr_in_20261030T060000Z_20261101T000000Z_{number}.csv.gz"

    trunk = account.trunk()
    for chosen in (trunk, trunk.id):
        files = client.exports().fetch(
            ExportType.CDR_OUT, start=LATE_OCTOBER, voice_out_trunk=chosen, directory=tmp_path
        )
        assert lines_of(files) == account.generated("cdr_out", LATE_OCTOBER, NOW, trunk=trunk)


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01 00:00:00"),
        (datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=2))), "2026-10-31 22:00:00"),
        (datetime(2026, 10, 31, 23, 59, 59, 1, tzinfo=UTC), "2026-11-01 00:00:00"),
        (NOW, "2026-11-26 12:30:00"),
        (NOW + timedelta(seconds=40), "2026-11-26 12:30:00"),
        (None, "2026-11-26 12:30:00"),
    ],
)
def test_end_is_exclusive_with_a_whole_last_second(
    account: Account, tmp_path: Path, end: datetime | None, expected: str
) -> None:
    """The end is rounded up to a second, and is now at the latest, also if the clocks differ a little."""
    files = account.client.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert files.exports[-1].filters["to"] == expected
    assert f"{files.end:%Y-%m-%d %H:%M:%S}" == expected


@pytest.mark.parametrize(
    ("arguments", "field", "said"),
    [
        ({"export_type": "sms_in"}, "export_type", "exports().create"),
        ({"export_type": "cdr"}, "export_type", "CDR_IN"),
        ({"start": datetime(2026, 11, 1)}, "start", "time zone"),
        ({"start": "2026-11-01"}, "start", "time zone"),
        ({"start": datetime(2026, 8, 31, 23, 59, tzinfo=UTC)}, "start", "from 2026-09-01 00:00:00 UTC until now"),
        ({"start": NOW}, "start", "before now, 2026-11-26 12:30:00 UTC"),
        ({"end": NOW + timedelta(hours=1)}, "end", "Omit it"),
        ({"end": LATE_OCTOBER}, "start", "not included"),
        ({"did_number": "+44 20 7946 0000"}, "did_number", "Write '442079460000'"),
        ({"export_type": "cdr_out", "did_number": "442079460000"}, "did_number", "voice_out_trunk"),
        ({"voice_out_trunk": "8d1a3c5e-0000-4000-8000-000000000001"}, "voice_out_trunk", "did_number"),
        ({"export_type": "cdr_out", "voice_out_trunk": "Office"}, "voice_out_trunk", "VoiceOutTrunk or its id"),
        ({"directory": 5}, "directory", "path"),
        ({"timeout": 0}, "timeout", "above 0"),
        ({"progress": "yes"}, "progress", "function"),
    ],
)
def test_what_cannot_be_fetched(
    account: Account, client: Any, tmp_path: Path, arguments: dict[str, Any], field: str, said: str
) -> None:
    """The error names the argument and the way out; no export is created."""
    with pytest.raises(InvalidValueError) as caught:
        client.exports().fetch(**{"export_type": "cdr_in", "start": LATE_OCTOBER, "directory": tmp_path, **arguments})
    assert caught.value.field == field
    assert said in str(caught.value)
    assert account.posts() == 0


def test_repeated_call_uses_what_is_there(account: Account, client: Any, tmp_path: Path) -> None:
    """An export that cannot be outdated is neither created nor downloaded again."""
    end = datetime(2026, 11, 10, tzinfo=UTC)
    first = client.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert (account.posts(), account.downloads()) == (2, 2)
    again = client.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert (again.paths, [export.id for export in again.exports]) == (first.paths, [e.id for e in first.exports])
    assert (account.posts(), account.downloads()) == (2, 2)
    whole = first.paths[0].read_bytes()
    first.paths[0].unlink()
    client.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert (account.posts(), account.downloads()) == (2, 3)
    first.paths[0].write_bytes(whole[:-10])
    client.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert (account.posts(), account.downloads()) == (2, 4)
    assert first.paths[0].read_bytes() == whole


def test_export_that_may_be_outdated_is_created_again(account: Account, tmp_path: Path) -> None:
    """Calls of the last day can appear late, so an export that was created soon after its end is not used again."""
    end = NOW - timedelta(hours=1)
    exports = account.client.exports()
    first = exports.fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    again = exports.fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert again.exports[0].id == first.exports[0].id  # of October
    assert again.exports[1].id != first.exports[1].id
    assert again.paths == first.paths
    account.emulator.clock.advance("2 days")
    settled = exports.fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert settled.exports[1].id not in {again.exports[1].id, first.exports[1].id}
    assert (
        exports.fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path).exports[1].id == settled.exports[1].id
    )


def test_old_exports_are_not_used_again(account: Account, tmp_path: Path) -> None:
    """Neither one that is being prepared for hours, nor one whose file the service may have removed."""
    start, end = NOW - timedelta(days=3), NOW - timedelta(days=2)
    exports, emulator = account.client.exports(), account.emulator
    emulator.transitions.set("exports", by_hand=True)

    def interrupt(_: FetchProgress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exports.fetch("cdr_in", start=start, end=end, directory=tmp_path, progress=interrupt)
    emulator.transitions.set("exports", after=0)
    emulator.clock.advance("2 hours")
    exports.fetch("cdr_in", start=start, end=end, directory=tmp_path)
    assert account.posts() == 2
    emulator.clock.advance("27 days")
    exports.fetch("cdr_in", start=start, end=end, directory=tmp_path)
    assert account.posts() == 2
    emulator.clock.advance("2 days")
    exports.fetch("cdr_in", start=start, end=end, directory=tmp_path)
    assert account.posts() == 3


def test_interrupted_wait_goes_on(account: Account, client: Any, tmp_path: Path) -> None:
    """An export that is still being prepared is waited for again, not created again."""
    account.emulator.transitions.set("exports", by_hand=True)
    end = NOW - timedelta(hours=1)

    def interrupt(progress: FetchProgress) -> None:
        assert progress.step == "waiting"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.exports().fetch("cdr_in", start=NOW - timedelta(days=3), end=end, directory=tmp_path, progress=interrupt)
    export = account.client.exports().one()
    files = client.exports().fetch(
        "cdr_in",
        start=NOW - timedelta(days=3),
        end=end,
        directory=tmp_path,
        progress=lambda progress: progress.step == "waiting" and account.emulator.transitions.complete(export.id),
    )
    assert account.posts() == 1
    assert lines_of(files) == account.generated("cdr_in", NOW - timedelta(days=3), end)


def test_exports_of_other_accounts_versions_and_filters_are_not_used(account: Account, tmp_path: Path) -> None:
    """Neither is an export with other columns."""
    end = datetime(2026, 11, 10, tzinfo=UTC)
    account.client.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    other = account.emulator.client("another-key-of-the-tests")
    files = other.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path / "other")
    assert lines_of(files).total() == 0
    newer = account.emulator.client(api_version="2026-11-19")
    files = newer.exports().fetch("cdr_in", start=LATE_OCTOBER, end=end, directory=tmp_path)
    assert all(call.cli for call in read_calls(files) if call.source)
    assert len([*read_calls(files)]) == account.generated("cdr_in", LATE_OCTOBER, end).total()


def test_directory_of_another_account(account: Account, client: Any, tmp_path: Path) -> None:
    """Its files are not replaced."""
    files = client.exports().fetch("cdr_in", start=LATE_OCTOBER, directory=tmp_path)
    before = lines_of(files)
    other = account.emulator.client("another-key-of-the-tests")
    posts = account.posts()
    with pytest.raises(InvalidValueError, match="one account only") as caught:
        other.exports().fetch("cdr_in", start=LATE_OCTOBER, directory=tmp_path)
    assert caught.value.field == "directory"
    assert (account.posts(), lines_of(files)) == (posts, before)


def test_progress(account: Account, client: Any, tmp_path: Path) -> None:
    """`progress` learns which export is waited for, and how much of it is downloaded."""
    account.emulator.transitions.set("exports", reads=1)
    told: list[FetchProgress] = []
    files = client.exports().fetch("cdr_in", start=LATE_OCTOBER, directory=tmp_path, progress=told.append)
    assert {(each.step, each.part, each.parts) for each in told} == {
        *(("waiting", 1, 2), ("downloading", 1, 2), ("waiting", 2, 2), ("downloading", 2, 2))
    }
    assert [each.done for each in told if each.step == "downloading"] == [path.stat().st_size for path in files]
    assert told[-1].end == NOW


def test_default_directory_is_the_current_one(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are relative to it, as those of `download_export`."""
    monkeypatch.chdir(tmp_path)
    files = account.client.exports().fetch("cdr_in", start=NOW - timedelta(hours=5))
    assert [str(path) for path in files] == ["cdr_in_20261126T073000Z_20261126T123000Z.csv.gz"]
    assert all(path.is_file() for path in files)


def test_directory_that_cannot_be_written(account: Account, client: Any, tmp_path: Path) -> None:
    """It is reported before an export is created."""
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(DidwwClientError, match="file is not a directory"):
        client.exports().fetch("cdr_in", start=LATE_OCTOBER, directory=tmp_path / "file")
    assert account.posts() == 0


def test_files_are_private(account: Account, tmp_path: Path) -> None:
    """Call records are personal data: only the owner can read them."""
    files = account.client.exports().fetch("cdr_in", start=LATE_OCTOBER, directory=tmp_path / "calls")
    inside = [path for path in (tmp_path / "calls").rglob("*") if path.is_file()]
    assert {*files} <= {*inside}
    assert {path.stat().st_mode & 0o077 for path in inside} == {0}
