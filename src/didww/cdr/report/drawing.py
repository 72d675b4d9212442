"""Drawings of the plots: matplotlib draws them, and they become SVG that fits in a page.

The colors become variables of CSS, and the font is that of the page. Text is set when all is drawn: matplotlib would
read `$` as mathematics, and warn of characters that its own font does not have. Lengths are in pixels.
"""

from __future__ import annotations

import io
import re
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, Literal
from unicodedata import east_asian_width
from xml.etree import ElementTree as ET

from didww._util.extras import need
from didww._util.text import printable
from didww.cdr.report.colors import STAND_INS, stand_in

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["NARROW", "WIDE", "Drawing", "cut", "named", "style", "width_of"]

WIDE: Final = 720
NARROW: Final = 340
"""Widths of a drawing, in pixels: for most screens and print, and for phones."""
_LONGEST: Final = 100
_FONT: Final = 12.0
_LOCK: Final = RLock()
"""matplotlib's settings are those of the process."""

_STYLE: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "font.size": _FONT,
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.spines.bottom": False,
    "axes.xmargin": 0.0,
    "axes.ymargin": 0.0,
    "grid.linewidth": 1.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.major.pad": 6.0,
    "ytick.major.pad": 8.0,
    "path.simplify": False,
}


@contextmanager
def style() -> Generator[None]:
    """Set matplotlib's defaults and ours, whatever the program has set. Drawings are made within this."""
    matplotlib = need("matplotlib")
    with _LOCK, matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


class Drawing:
    """An SVG drawing.

    Args:
        name: Name of the drawing, unique in the page.
        width: Width in pixels.
        height: Height in pixels.
    """

    def __init__(self, name: str, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._name = f"{name}-{width}"
        self._texts: list[str] = []
        from matplotlib.figure import Figure

        self._figure: Any = Figure(figsize=(width / 72, height / 72), dpi=72)

    @property
    def narrow(self) -> bool:
        """Whether it is for a phone."""
        return self.width < WIDE

    def axes(self, *, left: float = 0, right: float = 0, top: float = 0, bottom: float = 0) -> Any:
        """Return new axes.

        Args:
            left: Distance from the left edge of the drawing, in pixels.
            right: From the right edge.
            top: From the upper edge.
            bottom: From the lower edge.
        """
        box = (
            left / self.width,
            bottom / self.height,
            (self.width - left - right) / self.width,
            (self.height - top - bottom) / self.height,
        )
        axes = self._figure.add_axes(box)
        axes.tick_params(colors=stand_in("soft"), grid_color=stand_in("line"))
        axes.patch.set_visible(False)
        return axes

    def paper(self) -> Any:
        """Return axes over the whole drawing, in pixels from the upper left corner, without ticks."""
        axes = self.axes()
        axes.set_axis_off()
        axes.set_xlim(0, self.width)
        axes.set_ylim(self.height, 0)
        return axes

    def text(
        self,
        axes: Any,
        x: float,
        y: float,
        text: str,
        *,
        color: str = "ink",
        align: Literal["left", "center", "right"] = "left",
        vertical: Literal["center", "top", "bottom", "baseline"] = "center",
    ) -> None:
        """Write text at a place of the axes, in the units of its data."""
        axes.text(
            x,
            y,
            self._later(text),
            color=stand_in(color),
            horizontalalignment=align,
            verticalalignment=vertical,
            clip_on=False,
        )

    def ticks(
        self, axes: Any, which: Literal["x", "y"], places: Sequence[float], labels: Sequence[str], *, grid: bool = False
    ) -> None:
        """Set the ticks of an axis, and draw lines at them."""
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_ticks(list(places), [self._later(label) for label in labels])
        if grid:
            axis.grid(visible=True)

    def svg(self, title: str) -> str:
        """Return the drawing as an element of HTML.

        Args:
            title: What it shows, for those who cannot see it.
        """
        written = io.BytesIO()
        need("matplotlib").rcParams["svg.hashsalt"] = self._name
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        self._figure.savefig(written, format="svg", transparent=True, metadata=nothing)
        root = ET.fromstring(written.getvalue())  # noqa: S314 matplotlib has written it
        _clean(root, self._texts)
        root.attrib = {
            "class": "narrow" if self.narrow else "wide",
            "viewBox": f"0 0 {self.width} {self.height}",
            "role": "img",
            "aria-label": printable(title),
        }
        return re.sub(r">\s+<", "><", ET.tostring(root, encoding="unicode").strip())

    def _later(self, text: str) -> str:
        """Return what matplotlib writes in the place of a text."""
        self._texts.append(printable(text))
        return f"@{len(self._texts) - 1}@"


_NAMESPACE: Final = re.compile(r"\{[^}]*\}")
_STAND_IN: Final = re.compile("|".join(STAND_INS))
_LATER: Final = re.compile(r"@(\d+)@")
_KEPT: Final = re.compile(r"(?:fill|text-anchor): [^;]+")
_FRACTION: Final = re.compile(r"(\d+\.\d\d)\d+")


def _clean(root: ET.Element, texts: Sequence[str]) -> None:
    """Make a drawing of matplotlib a part of a page: no namespaces, metadata, fonts or colors of its own."""
    used = set(re.findall(r"#([\w.-]+)", " ".join(value for each in root.iter() for value in each.attrib.values())))
    for element in root.iter():
        element.tag = _NAMESPACE.sub("", element.tag)
        attributes = {_NAMESPACE.sub("", name): value for name, value in element.attrib.items()}
        if attributes.get("id") not in used:
            attributes.pop("id", None)
        if "style" in attributes:
            attributes["style"] = _STAND_IN.sub(lambda match: STAND_INS[match[0]], attributes["style"])
        element.attrib = attributes
        if element.tag == "text":
            _set_text(element, texts)
        for name in ("d", "x", "y", "transform"):
            if name in element.attrib:
                element.attrib[name] = _FRACTION.sub(r"\1", element.attrib[name]).replace("\n", " ").strip()
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {"metadata", "style"} or (child.tag in {"g", "defs"} and not len(child)):
                parent.remove(child)


def _set_text(element: ET.Element, texts: Sequence[str]) -> None:
    """Set the text of a place. Its font is that of the page (style.css)."""
    element.text = _LATER.sub(lambda match: texts[int(match[1])], element.text or "")
    element.attrib["style"] = "; ".join(_KEPT.findall(element.attrib.get("style", "")))
    if element.attrib.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]


def width_of(text: str) -> int:
    """Return the width of a text in characters; those of East Asian scripts count twice.

    Example:
        >>> width_of("Trunk"), width_of("東京")
        (5, 4)
    """
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def named(name: str | None, none: str) -> str:
    """Return a name of the data for a sentence or a table, or the text for none; very long ones are shortened.

    Example:
        >>> named(None, "(no trunk)"), len(named("x" * 5000, "(no trunk)"))
        ('(no trunk)', 100)
    """
    return cut(name, _LONGEST) if name else none


def cut(text: str, most: int) -> str:
    """Return a text of at most `most` characters in width; the middle is left out, since names differ at both ends.

    Example:
        >>> cut("Sales trunk of the London office 2", 20)
        'Sales trun… office 2'
    """
    text = printable(text)
    if width_of(text) <= most:
        return text
    head, tail = text[:most], text[-most:]
    while width_of(head) > most // 2:
        head = head[:-1]
    while width_of(tail) > most - most // 2 - 1:
        tail = tail[1:]
    return f"{head}…{tail}"
