"""Whether an order that has the reference of a purchase is that purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.cli import lookups
from didww.cli.numbers.offers import find_offers
from didww.cli.orders_placed import another_purchase

if TYPE_CHECKING:
    from didww.cli.session import Session
    from didww.resources.order import Order

__all__ = ["check_same_purchase", "what"]


def what(order: Order) -> str:
    """Return what an order bought, in words."""
    qty = sum(item.qty for item in order.items)
    return f"{qty} number{'' if qty == 1 else 's'}"


def check_same_purchase(
    session: Session,
    order: Order,
    reference: str,
    *,
    sku: str | None,
    texts: tuple[str, ...],
    qty: int | None,
    criteria: dict[str, Any],
) -> None:
    """Check that an order bought what is wanted; with the reference alone, whatever it bought.

    Raises:
        RefusedError: It bought something else.
    """
    client = session.client
    if texts:
        numbers = {lookups.plain_number(text) for text in texts}
        bought = {did.number for did in client.dids().iterate(filter={"order.id": order.id})}
        same = numbers == bought or (not bought and sum(item.qty for item in order.items) == len(numbers))
    elif sku is None and qty is None and not any(criteria.values()):
        return
    else:
        same = sum(item.qty for item in order.items) == (qty or 1) and _same_place(client, order, sku, criteria)
    if not same:
        raise another_purchase(session, reference, order)


def _same_place(client: Any, order: Order, sku: str | None, criteria: dict[str, Any]) -> bool:
    """Return whether the numbers of an order are from a DID group that was asked for, at a price of its offers."""
    if not any(criteria.values()):
        return True
    groups = {getattr(item, "did_group_id", None) for item in order.items}
    offers = find_offers(client, **criteria, sold_out=True)
    fitting = {offer.group.id for offer in offers if sku is None or offer.sku.id == sku}
    return groups <= fitting
