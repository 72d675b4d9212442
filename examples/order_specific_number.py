"""Buy a particular number: search the numbers in stock for digits, and order the one you choose.

Run: python order_specific_number.py [--country GB] [--contains 94600] [--number NUMBER] [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: setup and the first month of the number, from the balance. It shows the price and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

from didww import (
    AvailableDidOrderItem,
    DidwwClient,
    DidwwError,
    InsufficientBalanceError,
    Order,
    ValidationError,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Buy a particular number.")
    parser.add_argument("--country", default="GB", help="ISO code (default: GB)")
    parser.add_argument("--contains", default="94600", help="digits in the number (default: 94600)")
    parser.add_argument("--number", help="the number to buy (default: the first one found)")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    args = parser.parse_args()

    with DidwwClient() as client:
        country = client.countries().first(filter={"iso": args.country.upper()})
        if country is None:
            raise SystemExit(f"There is no country {args.country}.")
        response = client.available_dids().list(
            filter={"country.id": country.id, "number_contains": args.number or args.contains},
            include="did_group.stock_keeping_units",
        )
        found = [did for did in response.data if args.number in (None, did.number)]
        if not found:
            raise SystemExit("No such number is in stock.")
        print(f"{response.total_records} numbers in stock, such as", ", ".join(did.number for did in found[:5]))

        chosen = found[0]
        assert chosen.did_group is not None  # for type checkers: it was included
        skus = chosen.did_group.stock_keeping_units
        if chosen.did_group.meta.needs_registration:
            print(f"{chosen.number} is blocked until it is registered, see register_number.py.")
        sku = min(skus, key=lambda sku: sku.setup_price + sku.monthly_price)
        question = f"Buy {chosen.number} for {sku.setup_price + sku.monthly_price} USD, plus VAT if any? [y/N] "
        if not args.yes and input(question).lower() != "y":
            raise SystemExit("Nothing was bought.")

        item = AvailableDidOrderItem(sku_id=sku.id, available_did_id=chosen.id)
        try:
            order = client.orders().create(Order(items=[item])).data
        except InsufficientBalanceError as error:
            raise SystemExit(f"Top up first: {error.total_cost} USD needed, {error.available_balance} left.") from None
        except ValidationError as error:  # somebody else was faster
            raise SystemExit(f"{chosen.number} was not bought. {error}") from None
        print(f"Order {order.reference} is placed.")
        order = client.orders().wait(order).data
        did = client.dids().one(filter={"order.id": order.id})
        print(f"Order {order.reference}: {order.amount} USD, number {did.number}")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
    except EOFError:
        raise SystemExit("There is nobody to ask. Use --yes.") from None
