"""Calls of the tests: routes without an account, and what comes of them at once."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from didww.emulator.sip.call import CallOptions, place_call
from didww.emulator.sip.capacity import Capacity
from didww.emulator.sip.model import Candidate, Destination, Invite, Route
from didww.emulator.sip.reroute import RINGING_TIMEOUT, code_id_of
from didww.emulator.sip.simulation import run_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from didww.emulator.sip.effects import Progress
    from didww.emulator.sip.far_end import FarEnd
    from didww.emulator.sip.model import AttemptResult

NUMBER, CALLER = "442079460001", "12025550123"


def codes(*sip_codes: int, ringing_timeout: bool = False) -> frozenset[int]:
    """Return the ids of rerouting codes."""
    ids = {code_id for code in sip_codes if (code_id := code_id_of(code)) is not None}
    return frozenset(ids | ({RINGING_TIMEOUT} if ringing_timeout else set()))


def candidate(name: str, *, host: str = "", redirects: int = 0, timer_b: float = 8.0, **fields: Any) -> Candidate:
    """Return a trunk with a host, or with another `kind`."""
    host = host or f"{name.lower()}.example.com"
    invite = Invite(
        uri=f"sip:{NUMBER}@{host}",
        caller=f"<sip:{CALLER}@192.0.2.250>",
        callee=f"<sip:{NUMBER}@{host}>",
        offer="v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n",
        timer_b=timer_b,
        max_redirects=redirects,
    )
    defaults: dict[str, Any] = {
        "trunk_id": f"id-{name}",
        "trunk": name,
        "kind": "sip",
        "shown": f"sip:{NUMBER}@{host}",
        "destination": Destination(host, 5060, "udp") if fields.get("kind", "sip") == "sip" else None,
        "invite": invite,
    }
    return Candidate(**(defaults | fields))


def route(*candidates: Candidate, **fields: Any) -> Route:
    """Return a route over trunks."""
    return Route(number=NUMBER, caller=CALLER, candidates=candidates, **fields)


def tokens() -> Callable[[int], str]:
    """Return a source of tokens that are all different."""
    numbers = count(1)
    return lambda length: f"{next(numbers):0{length}x}"


def call(
    over: Route,
    far_ends: Mapping[str, FarEnd] | None = None,
    *,
    hang_up_at: float | None = None,
    on_progress: Callable[[Progress], object] = lambda _: None,
    capacity: Capacity | None = None,
    **options: Any,
) -> list[AttemptResult]:
    """Place a call at once."""
    defaults: dict[str, Any] = {
        "call_id": "call-1",
        "hang_up_after": 5.0,
        "capacity": capacity or Capacity(),
        "ids": tokens(),
    }
    generator = place_call(over, CallOptions(**(defaults | options)))
    return run_at_once(generator, far_ends, on_progress, hang_up_at=hang_up_at)


def outcomes(results: list[AttemptResult]) -> list[tuple[str, int]]:
    """Return trunk and code of each attempt."""
    return [(result.trunk, result.code) for result in results]
