"""`didww numbers route`: route numbers to a trunk or a trunk group, one by one or from a CSV file."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import bulk, csv_input, lookups, parameters
from didww.cli.framework import Command
from didww.cli.numbers.routes import NOWHERE, Route, count, route_options
from didww.cli.terminal import waiting
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from didww.cli.session import Session
    from didww.resources.did import Did

__all__ = ["INCLUDE", "reroute", "route"]

BATCH: Final = 100
_COLUMNS: Final = ("number", "trunk", "group")
INCLUDE: Final = ("voice_in_trunk", "voice_in_trunk_group")


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww numbers route +442079460001 442079460002 --trunk Main",
        "didww numbers route +442079460001 --none",
        "didww numbers route --from-csv routes.csv",
    ),
)
@parameters.numbers_argument
@route_options
@click.option("--none", "nowhere", is_flag=True, help="Remove the route: calls are not answered.")
@click.option("--from-csv", metavar="FILE", help="CSV file with the columns number, and trunk or group.")
@click.option("--results", metavar="FILE", help="File of results. Defaults to the CSV file's name and .results.csv.")
@click.pass_obj
def route(
    session: Session,
    number_texts: tuple[str, ...],
    trunk: str | None,
    group: str | None,
    nowhere: bool,
    from_csv: str | None,
    results: str | None,
) -> None:
    """Route numbers to a trunk or a trunk group.

    Shows the present and the new route of each number, and asks. Numbers that are routed so already are left alone.

    A CSV file has a column number, and a column trunk or group with a name or an id; "none" removes the route. Each
    result is written to a file at once: if the command is interrupted, run it again, and it goes on.
    """
    given = [option for option in (trunk, group, nowhere or None, from_csv) if option is not None]
    if len(given) != 1:
        raise click.UsageError("Pass one of --trunk, --group, --none and --from-csv.")
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
    target = NOWHERE if nowhere else Route.of(session.client, trunk=trunk, group=group)
    dids = lookups.dids(session.client, number_texts, include=INCLUDE)
    reroute(session, dids, target)


def reroute(session: Session, dids: Sequence[Did], target: Route) -> None:
    """Route numbers, loaded with their routes, after showing the changes and asking.

    Raises:
        Exit: Some were not routed, or their outcome is unknown.
    """
    changes = [target.change(did) for did in dids]
    bulk.run(session, changes, question=f"Reroute {count(dids)}?", what="number")


def _from_csv(session: Session, path: str) -> list[bulk.Change]:
    """Return the changes of a CSV file.

    Raises:
        InvalidValueError: The file has a fault, or names what does not exist.
    """
    file = csv_input.read(path, _COLUMNS)
    file.one_of(("number",))
    if not {"trunk", "group"} & set(file.columns):
        file.one_of(("trunk", "group"))
    numbers = [_number(file, row) for row in file.rows]
    file.check_unique("number", numbers)
    routes = _Routes(session.client, file)
    targets = [routes.target(row) for row in file.rows]
    dids = _dids(session.client, file, numbers)
    return [target.change(dids[number]) for number, target in zip(numbers, targets, strict=True)]


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
            dids = lookups.known_dids(client, [number for _, number in batch], include=INCLUDE)
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

    def target(self, row: csv_input.Row) -> Route:
        """Return the route of a row."""
        cells = {column: row.cells[column] for column in ("trunk", "group") if row.cells.get(column)}
        if len(cells) != 1:
            self._file.fail(row, "trunk", "pass a trunk or a group; none removes the route.")
        ((column, name),) = cells.items()
        if name.lower() == "none":
            return NOWHERE
        if (column, name) not in self._targets:
            try:
                self._targets[column, name] = Route.of(self._client, **{column: name})
            except NotExactlyOneError as error:
                self._file.fail(row, column, error)
        return self._targets[column, name]
