"""The clock of the emulator: real time plus an offset, so that tests need not wait."""

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
    """A clock at rest: enough to go on later, in another process too.

    Attributes:
        now: The time, ISO 8601.
        running: Whether it goes on by itself.
        offset: Seconds that it is ahead of real time, if it runs.
    """

    now: str
    running: bool
    offset: float


class Clock:
    """Tells the time of the emulator.

    Args:
        start: The time to begin with. Defaults to the present.
        running: False for a clock that moves by `advance` alone.

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
        """The time, in UTC."""
        return (self._stopped_at or datetime.now(UTC)) + self._offset

    def advance(self, by: Duration) -> datetime:
        """Let time pass at once, and what falls due meanwhile happen, in its order; the new time.

        Args:
            by: Seconds, a `timedelta`, or words such as `"30 days"`.

        Raises:
            ValueError: It is no length of time.
        """
        step = timedelta(seconds=parse_duration(by))
        with self._being_set():
            try:
                self._check(self.now() + step)
            except OverflowError:
                raise ValueError("The clock ends with the year 9999.") from None
            self._offset += step
        return self.now()

    def freeze(self, at: datetime | str | None = None) -> datetime:
        """Stop the clock, at `at` if it is given (ISO 8601, UTC unless it says so); the time.

        Raises:
            ValueError: `at` is no time.
        """
        given = None if at is None else parse_datetime(at)
        with self._being_set():
            moment = self.now() if given is None else given
            self._check(moment)
            present = datetime.now(UTC)
            self._offset, self._stopped_at = moment - present, present
        return self.now()

    def run(self) -> datetime:
        """Let the clock go on from where it is; the time."""
        with self._being_set():
            if self._stopped_at is not None:
                self._offset += self._stopped_at - datetime.now(UTC)
                self._stopped_at = None
        return self.now()

    def state(self) -> ClockState:
        """The time, and whether the clock goes on."""
        return ClockState(stamp(self.now()), self._stopped_at is None, self._offset.total_seconds())

    # For the engine

    def restore(self, state: ClockState) -> None:
        """Continue as a clock of this state, without notifying anybody."""
        present = datetime.now(UTC)
        if state.running:
            self._offset, self._stopped_at = timedelta(seconds=state.offset), None
        else:
            self._offset, self._stopped_at = parse_datetime(state.now) - present, present

    def watch(self, being_set: Callable[[], AbstractContextManager[None]]) -> None:
        """Have the clock set within the context that a method makes; its object is not kept alive for it."""
        self._watchers.append(weakref.WeakMethod(being_set))

    @staticmethod
    def _check(moment: datetime) -> None:
        if not 1970 < moment.year < 9000:
            raise ValueError(f"{moment:%Y} is no year for the emulator's clock; it goes from 1971 to 8999.")

    @contextmanager
    def _being_set(self) -> Generator[None]:
        with ExitStack() as stack:
            for watcher in self._watchers:
                being_set = watcher()
                if being_set is not None:
                    stack.enter_context(being_set())
            yield


def parse_datetime(value: datetime | str) -> datetime:
    """A moment in UTC; without a time zone it is taken for UTC.

    Raises:
        ValueError: It is no time.
    """
    if isinstance(value, str):
        text = value
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text[:40]!r} is no time; write ISO 8601, as in '2026-03-01T12:00:00Z'.") from None
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise ValueError(f"A time must be a datetime or ISO 8601 text, got {value!r:.80}.")  # noqa: TRY004 as of any wrong value
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is before the year 1 or after 9999 in UTC.") from None


def stamp(moment: datetime) -> str:
    """`moment` as the service writes times: ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def http_date(moment: datetime) -> str:
    """`moment` as HTTP's header `Date` has it."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
