"""Cost by country and day, as stacked steps."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import SERIES, stand_in
from didww.cdr.report.drawing import Drawing
from didww.cdr.report.numbers import day, money, percent, short
from didww.cdr.report.parts import Column, LegendEntry, Plot, drawn, limited
from didww.cdr.report.scales import time_ticks, value_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["costs"]

_OTHERS: Final = "Other countries"
_UNKNOWN: Final = "Country not given"
_HEIGHT: Final = 230
_ZERO: Final = Decimal(0)


def costs(rows: Sequence[Mapping[str, Any]]) -> Plot | None:
    """Return the plot of the cost by day, with a color for each country.

    Args:
        rows: Rows with `day`, `country` and `cost`.
    """
    by_country: dict[str, dict[date, Decimal]] = {}
    for row in rows:
        if row["cost"]:
            of_days = by_country.setdefault(row["country"] or _UNKNOWN, {})
            of_days[row["day"]] = of_days.get(row["day"], _ZERO) + row["cost"]
    if not by_country:
        return None
    totals = {country: sum(of_days.values(), _ZERO) for country, of_days in by_country.items()}
    ordered = sorted(totals, key=lambda country: (country == _UNKNOWN, -totals[country], country))
    series, names = _series(by_country, ordered)
    days = sorted({row["day"] for row in rows})
    total = sum(totals.values(), _ZERO)
    of_day = {each: sum((one.get(each, _ZERO) for one in by_country.values()), _ZERO) for each in days}
    dearest = max(days, key=lambda each: (of_day[each], each))
    known = [country for country in ordered if country != _UNKNOWN]
    finding = f"{money(total)} in all. {day(dearest)} cost most, {money(of_day[dearest])}."
    if known and len(ordered) > 1:
        finding += f" {known[0]} has the largest share, {percent(totals[known[0]], total)}."
    amounts = (Column(name, money, kind="number") for name in (*names, "Total"))
    columns = (Column("Day", _day, "time"), *amounts)
    table: list[tuple[Any, ...]] = [(each, *(one.get(each, _ZERO) for one in series), of_day[each]) for each in days]
    table.append((None, *(sum(one.values(), _ZERO) for one in series), total))
    colors = [*SERIES[: len(names)]]
    if names[-1] in {_OTHERS, _UNKNOWN} and len(names) > 1:
        colors[-1] = "rest"
    return Plot(
        "costs",
        "Cost by country and day",
        finding,
        drawn(lambda width: _draw(width, days, series, colors), f"Cost by country and day. {finding}"),
        limited(columns, table),
        [LegendEntry(color, name) for color, name in zip(colors, names, strict=True)] if len(names) > 1 else (),
    )


def _day(value: date | None) -> str:
    return "All days" if value is None else day(value)


def _series(
    by_country: Mapping[str, Mapping[date, Decimal]], ordered: Sequence[str]
) -> tuple[list[dict[date, Decimal]], list[str]]:
    """Return the costs of the first countries by day, those of all others as one, and their names."""
    shown = list(ordered if len(ordered) <= len(SERIES) else ordered[: len(SERIES) - 1])
    series = [dict(by_country[country]) for country in shown]
    if len(shown) < len(ordered):
        others: dict[date, Decimal] = {}
        for country in ordered[len(shown) :]:
            for each, cost in by_country[country].items():
                others[each] = others.get(each, _ZERO) + cost
        return [*series, others], [*shown, _OTHERS]
    return series, shown


def _draw(width: int, days: Sequence[date], series: Sequence[Mapping[date, Decimal]], colors: Sequence[str]) -> Drawing:
    from datetime import UTC, datetime

    drawing = Drawing("costs", width, _HEIGHT)
    axes = drawing.axes(left=44, bottom=26, top=8, right=6)
    first, number = days[0], (days[-1] - days[0]).days + 1
    base = [0.0] * number
    for costs_of, color in zip(series, colors, strict=True):
        top = [low + float(costs_of.get(first + timedelta(days=n), 0)) for n, low in enumerate(base)]
        axes.stairs(top, range(number + 1), baseline=base, fill=True, facecolor=stand_in(color), linewidth=0)
        base = top
    levels = value_ticks(max(base), 4)
    axes.set_xlim(0, number)
    axes.set_ylim(0, levels[-1])
    drawing.ticks(axes, "y", levels, [f"${short(level)}" for level in levels], grid=True)
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    ticks = time_ticks(start, start + timedelta(days=number - 1), 4 if drawing.narrow else 9)
    drawing.ticks(axes, "x", [(time - start).days + 0.5 for time, _ in ticks], [label for _, label in ticks])
    return drawing
