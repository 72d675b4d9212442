"""Test simulated calls: they always end, with consistent results, whatever far ends do and whenever anybody hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.sip.call import CallOptions, place_call
from didww.emulator.sip.capacity import Capacity
from didww.emulator.sip.effects import Wait
from didww.emulator.sip.far_end import FarEnd
from didww.emulator.sip.model import Credentials, Limit
from didww.emulator.sip.simulation import LATENCY, Simulation, run_at_once
from support.hypothesis_profiles import law
from support.sip_calls import call, candidate, codes, outcomes, route, tokens

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww.emulator.sip.effects import Effect, Progress
    from didww.emulator.sip.model import AttemptResult

MISBEHAVIOR = ["", "garbage", "giant", "provisionals", "forks", "late answer", "no response to BYE"]
URIS = ["sip:a@203.0.113.1", "sip:b@203.0.113.2:5080", "sips:c@203.0.113.3", "tel:+12025550123", "sip:", "x" * 300]
SECONDS = st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0, 7.9, 8.0, 8.1, 20.0, 31.9, 40.0])

# Also the very moments at which messages arrive.
MOMENTS = SECONDS | st.integers(0, 6000).map(lambda number: number * LATENCY) | st.floats(0, 60)

simple_far_ends = st.builds(
    FarEnd,
    code=st.sampled_from([200, 200, 300, 302, 401, 404, 407, 422, 480, 486, 487, 500, 503, 600, 603, 699]),
    ringing=SECONDS,
    silent=st.booleans(),
    only_rings=st.booleans(),
    talks=st.none() | SECONDS,
    early_media=st.booleans(),
    challenge=st.booleans(),
    redirect_to=st.just(()) | st.lists(st.sampled_from(URIS), min_size=1, max_size=3).map(tuple),
    registered=st.booleans(),
    unknown_host=st.booleans(),
    unreachable=st.booleans(),
    misbehavior=st.sampled_from(MISBEHAVIOR),
)
far_ends = st.builds(
    lambda far_end, several, redirected: msgspec.structs.replace(far_end, several=several, redirected=redirected),
    simple_far_ends,
    st.lists(simple_far_ends, max_size=3).map(tuple),
    st.none() | simple_far_ends,
)
LIMITS = (Limit(("channels", "1"), 1, "channels"),)
TRUNK_LIMITS = (Limit(("trunk", "1"), 1, "trunk"),)
candidates = st.builds(
    lambda kind, redirects, ringing_timeout, failover, did_as_user, rerouting: {
        "kind": kind,
        "redirects": redirects,
        "ringing_timeout": ringing_timeout,
        "failover": failover,
        "did_as_user": did_as_user,
        "rerouting": rerouting,
        "limits": TRUNK_LIMITS,
    },
    st.sampled_from(["sip", "sip", "registration", "pstn"]),
    st.integers(0, 3),
    st.sampled_from([1.0, 8.0, 32.0]),
    st.none() | st.just(1.5),
    st.booleans(),
    st.sampled_from([frozenset[int](), codes(408, 480, 486, 503, ringing_timeout=True)]),
)


@law(2000)
@given(
    trunks=st.lists(st.tuples(candidates, far_ends), min_size=1, max_size=3),
    hang_up_at=st.none() | MOMENTS,
    hang_up_after=st.none() | SECONDS,
    give_up_after=st.none() | SECONDS,
)
def test_every_call_ends_with_consistent_results(
    trunks: list[tuple[dict[str, Any], FarEnd]],
    hang_up_at: float | None,
    hang_up_after: float | None,
    give_up_after: float | None,
) -> None:
    """Every call ends, with one result an attempt, times that ascend, and all limits released."""
    over = route(*(candidate(f"T{number}", **fields) for number, (fields, _) in enumerate(trunks)), limits=LIMITS)
    scripts = {f"T{number}": far_end for number, (_, far_end) in enumerate(trunks)}
    capacity, progress = Capacity(), list[tuple[str, float, int | None]]()

    def follow(told: Progress) -> None:
        progress.append((told.event, told.at, told.attempt.number if told.attempt else None))

    results = call(
        over,
        scripts,
        hang_up_at=hang_up_at,
        hang_up_after=hang_up_after,
        give_up_after=give_up_after,
        max_duration=120.0,
        capacity=capacity,
        on_progress=follow,
    )
    assert [result.number for result in results] == list(range(1, len(results) + 1))
    assert [number for event, _, number in progress if event == "attempt"] == [result.number for result in results]
    assert [number for event, _, number in progress if event == "attempt_ended"] == [
        result.number for result in results
    ]
    assert progress[0][0] == "started"
    assert progress[-1][0] == "ended"
    time = 0.0
    for result in results:
        times = [result.started, result.ringing, result.answered, result.ended]
        known = [at for at in times if at is not None]
        assert known == sorted(known)
        assert result.started >= time
        time = result.ended
        assert result.ended <= 120.0
        assert 200 <= result.code <= 699
        assert result.reason
        assert result.why
        assert result.answered is not None or result.code >= 300
        assert [step.at for step in result.steps] == sorted(step.at for step in result.steps)
    assert all(result.answered is None for result in results[:-1])
    assert capacity.acquire(LIMITS) is None
    assert capacity.acquire(TRUNK_LIMITS) is None


@law(2000)
@given(far_end=far_ends, hang_up_at=st.none() | MOMENTS, hang_up_after=st.none() | SECONDS)
def test_no_far_end_is_left_in_a_call(far_end: FarEnd, hang_up_at: float | None, hang_up_after: float | None) -> None:
    """A far end that has answered gets a BYE, also if its answer came too late or was one of several."""
    over = route(candidate("Main", redirects=2), candidate("Phones", kind="registration"))
    options = CallOptions(
        call_id="1", capacity=Capacity(), ids=tokens(), hang_up_after=hang_up_after, max_duration=100.0
    )
    simulation = Simulation({"*": far_end}, hang_up_at)
    simulation.run(place_call(over, options), lambda _: None)
    assert simulation.calls_left == 0


@law(300)
@given(far_end=far_ends, hang_up_at=st.none() | MOMENTS)
def test_the_same_call_has_the_same_result(far_end: FarEnd, hang_up_at: float | None) -> None:
    """A simulation is deterministic, to the last message."""
    over = route(candidate("Main", redirects=2), candidate("Phones", kind="registration"))
    first, second = (call(over, {"*": far_end}, hang_up_at=hang_up_at) for _ in range(2))
    assert msgspec.json.encode(first) == msgspec.json.encode(second)


@given(far_end=far_ends)
def test_scripts_are_json(far_end: FarEnd) -> None:
    """A script survives its JSON form, in which the control API takes it."""
    assert msgspec.json.decode(msgspec.json.encode(far_end), type=FarEnd) == far_end


# Far ends that do not keep to the protocol


@pytest.mark.parametrize("misbehavior", ["garbage", "giant"])
def test_messages_that_cannot_be_parsed_are_no_response(misbehavior: Any) -> None:
    """A far end that sends nonsense has not responded: the call goes on to the next trunk."""
    over = route(candidate("Main", rerouting=codes(408)), candidate("Backup"))
    assert outcomes(call(over, {"Main": FarEnd(misbehavior=misbehavior)})) == [("Main", 408), ("Backup", 200)]


def test_endless_ringing_ends_with_the_ringing_timeout() -> None:
    """Provisional responses without end do not extend the ringing timeout."""
    (result,) = call(route(candidate("Main", ringing_timeout=10.0)), {"*": FarEnd(misbehavior="provisionals")})
    assert (result.code, result.reason, result.ended) == (480, "Ringing timeout", 10.0)


def test_an_answer_after_cancel_is_hung_up() -> None:
    """A 200 that crosses with CANCEL is acknowledged and ended; the attempt stays a timeout."""
    far_end = FarEnd(only_rings=True, misbehavior="late answer")
    (result,) = call(route(candidate("Main", ringing_timeout=5.0)), {"*": far_end})
    sent = [step.message for step in result.steps if step.sent]
    assert (result.code, result.answered) == (480, None)
    assert sent == ["INVITE", "CANCEL", "ACK", "BYE"]


def test_the_first_of_several_answers_wins() -> None:
    """Further 200 responses of forks are acknowledged and ended, each with a BYE of its own."""
    (result,) = call(route(candidate("Main")), {"*": FarEnd(misbehavior="forks")})
    sent = [step.message for step in result.steps if step.sent]
    assert result.code == 200
    assert sent.count("BYE") == 3


def test_a_far_end_that_ignores_bye_does_not_hold_the_call() -> None:
    """The call is over when the caller hangs up, whether or not BYE has a response."""
    (result,) = call(route(candidate("Main")), {"*": FarEnd(misbehavior="no response to BYE")})
    assert (result.code, result.duration) == (200, 5.0)


def test_digest_is_answered_once() -> None:
    """A far end that asks for digest has a second INVITE from a trunk with credentials, one attempt in all."""
    plain = candidate("Main")
    invite = msgspec.structs.replace(plain.invite, credentials=Credentials("user", "secret"))
    (result,) = call(route(msgspec.structs.replace(plain, invite=invite)), {"*": FarEnd(challenge=True)})
    sent = [step.message for step in result.steps if step.sent]
    assert (result.code, sent) == (200, ["INVITE", "ACK", "INVITE", "ACK", "BYE"])
    assert "secret" not in repr(result)


# The simulation itself


def test_a_call_that_waits_for_nothing_is_an_error() -> None:
    """A wait without end and without anything that could come is a mistake of the emulator, and is said."""

    def stuck() -> Generator[Effect, Any, list[AttemptResult]]:
        yield Wait(None, frozenset())
        return []

    with pytest.raises(RuntimeError, match="waits for nothing"):
        run_at_once(stuck())


def test_a_call_that_does_not_end_is_an_error() -> None:
    """A call that goes in circles is stopped."""

    def spinning() -> Generator[Effect, Any, list[AttemptResult]]:
        while True:
            yield Wait(0.0, frozenset())

    with pytest.raises(RuntimeError, match="has not ended"):
        run_at_once(spinning())


@pytest.mark.parametrize("fields", [{"code": 199}, {"code": 700}, {"ringing": -1.0}, {"talks": -0.1}])
def test_scripts_are_checked(fields: dict[str, Any]) -> None:
    """Codes and times outside their ranges are refused."""
    with pytest.raises(ValueError, match="must be"):
        FarEnd(**fields)
