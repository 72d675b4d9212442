"""`didww exports`: create, list, show and download exports of the records of calls and text messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.versions import EVERY_VERSION
from didww.cli import export_files, export_periods, parameters, periods
from didww.cli.export_filters import check_type, filter_options, filters_of, reference_of
from didww.cli.framework import Group, is_in_use
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, print_row, print_rows
from didww.cli.parameters import wait_option
from didww.cli.waits import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta
    from pathlib import Path

    from didww.cli.periods import DateTime, Period
    from didww.cli.session import Session
    from didww.resources.export import Export

__all__ = ["exports", "service_time"]


TYPES: Final = ("cdr_in", "cdr_out", "sms_in", "sms_out")


def _complete_types(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 click's
    from didww.cli.choices import limited
    from didww.enums import ExportType

    versions = limited(ExportType)
    return [name for name in TYPES if name.startswith(incomplete) and is_in_use(ctx, versions.get(name, EVERY_VERSION))]


@click.group(
    cls=Group,
    examples=(
        "didww exports create cdr_in --month 2026-11",
        "didww exports create cdr_in --last 7d --gunzip -O calls.csv",
    ),
)
def exports() -> None:
    """Create and download exports of the records of calls (CDRs) and of text messages.

    An export is given by its id or by your own reference. The service has the records of the current month and of the
    two months before it, and keeps an export for one month. All times are in UTC.
    """


def file_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a download."""
    options = (
        click.option(
            "-O",
            "--file",
            "path",
            metavar="FILE",
            help="File to write, or - for standard output. Defaults to a name with type and dates, in this directory.",
        ),
        click.option("--gunzip", is_flag=True, help="Decompress the file."),
        click.option("--force", is_flag=True, help="Replace an existing file."),
        wait_option("30m"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@exports.command(
    changes=True,
    examples=(
        "didww exports create cdr_in --month last",
        "didww exports create cdr_in --from 2026-11-01 --to 2026-11-15 --number +442079460001",
        "didww exports create cdr_out --last 24h --trunk Office --gunzip -O calls.csv",
        "didww exports create cdr_in --last 7d --no-wait --query id",
        "didww exports create sms_in --month last --status Failed --api-version 2026-11-19",
    ),
)
@click.argument("export_type", metavar="|".join(TYPES), type=parameters.OneOf(TYPES), shell_complete=_complete_types)
@click.option("--from", "first", type=periods.date_time, metavar="DATE", help="First day, or time, e.g. 2026-11-01.")
@click.option(
    "--to", "last", type=periods.date_time, metavar="DATE", help="Last day, included; or time. Defaults to now."
)
@click.option(
    "--month",
    type=export_periods.month,
    metavar="YYYY-MM|this|last",
    help="A month, this one (until now) or the last one.",
)
@click.option("--last", "duration", type=parameters.duration, metavar="DURATION", help="Until now, e.g. 7d or 12h.")
@filter_options
@click.option(
    "--reference",
    type=parameters.reference,
    metavar="TEXT",
    help="Your own reference. Defaults to one made from these options.",
)
@click.option("--new", is_flag=True, help="Create an export even if there is one of the same records.")
@click.option("--no-wait", is_flag=True, help="Do not wait for the file, nor download it.")
@file_options
@click.pass_obj
def create(
    session: Session,
    /,
    export_type: str,
    first: DateTime | None,
    last: DateTime | None,
    month: Period | int | None,
    duration: timedelta | None,
    reference: str | None,
    new: bool,
    no_wait: bool,
    path: str | None,
    gunzip: bool,
    force: bool,
    wait_limit: float,
    **given: Any,
) -> None:
    """Create an export and download it.

    cdr_in has inbound calls, cdr_out outbound calls. Since API version 2026-11-19, sms_in has inbound text messages,
    sms_out outbound ones. The command waits for the file.

    If this was interrupted, run the same command again: it goes on with the same export, unless that was made more
    than 15 minutes ago for a period that ends now.
    """
    if isinstance(month, int):
        month = export_periods.month_of(service_time(session), month)
    wanted = export_periods.Wanted.of(first, last, month, duration)
    check_type(session, export_type)
    named = filters_of(session, export_type, given)
    filters = {key: value for key, (value, _) in named.items()}
    if path is not None and not no_wait:
        export_files.check(path, force=force)
    reference = reference or reference_of(export_type, wanted.text, named)
    existing = session.client.exports().iterate(
        filter={"external_reference_id": reference}, sort="-created_at", limit=100
    )
    candidates = [] if new else list(existing)
    now = session.now() if candidates else service_time(session)
    period = wanted.period(now)
    export = next((each for each in candidates if export_periods.covers(each, export_type, filters, period, now)), None)
    if export is None:
        export = _create(session, export_type, filters, period, reference)
        session.say(f"Export {export.id}: {export_type} from {period}.")
    else:
        session.say(
            f"Going on with export {export.id}{export_periods.age(export, now)}: {export_type} from "
            f"{export_periods.period_of(export)}. For another one, pass --new."
        )
    if no_wait:
        session.say(f"To download it: {session.command_line('exports', 'download', export.id)}")
        _print(session, export, None)
    else:
        _fetch(session, export, path=path, gunzip=gunzip, force=force, wait_limit=wait_limit)


def service_time(session: Session) -> Any:
    """Return the time of the service; a request tells it, if none was sent so far."""
    if not session.emulated and session.client.server_time is None:
        session.client.exports().list(page=(1, 1))
    return session.now()


def _create(session: Session, export_type: str, filters: dict[str, Any], period: Period, reference: str) -> Export:
    from didww.enums import ExportType
    from didww.resources.export import Export

    wanted: Any = {"from": period.start, "to": period.end, **filters}
    export = Export(export_type=ExportType(export_type), filters=wanted, external_reference_id=reference)
    created: Export = session.client.exports().create(export).data
    return created


def _fetch(session: Session, export: Export, *, path: str | None, gunzip: bool, force: bool, wait_limit: float) -> None:
    """Wait for an export, download it, and print it."""
    file = path or export_files.name_of(session.client, export, gunzip=gunzip)
    export_files.check(file, force=force)
    options = [*(["--gunzip"] if gunzip else []), *(["-O", path] if path is not None else [])]
    again = session.command_line("exports", "download", export.id, *options)
    endpoint = session.client.exports()
    if not export.is_completed:
        export = wait_for(session, endpoint, export, name=f"Export {export.id}", limit=wait_limit, again=again)
    session.advice.append(f"To continue: {again}")
    if file == export_files.STDOUT:
        export_files.pipe(session, export, gunzip=gunzip)
    else:
        written = export_files.download(session, export, file, gunzip=gunzip)
        _print(session, export, written)
    session.advice.clear()


def _print(session: Session, export: Export, file: Path | None) -> None:
    period = export_periods.period_of(export)
    row: dict[str, Any] = {
        "id": export.id,
        "type": export.export_type,
        "from": period.start,
        "to": period.end,
        "status": export.status,
        "your reference": export.external_reference_id,
    }
    if file is not None:
        row |= {"file": str(file), "bytes": file.stat().st_size}
    print_row(session.settings, row)


def find_export(client: Any, text: str) -> Export:
    """Return an export by id or by your own reference; the latest of several.

    Raises:
        NotExactlyOneError: There is none.
    """
    from didww._schema.filter_rules import UUID_TEXT
    from didww.exceptions import NotExactlyOneError

    text = text.strip()
    if UUID_TEXT.fullmatch(text):
        found: Export = client.exports().find(text).data
        return found
    latest = client.exports().first(filter={"external_reference_id": text}, sort="-created_at") if text else None
    if latest is None:
        raise NotExactlyOneError(
            f"There is no export {text!r:.80}: neither an id nor a reference of your own. See: didww exports list."
        )
    export: Export = latest
    return export


@exports.command("list", examples=("didww exports list", "didww exports list --columns id,status,created"))
@click.option("--reference", type=parameters.reference, metavar="TEXT", help="Your own reference.")
@list_options
@click.pass_obj
def list_(session: Session, reference: str | None, listing: Listing) -> None:
    """List your exports. The latest comes first."""
    from didww.resources.export import Export

    query = {} if reference is None else {"external_reference_id": reference}
    records = listing.records(session, Export, query, sort="-created_at")
    settings = session.settings
    if settings.for_person:
        print_rows(settings, map(_row, records), _COLUMNS)
    else:
        RecordTable(settings, Export).print(records)


_COLUMNS: Final = ("export", "type", "status", "from", "to")


def _row(export: Export) -> dict[str, Any]:
    """Return the row of an export. Its first value is what the other commands take."""
    name = export.external_reference_id or export.id
    values = (name, export.export_type, export.status, *export_periods.period_of(export))
    return dict(zip(_COLUMNS, values, strict=True))


@exports.command(examples=("didww exports show cdr_in-2026-11",))
@click.argument("export", metavar="EXPORT", shell_complete=parameters.complete_exports)
@click.pass_obj
def show(session: Session, export: str) -> None:
    """Show an export: its period, status and URL."""
    from didww.resources.export import Export

    RecordTable(session.settings, Export).print_one(find_export(session.client, export))


@exports.command(
    examples=(
        "didww exports download cdr_in-2026-11",
        "didww exports download cdr_in-2026-11 --gunzip -O calls.csv",
        "didww exports download cdr_in-2026-11 --gunzip -O - | head",
    )
)
@click.argument("export", metavar="EXPORT", shell_complete=parameters.complete_exports)
@file_options
@click.pass_obj
def download(session: Session, export: str, path: str | None, gunzip: bool, force: bool, wait_limit: float) -> None:
    """Download an export. If it is not completed, wait for it."""
    if path is not None:
        export_files.check(path, force=force)
    _fetch(session, find_export(session.client, export), path=path, gunzip=gunzip, force=force, wait_limit=wait_limit)
