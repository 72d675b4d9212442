"""A table as lines of text, which fits into a terminal."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["text_table"]


def text_table(rows: Sequence[Sequence[str]], width: int | None, *, right: Collection[str], below: str) -> list[str]:
    """Return rows as lines, without columns that are empty.

    Args:
        rows: The headings, then the rows.
        width: Width to fit into; None for no limit.
        right: Headings of the columns that are aligned to the right.
        below: Heading of the column whose values get lines of their own if the table is too wide.
    """
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    lines = _aligned(columns, right)
    if width is None or max(map(len, lines), default=0) <= width:
        return lines
    head, *others = _aligned([column for column in columns if column[0] != below], right)
    place = rows[0].index(below)
    pairs = [[line, f"   {row[place]}"] if row[place] else [line] for line, row in zip(others, rows[1:], strict=True)]
    return [head, *chain.from_iterable(pairs)]


def _aligned(columns: Sequence[Sequence[str]], right: Collection[str]) -> list[str]:
    cells = [
        [cell.rjust(width) if column[0] in right else cell.ljust(width) for cell in column]
        for column, width in ((column, max(map(len, column))) for column in columns)
    ]
    return ["  ".join(row).rstrip() for row in zip(*cells, strict=True)]
