"""`didww numbers buy`: find the offer, say what it costs, order once, wait, route."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.columns import columns_of, includes_of
from didww.cli import exit_codes, lookups, parameters
from didww.cli.bulk import plan_lines
from didww.cli.dry_run import DryRunError
from didww.cli.errors import RefusedError
from didww.cli.framework import Command
from didww.cli.locks import reference_lock
from didww.cli.numbers.offers import MORE_COLUMNS, Offer, find_offers, offer_options
from didww.cli.numbers.purchases import check_same_purchase, what
from didww.cli.numbers.routes import Route, route_options
from didww.cli.orders_placed import complete_order, find_order, place_order
from didww.cli.output import RecordTable, print_rows
from didww.exceptions import NotExactlyOneError
from didww.resources.did import Did
from didww.resources.order import Order
from didww.resources.order_item.available_did_order_item import AvailableDidOrderItem
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.order_item.reservation_did_order_item import ReservationDidOrderItem

if TYPE_CHECKING:
    from decimal import Decimal

    from didww.cli.session import Session

__all__ = ["buy"]

CHOICE: Final = ("sku id", "place", "channels", "monthly", "setup", "type", "stock", "registration")


@click.command(
    cls=Command,
    changes=True,
    examples=(
        "didww numbers buy GB --city London --type local --channels 0 --qty 2 --reference PO-17",
        "didww numbers buy US --npanxx 212555 --channels 2 --trunk Main",
        "didww numbers buy --number +442079460001 --channels 0",
    ),
)
@offer_options
@click.option("--sku", metavar="ID", help="The offer, as in the list.")
@click.option("--number", "texts", multiple=True, metavar="NUMBER", help="A particular number; repeatable.")
@click.option("--qty", type=click.IntRange(1, 1000), metavar="N", help="How many numbers. Defaults to 1.")
@route_options
@parameters.reference_option
@click.option("--back-order", is_flag=True, help="Wait for numbers that are out of stock.")
@click.option("--cycles", type=click.IntRange(0, 999), metavar="N", help="Billing cycles. Defaults to renewal.")
@parameters.no_wait_option
@parameters.wait_option("5m")
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
    wait_limit: float,
    **criteria: Any,
) -> None:
    """Buy numbers: one offer of `numbers search`, or particular numbers.

    Shows the price and asks before it orders. If several places or offers match, it lists them and buys nothing: add
    --region, --prefix, --type or --channels, or pass --sku. Then it waits for the numbers, routes them if --trunk or
    --group is given, and prints them.

    With --reference the command can be repeated, for instance after an interruption: it finds the order with that
    reference and goes on from there. Runs at the same time on one machine wait for each other. A reference of another
    purchase is refused.
    """
    client = session.client
    route = Route.of(client, trunk=trunk, group=group) if trunk or group else None
    if texts and (sku is not None or any(value for name, value in criteria.items() if name != "channels")):
        raise click.UsageError("--number goes with --channels only: it says which numbers already.")
    with reference_lock(session, reference):
        order: Any = find_order(client, reference)
        existed = order is not None
        if existed:
            check_same_purchase(session, order, str(reference), sku=sku, texts=texts, qty=qty, criteria=criteria)
            text = f"{what(order)}, {order.status}"
            session.say(f"Order {order.reference} has the reference {reference} already: {text}.")
        else:
            options: dict[str, Any] = {} if cycles is None else {"billing_cycles_count": cycles}
            if texts:
                items, lines = _particular(session, texts, qty, criteria["channels"], options)
            else:
                items, lines = _from_offer(session, sku, qty or 1, criteria, options, back_order=back_order)
            order = _order(session, items, lines, reference, route, back_order=back_order)
    target = () if route is None else ("--trunk" if trunk else "--group", str(trunk or group))
    again = ("numbers", "buy", "--reference", str(order.external_reference_id), *target)
    order = complete_order(session, order, no_wait=no_wait, limit=wait_limit, again=again)
    if order is None:
        return
    code = 0 if route is None else _route(session, order, route, ask=existed)
    dids = _dids(client, order)
    RecordTable(session.settings, Did).print(dids)
    names = " ".join(did.number for did in dids[:3]) + (" ..." if len(dids) > 3 else "")
    if any(did.awaiting_registration for did in dids):
        session.say(f"Blocked until registered. To register: {session.command_line('numbers', 'register')} {names}")
    if route is None and any(Route.current(did).target is None for did in dids):
        session.say(f"Not routed yet. To route: {session.command_line('numbers', 'route')} {names} --trunk NAME")
    if code:
        raise click.exceptions.Exit(code)


def _route(session: Session, order: Order, route: Route, *, ask: bool) -> int:
    """Route the numbers of an order; return the exit code if some were not.

    Args:
        session: The run.
        order: The order.
        route: The route.
        ask: Whether to ask: the numbers were bought before, and may be in use.
    """
    dids = _dids(session.client, order)
    changes = [change for did in dids if (change := route.change(did)).needed]
    if ask and changes:
        question = f"Reroute {len(changes)} number{'' if len(changes) == 1 else 's'} of order {order.reference}?"
        session.confirm(*plan_lines(changes), question=question)
    report = session.client.dids().update_many([change.record for change in changes])
    for change, item in zip(changes, report.items, strict=True):
        if item.state != "done" and not isinstance(item.error, DryRunError):
            state = "may not be routed" if item.state == "unknown" else "is not routed"
            session.say(f"{change.key} {state}: {item.error}")
    if report.unknown:
        return exit_codes.OUTCOME_UNKNOWN
    return exit_codes.PARTLY_DONE if report.failed else 0


def _dids(client: Any, order: Any) -> list[Did]:
    include = includes_of(
        Did, [path for column in columns_of(Did, client._configuration.api_version) for path in column.paths]
    )
    return list(client.dids().iterate(filter={"order.id": order.id}, include=include, sort="number"))


def _order(
    session: Session,
    items: list[Any],
    lines: list[str],
    reference: str | None,
    route: Route | None,
    *,
    back_order: bool,
) -> Any:
    request = Order(items=items, allow_back_ordering=back_order)
    if reference is not None:
        request.external_reference_id = reference
    if route is not None:
        lines.append(f"Route: {route}.")
    number = sum(item.qty if isinstance(item, DidOrderItem) else 1 for item in items)
    return place_order(session, request, lines, question=f"Buy {number} number{'' if number == 1 else 's'}?")


def _from_offer(
    session: Session, sku: str | None, qty: int, criteria: dict[str, Any], options: dict[str, Any], *, back_order: bool
) -> tuple[list[Any], list[str]]:
    """Return the item that buys numbers of an offer, and the lines that say what it costs."""
    offer = _one_offer(session, sku, criteria, sold_out=back_order)
    stock = offer.group.meta.total_count
    if stock is not None and stock < qty and not back_order:
        raise RefusedError(f"{stock} in stock, {qty} wanted. --back-order waits for more.")
    item = DidOrderItem(sku_id=offer.sku.id, qty=qty, **options)
    if criteria["npanxx"] is not None:
        item.nanpa_prefix_id = session.client.nanpa_prefixes().one(filter={"npanxx": criteria["npanxx"]}).id
    return [item], _terms(session, [offer] * qty)


def _one_offer(session: Session, sku: str | None, criteria: dict[str, Any], *, sold_out: bool) -> Offer:
    """Return the only offer that matches; list them if there are several.

    Raises:
        NotExactlyOneError: There is none.
        Exit: There are several; they were listed.
    """
    found = find_offers(session.client, **criteria, sold_out=sold_out)
    offers = [offer for offer in found if sku is None or offer.sku.id == sku]
    if len(offers) == 1:
        return offers[0]
    if not offers:
        raise NotExactlyOneError("No offer in stock matches. See: didww numbers search --sold-out.")
    session.say(f"{len(offers)} offers match; nothing was bought.")
    print_rows(session.settings, [offer.row() for offer in offers], CHOICE, more=MORE_COLUMNS)
    session.say("Add --region, --prefix, --type or --channels, or pass --sku.")
    raise click.exceptions.Exit(exit_codes.NOT_FOUND)


def _particular(
    session: Session, texts: tuple[str, ...], qty: int | None, channels: int | None, options: dict[str, Any]
) -> tuple[list[Any], list[str]]:
    """Return the items that buy particular numbers, reserved or not, and the lines that say what they cost."""
    if qty is not None:
        raise click.UsageError("--qty does not go with --number.")
    items: list[Any] = []
    offers: list[Offer] = []
    numbers = list(dict.fromkeys(lookups.plain_number(text) for text in texts))
    if own := [did.number for did in lookups.known_dids(session.client, numbers)]:
        raise RefusedError(f"The account has {own[0]} already. See: didww numbers show {own[0]}")
    for text in numbers:
        reservation = lookups.reservation(session.client, text)
        available = lookups.available_did(session.client, text) if reservation is None else reservation.available_did
        group = available.did_group
        offer = _offer_of(group, text, channels)
        offers.append(offer)
        if reservation is not None:
            item: Any = ReservationDidOrderItem(sku_id=offer.sku.id, did_reservation_id=reservation.id, **options)
        else:
            item = AvailableDidOrderItem(sku_id=offer.sku.id, available_did_id=available.id, **options)
        items.append(item)
    return items, _terms(session, offers)


def _offer_of(group: Any, number: str, channels: int | None) -> Offer:
    """Return the offer of a particular number: the only one, or that with the channels."""
    offers = [Offer(group, sku) for sku in group.stock_keeping_units]
    fitting = [offer for offer in offers if channels is None or offer.sku.channels_included_count == channels]
    if len(fitting) == 1:
        return fitting[0]
    prices = ", ".join(
        f"{offer.sku.channels_included_count} for {offer.sku.monthly_price} USD a month" for offer in offers
    )
    raise NotExactlyOneError(f"{number} is sold with different channels: {prices}. Add --channels.")


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
