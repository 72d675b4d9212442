"""The layout of a file of call records: which column has which attribute, and how rows become records.

Columns are found by their names, of all versions of the API. Rows are converted one by one, or a block of them column
by column, which is faster.
"""

from __future__ import annotations

import csv
import io
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from didww._core.call_values import Conversion, conversion
from didww._util.text import printable, shown
from didww.exceptions import CallFileError
from didww.resources.call import InboundCall, OutboundCall, columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from didww._core.csv_rows import Rows
    from didww.resources.call import CallRecord

__all__ = ["Layout", "layout_of"]

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
        cells = zip(*(columns[place] for place, _ in self._extra), strict=True)
        return [MappingProxyType({name: cell for name, cell in zip(names, row, strict=True) if cell}) for row in cells]


def _columns(text: str, width: int) -> Sequence[Sequence[str]] | None:
    """Return the columns of whole lines; None if they are not rows of as many cells."""
    if '"' in text or "\r" in text or not text.endswith("\n"):
        rows = list(csv.reader(io.StringIO(text, newline="\n"), strict=True))
        columns: list[Sequence[str]] = list(zip(*rows, strict=True))
        return columns if len(columns) == width else None
    # Without quotes, every comma ends a cell. The ends of lines become a column, which shows that all have as many.
    cells = text.replace("\n", ",\n,").split(",")
    cells.pop()
    ends = cells[width :: width + 1]
    if len(ends) * (width + 1) != len(cells) or ends != ["\n"] * len(ends):
        return None
    return [cells[place :: width + 1] for place in range(width)]


def layout_of(rows: Rows, record_class: type[CallRecord] | None = None) -> Layout:
    """Read the header, and return the layout of the file.

    Args:
        rows: The rows of the file, at its start.
        record_class: Class of the records. Defaults to the one that the header tells.

    Raises:
        CallFileError: The file is empty, has other records, or the names of its columns are not unique.
    """
    header = next(rows, None)
    if header is None:
        raise CallFileError(f"{rows.name} is empty. Download it again.")
    found: dict[type[CallRecord], dict[str, int]] = {cls: _places(header, cls) for cls in _CLASSES}
    best: type[CallRecord] = max(_CLASSES, key=lambda cls: len(found[cls]))
    cls = record_class or best
    for place, name in enumerate(header):
        if not name.strip() or header.index(name) != place:
            problem = f"two columns {printable(name[:80])!r}" if name.strip() else "a column without a name"
            raise rows.error(f"the header has {problem}")
    if "time_start" not in found[best] or len({len(places) for places in found.values()}) == 1:
        raise rows.error("the header has not the columns of call records")
    if cls is not best:
        raise rows.error(f"the header is that of {best.__name__}, not of {cls.__name__}")
    return Layout(cls, [name.strip() for name in header], found[cls])


def _places(header: list[str], cls: type[CallRecord]) -> dict[str, int]:
    attributes = {_plain(name): attribute for attribute, *_, column in columns_of(cls) for name in column.names}
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        if attribute := attributes.get(_plain(name)):
            places.setdefault(attribute, place)
    return places


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
