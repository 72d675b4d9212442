"""`didww cdr sql`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from didww.cli.framework import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from didww.cli.session import Session

__all__ = ["sql"]


@click.command(
    cls=Command,
    examples=(
        'didww cdr sql "select trunk, count(*) as attempts, sum(cost) as cost from calls group by trunk" calls/',
        'didww cdr sql "select * from calls where duration > 3600" november.csv.gz december.csv.gz -o csv',
    ),
)
@click.argument("statement", metavar="QUERY")
@click.argument("files", metavar="FILES...", nargs=-1, required=True)
@click.option("--account", metavar="NAME", help="Only the calls of this account of the dataset.")
@click.pass_obj
def sql(session: Session, statement: str, files: tuple[str, ...], account: str | None) -> None:
    """Query call records with SQL, by DuckDB.

    The table is `calls`. Its columns are those of a dataset: time_start, trunk, duration, cost and so on. FILES are
    exports, a folder with exports, or a dataset, which is faster: `didww cdr convert` makes one.
    """
    import shutil
    from pathlib import Path

    from didww.cdr.duck import connect, reader_of
    from didww.cdr.opening import open_dataset
    from didww.cli.output import print_rows
    from didww.cli.terminal import transferring
    from didww.exceptions import InvalidValueError

    if statement and Path(statement).exists():
        raise click.UsageError(f"QUERY comes before FILES: {statement} is a file or folder.")
    with transferring("Reading", at_once=False) as progress:
        dataset, temporary = open_dataset(files[0] if len(files) == 1 else files, account=account, progress=progress)
    import duckdb

    try:
        with connect(folder=temporary) as connection:
            dataset.view(connection, account=account)
            try:
                found: Any = connection.sql(statement)
                if found is not None:
                    names = _unique(map(str, found.columns))
                    print_rows(session.settings, _rows(reader_of(found), names), names)
            except duckdb.Error as error:
                message = f"DuckDB refused the query: {_reason(error)}"
                raise InvalidValueError(message, field="QUERY") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _unique(names: Iterable[str]) -> list[str]:
    """Return names of columns of which none is there twice."""
    found: dict[str, str] = {}
    for name in names:
        chosen, number = name, 1
        while (key := chosen.replace(" ", "_")) in found:
            number += 1
            chosen = f"{name}_{number}"
        found[key] = chosen
    return list(found.values())


def _rows(batches: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield dict(zip(names, map(_short, row), strict=True))


def _reason(error: Exception) -> str:
    """Return the message of an error in one line, without the query."""
    reason = " ".join(str(error).partition("\n\nLINE ")[0].split())
    if reason.startswith("Catalog Error: Table with name"):
        return f"{reason.partition(' Did you mean')[0]} The table is `calls`."
    return reason


def _short(value: Any) -> Any:
    """Return an amount without the zeros at its end."""
    return Decimal(f"{value.normalize():f}") if isinstance(value, Decimal) and value.is_finite() else value
