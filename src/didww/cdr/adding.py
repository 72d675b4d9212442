"""Add the records of files to a dataset: write them to files apart, and add those with the rows that are new."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from didww.cdr.duck import OnDemand
from didww.cdr.duplicates import MARGIN, Span, Watch, microseconds, without_duplicates
from didww.cdr.staging import Staged, Staging, month_of
from didww.cdr.writing import written
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Self

    from didww.cdr.arrow import Batch
    from didww.cdr.sources import Rows
    from didww.cdr.store import Part, Store

__all__ = ["Adding"]

_MEMORY: Final = "512MB"
_DEFAULT: Final = "default"
_MARGIN: Final = timedelta(microseconds=MARGIN)
_FIRST: Final = datetime.min.replace(tzinfo=UTC) + _MARGIN
_LAST: Final = datetime.max.replace(tzinfo=UTC) - _MARGIN


class Adding:
    """Adds files to a dataset; a context manager.

    Args:
        store: The files of the dataset, which only this writes now.
        account: The account of the records. Defaults to the one that they have, or `default`.
        folder: Folder for files that are not complete.
        spans: The times of files, as far as known.
    """

    def __init__(self, store: Store, account: str | None, folder: Path, spans: dict[str, Span | None]) -> None:
        self._store = store
        self._account = account
        self._folder = folder
        self._spans = spans
        self._parts = store.parts()
        self._duckdb = OnDemand(_MEMORY, folder / "duckdb")
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._duckdb.__exit__()

    def add(self, file: Iterator[Rows]) -> Iterator[tuple[int, int]]:
        """Add the rows of a file; yield the numbers of new and of known rows by month.

        Raises:
            InvalidValueError: It has rows of several accounts, which cannot become one.
        """
        self._number += 1
        folder = self._folder / str(self._number)
        with written(folder):
            folder.mkdir()
        watches: dict[tuple[str, str], Watch] = {}
        with Staging(folder) as staging:
            for account, direction, batch in self._of_one_account(file):
                watch = watches.setdefault((account, direction), Watch())
                staging.add(account, direction, batch, watch.see)
            staged = staging.finish()
        seen: set[tuple[str, str, str]] = set()
        for part in staged:
            # A month that was written in several files is compared with those before.
            key = (part.account, part.direction, part.month)
            yield self._add(part, folder, certain=watches[key[:2]].certain and key not in seen)
            seen.add(key)

    def _of_one_account(self, file: Iterator[Rows]) -> Iterator[tuple[str, str, Batch]]:
        """Yield the rows with the account that they get."""
        found: str | None = None
        for account, direction, batch in file:
            if self._account is not None and account not in (None, found):
                if found is not None:
                    raise InvalidValueError(
                        f"The source has records of several accounts, {found!r} and {account!r}, whose calls can have "
                        "the same IDs. Omit `account` to keep their accounts, or append one at a time.",
                        field="account",
                    )
                found = account
            yield self._account or account or _DEFAULT, direction, batch

    def _add(self, staged: Staged, folder: Path, *, certain: bool) -> tuple[int, int]:
        near = self._near(staged)
        path: Path | None = staged.path
        duplicates = 0
        if near or not certain:
            connection = self._duckdb.connection
            existing = self._store.table(connection, [part for part, _ in near]) if near else None
            spans = [span for _, span in near]
            path, duplicates = without_duplicates(connection, staged, existing, spans, folder, certain=certain)
        if path is not None:
            self._parts.append(self._store.publish(path, staged.account, staged.direction, staged.month))
        staged.path.unlink(missing_ok=True)
        return staged.rows - duplicates, duplicates

    def _near(self, staged: Staged) -> list[tuple[Part, Span]]:
        """Return the files that can have rows of another one, and their times."""
        own = Span(microseconds(staged.first), microseconds(staged.last))
        months = {
            staged.month,
            month_of(max(staged.first, _FIRST) - _MARGIN),
            month_of(min(staged.last, _LAST) + _MARGIN),
        }
        found: list[tuple[Part, Span]] = []
        for part in self._parts:
            if (part.account, part.direction) == (staged.account, staged.direction) and part.month in months:
                if part.path not in self._spans:
                    self._spans[part.path] = self._store.span(part)
                span = self._spans[part.path]
                if span is not None and span.is_near(own):
                    found.append((part, span))
        return found
