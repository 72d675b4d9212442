"""Read files of call records as typed records, with constant memory use.

Columns are found by their names, of all versions of the API. Whole blocks of rows are converted column by column. A
block with a row that is not valid, or that ends within a row, is read again row by row, which finds the line and the
column of the error.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, overload

from didww._core.call_files import each_file
from didww._core.call_layout import layout_of
from didww._core.csv_rows import MAX_DECOMPRESSED, MAX_ROW, Rows, opened
from didww._core.download import check_max_bytes
from didww._util.text import shown
from didww.exceptions import CallFileError, InvalidValueError
from didww.resources.call import CallRecord, InboundCall, OutboundCall

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from didww._core.call_files import FilePath
    from didww._core.call_layout import Layout

__all__ = [
    "MAX_REJECTED",
    "MAX_REJECTED_TEXT",
    "RejectedRow",
    "RowReader",
    "check_record_class",
    "read_calls",
    "read_rows",
]

MAX_REJECTED: Final = 100_000
"""Maximum number of rejected rows of a file."""
MAX_REJECTED_TEXT: Final = 16 << 20
"""Maximum length of the rejected rows of a file together, in characters."""

_SMALL: Final = 2 << 10
"""Size of a block in which the row that is not valid is looked for row by row, in bytes."""

_REREAD: Final = 1 << 20

R = TypeVar("R", bound=CallRecord)


class RejectedRow(NamedTuple):
    """A row of a file of call records that is not valid.

    Attributes:
        file: Path of the file.
        line: Number of the line at which the row begins, from 1.
        column: Name of the column; empty if the row as a whole is not valid.
        message: What is wrong, with file, line and column.
        text: The row as it is in the file, at most 64 KiB; bytes that are not UTF-8 are escaped.
    """

    file: str
    line: int
    column: str
    message: str
    text: str


@overload
def read_calls(
    source: FilePath | Iterable[FilePath],
    record_class: type[R],
    *,
    rejects: list[RejectedRow] | None = None,
    max_bytes: int = MAX_DECOMPRESSED,
) -> Iterator[R]: ...
@overload
def read_calls(
    source: FilePath | Iterable[FilePath],
    record_class: None = None,
    *,
    rejects: list[RejectedRow] | None = None,
    max_bytes: int = MAX_DECOMPRESSED,
) -> Iterator[CallRecord]: ...
def read_calls(
    source: FilePath | Iterable[FilePath],
    record_class: type[Any] | None = None,
    *,
    rejects: list[RejectedRow] | None = None,
    max_bytes: int = MAX_DECOMPRESSED,
) -> Iterator[CallRecord]:
    """Yield the records of downloaded exports of calls, one for each row, with constant memory use.

    Empty cells are None, and so are the attributes that a file has no column for. Columns that this SDK does not know
    are in `extra`. Exports of every version of the API can be read. A compressed file is verified to its last byte.

    Args:
        source: The file, compressed with gzip or not; a folder, whose files `*.csv.gz` and `*.csv` are read by name;
            or several of both, such as `FetchedFiles`.
        record_class: `InboundCall` or `OutboundCall`. Defaults to the class that the header of each file fits.
        rejects: List for the rows that are not valid, at most 100,000 of each file. Without it, the first raises
            `CallFileError`.
        max_bytes: Maximum size of each decompressed file, in bytes. Defaults to 10 GiB.

    Raises:
        CallFileError: A file cannot be read, is damaged, has other records, or is larger than `max_bytes`; or a row is
            not valid. The error has its line and column.
        InvalidValueError: An argument is not valid.

    Source: docs/reference/cdr-columns.md.
    """
    check_record_class(record_class)
    if rejects is not None and not isinstance(rejects, list):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidValueError(f"rejects must be a list, got {type(rejects).__name__}.", field="rejects")
    return _records(each_file(source), record_class, rejects, check_max_bytes(max_bytes))


def check_record_class(record_class: Any) -> None:
    """Check the argument `record_class`.

    Raises:
        InvalidValueError: It is another class.
    """
    if record_class not in (None, InboundCall, OutboundCall):
        raise InvalidValueError(
            f"record_class must be InboundCall or OutboundCall, got {shown(record_class)}. Omit it to find the class "
            "from the header of each file.",
            field="record_class",
        )


def _records(
    names: Iterable[str], record_class: type[CallRecord] | None, rejects: list[RejectedRow] | None, max_bytes: int
) -> Iterator[CallRecord]:
    for name in names:
        with opened(name, CallFileError) as file:
            rows = Rows(name, file, max_bytes, CallFileError)
            yield from chain.from_iterable(read_rows(rows, layout_of(rows, record_class), rejects))


def read_rows(rows: Rows, layout: Layout, rejects: list[RejectedRow] | None) -> Iterator[list[Any]]:
    """Yield the records of the rows that follow the header, in lists of those that were read together.

    Raises:
        CallFileError: A row is not valid and there is no list for it, there are too many such rows, or the file is
            damaged.
    """
    reader = RowReader(rows, layout, rejects)
    while not reader.ended:
        yield from reader.block()


class RowReader:
    """Reads the rows of a file, and rejects those that are not valid.

    Attributes:
        ended: Whether all rows were read.
    """

    def __init__(self, rows: Rows, layout: Layout, rejects: list[RejectedRow] | None) -> None:
        self._rows = rows
        self._layout = layout
        self._rejects = rejects
        self._rejected = self._size = self._reread = 0
        self._block = MAX_ROW
        self.ended = False

    def until(self, position: int) -> Iterator[Any]:
        """Yield the records of whole blocks until a number of bytes was read."""
        while self._rows.position < position and not self.ended:
            yield from chain.from_iterable(self.block(position - self._rows.position))

    def block(self, most: int = MAX_ROW) -> Iterator[list[Any]]:
        """Yield the records of the next block, at most `most` bytes, in lists of those that were read together."""
        rows = self._rows
        block = rows.peek(min(most, self._block))
        records = self._layout.records(block)
        if records is not None:
            rows.skip(block)
            self._block = min(2 * self._block, MAX_ROW)
            yield records
        elif len(block) > _SMALL:
            # Most of its rows are valid.
            self._block = max(_SMALL, len(block) // 8)
        else:
            # The last row can go on behind the block.
            end = rows.position + max(1, len(block))
            while rows.position < end and not self.ended:
                record = self._next_record()
                if record is not None:
                    yield [record]
            # A row can be longer than a small block.
            self._block = min(2 * self._block, MAX_ROW)

    def _next_record(self) -> Any:
        """Return the record of the next row; None if it is not valid, is empty, or does not exist."""
        rows = self._rows
        try:
            cells = next(rows, None)
            self.ended = cells is None
            return self._layout.record(cells, rows) if cells else None
        except CallFileError as error:
            if self._rejects is None or rows.damaged:
                raise
            self._reject(error, self._rejects)
        return None

    def _reject(self, error: CallFileError, rejects: list[RejectedRow]) -> None:
        rows = self._rows
        taken, before = rows.text, rows.position
        # A quote without its second takes the next rows with it. Only the first line is at fault. How much is read
        # again is limited, so that a hostile file does not take much longer than others.
        if rows.torn and self._reread < _REREAD + 8 * before and rows.again():
            again = before - rows.position
            self._reread += again
            taken = taken[: len(taken) - again]
        else:
            rows.to_line_end()
        text = taken.decode(errors="backslashreplace").removesuffix("\n").removesuffix("\r")
        self._rejected += 1
        self._size += len(text)
        if self._rejected > MAX_REJECTED or self._size > MAX_REJECTED_TEXT:
            raise CallFileError(
                f"{rows.name} has too many rows that are not valid: {self._rejected}. The last: {error}",
                line=error.line,
                column=error.column,
            )
        rejects.append(RejectedRow(rows.name, error.line, error.column, str(error), text))
