"""A call that was answered: silence is sent until a side hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.emulator.sip.addresses import show_target
from didww.emulator.sip.effects import Effect, Media, Progress
from didww.emulator.sip.outcomes import TOO_LONG, Outcome, outcome_of_talk
from didww.enums import DisconnectInitiator

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww.emulator.sip.attempt import Attempt
    from didww.emulator.sip.state import AnyLeg, CallState

__all__ = ["talk"]


def talk(call: CallState, attempt: Attempt, leg: AnyLeg) -> Generator[Effect, Any, None]:
    """Send silence until a side hangs up."""
    result = attempt.result
    answered = result.answered = call.now if leg.answered_at is None else leg.answered_at
    call.over = True
    target = call.legs.get(leg)
    if target is not None:
        result.target = show_target(target)
    attempt.update()
    yield Progress("answered", answered, result)
    options = call.options
    hang_up_at = options.max_duration
    if options.hang_up_after is not None:
        hang_up_at = min(hang_up_at, answered + options.hang_up_after)
    media = None
    while leg.result is None:
        if leg.remote_media != media:
            media = leg.remote_media
            yield _media_of(leg)
        if call.hung_up or call.now >= hang_up_at:
            leg.hang_up(call.now)
            yield from call.flush()
            break
        yield from call.wait(hang_up_at)
    if media is not None:
        yield Media(leg.sip_call_id, None)
    attempt.end(_end_of_talk(call, leg), call.now if leg.ended_at is None else leg.ended_at)


def _media_of(leg: AnyLeg) -> Media:
    host, port, payload_type = leg.remote_media or ("", 0, None)
    if payload_type is None:
        return Media(leg.sip_call_id, None)
    return Media(leg.sip_call_id, (host, port), payload_type)


def _end_of_talk(call: CallState, leg: AnyLeg) -> Outcome:
    """Return how a call that was answered ended."""
    if not call.hung_up and call.now >= call.options.max_duration:
        return Outcome(200, TOO_LONG.reason, DisconnectInitiator.SYSTEM)
    return outcome_of_talk(leg.result)
