"""The iterators that `iterate` returns, with a cursor to resume from."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from didww._schema.resource import Resource
from didww._util.tracebacks import short_tracebacks
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from typing import Never

    from didww._core.pagination import Cursor

__all__ = ["AsyncRecordIterator", "RecordIterator"]

R = TypeVar("R", bound=Resource)


class _Resumable:
    _cursor: Cursor

    def __repr__(self) -> str:
        return f"<{type(self).__name__} on page {self._cursor.number}, after {self._cursor.offset} of its records>"

    @property
    def cursor(self) -> str:
        """An opaque cursor just after the last record returned. Resume with `iterate(..., resume=cursor)`.

        Valid in any process. Contains the page, the id of the record and a checksum of the query, but no secrets.
        """
        return str(self._cursor)

    def __reduce__(self) -> Never:
        raise DidwwClientError(
            f"{type(self).__name__} cannot be pickled or copied: it is bound to a client. Save its cursor, and "
            "resume with iterate(..., resume=cursor)."
        )


@short_tracebacks
class RecordIterator(_Resumable, Generic[R]):
    """An iterator over the records of all pages, fetched on demand. Threads can share it.

    Example:
        >>> from didww.emulator import Emulator
        >>> cities = Emulator().client().cities().iterate(page_size=3)
        >>> names = [next(cities).name for _ in range(4)]
        >>> resumed = Emulator().client().cities().iterate(page_size=3, resume=cities.cursor)
        >>> next(resumed).name == next(cities).name
        True
    """

    def __init__(self, records: Generator[R], cursor: Cursor) -> None:
        self._records = records
        self._cursor = cursor
        self._lock = threading.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> R:
        with self._lock:
            return next(self._records)

    def close(self) -> None:
        """Stop the iteration and cancel pending requests."""
        with self._lock:
            self._records.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


@short_tracebacks
class AsyncRecordIterator(_Resumable, Generic[R]):
    """An asynchronous iterator over the records of all pages, fetched on demand."""

    def __init__(self, records: AsyncGenerator[R], cursor: Cursor) -> None:
        self._records = records
        self._cursor = cursor

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        return await anext(self._records)

    async def aclose(self) -> None:
        """Stop the iteration and cancel pending requests."""
        await self._records.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()
