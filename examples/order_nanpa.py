"""Buy a number with a chosen area code and exchange (NPA-NXX) in North America.

Run: python order_nanpa.py [212555] [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: setup and the first month of the number, from the balance. It shows the price and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

from didww import DidOrderItem, DidwwClient, DidwwError, InsufficientBalanceError, Order, ValidationError


def main() -> None:
    parser = argparse.ArgumentParser(description="Buy a number with a chosen area code and exchange.")
    parser.add_argument("npanxx", nargs="?", default="212555", help="six digits (default: 212555)")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    args = parser.parse_args()

    with DidwwClient() as client:
        if len(args.npanxx) != 6:  # the filter finds parts, too
            raise SystemExit("Give the area code and the exchange: six digits.")
        prefix = client.nanpa_prefixes().first(filter={"npanxx": args.npanxx})
        if prefix is None:
            raise SystemExit(f"DIDWW has no numbers that start with {args.npanxx}.")
        group = client.did_groups().first(
            filter={"nanpa_prefix.id": prefix.id, "is_available": True}, include="stock_keeping_units"
        )
        if group is None:
            raise SystemExit(f"No numbers that start with {args.npanxx} are in stock.")
        sku = min(group.stock_keeping_units, key=lambda sku: sku.setup_price + sku.monthly_price)
        print(f"{args.npanxx}: {group.area_name}, {sku.setup_price} USD setup, {sku.monthly_price} USD a month")
        if not args.yes and input(f"Buy one for {sku.setup_price + sku.monthly_price} USD? [y/N] ").lower() != "y":
            raise SystemExit("Nothing was bought.")

        # Without allow_back_ordering=False, the order would wait until a number with the prefix is in stock.
        item = DidOrderItem(sku_id=sku.id, qty=1, nanpa_prefix_id=prefix.id)
        try:
            order = client.orders().create(Order(items=[item], allow_back_ordering=False)).data
        except InsufficientBalanceError as error:
            raise SystemExit(f"Top up first: {error.total_cost} USD needed, {error.available_balance} left.") from None
        except ValidationError as error:
            raise SystemExit(f"The order was refused, and nothing was bought. {error}") from None
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
