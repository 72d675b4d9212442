"""What happens after an attempt, and how calls count against limits."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww.emulator.sip.capacity import Capacity
from didww.emulator.sip.model import AttemptResult, Candidate, Limit
from didww.emulator.sip.reroute import RINGING_TIMEOUT, after_attempt, code_id_of
from didww.enums import DisconnectInitiator, ReroutingDisconnectCode

BUSY = {"code": 486, "reason": "Busy Here", "initiator": DisconnectInitiator.DESTINATION, "disconnect_code_id": 90}
RANG = {"code": 480, "reason": "Ringing timeout", "disconnect_code_id": RINGING_TIMEOUT}
UNAVAILABLE = {
    "code": 503,
    "reason": "Overloaded",
    "initiator": DisconnectInitiator.DESTINATION,
    "disconnect_code_id": 101,
}
UNREACHABLE = {"code": 503, "reason": "udp:192.0.2.1:5060 cannot be reached", "disconnect_code_id": 101}
LISTED = "is among the rerouting codes of trunk Main"


def trunk(name: str, *codes: int) -> Candidate:
    """Return a trunk with rerouting codes."""
    return Candidate(trunk_id=name, trunk=name, kind="sip", shown="", rerouting=frozenset(codes))


@pytest.mark.parametrize(
    ("result", "codes", "following", "expected"),
    [
        (BUSY, [90], True, "486 Busy Here is among the rerouting codes of trunk Main: trunk Backup is next."),
        (BUSY, [64], True, "486 Busy Here is not among the rerouting codes of trunk Main: the call ended there."),
        (
            BUSY,
            [90],
            False,
            (
                "486 Busy Here is among the rerouting codes of trunk Main, but there is no other trunk: "
                "the call ended there."
            ),
        ),
        (BUSY, [], True, "Trunk Main has no rerouting codes: the call ended there with 486 Busy Here."),
        (
            RANG,
            [RINGING_TIMEOUT],
            True,
            "A ringing timeout is among the rerouting codes of trunk Main: trunk Backup is next.",
        ),
        (UNAVAILABLE, [101], True, f"503 Overloaded {LISTED}: trunk Backup is next."),
        (UNREACHABLE, [101], True, f"503 {LISTED}: trunk Backup is next."),
        (
            {"code": 487, "reason": "Request Terminated", "initiator": DisconnectInitiator.ORIGINATION},
            [90],
            True,
            "The caller hung up: no other trunk is tried.",
        ),
        ({"code": 200, "reason": "Bye", "answered": 1.0}, [90], True, "Trunk Main answered."),
    ],
)
def test_after_an_attempt(result: dict[str, Any], codes: list[int], following: bool, expected: str) -> None:
    """A sentence says why the next trunk is tried, or why not."""
    attempt = AttemptResult(number=1, trunk_id="Main", trunk="Main", **result)
    more, why = after_attempt(attempt, trunk("Main", *codes), trunk("Backup") if following else None)
    assert why == expected
    assert more is expected.endswith("is next.")


def test_each_code_has_its_id() -> None:
    """SIP codes of rerouting codes are found by number; others have none."""
    for member in ReroutingDisconnectCode:
        if member.name.startswith("SIP_"):
            assert code_id_of(int(member.name.split("_")[1])) == int(member)
    assert (code_id_of(200), code_id_of(99), RINGING_TIMEOUT) == (None, None, 1505)


def test_a_full_limit_counts_nothing() -> None:
    """A call that a limit refuses does not count against the others."""
    capacity = Capacity()
    wide, narrow = Limit(("did", "1"), 2, "number"), Limit(("trunk", "1"), 1, "trunk Main")
    assert capacity.acquire([wide, narrow]) is None
    assert capacity.acquire([wide, narrow]) is narrow
    assert (capacity.in_progress(wide), capacity.in_progress(narrow)) == (1, 1)
    capacity.release([wide, narrow])
    assert (capacity.in_progress(wide), capacity.in_progress(narrow)) == (0, 0)


def test_own_channels_come_before_shared_ones() -> None:
    """Calls beyond a number's own channels use those of its capacity group."""
    capacity = Capacity()
    shared = Limit(("channels", "group"), 1, "capacity group")
    first, second = (Limit(("channels", name), 1, name, shared) for name in ("a", "b"))
    assert [capacity.acquire([limit]) for limit in (first, second, first, second)] == [None, None, None, shared]
    capacity.release([first])
    assert capacity.acquire([second]) is None


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ab"))))
def test_limits_are_never_exceeded(moves: list[tuple[bool, str]]) -> None:
    """However calls come and go, shared channels are those in use beyond the own ones, and none remains."""
    capacity = Capacity()
    shared = Limit(("channels", "group"), 2, "capacity group")
    limits = {name: Limit(("channels", name), own, name, shared) for name, own in (("a", 0), ("b", 1))}
    calls: Counter[str] = Counter()
    for start, name in moves:
        if start and capacity.acquire([limits[name]]) is None:
            calls[name] += 1
        elif not start and calls[name]:
            capacity.release([limits[name]])
            calls[name] -= 1
        beyond = sum(max(0, calls[name] - limits[name].most) for name in limits)
        assert capacity.in_progress(shared) == beyond <= shared.most
    for name, count in calls.items():
        for _ in range(count):
            capacity.release([limits[name]])
    assert not any(capacity.in_progress(limit) for limit in (shared, *limits.values()))
