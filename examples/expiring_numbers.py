"""Report the numbers whose paid period ends soon: which end for good, and which are renewed.

Run: python expiring_numbers.py [--days 35]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. It only reads.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

from didww import Did, DidwwClient, DidwwError


def what_happens(did: Did) -> str:
    """Say what happens to a number at the end of its paid period."""
    if did.terminated:
        return "ENDS: canceled"
    if did.billing_cycles_count == 0:
        return "ENDS: no renewals left"
    if did.billing_cycles_count is None:
        return "renewed"
    return f"renewed, {did.billing_cycles_count} renewals left"


def main() -> None:
    parser = argparse.ArgumentParser(description="Report the numbers whose paid period ends soon.")
    parser.add_argument("--days", type=int, choices=range(1, 367), metavar="DAYS", default=35, help="default: 35")
    args = parser.parse_args()

    with DidwwClient() as client:
        total, soon = 0, list[tuple[datetime, Did]]()
        for did in client.dids().iterate(sort="expires_at", page_size=100):
            # The time of the service, not of this machine: it differs in an emulator with another clock.
            limit = (client.server_time or datetime.now(UTC)) + timedelta(days=args.days)
            total += 1
            if did.expires_at is not None and did.expires_at < limit:
                soon.append((did.expires_at, did))

    ending = [did for _, did in soon if what_happens(did).startswith("ENDS")]
    print(f"{total} numbers; the paid period of {len(soon)} ends within {args.days} days; {len(ending)} end for good.")
    for expires_at, did in soon:
        print(f"  {expires_at:%Y-%m-%d}  {did.number:<15}  {what_happens(did)}  {did.description or ''}".rstrip())


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
