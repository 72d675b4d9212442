"""What Call Events and CDR Streaming send: an object for each moment of a call, and for each call record.

Source: `docs/how-to/call-events.md`, and the classes that `didww.callback.call_events` declares.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

from didww.callback.call_events import InboundCdr, OutboundCdr
from didww.emulator.controls.stored_streams import Direction, Kind, get_stream
from didww.enums import DisconnectInitiator

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from decimal import Decimal

    from didww.emulator.data.cdr import Charges, Line
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.sip.model import AttemptResult

__all__ = ["MAX_QUEUED", "Moment", "inbound_cdr", "inbound_event", "outbound_objects", "queue"]

Moment: TypeAlias = Literal["start", "connect", "end"]

MAX_QUEUED: Final = 10_000
"""Records of an account that wait to be streamed; more are lost, as in the service."""
_INITIATORS: Final = {
    DisconnectInitiator.SYSTEM: 1,
    DisconnectInitiator.DESTINATION: 2,
    DisconnectInitiator.ORIGINATION: 3,
}
_TRANSPORTS: Final = {"udp": 1, "tcp": 2, "tls": 3}
_CHARGED: Final = (("tf", "toll_free"), ("trm", "pstn"), ("metered_channels", "metered"))


def queue(
    session: AccountSession,
    direction: Direction,
    kind: Kind,
    objects: Iterable[tuple[datetime, Mapping[str, Any]]],
    *,
    live: bool = False,
) -> None:
    """Queue objects to be sent at their times, if the account has a stream for them.

    Args:
        session: The account.
        direction: Of inbound or outbound calls.
        kind: Events or call records.
        objects: When each happens, and what to send.
        live: Whether all have happened by now, in real time, so that they are sent even if the clock stands still.
    """
    if get_stream(session.runtime.store, session.owner, direction, kind) is None:
        return
    execute = session.runtime.store.connection.execute
    room = MAX_QUEUED
    if kind == "cdrs":
        counted = execute("SELECT count(*) FROM streamed WHERE owner = ? AND kind = 'cdrs'", (session.owner,))
        room -= int(counted.fetchone()[0])
    for at, content in objects:
        if kind == "cdrs" and room <= 0:
            lost = int(session.runtime.store.get_meta(f"streamed_lost/{session.owner}") or 0)
            session.runtime.store.set_meta(f"streamed_lost/{session.owner}", str(lost + 1))
            continue
        room -= 1
        execute(
            "INSERT INTO streamed (owner, direction, kind, next_at, body) VALUES (?, ?, ?, ?, ?)",
            (
                session.owner,
                direction,
                kind,
                session.stamp() if live else session.stamp(at),
                msgspec.json.encode(content).decode(),
            ),
        )
    session.runtime.callbacks_queued = True


def leg_id(call_id: str) -> str:
    """Return the ID of a call on the platform, which all its events share."""
    digits = hashlib.sha256(call_id.encode()).hexdigest().upper()
    return f"10-{digits[:8]}-{digits[8:24]}-{digits[24:32]}"


def inbound_event(
    moment: Moment,
    *,
    call_id: str,
    number: str,
    caller: str,
    start: datetime,
    connect: datetime | None = None,
    end: datetime | None = None,
    duration: int = 0,
) -> dict[str, Any]:
    """Return an event of a call to a number."""
    attributes: dict[str, Any] = {"time_start": _iso(start), "did_number": number, "src_number": caller}
    if moment != "start":
        attributes |= {"time_connect": None if connect is None else _iso(connect), "call_id": leg_id(call_id)}
    if moment == "end" and end is not None:
        attributes |= {"time_end": _iso(end), "duration": duration}
    return {"type": f"incoming-call-{moment}-event", "id": leg_id(call_id), "attributes": attributes}


def inbound_cdr(
    session: AccountSession,
    line: Line,
    attempt: AttemptResult,
    cost: Charges,
    *,
    call_id: str,
    start: datetime,
    caller: str,
    caller_name: str,
    is_last: bool,
) -> dict[str, Any]:
    """Return the call record of an attempt."""
    seconds = attempt.whole_seconds
    answered = attempt.answered is not None
    transport = attempt.target.partition(":")[0]
    attributes: dict[str, Any] = dict.fromkeys(name for name in InboundCdr._field_map if name not in ("id", "type"))
    attributes |= {
        "time_start": _plain(start + timedelta(seconds=attempt.started)),
        "time_connect": None if attempt.answered is None else _plain(start + timedelta(seconds=attempt.answered)),
        "time_end": _plain(start + timedelta(seconds=attempt.ended)),
        "duration": seconds,
        "success": answered,
        "src_number": caller,
        "src_name": caller_name,
        "did_number": line.number,
        "dst_number": attempt.destination.removeprefix("sip:").partition("@")[0],
        "trunk_destination": attempt.destination,
        "routing_attempt": attempt.number,
        "is_last_cdr": is_last,
        "is_redirected": attempt.redirected,
        "early_media_present": attempt.early_media,
        "local_tag": leg_id(call_id),
        "term_call_id": attempt.sip_call_id,
        "transport_protocol_id": _TRANSPORTS.get(transport),
        "user_agent": attempt.user_agent or None,
        "disconnect_initiator": _INITIATORS[attempt.initiator],
        "internal_disconnect_code": attempt.code,
        "internal_disconnect_reason": attempt.reason,
        "customer_vat": 0,
    }
    if attempt.initiator is DisconnectInitiator.DESTINATION:
        attributes |= {"legb_disconnect_code": attempt.code, "legb_disconnect_reason": attempt.reason}
    for prefix, name in _CHARGED:
        amount = getattr(cost, name)
        if amount:
            attributes |= {
                f"{prefix}_connection_fee": 0,
                f"{prefix}_initial_interval": 1,
                f"{prefix}_next_interval": 1,
                f"{prefix}_duration": seconds,
                f"{prefix}_rate": round(amount / 1000 / max(seconds, 1) * 60, 6),
                f"{prefix}_amount": amount / 1000,
                f"{prefix}_amount_no_vat": amount / 1000,
            }
    return {"type": InboundCdr._type_name, "id": session.new_id(), "attributes": attributes}


def outbound_objects(
    session: AccountSession,
    *,
    call_id: str,
    trunk: str,
    caller: str,
    destination: str,
    start: datetime,
    seconds: int,
    billed: int,
    rate: Decimal,
    price: int,
    code: int,
    reason: str,
) -> tuple[list[tuple[datetime, dict[str, Any]]], list[tuple[datetime, dict[str, Any]]]]:
    """Return the events of a call from an outbound trunk, and its record, with their times."""
    end = start + timedelta(seconds=seconds)
    common: dict[str, Any] = {
        "source_ip": "192.0.2.1",
        "source_port": 5060,
        "call_id": call_id,
        "time_start": _iso(start),
        "pop": "NYC",
        "original_src_number": caller,
        "src_number": caller,
        "dst_number": destination,
        "trunk_name": trunk,
        "initial_billing_interval": 60,
        "next_billing_interval": 60,
        "p_charge_info": None,
    }
    ended: dict[str, Any] = {
        "time_connect": _iso(start) if seconds else None,
        "time_end": _iso(end),
        "duration": seconds,
        "billing_duration": billed,
        "disconnect_code": code,
        "disconnect_reason": reason,
        "success": seconds > 0,
        "price": price / 1000,
    }
    moments: list[tuple[datetime, str, dict[str, Any]]] = [(start, "start", {})]
    if seconds:
        moments.append((start, "connect", {"time_connect": _iso(start)}))
    moments.append((end, "end", ended))
    events: list[tuple[datetime, dict[str, Any]]] = [
        (
            at,
            {
                "type": f"outbound-call-{moment}-event",
                "id": leg_id(call_id),
                "attributes": {**common, "rate": f"{rate:.3f}", "diversion": [], **more},
            },
        )
        for at, moment, more in moments
    ]
    attributes = {
        **dict.fromkeys(name for name in OutboundCdr._field_map if name not in ("id", "type")),
        **common,
        **ended,
        "rate": float(rate),
        "source_protocol": "UDP",
        "call_type": "INTERNATIONAL",
        "customer_vat": 0,
    }
    return events, [(end, {"type": OutboundCdr._type_name, "id": session.new_id(), "attributes": attributes})]


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def _plain(moment: datetime) -> str:
    """Return a time in the form of inbound call records: UTC without a zone."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}"
