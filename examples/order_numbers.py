"""Buy numbers in an area: show the price, ask, order, wait, and print the new numbers.

Run: python order_numbers.py [--country GB] [--area London] [--qty 1] [--yes] [--callback-url URL]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: setup and the first month of each number, from the balance. It shows the price and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

from didww import (
    CallbackMethod,
    DidOrderItem,
    DidwwClient,
    DidwwError,
    InsufficientBalanceError,
    Order,
    ValidationError,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Buy numbers in an area.")
    parser.add_argument("--country", default="GB", help="ISO code (default: GB)")
    parser.add_argument("--area", default="London", help="default: London")
    parser.add_argument("--qty", type=int, default=1, help="default: 1")
    parser.add_argument("--callback-url", help="URL to call when the order is completed, see callbacks_fastapi.py")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    args = parser.parse_args()

    with DidwwClient() as client:
        country = client.countries().first(filter={"iso": args.country.upper()})
        if country is None:
            raise SystemExit(f"There is no country {args.country}.")
        group = client.did_groups().first(
            filter={"country.id": country.id, "area_name": args.area, "is_available": True},
            include="stock_keeping_units",
        )
        if group is None or group.meta.total_count == 0:
            raise SystemExit(f"No numbers of {args.area}, {country.name} are in stock. Try another area.")
        sku = min(group.stock_keeping_units, key=lambda sku: sku.setup_price + sku.monthly_price)
        total = args.qty * (sku.setup_price + sku.monthly_price)
        prices = f"{sku.setup_price} USD setup, {sku.monthly_price} USD a month each"
        print(f"{group.area_name}, {country.name}: {group.meta.total_count} in stock, {prices}")
        if group.meta.needs_registration:
            print("These numbers are blocked until they are registered, see register_number.py.")
        if not args.yes and input(f"Buy {args.qty} for {total} USD, plus VAT if any? [y/N] ").lower() != "y":
            raise SystemExit("Nothing was bought.")

        order = Order(items=[DidOrderItem(sku_id=sku.id, qty=args.qty)], allow_back_ordering=False)
        if args.callback_url:
            order.callback_url, order.callback_method = args.callback_url, CallbackMethod.POST
        try:
            order = client.orders().create(order).data
        except InsufficientBalanceError as error:
            raise SystemExit(f"Top up first: {error.total_cost} USD needed, {error.available_balance} left.") from None
        except ValidationError as error:  # e.g. fewer numbers are in stock
            raise SystemExit(f"The order was refused, and nothing was bought. {error}") from None

        print(f"Order {order.reference} is placed.")
        order = client.orders().wait(order).data
        print(f"Order {order.reference} is {order.status}: {order.amount} USD")
        for did in client.dids().iterate(filter={"order.id": order.id}, sort="number"):
            print(f"  {did.number}, paid until {did.expires_at:%Y-%m-%d}")
        print(f"Balance: {client.balance().find().data.total_balance} USD")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
    except EOFError:
        raise SystemExit("There is nobody to ask. Use --yes.") from None
