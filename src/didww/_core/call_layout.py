"""The layout of a file of call records: which column has which attribute, and how rows become records.

Columns are found by their names, of all versions of the API. Rows are converted one by one, or a block of them column
by column, which is faster.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from didww._core.call_values import Conversion, conversion
from didww._util.text import shown
from didww.exceptions import CallFileError
from didww.resources.call import InboundCall, OutboundCall, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from didww._core.csv_rows import Rows
    from didww.resources.call import CallRecord

__all__ = ["Layout", "layout_of"]

_ROW_END: Final = "\0"
"""Marks the end of a row among cells, in which it is not valid."""
_CLASSES: Final[tuple[type[CallRecord], ...]] = (InboundCall, OutboundCall)


class Layout:
    """The columns of a file, and how its rows become records.

    Attributes:
        record_class: Class of the records.
        names: Names of the columns in the file.
        places: The attributes that have a column, and its place.
    """

    def __init__(self, record_class: type[CallRecord], names: Sequence[str], places: Mapping[str, int]) -> None:
        self.record_class = record_class
        self.names = tuple(names)
        self.places = dict(places)
        conversions: dict[type, Conversion] = {}
        self._columns: list[tuple[int | None, Conversion, bool]] = []
        for attribute, kind, optional, _ in columns_of(record_class):
            converted = conversions.setdefault(kind, conversion(kind))
            self._columns.append((places.get(attribute), converted, optional))
        known = set(places.values())
        self._extra = [(place, name) for place, name in enumerate(names) if place not in known]

    def records(self, block: bytes) -> list[Any] | None:
        """Return the records of whole lines; None if they need to be read row by row."""
        if not block or b"\0" in block:
            return None
        try:
            columns = _columns(block.decode(), len(self.names))
            if columns is None:
                return None
            values: list[Iterable[Any]] = []
            for place, converted, optional in self._columns:
                if place is None:
                    values.append(repeat(None))
                    continue
                cells = columns[place]
                if not optional and "" in cells:
                    return None
                values.append(converted.column(cells))
            if self._extra:
                values.append(self._extras(columns))
            return list(map(self.record_class, *values))
        except (ValueError, csv.Error):
            return None

    def record(self, cells: list[str], rows: Rows) -> Any:
        """Return the record of a row.

        Raises:
            CallFileError: The row is not valid.
        """
        if any("\0" in cell for cell in cells):
            raise rows.error("the row has a NUL character")
        if len(cells) != len(self.names):
            raise rows.error(f"the row must have {len(self.names)} cells, got {len(cells)}")
        values: list[Any] = []
        for place, converted, optional in self._columns:
            cell = "" if place is None else cells[place]
            if place is not None and not cell and not optional:
                raise rows.error(f"the cell must be {converted.expected}, got nothing", self.names[place])
            try:
                values.append(converted[cell])
                continue
            except ValueError:
                pass
            raise rows.error(
                f"the cell must be {converted.expected}, got {shown(cell)}",
                self.names[place] if place is not None else "",
            )
        if self._extra:
            values.extend(self._extras([(cell,) for cell in cells]))
        return self.record_class(*values)

    def _extras(self, columns: Sequence[Sequence[str]]) -> list[Mapping[str, str]]:
        names = [name for _, name in self._extra]
        chosen = [columns[place] for place, _ in self._extra]
        if not any("" in cells for cells in chosen):
            return list(map(dict, map(zip, repeat(names), zip(*chosen, strict=True))))
        return [
            {name: cell for name, cell in zip(names, row, strict=True) if cell} for row in zip(*chosen, strict=True)
        ]


def _columns(text: str, width: int) -> Sequence[Sequence[str]] | None:
    """Return the columns of whole lines; None if they are not rows of as many cells."""
    text = text.replace("\r\n", "\n") if '"' not in text else text
    if '"' not in text and "\r" not in text and text.endswith("\n"):
        # Every comma ends a cell.
        cells = text[:-1].replace("\n", f",{_ROW_END},").split(",")
    elif quoted := _all_quoted(text):
        cells = quoted
    else:
        rows = list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
        columns: list[Sequence[str]] = list(zip(*rows, strict=True))
        return columns if len(columns) == width else None
    # The ends of rows become a column, which shows that all rows have as many cells.
    cells.append(_ROW_END)
    ends = cells[width :: width + 1]
    if len(ends) * (width + 1) != len(cells) or ends != [_ROW_END] * len(ends):
        return None
    return [cells[place :: width + 1] for place in range(width)]


def _all_quoted(text: str) -> list[str] | None:
    """Return the cells of rows, and their ends, if every cell has quotes around it and none within."""
    end = "\r\n" if text.endswith("\r\n") else "\n"
    if not (text.startswith('"') and text.endswith(f'"{end}')):
        return None
    cells = text[1 : -len(end) - 1].replace(f'"{end}"', f'","{_ROW_END}","').split('","')
    return cells if text.count('"') == 2 * (len(cells) - cells.count(_ROW_END)) else None


def layout_of(rows: Rows, record_class: type[CallRecord] | None = None) -> Layout:
    """Read the header, and return the layout of the file.

    Args:
        rows: The rows of the file, at its start.
        record_class: Class of the records. Defaults to the one that the header fits.

    Raises:
        CallFileError: The file is empty, has other records, or the names of its columns are not unique.
    """
    header = next(rows, None)
    if header is None:
        raise CallFileError(f"{rows.name} is empty. Download it again.")
    names = [name.strip() for name in header]
    for name, count in Counter(names).items():
        if not name or count > 1:
            problem = f"has {count} columns {shown(name)}" if name else "has a column without a name"
            raise rows.error(f"the header {problem}")
    found = {cls: places_of(names, cls) for cls in _CLASSES}
    best = max(found, key=lambda cls: len(found[cls]))
    known = len(found[record_class or best])
    if "time_start" not in found[best]:
        raise rows.error(
            "the header has no column 'Date/Time Start (UTC)', so this is not an export of calls; leave the file out"
        )
    if record_class is None and (2 * known < len(names) or all(len(places) == known for places in found.values())):
        raise rows.error(
            f"the header has {known} of its {len(names)} columns in common with {best.__name__}. If this is an "
            f"export of calls, read it with read_calls(path, {best.__name__})"
        )
    if known < len(found[best]):
        raise rows.error(f"the header is that of {best.__name__}. Pass it as `record_class`, or omit `record_class`")
    cls = record_class or best
    return Layout(cls, names, found[cls])


def places_of(names: list[str], cls: type[CallRecord]) -> dict[str, int]:
    """Return the attributes that have a column, and the place of the column."""
    attributes = {_plain(name): attribute for attribute, *_, column in columns_of(cls) for name in column.names}
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if attribute := attributes.get(_plain(name)):
            places.setdefault(attribute, place)
    return places


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
