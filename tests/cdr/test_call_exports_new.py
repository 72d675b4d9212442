"""`exports().fetch_new`: only new calls, no gap, no row twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from didww import DidwwClient, DidwwClientError, InvalidValueError, read_calls
from didww._core.effects import Close, FileClose, FileOpen, Invoke, Response, Send, Work
from didww._drivers.folder_lock import FolderLock
from didww.transport.inprocess import InProcessTransport
from support.fetching import NOW, Account, lines_of, total
from support.hypothesis_profiles import SLOW, law
from support.unix import unix_only

START = NOW - timedelta(days=3)
ROOT = Path(__file__).parents[2]


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


def all_lines(directory: Path) -> Any:
    """Return the lines of all files of a directory, with how often each occurs."""
    return lines_of(sorted(directory.glob("*.csv.gz")))


def new_names(directory: Path, first: Path) -> set[str]:
    """Return the names of the files of a directory that a copy of it did not have."""
    return {path.name for path in directory.glob("*.gz")} - {path.name for path in first.glob("*.gz")}


def now_of(account: Account) -> datetime:
    """Return the time of the emulator."""
    return account.emulator.clock.now()


def test_each_call_adds_what_is_new(account: Account, client: Any, tmp_path: Path) -> None:
    """The files have all calls once, with the money of the service, and are never changed."""
    first = client.exports().fetch_new("cdr_in", tmp_path, start=START)
    assert lines_of(first) == account.generated("cdr_in", START, NOW)
    contents = [path.read_bytes() for path in first]
    account.emulator.calls.inbound(account.numbers[0], count=3)
    account.emulator.clock.advance("2 hours")
    second = client.exports().fetch_new("cdr_in", tmp_path)
    whole = lines_of(account.client.exports().fetch("cdr_in", start=START, directory=tmp_path / "whole"))
    assert (first.rows, second.rows) == (lines_of(first).total(), lines_of(second).total())
    assert lines_of(second).total() >= 3
    assert all_lines(tmp_path) == whole
    assert sum(call.cost or 0 for call in read_calls(tmp_path.glob("*.csv.gz"))) == total(whole, 20) > 0
    assert (second.start, second.end) == (NOW - timedelta(days=1), now_of(account))
    account.emulator.clock.advance("1 second")
    assert client.exports().fetch_new("cdr_in", tmp_path).paths == ()
    assert [path.read_bytes() for path in first] == contents


def test_first_call_fetches_all_that_the_service_has(account: Account, tmp_path: Path) -> None:
    """Without `start`, that is from the first day of the month before the last one on, also for outbound calls."""
    account.trunk()
    files = account.client.exports().fetch_new("cdr_out", tmp_path)
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    assert files.start == begin
    assert lines_of(files) == account.generated("cdr_out", begin, NOW)
    assert len(files) == 3


def test_same_second_has_nothing_new(account: Account, tmp_path: Path) -> None:
    """No export is created."""
    account.client.exports().fetch_new("cdr_in", tmp_path, start=START)
    posts = account.posts()
    assert account.client.exports().fetch_new("cdr_in", tmp_path).paths == ()
    assert account.posts() == posts


@given(
    steps=st.lists(
        st.tuples(st.integers(1, 40 * 86400), st.integers(0, 3), st.sampled_from(["2026-04-16", "2026-11-19"])),
        min_size=1,
        max_size=5,
    )
)
@law(20)
def test_any_times_between_calls(steps: list[tuple[int, int, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Across months and API versions, every call is there once."""
    account, directory = Account(), tmp_path_factory.mktemp("calls")
    placed = 0
    for seconds, count, version in [(1, 0, "2026-04-16"), *steps]:
        if count:
            placed += len(account.emulator.calls.inbound(account.numbers[0], count=count))
        account.emulator.clock.advance(f"{seconds} seconds")
        with account.emulator.client(api_version=version) as client:
            client.exports().fetch_new("cdr_in", directory, start=START)
    generated = account.generated("cdr_in", START, now_of(account)).total()
    calls = [*read_calls(sorted(directory.glob("*.csv.gz")))]
    assert len(calls) == generated + placed
    assert len({(call.call_id, getattr(call, "attempt", None)) for call in calls}) == len(calls)


@pytest.mark.parametrize("distance", [pytest.param(1, marks=pytest.mark.slow), 17])
@pytest.mark.parametrize("when", ["instead", "after"])
def test_error_at_each_effect(account: Account, tmp_path: Path, when: str, distance: int) -> None:
    """Whatever effect is interrupted, the next call makes up for it."""
    client, first = account.client, tmp_path / "first"
    client.exports().fetch_new("cdr_in", first, start=START)
    account.emulator.calls.inbound(account.numbers[0], count=2)
    account.emulator.clock.advance("1 hour")
    whole = lines_of(client.exports().fetch("cdr_in", start=START, directory=tmp_path / "whole"))
    handlers = dict(client._driver._handlers)
    # What frees something is performed in any case; a file that is opened has to be closed.
    spared = (Close, FileClose, Invoke, *([FileOpen] if when == "after" else []))
    number = 0
    while True:
        directory = tmp_path / str(number)
        shutil.copytree(first, directory)
        left = [number]

        def failing(kind: type, perform: Callable[[Any], Any], left: list[int] = left) -> Callable[[Any], Any]:
            def run(effect: Any) -> Any:
                left[0] -= 1
                fails = left[0] == -1 and kind not in spared
                if fails and when == "instead":
                    raise KeyboardInterrupt
                result = perform(effect)
                if fails:
                    raise KeyboardInterrupt
                return result

            return run

        client._driver._handlers.update({kind: failing(kind, each) for kind, each in handlers.items()})
        returned: list[Path] = []
        with contextlib.suppress(KeyboardInterrupt):
            returned += client.exports().fetch_new("cdr_in", directory)
        client._driver._handlers.update(handlers)
        returned += client.exports().fetch_new("cdr_in", directory)
        assert all_lines(directory) == whole, number
        # Files that were not returned are returned by the next call.
        assert sorted(path.name for path in returned) == sorted(new_names(directory, first)), number
        shutil.rmtree(directory)
        if left[0] >= 0:
            break
        number += distance
    assert number > 30


def _killed(directory: Path, first: int, distance: int, count: int) -> int:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "support.killing", *map(str, (directory, first, distance, count))],
        env={"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@unix_only
@pytest.mark.slow
def test_process_killed_at_any_line(tmp_path: Path) -> None:
    """A process that is killed anywhere loses and doubles nothing, nor does it leave call records behind."""
    distance = 13 if settings().max_examples >= SLOW else 65  # each takes a second where the disk is slow
    assert _killed(tmp_path, 3, distance, 1690 // distance) > 1040 // distance


@unix_only
def test_process_killed_at_some_lines(tmp_path: Path) -> None:
    """As above, at a few lines."""
    assert _killed(tmp_path, 3, 149, 9) > 5


def test_files_of_a_call_that_did_not_return_are_returned_by_the_next(account: Account, tmp_path: Path) -> None:
    """They are in the directory, and no program has learned of them."""
    exports = account.client.exports()

    def interrupt(progress: Any) -> None:
        if progress.part == 2:
            raise KeyboardInterrupt

    start = datetime(2026, 10, 20, tzinfo=UTC)
    with pytest.raises(KeyboardInterrupt):
        exports.fetch_new("cdr_in", tmp_path, start=start, progress=interrupt)
    files = exports.fetch_new("cdr_in", tmp_path, start=start)
    assert files.paths[0].name == "cdr_in_20261020T000000Z_20261101T000000Z.csv.gz"
    assert lines_of(files) == account.generated("cdr_in", start, NOW) == all_lines(tmp_path)


@pytest.mark.parametrize("when", ["meanwhile", "after"])
def test_task_canceled_at_each_step_with_the_disk(account: Account, tmp_path: Path, when: str) -> None:
    """The files of a canceled call are returned by the next, also if they were complete, and no file is twice."""

    async def main() -> None:
        async with account.emulator.async_client() as client:
            handlers = client._driver._handlers
            perform = handlers[Work]
            left, number = -1, -1

            async def canceled(effect: Any) -> Any:
                nonlocal left
                left -= 1
                if left != -1:
                    return await perform(effect)
                task = asyncio.current_task()
                assert task is not None
                if when == "meanwhile":
                    asyncio.get_running_loop().call_soon(task.cancel)
                    return await perform(effect)
                await perform(effect)
                task.cancel()
                return await asyncio.sleep(0)

            while left < 0:
                number += 1
                left, returned, directory = number, [], tmp_path / str(number)
                handlers[Work] = canceled
                with contextlib.suppress(asyncio.CancelledError):
                    returned += await client.exports().fetch_new("cdr_in", directory, start=START)
                handlers[Work] = perform
                while True:  # the thread of the canceled call may hold the lock
                    with contextlib.suppress(DidwwClientError):
                        returned += await client.exports().fetch_new("cdr_in", directory, start=START)
                        break
                assert [path.name for path in returned] == [path.name for path in directory.glob("*.gz")], number
                assert all_lines(directory) == account.generated("cdr_in", START, NOW), number
            assert number > 5

    asyncio.run(main())


@unix_only
def test_lock_does_not_outlast_a_call_in_a_process_that_was_forked_from_it(tmp_path: Path) -> None:
    """A forked process has the file open, too; here, a copy of the descriptor stands for it."""
    lock = FolderLock(tmp_path / "a.lock")
    with lock.in_use():
        assert lock.acquire()
    assert lock._descriptor is not None
    forked = os.dup(lock._descriptor)
    try:
        lock.release()
        again = FolderLock(tmp_path / "a.lock")
        with again.in_use():
            assert again.acquire()
        again.release()
    finally:
        os.close(forked)


def test_clock_that_is_ahead(account: Account, tmp_path: Path) -> None:
    """The service refuses an end in the future; then the export ends a little earlier, and nothing is missed."""
    client = account.client
    send = client._driver._handlers[Send]

    def ahead(effect: Any) -> Any:
        response = send(effect)
        date = format_datetime(parsedate_to_datetime(response.headers["date"]) + timedelta(seconds=8), usegmt=True)
        return Response(response.status, {**response.headers, "date": date}, response.body)

    with account.emulator.client() as other:
        other._driver._handlers[Send] = ahead
        files = other.exports().fetch_new("cdr_in", tmp_path / "new", start=START)
        plain = other.exports().fetch("cdr_in", start=START, directory=tmp_path / "plain")
    assert files.end == plain.end == NOW - timedelta(seconds=2)
    account.emulator.clock.advance("1 minute")
    client.exports().fetch_new("cdr_in", tmp_path / "new")
    assert all_lines(tmp_path / "new") == account.generated("cdr_in", START, now_of(account))


def test_one_call_at_a_time(account: Account, client: Any, tmp_path: Path) -> None:
    """Another one is refused while the directory is locked, and creates nothing."""
    client.exports().fetch_new("cdr_in", tmp_path, start=START)
    account.emulator.clock.advance("1 hour")
    posts = account.posts()
    lock = FolderLock(tmp_path / ".didww" / "cdr_in.lock")
    with lock.in_use():
        assert lock.acquire()
    with pytest.raises(DidwwClientError, match="Another program or thread is fetching cdr_in"):
        client.exports().fetch_new("cdr_in", tmp_path)
    assert account.posts() == posts
    client.exports().fetch_new("cdr_out", tmp_path, start=START)
    lock.release()
    client.exports().fetch_new("cdr_in", tmp_path)


def test_canceled_task_releases_the_lock(account: Account, tmp_path: Path) -> None:
    """The next call finds the directory as it was."""
    account.emulator.transitions.set("exports", by_hand=True)

    async def main() -> None:
        async with account.emulator.async_client() as client:
            waiting = asyncio.Event()
            task = asyncio.create_task(
                client.exports().fetch_new("cdr_in", tmp_path, start=START, progress=lambda _: waiting.set())
            )
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            account.emulator.transitions.set("exports", after=0)
            account.emulator.transitions.complete((await client.exports().one()).id)
            await client.exports().fetch_new("cdr_in", tmp_path, start=START)

    asyncio.run(main())
    assert all_lines(tmp_path) == account.generated("cdr_in", START, NOW)


@unix_only
def test_files_are_private(account: Account, tmp_path: Path) -> None:
    """Call records are personal data: only the owner can read them, nor the state."""
    account.client.exports().fetch_new("cdr_in", tmp_path / "calls", start=START)
    inside = [path for path in (tmp_path / "calls").rglob("*") if path.is_file()]
    assert any(path.name.endswith(".csv.gz") for path in inside)
    assert {path.stat().st_mode & 0o077 for path in inside} == {0}


def test_larger_overlap_needs_a_later_export(account: Account, tmp_path: Path) -> None:
    """An export that was created less than the overlap after its end may lack records, so it is not used again."""
    exports, start = account.client.exports(), datetime(2026, 10, 20, tzinfo=UTC)
    account.emulator.clock.freeze("2026-11-04T00:00:00+00:00")
    first = exports.fetch_new("cdr_in", tmp_path / "one", start=start)
    same = exports.fetch_new("cdr_in", tmp_path / "two", start=start)
    larger = exports.fetch_new("cdr_in", tmp_path / "three", start=start, overlap=timedelta(days=5))
    october = [fetched.exports[0].id for fetched in (first, same, larger)]
    assert october[0] == october[1] != october[2]


# What is refused


def refused(account: Account, field: str, call: Callable[[], object]) -> str:
    """Check that a call is refused before an export is created, and return the message."""
    posts = account.posts()
    with pytest.raises(InvalidValueError) as caught:
        call()
    assert caught.value.field == field
    assert account.posts() == posts
    return str(caught.value)


def test_gap_is_refused(account: Account, client: Any, tmp_path: Path) -> None:
    """The message says what is missing, and what to do."""
    exports = client.exports()
    exports.fetch_new("cdr_in", tmp_path, start=START)
    said = refused(account, "start", lambda: exports.fetch_new("cdr_in", tmp_path, start=NOW + timedelta(seconds=1)))
    assert "has the calls until 2026-11-26 12:30:00 UTC" in said
    account.emulator.clock.advance("97 days")
    said = refused(account, "directory", lambda: exports.fetch_new("cdr_in", tmp_path))
    assert "until 2026-11-26 12:30:00 UTC, and the service only from 2027-01-01 00:00:00 UTC" in said
    assert "pass another directory" in said
    exports.fetch_new("cdr_in", tmp_path / "another")


def test_arguments_are_checked(account: Account, client: Any, tmp_path: Path) -> None:
    """As those of `fetch`."""
    fetch = client.exports().fetch_new
    for arguments, field in (
        ({"export_type": "sms_in"}, "export_type"),
        ({"start": datetime(2026, 8, 1, tzinfo=UTC)}, "start"),
        ({"start": NOW}, "start"),
        ({"start": "2026-11-01"}, "start"),
        ({"overlap": timedelta(seconds=-1)}, "overlap"),
        ({"overlap": 86400}, "overlap"),
        ({"directory": None}, "directory"),
        ({"timeout": -1}, "timeout"),
        ({"progress": 5}, "progress"),
        ({"voice_out_trunk": "8d1a3c5e-0000-4000-8000-000000000001"}, "voice_out_trunk"),
    ):
        refused(
            account, field, lambda given=arguments: fetch(**{"export_type": "cdr_in", "directory": tmp_path, **given})
        )


def test_directory_of_another_account(account: Account, tmp_path: Path) -> None:
    """Calls of two accounts are not mixed."""
    account.client.exports().fetch_new("cdr_in", tmp_path, start=START)
    account.emulator.clock.advance("1 hour")
    other = account.emulator.client("another-key-of-the-tests")
    assert "one account" in refused(account, "directory", lambda: other.exports().fetch_new("cdr_in", tmp_path))
    assert "one account" in refused(account, "directory", lambda: other.exports().fetch_new("cdr_out", tmp_path))
    exports, (number, _) = account.client.exports(), account.numbers
    exports.fetch_new("cdr_in", tmp_path / "numbers", start=START, did_number=number)
    another = {"directory": tmp_path / "numbers", "did_number": "442079460077"}
    assert "one account" in refused(account, "directory", lambda: other.exports().fetch_new("cdr_in", **another))
    elsewhere = DidwwClient(
        account.emulator.key,
        base_url="https://other.example.com/v3",
        transport=InProcessTransport(account.emulator.exchange),
        rate_limit=None,
    )
    assert "calls of https://other.example.com/v3 only" in refused(
        account, "directory", lambda: elsewhere.exports().fetch_new("cdr_in", tmp_path)
    )


def test_directory_with_other_files(account: Account, tmp_path: Path) -> None:
    """A call must not be in the directory twice."""
    exports, (one, two) = account.client.exports(), account.numbers
    exports.fetch("cdr_in", start=START, directory=tmp_path / "plain")
    said = refused(account, "directory", lambda: exports.fetch_new("cdr_in", tmp_path / "plain", start=START))
    assert "cdr_in_20261123T123000Z_20261126T123000Z.csv.gz" in said
    exports.fetch_new("cdr_in", tmp_path / "new", start=START)
    assert "fetch_new" in refused(
        account, "directory", lambda: exports.fetch("cdr_in", start=START, directory=tmp_path / "new")
    )
    refused(account, "directory", lambda: exports.fetch_new("cdr_in", tmp_path / "new", did_number=one))
    exports.fetch_new("cdr_in", tmp_path / "numbers", start=START, did_number=one)
    exports.fetch_new("cdr_in", tmp_path / "numbers", start=START, did_number=two)
    assert all_lines(tmp_path / "numbers") == account.generated("cdr_in", START, NOW)
    refused(account, "directory", lambda: exports.fetch_new("cdr_in", tmp_path / "numbers"))


def test_damaged_state(account: Account, tmp_path: Path) -> None:
    """The message names the file and the way out."""
    account.client.exports().fetch_new("cdr_in", tmp_path, start=START)
    (tmp_path / ".didww" / "cdr_in.sqlite").write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(DidwwClientError, match=r"cdr_in\.sqlite.*another directory"):
        account.client.exports().fetch_new("cdr_in", tmp_path)


def test_state_of_a_newer_version(account: Account, tmp_path: Path) -> None:
    """It is refused, and not changed."""
    account.client.exports().fetch_new("cdr_in", tmp_path, start=START)
    path = tmp_path / ".didww" / "cdr_in.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 2")
    before = path.read_bytes()
    with pytest.raises(DidwwClientError, match=r"cdr_in\.sqlite.*newer version"):
        account.client.exports().fetch_new("cdr_in", tmp_path)
    assert path.read_bytes() == before


def test_folder_is_read_as_a_whole(account: Account, tmp_path: Path) -> None:
    """`read_calls` reads the files of a result, and all files of the folder."""
    account.trunk()
    exports = account.client.exports()
    first = exports.fetch_new("cdr_in", tmp_path, start=START)
    account.emulator.clock.advance("1 day")
    second = exports.fetch_new("cdr_in", tmp_path)
    assert [*read_calls(tmp_path)] == [*read_calls([*first, *second])] == [*read_calls(first), *read_calls(second)]
    outbound = exports.fetch_new("cdr_out", tmp_path, start=START)
    assert len([*read_calls(tmp_path)]) == (first.rows or 0) + (second.rows or 0) + (outbound.rows or 0)
