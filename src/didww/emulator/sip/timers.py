"""The timers of SIP transactions (RFC 3261, section 17 and table 4; RFC 6026), in seconds."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["T1", "T2", "T4", "TIMERS", "Timer", "seconds"]

T1: Final = 0.5
T2: Final = 4.0
T4: Final = 5.0


class Timer(NamedTuple):
    """A timer.

    Attributes:
        unreliable: Its first value over UDP.
        reliable: Its first value over TCP and TLS; None if it is not used there.
        most: The value that doubling stops at; 0 if it is not repeated.
        doc: What it is for.
    """

    unreliable: float
    reliable: float | None
    most: float
    doc: str


TIMERS: Final = {
    "A": Timer(T1, None, 64 * T1, "repeats an INVITE"),
    "B": Timer(64 * T1, 64 * T1, 0, "ends an INVITE without a response"),
    "D": Timer(64 * T1, 0, 0, "absorbs repeated refusals of an INVITE"),
    "E": Timer(T1, None, T2, "repeats another request"),
    "F": Timer(64 * T1, 64 * T1, 0, "ends another request without a response"),
    "G": Timer(T1, None, T2, "repeats the refusal of an INVITE"),
    "H": Timer(64 * T1, 64 * T1, 0, "waits for the ACK"),
    "I": Timer(T4, 0, 0, "absorbs repeated ACKs"),
    "J": Timer(64 * T1, 0, 0, "absorbs repetitions of another request"),
    "K": Timer(T4, 0, 0, "absorbs repeated responses to another request"),
    "M": Timer(64 * T1, 64 * T1, 0, "absorbs repeated answers to an INVITE"),
    "2": Timer(T1, T1, T2, "repeats the answer to an INVITE, which has no letter (section 13.3.1.4)"),
}
"""The timers by letter. C is for proxies; M is of RFC 6026."""


def seconds(name: str, *, reliable: bool) -> float | None:
    """Return the first value of a timer on a kind of transport; None if it is not used there."""
    timer = TIMERS[name]
    return timer.reliable if reliable else timer.unreliable
