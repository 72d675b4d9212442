"""`didww cdr convert`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from didww.cli.framework import Command

if TYPE_CHECKING:
    from didww._core.call_rows import RejectedRow
    from didww.cli.session import Session

__all__ = ["convert"]


@click.command(
    cls=Command,
    examples=(
        "didww cdr convert calls.csv.gz dataset/",
        "didww cdr convert november.csv.gz december.csv.gz dataset/ --account main",
        "didww cdr convert exports/ dataset/ --rejects rejected.csv",
    ),
)
@click.argument("files", metavar="FILES...", nargs=-1)
@click.argument("dataset", metavar="DATASET")
@click.option("--account", metavar="NAME", default="default", help="Name of the account. Defaults to `default`.")
@click.option("--rejects", metavar="FILE", help="CSV file for rows that are not valid, instead of an error.")
@click.pass_obj
def convert(session: Session, files: tuple[str, ...], dataset: str, account: str, rejects: str | None) -> None:
    """Convert exports to a Parquet dataset, or add them to one.

    FILES are exports, compressed or not, or a folder with exports. DATASET is a folder, which any engine reads: DuckDB,
    polars, Spark and others.

    Calls that the dataset has already are left out, so the same exports can be added again, for instance after an
    interruption.
    """
    from didww._util.extras import need
    from didww.cdr.dataset import CallDataset
    from didww.cli import export_files
    from didww.cli.output import print_row
    from didww.cli.terminal import transferring

    need("duckdb")
    if not files:
        raise click.UsageError(
            f"DATASET is missing: a folder for the dataset, after FILES, as in `didww cdr convert {dataset} dataset/`."
        )
    if rejects is not None:
        export_files.check(rejects, force=False, name="FILE", advice="Pass another FILE.")
    refused: list[RejectedRow] | None = None if rejects is None else []
    target = CallDataset(dataset)
    source = files[0] if len(files) == 1 else files
    try:
        with transferring("Converting") as progress:
            added = target.append(source, account=account, rejects=refused, progress=progress)
    except KeyboardInterrupt:
        session.advice.append("To continue: run the same command again. Calls that were added are left out.")
        raise
    finally:
        if rejects is not None and refused:
            _write(rejects, refused)
    print_row(
        session.settings,
        {
            "dataset": dataset,
            "rows": added.rows,
            "duplicates": added.duplicates,
            "rejected": added.rejected,
            "parquet_files": len(target.files),
        },
    )


def _write(path: str, refused: list[RejectedRow]) -> None:
    import csv

    from didww.cli.output import csv_cell

    # Only for its owner, as call records are personal data.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 a descriptor
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("file", "line", "column", "message", "text"))
        rows.writerows([csv_cell(value) for value in row] for row in refused)
