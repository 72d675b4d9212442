"""What an order costs, as far as it is known from its items."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from didww.resources.order import Order

__all__ = ["Cost", "cost"]


class _Price(NamedTuple):
    """What an item is, and its prices for one."""

    what: str
    setup: Decimal
    monthly: Decimal


class Cost(NamedTuple):
    """Lines that say what an order costs, and whether the price of each item is known."""

    lines: list[str]
    known: bool


def cost(client: Any, order: Order) -> Cost:
    """Return what an order costs: a line for each item with its price, and the balance."""
    plan: list[str] = []
    now = monthly = Decimal(0)
    unknown = False
    for item in order.items:
        price = _price(client, item)
        qty = item.qty if "qty" in item._attributes else 1
        if price is None:
            unknown = True
            plan.append(f"  {_what(item)} x {qty}: the price is unknown.")
            continue
        now += qty * (price.setup + price.monthly)
        monthly += qty * price.monthly
        plan.append(f"  {price.what} x {qty}: {price.setup} USD setup, {price.monthly} USD a month each")
    total = f"{now} USD now, {monthly} USD a month, without VAT"
    if unknown:
        total = f"unknown. The items with a price cost {total}" if now else "unknown"
    balance = client.balance().find().data.total_balance
    return Cost(["Order:", *plan, f"Cost: {total}. Balance: {balance} USD."], not unknown)


def _what(item: Any) -> str:
    return type(item).__name__.removesuffix("OrderItem").lower() or "item"


def _price(client: Any, item: Any) -> _Price | None:
    find = _PRICES.get(type(item).__name__)
    return None if find is None else find(client, item)


def _available(client: Any, item: Any) -> _Price | None:
    path = "did_group.stock_keeping_units"
    number = client.available_dids().find(item.available_did_id, include=path).data
    return _of_sku(number, item.sku_id)


def _reserved(client: Any, item: Any) -> _Price | None:
    path = "available_did.did_group.stock_keeping_units"
    reservation = client.did_reservations().find(item.did_reservation_id, include=path).data
    return _of_sku(reservation.available_did, item.sku_id)


def _of_sku(number: Any, sku_id: str) -> _Price | None:
    if number is None or number.did_group is None:
        return None
    for sku in number.did_group.stock_keeping_units:
        if sku.id == sku_id:
            return _Price(f"number {number.number}", sku.setup_price, sku.monthly_price)
    return None


def _offer(client: Any, item: Any) -> _Price | None:
    """Return the price of a SKU. It is found by the DID groups, because the API does not list SKUs."""
    for group in client.did_groups().iterate(include="stock_keeping_units", page_size=100):
        for sku in group.stock_keeping_units:
            if sku.id == item.sku_id:
                return _Price(f"number in {group.area_name}", sku.setup_price, sku.monthly_price)
    return None


def _channels(client: Any, item: Any) -> _Price:
    pool = client.capacity_pools().find(item.capacity_pool_id, include="qty_based_pricings").data
    qty = item.qty if "qty" in item._attributes else 1
    best: Any = pool
    for tier in sorted(pool.qty_based_pricings, key=lambda tier: tier.qty):
        best = tier if tier.qty <= qty else best
    return _Price(f"channels of {pool.name}", best.setup_price, best.monthly_price)


_PRICES: Any = {
    "AvailableDidOrderItem": _available,
    "ReservationDidOrderItem": _reserved,
    "CapacityOrderItem": _channels,
    "DidOrderItem": _offer,
}
