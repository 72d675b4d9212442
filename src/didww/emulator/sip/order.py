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

    An item of weight 0 is drawn first with a small chance only, as RFC 2782 has it.
    """
    ordered: list[_T] = []
    left = sorted(items, key=lambda item: (item.priority, item.weight))  # weight 0 first
    while left:
        same = [item for item in left if item.priority == left[0].priority]
        drawn = random.randint(0, sum(item.weight for item in same))
        total = 0
        for item in same:
            total += item.weight
            if total >= drawn:
                ordered.append(item)
                left.remove(item)
                break
    return ordered
