"""The numbers and trunks whose text messages are in exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.emulator.behaviors.sms_trunks import sends
from didww.emulator.data.messages import TRUNK_TYPES, MessageLine, MessageSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["get_message_lines", "get_message_sources", "ids_in", "route_of"]


def ids_in(filters: Mapping[str, Any], name: str) -> list[str] | None:
    """Return the ids of a filter; None if there is no such filter."""
    value = filters.get(name)
    return None if value is None else [value] if isinstance(value, str) else list(value)


def route_of(session: AccountSession, did: Record) -> Record | None:
    """Return the trunk that receives the messages of a DID: of a group, the first one that is not blocked."""
    if did["sms_trunk"] is not None:
        return session.get("sms_trunks", did["sms_trunk"])
    if did["sms_trunk_group"] is None:
        return None
    members = session.find("sms_trunks", sms_trunk_group=did["sms_trunk_group"])
    return min(members, key=lambda trunk: (trunk["blocked"], -trunk["priority"]), default=None)


def get_message_lines(session: AccountSession, filters: Mapping[str, Any]) -> list[MessageLine]:
    """Return the numbers of an account that receive messages, with their trunks."""
    trunks = ids_in(filters, "sms_trunk.id")
    lines: list[MessageLine] = []
    for did in session.find("dids"):
        trunk = route_of(session, did)
        if trunk is not None and not trunk["blocked"] and (trunks is None or trunk["id"] in trunks):
            lines.append(MessageLine(did["number"], trunk["name"], TRUNK_TYPES[trunk["configuration"]["type"]]))
    return lines


def get_message_sources(
    session: AccountSession, filters: Mapping[str, Any], *, blocked: bool = False
) -> list[MessageSource]:
    """Return the source addresses of the trunks of an account; without those of blocked trunks by default."""
    trunks, senders = ids_in(filters, "sms_trunk.id"), ids_in(filters, "sender_id_verification.id")
    sources: list[MessageSource] = []
    for trunk in session.find("sms_trunks", **_of(trunks)):
        if not sends(trunk) or (trunk["blocked"] and not blocked):
            continue
        for sender in session.find("sender_id_verifications", sms_trunk=trunk["id"], status="active"):
            if senders is None or sender["id"] in senders:
                place = f"{trunk['id']}/{sender['id']}"
                addresses = tuple(sender["sender_ids"])
                sources.append(MessageSource(place, trunk["name"], addresses, "A2P", sender["reference"]))
        if senders is None:
            chosen = None if trunk["allow_any_did_as_source"] else _outgoing(session, trunk)
            numbers = tuple(did["number"] for did in session.find("dids", limit=1000, **_of(chosen)))
            sources.append(MessageSource(f"{trunk['id']}/", trunk["name"], numbers, "P2P"))
    return sources


def _of(ids: list[str] | None) -> dict[str, Any]:
    return {} if ids is None else {"id": ids}


def _outgoing(session: AccountSession, trunk: Record) -> list[str]:
    return session.related("sms_trunks", trunk["id"], "outgoing_dids")
