"""Fetch exports of call records: validate and split the period, create what is missing, wait, and download.

One export has the calls of one month or a part of it. Its `external_reference_id` says what is in it. So an export that
is still being prepared, or whose calls cannot change anymore, is used again instead of being created twice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, Protocol, TypeAlias, cast

from msgspec import Struct

from didww._core.call_account import AccountFolder, check_account, note_account
from didww._core.call_periods import CLOCK_DIFFERENCE, Part, bound, month_parts, period_of, shown_time
from didww._core.download import download, export_file
from didww._core.effects import Work
from didww._core.operations import create, list_
from didww._core.polling import wait
from didww._schema.resource import Resource, checked_id
from didww._util.text import shown
from didww.configuration import checked_timeout
from didww.enums import ExportType
from didww.exceptions import InvalidValueError, UnexpectedResponseError, ValidationError
from didww.query_params import QueryParams
from didww.resources.export import FILTER_KEYS, KEPT, Export
from didww.resources.voice_out_trunk import VoiceOutTrunk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from uuid import UUID

    from didww._core.download import Progress
    from didww._core.effects import Call
    from didww.configuration import Configuration

__all__ = [
    "CallExportType",
    "FetchProgress",
    "FetchedFiles",
    "Folder",
    "Wanted",
    "checked_progress",
    "completed",
    "fetch",
    "prepared",
    "service_time",
    "stored",
]

CallExportType: TypeAlias = ExportType | Literal["cdr_in", "cdr_out"]

SETTLED: Final = timedelta(days=1)
"""Time after its end after which a period has all its calls. Records appear late: when a call ends, or after that."""
UNFINISHED: Final = timedelta(hours=1)
"""Age up to which an export that is not completed is waited for, instead of creating another."""

_BEHIND: Final = (timedelta(seconds=10), CLOCK_DIFFERENCE)
"""How much earlier than now an export ends that is refused at first."""
_TYPES: Final = (ExportType.CDR_IN, ExportType.CDR_OUT)
_FILTERS: Final = {"did_number": "did_number", "voice_out_trunk": "voice_out_trunk.id"}
"""The name of each argument in exports."""


class FetchProgress(NamedTuple):
    """The progress of fetching call records.

    Attributes:
        step: `waiting` for an export, or `downloading` it.
        part: Number of the export, from 1.
        parts: Number of exports.
        start: Start of the calls in the export.
        end: Their end, exclusive.
        done: Bytes downloaded so far.
        total: Size of the file in bytes; None if unknown.
    """

    step: Literal["waiting", "downloading"]
    part: int
    parts: int
    start: datetime
    end: datetime
    done: int = 0
    total: int | None = None


class FetchedFiles(Struct, frozen=True):
    """Files of call records, in order of time. Iterating yields their paths.

    `read_calls` and `didww.cdr.open_calls` take it as it is.

    Attributes:
        export_type: Type of the records.
        start: Start of the period, in UTC.
        end: End of the period, exclusive, in UTC.
        paths: The files: CSV, compressed with gzip.
        exports: The exports that they come from.
        rows: Number of new records; None for `fetch`, which does not read the files.
    """

    export_type: ExportType
    start: datetime
    end: datetime
    paths: tuple[Path, ...]
    exports: tuple[Export, ...]
    rows: int | None = None

    def __iter__(self) -> Iterator[Path]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


class Folder(AccountFolder, Protocol):
    """The directory that files are fetched into. All methods may block."""

    def prepare(self) -> None:
        """Create the directory if it is missing, and check that `fetch` may write to it."""
        ...

    def has(self, name: str, export_id: str) -> bool:
        """Return whether the file `name` was downloaded from this export, and is still there in its size."""
        ...

    def note(self, name: str, export_id: str) -> None:
        """Remember that the file `name` was downloaded from this export."""
        ...


class Wanted(NamedTuple):
    """The type of the calls to fetch, and the filter.

    Attributes:
        export_type: The type.
        filters: The filter, by its name in exports.
    """

    export_type: ExportType
    filters: dict[str, str]

    @classmethod
    def of(
        cls, export_type: CallExportType, did_number: str | None, voice_out_trunk: str | UUID | VoiceOutTrunk | None
    ) -> Wanted:
        """Check the arguments.

        Raises:
            InvalidValueError: The type is not one of calls, or has no such filter, or a value has another format.
        """
        kind = next((known for known in _TYPES if export_type == known), None)
        if kind is None:
            raise InvalidValueError(
                f"export_type must be ExportType.CDR_IN or CDR_OUT, got {shown(export_type)}. Create other exports "
                "with exports().create.",
                field="export_type",
            )
        filters: dict[str, str] = {}
        for argument, value in (("did_number", did_number), ("voice_out_trunk", voice_out_trunk)):
            if value is not None:
                filters[_FILTERS[argument]] = _checked(kind, argument, value)
        return cls(kind, filters)

    @property
    def name(self) -> str:
        """The type and the filter in names of files and references."""
        return "_".join((self.export_type, *self.filters.values()))

    def file_name(self, part: Part) -> str:
        """Return the name of the file of a period."""
        return "_".join((self.export_type, part.name, *self.filters.values())) + ".csv.gz"

    def reference(self, part: Part, version: str) -> str:
        """Return the reference of the export of a period: the same for the same records and columns."""
        return "_".join(("fetch", self.export_type, part.name, version, *self.filters.values()))[:100]

    def export(self, part: Part, version: str) -> Export:
        """Return the new export of a period."""
        filters: Any = {"from": part.start, "to": part.end, **self.filters}
        return Export(
            export_type=self.export_type, filters=filters, external_reference_id=self.reference(part, version)
        )

    def is_in(self, export: Export, part: Part) -> bool:
        """Return whether an export has the calls of a period with this filter."""
        filters: Any = export.filters
        try:
            bounds = [datetime.fromisoformat(filters[name]) for name in ("from", "to")]
        except (KeyError, TypeError, ValueError):
            return False
        period = tuple(each.replace(tzinfo=UTC) if each.tzinfo is None else each for each in bounds)
        others = {name: value for name, value in filters.items() if name not in ("from", "to")}
        return export.export_type == self.export_type and period == part and others == self.filters


def _checked(kind: ExportType, argument: str, value: object) -> str:
    """Return the value of a filter.

    Raises:
        InvalidValueError: The type of export does not have it, or it has another format.
    """
    key = FILTER_KEYS[kind].get(_FILTERS[argument])
    if key is None:
        own = next(name for name, other in _FILTERS.items() if other in FILTER_KEYS[kind])
        raise InvalidValueError(f"{argument} is not for {kind}; its filter is {own}.", field=argument)
    if argument == "voice_out_trunk":
        if isinstance(value, Resource) and not isinstance(value, VoiceOutTrunk):
            raise InvalidValueError(
                f"{argument} must be a VoiceOutTrunk or its id, got {type(value).__name__}.", field=argument
            )
        value = checked_id(value.id if isinstance(value, Resource) else value, argument, VoiceOutTrunk)
    if not key.fits(value):
        text = str(value) if isinstance(value, (str, int)) else ""
        meant = key.form.meant(text)
        way = f" Write {meant!r}." if meant else ""
        raise InvalidValueError(f"{argument} must be {key.form.words}, got {shown(value)}.{way}", field=argument)
    return str.__str__(cast("str", value))


def checked_progress(progress: Callable[[FetchProgress], object] | None) -> None:
    """Check that `progress` can be called.

    Raises:
        InvalidValueError: It cannot.
    """
    if progress is not None and not callable(progress):
        raise InvalidValueError(
            f"progress must be a function that takes a FetchProgress, got {type(progress).__name__}.", field="progress"
        )


def fetch(
    configuration: Configuration,
    wanted: Wanted,
    start: datetime,
    end: datetime | None,
    folder: Folder,
    timeout: float,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[FetchedFiles]:
    """Return the files of all calls from `start` until before `end`, and download those that are missing."""
    checked_progress(progress)
    seconds = checked_timeout(timeout)
    first, last = bound(start, "start"), None if end is None else bound(end, "end", up=True)
    if last is not None and first >= last:
        raise InvalidValueError(
            f"start must be before end, which is not included; {shown_time(first)} is not before {shown_time(last)}.",
            field="start",
        )
    return _fetch(configuration, wanted, first, last, folder, seconds, progress)


def _fetch(
    configuration: Configuration,
    wanted: Wanted,
    start: datetime,
    end: datetime | None,
    folder: Folder,
    timeout: float,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[FetchedFiles]:
    now = yield from service_time(configuration)
    period = period_of(start, end, now)
    yield Work(folder.prepare)
    yield from check_account(configuration, folder, now)
    parts = month_parts(*period)
    parts, exports = yield from prepared(configuration, wanted, parts, now, SETTLED)
    yield from note_account(configuration, folder, exports)
    paths: list[Path] = []
    for place, part in enumerate(parts):
        step = FetchProgress("waiting", place + 1, len(parts), *part)
        export = exports[place] = yield from completed(configuration, exports[place], timeout, step, progress)
        name = wanted.file_name(part)
        path = folder.path / name
        if not (yield Work(partial(folder.has, name, export.id))):
            yield from stored(configuration, export, path, timeout, step, progress)
            yield Work(partial(folder.note, name, export.id))
        paths.append(path)
    return FetchedFiles(wanted.export_type, period.start, parts[-1].end, tuple(paths), tuple(exports))


# The exports


def service_time(configuration: Configuration) -> Call[datetime]:
    """Return the time of the service, which a small request tells.

    Raises:
        UnexpectedResponseError: No response had a `Date` header.
    """
    yield from list_(configuration, Export, QueryParams().page(1, 1))
    now = configuration.server_clock.time()
    if now is None:
        raise UnexpectedResponseError(
            "The response has no Date header, so the current month is not known. Check for a proxy that removes it."
        )
    return now


def prepared(
    configuration: Configuration, wanted: Wanted, parts: list[Part], now: datetime, settled: timedelta
) -> Call[tuple[list[Part], list[Export]]]:
    """Return an export for each part: one that is there and not outdated, or else a new one.

    All are created before the first is waited for, so that the service prepares them at the same time. The parts are
    returned, too, as the last one can end earlier.
    """
    exported: list[Part] = []
    exports: list[Export] = []
    for part in parts:
        new = wanted.export(part, configuration.api_version)
        query = QueryParams().filter("external_reference_id", new.external_reference_id)
        existing = yield from list_(configuration, Export, query.sort("-created_at").page(1, 100))
        export = next((each for each in existing.data if _is_usable(each, wanted, part, now, settled)), None)
        if export is None:
            period, export = yield from _created(configuration, wanted, part, now)
        else:
            period = part
        exported.append(period)
        exports.append(export)
    return exported, exports


def _created(configuration: Configuration, wanted: Wanted, part: Part, now: datetime) -> Call[tuple[Part, Export]]:
    """Create the export of a period; of one that ends now, a little less if the service refuses it.

    It refuses an end in the future. The `Date` header can be that of a proxy, whose clock is ahead.
    """
    behind = _BEHIND if part.end == now else ()
    earlier = [Part(part.start, now - each) for each in behind if now - each > part.start]
    while True:
        new = wanted.export(part, configuration.api_version)
        try:
            return part, (yield from create(configuration, Export, new, QueryParams())).data
        except ValidationError:
            if not earlier:
                raise
        part = earlier.pop(0)


def _is_usable(export: Export, wanted: Wanted, part: Part, now: datetime, settled: timedelta) -> bool:
    """Return whether an existing export has all calls that a new one would have."""
    if export.created_at is None or not wanted.is_in(export, part):
        return False
    age = now - export.created_at
    if not export.is_completed:
        return age < UNFINISHED
    return export.created_at >= part.end + settled and age < KEPT


def completed(
    configuration: Configuration,
    export: Export,
    timeout: float,
    step: FetchProgress,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[Export]:
    """Wait until an export has its file."""
    if export.is_completed and export.url:
        return export
    on_update = None if progress is None else partial(_tell_state, progress, step)
    return (yield from wait(configuration, Export, export, None, timeout, on_update)).data


def _tell_state(progress: Callable[[FetchProgress], object], step: FetchProgress, export: Export) -> object:
    return None if export.is_completed else progress(step)


def stored(
    configuration: Configuration,
    export: Export,
    path: Path,
    timeout: float,
    step: FetchProgress,
    progress: Callable[[FetchProgress], object] | None,
) -> Call[None]:
    """Download the file of an export to `path`."""
    on_bytes = None if progress is None else partial(_tell_bytes, progress, step)
    settings = configuration.replaced(timeout=max(configuration.timeout, timeout))
    yield from download(settings, export_file(export), str(path), progress=on_bytes)


def _tell_bytes(progress: Callable[[FetchProgress], object], step: FetchProgress, transfer: Progress) -> object:
    return progress(step._replace(step="downloading", done=transfer.done, total=transfer.total))
