"""The period of an export: from the options, within what the service has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from didww.cli import periods
from didww.cli.periods import Period, add_months
from didww.resources.export import KEPT, MONTHS_BEFORE

if TYPE_CHECKING:
    from didww.cli.periods import DateTime
    from didww.resources.export import Export

__all__ = ["Wanted", "age", "covers", "month", "month_of", "period_of"]

RECENT: Final = timedelta(minutes=15)
"""Age up to which an export of a period that ends now is good enough."""


_MONTHS: Final = {"this": 0, "last": -1}


def month(value: Any) -> Period | int:
    """Return the period of a text such as `2026-11`; for `this` and `last`, the distance from the current month."""
    text = str(value).strip().lower()
    return _MONTHS[text] if text in _MONTHS else periods.month(value)


def month_of(now: datetime, distance: int) -> Period:
    """Return the period of a month by its distance from the current one.

    Args:
        now: The time of the service.
        distance: Months; negative before.
    """
    return Period(add_months(now, distance), add_months(now, distance + 1))


class Wanted(NamedTuple):
    """The period that the options name.

    Attributes:
        option: The option that names the beginning.
        start: The beginning, or its distance from now.
        end: The end, not included; None for now.
        text: The options, the same for the same period.
        may_end_early: Whether a future end is now.
    """

    option: str
    start: datetime | timedelta
    end: datetime | None
    text: str
    may_end_early: bool

    @classmethod
    def of(
        cls, first: DateTime | None, last: DateTime | None, month: Period | None, duration: timedelta | None
    ) -> Wanted:
        """Return the period of the options.

        Raises:
            UsageError: Not exactly one option names the beginning, or the end is before it.
        """
        if [first, month, duration].count(None) != 2:
            raise click.UsageError("Pass one of --from DATE, --month YYYY-MM and --last DURATION.")
        if first is None and last is not None:
            raise click.UsageError("--to goes with --from only.")
        if month is not None:
            return cls("--month", *month, f"{month.start:%Y-%m}", may_end_early=True)
        if duration is not None:
            return cls("--last", duration, None, f"last-{_words(duration)}", may_end_early=True)
        assert first is not None  # noqa: S101 counted above
        if last is not None and last.end <= first.time:
            raise click.UsageError("--to must be after --from; a day is included as a whole.")
        text = f"{_short(first)}..{'now' if last is None else _short(last)}"
        return cls("--from", first.time, None if last is None else last.end, text, last is None or last.whole_day)

    def period(self, now: datetime) -> Period:
        """Return the period, which ends now at the latest.

        Args:
            now: The time of the service.

        Raises:
            UsageError: The service does not have the calls.
        """
        start = now - self.start if isinstance(self.start, timedelta) else self.start
        earliest = add_months(now, -MONTHS_BEFORE)
        has = f"The service has the calls from {earliest:%Y-%m-%d} (two months before this one) until now"
        if start < earliest:
            raise click.UsageError(f"{self.option}: {has}, but {start:%Y-%m-%d %H:%M} UTC is before that.")
        if start >= now:
            raise click.UsageError(f"{self.option}: {has}, {now:%Y-%m-%d %H:%M} UTC, but {start:%Y-%m-%d} is later.")
        end = now if self.end is None else self.end
        today_ends = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        if self.option == "--from" and end > (today_ends if self.may_end_early else now):
            raise click.UsageError(f"--to: {has}, {now:%Y-%m-%d %H:%M} UTC. Omit --to for all calls until now.")
        return Period(start, min(end, now))


def _words(duration: timedelta) -> str:
    """Return a duration as people write it, such as `7d`."""
    seconds = int(duration.total_seconds())
    size, unit = next(pair for pair in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if seconds % pair[0] == 0)
    return f"{seconds // size}{unit}"


def _short(at: DateTime) -> str:
    return f"{at.time:%Y-%m-%d}" if at.whole_day else f"{at.time:%Y-%m-%dT%H:%M:%S}"


def period_of(export: Export) -> Period:
    """Return the period of an export."""
    filters: Any = export.filters
    if "from" not in filters:  # made under an earlier version of the API
        year, month, day = (int(filters.get(name) or 0) for name in ("year", "month", "day"))
        start = datetime(year or 1, month or 1, day or 1, tzinfo=UTC)
        length = 12 if not month else 1
        return Period(start, start + timedelta(days=1) if day else add_months(start, length))
    start, end = (datetime.fromisoformat(filters[name]).replace(tzinfo=UTC) for name in ("from", "to"))
    return Period(start, end)


def age(export: Export, now: datetime) -> str:
    """Return how old an export is, as part of a sentence; empty if it is not known."""
    if export.created_at is None:
        return ""
    seconds = max(0, int((now - export.created_at).total_seconds()))
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), _UNITS[-1])
    return f", created {seconds // size} {unit} ago"


_UNITS: Final = ((86400, "days"), (3600, "hours"), (60, "minutes"), (1, "seconds"))


def covers(export: Export, export_type: str, filters: dict[str, Any], period: Period, now: datetime) -> bool:
    """Return whether an export has the calls of a period: all of them, or all but the latest few minutes."""
    own: Any = export.filters
    if export.export_type != export_type or {**own, "from": "", "to": ""} != {**filters, "from": "", "to": ""}:
        return False
    age = timedelta(0) if export.created_at is None else now - export.created_at
    distance = max(abs(one - other) for one, other in zip(period_of(export), period, strict=True))
    return age < KEPT if not distance else max(age, distance) < RECENT
