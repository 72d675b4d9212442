"""`didww numbers route`: route calls and text messages of numbers, one by one or from a CSV file."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import bulk, csv_input, lookups, parameters
from didww.cli.errors import RefusedError
from didww.cli.framework import SINCE_TOKENS, Command, SectionOption
from didww.cli.number_types import in_version
from didww.cli.numbers.routes import (
    INCLUDE,
    NO_SMS_ROUTE,
    NOWHERE,
    OPTIONS,
    Route,
    change,
    count,
    route_options,
    sms_route_options,
)
from didww.cli.terminal import waiting
from didww.exceptions import InvalidValueError, NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from didww.cli.session import Session
    from didww.resources.did import Did

__all__ = ["reroute", "route"]

BATCH: Final = 100
_COLUMNS: Final = ("number", *OPTIONS)
_TRAFFIC: Final = ((NOWHERE, ("trunk", "group")), (NO_SMS_ROUTE, ("sms_trunk", "sms_group")))
"""No route, and the columns of a CSV file that have one, of calls and of text messages."""


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww numbers route +442079460001 442079460002 --trunk Main",
        "didww numbers route +442079460001 --none",
        "didww numbers route --from-csv routes.csv",
        "didww numbers route +442079460001 --sms-trunk Inbox --api-version 2026-11-19",
    ),
)
@parameters.numbers_argument
@route_options
@click.option("--none", "nowhere", is_flag=True, help="Remove the route: calls are not answered.")
@sms_route_options
@click.option(
    "--no-sms",
    cls=SectionOption,
    versions=SINCE_TOKENS,
    is_flag=True,
    help="Remove the route of text messages: they are not received.",
)
@click.option("--from-csv", metavar="FILE", help="CSV file with the column number, and columns of routes; see above.")
@click.option("--results", metavar="FILE", help="File of results. Defaults to the CSV file's name and .results.csv.")
@click.pass_obj
def route(
    session: Session,
    number_texts: tuple[str, ...],
    trunk: str | None,
    group: str | None,
    nowhere: bool,
    sms_trunk: str | None,
    sms_group: str | None,
    no_sms: bool,
    from_csv: str | None,
    results: str | None,
) -> None:
    """Route calls of numbers to a trunk or a trunk group, and text messages to an SMS trunk or an SMS trunk group.

    Shows the present and the new route of each number, and asks. Numbers that are routed so already are left alone.

    A CSV file has a column number, and a column trunk or group with a name or an id; "none" removes the route. For text
    messages, it has a column sms_trunk or sms_group, with or without a column for calls. Each result is written to a
    file at once: if the command is interrupted, run it again, and it goes on.
    """
    calls, messages = (trunk, group, nowhere or None), (sms_trunk, sms_group, no_sms or None)
    given = [sum(option is not None for option in options) for options in (calls, messages)]
    _check_given(session, given, from_file=from_csv is not None)
    if from_csv is not None:
        if number_texts:
            raise click.UsageError("--from-csv does not go with numbers.")
        changes = _from_csv(session, from_csv)
        bulk.run(
            session,
            changes,
            result_file=results or f"{from_csv}.results.csv",
            question=f"Reroute {len(changes)} number{'' if len(changes) == 1 else 's'}?",
            what="number",
        )
        return
    if not number_texts:
        raise click.UsageError("Pass at least one number, or --from-csv.")
    client = session.client
    targets: list[Route] = []
    if given[0]:
        targets.append(NOWHERE if nowhere else Route.of(client, trunk=trunk, group=group))
    if given[1]:
        targets.append(NO_SMS_ROUTE if no_sms else Route.of(client, sms_trunk=sms_trunk, sms_group=sms_group))
    reroute(session, lookups.dids(client, number_texts, include=_includes(client)), targets)


_OF_CALLS: Final = "--trunk, --group and --none"
_OF_MESSAGES: Final = "--sms-trunk, --sms-group and --no-sms"


def _check_given(session: Session, given: Sequence[int], *, from_file: bool) -> None:
    """Check how many options of calls and of messages were given.

    Raises:
        UsageError: None, too many, or some together with a file.
    """
    for number, options in zip(given, (_OF_CALLS, _OF_MESSAGES), strict=True):
        if number > 1:
            raise click.UsageError(f"{options} exclude each other.")
    if from_file and any(given):
        raise click.UsageError("--from-csv goes without options of routes: the file has them.")
    if not from_file and not any(given):
        more = f", or of {_OF_MESSAGES}" if SINCE_TOKENS.includes(session.settings.version) else ""
        raise click.UsageError(f"Pass one of {_OF_CALLS}{more}; or --from-csv.")


def _includes(client: Any) -> list[str]:
    from didww.resources.did import Did

    return in_version(client, Did, INCLUDE)


def reroute(session: Session, dids: Sequence[Did], targets: Sequence[Route]) -> None:
    """Route numbers, loaded with their routes, after showing the changes and asking.

    Raises:
        Exit: Some were not routed, or their outcome is unknown.
    """
    changes = [change(did, targets) for did in dids]
    bulk.run(session, changes, question=f"Reroute {count(dids)}?", what="number")


def _from_csv(session: Session, path: str) -> list[bulk.Change]:
    """Return the changes of a CSV file.

    Raises:
        InvalidValueError: The file has a fault, or names what does not exist.
    """
    file = csv_input.read(path, _COLUMNS)
    file.one_of(("number",))
    offered = OPTIONS if SINCE_TOKENS.includes(session.settings.version) else _TRAFFIC[0][1]
    if not set(OPTIONS) & set(file.columns):
        raise InvalidValueError(f"{path}, line 1: a column {' or '.join(offered)} is needed.", field="from_csv")
    for column in _TRAFFIC[1][1]:
        if column in file.columns:
            session.check_versions(f"The column {column} does not exist", SINCE_TOKENS)
    numbers = [_number(file, row) for row in file.rows]
    file.check_unique("number", numbers)
    routes = _Routes(session.client, file)
    targets = [routes.targets(row) for row in file.rows]
    dids = _dids(session.client, file, numbers)
    return [change(dids[number], wanted) for number, wanted in zip(numbers, targets, strict=True)]


def _number(file: csv_input.CsvFile, row: csv_input.Row) -> str:
    try:
        return lookups.plain_number(row.cells["number"])
    except ValueError as error:
        file.fail(row, "number", error)


def _dids(client: Any, file: csv_input.CsvFile, numbers: Sequence[str]) -> Mapping[str, Did]:
    """Return the numbers of the account by number; the error for a missing one names its line."""
    found: dict[str, Did] = {}
    rows = list(zip(file.rows, numbers, strict=True))
    with waiting("Looking up numbers") if len(rows) > BATCH else nullcontext() as show:
        for start in range(0, len(rows), BATCH):
            batch = rows[start : start + BATCH]
            dids = lookups.known_dids(client, [number for _, number in batch], include=_includes(client))
            found |= {did.number: did for did in dids}
            for row, number in batch:
                if number not in found:
                    file.fail(row, "number", f"the account does not have {number}.")
            if show is not None:
                show(f"{len(found)} of {len(rows)}")
    return found


class _Routes:
    """The trunks and groups of a file, each looked up once."""

    def __init__(self, client: Any, file: csv_input.CsvFile) -> None:
        self._client = client
        self._file = file
        self._targets: dict[tuple[str, str], Route] = {}

    def targets(self, row: csv_input.Row) -> list[Route]:
        """Return the routes of a row: of calls, of text messages, or of both."""
        found: list[Route] = []
        for nowhere, columns in _TRAFFIC:
            cells = {column: row.cells[column] for column in columns if row.cells.get(column)}
            if len(cells) > 1:
                self._file.fail(row, columns[0], f"pass {' or '.join(columns)}, not both; none removes the route.")
            found += [self._target(row, column, name, nowhere) for column, name in cells.items()]
        if not found:
            present = [column for column in OPTIONS if column in self._file.columns]
            self._file.fail(row, present[0], f"pass {' or '.join(present)}; none removes the route.")
        return found

    def _target(self, row: csv_input.Row, column: str, name: str, nowhere: Route) -> Route:
        if name.lower() == "none":
            return nowhere
        if (column, name) not in self._targets:
            try:
                self._targets[column, name] = Route.of(self._client, **{column: name})
            except (NotExactlyOneError, RefusedError) as error:
                self._file.fail(row, column, error)
        return self._targets[column, name]
