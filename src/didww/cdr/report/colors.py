"""The colors of a report: for light pages and print, and for dark pages.

Drawings use a stand-in for each color, which becomes a variable of CSS. So one drawing is right on light pages and
on dark ones.
"""

from __future__ import annotations

from typing import Final

__all__ = ["FAILING", "HEAT", "PAGES", "SERIES", "STAND_INS", "stand_in", "variables"]

_PALETTE: Final[dict[str, tuple[str, str]]] = {
    "page": ("#ffffff", "#12171d"),
    "panel": ("#f5f7f9", "#1b222b"),
    "ink": ("#18212b", "#e8ecf1"),
    "soft": ("#566372", "#a0acb9"),
    "line": ("#dbe1e7", "#323c48"),
    "strong-line": ("#aeb8c3", "#5b6877"),
    "link": ("#1f5fa8", "#7db4f0"),
    "good": ("#2b6cb0", "#63a4e8"),
    "good-wash": ("#cfe0f2", "#23415f"),
    "bad": ("#b8432f", "#f08a72"),
    "rest": ("#9aa5b1", "#6d7986"),
    "series-0": ("#2b6cb0", "#63a4e8"),
    "series-1": ("#c9701f", "#f0a35e"),
    "series-2": ("#2c8565", "#5cc29d"),
    "series-3": ("#a84482", "#e08cc0"),
    "series-4": ("#8a7a14", "#d3c355"),
    "series-5": ("#6a58b8", "#a99bee"),
    "heat-0": ("#f1f4f7", "#1d252f"),
    "heat-1": ("#d9e6f3", "#1f3348"),
    "heat-2": ("#b7d0ea", "#234a70"),
    "heat-3": ("#88b2dd", "#2d6399"),
    "heat-4": ("#578fcb", "#4583c4"),
    "heat-5": ("#2f6cb1", "#75abe6"),
    "heat-6": ("#174a86", "#b4d5f8"),
    "fail-0": ("#f1f4f7", "#1d252f"),
    "fail-1": ("#f7e3dc", "#3a2622"),
    "fail-2": ("#f0c3b5", "#5e352b"),
    "fail-3": ("#e39a84", "#8f4a39"),
    "fail-4": ("#cf6a50", "#cf6f57"),
    "fail-5": ("#9c2f1b", "#ffb29e"),
}
"""Each color on light pages and on dark ones."""

HEAT: Final = tuple(name for name in _PALETTE if name.startswith("heat-"))
"""From few to many."""

FAILING: Final = tuple(name for name in _PALETTE if name.startswith("fail-"))
"""From none to all."""

SERIES: Final = tuple(name for name in _PALETTE if name.startswith("series-"))
"""Colors that people with color blindness can tell from their neighbors."""

PAGES: Final = _PALETTE["page"]
"""The color of the page around a report."""

_NAMES: Final = tuple(_PALETTE)


def stand_in(name: str) -> str:
    """Return what a drawing uses for a color.

    Example:
        >>> stand_in("page"), stand_in("ink")
        ('#0a0b00', '#0a0b02')
    """
    return f"#0a0b{_NAMES.index(name):02x}"


STAND_INS: Final = {stand_in(name): f"var(--{name})" for name in _NAMES}
"""The variable of each stand-in."""


def variables(*, dark: bool) -> str:
    """Return the declarations of the variables in CSS."""
    return " ".join(f"--{name}: {pair[dark]};" for name, pair in _PALETTE.items())
