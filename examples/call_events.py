"""Receive call events and call records (Call Events, CDR Streaming), and print them with the number's description.

DIDWW's support enables this service, and you set the URL and the password in the user panel (API, Call Events API).
The emulator does not send call events. To try it, send one yourself:
  curl -u didww:PASSWORD http://127.0.0.1:8000/ \
    -d '{"type": "inbound-cdr", "id": "1", "attributes": {"did_number": "442079460000", "duration": 42}}'

Run: DIDWW_EVENTS_PASSWORD=... python call_events.py [--port 8000]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL; and DIDWW_EVENTS_PASSWORD, the password that you set.
Cost: nothing. It needs `uvicorn`. Behind a proxy with TLS only: the password is sent with each request.
"""

from __future__ import annotations

import argparse
import os

import uvicorn

from didww import (
    CallbackReceiver,
    CallEvent,
    CallEventVerifier,
    DidwwClient,
    DidwwError,
    InboundCallStart,
    InboundCdr,
    OutboundCdr,
)


def create_receiver(password: str, names: dict[str, str]) -> CallbackReceiver:
    """Return the receiver; `names` are the descriptions of numbers."""
    receiver = CallbackReceiver(CallEventVerifier(basic_auth=("didww", password)))

    # Every attribute may be None: the service's documentation does not confirm all of them.
    def name(number: str | None) -> str:
        return names.get(number or "", number or "unknown")

    @receiver.on(InboundCallStart)
    def ringing(event: InboundCallStart) -> None:
        print(f"{event.src_number or 'unknown'} calls {name(event.did_number)}", flush=True)

    @receiver.on(InboundCdr)
    def inbound(record: InboundCdr) -> None:
        print(f"call to {name(record.did_number)} ended after {record.duration} s", flush=True)

    @receiver.on(OutboundCdr)
    def outbound(record: OutboundCdr) -> None:
        print(f"outbound call ended after {record.duration} s", flush=True)

    @receiver.on(CallEvent)
    def anything_else(event: CallEvent) -> None:
        print(f"{event.type} {event.id}", flush=True)

    return receiver


def main() -> None:
    parser = argparse.ArgumentParser(description="Receive call events and call records.")
    parser.add_argument("--port", type=int, default=8000, help="default: 8000")
    args = parser.parse_args()
    password = os.environ.get("DIDWW_EVENTS_PASSWORD")
    if not password:
        raise SystemExit("Set DIDWW_EVENTS_PASSWORD to the password that you set in the user panel.")
    with DidwwClient() as client:
        names = {did.number: did.description or did.number for did in client.dids().iterate(page_size=100)}
    print(f"Waiting for events of {len(names)} numbers, port {args.port}   Press Ctrl-C to stop.", flush=True)
    uvicorn.run(create_receiver(password, names).asgi(), port=args.port, log_level="warning")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
