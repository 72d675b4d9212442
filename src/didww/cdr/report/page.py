"""The page of a report: one file of HTML without scripts, with everything in it."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww._util.text import printable
from didww.cdr.report.colors import PAGES, variables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cdr.report.parts import Column, LegendEntry, Plot, Table

__all__ = ["Figure", "fragment", "page"]

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
html {{ background: {light} }} body {{ margin: 0 }} @page {{ margin: 16mm 14mm }}
@media screen and (prefers-color-scheme: dark) {{ html {{ background: {dark} }} }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


class Figure(NamedTuple):
    """A key figure.

    Attributes:
        name: What it is.
        value: The number.
        note: More about it.
    """

    name: str
    value: str
    note: str = ""


def page(title: str, covers: Sequence[str], figures: Sequence[Figure], plots: Sequence[Plot]) -> str:
    """Return a whole page.

    Args:
        title: Its title.
        covers: What data it covers, in lines.
        figures: The key figures.
        plots: The plots.
    """
    body = fragment(title, covers, figures, plots, element="main")
    return _PAGE.format(title=_text(title), body=body, light=PAGES[0], dark=PAGES[1])


def fragment(
    title: str, covers: Sequence[str], figures: Sequence[Figure], plots: Sequence[Plot], *, element: str = "div"
) -> str:
    """Return the contents of a page as one element, with its style, for notebooks."""
    parts = [
        f"<style>{_style()}</style>",
        f'<{element} class="didww-report">',
        f"<header><h1>{_text(title)}</h1>",
        *(f'<p class="soft">{_text(line)}</p>' for line in covers),
        "</header>",
        _figures(figures),
        *map(_plot, plots),
        f"</{element}>",
    ]
    return "\n".join(part for part in parts if part)


@cache
def _style() -> str:
    """Return the style with its colors."""
    text = files("didww.cdr.report").joinpath("style.css").read_text("utf-8")
    text = text.replace("$light", variables(dark=False)).replace("$dark", variables(dark=True))
    return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()


def _text(value: object) -> str:
    """Return a text for HTML. Nothing in it can become a part of the page but text on its line."""
    return escape(printable(str(value)), quote=True)


def _figures(figures: Sequence[Figure]) -> str:
    items = "".join(f"<div><dt>{_text(name)}</dt><dd>{_value(value, note)}</dd></div>" for name, value, note in figures)
    return f'<dl class="figures">{items}</dl>' if figures else ""


def _value(value: str, note: str) -> str:
    return f"<b>{_text(value)}</b>" + (f"<span>{_text(note)}</span>" if note else "")


def _plot(plot: Plot) -> str:
    notes = f'<p class="soft">{_text(plot.notes)}</p>' if plot.notes else ""
    return (
        f'<section id="{_text(plot.name)}"><figure><h2>{_text(plot.title)}</h2><p>{_text(plot.finding)}</p>{notes}'
        f"{''.join(plot.drawings)}{_legend(plot.legend)}</figure>{_table(plot.table, plot.title)}</section>"
    )


def _legend(entries: Sequence[LegendEntry]) -> str:
    items = (f'<li><i style="background:var(--{color})"></i>{_text(label)}</li>' for color, label in entries)
    return f"<ul>{''.join(items)}</ul>" if entries else ""


def _table(table: Table, title: str) -> str:
    if not table.rows:
        return ""
    head = "".join(f'<th scope="col"{_class(column)}>{_text(column.heading)}</th>' for column in table.columns)
    rows = "".join(f"<tr>{_cells(table.columns, row)}</tr>" for row in table.rows)
    more = f'<p class="soft">{table.omitted:,} more rows are not shown.</p>' if table.omitted else ""
    label = "1 row" if len(table.rows) == 1 else f"{len(table.rows):,} rows"
    return (
        f"<details{' open' if table.open else ''}><summary>Table: {label}</summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{_text(title)}, table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{more}</details>"
    )


def _cells(columns: Sequence[Column], row: Sequence[Any]) -> str:
    first, *others = (
        f"{_class(column)}>{_text(column.shown(value))}" for column, value in zip(columns, row, strict=True)
    )
    return f'<th scope="row"{first}</th>' + "".join(f"<td{cell}</td>" for cell in others)


def _class(column: Column) -> str:
    return f' class="{column.kind}"'
