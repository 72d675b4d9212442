"""How attempts end: codes, texts and who ended them, and which of several failures counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from didww.emulator.sip.reasons import reason_of
from didww.emulator.sip.reroute import RINGING_TIMEOUT
from didww.enums import DisconnectInitiator

if TYPE_CHECKING:
    from didww.emulator.sip.leg import LegResult

__all__ = [
    "GAVE_UP",
    "LOOP",
    "NOT_ANSWERED",
    "NOT_REGISTERED",
    "TOO_LONG",
    "Outcome",
    "best_outcome",
    "outcome_of",
    "outcome_of_talk",
    "unreachable",
]

_PREFERRED = (401, 407, 415, 420, 484)
_INITIATORS = {"caller": DisconnectInitiator.ORIGINATION, "far end": DisconnectInitiator.DESTINATION}


class Outcome(NamedTuple):
    """How an attempt ended."""

    code: int
    reason: str
    initiator: DisconnectInitiator
    disconnect_code_id: int | None = None


GAVE_UP = Outcome(487, "Request Terminated", DisconnectInitiator.ORIGINATION)
NOT_ANSWERED = Outcome(480, "Ringing timeout", DisconnectInitiator.SYSTEM, RINGING_TIMEOUT)
TOO_LONG = Outcome(487, "Longest duration of a call reached", DisconnectInitiator.SYSTEM)
LOOP = Outcome(482, "Loop Detected", DisconnectInitiator.SYSTEM)
NOT_REGISTERED = Outcome(480, "Not registered", DisconnectInitiator.SYSTEM)


def unreachable(reason: str) -> Outcome:
    """Return the outcome of an attempt whose messages cannot be sent."""
    return Outcome(503, reason, DisconnectInitiator.SYSTEM)


def outcome_of(result: LegResult) -> Outcome:
    """Return the outcome of a leg that was not answered."""
    initiator = _INITIATORS.get(result.ended_by, DisconnectInitiator.SYSTEM)
    return Outcome(result.code, result.reason or reason_of(result.code), initiator)


def best_outcome(failures: list[Outcome]) -> Outcome:
    """Return the failure that stands for all of them (RFC 3261, section 16.7): 6xx, then the lowest class."""
    return min(failures, key=_rank, default=unreachable("No far end"))


def _rank(outcome: Outcome) -> tuple[int, bool]:
    code_class = outcome.code // 100
    return (0 if code_class == 6 else code_class, outcome.code not in _PREFERRED)


def outcome_of_talk(result: LegResult | None) -> Outcome:
    """Return how a call that was answered ended: 200 after a BYE."""
    if result is None or result.ended_by == "caller":
        return Outcome(200, "Bye", DisconnectInitiator.ORIGINATION)
    return outcome_of(result)
