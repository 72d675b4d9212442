"""Which row of a file of call records is which, so that a row of a later file is known again.

A row with a call ID is known by that and its attempt. A row without one is known by all its values, and by how many
equal rows are before it in the file. If the columns differ from those of the export before, because the version of the
API has changed or a column was added, only columns that all versions have count, by their meaning.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from didww._core.call_layout import places_of
from didww._core.csv_rows import MAX_ROW, Rows, opened
from didww.exceptions import CallFileError
from didww.resources.call import CallRecord, InboundCall, OutboundCall, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

__all__ = ["KeyedRow", "keyed_rows"]

_CLASSES: Final[dict[str, type[CallRecord]]] = {"cdr_in": InboundCall, "cdr_out": OutboundCall}
_MAX_BYTES: Final = 100 << 30
_MAX_INVALID: Final = 1000
"""Maximum number of rows that are not valid CSV. They are kept as they are."""
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)


class KeyedRow(NamedTuple):
    """A row, as it is in the file.

    Attributes:
        key: What it is known by, whatever the columns are; 16 bytes. Empty for the header.
        exact: What it is known by while the columns stay the same; 16 bytes.
        time: Start of the call, such as `2026-11-01 08:30:00`; empty if the row has none.
        text: The row with its line end.
    """

    key: bytes
    exact: bytes
    time: str
    text: bytes


def keyed_rows(path: str, export_type: str, equal_before: Callable[[bytes], int]) -> Iterator[KeyedRow]:
    """Yield the header of a downloaded export, then its rows, with constant memory use.

    Args:
        path: The file.
        export_type: `cdr_in` or `cdr_out`.
        equal_before: Returns how often it was called with these bytes before.

    Raises:
        CallFileError: The file cannot be read, is damaged, or is not one of call records.
    """
    with opened(path, CallFileError) as file:
        yield from _keyed(path, file, export_type, equal_before)


def _keyed(path: str, file: IO[bytes], export_type: str, equal_before: Callable[[bytes], int]) -> Iterator[KeyedRow]:
    rows = Rows(path, file, _MAX_BYTES, CallFileError)
    header = next(rows, None)
    if header is None:
        raise CallFileError(f"{path} is empty. Download it again.")
    places = places_of(header, _CLASSES[export_type])
    if "time_start" not in places:
        raise rows.error("the header has no column with the start of the calls")
    yield KeyedRow(b"", b"", "", _whole_line(rows.text))
    start, call_id, attempt = places["time_start"], places.get("call_id"), places.get("attempt")
    changing = _changing(export_type)
    lasting = sorted((name, place) for name, place in places.items() if name not in changing)
    columns = _digest("columns", *header).hex()
    invalid, width = 0, len(header)
    while True:
        text = b""
        try:
            cells = next(rows, None)
        except CallFileError:
            invalid += 1
            text, cells = _invalid(rows), []
            if not text or invalid > _MAX_INVALID:
                raise
        if cells is None:
            return
        text = text or rows.text
        if len(cells) == width:
            identity = cells[call_id] if call_id is not None else ""
            time = cells[start]
            if identity:
                key = exact = _digest("id", identity, cells[attempt].strip() if attempt is not None else "")
            else:
                values = _digest("values", *(f"{name}={cells[place]}" for name, place in lasting if cells[place]))
                key = _digest("values", values.hex(), str(equal_before(values)))
                values = _digest("cells", columns, *cells)
                exact = _digest("cells", values.hex(), str(equal_before(values)))
            yield KeyedRow(key, exact, time[:19].replace("T", " ") if _TIME.match(time) else "", _whole_line(text))
        elif text.strip():
            values = _digest("text", text.rstrip(b"\r\n").decode(errors="surrogateescape"))
            key = _digest("text", values.hex(), str(equal_before(values)))
            yield KeyedRow(key, key, "", _whole_line(text))


def _invalid(rows: Rows) -> bytes:
    """Return the first line of a row that is not valid CSV; empty if the rows behind it cannot be read.

    A quote that is never closed takes the next rows with it, so these are read again.
    """
    text, before = rows.text, rows.position
    if rows.damaged or len(text) >= MAX_ROW:
        return b""
    return text[: len(text) - (before - rows.position)] if rows.again() else text


def _changing(export_type: str) -> set[str]:
    """Return the attributes whose columns not all versions have."""
    return {attribute for attribute, *_, column in columns_of(_CLASSES[export_type]) if column.since}


def _digest(*parts: str) -> bytes:
    # The repr of different texts differs, whatever is in them.
    return blake2b(repr(parts).encode(), digest_size=16).digest()


def _whole_line(text: bytes) -> bytes:
    return text if text.endswith(b"\n") else text + b"\n"
