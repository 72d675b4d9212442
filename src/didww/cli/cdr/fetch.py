"""`didww cdr fetch`: call records into a directory, and again only new ones."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import export_periods, parameters, periods
from didww.cli.errors import StillPendingError
from didww.cli.export_filters import filter_options_of, filters_of
from didww.cli.exports import service_time
from didww.cli.framework import Command
from didww.cli.output import print_rows
from didww.cli.parameters import wait_option
from didww.cli.terminal import transferring, waiting
from didww.exceptions import ApiTimeoutError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime, timedelta
    from pathlib import Path

    from didww import FetchedFiles, FetchProgress
    from didww.cli.periods import DateTime, Period
    from didww.cli.session import Session

__all__ = ["fetch"]

TYPES: Final = ("cdr_in", "cdr_out")
_FILTERS: Final = ("--number", "--trunk")
_ARGUMENTS: Final = {"did_number": "did_number", "voice_out_trunk.id": "voice_out_trunk"}
"""The argument of each filter of the service."""
_AGAIN: Final = "To continue: run the same command again."
_NAME: Final = re.compile(r"cdr_(?:in|out)_(\d{8}T\d{6}Z)_(\d{8}T\d{6}Z)(.*)\.csv(?:\.gz)?")
"""The name of a file: start, end, and what was selected."""
_COLUMNS: Final = ("file", "bytes")


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww cdr fetch cdr_in calls/",
        "didww cdr fetch cdr_out calls/ --from 2026-11-01",
        "didww cdr fetch cdr_in october/ --month 2026-10 --number +442079460001",
    ),
)
@click.argument("export_type", metavar="|".join(TYPES), type=parameters.OneOf(TYPES))
@click.argument("directory", type=click.Path(file_okay=False))
@click.option("--from", "first", type=periods.date_time, metavar="DATE", help="First day, or time, e.g. 2026-11-01.")
@click.option("--to", "last", type=periods.date_time, metavar="DATE", help="Last day, included; or time. Needs --from.")
@click.option(
    "--month",
    type=export_periods.month,
    metavar="YYYY-MM|this|last",
    help="A month, this one (until now) or the last one.",
)
@click.option("--last", "duration", type=parameters.duration, metavar="DURATION", help="Until now, e.g. 7d or 12h.")
@click.option(
    "--overlap",
    type=parameters.duration,
    default="1d",
    show_default=True,
    metavar="DURATION",
    help="For new calls: how long after its start the record of a call can appear.",
)
@filter_options_of(*_FILTERS)
@wait_option("60m")
@click.pass_obj
def fetch(
    session: Session,
    /,
    export_type: str,
    directory: str,
    first: DateTime | None,
    last: DateTime | None,
    month: Period | int | None,
    duration: timedelta | None,
    overlap: timedelta,
    wait_limit: float,
    **given: Any,
) -> None:
    """Fetch call records into a directory: exports are created, awaited and downloaded.

    cdr_in has inbound calls, cdr_out outbound calls. Without a period, the command fetches the calls that are new since
    the last time; the first time, those from --from on, or else all that the service has. The files are never changed,
    and together they have each record once, even if a run is interrupted. Run it again to go on.

    With --month, --last, or --from and --to, it fetches that period, one file for each month. Use another directory.
    """
    named = filters_of(session, export_type, given, _FILTERS)
    arguments: dict[str, Any] = {_ARGUMENTS[key]: value for key, (value, _) in named.items()}
    began: datetime | None = None
    if month is None and duration is None and last is None:
        method = "fetch_new"
        arguments |= {"start": None if first is None else first.time, "overlap": overlap}
    else:
        method = "fetch"
        if isinstance(month, int):
            month = export_periods.month_of(service_time(session), month)
        wanted = export_periods.Wanted.of(first, last, month, duration)
        now = service_time(session)
        period = wanted.period(now)
        began = now.replace(microsecond=0)
        arguments |= {"start": period.start, "end": None if wanted.end is None else period.end}
    told: list[FetchProgress] = []
    with _progress(session, told) as progress:
        try:
            files = getattr(session.client.exports(), method)(
                export_type, directory=directory, timeout=wait_limit, progress=progress, **arguments
            )
        except ApiTimeoutError as error:
            if error.phase != "waiting for the record":
                raise
            raise StillPendingError(str(error)) from error
        except InvalidValueError as error:
            option = "--from" if first is not None else "--month" if month is not None else "--last"
            if error.field != "start" or not str(error).startswith("start "):
                raise
            raise InvalidValueError(option + str(error).removeprefix("start"), field="start") from None
    session.advice.clear()
    if began is not None:
        _print_reused(session, files, began, {each.part for each in told if each.step == "downloading"})
        _print_overlap(session, files)
    _print(session, files)


def _print_reused(session: Session, files: FetchedFiles, began: datetime, downloaded: set[int]) -> None:
    """Say which exports were there before: they do not have what came later."""
    for part, (path, export) in enumerate(zip(files.paths, files.exports, strict=True), 1):
        if export.created_at is not None and export.created_at < began:
            kept = "" if part in downloaded else "; the file is already there"
            session.say(f"{path.name}: used the export of {export.created_at:%Y-%m-%d %H:%M} UTC again{kept}.")


def _print_overlap(session: Session, files: FetchedFiles) -> None:
    """Say which other file in the directory has calls of the same time."""
    names = {path.name for path in files}
    for other in sorted(files.paths[0].parent.glob(f"{files.export_type}_*.csv*")):
        found = _NAME.fullmatch(other.name)
        if found is None or other.name in names:
            continue
        start, end, selection = found.groups()
        if any(
            mine is not None
            and mine[1] < end
            and start < mine[2]
            and (selection == mine[3] or "" in (selection, mine[3]))
            for mine in map(_NAME.fullmatch, names)
        ):
            session.say(f"{other} has calls of the same time, which are in the directory twice. Read only one of them.")
            return


def _print(session: Session, files: FetchedFiles) -> None:
    kind = f"{files.export_type} from {files.start:%Y-%m-%d %H:%M} to {files.end:%Y-%m-%d %H:%M} UTC"
    number, new = (files.rows, "new ") if files.rows is not None else (sum(map(_rows, files)), "")
    session.say(f"{number} {new}{'record' if number == 1 else 'records'} in {kind}.")
    rows = [{"file": str(path), "bytes": path.stat().st_size} for path in files]
    if rows or not session.settings.for_person:
        print_rows(session.settings, rows, _COLUMNS)


def _rows(path: Path) -> int:
    """Return the number of records of a file.

    Raises:
        CallFileError: The file is damaged.
    """
    from didww._core.csv_rows import UnreadableError, pieces
    from didww.exceptions import CallFileError

    lines, within, last = 0, 0, b"\n"
    try:
        with path.open("rb") as file:
            for piece in pieces(file, 1 << 60):
                texts = piece.split(b'"')  # every other one is within quotes
                lines += sum(text.count(b"\n") for text in texts[within::2])
                within ^= len(texts) % 2 == 0
                last = piece[-1:]
    except UnreadableError as error:
        raise CallFileError(f"{path} {str(error).format('')}") from None
    return max(0, lines + (last != b"\n") - 1)


@contextmanager
def _progress(session: Session, told: list[FetchProgress]) -> Generator[Callable[[FetchProgress], None]]:
    """Show on standard error which export is awaited or downloaded; call the result with each `FetchProgress`.

    The first of each step is added to `told`.
    """
    from didww._core.download import Progress

    with ExitStack() as shown:
        step: tuple[object, ...] = ()
        show: Callable[[Progress], None] | None = None

        def tell(progress: FetchProgress) -> None:
            nonlocal step, show
            if not step:
                session.advice.append(_AGAIN)
            if step != progress[:2]:
                step = progress[:2]
                told.append(progress)
                shown.close()
                which = (
                    f"export {progress.part} of {progress.parts}, {progress.start:%Y-%m-%d} to {progress.end:%Y-%m-%d}"
                )
                if progress.step == "waiting":
                    show = None
                    shown.enter_context(waiting(f"Waiting for {which}"))("being prepared")
                else:
                    show = shown.enter_context(transferring(f"Downloading {which}"))
            if show is not None:
                show(Progress(progress.done, progress.total))

        yield tell
