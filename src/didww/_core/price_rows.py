"""Read the rows of a price file as typed records, with constant memory use.

A file is UTF-8 text with a header row, compressed with gzip or not. Columns are found by their name, which is that of
an attribute in words: `Src country name` is `src_country_name`. So added columns can be read like unknown attributes of
a response. A file without a documented column is refused. Reading an attribute without a documented column raises an
error if the file has none: None would mean that there is no such price.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from didww._core.csv_rows import MAX_DECOMPRESSED, Rows, opened
from didww._core.download import check_max_bytes, target_path
from didww._util.text import printable, shown
from didww.exceptions import InvalidValueError, PriceFileError
from didww.resources.price.sms_in import SmsInPrice
from didww.resources.price.sms_out import SmsOutPrice
from didww.resources.price.voice_in import VoiceInPrice
from didww.resources.price.voice_out import VoiceOutPrice

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from didww._schema.resource import Resource

__all__ = ["MAX_DECOMPRESSED", "read_prices"]

_CLASSES: Final = (VoiceInPrice, VoiceOutPrice, SmsOutPrice, SmsInPrice)
_DOCUMENTED: Final[Mapping[type[Resource], tuple[str, ...]]] = {
    VoiceInPrice: (
        *("Country", "Src country name", "Source type", "Destination", "Rate", "Connection fee"),
        *("Initial interval", "Next interval", "Reject calls"),
    ),
    VoiceOutPrice: (
        *("Category", "Country", "Network", "Prefix", "Rate", "Connection fee"),
        *("Initial increment", "Recurring increment"),
    ),
    SmsOutPrice: (
        *("Source prefix", "Destination prefix", "Country", "MCC", "MCC name", "MNC", "MNC name"),
        *("Reject SMS", "Price"),
    ),
    SmsInPrice: (
        *("Source prefix", "Source number length min", "Source number length max", "Destination prefix"),
        *("Destination number length min", "Destination number length max", "Country", "Price"),
    ),
}
"""The columns that the documentation of each file names. That of outbound calls has more, whose names are not known."""

_OTHER_NAMES: Final[Mapping[type[Resource], Mapping[str, str]]] = {VoiceOutPrice: {"reject": "reject_calls"}}
"""Names that columns without a documented name may have, and their attributes."""

_TRUTH: Final = {"true": True, "yes": True, "t": True, "1": True, "false": False, "no": False, "f": False, "0": False}
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")

P = TypeVar("P", VoiceInPrice, VoiceOutPrice, SmsOutPrice, SmsInPrice)


def read_prices(
    path: str | bytes | os.PathLike[str], record_class: type[P], *, max_bytes: int = MAX_DECOMPRESSED
) -> Iterator[P]:
    """Yield the prices of a downloaded price file, one record for each row, with constant memory use.

    Records have no id, and None for empty cells. Columns that this SDK does not know can be read as text: `Some column`
    is `some_column`. Reading an attribute whose column the file lacks raises `NotLoadedError`. A compressed file is
    verified to its last byte.

    Args:
        path: The file, compressed with gzip or not.
        record_class: `VoiceInPrice`, `VoiceOutPrice`, `SmsOutPrice` or `SmsInPrice`.
        max_bytes: Maximum size of the decompressed file, in bytes. Defaults to 10 GiB.

    Raises:
        PriceFileError: The file cannot be read, is damaged, lacks a documented column, or is larger than `max_bytes`;
            or a row is not valid. The error has its line and column.
        InvalidValueError: An argument is not valid.
    """
    name = target_path(path)
    if record_class not in _CLASSES:
        raise InvalidValueError(
            f"record_class must be {', '.join(cls.__name__ for cls in _CLASSES)}, got {shown(record_class)}.",
            field="record_class",
        )
    return _rows(name, record_class, check_max_bytes(max_bytes))


def _rows(name: str, cls: type[P], max_bytes: int) -> Iterator[P]:
    with opened(name, PriceFileError) as file:
        rows = Rows(name, file, max_bytes, PriceFileError)
        header = next(rows, None)
        if header is None:
            raise PriceFileError(f"{name} is empty. Download it again.")
        columns = _columns(header, cls, rows)
        for cells in rows:
            if cells:
                yield cls._from_row(_attributes(cells, columns, rows))


class _Column:
    """A column: its name in the file, its attribute, and the conversion of a cell."""

    __slots__ = ("attribute", "convert", "expected", "header")

    def __init__(self, header: str, attribute: str, cls: type[Resource]) -> None:
        self.header = header
        self.attribute = attribute
        field = cls._field_map.get(attribute)
        known = field is not None and field.place == "attributes"
        self.convert, self.expected = _CONVERSIONS.get(field.kind.name if known and field else "", _AS_TEXT)


def _columns(cells: list[str], cls: type[Resource], rows: Rows) -> list[_Column]:
    """Return the columns of a header row.

    Raises:
        PriceFileError: The names are not unique, most of them belong to another kind of prices, or a documented one is
            missing.
    """
    headers = [cell.strip() for cell in cells]
    names = [_attribute_name(header) for header in headers]
    for other, attribute in _OTHER_NAMES.get(cls, {}).items():
        if attribute not in names:
            names = [attribute if name == other else name for name in names]
    for name, count in Counter(names).items():
        if not name or count > 1:
            problem = f"has {count} columns {printable(name[:80])!r}" if name else "has a column without a name"
            raise rows.error(f"the header {problem}")
    fields = cls._field_map
    known = [name for name in names if name in fields and fields[name].place == "attributes"]
    if 2 * len(known) <= len(names):
        raise rows.error(
            f"the header has {len(known)} of its {len(names)} columns in common with {cls.__name__}. "
            "Pass the class of the prices in the file"
        )
    missing = [header for header in _DOCUMENTED[cls] if _attribute_name(header) not in names]
    if missing:
        raise rows.error(
            f"the header lacks {', '.join(map(repr, missing))}. Download the file again; if this does not help, read "
            "it with the csv module",
            missing[0],
        )
    return [_Column(header, name, cls) for header, name in zip(headers, names, strict=True)]


def _attribute_name(header: str) -> str:
    return "_".join(header.lower().split())


def _attributes(cells: list[str], columns: list[_Column], rows: Rows) -> dict[str, Any]:
    """Return the raw attributes of a row, as a lookup would return them."""
    if len(cells) != len(columns):
        raise rows.error(f"the row must have {len(columns)} cells, got {len(cells)}")
    attributes: dict[str, Any] = {}
    for cell, column in zip(cells, columns, strict=True):
        value = column.convert(cell) if cell else None
        if value is None and cell:
            raise rows.error(f"the cell must be {column.expected}, got {shown(cell)}", column.header)
        attributes[column.attribute] = value
    return attributes


def _text(cell: str) -> str:
    return cell


def _integer(cell: str) -> int | None:
    return int(cell) if _INTEGER.fullmatch(cell) else None


def _decimal(cell: str) -> str | None:
    return cell if _DECIMAL.fullmatch(cell) else None


def _truth(cell: str) -> bool | None:
    return _TRUTH.get(cell.lower())


_AS_TEXT: Final[tuple[Callable[[str], Any], str]] = (_text, "text")
_CONVERSIONS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "integer": (_integer, "a whole number"),
    "decimal": (_decimal, "an amount such as 0.0125"),
    "boolean": (_truth, "true or false"),
}
"""The conversion of a cell by the type of its attribute, and what the cell must be. Returns None if it is not that."""
