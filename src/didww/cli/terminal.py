"""What rich draws on a terminal: tables, and the progress of waits and downloads."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

__all__ = ["print_table", "waiting"]

SHORT: Final = 16
"""Columns up to this width, such as numbers and times, are never broken."""
MIN_WIDTH: Final = 10
"""Minimum width of the others."""


def print_table(
    rows: Sequence[Sequence[str]], headings: Sequence[str], numeric: Sequence[bool], *, color: bool
) -> None:
    """Print a table as wide as the terminal; long texts are wrapped, short ones such as numbers are not."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(no_color=not color, highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for index, heading in enumerate(headings):
        width = max(len(heading), *(len(row[index]) for row in rows))
        table.add_column(
            heading,
            min_width=width if width <= SHORT else MIN_WIDTH,
            no_wrap=width <= SHORT,
            overflow="fold",
            justify="right" if numeric[index] else "left",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


@contextmanager
def waiting(text: str) -> Generator[Callable[[str], None]]:
    """Show on standard error that something is awaited; call the result with the current status.

    Without a terminal, each new status is one line.
    """
    if not sys.stderr.isatty():
        last = ""

        def tell(status: str) -> None:
            nonlocal last
            if status != last:
                last = status
                click.echo(f"{text}: {status}", err=True)

        yield tell
        return
    from rich.console import Console

    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    with console.status(text) as spinner:
        yield lambda status: spinner.update(f"{text}: {status}")
