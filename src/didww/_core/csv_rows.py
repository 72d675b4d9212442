"""Read the rows of a CSV file with constant memory use: gzip or plain, UTF-8, every row limited in size.

A row can be read alone, or with its neighbors: `peek` returns a block of whole lines for a faster parser, and `skip`
moves behind it. Lines are counted either way, so that every error has the line at which its row begins.
"""

from __future__ import annotations

import codecs
import csv
import zlib
from typing import IO, TYPE_CHECKING, Final

from didww._core.decompress import Decompressor
from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww.exceptions import RecordFileError

__all__ = ["MAX_DECOMPRESSED", "MAX_ROW", "Rows", "UnreadableError", "opened", "pieces"]

MAX_DECOMPRESSED: Final = 10 << 30
"""Default maximum size of a file after decompression, in bytes."""
MAX_ROW: Final = 64 << 10
"""Maximum size of a row, and of a block, in bytes."""

_GZIP_HEAD: Final = b"\x1f\x8b"
_PIECE: Final = 1 << 16


def opened(name: str, error: type[RecordFileError]) -> IO[bytes]:
    """Open a file for reading; the caller closes it.

    Raises:
        RecordFileError: The file cannot be opened; of the class `error`.
    """
    try:
        return open(name, "rb")  # noqa: PTH123 closed by the caller
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or problem
    raise error(f"Cannot read {name}: {reason}.")


class UnreadableError(Exception):
    """A file cannot be read further; its text follows the name of the file, with `{}` for the place."""


def pieces(file: IO[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield the decompressed bytes of a file, at most 1 MiB at a time.

    Raises:
        UnreadableError: The file cannot be read, is damaged, truncated, or larger than `max_bytes`.
    """
    size, damage, decompressor = 0, "", None
    try:
        while data := file.read(_PIECE):
            if not size and decompressor is None and data.startswith(_GZIP_HEAD):
                decompressor = Decompressor()
            for piece in (data,) if decompressor is None else decompressor.feed(data):
                size += len(piece)
                if size > max_bytes:
                    raise UnreadableError(f"decompresses to more than {max_bytes} bytes{{}}. Raise `max_bytes=`.")
                yield piece
        if decompressor is not None and not decompressor.whole:
            damage = "is truncated{}. Download it again."
    except zlib.error:
        damage = "is damaged{}. Download it again."
    except OSError as problem:
        damage = f"cannot be read{{}}: {problem.strerror or problem}."
    if damage:
        raise UnreadableError(damage)


class Rows:
    """The rows of a file: an iterator of lists of cells, of which empty lines have none.

    After an error about a row, the next row can be read.

    Attributes:
        name: Name of the file, for errors.
        line: Number of the line at which the current row begins, from 1.
        torn: Whether the last error is about where the row ends: quotes that do not match, or too many bytes.
        damaged: Whether the last error is about the file, which cannot be read further, and not about the row.
        pieces: The decompressed bytes; replace them to read ahead.
    """

    def __init__(self, name: str, file: IO[bytes], max_bytes: int, error: type[RecordFileError]) -> None:
        """Read a file.

        Args:
            name: Name of the file, for errors.
            file: The file, compressed with gzip or not.
            max_bytes: Maximum size of the decompressed file, in bytes.
            error: Class of the errors.
        """
        self.name = name
        self.line = 0
        self.torn = self.damaged = False
        self._error = error
        self.pieces = pieces(file, max_bytes)
        self._ended = False
        self._damage = ""
        # The buffer has the current row, which begins at `_row` and has been read up to `_next`.
        self._data = b""
        self._row = self._next = self._before = 0
        self._lines = 0
        self._cut = self._foreign = False
        self._reader = csv.reader(_Texts(self), strict=True)

    @property
    def position(self) -> int:
        """The number of bytes read."""
        return self._before + self._next

    @property
    def text(self) -> bytes:
        """The current row as far as it was read."""
        return self._data[self._row : self._next]

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> list[str]:
        """Return the cells of the next row.

        Raises:
            RecordFileError: The row is not valid, or the file is `damaged`.
        """
        self._row = self._next
        self.line = self._lines + 1
        self.torn = self._foreign = False
        try:
            cells = next(self._reader)
            if not self._foreign:
                return cells
            wide = self.line == 1 and self.text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            message = "the file is UTF-16; convert it to UTF-8" if wide else "the row is not UTF-8"
        except csv.Error as problem:
            self.torn = True
            message = f"the row is not valid CSV: {problem}"
        raise self.error(message)

    def error(self, message: str, column: str = "") -> RecordFileError:
        """Return the error for the current row."""
        where = f"line {self.line}" + (f", column {printable(column[:80])!r}" if column else "")
        return self._error(f"{self.name}, {where}: {message}.", line=self.line, column=column)

    def again(self) -> bool:
        """Go back to the second line of the current row, to read it as a row; return whether there is one."""
        second = self._data.find(b"\n", self._row, self._next) + 1
        if not second or second == self._next:
            return False
        self._lines = self.line
        self._next = second
        self._cut = False
        return True

    def to_line_end(self) -> None:
        """Skip what is left of a line that is too long."""
        while self._cut:
            self._row = self._next
            end = self._data.find(b"\n", self._next) + 1
            self._next = end or len(self._data)
            self._cut = not end and self._fill()
            self._lines += not self._cut

    def peek(self, size: int = MAX_ROW) -> bytes:
        """Return the next whole lines, at most `size` bytes.

        There are none at the end, where the file is damaged, or if a line is longer.
        """
        self._row = self._next
        while len(self._data) - self._next < size and self._fill():
            pass
        end = min(len(self._data), self._next + size)
        if not (self._ended and not self._damage and end == len(self._data)):
            end = self._data.rfind(b"\n", self._next, end) + 1
        return self._data[self._next : end]

    def skip(self, block: bytes, lines: int | None = None) -> None:
        """Move behind a block that `peek` returned, or whole lines at its start.

        Args:
            block: The block.
            lines: Number of its ends of lines, if known.
        """
        self._next += len(block)
        self._lines += block.count(b"\n") if lines is None else lines

    def next_line(self) -> str:
        """Return the next line of the current row, with its end, as text.

        Raises:
            StopIteration: The file has ended.
            RecordFileError: The row is too long, or the file is damaged.
        """
        searched = self._next - self._row
        while not (end := self._data.find(b"\n", self._row + searched) + 1):
            searched = len(self._data) - self._row
            if searched > MAX_ROW or not self._fill():
                break
        if not end:
            end = len(self._data)
            if self._damage and end - self._row <= MAX_ROW:
                self.damaged = True
                after = f" after line {self._lines}" if self._lines else ""
                raise self._error(f"{self.name} {self._damage.format(after)}")
            if end == self._next:
                raise StopIteration
        first = not self._lines
        if end - self._row > MAX_ROW:
            end = self._row + MAX_ROW
            self._cut = True
        line = self._data[self._next : end]
        self._next = end
        if self._cut:
            self.torn = True
            hint = "; maybe a quote is not closed" if self._lines >= self.line else ""
            raise self.error(f"the row is larger than {MAX_ROW} bytes{hint}")
        self._lines += 1
        if first:
            line = line.removeprefix(codecs.BOM_UTF8)
        try:
            return line.decode()
        except UnicodeDecodeError:
            # To the end of the row: what follows is part of it.
            self._foreign = True
            return line.decode(errors="replace")

    def _fill(self) -> bool:
        """Read on, and drop what is before the current row; return whether there was more."""
        if self._ended:
            return False
        try:
            piece = next(self.pieces, b"")
        except UnreadableError as damage:
            piece, self._damage = b"", str(damage)
        if not piece:
            self._ended = True
            return False
        self._data = self._data[self._row :] + piece
        self._before += self._row
        self._next -= self._row
        self._row = 0
        return True


class _Texts:
    """The lines of the current row, for the CSV reader."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __iter__(self) -> _Texts:
        return self

    def __next__(self) -> str:
        return self._rows.next_line()
