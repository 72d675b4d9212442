"""Keep the price list of outbound calls up to date, print what changed, and look up the price of a number.

Run: python prices.py [--number 442079460001] [--file voice_out_prices.csv.gz]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. It only reads.
"""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from didww import DidwwClient, DidwwError, PriceNotFoundError, VoiceOutPrice, read_prices

Rates: TypeAlias = dict[tuple[str, str], Decimal | None]


def rates(path: Path) -> Rates:
    """The rates of a price list by category and prefix; None if calls are rejected."""
    if not path.exists():
        return {}
    return {(price.category, price.prefix): price.rate for price in read_prices(path, VoiceOutPrice)}


def refresh(client: DidwwClient, path: Path) -> bool:
    """Download the price list if it has changed since the last run; return whether it has."""
    known = datetime.fromtimestamp(path.stat().st_mtime, UTC) if path.exists() else None
    file = client.prices().voice_out.download(path, if_modified_since=known)
    if file.changed and file.last_modified is not None:
        os.utime(path, (file.last_modified.timestamp(), file.last_modified.timestamp()))
    return file.changed


def main() -> None:
    parser = argparse.ArgumentParser(description="Keep the price list of outbound calls up to date.")
    parser.add_argument("--number", default="442079460001", help="number to look up (default: 442079460001)")
    parser.add_argument("--file", type=Path, default=Path("voice_out_prices.csv.gz"), help="where to keep the list")
    args = parser.parse_args()

    with DidwwClient(api_version="2026-11-19", scope="read") as client:
        before = rates(args.file)
        if refresh(client, args.file):
            after = rates(args.file)
            print(f"{args.file}: {len(after)} prices")
            for key in sorted(before.keys() & after.keys()):
                if before[key] != after[key]:
                    print(f"  {key[0]} {key[1]}: {before[key]} -> {after[key]}")
        else:
            print(f"{args.file} has not changed.")

        try:
            found = client.prices().voice_out.lookup(args.number).data
        except PriceNotFoundError:
            raise SystemExit(f"There is no price for {args.number}.") from None
        for price in found:
            cost = "rejected" if price.rate is None else f"{price.rate} USD a minute"
            later = f", {price.next_rate} from {price.effective_at:%Y-%m-%d}" if price.effective_at else ""
            print(f"{args.number}: {price.category}, {price.network or price.prefix}: {cost}{later}")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
