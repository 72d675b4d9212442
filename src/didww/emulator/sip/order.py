"""The order of trunks in a group, and of hosts in SRV records: by priority, then by weight (RFC 2782)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

__all__ = ["in_order"]


class _Weighted(Protocol):
    @property
    def priority(self) -> int: ...

    @property
    def weight(self) -> int: ...


_T = TypeVar("_T", bound=_Weighted)


def in_order(items: Iterable[_T], random: Random) -> list[_T]:
    """Return items by priority, the smaller number first; within a priority, drawn by weight.

    A number from 0 to the sum of the weights decides, as RFC 2782 has it. Zero is drawn with a small chance: it selects
    any item of weight 0, or any item if none has that weight.
    """
    left = list(items)
    ordered: list[_T] = []
    while left:
        first = min(item.priority for item in left)
        index = _draw([(index, item.weight) for index, item in enumerate(left) if item.priority == first], random)
        ordered.append(left.pop(index))
    return ordered


def _draw(weights: list[tuple[int, int]], random: Random) -> int:
    """Return the index that a number drawn for some weights selects."""
    drawn = random.randint(0, sum(weight for _, weight in weights))
    if drawn == 0:
        smallest = [index for index, weight in weights if weight == 0] or [index for index, _ in weights]
        return smallest[random.randint(0, len(smallest) - 1)]
    total = 0
    for index, weight in weights:
        total += weight
        if total >= drawn:
            return index
    raise AssertionError("The number drawn is at most the sum.")
