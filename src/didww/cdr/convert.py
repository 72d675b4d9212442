"""Convert exports of calls to Arrow.

A thread decompresses the file ahead. Whole blocks of lines are parsed by Arrow (`blocks`); a block with a row that is
not valid, or of a form that Arrow reads in another way, is read row by row like `read_calls`.
"""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NamedTuple, cast

from didww._core.call_files import export_files, exports_in
from didww._core.call_layout import layout_of
from didww._core.call_rows import RowReader, check_record_class
from didww._core.csv_rows import MAX_DECOMPRESSED, Rows, opened
from didww._core.download import Progress, check_max_bytes
from didww._util.extras import need
from didww.cdr.read_ahead import read_ahead
from didww.exceptions import CallFileError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pyarrow import RecordBatch

    from didww._core.call_files import FilePath
    from didww._core.call_rows import RejectedRow
    from didww.cdr.arrow import Batch
    from didww.resources.call import CallRecord

__all__ = ["Held", "arrow_batches", "check_no_exports", "held_batches"]

_FETCHED: Final = ".didww"
"""The folder by which `fetch` goes on."""
_BLOCK: Final = 8 << 20
_RECORDS: Final = 50_000


class Held(NamedTuple):
    """Records of one class as a batch with dictionaries, which `decoded` resolves.

    Attributes:
        record_class: The class.
        batch: The records.
    """

    record_class: type[CallRecord]
    batch: Batch


def arrow_batches(
    source: FilePath | Iterable[FilePath],
    record_class: type[CallRecord] | None = None,
    *,
    rejects: list[RejectedRow] | None = None,
    max_bytes: int = MAX_DECOMPRESSED,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[RecordBatch]:
    """Yield the rows of exports of calls as Arrow record batches, with constant memory use.

    The values are those of `read_calls`. All batches have the columns of a dataset (docs/reference/call-dataset.md);
    those that a file does not have are null. The metadata of their schema has `direction`: `inbound` or `outbound`.

    Args:
        source: A file, compressed with gzip or not, a folder of such files, or an iterable of these.
        record_class: `InboundCall` or `OutboundCall`. Defaults to the class that the header of each file fits.
        rejects: List for the rows that are not valid. Without it, the first raises `CallFileError`.
        max_bytes: Maximum size of each decompressed file, in bytes. Defaults to 10 GiB.
        progress: Called with the bytes of the files that were read, and their size.

    Raises:
        CallFileError: A file cannot be read, is damaged, has other records, or is larger than `max_bytes`; or a row is
            not valid. The error has its line and column.
        InvalidValueError: An argument is not valid, or pyarrow is not installed.

    Source: docs/reference/cdr-columns.md.
    """
    need("pyarrow")
    check_record_class(record_class)
    check_max_bytes(max_bytes)
    return _decoded(export_files(source), record_class, rejects, max_bytes, progress)


def _decoded(
    names: list[str],
    record_class: type[CallRecord] | None,
    rejects: list[RejectedRow] | None,
    max_bytes: int,
    progress: Callable[[Progress], None] | None,
) -> Iterator[RecordBatch]:
    from didww.cdr.blocks import decoded, direction_of

    count = Counted(names, progress)
    for name in names:
        for cls, batch in held_batches(name, record_class, rejects=rejects, max_bytes=max_bytes, count=count):
            yield decoded(batch, {b"direction": direction_of(cls).encode()})


def check_no_exports(folder: Path) -> None:
    """Check that a folder, which has a dataset or gets one, has no exports: some readers would see only one of both.

    Raises:
        InvalidValueError: It has exports, or calls are fetched into it.
    """
    if folder.is_dir() and ((folder / _FETCHED).is_dir() or exports_in(folder)):
        raise InvalidValueError(
            f"The folder {folder} has exports. Keep the dataset in another folder, such as {folder}-dataset, or move "
            "the exports away.",
            field="path",
        )


class Counted:
    """Counts the bytes of files that were read.

    Args:
        names: The files.
        progress: Called by `tell`.
    """

    def __init__(self, names: Iterable[str], progress: Callable[[Progress], None] | None) -> None:
        self._progress = progress
        self._done = self._told = 0
        self._total = sum(Path(name).stat().st_size for name in names if Path(name).is_file()) if progress else 0

    def file(self, file: IO[bytes]) -> IO[bytes]:
        """Return a file whose reads are counted."""
        return cast("IO[bytes]", _CountedFile(file, self))

    def add(self, size: int) -> None:
        """Count bytes; from any thread."""
        self._done += size

    def tell(self) -> None:
        """Tell what was counted since the last time."""
        if self._progress is not None and self._done > self._told:
            self._told = self._done
            self._progress(Progress(self._told, self._total))


class _CountedFile:
    def __init__(self, file: IO[bytes], count: Counted) -> None:
        self._file = file
        self._count = count

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._count.add(len(data))
        return data


def held_batches(
    name: str,
    record_class: type[CallRecord] | None = None,
    *,
    rejects: list[RejectedRow] | None = None,
    max_bytes: int = MAX_DECOMPRESSED,
    count: Counted | None = None,
) -> Iterator[Held]:
    """Yield the rows of one file as batches.

    Raises:
        CallFileError: As `arrow_batches`.
    """
    from didww.cdr.blocks import BlockParser, batch_of_records, lines_of

    with opened(name, CallFileError) as file:
        rows = Rows(name, file if count is None else count.file(file), max_bytes, CallFileError)
        ahead = read_ahead(rows.pieces, _BLOCK)
        with closing(ahead):
            rows.pieces = ahead
            layout = layout_of(rows, record_class)
            parser = BlockParser(layout)
            slowly = RowReader(rows, layout, rejects)
            while not slowly.ended:
                block = _between_quotes(rows.peek(_BLOCK))
                batch = parser.parse(block)
                if batch is not None:
                    rows.skip(block, lines_of(block, batch.num_rows))
                    yield Held(layout.record_class, batch)
                else:
                    records = slowly.until(rows.position + max(1, len(block)))
                    while some := list(islice(records, _RECORDS)):
                        yield Held(layout.record_class, batch_of_records(some))
                if count is not None:
                    count.tell()


def _between_quotes(block: bytes) -> bytes:
    """Return a block without the lines at its end that belong to a cell that goes on behind it."""
    if b'"' in block and block.count(b'"') % 2:
        return block[: block.rfind(b"\n", 0, block.rfind(b'"')) + 1]
    return block
