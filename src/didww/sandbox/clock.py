"""The clock of the sandbox: real time plus an offset, so that tests need not wait."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

__all__ = ["Clock", "stamp"]


class Clock:
    """Tells the time of the sandbox.

    Args:
        start: The time to begin with; the present if left out.
        running: False for a clock that moves by `advance` alone.

    Example:
        >>> clock = Clock(start=datetime(2026, 3, 1, tzinfo=UTC), running=False)
        >>> clock.advance(90)
        >>> clock.now().isoformat()
        '2026-03-01T00:01:30+00:00'
    """

    def __init__(self, start: datetime | None = None, *, running: bool = True) -> None:
        present = datetime.now(UTC)
        self._offset = timedelta() if start is None else start.astimezone(UTC) - present
        self._stopped_at = None if running else present

    def now(self) -> datetime:
        """The time, in UTC."""
        return (self._stopped_at or datetime.now(UTC)) + self._offset

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass at once; what falls due by then happens at the next request."""
        self._offset += timedelta(seconds=seconds)


def stamp(moment: datetime) -> str:
    """`moment` as the service writes times: ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
