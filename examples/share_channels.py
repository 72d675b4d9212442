"""Buy channels for a capacity pool, and share them among all numbers of a country.

Run: python share_channels.py [--country GB] [--channels 2] [--name Shared] [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: the channels, each month until you give them up. It shows the price and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

from didww import (
    CapacityOrderItem,
    DidwwClient,
    DidwwError,
    InsufficientBalanceError,
    Order,
    SharedCapacityGroup,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Buy channels, and share them among the numbers of a country.")
    parser.add_argument("--country", default="GB", help="ISO code (default: GB)")
    parser.add_argument("--channels", type=int, choices=range(1, 10_001), metavar="N", default=2, help="default: 2")
    parser.add_argument("--name", default="Shared", help="name of the group (default: Shared)")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    args = parser.parse_args()

    with DidwwClient() as client:
        country = client.countries().first(filter={"iso": args.country.upper()})
        pool = client.capacity_pools().first(filter={"country.id": country.id}) if country else None
        if country is None or pool is None:
            raise SystemExit(f"There is no capacity pool for {args.country}.")
        if client.shared_capacity_groups().count(filter={"name": args.name}):
            raise SystemExit(f"There is a group {args.name} already. Use another --name.")
        dids = list(client.dids().iterate(filter={"country.id": country.id}))
        if not dids:
            raise SystemExit(f"The account has no numbers in {country.name}. Buy some: order_numbers.py")

        free = pool.total_channels_count - pool.assigned_channels_count
        qty = max(args.channels - free, 0)
        print(f"Pool {pool.name}: {free} free channels, {pool.monthly_price} USD a month for each new one.")
        if qty:
            qty = max(qty, pool.minimum_qty_per_order)
            price = qty * (pool.monthly_price + pool.setup_price)
            if not args.yes and input(f"Buy {qty} for up to {price} USD, plus VAT if any? [y/N] ").lower() != "y":
                raise SystemExit("Nothing was bought.")
            try:
                order = client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=qty)])).data
            except InsufficientBalanceError as error:
                needed, left = error.total_cost, error.available_balance
                raise SystemExit(f"Top up first: {needed} USD needed, {left} left.") from None
            print(f"Order {order.reference} is placed.")
            order = client.orders().wait(order).data
            print(f"Order {order.reference}: {order.amount} USD for the rest of the month.")

        group = SharedCapacityGroup(name=args.name, shared_channels_count=args.channels, capacity_pool=pool, dids=dids)
        group = client.shared_capacity_groups().create(group, include="dids").data
        print(f"Group {group.name}: {len(group.dids)} numbers share {group.shared_channels_count} channels.")


if __name__ == "__main__":
    try:
        main()
    except DidwwError as error:
        raise SystemExit(str(error)) from None
    except EOFError:
        raise SystemExit("There is nobody to ask. Use --yes.") from None
