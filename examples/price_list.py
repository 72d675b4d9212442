"""Write the coverage and prices of a country to a CSV file.

Run: python price_list.py [--country GB] [--out prices.csv]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. It only reads.
"""

from __future__ import annotations

import argparse
import csv
from decimal import Decimal
from pathlib import Path

from didww import DidwwClient, DidwwError

COLUMNS = ("country", "area", "prefix", "type", "features", "channels", "setup", "monthly", "stock", "registration")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the coverage and prices of a country to a CSV file.")
    parser.add_argument("--country", default="GB", help="ISO code (default: GB)")
    parser.add_argument("--out", type=Path, default=Path("prices.csv"), help="default: prices.csv")
    args = parser.parse_args()

    with DidwwClient() as client:
        country = client.countries().first(filter={"iso": args.country.upper()})
        if country is None:
            raise SystemExit(f"There is no country {args.country}.")

        # One row for each price: a group has several, with different numbers of included channels.
        rows: list[tuple[object, ...]] = []
        prices = list[tuple[Decimal, str]]()
        for group in client.did_groups().iterate(
            filter={"country.id": country.id}, include=["did_group_type", "stock_keeping_units"], page_size=100
        ):
            kind = group.did_group_type.name if group.did_group_type else ""
            features = " ".join(group.features)
            for sku in group.stock_keeping_units:
                rows.append(
                    (
                        country.iso,
                        group.area_name,
                        f"{country.prefix}{group.prefix}",
                        kind,
                        features,
                        sku.channels_included_count,
                        sku.setup_price,
                        sku.monthly_price,
                        group.meta.total_count,
                        "yes" if group.meta.needs_registration else "no",
                    )
                )
                if group.meta.is_available:
                    prices.append((sku.monthly_price, f"{group.area_name} ({kind})"))

    with args.out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows)

    print(f"{country.name}: {len(rows)} prices written to {args.out}")
    print("Lowest monthly prices of numbers in stock, in USD without VAT:")
    for price, area in sorted(prices)[:5]:
        print(f"  {price:>6}  {area}")


if __name__ == "__main__":
    try:
        main()
    except (DidwwError, OSError) as error:
        raise SystemExit(str(error)) from None
