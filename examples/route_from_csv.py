"""Route many numbers as a CSV file says, and write a report of each row.

The file has the columns number, route (the name of a trunk or a trunk group) and description. See routes.csv.

Run: python route_from_csv.py [routes.csv] [--dry-run] [--report report.csv]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. Calls take the new routes immediately; --dry-run only shows what would change.
Exit code: 0 if all rows are done, 1 if some are not. You can run it again.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from didww import Did, DidwwClient, DidwwError, VoiceInTrunk


def main() -> int:
    parser = argparse.ArgumentParser(description="Route many numbers as a CSV file says.")
    parser.add_argument("file", nargs="?", type=Path, default=Path(__file__).with_name("routes.csv"))
    parser.add_argument("--dry-run", action="store_true", help="change nothing")
    parser.add_argument("--report", type=Path, default=Path("report.csv"), help="default: report.csv")
    args = parser.parse_args()
    with args.file.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    if not {"number", "route", "description"} <= {*(reader.fieldnames or [])}:
        raise SystemExit(f"{args.file} needs the columns number, route and description, separated by commas.")
    if any(value is None for row in rows for value in row.values()):
        raise SystemExit(f"{args.file} has a row with too few values. Nothing was changed.")
    if args.report.resolve() == args.file.resolve():
        raise SystemExit("The report would replace the file. Choose another --report.")

    results = ["" for _ in rows]
    changed: list[tuple[int, Did]] = []
    with DidwwClient() as client:
        targets = {one.name: one for one in client.voice_in_trunks().iterate()}
        groups = {one.name: one for one in client.voice_in_trunk_groups().iterate()}
        dids = {did.number: did for did in client.dids().iterate(include=["voice_in_trunk", "voice_in_trunk_group"])}
        for index, row in enumerate(rows):
            did, target = dids.pop(row["number"], None), targets.get(row["route"]) or groups.get(row["route"])
            if did is None:
                results[index] = "not in this account, or twice in the file"
            elif target is None:
                results[index] = f"no trunk or trunk group named {row['route']}"
            elif (did.voice_in_trunk or did.voice_in_trunk_group) == target and did.description == row["description"]:
                results[index] = "unchanged"
            else:
                if isinstance(target, VoiceInTrunk):
                    did.voice_in_trunk = target  # clears the trunk group
                else:
                    did.voice_in_trunk_group = target  # clears the trunk
                did.description = row["description"]
                results[index] = "would change"
                changed.append((index, did))
        if not args.dry_run:
            report = client.dids().update_many(did for _, did in changed)
            for item in report.items:
                results[changed[item.index][0]] = "changed" if item.error is None else f"{item.state}: {item.error}"

    with args.report.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("number", "route", "result"))
        writer.writerows((row["number"], row["route"], result) for row, result in zip(rows, results, strict=True))
    for row, result in zip(rows, results, strict=True):
        print(f"{row['number']:<15}  {row['route']:<15}  {result}")
    good = sum(result in ("changed", "unchanged", "would change") for result in results)
    print(f"{good} of {len(rows)} rows have no error; see {args.report}")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (DidwwError, OSError, UnicodeError) as error:
        raise SystemExit(str(error)) from None
