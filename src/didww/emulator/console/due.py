"""What falls due next, in words: renewals, transitions, deletions, retries of callbacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

import msgspec

from didww.emulator.console import queries, records
from didww.emulator.console.cells import Link

if TYPE_CHECKING:
    from didww.emulator.console.queries import Event
    from didww.emulator.emulator import Emulator
    from didww.emulator.engine.session import Runtime

__all__ = ["Due", "list_due"]

_MAX_NUMBERS: Final = 5
_SUBJECTS: Final = {
    "address_verifications": "Address verification",
    "capacity_pools": "Channels of a capacity pool",
    "did_history": "Number history",
    "did_reservations": "Reservation",
    "dids": "Numbers",
    "emergency_calling_services": "Emergency calling service",
    "emergency_verifications": "Emergency verification",
    "encrypted_files": "Encrypted file",
    "exports": "Export",
    "orders": "Order",
    "voice_out_trunks": "Outbound trunk",
}
_PREDICATES: Final = {
    "approve": "is approved",
    "callback": "callback is sent",
    "cancel": "is canceled",
    "complete": "completes",
    "expire": "expires",
    "forget": "is deleted",
    "reject": "is rejected",
    "renew": "renews",
    "start": "starts processing",
}
_OF_TYPE: Final = {
    ("dids", "renew"): "renew, or end if canceled or unpaid",
    ("capacity_pools", "renew"): "renew",
    ("did_history", "forget"): "loses its old entries",
    ("orders", "complete"): "completes, or waits for stock",
}


class Due(NamedTuple):
    """Something that falls due: when, what, and the records it concerns; `more` is the number of omitted ones."""

    at: str
    owner: int
    text: str
    links: list[Link]
    more: bool


def list_due(emulator: Emulator, limit: int = 20) -> list[Due]:
    """Return what falls due next, in order of time."""
    with emulator.engine.locked() as runtime:
        events = [*queries.events(runtime, limit), *queries.delivery_events(runtime, limit)]
        events.sort(key=lambda event: event.at)
        return [_due(runtime, event) for event in events[:limit]]


def _due(runtime: Runtime, event: Event) -> Due:
    subject = _SUBJECTS.get(event.type, event.type.replace("_", " ").capitalize())
    predicate = _OF_TYPE.get((event.type, event.name)) or _PREDICATES.get(event.name, event.name)
    links, more = _links(runtime, event)
    return Due(event.at, event.owner, f"{subject} {predicate}", links, more)


def _links(runtime: Runtime, event: Event) -> tuple[list[Link], bool]:
    if (event.type, event.name) == ("dids", "renew"):
        at = (event.record or "").rpartition("/")[2]
        numbers = queries.numbers_expiring_at(runtime, event.owner, at, _MAX_NUMBERS + 1)
        links = [Link(number, "dids", id) for id, number in numbers]
        return links[:_MAX_NUMBERS], len(links) > _MAX_NUMBERS
    for id in (event.record, *_ids(msgspec.json.decode(event.payload))):
        cells = records.get_summary(runtime, event.type, id)[1] if id else []
        if id and cells:
            return [Link(", ".join(cell.text for cell in cells[:2]), event.type, id)], False
    return [], False


def _ids(payload: Any) -> list[str]:
    """Return the ids of records that the payload of an event names."""
    values = cast("dict[str, Any]", payload).values() if isinstance(payload, dict) else [payload]
    return [value for value in values if isinstance(value, str) and len(value) == 36]
