"""Parse blocks of CSV rows to Arrow, with the same values as `read_calls`.

A block is parsed by Arrow as text. Texts that repeat are a dictionary, whose values are converted one by one by the
conversions of `read_calls`; times are converted at once if all have the usual form. So a value is accepted here exactly
if it is accepted there. A block of which this is not certain is refused, and is then read row by row.
"""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from didww._core.call_values import conversion
from didww._core.csv_rows import MAX_ROW
from didww.cdr.arrow import pa, pa_csv, pc
from didww.cdr.schema import DIRECTIONS, arrow_schema
from didww.resources.call import columns_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from didww._core.call_layout import Layout
    from didww._core.call_values import Conversion
    from didww.cdr.arrow import Batch
    from didww.resources.call import CallRecord

__all__ = ["BlockParser", "batch_of_records", "decoded", "extra_text", "has_python_times", "held_schema", "lines_of"]

_VARIED: Final = frozenset({"source", "cli", "destination", "call_id", "p_charge_info", "extra"})
"""Texts that rarely repeat. The others are held as dictionaries."""
_DICTIONARY: Final = pa.dictionary(pa.int32(), pa.string())
_BEFORE: Final = (b",", b"\n")
_AFTER: Final = (b",", b"\n", b"\r\n")
"""What is before and after the quotes of a cell."""
_TIME_WIDTH: Final = 19
_TIME_MARKS: Final = ((4, b"-"), (7, b"-"), (13, b":"), (16, b":"))
_PARSED_AT_ONCE: Final = 2 << 20
_SECONDS: Final = tuple(
    int(datetime(*parts, tzinfo=UTC).timestamp()) for parts in ((1, 1, 1, 0, 0, 0), (9999, 12, 31, 23, 59, 59))
)
"""The times that Python has, in seconds."""


def held_schema() -> Any:
    """Return the schema of a dataset with dictionaries for texts that repeat."""
    schema: Any = arrow_schema()
    return pa.schema(
        [
            field.with_type(_DICTIONARY) if field.type == pa.string() and field.name not in _VARIED else field
            for field in schema
        ]
    )


def decoded(batch: Batch, metadata: dict[bytes, bytes] | None = None) -> Batch:
    """Return a batch with the schema of a dataset, without dictionaries."""
    schema: Any = arrow_schema()
    columns = [column.cast(field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema.with_metadata(metadata))


class BlockParser:
    """Parses the blocks of a file.

    Args:
        layout: The columns of the file.
    """

    def __init__(self, layout: Layout) -> None:
        self.schema = held_schema()
        self._width = len(layout.names)
        self._converters: dict[str, Callable[[Any], Any | None]] = {}
        self._places: dict[str, int] = {}
        self._needed: set[str] = set()
        kinds = {attribute: (kind, optional) for attribute, kind, optional, _ in columns_of(layout.record_class)}
        types: dict[str, Any] = {}
        for attribute, place in layout.places.items():
            kind, optional = kinds[attribute]
            self._places[attribute] = place
            if not optional:
                self._needed.add(attribute)
            field = self.schema.field(attribute)
            types[str(place)] = pa.string() if kind is datetime or attribute in _VARIED else _DICTIONARY
            if kind is datetime:
                self._converters[attribute] = _times(conversion(kind))
            elif kind in (int, Decimal):
                self._converters[attribute] = _by_value(conversion(kind), field.type)
        self._extra = [(place, name) for place, name in enumerate(layout.names) if str(place) not in types]
        types |= {str(place): _DICTIONARY for place, _ in self._extra}
        self._convert = pa_csv.ConvertOptions(
            column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True
        )
        self._read = pa_csv.ReadOptions(
            column_names=[str(place) for place in range(self._width)], block_size=_PARSED_AT_ONCE
        )

    def parse(self, block: bytes) -> Batch | None:
        """Return the rows of whole lines; None if they need to be read row by row."""
        quoted = b'"' in block
        if not block or b"\0" in block or not _plain_ends(block) or (quoted and not _well_quoted(block)):
            return None
        if block.startswith(BOM_UTF8):  # which Arrow drops
            return None
        try:
            table = pa_csv.read_csv(
                pa.BufferReader(block),
                read_options=self._read,
                # An empty line is refused, so that rows without quotes are lines.
                parse_options=pa_csv.ParseOptions(newlines_in_values=quoted, ignore_empty_lines=False),
                convert_options=self._convert,
            )
        except pa.ArrowInvalid:
            return None
        found = [_whole(column) for column in table.columns]
        if 2 * sum(map(_longest, found)) + 3 * self._width > MAX_ROW:
            return None
        columns: list[Any] = []
        for field in self.schema:
            place = self._places.get(field.name)
            column = self._extras(found) if field.name == "extra" else None if place is None else found[place]
            if column is None:
                column = pa.nulls(table.num_rows, field.type)
            elif field.name in self._converters:
                column = self._converters[field.name](column)
            if column is None or (field.name in self._needed and column.null_count):
                return None
            columns.append(column)
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def _extras(self, found: Sequence[Any]) -> Any | None:
        """Return the values of unknown columns as JSON."""
        joined: Any = None
        for place, name in self._extra:
            column = found[place]
            if column.null_count < len(column):
                texts = [f", {_json(name)}: {_json(value)}" for value in column.dictionary.to_pylist()]
                part = pc.fill_null(pa.array(texts, pa.string()).take(column.indices), "")
                joined = part if joined is None else pc.binary_join_element_wise(joined, part, "")
        if joined is None:
            return None
        whole = pc.binary_join_element_wise("{", pc.utf8_slice_codeunits(joined, 2), "}", "")
        return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), whole)


# Checks of a block


def _plain_ends(block: bytes) -> bool:
    """Return whether lines end with LF or CRLF, and nothing else has a CR."""
    return b"\r" not in block or block.count(b"\r") == block.count(b"\r\n")


def _well_quoted(block: bytes) -> bool:
    """Return whether quotes are only around whole cells, or doubled within these."""
    first, *rest = block.split(b'"')
    if len(rest) % 2:
        return False
    last = rest.pop()
    # Every second piece is outside of quotes, and most are equal. An empty one is between the two of a doubled quote.
    return (
        (not first or first.endswith(_BEFORE))
        and (not last or last.startswith(_AFTER))
        and all(not piece or (piece.startswith(_AFTER) and piece.endswith(_BEFORE)) for piece in set(rest[1::2]))
    )


def _longest(column: Any) -> int:
    texts = column.dictionary if pa.types.is_dictionary(column.type) else column
    return pc.max(pc.binary_length(texts)).as_py() or 0


# Conversions


def _whole(column: Any) -> Any:
    """Return a column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _by_value(converted: Conversion, kind: Any) -> Callable[[Any], Any | None]:
    def convert(column: Any) -> Any | None:
        try:
            values = list(map(converted.__getitem__, column.dictionary.to_pylist()))
        except ValueError:
            return None
        return pa.array(values, kind).take(column.indices)

    return convert


def _times(converted: Conversion) -> Callable[[Any], Any | None]:
    kind = pa.timestamp("us", "UTC")
    slowly = _by_value(converted, kind)

    def convert(column: Any) -> Any | None:
        if not _usual(column):
            return slowly(column.dictionary_encode())
        try:
            times = column.cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return None
        return times.cast(kind) if has_python_times(times) else None

    return convert


def has_python_times(times: Any) -> bool:
    """Return whether times in microseconds are in the years 1 to 9999."""
    ends = pc.min_max(times.cast(pa.int64()))
    first, last = ends["min"].as_py(), ends["max"].as_py()
    return first is None or (first >= _SECONDS[0] * 1_000_000 and last < _SECONDS[1] * 1_000_000 + 1_000_000)


def _usual(column: Any) -> bool:
    """Return whether all texts are like `2026-11-01 00:00:00`."""
    filled = column.drop_null()
    if not len(filled):
        return True
    lengths = pc.min_max(pc.binary_length(filled))
    if lengths["min"].as_py() != _TIME_WIDTH or lengths["max"].as_py() != _TIME_WIDTH:
        return False
    first, size = filled.offset * _TIME_WIDTH, len(filled) * _TIME_WIDTH
    text = filled.buffers()[2].slice(first, size).to_pybytes()
    return all(text[place::_TIME_WIDTH] == mark * len(filled) for place, mark in _TIME_MARKS)


# Records


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def extra_text(record: CallRecord) -> str | None:
    """Return the values of unknown columns of a record as JSON; None without any."""
    return json.dumps(dict(record.extra), ensure_ascii=False) if record.extra else None


def batch_of_records(records: Iterable[CallRecord]) -> Batch:
    """Return records of one class as a batch."""
    every = list(records)
    schema = held_schema()
    names = {column.attribute for column in columns_of(type(every[0]))} if every else set[str]()
    columns: list[Any] = []
    for field in schema:
        if field.name == "extra":
            column = pa.array([extra_text(record) for record in every], field.type)
        elif field.name not in names:
            column = pa.nulls(len(every), field.type)
        else:
            kind = pa.string() if field.type == _DICTIONARY else field.type
            column = pa.array([_value(getattr(record, field.name)) for record in every], kind)
            if field.type == _DICTIONARY:
                column = column.dictionary_encode()
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _value(value: Any) -> Any:
    return str(value) if isinstance(value, str) else value


def lines_of(block: bytes, rows: int) -> int:
    """Return the number of lines of a block that was parsed: that of its ends of lines."""
    return block.count(b"\n") if b'"' in block else rows - (not block.endswith(b"\n"))


def direction_of(record_class: type[CallRecord]) -> str:
    """Return the direction of the records of a class."""
    return DIRECTIONS[record_class]
