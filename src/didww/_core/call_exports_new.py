"""Fetch only the call records that are new in a directory: no gap, and no row twice, whatever interrupts it.

An export begins an overlap before the end of the last one, because records can appear late. Rows that are in the
directory already are left out. What is known is kept in the directory, and changes together with the files.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

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
from didww._core.operations import find
from didww._util.text import shown
from didww.configuration import checked_timeout
from didww.exceptions import InvalidValueError, NotFoundError
from didww.query_params import QueryParams
from didww.resources.export import KEPT, Export

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
        export_id: Id of the last export.
        exported_at: When that was created.
    """

    until: datetime
    known_from: datetime
    export_id: str
    exported_at: datetime


class NewCallsFolder(Protocol):
    """The directory that new calls are fetched into. All methods but `unlock` may block."""

    path: Path

    @property
    def download_path(self) -> Path:
        """Where the export is stored whose new rows are taken."""
        ...

    def lock(self) -> None:
        """Take the lock of the directory, which is created if it is missing."""
        ...

    def unlock(self) -> None:
        """Release the lock, if it was taken."""
        ...

    def begin(self, wanted: Wanted, origin: str) -> Known | None:
        """Complete what a crash has interrupted, and return how far the calls were fetched; None for the first time."""
        ...

    def add(self, wanted: Wanted, part: Part, origin: str, known: Known) -> None:
        """Add the rows of the downloaded export that are new, and note how far that is; all or nothing."""
        ...

    def finish(self, wanted: Wanted) -> tuple[tuple[Path, ...], int]:
        """Return the files that no call has returned yet, and their number of rows."""
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
    try:
        yield Work(folder.lock)
        return (yield from _fetch_new(configuration, wanted, start, folder, overlap, timeout, progress))
    finally:
        yield Invoke(folder.unlock, 0.0)  # not `Work`, which does nothing in a task that is being canceled


def _fetch_new(
    configuration: Configuration,
    wanted: Wanted,
    start: datetime | None,
    folder: NewCallsFolder,
    overlap: timedelta,
    timeout: float,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[FetchedFiles]:
    origin = configuration.base_url
    known = cast("Known | None", (yield Work(partial(folder.begin, wanted, origin))))
    now = yield from _time_of_account(configuration, known, folder)
    first = _start(start, known, overlap, now, folder)
    # Within the second of the last call, there is nothing new.
    parts = [] if known is not None and known.until >= now else month_parts(first, now)
    exports = yield from prepared(configuration, wanted, parts, now, max(SETTLED, overlap))
    for place, part in enumerate(parts):
        step = FetchProgress("waiting", place + 1, len(parts), *part)
        export = exports[place] = yield from completed(configuration, exports[place], timeout, step, progress)
        yield from stored(configuration, export, folder.download_path, timeout, step, progress)
        until = part.end if known is None else max(part.end, known.until)
        known_from = first if known is None else known.known_from
        known = Known(until, max(known_from, until - overlap), export.id or "", export.created_at or now)
        yield Work(partial(folder.add, wanted, part, origin, known))
    paths, rows = yield Work(partial(folder.finish, wanted))
    return FetchedFiles(wanted.export_type, min(first, now), now, paths, tuple(exports), rows)


def _time_of_account(configuration: Configuration, known: Known | None, folder: NewCallsFolder) -> Call[datetime]:
    """Return the time of the service, after checking that the directory is one of this account.

    Raises:
        InvalidValueError: It has calls of another account.
    """
    now = yield from service_time(configuration)
    if known is None or now - known.exported_at >= KEPT:
        return now
    missing = False
    try:
        yield from find(configuration, Export, known.export_id, QueryParams())
    except NotFoundError:
        missing = True
    if missing:
        raise InvalidValueError(
            f"directory must have calls of one account only; the last export of {folder.path}, {known.export_id}, is "
            "not in this account. Pass another directory.",
            field="directory",
        )
    return now


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
