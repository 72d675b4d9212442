"""The emulator's clock: real time plus an offset, so that tests need not wait."""

from __future__ import annotations

import weakref
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import msgspec

from didww.emulator.controls.durations import Duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

__all__ = ["Clock", "ClockState", "http_date", "parse_datetime", "stamp"]


class ClockState(msgspec.Struct, frozen=True):
    """The serializable state of a clock.

    Attributes:
        now: Current time, ISO 8601.
        running: Whether the clock is running.
        offset: Seconds ahead of real time, if running.
    """

    now: str
    running: bool
    offset: float


class Clock:
    """The emulator's clock.

    Args:
        start: Initial time. Defaults to now.
        running: False for a clock that only `advance` moves.

    Example:
        >>> clock = Clock(start=datetime(2026, 3, 1, tzinfo=UTC), running=False)
        >>> clock.advance("1 day 90 s").isoformat()
        '2026-03-02T00:01:30+00:00'
    """

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        present = datetime.now(UTC)
        self._offset = timedelta() if start is None else start.astimezone(UTC) - present
        self._stopped_at = None if running else present
        self._watchers: list[weakref.WeakMethod[Callable[[], AbstractContextManager[None]]]] = []

    def now(self) -> datetime:
        """Return the current time, in UTC."""
        return (self._stopped_at or datetime.now(UTC)) + self._offset

    def advance(self, by: Duration) -> datetime:
        """Advance the clock and run due events in order; return the new time.

        Args:
            by: Seconds, a `timedelta`, or text such as `"30 days"`.

        Raises:
            ValueError: `by` is not a valid duration.
        """
        step = timedelta(seconds=parse_duration(by))
        with self._being_set():
            try:
                self._check(self.now() + step)
            except OverflowError:
                raise ValueError("The clock cannot advance past the year 9999.") from None
            self._offset += step
        return self.now()

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Freeze the clock, at `at` if given (ISO 8601, UTC by default); return the time.

        Raises:
            ValueError: `at` is not a valid time.
        """
        given = None if at is None else parse_datetime(at)
        with self._being_set():
            moment = self.now() if given is None else given
            self._check(moment)
            present = datetime.now(UTC)
            self._offset, self._stopped_at = moment - present, present
        return self.now()

    def run(self) -> datetime:
        """Resume the clock from its current time; return the time."""
        with self._being_set():
            if self._stopped_at is not None:
                self._offset += self._stopped_at - datetime.now(UTC)
                self._stopped_at = None
        return self.now()

    def state(self) -> ClockState:
        """Return the time and whether the clock is running."""
        return ClockState(stamp(self.now()), self._stopped_at is None, self._offset.total_seconds())

    # For the engine

    def restore(self, state: ClockState) -> None:
        """Restore a state without notifying listeners."""
        present = datetime.now(UTC)
        if state.running:
            self._offset, self._stopped_at = timedelta(seconds=state.offset), None
        else:
            self._offset, self._stopped_at = parse_datetime(state.now) - present, present

    def watch(self, being_set: Callable[[], AbstractContextManager[None]]) -> None:
        """Enter the context from a bound method whenever the clock is set; the method is referenced weakly."""
        self._watchers.append(weakref.WeakMethod(being_set))

    @staticmethod
    def _check(moment: datetime) -> None:
        if not 1970 < moment.year < 9000:
            raise ValueError(f"The clock must be between 1971 and 8999, got the year {moment:%Y}.")

    @contextmanager
    def _being_set(self) -> Generator[None]:
        with ExitStack() as stack:
            for watcher in self._watchers:
                being_set = watcher()
                if being_set is not None:
                    stack.enter_context(being_set())
            yield


def parse_datetime(value: datetime | str) -> datetime:
    """Parse a time and convert it to UTC; times without a zone are UTC.

    Raises:
        ValueError: The time is invalid.
    """
    if isinstance(value, str):
        text = value
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"A time must be ISO 8601 such as '2026-03-01T12:00:00Z', got {text[:40]!r}.") from None
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise ValueError(f"A time must be a datetime or ISO 8601 text, got {value!r:.80}.")  # noqa: TRY004 as of any wrong value
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is before the year 1 or after 9999 in UTC.") from None


def stamp(moment: datetime) -> str:
    """Format a time as the service does: ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(moment: datetime) -> str:
    """Format a time for the HTTP `Date` header."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
