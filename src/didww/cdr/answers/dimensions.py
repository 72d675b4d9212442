"""What calls are grouped by, and the periods and directions they are selected by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from didww._util.extras import need
from didww._util.suggest import did_you_mean
from didww.cdr.schema import DIRECTIONS
from didww.exceptions import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["DIMENSIONS", "Dimension", "answered", "between", "check_period", "in_direction", "literal", "named"]


class Dimension(NamedTuple):
    """What calls are grouped by.

    Attributes:
        type: Name of the Ibis type of its values.
        of: Function of a table of calls that returns its values.
        doc: What it is.
    """

    type: str
    of: Callable[[Any], Any]
    doc: str


def _by_direction(inbound: Callable[[Any], Any], outbound: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda calls: (calls["direction"] == "inbound").ifelse(inbound(calls), outbound(calls))


def _column(name: str) -> Callable[[Any], Any]:
    return lambda calls: calls[name]


def _presented(calls: Any) -> Any:
    ibis: Any = need("ibis")
    return ibis.coalesce(calls["cli"], calls["source"])


def _hour(calls: Any) -> Any:
    return calls["time_start"].hour()


def _weekday(calls: Any) -> Any:
    return calls["time_start"].day_of_week.index() + 1


def _day(calls: Any) -> Any:
    return calls["time_start"].date()


DIMENSIONS: Final[Mapping[str, Dimension]] = {
    "hour": Dimension("int64", _hour, "Hour of the day, 0 to 23, in UTC."),
    "weekday": Dimension("int64", _weekday, "Day of the week, from 1 for Monday."),
    "day": Dimension("date", _day, "Day, in UTC."),
    "month": Dimension("string", _column("month"), "Month, such as `2026-11`."),
    "number": Dimension(
        "string",
        _by_direction(_column("did_number"), _presented),
        "Your number: the DID called; of outbound calls, the CLI, or else the source.",
    ),
    "country": Dimension(
        "string",
        _by_direction(_column("source_country"), _column("destination_country")),
        "Country of the other party. Exports of inbound calls have it since API version 2026-11-19.",
    ),
    "trunk": Dimension("string", _column("trunk"), "Name of the trunk."),
    "trunk_group": Dimension("string", _column("trunk_group"), "Name of the trunk group of inbound calls."),
    "capacity_group": Dimension("string", _column("capacity_group"), "Name of the shared capacity group."),
    "disconnect_code": Dimension("string", _column("disconnect_code"), "SIP code that ended the call."),
    "direction": Dimension("string", _column("direction"), "`inbound` or `outbound`."),
    "account": Dimension("string", _column("account"), "Account that the dataset was given for the records."),
}
"""The dimensions by name."""


def named(
    by: str | Iterable[str], known: Iterable[str] = tuple(DIMENSIONS), *, field: str = "by", doing: str = "grouped"
) -> dict[str, Dimension]:
    """Return the dimensions of some names, in their order.

    Args:
        by: A name, names separated by commas, or several names.
        known: The names that are allowed.
        field: The parameter, for errors.
        doing: What is done by the names, for errors.

    Raises:
        InvalidValueError: A name is not known, or occurs twice.
    """
    if not isinstance(by, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(f"{field} must be a name or several, not {by!r:.80}.", field=field)
    names: Sequence[str] = [part.strip() for part in by.split(",") if part.strip()] if isinstance(by, str) else [*by]
    allowed = list(known)
    for place, name in enumerate(names):
        if name not in allowed:
            raise InvalidValueError(
                f"Calls cannot be {doing} by {name!r:.80}.{did_you_mean(name, allowed)} Use: {', '.join(allowed)}.",
                field=field,
            )
        if name in names[:place]:
            raise InvalidValueError(f"{name!r} occurs twice in {field}.", field=field)
    return {name: DIMENSIONS[name] for name in names}


def answered(calls: Any) -> Any:
    """Return whether each record was answered: whether it has a time of connection."""
    return calls["time_connect"].notnull()


def in_direction(calls: Any, direction: str | None) -> Any:
    """Return the calls of a direction; all if it is None.

    Raises:
        InvalidValueError: There is no such direction.
    """
    if direction is None:
        return calls
    if direction not in DIRECTIONS.values():
        raise InvalidValueError(
            f"direction must be 'inbound', 'outbound' or None, not {direction!r:.80}.", field="direction"
        )
    return calls.filter(calls["direction"] == direction)


def between(calls: Any, start: datetime | None, end: datetime | None) -> Any:
    """Return the calls that start in a period, whose end is exclusive.

    Raises:
        InvalidValueError: A time has no time zone, or the end is not after the start.
    """
    check_period(start, end)
    if start is not None:
        calls = calls.filter(calls["time_start"] >= literal(start))
    return calls if end is None else calls.filter(calls["time_start"] < literal(end))


def check_period(start: Any, end: Any) -> None:
    """Check the limits of a period.

    Raises:
        InvalidValueError: A time has no time zone, or the end is not after the start.
    """
    for name, time in (("start", start), ("end", end)):
        if time is not None and (not isinstance(time, datetime) or time.utcoffset() is None):
            raise InvalidValueError(
                f"{name} must be a datetime with a time zone, such as datetime(2026, 11, 1, tzinfo=UTC), "
                f"not {time!r:.80}.",
                field=name,
            )
        if time is not None:
            try:
                time.astimezone(UTC)
            except OverflowError:
                raise InvalidValueError(
                    f"{name} must be in the years 1 to 9999 in UTC, not {time}.", field=name
                ) from None
    if start is not None and end is not None and end <= start:
        raise InvalidValueError(f"end must be after start, but {end} is not after {start}.", field="end")


def literal(time: datetime) -> Any:
    """Return a time as an expression."""
    ibis: Any = need("ibis")
    return ibis.timestamp(time.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00"))
