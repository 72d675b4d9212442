"""An attempt to reach a trunk: the far ends that ring, redirects, the answer, and the end. It becomes one call record.

A candidate may need several: each SRV target is an attempt of its own. Registered contacts ring together in one
attempt, and the first answer wins.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from didww.emulator.sip.addresses import show_target
from didww.emulator.sip.effects import Contacts, Effect, Failure, Local, Phone, Progress
from didww.emulator.sip.leg import Leg
from didww.emulator.sip.outcomes import (
    GAVE_UP,
    LOOP,
    NOT_ANSWERED,
    NOT_REGISTERED,
    TOO_LONG,
    Outcome,
    best_outcome,
    outcome_of,
    unreachable,
)
from didww.emulator.sip.phone import PhoneLeg
from didww.emulator.sip.reroute import code_id_of
from didww.emulator.sip.talk import talk
from didww.emulator.sip.uris import destination_of, in_order_of_preference, with_host, with_user, without_parameters
from didww.enums import DisconnectInitiator

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from didww.emulator.sip.effects import Contact
    from didww.emulator.sip.model import AttemptResult, Candidate, Invite, Step, Target
    from didww.emulator.sip.state import AnyLeg, CallState

__all__ = ["MAX_TARGETS", "Attempt", "try_candidate"]

MAX_TARGETS = 10  # of a trunk, and of a redirect


class Hop(NamedTuple):
    """A far end to call: its URI, and where it is; None if that has to be looked up."""

    uri: str
    target: Target | None


class Branch:
    """One of the far ends that ring together: the leg to it, and where to go if that fails.

    Attributes:
        hops: Where to go next.
        hop: Where it goes now.
        task: The number of the look-up or connection that it waits for, if it does.
        leg: The leg, once there is a connection.
    """

    def __init__(self, hops: Iterable[Hop]) -> None:
        self.hops = deque(hops)
        self.hop = Hop("", None)
        self.task: int | None = None
        self.leg: AnyLeg | None = None

    @property
    def failed(self) -> bool:
        """Whether nothing more can come of it."""
        return self.leg is None and self.task is None and not self.hops


class Attempt:
    """An attempt in progress.

    Attributes:
        candidate: The trunk.
        result: What is known of it.
        branches: Its far ends.
        failures: How those that have failed did so.
        legs: Its legs.
    """

    def __init__(self, candidate: Candidate, result: AttemptResult) -> None:
        self.candidate = candidate
        self.result = result
        self.branches: list[Branch] = []
        self.failures: list[Outcome] = []
        self.legs: list[AnyLeg] = []
        self.redirects = 0
        self.called: set[str] = set()
        self.timer_b: float | None = None

    @property
    def deadline(self) -> float:
        """When it ends if nobody has answered."""
        return self.result.started + self.candidate.ringing_timeout

    def end(self, outcome: Outcome, at: float) -> None:
        """Note how it ended."""
        self.result.code, self.result.reason, self.result.initiator, code_id = outcome
        self.result.disconnect_code_id = code_id_of(outcome.code) if code_id is None else code_id
        self.result.ended = max(at, self.result.answered or self.result.started)
        self.update()

    def update(self) -> None:
        """Take over what the legs know by now, such as their messages."""
        result = self.result
        steps: list[Step] = sorted((step for leg in self.legs for step in leg.steps), key=lambda step: step.at)
        result.steps = steps
        shown = max(self.legs, key=_importance, default=None)
        if shown is not None:
            result.sip_call_id = shown.sip_call_id
            result.user_agent = shown.user_agent or ""
            result.early_media = any(leg.early_media for leg in self.legs)
        result.redirected = self.redirects > 0

    def note_winner(self, leg: AnyLeg) -> None:
        """Take over which of the registered contacts has answered."""
        branch = next((branch for branch in self.branches if branch.leg is leg), None)
        if branch is not None and self.candidate.kind == "registration":
            self.result.destination = without_parameters(branch.hop.uri)

    def cancel(self, now: float, *, but: AnyLeg | None = None) -> None:
        """Stop everything that rings, except one leg."""
        for branch in self.branches:
            branch.hops.clear()
            branch.task = None
            if branch.leg is not None and branch.leg is not but and branch.leg.result is None:
                branch.leg.cancel(now)


def try_candidate(call: CallState, candidate: Candidate) -> Generator[Effect, Any, Attempt]:
    """Call a trunk: all its targets in order, until one responds. Return the last attempt, which has no `why` yet."""
    attempt = yield from _begin(call, candidate)
    if candidate.kind == "pstn":
        yield from _dial(call, attempt)
        return attempt
    hops = yield from _find(call, attempt)
    if candidate.kind == "registration" or not hops:
        attempt.branches = [Branch([hop]) for hop in hops]
        yield from _ring(call, attempt)
        return attempt
    for index, hop in enumerate(hops):
        if index:
            attempt = yield from _begin(call, candidate)
        is_last = index == len(hops) - 1
        attempt.branches = [Branch([hop])]
        attempt.timer_b = None if is_last else candidate.failover
        yield from _ring(call, attempt)
        if is_last or call.over or not _is_unavailable(attempt.result):
            break
        attempt.result.why = (
            f"{attempt.result.target} {_UNAVAILABLE[attempt.result.code]}: "
            f"the next address of trunk {candidate.trunk} is tried."
        )
        yield Progress("attempt_ended", attempt.result.ended, attempt.result)
    return attempt


def _begin(call: CallState, candidate: Candidate) -> Generator[Effect, Any, Attempt]:
    attempt = Attempt(candidate, (yield from call.begin(candidate)))
    call.attempts.append(attempt)
    return attempt


_UNAVAILABLE = {408: "did not respond", 503: "is unavailable"}


def _is_unavailable(result: AttemptResult) -> bool:
    """Return whether the next address of a name is tried (RFC 3263, section 4.3)."""
    return result.answered is None and (
        result.code == 503 or (result.code == 408 and result.initiator is DisconnectInitiator.SYSTEM)
    )


def _dial(call: CallState, attempt: Attempt) -> Generator[Effect, Any, None]:
    """Call a phone number, whose far end is a script."""
    leg = PhoneLeg((yield Phone(attempt.candidate.trunk)))
    branch = Branch([])
    branch.leg = leg
    attempt.branches, attempt.legs = [branch], [leg]
    call.legs[leg] = None
    leg.start(call.now)
    yield from _ring(call, attempt)


def _find(call: CallState, attempt: Attempt) -> Generator[Effect, Any, list[Hop]]:
    """Look up where a trunk's far ends are; if there are none, the attempt has the reason."""
    candidate, invite = attempt.candidate, _invite_of(attempt.candidate)
    if candidate.kind == "registration":
        contacts: list[Contact] = yield Contacts(candidate.trunk_id)
        yield from call.synchronize()
        if not contacts:
            attempt.failures.append(NOT_REGISTERED)
        user = call.route.number if candidate.did_as_user else None
        return [
            Hop(contact.uri if user is None else with_user(contact.uri, user), contact.target)
            for contact in contacts[:MAX_TARGETS]
        ]
    if candidate.destination is None:
        raise ValueError(f"The candidate {candidate.trunk!r} has no destination.")
    task = yield from call.look_up(candidate.destination)
    while task not in call.done and _reason_to_stop(call, attempt) is None:
        yield from call.wait(_patience(call, attempt))
    found = call.done.pop(task, [])
    if isinstance(found, Failure):
        attempt.failures.append(unreachable(found.reason))
    if not isinstance(found, list):
        return []
    return [
        Hop(with_host(invite.uri, target.host) if candidate.resolve_uri else invite.uri, target)
        for target in found[:MAX_TARGETS]
    ]


def _invite_of(candidate: Candidate) -> Invite:
    if candidate.invite is None:
        raise ValueError(f"The candidate {candidate.trunk!r} has no INVITE.")
    return candidate.invite


def _ring(call: CallState, attempt: Attempt) -> Generator[Effect, Any, None]:
    """Call the far ends until one answers or none will, then talk. The result has what came of it."""
    while True:
        _take_results(attempt)
        yield from _show_ringing(attempt)
        winner = next((leg for leg in attempt.legs if leg.answered_at is not None), None)
        if winner is not None:
            attempt.cancel(call.now, but=winner)
            yield from call.flush()
            attempt.note_winner(winner)
            yield from talk(call, attempt, winner)
            return
        outcome = _reason_to_stop(call, attempt)
        if outcome is None and all(branch.failed for branch in attempt.branches):
            outcome = best_outcome(attempt.failures)
        if outcome is not None:
            attempt.cancel(call.now)
            yield from call.flush()
            attempt.end(outcome, call.now)
            return
        branch = next((branch for branch in attempt.branches if _can_go_on(call, branch)), None)
        if branch is not None:
            yield from _go_on(call, attempt, branch)
        else:
            yield from call.wait(_patience(call, attempt))


def _reason_to_stop(call: CallState, attempt: Attempt) -> Outcome | None:
    """Return how an attempt ends if nothing has to be waited for any longer."""
    if call.hung_up or (call.options.give_up_after is not None and call.now >= call.options.give_up_after):
        call.over = True
        return GAVE_UP
    if call.now >= call.options.max_duration:
        call.over = True
        return TOO_LONG
    if call.now >= attempt.deadline:
        return NOT_ANSWERED if attempt.legs else _not_connected(attempt)
    return next((failure for failure in attempt.failures if failure.code >= 600), None)


def _not_connected(attempt: Attempt) -> Outcome:
    where = attempt.result.target or attempt.result.destination
    return unreachable(f"{where} cannot be reached: no connection within {attempt.candidate.ringing_timeout:g} s")


def _patience(call: CallState, attempt: Attempt) -> float:
    """Return when an attempt ends if nobody has answered."""
    given_up = call.options.give_up_after
    times = (attempt.deadline, call.options.max_duration)
    return min(times) if given_up is None else min(*times, given_up)


def _can_go_on(call: CallState, branch: Branch) -> bool:
    """Return whether a branch has a next step: the result of what it waits for, or the next far end."""
    if branch.task is not None:
        return branch.task in call.done
    return branch.leg is None and bool(branch.hops)


def _go_on(call: CallState, attempt: Attempt, branch: Branch) -> Generator[Effect, Any, None]:
    """Take the next step of a branch."""
    if branch.task is None:
        branch.hop = branch.hops.popleft()
        yield from _begin_to_call(call, attempt, branch)
        return
    found = call.done.pop(branch.task)
    branch.task = None
    if isinstance(found, Failure):
        attempt.failures.append(unreachable(found.reason))
    elif isinstance(found, Local):
        yield from _invite(call, attempt, branch, found)
    else:
        branch.hops.extendleft(Hop(branch.hop.uri, target) for target in reversed(found[:MAX_TARGETS]))


def _begin_to_call(call: CallState, attempt: Attempt, branch: Branch) -> Generator[Effect, Any, None]:
    """Begin to connect to a far end, or to look it up."""
    uri, target = branch.hop
    if target is not None:
        if not attempt.result.target:
            attempt.result.target = show_target(target)
        branch.task = yield from call.open(target)
        return
    trunk = attempt.candidate.destination
    destination = destination_of(uri, trunk.transport, trunk.prefer) if trunk else destination_of(uri)
    if destination is None:
        attempt.failures.append(unreachable(f"Redirected to {uri!r:.100}, which cannot be called"))
    else:
        branch.task = yield from call.look_up(destination)


def _invite(call: CallState, attempt: Attempt, branch: Branch, local: Local) -> Generator[Effect, Any, None]:
    """Send an INVITE to a far end that is connected."""
    uri, target = branch.hop
    if target is None:
        raise ValueError(f"{uri} was connected to without an address.")
    attempt.called.add(uri)
    if attempt.candidate.kind == "registration" and not attempt.legs:
        attempt.result.destination = without_parameters(uri)
    invite = replace(_invite_of(attempt.candidate), uri=uri)
    if attempt.timer_b is not None:
        invite = replace(invite, timer_b=min(attempt.timer_b, invite.timer_b))
    leg = Leg(invite, target, local, ids=call.options.ids, started=call.now)
    branch.leg = leg
    attempt.legs.append(leg)
    call.legs[leg] = target
    yield from call.synchronize()  # from now on its messages are received
    if not call.hung_up:
        leg.start(call.now)
    yield from call.flush()


def _take_results(attempt: Attempt) -> None:
    """Take the results of legs that have failed, and follow redirects."""
    for branch in attempt.branches:
        leg = branch.leg
        if leg is None or leg.result is None or leg.answered_at is not None:
            continue
        branch.leg = None
        outcome = outcome_of(leg.result)
        invite = attempt.candidate.invite
        if 300 <= outcome.code < 400 and invite is not None and attempt.redirects < invite.max_redirects:
            attempt.redirects += 1
            new = [uri for uri in in_order_of_preference(leg.result.contacts) if uri not in attempt.called]
            branch.hops.extendleft(Hop(uri, None) for uri in reversed(new))
            attempt.called.update(new)
            if new:
                continue
            if leg.result.contacts:
                outcome = LOOP
        attempt.failures.append(outcome)
        if outcome.code not in _UNAVAILABLE:  # other addresses of the same far end are not tried
            branch.hops = deque(hop for hop in branch.hops if hop.uri != branch.hop.uri)


def _show_ringing(attempt: Attempt) -> Generator[Effect, Any, None]:
    """Tell that the first far end rings."""
    if attempt.result.ringing is not None:
        return
    times = [leg.ringing_at for leg in attempt.legs if leg.ringing_at is not None]
    if times:
        attempt.result.ringing = min(times)
        attempt.update()
        yield Progress("ringing", attempt.result.ringing, attempt.result)


def _importance(leg: AnyLeg) -> tuple[bool, bool, float]:
    """Return a key by which the leg that a record shows is the greatest: answered, then ringing, then the latest."""
    return (leg.answered_at is not None, leg.ringing_at is not None, leg.steps[0].at if leg.steps else 0.0)
