"""Place an order once the user agrees, and wait until it is completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from didww.cli import exit_codes
from didww.exceptions import ApiTimeoutError, DidwwError, WaitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from didww.cli.session import Session
    from didww.resources.order import Order

__all__ = ["finish_order", "place_order"]


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
    except DidwwError as error:
        if error.outcome_unknown and error.lookup:
            session.known.append(f"To find it: didww orders list --reference {error.lookup['external_reference_id']}")
        raise
    session.known.append(f"Order {placed.reference} was placed; see: didww orders show {placed.reference}")
    session.say(f"Ordered: {placed.reference}, {placed.amount} USD with VAT.")
    return placed


def finish_order(session: Session, order: Any, *, timeout: float) -> Any:
    """Wait until an order is completed, and return it.

    Raises:
        Exit: It is still pending, or it was canceled.
    """
    from didww.cli.terminal import waiting

    try:
        with waiting(f"Order {order.reference}") as show:

            def reached(current: Any) -> bool:
                show(str(current.status))
                return bool(current.is_completed)

            return session.client.orders().wait(order, until=reached, timeout=timeout).data
    except ApiTimeoutError:
        session.say(f"Order {order.reference} is still pending. To go on: didww orders wait {order.reference}")
        raise click.exceptions.Exit(exit_codes.PARTLY_DONE) from None
    except WaitError:
        session.say(f"Order {order.reference} was canceled by the service; its price is returned.")
        raise click.exceptions.Exit(exit_codes.REFUSED) from None
