"""What rich draws on a terminal: tables, and the progress of waits and downloads."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from didww._util.text import printable
from didww.cli.messages import say

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rich.progress import Task

    from didww._core.download import Progress

__all__ = ["print_table", "transferring", "waiting"]

SHORT: Final = 20
"""Columns up to this width, such as numbers and times, are never broken."""
WRAPPED: Final = 14
"""Minimum width of the others."""
GAP: Final = 2


def print_table(
    rows: Sequence[Sequence[str]], headings: Sequence[str], numeric: Sequence[bool], *, color: bool
) -> None:
    """Print a table as wide as the terminal, without the last columns if they do not fit.

    Long texts are wrapped, short ones such as numbers are not.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(no_color=not color, highlight=False)
    widths = [max(len(heading), *(len(row[index]) for row in rows)) for index, heading in enumerate(headings)]
    minimums = [_minimum(width, [row[index] for row in rows]) for index, width in enumerate(widths)]
    shown = max(1, sum(total <= console.width + GAP for total in accumulate(minimum + GAP for minimum in minimums)))
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False, header_style="bold")
    for heading, width, minimum, number in zip(headings[:shown], widths, minimums, numeric, strict=False):
        table.add_column(
            heading,
            min_width=minimum,
            no_wrap=width == minimum,
            overflow="fold",
            justify="right" if number else "left",
        )
    for row in rows:
        table.add_row(*(Text(cell) for cell in row[:shown]))
    console.print(table)
    if shown < len(headings):
        hidden = ", ".join(headings[shown:])
        say(f"Not shown at this width: {hidden}. Choose with --columns, or print -o json.")


def _minimum(width: int, cells: Sequence[str]) -> int:
    """Return the width that a column needs: a whole id or short text, or else enough to be wrapped in few lines."""
    whole = width <= SHORT or (width <= 2 * SHORT and not any(" " in cell for cell in cells))
    return width if whole else WRAPPED


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
                say(f"{text}: {status}")

        yield tell
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    dots = "dots" if console.encoding.startswith("utf") else "line"
    with console.status(Text(printable(text)), spinner=dots) as spinner:
        yield lambda status: spinner.update(Text(printable(f"{text}: {status}")))


@contextmanager
def transferring(text: str, *, at_once: bool = True) -> Generator[Callable[[Progress], None]]:
    """Show the progress of a transfer on standard error; call the result with each `Progress`.

    `at_once` shows it before the first one. Without a terminal, it is a line at the beginning, at each tenth, and for
    unknown sizes at each doubling.
    """
    if not sys.stderr.isatty():
        yield _progress_lines(text)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars
    from rich.text import Text

    class Speed(TransferSpeedColumn):
        """The speed, once it is known."""

        def render(self, task: Task) -> Text:
            return super().render(task) if task.finished_speed or task.speed else Text()

    console = Console(stderr=True, no_color=bool(os.environ.get("NO_COLOR")))
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), Speed())
    with Bars(*columns, TimeRemainingColumn(), console=console) as bars:
        task = bars.add_task(text, total=None, visible=at_once)
        yield lambda progress: bars.update(task, completed=progress.done, total=progress.total, visible=True)
        if bars.tasks[0].total is None:  # the size is known now
            bars.update(task, total=bars.tasks[0].completed)


def _progress_lines(text: str) -> Callable[[Progress], None]:
    due = 0

    def show(progress: Progress) -> None:
        nonlocal due
        done, total = progress
        if done >= due or done == total:
            due = max(done * 2, 1) if total is None else done + max(total // 10, 1)
            of = "" if total is None else f" of {total}"
            say(f"{text}: {done}{of} bytes")

    return show
