"""Hours of trunks whose cost, failures or short calls are far above the usual."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww._util.extras import need
from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import answered, check_period, in_direction
from didww.cdr.answers.exact import DAY, count_where, half_up, scaled, second, seconds, total
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

__all__ = ["anomalies"]

_UNIT: Final = 1_000_000
"""All values are integers of millionths."""
_WHOLE: Final = "decimal(38, 0)"
_CELL: Final = ("account", "direction", "trunk", "hour")
_SCHEMA: Final = {
    "day": "date",
    "hour": "int64",
    "account": "string",
    "direction": "string",
    "trunk": "string",
    "measure": "string",
    "value": "decimal(18, 6)",
    "usual": "decimal(18, 6)",
    "deviation": "decimal(18, 6)",
    "score": "decimal(18, 1)",
}


class _Measure(NamedTuple):
    """What is compared with the usual.

    Attributes:
        least: Function of the usual value that returns the least deviation, both in its own unit.
        smallest: The smallest excess that counts.
    """

    least: Callable[[Any], Any]
    smallest: Decimal


def _least_of_cost(usual: Any) -> Any:
    ibis: Any = need("ibis")
    return ibis.greatest(usual / 10.0, 0.01)


def _least_of_counts(usual: Any) -> Any:
    ibis: Any = need("ibis")
    return ibis.greatest(usual, 1.0).sqrt()


def anomalies(
    calls: Any,
    *,
    direction: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    threshold: float | Decimal = 4,
    min_days: int = 5,
    min_cost: float | Decimal = 1,
    min_count: int = 5,
    short: int = 6,
    limit: int | None = None,
) -> Answer:
    """Return the hours of trunks that are far above the usual. See `Calls.anomalies`."""
    ibis: Any = need("ibis")
    check_period(start, end)
    limits: dict[str, Any] = {
        "threshold": threshold,
        "min_days": min_days,
        "min_cost": min_cost,
        "min_count": min_count,
    }
    for name, value in {**limits, "short": short}.items():
        number = isinstance(value, int | float | Decimal)
        if not number or not isfinite(value) or not value >= (2 if name == "min_days" else 0):
            raise InvalidValueError(
                f"{name} must be at least {2 if name == 'min_days' else 0}, not {value!r:.80}.", field=name
            )
    measures = {
        "cost": _Measure(_least_of_cost, Decimal(str(min_cost))),
        "failures": _Measure(_least_of_counts, Decimal(min_count)),
        "short_calls": _Measure(_least_of_counts, Decimal(min_count)),
    }
    cells = _cells(in_direction(calls, direction), short)
    found = ibis.union(*(_compared(cells, *each, min_days) for each in measures.items()), distinct=False)
    found = found.filter(found["score"] >= ibis.literal(Decimal(str(threshold)), "decimal(18, 1)"))
    if start is not None:
        found = found.filter(found["begin"] >= second(start))
    if end is not None:
        found = found.filter(found["begin"] < second(end))
    return Answer(found, _SCHEMA, sort=("-score", *list(_SCHEMA)[:6]), limit=limit)


def _cells(calls: Any, short: int) -> Any:
    """Return the sums of each trunk, day and hour, and the number of days of each trunk."""
    ibis: Any = need("ibis")
    rows = calls.select(
        "account",
        "direction",
        "trunk",
        "cost",
        day=calls["time_start"].date(),
        hour=calls["time_start"].hour().cast("int64"),
        date=seconds(calls["time_start"]) // DAY,
        failed=~answered(calls),
        short=answered(calls) & (ibis.coalesce(calls["duration"], 0) < short),
    )
    cells = rows.group_by([*_CELL, "day", "date"]).agg(
        cost=(total(rows["cost"], "decimal(28, 9)") * _UNIT).round().cast(_WHOLE),
        failures=(count_where(rows["failed"]) * _UNIT).cast(_WHOLE),
        short_calls=(count_where(rows["short"]) * _UNIT).cast(_WHOLE),
    )
    # Days with records, numbered: a record of another year would make thousands of empty days of those between.
    by_date = ibis.window(group_by=["account", "direction"], order_by="date")
    cells = cells.mutate(number=cells["date"].dense_rank().over(by_date))
    all_days = ibis.window(group_by=["account", "direction"])
    trunk_days = ibis.window(group_by=["account", "direction", "trunk"])
    return cells.mutate(days=cells["number"].max().over(all_days) - cells["number"].min().over(trunk_days) + 1)


def _compared(cells: Any, name: str, measure: _Measure, min_days: int) -> Any:
    """Return the cells with the mean and the deviation of a measure at the same hour of the other days.

    Days without calls of the trunk count as 0. With n other days, their sum S and their sum of squares Q, the mean is
    S / n, and the deviation the square root of (n * Q - S * S) / (n * (n - 1)). Sums are exact; floating point begins
    with the roots.
    """
    ibis: Any = need("ibis")
    cells = cells.mutate(x=cells[name])
    cells = cells.mutate(square=(cells["x"] * cells["x"]).cast(_WHOLE))
    hour = ibis.window(group_by=list(_CELL))
    cells = cells.mutate(
        n=(cells["days"] - 1).cast(_WHOLE),
        s=(cells["x"].sum().over(hour).cast(_WHOLE) - cells["x"]).cast(_WHOLE),
        q=(cells["square"].sum().over(hour).cast(_WHOLE) - cells["square"]).cast(_WHOLE),
    )
    cells = cells.filter(cells["days"] > min_days)
    # An engine may divide before it leaves rows out.
    n = cells["n"].cast("float64").nullif(0.0)
    spread = ((cells["n"] * cells["q"]).cast(_WHOLE) - (cells["s"] * cells["s"]).cast(_WHOLE)).cast("float64")
    unit = float(_UNIT)
    cells = cells.mutate(
        own=cells["x"].cast("float64") / unit,
        mean=cells["s"].cast("float64") / n / unit,
        root=(spread / (n * (n - 1.0)).nullif(0.0)).sqrt() / unit,
    )
    cells = cells.mutate(least=ibis.greatest(cells["root"], measure.least(cells["mean"])))
    cells = cells.filter(cells["own"] - cells["mean"] >= float(measure.smallest), cells["own"] > cells["mean"])
    return cells.select(
        *_CELL,
        "day",
        begin=cells["date"] * DAY + cells["hour"] * 3600,
        measure=ibis.literal(name),
        value=scaled(cells["x"].cast("int64"), 6),
        usual=half_up(cells["mean"], 6),
        deviation=half_up(cells["root"], 6),
        score=half_up((cells["own"] - cells["mean"]) / cells["least"], 1),
    )
