"""Failed attempts by trunk and hour of the day, as a map of cells."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from itertools import pairwise
from math import exp, lgamma, sqrt
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww.cdr.report.cells import HOURS, draw_cells
from didww.cdr.report.colors import FAILING
from didww.cdr.report.drawing import named
from didww.cdr.report.numbers import NO_TRUNK, NONE, TO, count, percent
from didww.cdr.report.parts import Column, LegendEntry, Plot, drawn, limited

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["failures", "tail"]

_MOST: Final = 12
_FEW: Final = 5
"""Cells with fewer attempts are left empty: their ratio says nothing."""
_CLEAR: Final = 4.0
"""Standard errors from which a trunk that fails at some hours may be worth a word."""
_MUCH: Final = 0.05
"""Difference of the shares from which it is."""
_CHANCE: Final = 0.01
"""Probability that a plot names a trunk whose failures do not depend on the hour."""
_MOST_TESTED: Final = 500
_EDGES: Final = (0.05, 0.15, 0.3, 0.5, 0.75)
"""The first share of each color after that of none."""


def failures(rows: Sequence[Mapping[str, Any]], direction: str) -> Plot | None:
    """Return the plot of the failed attempts of the trunks of a direction at each hour.

    Args:
        rows: Rows with `trunk`, `hour` (UTC), `attempts` and `answered`. Those without a trunk are left out.
        direction: `inbound` or `outbound`.
    """
    cells = {(row["trunk"], row["hour"]): (row["attempts"], row["attempts"] - row["answered"]) for row in rows}
    totals = Counter[str]()
    for (trunk, _), (attempts, _) in cells.items():
        if trunk:
            totals[trunk] += attempts
    if not totals:
        return None
    ordered = sorted(totals, key=lambda trunk: (-totals[trunk], trunk))
    shown = ordered[:_MOST]

    def color(row: int, hour: int) -> str | None:
        attempts, failed = cells.get((shown[row], hour), (0, 0))
        return FAILING[bisect_right(_EDGES, failed / attempts)] if attempts >= _FEW else None

    name = f"failures-{direction}"
    title = f"Failed attempts by hour and {direction} trunk"
    finding = _finding(cells, ordered[:_MOST_TESTED])
    columns = (
        Column("Trunk"),
        *(Column(f"{hour:02}", _share, "number") for hour in range(HOURS)),
    )
    table = [
        (named(trunk, NO_TRUNK), *(cells.get((trunk, hour), (0, 0)) for hour in range(HOURS))) for trunk in ordered
    ]
    others = f" The {count(_MOST)} trunks with the most attempts are drawn." if len(ordered) > _MOST else ""
    return Plot(
        name,
        title,
        finding,
        drawn(lambda width: draw_cells(name, width, shown, color), f"{title}. {finding}"),
        limited(columns, table),
        [LegendEntry(each, label) for each, label in zip(FAILING, _ranges(), strict=True)],
        f"Share of the attempts of an hour that were not answered; empty if there are fewer than {_FEW}. Hours in "
        f"UTC.{others}",
    )


def _share(value: tuple[int, int]) -> str:
    attempts, failed = value
    return f"{failed / attempts:.0%}" if attempts else NONE


def _ranges() -> list[str]:
    """Return what each color stands for."""
    first, *_, last = _EDGES
    between = [f"{low:.0%}{TO}{high:.0%}" for low, high in pairwise(_EDGES)]
    return [f"below {first:.0%}", *between, f"{last:.0%} or more"]


def _finding(cells: Mapping[tuple[str | None, int], tuple[int, int]], trunks: Sequence[str]) -> str:
    """Return which trunk fails at some hours much more than at its others.

    Of all spans of hours that may be, some fail more by chance. One is named only if even the most unusual of all would
    be as far off in less than one plot of a hundred.
    """
    by_trunk = {trunk: [cells.get((trunk, hour), (0, 0)) for hour in range(HOURS)] for trunk in trunks}
    spans = [span for trunk, own in by_trunk.items() for span in _spans(own, trunk)]
    spans.sort(key=lambda span: -span.distance)
    chance = _CHANCE / (HOURS * HOURS // 2 * max(len(trunks), 1))
    worst = next((span for span in spans if _by_chance(by_trunk[span.trunk], span) < chance), None)
    if worst is None:
        return "No trunk fails at some hours much more than at its others."
    first, last = f"{worst.start:02}:00", f"{(worst.start + worst.length) % HOURS:02}:00"
    share = percent(worst.failed, worst.attempts)
    return (
        f"{named(worst.trunk, NO_TRUNK)} fails most between {first} and {last} UTC: {share} of "
        f"{count(worst.attempts)} attempts were not answered, and {worst.usual:.1%} at its other hours."
    )


def _by_chance(cells: Sequence[tuple[int, int]], span: _Span) -> float:
    attempts, failed = (sum(cell[place] for cell in cells) for place in (0, 1))
    return tail(attempts, failed, span.attempts, span.failed)


def tail(attempts: int, failed: int, drawn: int, found: int) -> float:
    """Return the probability that so many of some attempts failed, or more, if failures do not depend on the hour.

    It is that of the hypergeometric distribution: of `attempts`, `failed` failed, and `drawn` are looked at.

    Args:
        attempts: All attempts.
        failed: Those of them that failed.
        drawn: The attempts that are looked at.
        found: Failed ones among these, at least the number to be expected.

    Example:
        >>> round(tail(10, 4, 4, 3), 6) == round((4 * 6 + 1) / 210, 6)
        True
    """
    term = exp(
        _log_choices(failed, found) + _log_choices(attempts - failed, drawn - found) - _log_choices(attempts, drawn)
    )
    whole = 0.0
    for number in range(found, min(drawn, failed) + 1):
        if whole + term == whole:
            break
        whole += term
        more = (failed - number) * (drawn - number)
        term *= more / ((number + 1) * (attempts - failed - drawn + number + 1))
    return whole


def _log_choices(number: int, chosen: int) -> float:
    return lgamma(number + 1) - lgamma(chosen + 1) - lgamma(number - chosen + 1)


class _Span(NamedTuple):
    """Hours of a trunk that follow each other, and how much more it fails in them.

    Attributes:
        trunk: Name of the trunk.
        start: The first hour.
        length: Number of hours.
        attempts: Attempts in them.
        failed: Those that were not answered.
        usual: Share that was not answered at the other hours.
        distance: Difference of the shares, in standard errors.
    """

    trunk: str
    start: int
    length: int
    attempts: int
    failed: int
    usual: float
    distance: float


def _spans(cells: Sequence[tuple[int, int]], trunk: str) -> Iterator[_Span]:
    """Yield the spans of up to half a day, also across midnight, that fail much more than the other hours.

    With f of n attempts failed in the span, g of m at the other hours, and p = (f + g) / (n + m), the distance is
    (f / n - g / m) / sqrt(p * (1 - p) * (1 / n + 1 / m)): a test of two proportions. A span begins and ends with an
    hour that has attempts.
    """
    all_attempts, all_failed = (sum(cell[place] for cell in cells) for place in (0, 1))
    if not 0 < all_failed < all_attempts:
        return
    overall = all_failed / all_attempts
    for start in range(HOURS):
        attempts = failed = 0
        for length in range(1, HOURS // 2 + 1):
            more = cells[(start + length - 1) % HOURS]
            attempts, failed = attempts + more[0], failed + more[1]
            rest = all_attempts - attempts
            if not (cells[start][0] and more[0] and rest):
                continue
            usual = (all_failed - failed) / rest
            distance = (failed / attempts - usual) / sqrt(overall * (1 - overall) * (1 / attempts + 1 / rest))
            if distance >= _CLEAR and failed / attempts - usual >= _MUCH:
                yield _Span(trunk, start, length, attempts, failed, usual, distance)
