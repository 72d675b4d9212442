"""The parts of a report: plots with their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from didww.cdr.report.drawing import NARROW, WIDE, style

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from didww.cdr.report.drawing import Drawing

__all__ = ["Column", "LegendEntry", "Plot", "Table", "drawn", "limited"]


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        heading: Its heading.
        shown: Returns a value as text.
        kind: `number` is aligned at the right; only `text` is broken.
    """

    heading: str
    shown: Callable[[Any], str] = str
    kind: Literal["text", "number", "time"] = "text"


class Table(NamedTuple):
    """The numbers of a plot.

    Attributes:
        columns: Its columns.
        rows: Its rows, with a value for each column.
        omitted: Number of rows that were left out after these.
        open: Whether the page shows it at once.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    omitted: int = 0
    open: bool = False


class LegendEntry(NamedTuple):
    """A color of a plot, and what it stands for."""

    color: str
    label: str


class Plot(NamedTuple):
    """A plot, its table, and what can be seen in it.

    Attributes:
        name: Its name, unique in the page.
        title: Its title.
        finding: What is most notable, in a sentence or two.
        drawings: The drawing in two widths; none if there is only the table.
        table: The numbers.
        legend: Its colors.
        notes: How to read it.
    """

    name: str
    title: str
    finding: str
    drawings: Sequence[str]
    table: Table
    legend: Sequence[LegendEntry] = ()
    notes: str = ""


MOST_ROWS: Final = 300
"""Rows of a table at most, so that the page stays small."""
_MOST_CELLS: Final = 2400
"""Cells of a table at most: one with a column for each hour has fewer rows."""


def drawn(draw: Callable[[int], Drawing], title: str) -> tuple[str, ...]:
    """Return a drawing in both widths."""
    with style():
        return tuple(draw(width).svg(title) for width in (WIDE, NARROW))


def limited(columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, open: bool = False) -> Table:
    """Return a table of the first rows."""
    most = min(MOST_ROWS, _MOST_CELLS // len(columns))
    return Table(columns, rows[:most], max(0, len(rows) - most), open)
