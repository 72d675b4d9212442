"""Session timers of a call (RFC 4028): when it is refreshed, and when it has expired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from didww.emulator.sip.messages import SipRequest, number_in

if TYPE_CHECKING:
    from didww.emulator.sip.messages import SipResponse
    from didww.emulator.sip.model import SessionTimer

__all__ = ["SessionClock"]

_LONGEST = 86_400
_AFTER_GLARE = 2.5  # RFC 3261, section 14.1: 2.1 to 4 seconds for the side that called


class SessionClock:
    """The session timer of an answered call.

    Args:
        interval: Seconds without a refresh after which the session has expired.
        refreshes: Whether the emulator refreshes it.
        timer: What the trunk says about it.
        with_update: Whether the far end takes UPDATE.
        now: When the session was established.
    """

    def __init__(self, interval: int, timer: SessionTimer, now: float, *, refreshes: bool, with_update: bool) -> None:
        self._interval = interval
        self._refreshes = refreshes
        self._timer = timer
        self._with_update = with_update
        self._pending = False
        self._raised = False
        self._restart(now)

    @classmethod
    def of(cls, response: SipResponse | SipRequest, timer: SessionTimer, now: float) -> Self | None:
        """Return the timer that an answer, or a request of the far end, agrees to; None if there is none."""
        value = response.get_header("Session-Expires")
        interval = number_in(value)
        if value is None or interval is None:
            return None
        interval = min(max(interval, timer.minimum, 2), _LONGEST)
        refreshes = ("refresher=uas" in value.lower()) is isinstance(response, SipRequest)
        allowed = " ".join(response.get_header_values("Allow")).upper()
        return cls(interval, timer, now, refreshes=refreshes, with_update="UPDATE" in allowed)

    @property
    def header(self) -> str:
        """Value of Session-Expires in refreshes."""
        return f"{self._interval};refresher=uac"

    @property
    def next_due(self) -> float:
        """When to refresh, or when the session has expired."""
        return min(self._refresh_at, self.expires_at) if self._refreshes and not self._pending else self.expires_at

    def begin_refresh(self) -> Literal["INVITE", "UPDATE"]:
        """Note that a refresh was sent, and return its method."""
        self._pending = True
        return "UPDATE" if self._timer.refresh == 2 or (self._timer.refresh == 3 and self._with_update) else "INVITE"

    def on_response(self, response: SipResponse, now: float) -> None:
        """Take the response to a refresh. A refusal other than 422 and 491 leaves the session to expire."""
        code = response.status_code
        if code < 300:
            value = response.get_header("Session-Expires")
            self._interval = min(max(number_in(value) or self._interval, self._timer.minimum, 2), _LONGEST)
            self._refreshes = "refresher=uas" not in (value or "").lower()
            self._restart(now)
        elif code == 501 and self._timer.accept_501:
            self._restart(now)
        elif code == 422 and not self._raised:
            self._raised = True
            self._interval = min(max(self._interval, number_in(response.get_header("Min-SE")) or 0), _LONGEST)
            self._refresh_at, self._pending = now, False
        elif code == 491:
            self._refresh_at, self._pending = now + _AFTER_GLARE, False

    def on_request(self, request: SipRequest, now: float) -> None:
        """Take a refresh of the far end."""
        value = request.get_header("Session-Expires")
        interval = number_in(value)
        if interval is not None:
            self._interval = min(max(interval, self._timer.minimum, 2), _LONGEST)
            self._refreshes = "refresher=uas" in (value or "").lower()
        self._restart(now)

    def _restart(self, now: float) -> None:
        self._pending = False
        self._refresh_at = now + self._interval / 2
        # The side that does not refresh ends the call a little earlier (RFC 4028, section 10).
        self.expires_at = now + (self._interval if self._refreshes else self._interval - min(32, self._interval / 3))
