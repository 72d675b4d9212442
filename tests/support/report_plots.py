"""Rows of answers, the plots of a report from them, and names that look like something else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from didww.cdr.report.parts import Plot
from didww.cdr.report.plots.anomalies import anomalies
from didww.cdr.report.plots.channels import channels
from didww.cdr.report.plots.codes import codes
from didww.cdr.report.plots.costs import costs
from didww.cdr.report.plots.failures import failures
from didww.cdr.report.plots.places import new_places, unrouted
from didww.cdr.report.plots.traffic import traffic
from didww.cdr.report.plots.trunks import trunks

START = datetime(2026, 9, 1, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "$\\frac{1}{0}$ $x^2",
    "@0@ @1@",
    "#0a0b00 var(--ink)",
    "a\u202eb\x00\x07\nc",
    "東京オフィス" * 30,
    "&lt;&amp;</svg></style><style>*{}",
    "x" * 5000,
    "🙂",
    " ",
)


def trunk(name: str | None, attempts: int, answered: int) -> dict[str, Any]:
    minutes = Decimal(answered) * 2
    return {"trunk": name, "attempts": attempts, "answered": answered, "minutes": minutes, "cost": minutes / 100}


def cost(day: int, country: str | None, amount: str) -> dict[str, Any]:
    return {"day": date(2026, 9, 1) + timedelta(days=day), "country": country, "cost": Decimal(amount)}


def anomaly(hours: int, name: str | None, measure: str, score: str) -> dict[str, Any]:
    place = {"day": date(2026, 9, 1) + timedelta(days=hours // 24), "hour": hours % 24, "trunk": name}
    return place | {"measure": measure, "value": Decimal(12), "usual": Decimal("1.5"), "score": Decimal(score)}


def peak(hours: int, channels: int, full_seconds: int = 0) -> dict[str, Any]:
    time = START + timedelta(hours=hours)
    full = {"times_full": int(full_seconds > 0), "full_seconds": full_seconds}
    return {"time": time, "peak": channels, "peak_at": time + timedelta(minutes=5), **full}


@cache
def every_plot(names: tuple[str, ...] = ("Main", "Backup")) -> list[Plot]:
    """Return a plot of each kind, in which each name stands wherever a name of the data can."""
    hours = [{"weekday": day, "hour": hour, "calls": day * hour} for day in range(1, 8) for hour in range(24)]
    peaks = [peak(n * 24, n % 24) for n in range(40)]
    by_hour = [{"trunk": name, "hour": 3, "attempts": 40, "answered": 9} for name in names]
    places = [
        {"place": name, "direction": "inbound", "first_call": START, "attempts": 1, "numbers": 1, "cost": 2}
        for name in names
    ]
    numbers = [{"number": name, "calls": 1, "callers": 1, "first_call": START, "last_call": START} for name in names]
    made = [
        traffic(hours),
        trunks([trunk(name, 100 + n, 50) for n, name in enumerate(names)], "inbound"),
        costs([cost(n, name, "1.25") for n, name in enumerate(names)]),
        channels(peaks, "inbound", "day", 20),
        codes([{"disconnect_code": name, "attempts": 9, "answered": 1} for name in names], "outbound"),
        anomalies([anomaly(n, name, "cost", "4.5") for n, name in enumerate(names)], START.date(), date(2026, 9, 9)),
        failures(by_hour, "inbound"),
        new_places(places, START),
        unrouted(numbers),
    ]
    return [plot for plot in made if plot is not None]
