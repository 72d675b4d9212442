"""Emulators of one process share the rows of the catalog, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from didww import Country, DidGroup
from didww.emulator import Emulator
from didww.emulator.engine import prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = 77


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    """Forget what other tests have used, and what this one does."""
    prepared._of_seed.cache_clear()
    yield
    prepared._of_seed.cache_clear()


def catalog(emulator: Emulator) -> tuple[list[DidGroup], list[Country]]:
    client = emulator.client()
    return list(client.did_groups().iterate(limit=300)), list(client.countries().iterate())


def kept() -> set[str]:
    store = prepared._of_seed(SEED).store
    return set() if store is None else {type for type in ("countries", "did_groups") if store.filled(type, 0)}


def test_rows_are_the_same_whether_inserted_or_copied() -> None:
    """The first emulator keeps nothing, the second for the others."""
    found = []
    for expected in (set(), {"countries", "did_groups"}, {"countries", "did_groups"}):
        with Emulator(seed=SEED) as emulator:
            found.append(catalog(emulator))
            assert kept() == expected
    assert found[0] == found[1] == found[2]


def test_changes_of_one_emulator_are_not_in_the_next() -> None:
    """What is kept is never written to."""
    for _ in range(3):
        with Emulator(seed=SEED) as emulator:
            group = next(each for each in catalog(emulator)[0] if each.meta and each.meta.total_count > 5)
            before = group.meta.total_count
            emulator.stock.put(group.id, 1)
            assert emulator.client().did_groups().find(group.id).data.meta.total_count == 1
            emulator.state.reset()
            assert emulator.client().did_groups().find(group.id).data.meta.total_count == before


def test_other_seeds_have_their_own_rows() -> None:
    """Prices and ids are drawn from the seed."""
    for _ in range(3):
        with Emulator(seed=SEED) as one, Emulator(seed=SEED + 1) as other:
            assert {group.id for group in catalog(one)[0]} != {group.id for group in catalog(other)[0]}
