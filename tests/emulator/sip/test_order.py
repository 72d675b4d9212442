"""The order of trunks, as a law: every number that can be drawn is drawn once, so that chances are exact fractions."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.sip.order import in_order


class Item(NamedTuple):
    """A trunk with its priority and weight."""

    name: str
    priority: int
    weight: int


class Scripted(Random):
    """Draws the given numbers, then the smallest numbers; keeps how many choices each draw had."""

    def __init__(self, script: list[int]) -> None:
        super().__init__(0)
        self.script = script
        self.counts: list[int] = []

    def randint(self, a: int, b: int) -> int:
        place = len(self.counts)
        self.counts.append(b - a + 1)
        return a + (self.script[place] if place < len(self.script) else 0)


def chances(items: list[Item]) -> dict[str, Fraction]:
    """Return the exact chance of each order, by trying all draws."""
    found: dict[str, Fraction] = {}
    script: list[int] | None = []
    while script is not None:
        random = Scripted(script)
        order = "".join(item.name for item in in_order(items, random))
        chance = Fraction(1)
        for count in random.counts:
            chance /= count
        found[order] = found.get(order, Fraction(0)) + chance
        drawn = [*script, *[0] * (len(random.counts) - len(script))]
        script = _next(drawn, random.counts)
    return found


def _next(drawn: list[int], choices: list[int]) -> list[int] | None:
    while drawn:
        last = drawn.pop()
        if last + 1 < choices[len(drawn)]:
            return [*drawn, last + 1]
    return None


def first(items: list[Item]) -> dict[str, Fraction]:
    """Return the chance of each item to be the first."""
    found: dict[str, Fraction] = {}
    for order, chance in chances(items).items():
        found[order[0]] = found.get(order[0], Fraction(0)) + chance
    return found


def test_weights_are_shares() -> None:
    """The first is drawn by weight; the number 0 selects any item."""
    extra = Fraction(1, 2) / 5
    assert first([Item("a", 1, 3), Item("b", 1, 1)]) == {"a": Fraction(3, 5) + extra, "b": Fraction(1, 5) + extra}


def test_weight_zero_has_a_small_chance() -> None:
    """Of 11 numbers, one selects the item of weight 0."""
    items = [Item("a", 1, 10), Item("z", 1, 0)]
    assert chances(items) == {"az": Fraction(10, 11), "za": Fraction(1, 11)}


def test_all_weights_zero_are_equal() -> None:
    """Each order of two items is as likely."""
    assert chances([Item("a", 1, 0), Item("b", 1, 0)]) == {"ab": Fraction(1, 2), "ba": Fraction(1, 2)}


def test_priority_comes_before_weight() -> None:
    """A heavy item of a larger priority number is never before a light one."""
    assert chances([Item("a", 2, 9), Item("b", 1, 1)]) == {"ba": Fraction(1)}


ITEMS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=4).map(
    lambda pairs: [Item("abcd"[place], *pair) for place, pair in enumerate(pairs)]
)


@given(ITEMS, st.integers())
def test_each_item_once_and_by_priority(items: list[Item], seed: int) -> None:
    """An order has each item once, and priorities ascend; a seed gives the same order again."""
    ordered = in_order(items, Random(seed))
    assert sorted(ordered) == sorted(items)
    assert [item.priority for item in ordered] == sorted(item.priority for item in items)
    assert ordered == in_order(items, Random(seed))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=3))
def test_the_chance_of_the_first(weights: list[int]) -> None:
    """Each item's chance is its weight over the sum plus one, plus its share of the number 0."""
    items = [Item("abc"[place], 1, weight) for place, weight in enumerate(weights)]
    least = [item for item in items if item.weight == 0] or items
    total = sum(weights) + 1
    expected: dict[str, Any] = {
        item.name: Fraction(item.weight, total) + (Fraction(1, total * len(least)) if item in least else 0)
        for item in items
    }
    assert first(items) == expected
    assert sum(expected.values()) == 1


@pytest.mark.parametrize("weight", [0, 65535])
def test_one_item(weight: int) -> None:
    """A single item is the order."""
    item = Item("a", 65535, weight)
    assert in_order([item], Random(1)) == [item]
