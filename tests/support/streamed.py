"""Requests of CDR streaming, made by hand: the emulator sends none."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from didww import CallbackReceiver, CallEventVerifier

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from didww.callback.response import CallbackResponse

__all__ = ["TOKEN", "deliver", "inbound", "outbound", "receiver", "request", "work"]

TOKEN = {"X-Auth-Token": "test-token"}
_START = datetime(2026, 10, 31, 23, 50, tzinfo=UTC)


def inbound(number: int, attempt: int = 1, **changes: Any) -> dict[str, Any]:
    """An inbound record; the tenth call and later ones start in November."""
    start = _START + timedelta(minutes=number)
    attributes = {
        "time_start": f"{start:%Y-%m-%d %H:%M:%S}.250000",
        "time_connect": f"{start + timedelta(seconds=3):%Y-%m-%d %H:%M:%S}.000000",
        "time_end": f"{start + timedelta(seconds=63):%Y-%m-%d %H:%M:%S}.000000",
        "duration": 60,
        "success": True,
        "src_number": "12025550101",
        "did_number": "442079460001",
        "routing_attempt": attempt,
        "local_tag": f"in-{number}",
        "internal_disconnect_code": 200,
        "internal_disconnect_reason": "Bye",
        "trm_amount": 0.003,
    }
    return {"type": "inbound-cdr", "id": f"id-{number}-{attempt}", "attributes": {**attributes, **changes}}


def outbound(number: int, **changes: Any) -> dict[str, Any]:
    """An outbound record."""
    start = _START + timedelta(minutes=number)
    attributes = {
        "time_start": f"{start.isoformat(timespec='microseconds')}",
        "time_connect": None,
        "time_end": f"{(start + timedelta(seconds=9)).isoformat(timespec='microseconds')}",
        "duration": 0,
        "success": False,
        "call_id": f"out-{number}",
        "disconnect_code": 486,
        "trunk_name": "Dialer",
        "src_number": "442079460001",
        "dst_number": "12025550101",
        "rate": 0.004,
        "price": 0.012,
        "call_type": "INTERNATIONAL",
    }
    return {"type": "outbound-cdr", "id": f"id-{number}", "attributes": {**attributes, **changes}}


def request(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A request as DIDWW sends it: one object a line, compressed."""
    body = gzip.compress("\n".join(map(json.dumps, records)).encode(), mtime=0)
    return {"method": "POST", "url": "/calls", "headers": {**TOKEN, "Content-Encoding": "gzip"}, "body": body}


def receiver(store: Any = None) -> CallbackReceiver:
    """A receiver of such requests."""
    return CallbackReceiver(CallEventVerifier(headers=TOKEN), store=store)


def deliver(receiver: CallbackReceiver, *records: dict[str, Any]) -> CallbackResponse:
    """Send records to a receiver."""
    return receiver.handle(**request(records))


def work(folder: Path, first: int, batches: int) -> None:
    """Be one of several server processes: receive batches that overlap with those of the others."""
    from didww.cdr import CallSink

    with CallSink(folder, max_rows=20) as sink:
        app = receiver()
        sink.attach(app)
        for number in range(first, first + batches):
            records = [inbound(number * 5 + place) for place in range(10)]
            if deliver(app, *records).status != 200:
                raise AssertionError(number)
