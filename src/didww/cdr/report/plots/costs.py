"""Cost by country and day, as stacked steps."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from didww.cdr.report.colors import SERIES, stand_in
from didww.cdr.report.drawing import Drawing
from didww.cdr.report.numbers import day, money, percent, short
from didww.cdr.report.parts import Column, LegendEntry, Plot, drawn, limited
from didww.cdr.report.scales import day_ticks, value_ticks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

__all__ = ["costs"]

_OTHERS: Final = "Other countries"
_UNKNOWN: Final = "Country not given"
_NOTE: Final = "Exports of inbound calls have the country of the caller since API version 2026-11-19."
_MOST_BARS: Final = 31
"""Up to this number of days, each has a bar; more are steps without gaps."""
_WIDEST_BAR: Final = 48
_MOST_STEPS: Final = 400
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
    missing = totals.get(_UNKNOWN, _ZERO)
    if known and missing > totals[known[0]]:
        finding += f" The country of {percent(missing, total)} is not given."
    elif known and len(ordered) > 1:
        finding += f" {known[0]} has the largest share, {percent(totals[known[0]], total)}."
    amounts = (Column(name, money, kind="number") for name in (*names, "Total"))
    columns = (Column("Day", _day, "time"), *amounts)
    table: list[tuple[Any, ...]] = [(each, *(one.get(each, _ZERO) for one in series), of_day[each]) for each in days]
    table.insert(0, (None, *(sum(one.values(), _ZERO) for one in series), total))
    colors = ["rest" if name == _UNKNOWN and len(names) > 1 else SERIES[place] for place, name in enumerate(names)]
    return Plot(
        "costs",
        "Cost by country and day",
        finding,
        drawn(lambda width: _draw(width, days, series, colors), f"Cost by country and day. {finding}"),
        limited(columns, table),
        [LegendEntry(color, name) for color, name in zip(colors, names, strict=True)] if len(names) > 1 else (),
        _notes(step_of((days[-1] - days[0]).days + 1), unknown=_UNKNOWN in names),
    )


def _notes(step: int, *, unknown: bool) -> str:
    parts = [f"Each step has {step} days." if step > 1 else "", _NOTE if unknown else ""]
    return " ".join(filter(None, parts))


def _day(value: date | None) -> str:
    return "All days" if value is None else day(value)


def _series(
    by_country: Mapping[str, Mapping[date, Decimal]], ordered: Sequence[str]
) -> tuple[list[Mapping[date, Decimal]], list[str]]:
    """Return the costs by day of the first countries, of all others, and of those not given; and their names."""
    known = [country for country in ordered if country != _UNKNOWN]
    names = known if len(known) <= len(SERIES) else [*known[: len(SERIES) - 1], _OTHERS]
    series = dict(by_country)
    if _OTHERS in names:
        others: dict[date, Decimal] = {}
        for country in known[len(SERIES) - 1 :]:
            for each, cost in by_country[country].items():
                others[each] = others.get(each, _ZERO) + cost
        series[_OTHERS] = others
    names += [_UNKNOWN] * (_UNKNOWN in by_country)
    return [series[name] for name in names], names


def _dollars(levels: Sequence[float]) -> list[str]:
    """Return the labels of the ticks of a scale, with as many digits as they have; cents if one has them."""
    if all(level == int(level) for level in levels):
        return [f"${short(level)}" for level in levels]
    places = next(
        (places for places in range(2, 9) if all(abs(round(level, places) - level) < 1e-9 for level in levels)), 9
    )
    return [money(level, places) for level in levels]


def step_of(days: int) -> int:
    """Return the number of days of a step of the drawing, so that it has not too many."""
    return -(-days // _MOST_STEPS)


def _draw(width: int, days: Sequence[date], series: Sequence[Mapping[date, Decimal]], colors: Sequence[str]) -> Drawing:
    drawing = Drawing("costs", width, _HEIGHT)
    axes = drawing.axes(left=44, bottom=26, top=8, right=6)
    first, number = days[0], (days[-1] - days[0]).days + 1
    each = step_of(number)
    edges = [*range(0, number, each), number]
    base = [Decimal(0)] * (len(edges) - 1)
    for costs_of, color in zip(series, colors, strict=True):
        top = [*base]
        for one, cost in costs_of.items():
            top[(one - first).days // each] += cost
        low, high = [float(value) for value in base], [float(value) for value in top]
        if number <= _MOST_BARS:
            middles = [place + 0.5 for place in range(number)]
            heights = [upper - lower for lower, upper in zip(low, high, strict=True)]
            wide = min(0.8, _WIDEST_BAR * number / width)
            axes.bar(middles, heights, wide, low, color=stand_in(color), linewidth=0)
        else:
            axes.stairs(high, edges, baseline=low, fill=True, facecolor=stand_in(color), linewidth=0)
        base = top
    levels = value_ticks(float(max(base)), 4)
    axes.set_xlim(0, number)
    axes.set_ylim(0, levels[-1])
    drawing.ticks(axes, "y", levels, _dollars(levels), grid=True)
    ticks = day_ticks(first, days[-1], 4 if drawing.narrow else 9)
    drawing.ticks(axes, "x", [place + 0.5 for place, _ in ticks], [label for _, label in ticks])
    return drawing
