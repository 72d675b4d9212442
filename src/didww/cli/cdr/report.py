"""`didww cdr report`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from didww.cli import export_periods, periods
from didww.cli.framework import Command

if TYPE_CHECKING:
    from didww.cli.periods import DateTime, Period
    from didww.cli.session import Session

__all__ = ["report"]

_CHANNELS: Final = click.IntRange(min=1)


@click.command(
    cls=Command,
    output=False,
    examples=(
        "didww cdr report calls/",
        "didww cdr report november.csv.gz december.csv.gz -o report.html --capacity 30",
        "didww cdr report calls/ --month 2026-11 -o november.html",
    ),
)
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option("-o", "--output", "path", metavar="FILE", default="report.html", help="Page. Defaults to report.html.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@click.option("--title", metavar="TEXT", default="Call report", help="Title of the page. Defaults to Call report.")
@click.option("--from", "first", type=periods.date_time, metavar="DATE", help="First day, or time, e.g. 2026-11-01.")
@click.option("--to", "last", type=periods.date_time, metavar="DATE", help="Last day, included; or time.")
@click.option("--month", type=export_periods.month, metavar="YYYY-MM|this|last", help="A month instead.")
@click.option("--capacity", metavar="N", type=_CHANNELS, help="Channels that you have for inbound calls.")
@click.option("--outbound-capacity", metavar="N", type=_CHANNELS, help="Channels that you have for outbound calls.")
@click.option("--account", metavar="NAME", help="Only the calls of this account of the dataset.")
@click.pass_obj
def report(
    session: Session,
    files: tuple[str, ...],
    path: str,
    force: bool,
    title: str,
    first: DateTime | None,
    last: DateTime | None,
    month: Period | int | None,
    capacity: int | None,
    outbound_capacity: int | None,
    account: str | None,
) -> None:
    """Write a report: one page of HTML with plots, for screens and print.

    FILES are exports, a folder with exports, or a dataset, which is faster: `didww cdr convert` makes one.

    The page shows traffic by hour and weekday, answer ratio, duration and failures by trunk, disconnect codes, cost by
    country and day, channels in use, unusual hours, new places, and calls that reached no trunk.
    """
    from didww._util.extras import need
    from didww.cdr.opening import open_calls
    from didww.cdr.report import is_device
    from didww.cli import export_files
    from didww.cli.terminal import transferring, waiting

    if month is not None and (first or last) is not None:
        raise click.UsageError("Pass --month, or --from and --to.")
    if isinstance(month, int):
        month = export_periods.month_of(session.now() if session.emulated else datetime.now(UTC), month)
    start, end = month or (None if first is None else first.time, None if last is None else last.end)
    if start is not None and end is not None and end <= start:
        raise click.UsageError("--to must be after --from; a day is included as a whole.")
    need("matplotlib")
    if not is_device(Path(path)):
        export_files.check(path, force=force, name="-o", advice="Pass --force to replace it, or another file with -o.")
    with transferring("Reading", at_once=False) as progress:
        calls = open_calls(files[0] if len(files) == 1 else files, account=account, progress=progress)
    channels = {"inbound": capacity, "outbound": outbound_capacity}
    known = {direction: number for direction, number in channels.items() if number is not None}
    with waiting("Report") as show:
        file = calls.report(path, title=title, capacity=known, start=start, end=end, progress=show)
    session.say(f"Report: {file} ({file.stat().st_size:,} bytes).")
