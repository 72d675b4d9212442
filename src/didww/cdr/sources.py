"""What can be added to a dataset, as batches with their directions: exports, record objects, Arrow batches."""

from __future__ import annotations

import os
from collections.abc import Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, cast

from didww._util.text import shown
from didww.cdr.arrow import pa, pc
from didww.cdr.blocks import batch_of_records, direction_of, held_schema
from didww.cdr.convert import Counted, export_files, held_batches
from didww.cdr.schema import DIRECTIONS, MONEY, PARTITIONS, arrow_schema
from didww.exceptions import InvalidValueError
from didww.resources.call import InboundCall, OutboundCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww._core.call_rows import RejectedRow
    from didww._core.download import Progress
    from didww.cdr.arrow import Batch
    from didww.resources.call import CallRecord

__all__ = ["opened_source"]

_RECORDS: Final = 50_000


def opened_source(
    source: Any,
    record_class: type[CallRecord] | None,
    rejects: list[RejectedRow] | None,
    max_bytes: int,
    progress: Callable[[Progress], None] | None,
) -> Iterator[Iterator[tuple[str, Batch]]]:
    """Yield the files of a source, each as batches with their directions. Batches or records are one file.

    Raises:
        InvalidValueError: It is something else.
    """
    if isinstance(source, str | bytes | os.PathLike):
        return _files(export_files(cast("Any", source)), record_class, rejects, max_bytes, progress)
    if isinstance(source, pa.Table):
        return iter([_batches(source.to_batches())])
    if isinstance(source, pa.RecordBatch):
        return iter([_batches([source])])
    if not isinstance(source, Iterable):
        raise _unknown(source)
    items = iter(cast("Iterable[Any]", source))
    first = next(items, None)
    every: Any = chain([first], items)
    if first is None:
        return iter([])
    if isinstance(first, str | bytes | os.PathLike):
        return _files(export_files(every), record_class, rejects, max_bytes, progress)
    if isinstance(first, pa.RecordBatch):
        return iter([_batches(every)])
    if isinstance(first, InboundCall | OutboundCall):
        return iter([_records(every)])
    raise _unknown(first)


def _unknown(value: object) -> InvalidValueError:
    return InvalidValueError(
        "source must be a path, a folder, an Arrow table, or an iterable of paths, of InboundCall and OutboundCall, or "
        f"of Arrow record batches, got {type(value).__name__}.",
        field="source",
    )


def _files(
    names: list[str],
    record_class: type[CallRecord] | None,
    rejects: list[RejectedRow] | None,
    max_bytes: int,
    progress: Callable[[Progress], None] | None,
) -> Iterator[Iterator[tuple[str, Batch]]]:
    count = Counted(names, progress)
    for name in names:
        held = held_batches(name, record_class, rejects=rejects, max_bytes=max_bytes, count=count)
        yield ((direction_of(cls), batch) for cls, batch in held)


def _records(records: Iterable[Any]) -> Iterator[tuple[str, Batch]]:
    every = iter(records)
    while some := list(islice(every, _RECORDS)):
        by_class: dict[type[CallRecord], list[CallRecord]] = {}
        for record in some:
            if not isinstance(record, InboundCall | OutboundCall):
                raise _unknown(record)
            by_class.setdefault(type(record), []).append(record)
        for record_class, those in by_class.items():
            yield direction_of(record_class), _checked(batch_of_records, those)


def _batches(batches: Iterable[Any]) -> Iterator[tuple[str, Batch]]:
    for batch in batches:
        if not isinstance(batch, pa.RecordBatch):
            raise _unknown(batch)
        for direction, rows in _directions(batch):
            yield direction, _checked(_held, rows)


def _directions(batch: Batch) -> Iterator[tuple[str, Batch]]:
    """Split a batch by direction: that of its column, or of the metadata of its schema."""
    if "direction" not in batch.schema.names:
        metadata: dict[bytes, bytes] = batch.schema.metadata or {}
        yield _direction(metadata.get(b"direction", b"").decode()), batch
        return
    directions = batch.column("direction").cast(pa.string())
    for direction in pc.unique(directions).to_pylist():
        yield _direction(direction), batch.filter(pc.equal(directions, direction))


def _direction(value: object) -> str:
    if value in DIRECTIONS.values():
        return str(value)
    raise InvalidValueError(
        f"Batches need the direction of their calls, got {shown(value)}. Add a column `direction` with "
        f"{' or '.join(map(repr, DIRECTIONS.values()))}, or the same to the metadata of their schema.",
        field="direction",
    )


def _held(batch: Batch) -> Batch:
    """Return a batch with the columns of a dataset.

    Raises:
        InvalidValueError: It has others.
    """
    known: dict[str, Any] = {field.name: field.type for field in cast("Any", arrow_schema())}
    for name in batch.schema.names:
        if name not in known and name not in PARTITIONS:
            from didww._util.suggest import did_you_mean

            raise InvalidValueError(
                f"A dataset has no column {shown(name)}.{did_you_mean(name, known)}", field="source"
            )
    if "time_start" not in batch.schema.names or batch.column("time_start").null_count:
        raise InvalidValueError("Every row needs a time_start.", field="time_start")
    columns: list[Any] = []
    schema = held_schema()
    for field in schema:
        if field.name not in batch.schema.names:
            columns.append(pa.nulls(batch.num_rows, field.type))
            continue
        column = _cast(batch.column(field.name), known[field.name], field.name)
        columns.append(column.dictionary_encode() if pa.types.is_dictionary(field.type) else column)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: Any, kind: Any, name: str) -> Any:
    """Return a column with another type.

    Raises:
        InvalidValueError: It has amounts that are not exact.
    """
    if not pa.types.is_decimal(kind):
        return column.cast(kind)
    if pa.types.is_floating(column.type):
        raise InvalidValueError(f"Amounts must be exact, so {name} cannot have floats. Use decimals.", field=name)
    if pa.types.is_integer(column.type):
        column = column.cast(pa.decimal128(38, MONEY[1]))
    return column.cast(kind)


def _checked(make: Callable[[Any], Batch], rows: Any) -> Batch:
    """Return a batch.

    Raises:
        InvalidValueError: A value does not fit its column.
    """
    try:
        return make(rows)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError) as error:
        message = f"A value does not fit its column: {str(error).splitlines()[0]}"
    raise InvalidValueError(message, field="source")
