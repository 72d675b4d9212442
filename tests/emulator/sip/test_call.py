"""Test calls: the order of attempts, limits, redirects, contacts that ring together, and how a call ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from didww.emulator.sip.call import CallOptions, place_call
from didww.emulator.sip.capacity import Capacity
from didww.emulator.sip.effects import Media, Progress, Wait
from didww.emulator.sip.far_end import FarEnd
from didww.emulator.sip.model import Limit
from didww.emulator.sip.outcomes import Outcome, best_outcome
from didww.emulator.sip.simulation import run_at_once
from didww.enums import DisconnectInitiator
from support.sip_calls import NUMBER, call, candidate, codes, outcomes, route, tokens

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww.emulator.sip.effects import Effect
    from didww.emulator.sip.model import AttemptResult, Route

ALL = codes(404, 408, 480, 486, 500, 503, ringing_timeout=True)
ORIGINATION, DESTINATION, SYSTEM = (
    DisconnectInitiator.ORIGINATION,
    DisconnectInitiator.DESTINATION,
    DisconnectInitiator.SYSTEM,
)


def group(**fields: object) -> Route:
    return route(candidate("First", rerouting=ALL, **fields), candidate("Second", rerouting=ALL), group="Failover")


# Failover


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (FarEnd(code=486), (486, "Busy Here", DESTINATION, 90)),
        (FarEnd(silent=True), (408, "Request Timeout", SYSTEM, 64)),
        (FarEnd(only_rings=True), (480, "Ringing timeout", SYSTEM, 1505)),
        (FarEnd(unreachable=True), (503, "Connection refused", SYSTEM, 100)),
        (FarEnd(unknown_host=True), (503, "No address of first.example.com", SYSTEM, 100)),
    ],
)
def test_the_second_trunk_is_called_after_each_failure(first: FarEnd, expected: tuple[object, ...]) -> None:
    """A trunk that is busy, silent, only rings or cannot be reached is followed by the next, which answers."""
    failed, answered = call(group(ringing_timeout=20.0), {"First": first})
    assert (failed.code, failed.reason, failed.initiator, failed.disconnect_code_id) == expected
    assert failed.answered is None
    assert (answered.trunk, answered.code, answered.reason, answered.initiator) == ("Second", 200, "Bye", ORIGINATION)
    assert answered.duration == 5.0
    assert failed.ended == answered.started
    assert [failed.number, answered.number] == [1, 2]
    assert {failed.group, answered.group} == {"Failover"}


def test_an_answer_of_the_first_trunk_is_the_only_attempt() -> None:
    """The second trunk is not called if the first answers."""
    (result,) = call(group())
    assert outcomes([result]) == [("First", 200)]
    assert result.ringing is not None
    assert result.answered is not None
    assert result.started <= result.ringing < result.answered < result.ended


def test_codes_that_are_not_listed_end_the_call() -> None:
    """The rerouting codes of the trunk decide whether the next is tried, and the reason says so."""
    (result,) = call(route(candidate("First", rerouting=codes(486)), candidate("Second")), {"First": FarEnd(code=404)})
    assert result.code == 404
    assert "404" in result.why
    assert "First" in result.why


def test_a_trunk_without_rerouting_codes_ends_the_call() -> None:
    """No code reroutes if none is listed."""
    assert outcomes(call(route(candidate("First"), candidate("Second")), {"First": FarEnd(code=486)})) == [
        ("First", 486)
    ]


def test_the_code_of_the_last_trunk_ends_the_call() -> None:
    """A listed code of the last trunk has nowhere to go."""
    results = call(group(), {"*": FarEnd(code=486)})
    assert outcomes(results) == [("First", 486), ("Second", 486)]


# Limits and refusals


def test_a_full_trunk_is_passed_over() -> None:
    """A trunk at its limit gets no INVITE, and the next trunk is tried."""
    limit = Limit(("trunk", "id-First"), 1, "trunk First")
    capacity = Capacity()
    assert capacity.acquire((limit,)) is None
    full, answered = call(group(limits=(limit,)), capacity=capacity)
    assert (full.code, full.initiator, full.steps) == (480, SYSTEM, [])
    assert full.why == "trunk First has 1 call of at most 1: trunk Second is next."
    assert outcomes([answered]) == [("Second", 200)]


def test_a_full_number_is_refused_before_any_trunk() -> None:
    """A limit of the number ends the call with one record and without INVITE."""
    limit = Limit(("did", "1"), 2, f"number {NUMBER}")
    capacity = Capacity()
    for _ in range(2):
        assert capacity.acquire((limit,)) is None
    (result,) = call(route(candidate("First"), limits=(limit,)), capacity=capacity)
    assert (result.trunk, result.code, result.initiator, result.steps) == ("", 480, SYSTEM, [])
    assert result.why.startswith(f"number {NUMBER} has 2 calls of at most 2")


def test_limits_are_free_again_after_the_call() -> None:
    """Each call releases what it has taken, so that a limit of one serves any number of calls in turn."""
    limits = (Limit(("trunk", "id-First"), 1, "trunk First"),)
    whole = (Limit(("did", "1"), 1, "number"),)
    capacity = Capacity()
    for far_end in (FarEnd(), FarEnd(code=486), FarEnd(silent=True), FarEnd(misbehavior="forks")):
        results = call(route(candidate("First", limits=limits), limits=whole), {"*": far_end}, capacity=capacity)
        assert results[0].steps


def test_an_abandoned_call_releases_its_limits() -> None:
    """A call whose generator is closed, because the network is, has released its limits."""
    whole = (Limit(("did", "1"), 1, "number"),)
    capacity = Capacity()
    options = CallOptions(call_id="1", capacity=capacity, ids=tokens())
    generator = place_call(route(candidate("First", limits=whole), limits=whole), options)
    while not isinstance(generator.send(None), Progress):
        pass
    generator.send(None)
    generator.close()
    assert capacity.acquire(whole) is None


@pytest.mark.parametrize("refused", [None, (403, "Forbidden")])
def test_a_number_without_a_route_is_refused(refused: tuple[int, str] | None) -> None:
    """A number that leads nowhere, or is refused, has one record of the system."""
    (result,) = call(route(refused=refused))
    assert (result.code, result.reason) == (refused or (404, "Not Found"))
    assert result.initiator is SYSTEM
    assert result.why


# Redirects


def test_a_redirect_is_followed_in_the_same_attempt() -> None:
    """A 302 leads to another host; the record is that of one attempt."""
    far_end = FarEnd(redirect_to="sip:desk@203.0.113.7", redirected=FarEnd(user_agent="Desk"))
    (result,) = call(route(candidate("First", redirects=1)), {"*": far_end})
    assert (result.code, result.redirected, result.user_agent) == (200, True, "Desk")
    assert result.target == "udp:203.0.113.7:5060"
    assert [step.message for step in result.steps if step.message == "INVITE"] == ["INVITE", "INVITE"]


def test_redirects_beyond_the_limit_end_the_attempt() -> None:
    """A trunk that follows no redirects ends with their code."""
    (result,) = call(route(candidate("First")), {"*": FarEnd(redirect_to="sip:desk@203.0.113.7")})
    assert (result.code, result.redirected, result.initiator) == (302, False, DESTINATION)


def test_a_loop_of_redirects_is_detected() -> None:
    """A redirect to where the call has been ends the attempt."""
    (result,) = call(route(candidate("First", redirects=8)), {"*": FarEnd(redirect_to="sip:desk@203.0.113.7")})
    assert (result.code, result.reason, result.initiator) == (482, "Loop Detected", SYSTEM)


@pytest.mark.parametrize("redirects", [1, 2, 3])
def test_redirects_are_counted(redirects: int) -> None:
    """A chain of redirects ends with its code after as many as the trunk follows."""
    far_end = FarEnd()
    for number in range(4):
        far_end = FarEnd(redirect_to=f"sip:desk@203.0.113.{number + 1}", redirected=far_end)
    (result,) = call(route(candidate("First", redirects=redirects)), {"*": far_end})
    assert result.code == 302
    assert len([step for step in result.steps if step.message == "INVITE"]) == redirects + 1


def test_contacts_of_a_redirect_are_tried_in_order() -> None:
    """If the first contact of a redirect fails, the second is called; URIs that cannot be called are passed over."""
    uris = ("tel:+12025550123", "sip:desk@203.0.113.7")
    (result,) = call(
        route(candidate("First", redirects=1)), {"*": FarEnd(redirect_to=uris, redirected=FarEnd())}, hang_up_after=1.0
    )
    assert result.code == 200


@pytest.mark.parametrize(
    ("targets", "code", "invites"),
    [((FarEnd(code=486), FarEnd()), 486, 2), ((FarEnd(code=503), FarEnd()), 200, 3)],
)
def test_addresses_of_a_redirect_are_tried_while_they_are_unavailable(
    targets: tuple[FarEnd, ...], code: int, invites: int
) -> None:
    """A redirect to a name with two addresses calls the second one only if the first is unavailable."""
    far_end = FarEnd(redirect_to="sip:desk@desk.example.com", redirected=FarEnd(several=targets))
    (result,) = call(route(candidate("First", redirects=1)), {"*": far_end})
    assert (result.code, [step.message for step in result.steps].count("INVITE")) == (code, invites)


# Registered contacts and SRV targets


def registered(**fields: object) -> Route:
    return route(candidate("Phones", kind="registration", **fields))


def test_contacts_ring_together_and_the_first_answer_wins() -> None:
    """All registered contacts ring at once; when one answers, the others are canceled."""
    phones = FarEnd(several=(FarEnd(ringing=9.0), FarEnd(ringing=1.0, user_agent="Desk"), FarEnd(only_rings=True)))
    (result,) = call(registered(), {"*": phones})
    assert (result.code, result.user_agent) == (200, "Desk")
    messages = [step.message for step in result.steps if step.sent]
    assert messages.count("INVITE") == 3
    assert messages.count("CANCEL") == 2
    assert messages.count("BYE") == 1


def test_the_best_failure_of_several_contacts_stands() -> None:
    """If no contact answers, the lowest class of response wins."""
    phones = FarEnd(several=(FarEnd(code=500, ringing=1.0), FarEnd(code=486, ringing=3.0)))
    (result,) = call(registered(), {"*": phones})
    assert (result.code, result.ended > 3.0) == (486, True)


def test_a_global_failure_ends_all_contacts() -> None:
    """A 6xx of one contact cancels the others."""
    phones = FarEnd(several=(FarEnd(code=603, ringing=1.0), FarEnd(ringing=20.0)))
    (result,) = call(registered(), {"*": phones})
    assert (result.code, result.ended < 2.0) == (603, True)
    assert "CANCEL" in [step.message for step in result.steps]


def test_a_trunk_without_contacts_fails() -> None:
    """Nothing is sent if nothing is registered."""
    (result,) = call(registered(), {"*": FarEnd(registered=False)})
    assert (result.code, result.reason, result.initiator, result.steps) == (480, "Not registered", SYSTEM, [])


@pytest.mark.parametrize("did_as_user", [True, False])
def test_the_called_number_may_replace_the_user_of_a_contact(did_as_user: bool) -> None:
    """`did_as_user` decides about the request URI; all contacts are called in either case."""
    (result,) = call(registered(did_as_user=did_as_user))
    assert result.code == 200


def test_each_srv_target_is_an_attempt() -> None:
    """Targets that do not respond, refuse connections or are unavailable are followed by the next of the same trunk."""
    targets = (FarEnd(silent=True), FarEnd(unreachable=True), FarEnd(code=503, ringing=0), FarEnd())
    results = call(route(candidate("First")), {"*": FarEnd(several=targets)})
    assert outcomes(results) == [("First", 408), ("First", 503), ("First", 503), ("First", 200)]
    assert len({result.target for result in results}) == 4
    assert all("the next address of trunk First is tried" in result.why for result in results[:3])


def test_a_busy_srv_target_is_not_followed_by_the_next() -> None:
    """A target that responds decides for all of them."""
    results = call(route(candidate("First")), {"*": FarEnd(several=(FarEnd(code=486), FarEnd()))})
    assert outcomes(results) == [("First", 486)]


def test_the_failover_timer_shortens_the_wait_for_a_silent_target() -> None:
    """All but the last target have the shorter time to respond."""
    targets = FarEnd(several=(FarEnd(silent=True), FarEnd(silent=True)))
    first, second = call(route(candidate("First", failover=2.0)), {"*": targets})
    assert (first.ended - first.started, second.ended - second.started) == (2.0, 8.0)


# Phone numbers


def test_a_phone_number_is_answered_by_a_script() -> None:
    """Calls to phone numbers send nothing; the phone rings for two seconds and answers."""
    (result,) = call(route(candidate("Mobile", kind="pstn", invite=None, shown="12025550199")))
    assert (result.code, result.forwarded, result.destination, result.steps) == (200, True, "12025550199", [])
    assert (result.ringing, result.answered, result.ended) == (0.0, 2.0, 7.0)


@pytest.mark.parametrize(
    ("script", "code", "initiator"),
    [
        (FarEnd(code=486), 486, DESTINATION),
        (FarEnd(talks=1.0), 200, DESTINATION),
        (FarEnd(only_rings=True), 480, SYSTEM),
        (FarEnd(silent=True), 480, SYSTEM),
    ],
)
def test_a_phone_does_what_its_script_says(script: FarEnd, code: int, initiator: DisconnectInitiator) -> None:
    """Scripts of phones have the same meaning as those of SIP far ends."""
    (result,) = call(route(candidate("Mobile", kind="pstn", invite=None)), {"Mobile": script})
    assert (result.code, result.initiator) == (code, initiator)


# Ends


def test_the_far_end_hangs_up() -> None:
    """A BYE of the far end ends the call, as its destination."""
    (result,) = call(group(), {"*": FarEnd(talks=3.0)})
    assert (result.code, result.reason, result.initiator) == (200, "Bye", DESTINATION)
    assert 2.9 < result.duration < 3.1


def test_the_caller_gives_up() -> None:
    """A caller who gives up ends the call without rerouting."""
    (result,) = call(group(), {"*": FarEnd(only_rings=True)}, give_up_after=4.0)
    assert (result.code, result.reason, result.initiator) == (487, "Request Terminated", ORIGINATION)
    assert result.ended == 4.0
    assert [step.message for step in result.steps][-4:] == ["CANCEL", "200 OK", "487 Request Terminated", "ACK"]


def test_the_caller_gives_up_while_the_second_trunk_rings() -> None:
    """The time until the caller gives up is that of the call, not of an attempt."""
    results = call(group(), {"First": FarEnd(code=486), "*": FarEnd(only_rings=True)}, give_up_after=4.0)
    assert outcomes(results) == [("First", 486), ("Second", 487)]
    assert results[1].ended == 4.0


def test_the_caller_hangs_up_while_talking() -> None:
    """The caller's hang-up ends a call that was answered with a BYE."""
    (result,) = call(group(), hang_up_at=3.0, hang_up_after=None)
    assert (result.code, result.initiator, result.ended) == (200, ORIGINATION, 3.0)
    assert "BYE" in [step.message for step in result.steps if step.sent]


@pytest.mark.parametrize("far_end", [FarEnd(), FarEnd(only_rings=True)])
def test_no_call_is_longer_than_its_bound(far_end: FarEnd) -> None:
    """The emulator ends a call that nobody else ends."""
    results = call(
        route(candidate("First", ringing_timeout=9000.0)), {"*": far_end}, hang_up_after=None, max_duration=60.0
    )
    assert results[-1].ended == 60.0
    assert results[-1].initiator is SYSTEM
    assert results[-1].reason == "Longest duration of a call reached"


def test_progress_is_told_in_order() -> None:
    """Progress has each attempt from its start to its end."""
    seen: list[tuple[str, int | None]] = []
    call(
        group(),
        {"First": FarEnd(code=486)},
        on_progress=lambda told: seen.append((told.event, told.attempt.number if told.attempt else None)),
    )
    assert seen == [
        ("started", None),
        ("attempt", 1),
        ("ringing", 1),
        ("attempt_ended", 1),
        ("attempt", 2),
        ("ringing", 2),
        ("answered", 2),
        ("attempt_ended", 2),
        ("ended", 2),
    ]


# Pure parts


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ((486, 500), 486),
        ((500, 302, 486), 302),
        ((486, 603, 302), 603),
        ((404, 401, 486), 401),
        ((408, 486), 408),
        ((503, 503), 503),
    ],
)
def test_the_best_response_of_several(failures: tuple[int, ...], expected: int) -> None:
    """6xx wins, then the lowest class; in 4xx those that the caller can do something about."""
    assert best_outcome([Outcome(code, "", DESTINATION) for code in failures]).code == expected


def test_media_starts_with_the_answer_and_stops_with_the_call() -> None:
    """Silence is sent to where the answer says, while the call lasts."""
    options = CallOptions(call_id="1", capacity=Capacity(), ids=tokens(), hang_up_after=1.0)
    seen: list[Media] = []

    def watched() -> Generator[Effect, Any, list[AttemptResult]]:
        generator = place_call(group(), options)
        result: Any = None
        while True:
            try:
                effect = generator.send(result)
            except StopIteration as stop:
                results: list[AttemptResult] = stop.value
                return results
            if isinstance(effect, Media):
                seen.append(effect)
            assert not isinstance(effect, Wait) or effect.until is not None
            result = yield effect

    run_at_once(watched())
    started, stopped = seen
    assert started.remote is not None
    assert stopped.remote is None
    assert started.sip_call_id == stopped.sip_call_id
