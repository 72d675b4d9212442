"""Hours in which a trunk fails: which of its generated calls, and how they end."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["RESPONSES", "Outage"]

RESPONSES: Final = {
    "403": "Forbidden",
    "404": "Not Found",
    "408": "Request Timeout",
    "480": "Temporarily Unavailable",
    "486": "Busy Here",
    "487": "Request Terminated",
    "488": "Not Acceptable Here",
    "500": "Server Internal Error",
    "502": "Bad Gateway",
    "503": "Service Unavailable",
    "504": "Server Time-out",
    "600": "Busy Everywhere",
    "603": "Decline",
}
"""The text of SIP codes (RFC 3261, section 21)."""

_FIRST: Final = ""
_LAST: Final = "9999"


class Outage(NamedTuple):
    """Hours of the day in which a share of a trunk's attempts fails.

    The hours are UTC, from `first` until before `last`, over midnight if `last` is lower. `start` and `end` limit the
    time in the format of call records; the end is exclusive.
    """

    first: int
    last: int
    share: float
    code: str
    start: str = _FIRST
    end: str = _LAST

    def covers(self, moment: str) -> bool:
        """Return whether an attempt at this time is within the hours and the period."""
        hour = int(moment[11:13])
        inside = self.first <= hour < self.last if self.first < self.last else hour >= self.first or hour < self.last
        return inside and self.start <= moment < self.end

    def fails(self, draw: int) -> bool:
        """Return whether an attempt fails, by 64 random bits."""
        return draw >> 11 < self.share * (1 << 53)

    @property
    def ending(self) -> tuple[str, str]:
        """The SIP code and its text."""
        return self.code, RESPONSES.get(self.code, "")
