"""Order with your own reference, so that a restarted program does not order twice.

Run it twice: the second run finds the order of the first one, and spends nothing.

Run: python order_once.py PO-2026-0001 [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: setup and the first month of one number in London, once for each reference. It asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

from didww import DidOrderItem, DidwwClient, DidwwError, InsufficientBalanceError, Order, WaitError


def main() -> None:
    parser = argparse.ArgumentParser(description="Place an order once for each reference.")
    parser.add_argument("reference", nargs="?", default="PO-2026-0001", help="default: PO-2026-0001")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    args = parser.parse_args()

    with DidwwClient() as client:
        country = client.countries().one(filter={"iso": "GB"})
        group = client.did_groups().first(
            filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
            include="stock_keeping_units",
        )
        if group is None:
            raise SystemExit("No such number is in stock.")
        sku = min(group.stock_keeping_units, key=lambda sku: sku.setup_price + sku.monthly_price)
        known = client.orders().count(filter={"external_reference_id": args.reference})
        question = f"Buy a number for {sku.setup_price + sku.monthly_price} USD as {args.reference}? [y/N] "
        if not known and not args.yes and input(question).lower() != "y":
            raise SystemExit("Nothing was bought.")

        # If an order with this reference exists, `create` returns it. Otherwise, it places the order. It also finds the
        # order if its response was lost.
        item = DidOrderItem(sku_id=sku.id, qty=1)
        order = Order(items=[item], external_reference_id=args.reference, allow_back_ordering=False)
        try:
            order = client.orders().create(order, once=True).data
            order = client.orders().wait(order).data
        except InsufficientBalanceError as error:
            raise SystemExit(f"Top up first: {error.total_cost} USD needed, {error.available_balance} left.") from None
        except WaitError as error:
            raise SystemExit(f"{error} To order again, use another reference.") from None

        did = client.dids().one(filter={"order.id": order.id})
        what = "was placed before" if known else "is placed"
        print(f"{args.reference} {what}: order {order.reference}, {order.amount} USD, number {did.number}")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
    except EOFError:
        raise SystemExit("There is nobody to ask. Use --yes.") from None
