"""What rich draws on a terminal: tables, and the progress of waits and downloads."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from didww._core.download import Progress

__all__ = ["print_table", "transferring", "waiting"]

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


@contextmanager
def transferring(text: str) -> Generator[Callable[[Progress], None]]:
    """Show the progress of a transfer on standard error; call the result with each `Progress`.

    Without a terminal, it is a line at the beginning, at each tenth, and for unknown sizes at each doubling.
    """
    if not sys.stderr.isatty():
        yield _progress_lines(text)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, TimeRemainingColumn(), console=console) as bars:
        task = bars.add_task(text, total=None)
        yield lambda progress: bars.update(task, completed=progress.done, total=progress.total)


def _progress_lines(text: str) -> Callable[[Progress], None]:
    due = 0

    def show(progress: Progress) -> None:
        nonlocal due
        done, total = progress
        if done >= due or done == total:
            due = max(done * 2, 1) if total is None else done + max(total // 10, 1)
            of = "" if total is None else f" of {total}"
            click.echo(f"{text}: {done}{of} bytes", err=True)

    return show
