"""`didww cdr`: fetch call records, and answer questions about them."""

from __future__ import annotations

from typing import Final

import click

from didww.cli.framework import LazyGroup

__all__ = ["cdr"]

SECTIONS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "": {
        "fetch": ("cdr.fetch:fetch", "Fetch call records into a folder; again only new ones."),
        "summary": ("cdr.summary:summary", "Count calls, minutes and cost, by trunk, hour, number and more."),
        "report": ("cdr.report:report", "Write a page with plots of traffic, failures, cost and capacity."),
        "sql": ("cdr.sql:sql", "Query call records with SQL."),
        "convert": ("cdr.convert:convert", "Convert exports to a Parquet dataset."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    examples=("didww cdr fetch cdr_in calls/", "didww cdr summary calls/ --by trunk,hour", "didww cdr report calls/"),
)
def cdr() -> None:
    """Call records (CDRs) as data: fetch them, count calls and cost, find failing trunks, and write reports.

    FILES are exports, compressed or not, folders with exports, or a dataset that `didww cdr convert` has made. All but
    `fetch` need `pip install "didww-sdk[cdr]"`.
    """
