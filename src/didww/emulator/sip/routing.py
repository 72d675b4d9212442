"""How a call to a number is routed: the trunks that are tried, in order, and the limits that apply."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from didww.emulator.sip.invite import IncomingCall, make_destination, make_invite
from didww.emulator.sip.model import Candidate, Limit, Route
from didww.emulator.sip.order import in_order
from didww.emulator.sip.uris import without_parameters
from didww.enums import ReroutingDisconnectCode

if TYPE_CHECKING:
    from random import Random

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["get_route"]

_DEFAULT_RINGING: Final = 32.0
_REFUSED: Final = (
    ("blocked", (403, "DID is blocked")),
    ("terminated", (403, "DID service expired")),
    ("awaiting_registration", (403, "DID awaits registration")),
)


def get_route(
    session: AccountSession,
    number: str,
    caller: str,
    *,
    random: Random,
    caller_name: str = "",
    diversion: str = "",
    attestation: str | None = None,
    cpc: str = "ordinary",
) -> Route:
    """Return how a call to a number of an account is routed.

    Args:
        session: The account.
        number: The number, or the id of the DID.
        caller: The caller's number; `anonymous` or empty if withheld.
        random: Draws among trunks of the same priority.
        caller_name: The caller's name.
        diversion: The number that diverted the call.
        attestation: STIR/SHAKEN attestation of the caller's number: A, B or C.
        cpc: Calling party category.

    Raises:
        LookupError: The account has no such number.
    """
    found = session.find("dids", number=number) or session.find("dids", id=number)
    if not found:
        raise LookupError(f"The account has no number {number!r}.")
    did = found[0]
    route = Route(number=did["number"], caller=caller, caller_name=caller_name)
    refused = next((answer for name, answer in _REFUSED if did[name]), None)
    if refused is None and did["expires_at"] and datetime.fromisoformat(did["expires_at"]) <= session.now():
        refused = (403, "DID service expired")
    if refused is not None:
        return replace(route, refused=refused, notes=(f"The call is refused: {refused[1]}.",))
    call = IncomingCall(
        number=did["number"],
        caller=caller,
        caller_name=caller_name,
        diversion=diversion,
        attestation=attestation,
        cpc=cpc,
        country_prefix=_country_prefix(session, did),
        toll_free=_is_toll_free(session, did),
    )
    group, trunks, notes = _trunks(session, did, random)
    if not trunks:
        what = f"The trunk group {group['name']} has no trunks." if group else "The number is routed to no trunk."
        return replace(route, group=group["name"] if group else "", refused=(404, "Not Found"), notes=(what,))
    limits = _limits(session, did, group)
    if not any(limit.key[0] == "channels" for limit in limits):
        notes.append("The number has no channels: DIDWW would refuse its calls, the emulator lets them through.")
    candidates: list[Candidate] = []
    for trunk in trunks:
        candidate, more = _candidate(trunk, call, random, session.new_id())
        candidates.append(candidate)
        notes += [f"Trunk {trunk['name']}: {note}" for note in more]
    return replace(
        route,
        group=group["name"] if group else "",
        candidates=tuple(candidates),
        limits=limits,
        notes=tuple(notes),
    )


def _country_prefix(session: AccountSession, did: Record) -> str:
    group = session.get("did_groups", did["did_group"]) or {}
    country = session.get("countries", group.get("country")) or {}
    return str(country.get("prefix") or "")


def _is_toll_free(session: AccountSession, did: Record) -> bool:
    group = session.get("did_groups", did["did_group"]) or {}
    type = session.get("did_group_types", group.get("did_group_type")) or {}
    return str(type.get("name")).lower() == "toll-free"


class _Member:
    """A trunk with its priority and weight."""

    def __init__(self, trunk: Record) -> None:
        self.trunk = trunk
        self.priority: int = trunk["priority"] or 0
        self.weight: int = trunk["weight"] or 0


def _trunks(session: AccountSession, did: Record, random: Random) -> tuple[Record | None, list[Record], list[str]]:
    """Return the group and its trunks in order, or the single trunk; and how the order came about."""
    if did["voice_in_trunk_group"] is None:
        trunk = session.get("voice_in_trunks", did["voice_in_trunk"]) if did["voice_in_trunk"] else None
        return None, [trunk] if trunk else [], [f"The number is routed to trunk {trunk['name']}."] if trunk else []
    group = session.get("voice_in_trunk_groups", did["voice_in_trunk_group"])
    members = (
        [_Member(trunk) for trunk in session.find("voice_in_trunks", voice_in_trunk_group=group["id"])] if group else []
    )
    ordered = in_order(members, random)
    if group is None or not ordered:
        return group, [], []
    notes = [
        (
            f"The number is routed to the trunk group {group['name']}, whose trunks are tried in the order "
            f"{', '.join(member.trunk['name'] for member in ordered)}."
        )
    ]
    for priority in sorted({member.priority for member in ordered}):
        same = [member for member in ordered if member.priority == priority]
        if len(same) > 1:
            drawn = ", ".join(f"{member.trunk['name']} (weight {member.weight})" for member in same)
            notes.append(f"Trunks of priority {priority} were drawn by weight: {drawn}.")
    return group, [member.trunk for member in ordered], notes


def _candidate(trunk: Record, call: IncomingCall, random: Random, new_id: str) -> tuple[Candidate, list[str]]:
    inside = trunk["configuration"]["attributes"]
    limit = trunk["capacity_limit"]
    common: dict[str, Any] = {
        "trunk_id": trunk["id"],
        "trunk": trunk["name"],
        "ringing_timeout": float(trunk["ringing_timeout"] or _DEFAULT_RINGING),
        "limits": (Limit(("trunk", trunk["id"]), limit, f"trunk {trunk['name']}"),) if limit else (),
    }
    if trunk["configuration"]["type"] == "pstn_configurations":
        note = f"the emulator calls no phone numbers: a simulated one stands for {inside['dst']}."
        return Candidate(
            kind="pstn", shown=inside["dst"] or "", rerouting=frozenset(map(int, ReroutingDisconnectCode)), **common
        ), [note]
    invite, notes = make_invite(trunk, call, random, new_id)
    registers = bool(inside["enabled_sip_registration"])
    failover = inside["dns_srv_failover_timer"]
    return Candidate(
        kind="registration" if registers else "sip",
        shown=without_parameters(invite.uri),
        destination=None if registers else make_destination(inside),
        invite=invite,
        did_as_user=bool(inside["use_did_in_ruri"]),
        failover=failover / 1000 if failover else None,
        resolve_uri=bool(inside["resolve_ruri"]),
        rerouting=frozenset(inside["rerouting_disconnect_code_ids"] or ()),
        **common,
    ), notes


def _limits(session: AccountSession, did: Record, group: Record | None) -> tuple[Limit, ...]:
    """Return the limits of the number, of its channels, and of the trunk group."""
    limits: list[Limit] = []
    if did["capacity_limit"]:
        limits.append(Limit(("did", did["id"]), did["capacity_limit"], f"number {did['number']}"))
    channels = _channels(session, did)
    if channels is not None:
        limits.append(channels)
    if group is not None and group["capacity_limit"]:
        limits.append(Limit(("group", group["id"]), group["capacity_limit"], f"trunk group {group['name']}"))
    return tuple(limits)


def _channels(session: AccountSession, did: Record) -> Limit | None:
    """Return the channels of a number: its own first, then those of its capacity group.

    A number without any channels has no limit, so that each number of the emulator takes calls.
    """
    own = (did["channels_included_count"] or 0) + (did["dedicated_channels_count"] or 0)
    shared = (
        session.get("shared_capacity_groups", did["shared_capacity_group"]) if did["shared_capacity_group"] else None
    )
    if shared is not None:
        count = (shared["shared_channels_count"] or 0) + (shared["metered_channels_count"] or 0)
        more = Limit(("channels", shared["id"]), count, f"capacity group {shared['name']}")
        return Limit(("channels", did["id"]), own, f"channels of number {did['number']}", more)
    metered = bool((session.get("did_groups", did["did_group"]) or {}).get("is_metered"))
    return Limit(("channels", did["id"]), own, f"channels of number {did['number']}") if own and not metered else None
