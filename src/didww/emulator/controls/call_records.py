"""The one way to store simulated calls: rows of exports, entries of the ledger, and what is streamed."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from didww.emulator.controls.call_streams import inbound_cdr, inbound_event, outbound_objects, queue
from didww.emulator.controls.ledger import enter_placed
from didww.emulator.controls.stored_calls import TIME_FORMAT
from didww.emulator.data.cdr import (
    ALWAYS_METERED,
    CDR_IN_COLUMNS,
    CDR_OUT_COLUMNS,
    Attempt,
    Entry,
    charges,
    csv_line,
    dollars,
    network_of,
)
from didww.emulator.sip.model import CNAM_PREFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from didww.emulator.controls.call_streams import Moment
    from didww.emulator.data.cdr import Line
    from didww.emulator.engine.session import AccountSession
    from didww.emulator.sip.model import AttemptResult

__all__ = ["Call", "network_name", "new_call_id", "record_inbound", "record_outbound", "stream_moments"]

_CHARGES: Final = ("Toll-free", "PSTN", "Metered", "CNAM IN", "Total")


class Call(msgspec.Struct, frozen=True):
    """A simulated call.

    Attributes:
        call_id: Its `Call ID` in exports.
        at: Start time by the emulator's clock.
        line: The called number, or the id of the calling trunk.
        charged: Price in US dollars.
    """

    call_id: str
    at: str
    line: str
    charged: str


def new_call_id(session: AccountSession) -> str:
    """Return a `Call ID`."""
    return session.new_id().replace("-", "")[:16]


def record_inbound(
    session: AccountSession,
    line: Line,
    *,
    call_id: str,
    start: datetime,
    caller: str,
    attempts: Sequence[AttemptResult],
    caller_name: str = "",
    announced: Collection[Moment] = (),
    live: bool = False,
) -> Call:
    """Store a call to a number: a record for each attempt. Its events and records are streamed at their times.

    Args:
        session: The account.
        line: The number, with its routing and prices.
        call_id: `Call ID` of the records.
        start: When the call started; the times of the attempts are seconds since then.
        caller: The caller's number.
        attempts: The attempts, at least one.
        caller_name: The caller's name.
        announced: Events that were sent while the call was in progress.
        live: Whether it took real time, so that it has ended by now.
    """
    price = 0
    named = bool(caller_name) and caller.startswith(CNAM_PREFIX)
    records: list[tuple[datetime, dict[str, Any]]] = []
    for attempt in attempts:
        where = _where(line, attempt)
        name = caller_name if named and where is not None and where.names else ""
        answered = attempt.answered is not None
        seconds = attempt.whole_seconds
        cost = charges(line, where, seconds, named=named, metered=answered and line.metered_share == ALWAYS_METERED)
        began = start + timedelta(seconds=attempt.started)
        connected = None if attempt.answered is None else start + timedelta(seconds=attempt.answered)
        ended = start + timedelta(seconds=attempt.ended)
        values: dict[str, Any] = {
            "Date/Time Start (UTC)": began.strftime(TIME_FORMAT),
            "Date/Time Connect (UTC)": "" if connected is None else connected.strftime(TIME_FORMAT),
            "Date/Time End (UTC)": ended.strftime(TIME_FORMAT),
            "Status": "Completed" if answered else "Failed",
            "Source": caller,
            "Source Name": name,
            "Destination DID": line.number,
            "Duration (sec)": seconds,
            "Attempt": attempt.number,
            "Disconnect Code": attempt.code,
            "Response": attempt.reason,
            "Disconnect Initiator": attempt.initiator.value,
            "Voice IN Trunk": attempt.trunk,
            "Destination": attempt.destination,
            "Trunk Group": line.group,
            "Capacity Group": line.capacity_group,
            **{f"{name} (USD)": dollars(one) for name, one in zip(_CHARGES, (*cost, sum(cost)), strict=True)},
            "Call ID": call_id,
        }
        entry = Entry(attempt.trunk, line.number, answered, seconds, sum(cost))
        _store(session, "cdr_in", CDR_IN_COLUMNS, line.number, values, entry)
        price += sum(cost)
        record = inbound_cdr(
            session,
            line,
            attempt,
            cost,
            call_id=call_id,
            start=start,
            caller=caller,
            caller_name=name,
            is_last=attempt is attempts[-1],
        )
        records.append((start + timedelta(seconds=attempts[-1].ended), record))
    queue(session, "inbound", "cdrs", records, live=live)
    stream_moments(
        session, line.number, call_id=call_id, start=start, caller=caller, attempts=attempts, but=announced, live=live
    )
    return Call(call_id, start.strftime(TIME_FORMAT), line.number, dollars(price))


def stream_moments(
    session: AccountSession,
    number: str,
    *,
    call_id: str,
    start: datetime,
    caller: str,
    attempts: Sequence[AttemptResult] = (),
    but: Collection[Moment] = (),
    moments: Collection[Moment] = ("start", "connect", "end"),
    live: bool = False,
) -> None:
    """Stream the events of a call to a number.

    Args:
        session: The account.
        number: The called number.
        call_id: `Call ID` of its records.
        start: When the call started.
        caller: The caller's number.
        attempts: The attempts so far.
        but: Events that were sent.
        moments: Events to send; the one of the connection only if there was one.
        live: Whether they have happened by now, in real time.
    """
    answered = next((attempt for attempt in attempts if attempt.answered is not None), None)
    connect = None if answered is None else start + timedelta(seconds=answered.answered or 0.0)
    end = start + timedelta(seconds=attempts[-1].ended if attempts else 0.0)
    times = {"start": start, "connect": connect, "end": end}
    objects = [
        (
            at,
            inbound_event(
                moment,
                call_id=call_id,
                number=number,
                caller=caller,
                start=start,
                connect=connect,
                end=end,
                duration=0 if answered is None else answered.whole_seconds,
            ),
        )
        for moment in moments
        if moment not in but and (at := times[moment]) is not None
    ]
    queue(session, "inbound", "events", objects, live=live)


def record_outbound(
    session: AccountSession, trunk: str, destination: str, where: tuple[str, str], seconds: int, rate: Decimal
) -> Call | None:
    """Store a call from an outbound trunk, which spends from its threshold; a blocked trunk places none.

    Args:
        session: The account.
        trunk: Id of the trunk.
        destination: Called number.
        where: Country and network of the called number.
        seconds: Duration; 0 if it was not answered.
        rate: US dollars per minute.
    """
    from didww.emulator.behaviors.out_trunks import spend

    record = session.get("voice_out_trunks", trunk) or {}
    if record["status"] != "active":
        return None
    billed = -(-seconds // 60) * 60
    price = int((rate * billed / 60 * 1000).quantize(Decimal(1), ROUND_HALF_UP))
    callers = session.related("voice_out_trunks", trunk, "dids")
    caller = (session.get("dids", callers[0]) or {}).get("number", "") if callers else ""
    start, call_id = session.now(), new_call_id(session)
    values: dict[str, Any] = {
        "Date/Time Start (UTC)": start.strftime(TIME_FORMAT),
        "Date/Time Connect (UTC)": start.strftime(TIME_FORMAT) if seconds else "",
        "Date/Time End (UTC)": (start + timedelta(seconds=seconds)).strftime(TIME_FORMAT),
        "Status": "Completed" if seconds else "Failed",
        "Source": caller,
        "CLI": caller,
        "Destination Number": destination,
        "Call Duration (sec)": seconds,
        "Billing Duration (sec)": billed,
        "Disconnect Code": "200" if seconds else "487",
        "Disconnect Reason": "Normal call clearing" if seconds else "Request terminated",
        "Voice OUT Trunk": record["name"],
        "Destination Country": where[0],
        "Network": where[1],
        "Call Type": "International",
        "Rate (USD)": f"{rate:.3f}",
        "Charged (USD)": dollars(price),
        "Call ID": call_id,
    }
    entry = Entry(record["name"], caller, seconds > 0, seconds, price)
    _store(session, "cdr_out", CDR_OUT_COLUMNS, trunk, values, entry)
    events, records = outbound_objects(
        session,
        call_id=call_id,
        trunk=record["name"],
        caller=caller,
        destination=destination,
        start=start,
        seconds=seconds,
        billed=billed,
        rate=rate,
        price=price,
        code=int(values["Disconnect Code"]),
        reason=str(values["Disconnect Reason"]),
    )
    queue(session, "outbound", "events", events)
    queue(session, "outbound", "cdrs", records)
    spend(session, trunk, Decimal(dollars(price)))
    return Call(call_id, start.strftime(TIME_FORMAT), trunk, dollars(price))


def network_name(session: AccountSession, number: str) -> tuple[str, str]:
    """Return the country and network of a number; the country by its prefix if its rate is unknown."""
    country, network, _ = network_of(number)
    if not country:
        fitting = [
            candidate
            for candidate in session.find("countries")
            if candidate["prefix"] and number.startswith(candidate["prefix"])
        ]
        country = max(fitting, key=lambda candidate: len(candidate["prefix"]))["name"] if fitting else ""
    return country, network


def _where(line: Line, attempt: AttemptResult) -> Attempt | None:
    """Return the trunk of an attempt, as far as prices depend on it; None if no trunk was tried."""
    if not attempt.trunk:
        return None
    known = next((one for one in line.attempts if one.trunk == attempt.trunk), None)
    names = known is not None and known.names
    return Attempt(attempt.trunk, attempt.destination, forwarded=attempt.forwarded, names=names)


def _store(
    session: AccountSession, kind: str, columns: tuple[str, ...], line: str, values: dict[str, Any], entry: Entry
) -> None:
    row = csv_line([values.get(column, "") for column in columns])
    inserted = session.runtime.store.connection.execute(
        "INSERT INTO calls (owner, kind, line, at, row) VALUES (?, ?, ?, ?, ?)",
        (session.owner, kind, line, values["Date/Time Start (UTC)"], row),
    )
    enter_placed(session, inserted.lastrowid or 0, entry)
