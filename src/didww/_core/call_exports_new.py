"""Fetch only the call records that are new in a directory: no gap, and no row twice, whatever interrupts it.

An export begins an overlap before the end of the last one, because records can appear late. Rows that are in the
directory already are left out. What is known is kept in the directory, and changes together with the files.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from didww._core.call_account import AccountFolder, check_account, note_account
from didww._core.call_exports import (
    SETTLED,
    FetchedFiles,
    FetchProgress,
    checked_progress,
    completed,
    prepared,
    service_time,
    stored,
)
from didww._core.call_periods import bound, earliest, month_parts, shown_time
from didww._core.effects import Invoke, Work
from didww._util.text import shown
from didww.configuration import checked_timeout
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from didww._core.call_exports import Wanted
    from didww._core.call_periods import Part
    from didww._core.effects import Call
    from didww.configuration import Configuration

__all__ = ["Known", "NewCallsFolder", "fetch_new"]


class Known(NamedTuple):
    """How far calls were fetched.

    Attributes:
        until: End of the last export, exclusive.
        known_from: Start of the period whose rows are known again.
    """

    until: datetime
    known_from: datetime


class NewCallsFolder(AccountFolder, Protocol):
    """The directory that new calls are fetched into. All methods but `unlock` and `abandon` may block."""

    @property
    def download_path(self) -> Path:
        """Where the export is stored whose new rows are taken."""
        ...

    def lock(self) -> None:
        """Take the lock of the directory, which is created if it is missing."""
        ...

    def unlock(self) -> None:
        """Release the lock."""
        ...

    def abandon(self) -> None:
        """Note that the call does not return its files, and release the lock, if it was taken."""
        ...

    def begin(self, wanted: Wanted) -> Known | None:
        """Complete what a crash has interrupted, and return how far the calls were fetched; None for the first time."""
        ...

    def add(self, wanted: Wanted, part: Part, known: Known) -> None:
        """Add the rows of the downloaded export that are new, and note how far that is; all or nothing."""
        ...

    def finish(self, wanted: Wanted) -> tuple[tuple[Path, ...], int]:
        """Return the files that no call has returned yet, and their number of rows; note that this one returns them."""
        ...


def fetch_new(
    configuration: Configuration,
    wanted: Wanted,
    start: datetime | None,
    folder: NewCallsFolder,
    overlap: timedelta,
    timeout: float,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[FetchedFiles]:
    """Add the calls that are new to a directory, and return their files."""
    checked_progress(progress)
    if not isinstance(overlap, timedelta) or overlap < timedelta(0):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(
            f"overlap must be a timedelta that is not negative, got {shown(overlap)}.", field="overlap"
        )
    first = None if start is None else bound(start, "start")
    return _locked(configuration, wanted, first, folder, overlap, checked_timeout(timeout), progress)


def _locked(
    configuration: Configuration,
    wanted: Wanted,
    start: datetime | None,
    folder: NewCallsFolder,
    overlap: timedelta,
    timeout: float,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[FetchedFiles]:
    # `Invoke` and not `Work`, which does nothing in a task that is being canceled. Neither can the task be canceled
    # between the unlocking and the return.
    try:
        yield Work(folder.lock)
        files = yield from _fetch_new(configuration, wanted, start, folder, overlap, timeout, progress)
        yield Invoke(folder.unlock, 0.0)
    except BaseException:
        yield Invoke(folder.abandon, 0.0)
        raise
    return files


def _fetch_new(
    configuration: Configuration,
    wanted: Wanted,
    start: datetime | None,
    folder: NewCallsFolder,
    overlap: timedelta,
    timeout: float,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[FetchedFiles]:
    known = cast("Known | None", (yield Work(partial(folder.begin, wanted))))
    now = yield from service_time(configuration)
    yield from check_account(configuration, folder, now)
    first = _start(start, known, overlap, now, folder)
    # Within the second of the last call, there is nothing new.
    parts = [] if known is not None and known.until >= now else month_parts(first, now)
    parts, exports = yield from prepared(configuration, wanted, parts, now, max(SETTLED, overlap))
    yield from note_account(configuration, folder, exports)
    for place, part in enumerate(parts):
        step = FetchProgress("waiting", place + 1, len(parts), *part)
        export = exports[place] = yield from completed(configuration, exports[place], timeout, step, progress)
        yield from stored(configuration, export, folder.download_path, timeout, step, progress)
        until = part.end if known is None else max(part.end, known.until)
        known_from = first if known is None else known.known_from
        known = Known(until, max(known_from, until - overlap))
        yield Work(partial(folder.add, wanted, part, known))
    paths, rows = yield Work(partial(folder.finish, wanted))
    end = parts[-1].end if parts else now
    return FetchedFiles(wanted.export_type, min(first, end), end, paths, tuple(exports), rows)


def _start(
    start: datetime | None, known: Known | None, overlap: timedelta, now: datetime, folder: NewCallsFolder
) -> datetime:
    """Return the start of the next export.

    Raises:
        InvalidValueError: There would be a gap, or the service does not have the calls.
    """
    first = earliest(now)
    if known is None:
        chosen = first if start is None else start
        if not first <= chosen < now:
            raise InvalidValueError(
                f"start must be within what the service has, from {shown_time(first)} until now, but it is "
                f"{shown_time(chosen)}. Omit it for all.",
                field="start",
            )
        return chosen
    if known.until < first:
        raise InvalidValueError(
            f"directory must have calls without a gap; {folder.path} has them until {shown_time(known.until)}, and "
            f"the service only from {shown_time(first)}. To go on with a gap, pass another directory.",
            field="directory",
        )
    if start is not None and start > known.until:
        raise InvalidValueError(
            f"start must not leave a gap; {folder.path} has the calls until {shown_time(known.until)}, and start is "
            f"{shown_time(start)}. Omit it to go on there.",
            field="start",
        )
    return max(first, known.known_from, known.until - overlap)
