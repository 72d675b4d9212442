"""Reserve a number for ten minutes, then buy it or release it.

Nobody else can buy the number while, for example, your customer decides.

Run: python reserve_number.py [--country GB] [--contains 94600] [--yes]
Variables: DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing for the reservation. If you buy: setup and the first month of the number, from the balance.
It shows the price and asks first; --yes does not ask.
"""

from __future__ import annotations

import argparse

from didww import (
    DidReservation,
    DidwwClient,
    DidwwError,
    InsufficientBalanceError,
    Order,
    ReservationDidOrderItem,
    ValidationError,
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Reserve a number for ten minutes, then buy it or release it.")
    parser.add_argument("--country", default="GB", help="ISO code (default: GB)")
    parser.add_argument("--contains", default="94600", help="digits in the number (default: 94600)")
    parser.add_argument("--yes", action="store_true", help="buy without asking")
    args = parser.parse_args()

    with DidwwClient() as client:
        country = client.countries().first(filter={"iso": args.country.upper()})
        if country is None:
            raise SystemExit(f"There is no country {args.country}.")
        available = client.available_dids().first(
            filter={"country.id": country.id, "number_contains": args.contains},
            include="did_group.stock_keeping_units",
        )
        if available is None or available.did_group is None:
            raise SystemExit("No such number is in stock.")
        skus = available.did_group.stock_keeping_units
        sku = min(skus, key=lambda sku: sku.setup_price + sku.monthly_price)

        reservation = DidReservation(available_did=available, description="reserve_number.py")
        reservation = client.did_reservations().create(reservation).data
        print(f"{available.number} is reserved for you until {reservation.expires_at:%H:%M:%S} UTC.")

        try:
            question = f"Buy it for {sku.setup_price + sku.monthly_price} USD, plus VAT if any? [y/N] "
            if not args.yes and input(question).lower() != "y":
                raise SystemExit("Nothing was bought.")  # noqa: TRY301 releases the number, as other refusals
            item = ReservationDidOrderItem(sku_id=sku.id, did_reservation_id=reservation.id)
            order = client.orders().create(Order(items=[item])).data
        except (SystemExit, EOFError, KeyboardInterrupt, InsufficientBalanceError, ValidationError) as error:
            # Certainly not bought. After any other error the order may exist, and it uses up the reservation.
            client.did_reservations().delete(reservation)
            print(f"{available.number} is released.")
            if isinstance(error, InsufficientBalanceError):
                needed, left = error.total_cost, error.available_balance
                raise SystemExit(f"Top up first: {needed} USD needed, {left} left.") from None
            raise
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
