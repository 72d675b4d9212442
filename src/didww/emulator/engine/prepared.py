"""Catalog rows that the emulators of a process share: generated and inserted once, then copied.

The rows depend on the seed alone. A test suite creates an emulator per test; without this each would spend most of its
time on inserting the same rows. A process with one emulator keeps nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from didww._util.fork import in_sqlite
from didww.emulator.data.catalog import Catalog
from didww.emulator.engine.accounts import NOBODY
from didww.emulator.engine.store import Store

if TYPE_CHECKING:
    import threading

__all__ = ["catalog_of", "new_store", "prepare"]

SEEDS = 4
"""Seeds that are kept, the last used ones; about 10 MB each."""

catalog_of = lru_cache(maxsize=SEEDS)(Catalog)


class _Prepared:
    """The catalog tables of a seed that emulators have used."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.used: set[str] = set()
        self.store: Store | None = None

    def add(self, type: str) -> None:
        if type not in self.used:  # perhaps the only emulator of this process
            self.used.add(type)
            return
        if self.store is None:
            self.store = Store(None, self.seed)
        if not self.store.filled(type, NOBODY):
            with self.store.transaction():
                self.store.insert(self.store.table(type), None, catalog_of(self.seed).rows(type))
                self.store.mark_filled(type, NOBODY)


_of_seed = lru_cache(maxsize=SEEDS)(_Prepared)


def prepare(seed: int, type: str) -> None:
    """Keep the rows of a type for later emulators, if this is not the first one to use them."""
    with in_sqlite:
        _of_seed(seed).add(type)


def new_store(path: str | None, seed: int, lock: threading.Lock | None = None) -> Store:
    """Return a new store; in memory with the rows that are kept, which it would insert otherwise."""
    store = Store(path, seed, lock)
    if path is None:
        with in_sqlite:
            kept = _of_seed(seed).store
            if kept is not None:
                store.replace(kept.connection)
    return store
