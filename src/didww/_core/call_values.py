"""Convert the cells of files of call records: one at a time, or a column of a block at once.

Both ways accept the same cells, and return the same values. Cells that occur often are converted once.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from didww.enums import OpenStrEnum

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["MAX_INTEGER", "Conversion", "conversion"]

MAX_INTEGER: Final = (1 << 31) - 1
_DIGITS: Final = 9
_MAX_KEPT: Final = 10_000
_MAX_KEPT_TEXT: Final = 40
_INTEGER: Final = re.compile(r"[0-9]{1,10}")
# Zeros at the end are limited, too: no more than 38 digits in all, which decimals of Arrow and databases can have.
_DECIMAL: Final = re.compile(r"-?0*[0-9]{1,9}(?:\.[0-9]{1,9}0{0,20})?")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z?")
_ZONE: Final = "+00:00"
_MARKS: Final = ((4, "-"), (7, "-"), (10, " "), (13, ":"), (16, ":"))
"""The places of a time such as `2026-11-01 00:00:00` that have no digit, and what they have."""


class Conversion(dict[str, Any]):
    """The conversion of the cells of a column: a dictionary of cells and values, which fills itself up to a limit.

    Attributes:
        expected: What a cell must be, for errors.
    """

    def __init__(self, convert: Callable[[str], Any], expected: str) -> None:
        super().__init__({"": None})
        self.expected = expected
        self._convert = convert

    def __missing__(self, cell: str) -> Any:
        """Convert a cell.

        Raises:
            ValueError: The cell is not valid.
        """
        value = self._convert(cell)
        if len(cell) <= _MAX_KEPT_TEXT:
            if len(self) >= _MAX_KEPT:
                self.clear()
                self[""] = None
            self[cell] = value
        return value

    def column(self, cells: Sequence[str]) -> Iterable[Any]:
        """Return the values of the cells of a column.

        Raises:
            ValueError: A cell is not valid; possibly only when the values are read.
        """
        return map(self.__getitem__, cells)


class _Text(Conversion):
    def __init__(self) -> None:
        super().__init__(str, "text")

    def __missing__(self, cell: str) -> str:
        return cell

    def column(self, cells: Sequence[str]) -> Iterable[str | None]:
        return [cell or None for cell in cells] if "" in cells else cells


class _Times(Conversion):
    def __init__(self) -> None:
        super().__init__(_time, "a UTC time such as 2026-11-01 00:00:00")

    def column(self, cells: Sequence[str]) -> Iterable[datetime | None]:
        filled = [cell for cell in cells if cell] if "" in cells else cells
        # Times are rarely the same, so a dictionary would not help. One text of all is checked and converted faster.
        text = f"{_ZONE},".join((*filled, ""))
        width = 20 + len(_ZONE)
        usual = len(text) == width * len(filled) and all(
            text[place::width] == mark * len(filled) for place, mark in _MARKS
        )
        # Newer Pythons accept 24:00:00.
        if not usual or " 24:" in text:
            return super().column(cells)
        parts = text[:-1].split(",") if text else []
        if len(parts) != len(filled):
            return super().column(cells)
        times = map(datetime.fromisoformat, parts)
        return times if filled is cells else [next(times) if cell else None for cell in cells]


def _time(cell: str) -> datetime:
    if not _TIME.fullmatch(cell):
        raise ValueError
    return datetime.fromisoformat(cell.removesuffix("Z") + _ZONE)


def _integer(cell: str) -> int:
    if not _INTEGER.fullmatch(cell) or int(cell) > MAX_INTEGER:
        raise ValueError
    return int(cell)


def _decimal(cell: str) -> Decimal:
    if not _DECIMAL.fullmatch(cell):
        raise ValueError
    return Decimal(cell)


_CONVERSIONS: Final[dict[type, Callable[[], Conversion]]] = {
    str: _Text,
    datetime: _Times,
    int: partial(Conversion, _integer, f"a whole number from 0 to {MAX_INTEGER}"),
    Decimal: partial(
        Conversion, _decimal, f"an amount such as 0.0125, with at most {_DIGITS} digits before and after the point"
    ),
}


def conversion(kind: type) -> Conversion:
    """Return a new conversion to values of a type that a column declares."""
    if issubclass(kind, OpenStrEnum):
        return Conversion(kind, "text")
    return _CONVERSIONS[kind]()
