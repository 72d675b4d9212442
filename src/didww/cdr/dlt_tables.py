"""Tables of call records for dlt: their files, their columns, and the key of each record."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from didww._core.call_layout import layout_of
from didww._core.csv_rows import MAX_DECOMPRESSED, Rows, opened
from didww._util.extras import need
from didww.cdr.schema import DIRECTIONS, arrow_schema
from didww.exceptions import CallFileError
from didww.resources.call import columns_of

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    import pyarrow as pa

    from didww.cdr.dataset import CallDataset
    from didww.cdr.store import Part, Store
    from didww.resources.call import CallRecord

__all__ = ["KEY", "CallFile", "call_files", "empty_table", "tables"]

KEY: Final = "record_key"
"""The column that identifies a record within an account."""


class CallFile(NamedTuple):
    """A file of call records of one class.

    Attributes:
        name: What identifies the file.
        version: Changes if the file does.
        account: Name of the account; None if the file does not tell.
        batches: Reads it.
        part: Name of the file within a dataset, in which each file has other records; empty for an export.
    """

    name: str
    version: str
    account: str | None
    batches: Callable[[], Iterable[pa.RecordBatch]]
    part: str = ""


def tables(
    batches: Iterable[pa.RecordBatch],
    cls: type[CallRecord],
    account: str,
    start: dt.datetime | None,
    end: dt.datetime | None,
    part: str = "",
) -> Iterator[pa.Table]:
    """Yield tables for dlt of the batches of one file, with the columns of their class and a key.

    Args:
        batches: Batches with the columns of a dataset.
        cls: Class of the records.
        account: Name of their account.
        start: Leaves out calls that start before, if not None.
        end: Leaves out calls that start at this time or later, if not None.
        part: Name of the file within a dataset. Equal records without a call ID are the same in two exports, but not in
            two files of a dataset.
    """
    import pyarrow as pa

    pc: Any = need("pyarrow.compute", "dlt")
    seen: Counter[bytes] = Counter()
    schema = _schema(cls)
    names = schema.names[2:]
    for batch in batches:
        # Keys need all equal records of the file, so that they are numbered alike in each load.
        columns: list[Any] = [
            _keys(batch, seen, part),
            pa.repeat(pa.scalar(account), len(batch)),
            *map(batch.column, names),
        ]
        table = pa.Table.from_arrays(columns, schema=schema)
        if start is not None:
            table = table.filter(pc.field("time_start") >= pa.scalar(start))
        if end is not None:
            table = table.filter(pc.field("time_start") < pa.scalar(end))
        if len(table):
            yield table


def empty_table(cls: type[CallRecord]) -> pa.Table:
    """Return a table without records, by which dlt creates the table before the first call."""
    return _schema(cls).empty_table()


def _schema(cls: type[CallRecord]) -> pa.Schema:
    import pyarrow as pa

    known: Any = arrow_schema()
    fields: list[Any] = [pa.field(name, pa.string(), nullable=False) for name in (KEY, "account")]
    return pa.schema(
        [*fields, *map(known.field, [declared.attribute for declared in columns_of(cls)]), known.field("extra")]
    )


def _keys(batch: pa.RecordBatch, seen: Counter[bytes], part: str) -> pa.Array[Any]:
    """Return the key of each record.

    Args:
        batch: The records.
        seen: Counts the records without a call ID in the file, by their digest.
        part: As in `tables`.
    """
    import pyarrow as pa

    pc: Any = need("pyarrow.compute", "dlt")
    attempt = pc.fill_null(batch.column("attempt").cast(pa.string()), "")
    keys: Any = pc.binary_join_element_wise(batch.column("call_id"), attempt, "/")
    if not keys.null_count:
        return cast("pa.Array[Any]", keys)
    found = keys.to_pylist()
    places = [place for place, key in enumerate(found) if key is None]
    rows = batch.select(arrow_schema().names).take(pa.array(places, pa.int64())).to_pylist()
    for place, row in zip(places, rows, strict=True):
        digest = hashlib.sha256(msgspec.json.encode(list(row.values()))).digest()
        seen[digest] += 1
        found[place] = f"row:{digest.hex()}/{part and f'{part}/'}{seen[digest]}"
    return pa.array(found, pa.string())


def call_files(source: Any, cls: type[CallRecord]) -> Iterator[CallFile]:
    """Yield the files of a source that have records of a class.

    Args:
        source: A dataset or its folder, or exports: a file, a folder of files, or several files.
        cls: The class.

    Raises:
        CallFileError: An export cannot be read.
        InvalidValueError: It is something else, or a folder without exports.
    """
    from didww._core.call_files import export_files
    from didww.cdr.convert import arrow_batches, check_no_exports
    from didww.cdr.dataset import CallDataset

    if isinstance(source, str | bytes | os.PathLike):
        path = Path(os.fsdecode(cast("Any", source)))
        if path.is_dir() and (dataset := CallDataset(path)).files:
            check_no_exports(path)
            source = dataset
    if isinstance(source, CallDataset):
        yield from _parts(source, cls)
        return
    for name in export_files(source):
        if _class_of(name) is cls:
            status = Path(name).stat()
            version = f"{status.st_size}-{status.st_mtime_ns}"
            yield CallFile(Path(name).as_posix(), version, None, partial(arrow_batches, name))


def _parts(dataset: CallDataset, cls: type[CallRecord]) -> Iterator[CallFile]:
    """Yield the files of a dataset; they never change."""
    store = dataset._store
    for part in store.parts():
        if part.direction == DIRECTIONS[cls]:
            name = part.path.removeprefix(store.root)
            yield CallFile(name, "", part.account, partial(_batches_in, store, part), Path(name).stem)


def _batches_in(store: Store, part: Part) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with store.filesystem.open_input_file(part.path) as file:
        content: Any = pq.ParquetFile(file)
        for batch in content.iter_batches():
            yield batch.cast(arrow_schema())


def _class_of(name: str) -> type[CallRecord]:
    """Return the class of the records of an export, by its header."""
    with opened(name, CallFileError) as file:
        return layout_of(Rows(name, file, MAX_DECOMPRESSED, CallFileError)).record_class
