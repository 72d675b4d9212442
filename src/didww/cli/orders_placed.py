"""Place an order once the user agrees, and wait until it is completed. With a reference, an order is placed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cli.errors import RefusedError, StillPendingError
from didww.cli.waits import wait_for
from didww.exceptions import DidwwError, NotExactlyOneError, WaitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.order import Order

__all__ = ["another_purchase", "complete_order", "find_order", "place_order"]


def find_order(client: Any, reference: str | None) -> Order | None:
    """Return the order with a reference of your own; None if there is none, or no reference.

    Raises:
        NotExactlyOneError: Several orders have it.
    """
    if reference is None:
        return None
    orders: list[Order] = client.orders().list(filter={"external_reference_id": reference}).data
    if len(orders) > 1:
        names = ", ".join(order.reference for order in orders)
        raise NotExactlyOneError(f"Several orders have the reference {reference!r:.80}: {names}.", found=len(orders))
    return orders[0] if orders else None


def another_purchase(session: Session, reference: str, order: Order) -> RefusedError:
    """Return the error for a reference that an order for something else has."""
    return RefusedError(
        f"The reference {reference!r:.80} belongs to order {order.reference}, which is another purchase. Pass another "
        f"--reference. See: {session.command_line('orders', 'show', order.reference)}"
    )


def place_order(session: Session, order: Order, lines: Sequence[str], *, question: str) -> Any:
    """Show what an order costs, ask, and place it; with a reference of your own, once.

    Args:
        session: The session; from now on it knows of the order.
        order: The order.
        lines: What will happen.
        question: The question.
    """
    session.confirm(*lines, question=question)
    once = "external_reference_id" in order.changes["attributes"]
    try:
        placed = session.client.orders().create(order, once=once).data
    except (DidwwError, KeyboardInterrupt) as error:
        lookup = getattr(error, "lookup", None)
        if getattr(error, "outcome_unknown", False) and lookup:
            line = session.command_line("orders", "list", "--reference", lookup["external_reference_id"])
            session.advice.append(f"The order may have been placed. To find it: {line}")
        raise
    line = session.command_line("orders", "show", placed.reference)
    session.known.append(f"Order {placed.reference} was placed; see: {line}")
    session.say(f"Ordered: {placed.reference}, {placed.amount} USD with VAT.")
    return placed


def complete_order(session: Session, order: Any, *, no_wait: bool, limit: float, again: Sequence[str]) -> Any:
    """Wait until an order is completed, and return it. An order that stays pending is printed.

    Args:
        session: The session. Until its end, it advises to continue with `again`.
        order: The order.
        no_wait: Whether to print the order instead of waiting.
        limit: Seconds to wait at most.
        again: The command that continues, without `didww`.

    Returns:
        The completed order; None if `no_wait` is set.

    Raises:
        RefusedError: The service canceled it.
        StillPendingError: It is still pending.
    """
    from didww.cli.output import RecordTable
    from didww.resources.order import Order

    name = f"Order {order.reference}"
    table = RecordTable(session.settings, Order)
    if no_wait and not order.is_canceled:
        table.print_one(order)
        return None
    command = session.command_line(*again)
    try:
        completed = wait_for(session, session.client.orders(), order, name=name, limit=limit, again=command)
    except StillPendingError:
        table.print_one(order)
        raise
    except WaitError:
        session.known.clear()
        raise RefusedError(f"{name} was canceled by the service.") from None
    session.advice.append(f"To continue: {command}")
    return completed
