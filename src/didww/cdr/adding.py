"""Add the records of files to a dataset: write them to files apart, and add those with the rows that are new."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.cdr.duck import OnDemand
from didww.cdr.duplicates import MARGIN, Span, Watch, without_duplicates
from didww.cdr.staging import Staged, Staging
from didww.cdr.writing import written

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from typing import Self

    from didww.cdr.arrow import Batch
    from didww.cdr.store import Part, Store

__all__ = ["Adding"]

_MEMORY: Final = "512MB"


class Adding:
    """Adds files to the records of an account; a context manager.

    Args:
        store: The files of the dataset, which only this writes now.
        account: The account.
        folder: Folder for files that are not complete.
        spans: The times of files, as far as known.
    """

    def __init__(self, store: Store, account: str, folder: Path, spans: dict[str, Span | None]) -> None:
        self._store = store
        self._account = account
        self._folder = folder
        self._spans = spans
        self._parts = [part for part in store.parts() if part.account == account]
        self._duckdb = OnDemand(_MEMORY, folder / "duckdb")
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._duckdb.__exit__()

    def add(self, batches: Iterator[tuple[str, Batch]]) -> Iterator[tuple[int, int]]:
        """Add the batches of a file, each with its direction; yield the numbers of new and of known rows by month."""
        self._number += 1
        folder = self._folder / str(self._number)
        with written(folder):
            folder.mkdir()
        watches: dict[str, Watch] = {}
        with Staging(folder) as staging:
            for direction, batch in batches:
                staging.add(direction, batch)
                watches.setdefault(direction, Watch()).see(batch)
            staged = staging.finish()
        seen: set[tuple[str, str]] = set()
        for part in staged:
            # A month that was written in several files is compared with those before.
            key = (part.direction, part.month)
            yield self._add(part, folder, certain=watches[part.direction].certain and key not in seen)
            seen.add(key)

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
            self._parts.append(self._store.publish(path, self._account, staged.direction, staged.month))
        staged.path.unlink(missing_ok=True)
        return staged.rows - duplicates, duplicates

    def _near(self, staged: Staged) -> list[tuple[Part, Span]]:
        """Return the files that can have rows of another one, and their times."""
        own = Span(staged.first, staged.last)
        months = {_month(time) for time in (staged.first - MARGIN, staged.first, staged.last + MARGIN)}
        found: list[tuple[Part, Span]] = []
        for part in self._parts:
            if part.direction == staged.direction and part.month in months:
                if part.path not in self._spans:
                    self._spans[part.path] = self._store.span(part)
                span = self._spans[part.path]
                if span is not None and span.is_near(own):
                    found.append((part, span))
        return found


def _month(time: datetime) -> str:
    return f"{time.year:04}-{time.month:02}"
