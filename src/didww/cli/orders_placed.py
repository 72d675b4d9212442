"""Place an order once the user agrees, and wait until it is completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cli.errors import RefusedError
from didww.cli.waits import wait_for
from didww.exceptions import DidwwError, WaitError

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


def finish_order(session: Session, order: Any, *, timeout: float, again: str) -> Any:
    """Wait until an order is completed, and return it.

    Args:
        session: The session.
        order: The order.
        timeout: Seconds to wait.
        again: The command that goes on.

    Raises:
        RefusedError: The service canceled it.
        StillPendingError: It is still pending.
    """
    name = f"Order {order.reference}"
    try:
        return wait_for(session, session.client.orders(), order, name=name, timeout=timeout, again=again)
    except WaitError:
        session.known.clear()
        raise RefusedError(f"{name} was canceled by the service.") from None
