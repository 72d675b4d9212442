"""`didww cdr sql`."""

from __future__ import annotations

from decimal import Decimal
from itertools import chain, count
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli.framework import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from didww.cli.session import Session

__all__ = ["sql"]


_ONE_QUESTION: Final = (
    "QUERY must be one question, such as `select trunk, sum(cost) from calls group by trunk`. It cannot write files or "
    "tables: use -o csv or -o json, and redirect the output."
)


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

    A query can also read other files, such as `join 'customers.csv'`, but not write any.
    """
    import shutil

    if Path(statement).exists() and not Path(files[0]).exists():
        raise click.UsageError(f"{statement} is a file or folder. The query comes first, then FILES.")
    from didww.cdr.duck import connect, reader_of
    from didww.cdr.opening import open_dataset
    from didww.cli.output import print_rows
    from didww.cli.terminal import transferring
    from didww.exceptions import InvalidValueError

    with transferring("Reading", at_once=False) as progress:
        dataset, temporary = open_dataset(files[0] if len(files) == 1 else files, account=account, progress=progress)
    import duckdb

    try:
        with connect(folder=temporary) as connection:
            dataset.view(connection, account=account)
            try:
                kinds = [each.type for each in connection.extract_statements(statement)]
                if kinds not in ([duckdb.StatementType.SELECT], [duckdb.StatementType.EXPLAIN]):
                    raise InvalidValueError(_ONE_QUESTION, field="QUERY")
                found: Any = connection.sql(statement)
                if found is not None:
                    names = _distinct(map(str, found.columns))
                    print_rows(session.settings, _rows(reader_of(found), names), names)
            except duckdb.Error as error:
                raise InvalidValueError(_refused(error), field="QUERY") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _refused(error: Exception) -> str:
    """Return why DuckDB refused a query, in one line without the place in the query."""
    text = str(error)
    if "Table with name" in text and "does not exist" in text:
        return "DuckDB refused the query: there is no such table. The table is `calls`."
    lines = (line.strip() for line in text.partition("\nLINE ")[0].splitlines())
    return f"DuckDB refused the query: {' '.join(filter(None, lines))}"


def _distinct(names: Iterable[str]) -> list[str]:
    """Return a name of its own for each column: those of a join often have equal names."""
    found: dict[str, str] = {}
    for name in names:
        numbered = chain([name], (f"{name}_{number}" for number in count(1)))
        # The keys of JSON and of CSV have no blanks.
        own = next(each for each in numbered if each.replace(" ", "_") not in found)
        found[own.replace(" ", "_")] = own
    return list(found.values())


def _rows(batches: Any, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    for batch in batches:
        for row in zip(*map(_values, batch.columns), strict=True):
            yield dict(zip(names, map(_short, row), strict=True))


def _values(column: Any) -> Any:
    """Return the values of a column; as text if one is a time that Python has not, such as one in the year 10000."""
    try:
        return column.to_pylist()
    except (OverflowError, ValueError):
        return [_endless(text) for text in column.cast("string").to_pylist()]


def _endless(text: str | None) -> str | None:
    """Return the text of a time; Arrow has none for an infinite one."""
    if text is None or "out of range" not in text:
        return text
    return "-infinity" if ": -" in text else "infinity"


def _short(value: Any) -> Any:
    """Return an amount without the zeros at its end, and as text what JSON has no number for."""
    if isinstance(value, Decimal) and value.is_finite():
        digits = f"{value:f}"  # normalize() would round to 28 digits
        return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)
    return str(value) if isinstance(value, float) and not isfinite(value) else value
