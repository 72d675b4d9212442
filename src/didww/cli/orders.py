"""`didww orders`: list, show, await and cancel orders."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

from didww._schema.columns import columns_of
from didww.cli import order_items, parameters, periods
from didww.cli.dry_run import DryRunError, step
from didww.cli.errors import RefusedError
from didww.cli.framework import Group
from didww.cli.lists import Listing, list_options
from didww.cli.output import RecordTable, plain, print_row, print_rows, print_value
from didww.cli.parameters import wait_option
from didww.cli.waits import wait_for
from didww.exceptions import DidwwError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from didww.cli.session import Session
    from didww.resources.order import Order

__all__ = ["find_order", "find_orders", "orders"]

_REFERENCE: Final = re.compile(r"[A-Z]{2,5}-\d+", re.IGNORECASE | re.ASCII)
_MADE_UP: Final = re.compile(r"didww-[0-9a-f]{32}")
MAX_SHOWN: Final = 20
"""Numbers that `orders show` lists."""

references_argument: Final = click.argument(
    "references", metavar="ORDER...", nargs=-1, required=True, shell_complete=parameters.complete_orders
)


@click.group(cls=Group, examples=("didww orders list --status pending", "didww orders list --since 7d -o csv"))
def orders() -> None:
    """List, show, await and cancel orders.

    An order is given by its reference (such as KTH-650932), by your own reference, or by its id.
    """


def find_order(client: Any, text: str) -> Order:
    """Return an order by DIDWW's reference, your own reference, or id.

    Raises:
        NotExactlyOneError: There is none, or several have your reference.
    """
    from didww._schema.filter_rules import UUID_TEXT
    from didww.exceptions import NotExactlyOneError

    text = text.strip()
    if UUID_TEXT.fullmatch(text):
        found: Order = client.orders().find(text).data
        return found
    matches: list[Order] = []
    if _REFERENCE.fullmatch(text):
        matches = client.orders().list(filter={"reference": text.upper()}).data
    if text and not matches:
        matches = client.orders().list(filter={"external_reference_id": text}).data
    if not matches:
        raise NotExactlyOneError(
            f"There is no order {text!r:.80}: neither a reference of DIDWW nor one of your own. See: didww orders list."
        )
    if len(matches) > 1:
        known = ", ".join(order.reference for order in matches[:5])
        raise NotExactlyOneError(
            f"{len(matches)} orders have your reference {text!r:.80}. Name one by DIDWW's: {known}.",
            found=len(matches),
        )
    return matches[0]


def find_orders(client: Any, references: Iterable[str]) -> list[Order]:
    """Return orders, each once."""
    found = [find_order(client, reference) for reference in references]
    return list({order.id: order for order in found}.values())


@orders.command("list", examples=("didww orders list --status pending", "didww orders list --since 2026-11-01 -o csv"))
@click.option(
    "--status", type=click.Choice(["pending", "completed", "canceled"]), multiple=True, help="Status; repeatable."
)
@click.option(
    "--since", type=periods.since, metavar="DATE|DURATION", help="Placed since this date or time (UTC), or e.g. 7d ago."
)
@click.option("--reference", type=parameters.reference, metavar="TEXT", help="Your own reference.")
@list_options
@click.pass_obj
def list_(
    session: Session,
    status: tuple[str, ...],
    since: datetime | timedelta | None,
    reference: str | None,
    listing: Listing,
) -> None:
    """List your orders. The latest comes first."""
    from didww.resources.order import Order

    query: dict[str, Any] = {}
    if status:
        query["status"] = list(status)
    if since is not None:
        query["created_at_gteq"] = since if isinstance(since, datetime) else session.now() - since
    if reference is not None:
        query["external_reference_id"] = reference
    records = listing.records(session, Order, query, sort="-created_at")
    settings = session.settings
    if settings.for_person:
        columns = columns_of(Order, session.settings.version)
        rows = ({column.heading: _shown(column.value(order)) for column in columns} for order in records)
        print_rows(settings, rows, [column.heading for column in columns])
    else:
        RecordTable(settings, Order).print(records)


def _shown(value: Any) -> Any:
    """Return a value for a table: references that a client made up say nothing to a person."""
    return None if isinstance(value, str) and _MADE_UP.fullmatch(value) else value


@orders.command(examples=("didww orders show KTH-650932", "didww orders show PO-17 -o json --query numbers"))
@click.argument("reference", metavar="ORDER", shell_complete=parameters.complete_orders)
@click.pass_obj
def show(session: Session, reference: str) -> None:
    """Show an order: what was bought, for how much, and its numbers."""
    from didww.resources.order import Order

    client, settings = session.client, session.settings
    order = find_order(client, reference)
    numbers = [did.number for did in client.dids().iterate(filter={"order.id": order.id}, sort="number")]
    names = order_items.names(client, order)
    table = RecordTable(settings, Order)
    if settings.columns is not None or (settings.output == "csv" and settings.query is None):
        table.print_one(order)
    elif settings.output != "table" or settings.query is not None:
        items = [{"name": name, **item.to_dict()} for name, item in zip(names, order.items, strict=True)]
        print_value(settings, {**table.object(order), "items": plain(items), "numbers": numbers})
    else:
        shown: Any = numbers
        if len(numbers) > MAX_SHOWN:
            command = session.command_line("numbers", "list", "-f", f"order.id={order.id}")
            shown = f"{len(numbers)}, listed by: {command}"
        print_row(settings, _lines(order, shown))
        click.echo()
        print_rows(settings, order_items.rows(order, names), order_items.COLUMNS)


def _lines(order: Order, numbers: Any) -> dict[str, Any]:
    return {
        "reference": order.reference,
        "your reference": _shown(order.external_reference_id),
        "id": order.id,
        "status": order.status,
        "created": order.created_at,
        "amount": f"{order.amount} USD",
        "numbers": numbers,
    }


@orders.command(changes=True, examples=("didww orders cancel KTH-650932", "didww orders cancel PO-17 --yes"))
@references_argument
@click.pass_obj
def cancel(session: Session, references: tuple[str, ...]) -> None:
    """Cancel orders that are still pending, and print the result for each.

    The price is returned to the balance. Orders of channels cannot be canceled. For numbers that you have, see: didww
    numbers cancel.
    """
    client = session.client
    chosen = find_orders(client, references)
    for order in chosen:
        if not order.is_pending:
            hint = " To give its numbers back: didww numbers cancel." if order.is_completed else ""
            raise RefusedError(f"Order {order.reference} is {order.status}. Only pending orders can be canceled.{hint}")
    plan = [
        f"Cancel {order.reference} ({order_items.summary(order)}): {order.amount} USD are returned to the balance."
        for order in chosen
    ]
    session.confirm(*plan, question="Cancel it?" if len(chosen) == 1 else f"Cancel {len(chosen)} orders?")
    results: list[tuple[Order, str]] = []
    try:
        for order in chosen:
            with step():
                _cancel(session, order, results)
    finally:
        if results:
            print_rows(session.settings, [_result(*pair) for pair in results], _RESULT_COLUMNS)
    session.known.clear()


_RESULT_COLUMNS: Final = ("order", "your reference", "result", "returned")


def _cancel(session: Session, order: Order, results: list[tuple[Order, str]]) -> None:
    """Cancel an order and note the result."""
    try:
        session.client.orders().delete(order)
    except DryRunError:
        raise
    except DidwwError as error:
        results.append((order, "unknown" if error.outcome_unknown else "failed"))
        raise
    results.append((order, "canceled"))
    session.known.append(f"Order {order.reference} was canceled.")


def _result(order: Order, result: str) -> dict[str, Any]:
    returned = order.amount if result == "canceled" else None
    values = (order.reference, _shown(order.external_reference_id), result, returned)
    return dict(zip(_RESULT_COLUMNS, values, strict=True))


@orders.command(examples=("didww orders wait KTH-650932", "didww orders wait PO-17 PO-18 --wait 30m"))
@references_argument
@wait_option("5m")
@click.pass_obj
def wait(session: Session, references: tuple[str, ...], wait_limit: float) -> None:
    """Wait until orders are completed, and print them.

    Exit codes: 0 if all are completed, 1 if one is canceled, 8 if one is still pending when the time is over.
    """
    from didww.resources.order import Order

    endpoint = session.client.orders()
    awaited = find_orders(session.client, references)
    again = session.command_line("orders", "wait", *(order.reference for order in awaited))
    end = time.monotonic() + wait_limit
    done: list[Order] = []
    for order in awaited:
        left = max(end - time.monotonic(), 0.001)
        name = f"Order {order.reference}"
        done.append(wait_for(session, endpoint, order, name=name, limit=left, again=again))
    RecordTable(session.settings, Order).print(done)
