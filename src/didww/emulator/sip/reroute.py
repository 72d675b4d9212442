"""What happens after an attempt: whether the next trunk is tried, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from didww.enums import DisconnectInitiator, ReroutingDisconnectCode

if TYPE_CHECKING:
    from didww.emulator.sip.model import AttemptResult, Candidate

__all__ = ["CODES", "RINGING_TIMEOUT", "after_attempt", "code_id_of"]

RINGING_TIMEOUT: Final = int(ReroutingDisconnectCode.RINGING_TIMEOUT)

CODES: Final = {
    int(member.name.split("_")[1]): member for member in ReroutingDisconnectCode if member.name.startswith("SIP_")
}
"""The rerouting codes by their SIP codes."""


def code_id_of(code: int) -> int | None:
    """Return the ID of the rerouting code for a SIP code; None if there is none."""
    found = CODES.get(code)
    return None if found is None else int(found)


def after_attempt(result: AttemptResult, candidate: Candidate, following: Candidate | None) -> tuple[bool, str]:
    """Return whether the next trunk is tried after an attempt, and why."""
    if result.answered is not None:
        return False, f"Trunk {candidate.trunk} answered."
    if result.initiator is DisconnectInitiator.ORIGINATION:
        return False, "The caller hung up: no other trunk is tried."
    what = _what(result)
    listed = f"among the rerouting codes of trunk {candidate.trunk}"
    if not candidate.rerouting:
        return False, f"Trunk {candidate.trunk} has no rerouting codes: the call ended there with {what}."
    if result.disconnect_code_id not in candidate.rerouting:
        return False, f"{what} is not {listed}: the call ended there."
    if following is None:
        return False, f"{what} is {listed}, but there is no other trunk: the call ended there."
    return True, f"{what} is {listed}: trunk {following.trunk} is next."


def _what(result: AttemptResult) -> str:
    """Return the code as a sentence names it; the reason of an error of the network is a sentence of its own."""
    if result.disconnect_code_id == RINGING_TIMEOUT:
        return "A ringing timeout"
    of_network = result.code == 503 and result.initiator is DisconnectInitiator.SYSTEM
    return "503" if of_network else f"{result.code} {result.reason}".strip()
