"""What can be added to a dataset, as batches with their directions: exports, record objects, Arrow batches."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from didww._core.call_files import export_files
from didww._util.text import shown
from didww.cdr.arrow import pa, pc
from didww.cdr.blocks import batch_of_records, direction_of, has_python_times, held_schema
from didww.cdr.convert import Counted, held_batches
from didww.cdr.dataset import checked_account
from didww.cdr.schema import DIRECTIONS, MONEY, PARTITIONS, arrow_schema
from didww.exceptions import InvalidValueError
from didww.resources.call import InboundCall, OutboundCall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from didww._core.call_rows import RejectedRow
    from didww._core.download import Progress
    from didww.cdr.arrow import Batch
    from didww.resources.call import CallRecord

__all__ = ["Rows", "opened_source"]

_RECORDS: Final = 50_000
_NOTHING: Final = object()


class Rows(NamedTuple):
    """A batch of rows of a source.

    Attributes:
        account: Their account; None if the source does not say.
        direction: `inbound` or `outbound`.
        batch: The rows, with the columns of `held_schema`.
    """

    account: str | None
    direction: str
    batch: Batch


def opened_source(
    source: Any,
    record_class: type[CallRecord] | None,
    rejects: list[RejectedRow] | None,
    max_bytes: int,
    progress: Callable[[Progress], None] | None,
) -> Iterator[Iterator[Rows]]:
    """Yield the files of a source, each as batches. Batches or records are one file.

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
    first = next(items, _NOTHING)
    if first is _NOTHING:
        return iter([])
    every: Any = chain([first], items)
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
) -> Iterator[Iterator[Rows]]:
    count = Counted(names, progress)
    for name in names:
        held = held_batches(name, record_class, rejects=rejects, max_bytes=max_bytes, count=count)
        yield (Rows(None, direction_of(cls), batch) for cls, batch in held)


def _records(records: Iterable[Any]) -> Iterator[Rows]:
    every = iter(records)
    while some := list(islice(every, _RECORDS)):
        by_class: dict[type[CallRecord], list[CallRecord]] = {}
        for record in some:
            if not isinstance(record, InboundCall | OutboundCall):
                raise _unknown(record)
            by_class.setdefault(type(record), []).append(record)
        for record_class, those in by_class.items():
            yield Rows(None, direction_of(record_class), _checked(batch_of_records, those))


def _batches(batches: Iterable[Any]) -> Iterator[Rows]:
    for batch in batches:
        if not isinstance(batch, pa.RecordBatch):
            raise _unknown(batch)
        for account, of_account in _parts(batch, "account"):
            for direction, rows in _parts(of_account, "direction"):
                yield Rows(_account(account), _direction(direction), _checked(_held, rows))


def _parts(batch: Batch, name: str) -> Iterator[tuple[Any, Batch]]:
    """Split a batch by a column; without it, its value is that of the metadata of the schema."""
    if name not in batch.schema.names:
        metadata: dict[bytes, bytes] = batch.schema.metadata or {}
        found = metadata.get(name.encode())
        yield None if found is None else found.decode(), batch
        return
    column = batch.column(name).cast(pa.string())
    values = pc.unique(column).to_pylist()
    if None in values:
        raise InvalidValueError(f"Every row needs a value in the column {name}.", field=name)
    for value in values:
        yield value, batch if len(values) == 1 else batch.filter(pc.equal(column, value))


def _account(value: str | None) -> str | None:
    return value if value is None else checked_account(value)


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
    if "time_start" not in batch.schema.names:
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
        InvalidValueError: Its type has other values.
    """
    if pa.types.is_timestamp(kind) and pa.types.is_integer(column.type):
        raise InvalidValueError(f"{name} needs times, got {column.type}.", field=name)
    if pa.types.is_floating(column.type) and not pa.types.is_integer(kind):
        raise InvalidValueError(f"Values must be exact, so {name} cannot have floats. Use {kind}.", field=name)
    if pa.types.is_decimal(kind) and pa.types.is_integer(column.type):
        column = column.cast(pa.decimal128(38, MONEY[1]))
    return column.cast(kind)


def _checked(make: Callable[[Any], Batch], rows: Any) -> Batch:
    """Return a batch.

    Raises:
        InvalidValueError: A value does not fit its column.
    """
    try:
        batch = make(rows)
    except InvalidValueError:
        raise
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        message = f"A value does not fit its column: {str(error).splitlines()[0]}"
    else:
        _check_times(batch)
        _check_extra(batch)
        return batch
    raise InvalidValueError(message, field="source")


def _check_times(batch: Batch) -> None:
    """Check that rows have a start, and that Python has their times.

    Raises:
        InvalidValueError: They do not.
    """
    if batch.column("time_start").null_count:
        raise InvalidValueError("Every row needs a time_start.", field="time_start")
    for name in batch.schema.names:
        column = batch.column(name)
        if pa.types.is_timestamp(column.type) and not has_python_times(column):
            raise InvalidValueError(f"{name} must be in the years 1 to 9999.", field=name)


def _check_extra(batch: Batch) -> None:
    """Check that `extra` has JSON objects of texts.

    Raises:
        InvalidValueError: It has something else.
    """
    for text in pc.unique(batch.column("extra")).drop_null().to_pylist():
        try:
            found: Any = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in cast("Any", found).values()):
            raise InvalidValueError(f"extra must be a JSON object of texts, got {shown(text)}.", field="extra")
