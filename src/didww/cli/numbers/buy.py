"""`didww numbers buy`: find the offer, say what it costs, order once, wait, route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww.cli import exit_codes, lookups, parameters
from didww.cli.framework import Command
from didww.cli.numbers.offers import MORE_COLUMNS, Offer, find_offers, offer_options
from didww.cli.numbers.routes import Route, route_options
from didww.cli.orders_placed import finish_order, place_order
from didww.cli.output import RecordTable, print_rows
from didww.exceptions import NotExactlyOneError

if TYPE_CHECKING:
    from decimal import Decimal

    from didww.cli.session import Session
    from didww.resources.did import Did

__all__ = ["buy"]

CHOICE: Final = ("sku id", "place", "channels", "monthly", "setup", "type", "stock", "registration")


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww numbers buy GB --city London --type local --channels 0 --qty 2 --reference PO-17",
        "didww numbers buy US --npanxx 212555 --channels 2 --trunk Main",
        "didww numbers buy --number +442079460001",
    ),
)
@offer_options
@click.option("--sku", metavar="ID", help="The offer, as in the list.")
@click.option("--number", "texts", multiple=True, metavar="NUMBER", help="A particular number; repeatable.")
@click.option("--qty", type=click.IntRange(1, 1000), metavar="N", help="How many numbers. Defaults to 1.")
@route_options
@click.option("--reference", metavar="TEXT", help="Your own reference: the same one never orders twice.")
@click.option("--back-order", is_flag=True, help="Wait for numbers that are out of stock.")
@click.option("--cycles", type=click.IntRange(0, 999), metavar="N", help="Billing cycles. Defaults to renewal.")
@click.option("--no-wait", is_flag=True, help="Do not wait until the order is completed.")
@parameters.timeout_option("5m")
@click.pass_obj
def buy(
    session: Session,
    /,
    sku: str | None,
    texts: tuple[str, ...],
    qty: int | None,
    trunk: str | None,
    group: str | None,
    reference: str | None,
    back_order: bool,
    cycles: int | None,
    no_wait: bool,
    timeout: float,
    **criteria: Any,
) -> None:
    """Buy numbers: one offer of `numbers search`, or particular numbers.

    Shows the price and asks before it orders. If several places or offers match, it lists them and buys nothing: add
    --region, --prefix, --type or --channels, or pass --sku. Then it waits for the numbers, routes them if --trunk or
    --group is given, and prints them.

    With --reference the command can be repeated, for instance after an interruption: it finds the order with that
    reference and goes on from there.
    """
    from didww.resources.order import Order
    from didww.resources.order_item.did_order_item import DidOrderItem

    client = session.client
    route = Route.of(client, trunk=trunk, group=group) if trunk or group else None
    options: dict[str, Any] = {} if cycles is None else {"billing_cycles_count": cycles}
    order = None
    if reference is not None:
        order = client.orders().first(filter={"external_reference_id": reference})
    if order is not None:
        count = sum(item.qty for item in order.items)
        numbers = f"{count} number{'' if count == 1 else 's'}"
        session.say(f"Order {order.reference} has the reference {reference} already ({numbers}, {order.status}).")
        session.known.append(f"Order {order.reference} was placed before; see: didww orders show {order.reference}")
    else:
        if texts:
            items, lines = _particular(session, texts, qty, options)
        else:
            offer = _one_offer(session, sku, criteria)
            number = qty or 1
            item = DidOrderItem(sku_id=offer.sku.id, qty=number, **options)
            if criteria["npanxx"] is not None:
                prefix = client.nanpa_prefixes().one(filter={"npanxx": criteria["npanxx"]})
                item.nanpa_prefix_id = prefix.id
            items, lines = list[Any]([item]), _terms(session, [offer] * number)
        request = Order(items=items, allow_back_ordering=back_order)
        if reference is not None:
            request.external_reference_id = reference
        if route is not None:
            lines.append(f"Route: {route}.")
        count = sum(item.qty for item in items) if not texts else len(items)
        order = place_order(session, request, lines, question=f"Buy {count} number{'' if count == 1 else 's'}?")
    if no_wait:
        session.say(f"Order {order.reference} is {order.status}.")
        return
    order = finish_order(session, order, timeout=timeout)
    table = RecordTable(session.settings, _did_class())
    dids = list(client.dids().iterate(filter={"order.id": order.id}, include=table.includes, sort="number"))
    if route is not None:
        route.apply(session, dids)
        dids = list(client.dids().iterate(filter={"order.id": order.id}, include=table.includes, sort="number"))
    if any(did.awaiting_registration for did in dids):
        session.say("They are blocked until they are registered: didww numbers register NUMBER...")
    table.print(dids)


def _did_class() -> type[Did]:
    from didww.resources.did import Did

    return Did


def _one_offer(session: Session, sku: str | None, criteria: dict[str, Any]) -> Offer:
    """Return the only offer that matches; list them if there are several.

    Raises:
        NotExactlyOneError: There is none.
        Exit: There are several; they were listed.
    """
    offers = [offer for offer in find_offers(session.client, **criteria) if sku is None or offer.sku.id == sku]
    if len(offers) == 1:
        return offers[0]
    if not offers:
        raise NotExactlyOneError("No offer in stock matches. See: didww numbers search --sold-out.")
    session.say(f"{len(offers)} offers match; nothing was bought.")
    print_rows(session.settings, [offer.row() for offer in offers], CHOICE, more=MORE_COLUMNS)
    session.say("Add --region, --prefix, --type or --channels, or pass --sku.")
    raise click.exceptions.Exit(exit_codes.NOT_FOUND)


def _particular(
    session: Session, texts: tuple[str, ...], qty: int | None, options: dict[str, Any]
) -> tuple[list[Any], list[str]]:
    """Return the items that buy particular numbers, reserved or not, and the lines that say what they cost."""
    from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
    from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem

    if qty is not None:
        raise click.UsageError("--qty does not go with --number.")
    items: list[Any] = []
    offers: list[Offer] = []
    for text in dict.fromkeys(lookups.plain_number(text) for text in texts):
        reservation = lookups.reservation(session.client, text)
        available = lookups.available_did(session.client, text) if reservation is None else reservation.available_did
        group = available.did_group
        offer = min((Offer(group, sku) for sku in group.stock_keeping_units), key=lambda offer: offer.price)
        offers.append(offer)
        if reservation is not None:
            item: Any = ReservationDidOrderItem(sku_id=offer.sku.id, did_reservation_id=reservation.id, **options)
        else:
            item = AvailableDidOrderItem(sku_id=offer.sku.id, available_did_id=available.id, **options)
        items.append(item)
    return items, _terms(session, offers)


def _terms(session: Session, offers: list[Offer]) -> list[str]:
    """Return the lines that say what is bought, and what it costs."""
    now: Decimal = sum((offer.price for offer in offers), start=offers[0].price * 0)
    monthly: Decimal = sum((offer.sku.monthly_price for offer in offers), start=now * 0)
    balance = session.client.balance().find().data.total_balance
    lines: list[str] = []
    for offer in dict.fromkeys(offers):
        row = offer.row()
        lines.append(
            f"{offers.count(offer)} x {offer.place}, {row['type']}, {row['channels']} channels: setup "
            f"{offer.sku.setup_price}, monthly {offer.sku.monthly_price} USD each. Registration: {row['registration']}."
        )
    lines.append(f"Now {now} USD, then {monthly} USD a month, without VAT.")
    enough = "" if balance >= now else " It does not cover the order."
    lines.append(f"Balance {balance} USD, afterwards {balance - now} USD.{enough}")
    return lines
