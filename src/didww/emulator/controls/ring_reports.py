"""The calls that an emulator has placed over SIP: each is followed while it is in progress, and its report is kept."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Event, Lock
from typing import TYPE_CHECKING, Final

from didww.emulator.sip.ladder import clip
from didww.emulator.sip.report import RingReport, make_attempt

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from didww.emulator.controls.call_streams import Moment
    from didww.emulator.sip.effects import Progress
    from didww.emulator.sip.model import AttemptResult, Route

__all__ = ["PlacedCall", "PlacedCalls"]

MAX_REPORTS: Final = 500
_MAX_TEXT: Final = 600
_PATIENCE: Final = 1.0
_OVER: Final = frozenset({"attempt_ended", "ended"})


class PlacedCall:
    """A placed call: what its report is made from. Used by the thread of the network and others at once.

    Args:
        id: ID of the report.
        call_id: `Call ID` of its call records.
        route: How it is routed.
        started_at: When it started, by the emulator's clock.
        instant: Whether it runs at once against simulated far ends.

    Attributes:
        ended: Set when it has ended and its records are stored.
        forgotten: Whether the state that it belongs to is gone: it leaves no records.
        announced: Events that were streamed.
        instant: Whether it runs at once against simulated far ends.
    """

    def __init__(self, id: str, call_id: str, route: Route, started_at: datetime, *, instant: bool) -> None:
        self.id = id
        self.call_id = call_id
        self.route = route
        self.started_at = started_at
        self.ended = Event()
        self.forgotten = False
        self.announced: set[Moment] = set()
        self.instant = instant
        self._attempts: dict[int, tuple[AttemptResult, bool]] = {}
        self._why = ""
        self._on_hang_up: Callable[[], object] | None = None
        self._hung_up = False
        self._lock = Lock()

    def follow(self, progress: Progress) -> None:
        """Take in what has happened."""
        attempt = progress.attempt
        if attempt is not None:
            with self._lock:
                self._attempts[attempt.number] = (attempt, progress.event in _OVER)

    def hang_up(self) -> None:
        """Hang up as the caller, if the call is in progress."""
        with self._lock:
            self._hung_up, on_hang_up = True, self._on_hang_up
        if on_hang_up is not None and not self.ended.is_set():
            on_hang_up()

    def started(self, on_hang_up: Callable[[], object]) -> None:
        """Keep the function that hangs up, and call it if that was wanted before."""
        with self._lock:
            self._on_hang_up, hung_up = on_hang_up, self._hung_up
        if hung_up:
            on_hang_up()

    def wait(self) -> None:
        """Wait until the call has ended."""
        while not self.ended.wait(_PATIENCE):  # without a time, Ctrl-C would not interrupt it on Windows
            pass

    def attempts(self) -> list[AttemptResult]:
        """Return the attempts so far."""
        with self._lock:
            return [attempt for attempt, _ in self._attempts.values()]

    def finish(self, why: str = "") -> None:
        """End the call.

        Args:
            why: Why it ended. Defaults to that of the last attempt.
        """
        with self._lock:
            if not self.ended.is_set():
                self._why = why
                self.ended.set()

    def report(self) -> RingReport:
        """Return its report."""
        with self._lock:
            attempts, why, over = list(self._attempts.values()), self._why, self.ended.is_set()
        last = attempts[-1][0] if attempts and over else None
        code, reason = (last.code, last.reason) if last else (self.route.refused or (0, "")) if over else (0, "")
        answered = next((attempt for attempt, _ in attempts if attempt.answered is not None), None)
        return RingReport(
            id=self.id,
            call_id=self.call_id,
            number=_bounded(self.route.number),
            caller=_bounded(self.route.caller),
            caller_name=_bounded(self.route.caller_name),
            group=_bounded(self.route.group),
            started_at=self.started_at,
            state="ended" if over else "in progress",
            answered=answered is not None,
            duration=round(max(0.0, answered.duration), 3) if answered is not None and over else 0.0,
            code=code,
            reason=_bounded(reason),
            instant=self.instant,
            attempts=tuple(make_attempt(attempt, self.started_at, ended=over or ended) for attempt, ended in attempts),
            notes=tuple(map(_bounded, self.route.notes)),
            why=_bounded(why or (last.why if last is not None else "")),
        )


def _bounded(text: str) -> str:
    return clip(text, _MAX_TEXT)


class PlacedCalls:
    """The last calls by the IDs of their reports. Thread-safe."""

    def __init__(self) -> None:
        self._calls: OrderedDict[str, PlacedCall] = OrderedDict()
        self._lock = Lock()
        self._count = 0

    def add(self, call_id: str, route: Route, started_at: datetime, *, instant: bool) -> PlacedCall:
        """Add a call that starts now; the oldest one that has ended is dropped."""
        with self._lock:
            self._count += 1
            call = PlacedCall(str(self._count), call_id, route, started_at, instant=instant)
            self._calls[call.id] = call
            if len(self._calls) > MAX_REPORTS:
                oldest = next((other for other in self._calls.values() if other.ended.is_set()), None)
                if oldest is not None:
                    del self._calls[oldest.id]
            return call

    def get(self, id: str) -> PlacedCall:
        """Return a call.

        Raises:
            LookupError: There is none of this ID.
        """
        with self._lock:
            call = self._calls.get(id)
        if call is None:
            raise LookupError(
                f"There is no report {id[:40]!r}. The last {MAX_REPORTS} are kept; `calls.reports()` has their IDs."
            )
        return call

    def newest(self, limit: int) -> list[PlacedCall]:
        """Return the last calls, the newest first."""
        with self._lock:
            return list(reversed(self._calls.values()))[:limit]

    def clear(self) -> None:
        """Hang up all calls and drop them; they leave no records."""
        with self._lock:
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            call.forgotten = True
            call.hang_up()

    def hang_up_all(self, seconds: float) -> None:
        """Hang up all calls, and wait until they have ended.

        Args:
            seconds: How long to wait at most.
        """
        with self._lock:
            calls = [call for call in self._calls.values() if not call.ended.is_set()]
        for call in calls:
            call.hang_up()
        until = time.monotonic() + seconds
        for call in calls:
            call.ended.wait(max(0.0, until - time.monotonic()))
