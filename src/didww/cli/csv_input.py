"""Read a CSV file of changes, and refuse it with line and column before anything is sent.

Files of spreadsheets are read as they are: UTF-8 with or without a byte order mark, UTF-16, commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from didww._util.suggest import did_you_mean
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

__all__ = ["MAX_BYTES", "MAX_ROWS", "CsvFile", "Row", "read"]

MAX_BYTES: Final = 20_000_000
MAX_ROWS: Final = 100_000
_DELIMITERS: Final = ",;\t"
_FORMULA: Final = ("=", "+", "-", "@")


class Row(NamedTuple):
    """A row: its line in the file, and its cells by column, without surrounding blanks."""

    line: int
    cells: Mapping[str, str]


class CsvFile(NamedTuple):
    """A file: its path, its columns and its rows."""

    path: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def fail(self, row: Row, column: str, why: object) -> NoReturn:
        """Raise an error about a cell."""
        raise _error(f"{self.path}, line {row.line}, column {column}: {why}")

    def one_of(self, columns: Collection[str]) -> str:
        """Return the only column of `columns` that the file has.

        Raises:
            InvalidValueError: The file has none of them, or several.
        """
        present = [column for column in columns if column in self.columns]
        if len(present) == 1:
            return present[0]
        got = " and ".join(present) or "none of them"
        raise _error(f"{self.path}, line 1: exactly one column of {' or '.join(columns)} is needed, got {got}.")

    def check_unique(self, column: str, values: Collection[str]) -> None:
        """Check that each row has a different value in `column`.

        Args:
            column: The column.
            values: The value of each row, as the service has it: several texts can be the same number.

        Raises:
            InvalidValueError: A value is empty, or two rows have the same one.
        """
        seen: dict[str, int] = {}
        for row, value in zip(self.rows, values, strict=True):
            if not value:
                self.fail(row, column, "the cell is empty.")
            if value in seen:
                self.fail(row, column, f"{value} is in line {seen[value]}, too. Keep one of the two lines.")
            seen[value] = row.line


def read(path: str, known: Collection[str], aliases: Mapping[str, str] | None = None) -> CsvFile:
    """Read a CSV file with a header.

    Args:
        path: Path of the file.
        known: The columns that the file may have.
        aliases: Other names of columns.

    Raises:
        InvalidValueError: The file is too large, is not a CSV file, or has other columns.
    """
    text = _text(path)
    lines = io.StringIO(text, newline="")
    delimiter = _delimiter(path, text)
    if text[:4].lower() == "sep=":
        lines.readline()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    rows = _records(path, reader)
    header = next(rows, None)
    columns = _columns(path, header[1] if header is not None else [], known, aliases or {})
    parsed: list[Row] = []
    for line, cells in rows:
        if len(parsed) == MAX_ROWS:
            raise _error(f"{path} has more than {MAX_ROWS} rows. Split it.")
        if len(cells) > len(columns) and not any(cells[len(columns) :]):
            cells = cells[: len(columns)]  # noqa: PLW2901 spreadsheets add empty columns
        if len(cells) != len(columns):
            raise _error(f"{path}, line {line}: {len(columns)} cells are needed, got {len(cells)}.")
        parsed.append(Row(line, dict(zip(columns, map(_cell, cells), strict=True))))
    if not parsed:
        raise _error(f"{path} has no rows.")
    return CsvFile(path, columns, tuple(parsed))


def _error(message: str) -> InvalidValueError:
    return InvalidValueError(message, field="from_csv")


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 paths of users are text
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _error(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > MAX_BYTES:
        raise _error(f"{path} is larger than {MAX_BYTES // 1_000_000} MB. Split it.")
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _error(f"{path}, line {line}: the text is not UTF-8. Save the file as CSV in UTF-8.") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _error(f"{path}, line {line}: this is not text. Save the file as CSV.")
    return text


def _delimiter(path: str, text: str) -> str:
    first = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    if first[:4].lower() == "sep=" and len(first) == 5:
        return first[4]
    if not first.strip():
        raise _error(f"{path} is empty.")
    return max(_DELIMITERS, key=first.count)


def _records(path: str, reader: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the first line and the cells of each row that is not blank."""
    line = getattr(reader, "line_num", 0)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line + 1, cells
            line = getattr(reader, "line_num", 0)
    except csv.Error as error:
        raise _error(f"{path}, line {line + 1}: this is not a row of a CSV file: {error}.") from None


def _columns(path: str, header: list[str], known: Collection[str], aliases: Mapping[str, str]) -> tuple[str, ...]:
    while header and not header[-1].strip():
        header = header[:-1]
    names = (name.strip().lower().replace(" ", "_").replace("-", "_") for name in header)
    columns = tuple(aliases.get(name, name) for name in names)
    for index, column in enumerate(columns):
        if column not in known:
            hint = did_you_mean(column, known)
            raise _error(
                f"{path}, line 1: there is no column {header[index]!r:.80}.{hint} Columns: {', '.join(known)}."
            )
        if column in columns[:index]:
            raise _error(f"{path}, line 1: the column {column} is there twice.")
    return columns


def _cell(text: str) -> str:
    """Return a cell without blanks around it, and without the apostrophe that protects a text from spreadsheets."""
    text = text.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text
