"""Check whether the balance is low, for a monitoring system or cron.

Run: python check_balance.py [--minimum 50]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Exit code: 0 if there is enough, 1 if the balance is low, 3 if it could not be read.
Cost: nothing. It only reads.
"""

from __future__ import annotations

import argparse
import sys
from decimal import Decimal, InvalidOperation

from didww import DidwwClient, DidwwError


def amount(text: str) -> Decimal:
    """Return an amount of money given as text."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount")
    return value


def main() -> int:
    parser = argparse.ArgumentParser(description="Check whether the balance is low.")
    parser.add_argument("--minimum", type=amount, default=Decimal(50), help="in USD (default: 50)")
    args = parser.parse_args()
    try:
        with DidwwClient(timeout=20) as client:
            balance = client.balance().find().data
    except DidwwError as error:
        print(f"UNKNOWN: {error}")
        return 3
    amounts = f"{balance.total_balance} USD ({balance.balance} prepaid, {balance.credit} credit)"
    if balance.total_balance < args.minimum:
        print(f"LOW: {amounts}, less than {args.minimum} USD")
        return 1
    print(f"OK: {amounts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
