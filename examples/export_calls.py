"""Export the calls of the last days to a CSV file, and print totals for each number.

Run: python export_calls.py [--days 7] [--number NUMBER] [--out calls.csv]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. Call records are personal data: only you can read the file.
"""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from didww import ApiTimeoutError, DidwwClient, DidwwError, ExportType, InboundCall, read_calls
from didww.resources.export import CdrInFilters, Export


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the calls of the last days to a CSV file.")
    parser.add_argument(
        "--days",
        type=int,
        choices=range(1, 367),
        metavar="DAYS",
        default=7,
        help="default: 7; DIDWW keeps two whole months",
    )
    parser.add_argument("--number", help="calls of this number only")
    parser.add_argument("--out", type=Path, default=Path("calls.csv"), help="default: calls.csv")
    args = parser.parse_args()

    # The transfer may take long: `timeout` bounds the whole download.
    with DidwwClient(timeout=600) as client:
        now = datetime.now(UTC)
        filters: CdrInFilters = {"from": now - timedelta(days=args.days), "to": now}
        if args.number:
            filters["did_number"] = args.number
        export = client.exports().create(Export(export_type=ExportType.CDR_IN, filters=filters)).data
        try:
            export = client.exports().wait(export, timeout=600).data
        except ApiTimeoutError:
            raise SystemExit("DIDWW is still preparing the file. Try a shorter period, or later.") from None
        path = client.download_and_decompress_export(export, args.out)

    calls, seconds = Counter[str](), Counter[str]()
    for call in read_calls(path, InboundCall):
        number = call.did_number or ""
        calls[number] += 1
        seconds[number] += call.duration or 0

    print(f"{calls.total()} calls in {args.days} days, written to {path}")
    for number, count in calls.most_common(10):
        print(f"  {number:<15}  {count:>5} calls  {seconds[number] / 60:>8.1f} min")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
