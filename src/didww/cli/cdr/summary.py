"""`didww cdr summary`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from didww.cli import export_periods, lookups, parameters, periods
from didww.cli.framework import Command

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from didww.cdr.calls import Calls
    from didww.cli.periods import DateTime, Period
    from didww.cli.session import Session

__all__ = ["summary"]

_DIRECTIONS: Final = ("inbound", "outbound")
_NAMED: Final = 10
"""Names that a message has."""


@click.command(
    cls=Command,
    examples=(
        "didww cdr summary calls/ --by trunk",
        "didww cdr summary calls/ --by trunk,hour --month last",
        "didww cdr summary november.csv.gz --by number --sort=-cost --limit 20",
        "didww cdr summary calls/ --by country,day --direction outbound --from 2026-11-01 -o csv",
    ),
)
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option(
    "--by", metavar="NAMES", default="", help="What to group by, such as trunk or trunk,hour. In all without."
)
@click.option(
    "--direction", metavar="|".join(_DIRECTIONS), type=parameters.OneOf(_DIRECTIONS), help="Calls of one direction."
)
@click.option("--from", "first", type=periods.date_time, metavar="DATE", help="First day, or time, e.g. 2026-11-01.")
@click.option("--to", "last", type=periods.date_time, metavar="DATE", help="Last day, included; or time.")
@click.option("--month", type=export_periods.month, metavar="YYYY-MM|this|last", help="A month.")
@click.option("--last", "duration", type=parameters.duration, metavar="DURATION", help="Until now, e.g. 7d or 12h.")
@click.option("--number", metavar="NUMBER", multiple=True, help="Your number; several times for several.")
@click.option("--trunk", metavar="NAME", multiple=True, help="Name of a trunk; several times for several.")
@click.option("--account", metavar="NAME", help="Only the calls of this account of the dataset.")
@click.option("--sort", metavar="COLUMNS", help="Columns to sort by, e.g. --sort=-cost for the highest cost first.")
@click.option("--limit", metavar="N", type=click.IntRange(min=1), help="The most rows.")
@click.pass_obj
def summary(
    session: Session,
    files: tuple[str, ...],
    by: str,
    direction: str | None,
    first: DateTime | None,
    last: DateTime | None,
    month: Period | int | None,
    duration: timedelta | None,
    number: tuple[str, ...],
    trunk: tuple[str, ...],
    account: str | None,
    sort: str | None,
    limit: int | None,
) -> None:
    """Count calls, minutes and cost, by trunk, hour, number and more.

    FILES are exports, a folder with exports, or a dataset, which is faster: `didww cdr convert` makes one.

    The names of --by are hour, weekday, day, month, number, country, trunk, trunk_group, capacity_group,
    disconnect_code, direction and account. The columns are calls; attempts, of which an inbound call can have several;
    answered attempts; asr, answered of 100 attempts; acd, their average duration in seconds; connected minutes; and
    cost in US dollars. All times are in UTC.
    """
    from didww.cdr.answer import cell_text, places_of
    from didww.cdr.answers.dimensions import named
    from didww.cdr.opening import open_calls
    from didww.cli.output import print_rows
    from didww.cli.terminal import transferring

    named(by)  # an error before files are read
    start, end = _period(session, first, last, month, duration)
    numbers = [lookups.plain_number(text) for text in number]
    with transferring("Reading", at_once=False) as progress:
        everything = calls = open_calls(files[0] if len(files) == 1 else files, account=account, progress=progress)
    if numbers:
        calls = calls.where(number=numbers)
    if trunk:
        calls = calls.where(trunk=trunk)
    answer = calls.summary(by, direction=direction, start=start, end=end, sort=sort, limit=limit)
    if not any(row["attempts"] for row in answer):
        session.say(_nothing(everything, {"number": bool(numbers), "trunk": bool(trunk)}))
    places = places_of(row["cost"] for row in answer)
    rows = ({**row, "cost": Decimal(cell_text(row["cost"], places))} for row in answer)
    print_rows(session.settings, rows, answer.columns)


def _period(
    session: Session,
    first: DateTime | None,
    last: DateTime | None,
    month: Period | int | None,
    duration: timedelta | None,
) -> tuple[datetime | None, datetime | None]:
    """Return the limits of the period that the options name; None where there is none."""
    if [first if last is None else first or last, month, duration].count(None) < 2:
        raise click.UsageError("Pass one of --from and --to, --month YYYY-MM, or --last DURATION.")
    if isinstance(month, int):
        month = export_periods.month_of(_now(session), month)
    if month is not None:
        return month
    if duration is not None:
        return _now(session) - duration, None
    start, end = None if first is None else first.time, None if last is None else last.end
    if start is not None and end is not None and end <= start:
        raise click.UsageError("--to must be after --from; a day is included as a whole.")
    return start, end


def _now(session: Session) -> datetime:
    """Return the time: that of the emulator, or of this machine, for no request needs to be sent."""
    from datetime import UTC, datetime

    return session.now() if session.emulated else datetime.now(UTC)


def _nothing(calls: Calls, selected: dict[str, bool]) -> str:
    """Return that no call matches, with what there is: names of what was selected, and the days."""
    days = [row["day"] for row in calls.summary(by="day")]
    if not days:
        return "There are no calls in these files."
    parts = [f"The calls are from {days[0]} to {days[-1]}."]
    for name in (name for name, chosen in selected.items() if chosen):
        names = [str(row[name]) for row in calls.summary(by=name, sort="-attempts") if row[name] is not None]
        more = f", and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        parts.append(f"Each {name}: {', '.join(names[:_NAMED])}{more}.")
    return f"No calls match. {' '.join(parts)}"
