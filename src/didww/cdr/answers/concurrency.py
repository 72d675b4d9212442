"""Channels in use at the same time, their peak, and how long they were all in use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from didww._util.extras import need
from didww.cdr.answer import Answer
from didww.cdr.answers.dimensions import check_period, in_direction, named
from didww.cdr.answers.exact import DAY, count_where, moment, ratio, second, seconds, total
from didww.cdr.schema import DIRECTIONS
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

__all__ = ["EVERY", "GROUPS", "concurrency"]

_MOST_CHANNELS: Final = 1_000_000_000
GROUPS: Final = ("trunk", "number", "capacity_group", "trunk_group", "country", "direction", "account")
"""What channels are counted by."""
EVERY: Final = {"hour": 3600, "day": DAY}
"""Seconds of the periods."""
_TIME: Final = "timestamp('UTC', 6)"
_LATEST: Final = 3 * 10**11
"""More than the seconds since 1970 of any time, which go up to the year 9999."""
_HORIZON: Final = 4 * 10**11
"""More than the seconds from any time until then, which go back to the year 1."""


def concurrency(
    calls: Any,
    by: str | Iterable[str] = (),
    *,
    every: str | None = None,
    capacity: int | Mapping[str, int] | None = None,
    direction: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    sort: str | Iterable[str] | None = None,
    limit: int | None = None,
) -> Answer:
    """Return the peak of channels in use of a table of calls. See `Calls.concurrency`."""
    ibis: Any = need("ibis")
    groups = named(by, GROUPS)
    keys = list(groups)
    if every is not None and every not in EVERY:
        raise InvalidValueError(f"every must be 'hour', 'day' or None, not {every!r:.80}.", field="every")
    _check_capacity(capacity, keys)
    calls = in_direction(calls, direction)
    used = _in_use(
        calls.select(**{name: group.of(calls).cast(group.type) for name, group in groups.items()}, **_interval(calls)),
        start,
        end,
    )
    levels = _levels(used, keys, EVERY[every] if every else None, capacity)
    found = levels.aggregate(
        by=[*keys, *(["slot"] if every else [])],
        peak=ibis.coalesce(levels["level"].max(), ibis.literal(0, "int64")),
        # The greatest level, and of equal ones the earliest: one number has both.
        first=(levels["level"] * _HORIZON + (_LATEST - levels["at"])).max(),
        use=total(levels["level"] * levels["length"]),
        times_full=count_where(levels["full"] & ~levels["was_full"]),
        full_seconds=total(levels["full"].ifelse(levels["length"], 0)),
    )
    found = found.mutate(
        peak_at=moment(_LATEST - found["first"] % _HORIZON),
        capacity=_capacity_of(found, keys, capacity),
        channel_minutes=ratio(found["use"], found["use"] * 0 + 60, 2),
        **({"time": moment(found["slot"])} if every else {}),
    )
    schema = {**({"time": _TIME} if every else {}), **{name: group.type for name, group in groups.items()}}
    first = list(schema)
    schema |= {"peak": "int64", "peak_at": _TIME, "channel_minutes": "decimal(18, 2)"}
    if capacity is not None:
        schema |= {"capacity": "int64", "times_full": "int64", "full_seconds": "int64"}
    return Answer(found, schema, sort=first if sort is None else sort, limit=limit)


def _check_capacity(capacity: int | Mapping[str, int] | None, keys: list[str]) -> None:
    sizes: list[Any] = list(capacity.values()) if isinstance(capacity, Mapping) else [capacity]
    for size in sizes:
        if size is not None and (type(size) is not int or not 1 <= size <= _MOST_CHANNELS):
            raise InvalidValueError(
                f"capacity must be a number of channels from 1 to {_MOST_CHANNELS}, not {size!r:.80}.", field="capacity"
            )
    if isinstance(capacity, Mapping) and not all(isinstance(name, str) for name in capacity):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"capacity must have names as keys, not {[*capacity]!r:.80}.", field="capacity")
    if isinstance(capacity, Mapping) and len(keys) != 1:
        example = "direction" if set(capacity) <= set(DIRECTIONS.values()) else "trunk"
        raise InvalidValueError(
            f"capacity for each name needs exactly one name in by, such as by={example!r}.", field="capacity"
        )


def _interval(calls: Any) -> dict[str, Any]:
    """Return the first second of a call, and the second after its last one."""
    ibis: Any = need("ibis")
    begin = seconds(calls["time_start"])
    connected = seconds(ibis.coalesce(calls["time_connect"], calls["time_start"]))
    talked = ibis.coalesce(calls["duration"].cast("int64"), ibis.literal(0, "int64"))
    return {"begin": begin, "finish": ibis.coalesce(seconds(calls["time_end"]), connected + talked)}


def _in_use(intervals: Any, start: datetime | None, end: datetime | None) -> Any:
    """Return the intervals that are not empty, cut to a period."""
    ibis: Any = need("ibis")
    check_period(start, end)
    if start is not None:
        intervals = intervals.mutate(begin=ibis.greatest(intervals["begin"], second(start)))
    if end is not None:
        intervals = intervals.mutate(finish=ibis.least(intervals["finish"], second(end)))
    return intervals.filter(intervals["finish"] > intervals["begin"])


def _levels(used: Any, keys: list[str], step: int | None, capacity: int | Mapping[str, int] | None) -> Any:
    """Return the times at which the number of channels in use changes, or a slot begins; until the last call ends."""
    ibis: Any = need("ibis")
    one = ibis.literal(1, "int64")
    parts = [
        used.select(*keys, at=used["begin"], change=one),
        used.select(*keys, at=used["finish"], change=-one),
    ]
    if step is not None:
        whole = used.aggregate(by=keys, low=used["begin"].min(), high=used["finish"].max())
        slots = whole.mutate(at=ibis.range(whole["low"] // step * step, whole["high"], step).unnest())
        parts.append(slots.select(*keys, at=slots["at"].cast("int64"), change=ibis.literal(0, "int64")))
    points = ibis.union(*parts, distinct=False)
    points = points.filter(points["at"].notnull())
    points = points.group_by([*keys, "at"]).agg(change=total(points["change"]))
    row = ibis.window(group_by=keys, order_by="at")
    so_far = ibis.window(group_by=keys, order_by="at", rows=(None, 0))
    points = points.mutate(
        level=points["change"].sum().over(so_far).cast("int64"),
        length=points["at"].lead().over(row) - points["at"],
        capacity=_capacity_of(points, keys, capacity),
    )
    points = points.filter(points["length"].notnull())
    full = points["level"] >= points["capacity"]
    was_full = points["level"] - points["change"] >= points["capacity"]
    return points.mutate(
        full=ibis.coalesce(full, ibis.literal(value=False)),
        was_full=ibis.coalesce(was_full, ibis.literal(value=False)),
        **({} if step is None else {"slot": points["at"] // step * step}),
    )


def _capacity_of(rows: Any, keys: list[str], capacity: int | Mapping[str, int] | None) -> Any:
    ibis: Any = need("ibis")
    nothing = ibis.null("int64")
    if isinstance(capacity, Mapping):
        (key,) = keys
        sizes = [(rows[key] == name, ibis.literal(size, "int64")) for name, size in capacity.items()]
        return ibis.cases(*sizes, else_=nothing) if sizes else nothing
    return nothing if capacity is None else ibis.literal(capacity, "int64")
