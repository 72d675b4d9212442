"""The periods of call records that are fetched: within what the service has, in whole seconds and months, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, cast

from didww._util.datetimes import utc_text
from didww.exceptions import InvalidValueError
from didww.resources.export import MONTHS_BEFORE

__all__ = ["CLOCK_DIFFERENCE", "OVERLAP", "Part", "bound", "earliest", "month_parts", "period_of", "shown_time"]

OVERLAP: Final = timedelta(days=1)
"""How long after the start of a call its record can appear."""
CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""How far an end may be in the future; it then is the present. Clocks differ."""
_SECOND: Final = timedelta(seconds=1)


class Part(NamedTuple):
    """A period within one month; its end is not included."""

    start: datetime
    end: datetime

    @property
    def name(self) -> str:
        """The period in names of files and references."""
        return f"{self.start:%Y%m%dT%H%M%SZ}_{self.end:%Y%m%dT%H%M%SZ}"


def bound(value: object, name: str, *, up: bool = False) -> datetime:
    """Return a bound of a period in UTC and whole seconds, as exports have them.

    Args:
        value: The bound.
        name: Name of the argument in errors.
        up: Whether to round up, so that the last second is whole.

    Raises:
        InvalidValueError: `value` is not a datetime with a time zone.
    """
    utc_text(value, name)
    moment = cast("datetime", value).astimezone(UTC)
    whole = moment.replace(microsecond=0)
    return whole + _SECOND if up and moment > whole else whole


def earliest(now: datetime) -> datetime:
    """Return the start of the calls that the service has."""
    count = now.year * 12 + now.month - 1 - MONTHS_BEFORE
    return datetime(count // 12, count % 12 + 1, 1, tzinfo=UTC)


def period_of(start: datetime, end: datetime | None, now: datetime) -> Part:
    """Return the period, which ends now at the latest.

    Raises:
        InvalidValueError: The service does not have the calls.
    """
    first = earliest(now)
    if start < first:
        raise InvalidValueError(
            "start must be within what the service has, which is this month and the two before it, from "
            f"{shown_time(first)} until now, but it is {shown_time(start)}.",
            field="start",
        )
    if start >= now:
        raise InvalidValueError(
            f"start must be before now, {shown_time(now)}, but it is {shown_time(start)}.", field="start"
        )
    if end is None:
        return Part(start, now)
    if end > now + CLOCK_DIFFERENCE:
        raise InvalidValueError(
            f"end must not be later than now, {shown_time(now)}, but it is {shown_time(end)}. Omit it for all calls "
            "until now.",
            field="end",
        )
    return Part(start, min(end, now))


def month_parts(start: datetime, end: datetime) -> list[Part]:
    """Split a period at the beginnings of months."""
    parts: list[Part] = []
    while start < end:
        year, month = divmod(start.year * 12 + start.month, 12)
        until = min(datetime(year, month + 1, 1, tzinfo=UTC), end)
        parts.append(Part(start, until))
        start = until
    return parts


def shown_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
