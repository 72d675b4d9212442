"""A call from start to end: limits, the trunks in their order, and what the code of each attempt decides.

`place_call` is a generator without I/O and clock. `runner` runs it over sockets, `simulation` at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.emulator.sip.attempt import try_candidate
from didww.emulator.sip.effects import Effect, Progress
from didww.emulator.sip.outcomes import Outcome
from didww.emulator.sip.reroute import after_attempt, code_id_of
from didww.emulator.sip.state import CallOptions, CallState
from didww.enums import DisconnectInitiator

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww.emulator.sip.attempt import Attempt
    from didww.emulator.sip.model import AttemptResult, Candidate, Limit, Route, Step

__all__ = ["CallOptions", "place_call"]

SETTLE = 1.0  # seconds for the last responses, so that ladders are complete when the call is reported
LINGER = 64.0  # seconds at most for retransmissions after the end: twice 64 x T1

_NO_ROUTE = (404, "Not Found")


def place_call(route: Route, options: CallOptions) -> Generator[Effect, Any, list[AttemptResult]]:
    """Place a call over the trunks of a route and return what came of each attempt.

    The call is over with `Progress("ended")`. After that it only responds to late messages, for at most a minute, and
    completes the steps of the results.
    """
    call = CallState(route, options)
    yield Progress("started", 0.0)
    full = options.capacity.acquire(route.limits)
    if full is not None:
        yield from _refuse(call, _full(full), f"{_usage(full)}: the call ended there.")
    elif route.refused is not None or not route.candidates:
        code, reason = route.refused or _NO_ROUTE
        refusal = Outcome(code, reason, DisconnectInitiator.SYSTEM)
        yield from _refuse(call, refusal, "The call was refused before any trunk was tried.")
    else:
        try:
            yield from _try_trunks(call)
        finally:
            options.capacity.release(route.limits)
    ended = call.results[-1].ended
    yield from _absorb(call, until=call.now + SETTLE, settle=True)
    yield Progress("ended", ended, call.results[-1])
    yield from _absorb(call, until=call.now + LINGER)
    return call.results


def _try_trunks(call: CallState) -> Generator[Effect, Any, None]:
    """Try the trunks in order, until one answers or a code ends the call."""
    candidates = call.route.candidates
    for index, candidate in enumerate(candidates):
        following = candidates[index + 1] if index + 1 < len(candidates) else None
        full = call.options.capacity.acquire(candidate.limits)
        if full is not None:
            then = f"trunk {following.trunk} is next" if following else "the call ended there"
            yield from _refuse(call, _full(full), f"{_usage(full)}: {then}.", candidate)
            yield from call.synchronize()
            continue
        try:
            attempt = yield from try_candidate(call, candidate)
        finally:
            call.options.capacity.release(candidate.limits)
        goes_on = yield from _decide(call, attempt, following)
        if not goes_on:
            return


def _decide(call: CallState, attempt: Attempt, following: Candidate | None) -> Generator[Effect, Any, bool]:
    """End an attempt and return whether the next trunk is tried."""
    result = attempt.result
    if result.answered is None and (call.over or call.hung_up):
        goes_on, result.why = False, _why_over(call)
    else:
        goes_on, result.why = after_attempt(result, attempt.candidate, following)
    yield Progress("attempt_ended", result.ended, result)
    return goes_on


def _why_over(call: CallState) -> str:
    """Return why a call that nobody answered was not tried elsewhere."""
    if call.now >= call.options.max_duration and not call.hung_up:
        return "The call reached its longest duration."
    return "The caller hung up before anybody answered."


def _refuse(
    call: CallState, outcome: Outcome, why: str, candidate: Candidate | None = None
) -> Generator[Effect, Any, None]:
    """Add an attempt that sends nothing."""
    result = yield from call.begin(candidate)
    result.code, result.reason, result.initiator = outcome[:3]
    result.disconnect_code_id = code_id_of(outcome.code)
    result.why = why
    yield Progress("attempt_ended", result.ended, result)


def _full(limit: Limit) -> Outcome:
    return Outcome(480, f"Capacity limit of {limit.name} reached", DisconnectInitiator.SYSTEM)


def _usage(limit: Limit) -> str:
    return f"{limit.name} has {limit.most} {'call' if limit.most == 1 else 'calls'} of at most {limit.most}"


def _absorb(call: CallState, *, until: float, settle: bool = False) -> Generator[Effect, Any, None]:
    """Respond to late messages until nothing more is expected, and complete the steps.

    Args:
        call: The call.
        until: Latest time.
        settle: Whether to wait for responses to own requests only, not for repeated messages.
    """
    yield from call.flush()
    while call.now < until and any(not settle or _is_open(leg.steps) for leg in call.legs):
        yield from call.wait(until)
    for attempt in call.attempts:
        attempt.update()


def _is_open(steps: list[Step]) -> bool:
    """Return whether a request that was sent has no final response."""
    asked = {step.cseq for step in steps if step.sent and not step.message[:1].isdigit() and step.message != "ACK"}
    answered = {step.cseq for step in steps if not step.sent and step.message[:1] in {"2", "3", "4", "5", "6"}}
    return not asked <= answered
