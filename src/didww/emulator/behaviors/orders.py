"""Orders of numbers (by quantity, an available DID or a reservation) or channels.

An order is charged immediately, holds its numbers, and completes automatically soon after. With back ordering (the
service's default) it stays pending until all its numbers are in stock, unless the group does not allow back orders; it
is retried every minute. Channels are available immediately. Items have unit prices with VAT; SKU prices exclude VAT.
Sources: `tests/contract/facts/orders.yaml`; recorded responses.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from didww.emulator.behaviors.available_dids import hold_account, pick_numbers
from didww.emulator.behaviors.base import Behavior
from didww.emulator.behaviors.capacity import get_price_tier
from didww.emulator.behaviors.date_math import add_month, last_day, subtract_month
from didww.emulator.behaviors.dids import take_over
from didww.emulator.behaviors.naming import cost, order_reference
from didww.emulator.behaviors.vat import add_vat
from didww.emulator.engine.errors import HttpError, attribute_error, not_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from didww.emulator.engine.session import AccountSession
    from didww.emulator.engine.store import Record

__all__ = ["Orders"]

SECONDS_TO_TRY_AGAIN = 60.0
MAX_TRIES_A_MINUTE = 60
"""After them, a back order is retried hourly, so that advancing the clock by a year stays fast."""
_CHOICES = ("qty", "did_reservation_id", "available_did_id")


class Orders(Behavior):
    """Orders."""

    steps = ((0.4, "complete"),)
    outcomes = ("complete", "cancel")
    undecided = frozenset({"pending"})
    defaults: ClassVar[Mapping[str, Any]] = {"allow_back_ordering": True}

    def before_create(self, session: AccountSession, record: Record) -> None:
        """Check the items, hold their numbers and charge the price."""
        backorder = record["allow_back_ordering"]
        description = "Capacity" if record["items"][0]["type"] == "capacity_order_items" else "DID"
        record.update(
            id=session.new_id(), status="pending", reference=order_reference(session), description=description
        )
        total = Decimal(0)
        items: list[Any] = []
        plans: list[dict[str, Any]] = []
        for index, item in enumerate(record["items"]):
            order_item, plan = _price_item(session, index, item, backorder=backorder)
            items.append(order_item)
            plans.append(plan)
            total += cost(order_item["attributes"])
            _hold(session, plan, record["id"])
        session.charge(total)
        record["items"] = items
        record["amount"] = f"{total:.2f}"
        record["private"] = {"plans": plans}

    def after_create(self, session: AccountSession, record: Record) -> None:
        """Schedule the completion; orders of channels complete immediately."""
        session.start_transitions("orders", {"id": record["id"]}, at_once=not _number_plans(record["private"]["plans"]))

    def due(self, session: AccountSession, name: str, payload: Any) -> None:
        """Complete the order if all numbers are in stock, or cancel it."""
        order = session.get("orders", payload["id"])
        if order is None or order["status"] != "pending":
            return
        if name == "cancel":
            _cancel(session, order)
            return
        plans = order["private"]["plans"]
        for plan in _number_plans(plans):
            group = session.get("did_groups", plan["group"])
            missing = plan["qty"] - len(plan["numbers"])
            if group is not None and missing:
                more = pick_numbers(session, group, missing)
                _hold(session, {**plan, "numbers": more}, order["id"])
                plan["numbers"] += more
        if any(len(plan["numbers"]) < plan["qty"] for plan in _number_plans(plans)):
            tried = order["private"].get("tried", 0) + 1
            session.update("orders", order["id"], {"private": {"plans": plans, "tried": tried}})
            again = SECONDS_TO_TRY_AGAIN if tried < MAX_TRIES_A_MINUTE else 3600
            session.schedule(again, "orders", "complete", {"id": order["id"]}, order["id"])
            return
        now = session.now()
        until = add_month(now)
        for plan, item in zip(plans, order["items"], strict=True):
            if "pool" in plan:
                pool = session.get("capacity_pools", plan["pool"]) or {}
                count = pool["total_channels_count"] + plan["qty"]
                session.update("capacity_pools", plan["pool"], {"total_channels_count": count})
                ends = date.fromisoformat(pool["renew_date"])
            else:
                _release(session, plan)
                take_over(session, [_did(session, plan, number, order["id"], until) for number in plan["numbers"]])
                ends = until.date()
            item["attributes"].update(billed_from=f"{now:%Y-%m-%d}", billed_to=last_day(ends))
        session.update("orders", order["id"], {"status": "completed", "items": order["items"]})

    def delete(self, session: AccountSession, record: Record) -> bool:
        """Cancel the order: refund it and release its numbers."""
        # Only orders of numbers can be canceled; the service's error for others is not documented.
        if record["status"] != "pending" or not _number_plans(record["private"]["plans"]):
            raise HttpError(422, "Order not pending", "base - Order not pending", "/data/attributes/base")
        _cancel(session, record)
        return True


def _cancel(session: AccountSession, order: Record) -> None:
    session.charge(-Decimal(order["amount"]))
    session.update("orders", order["id"], {"status": "canceled"})
    held = hold_account(session)
    for hold in held.find("did_reservations", description=order["id"]):
        held.delete("did_reservations", hold["id"])


def _number_plans(plans: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [plan for plan in plans if "pool" not in plan]


def _price_item(
    session: AccountSession, index: int, item: Any, *, backorder: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the item of the response, and the plan to fill it."""
    inside = item["attributes"]

    def refused(name: str, message: str = "is invalid") -> HttpError:
        return attribute_error(f"items/{index}/{name}", message)

    if item["type"] == "capacity_order_items":
        return _channels(session, inside, refused)
    if item["type"] != "did_order_items":
        raise refused("type", "is not allowed for creation")
    sku = session.get("stock_keeping_units", inside.get("sku_id"))
    if sku is None:
        raise refused("sku_id")
    choices = [name for name in _CHOICES if inside.get(name) is not None]
    if len(choices) > 1:
        raise not_allowed(choices[1])
    chosen, value = (choices[0], inside[choices[0]]) if choices else ("qty", 1)
    group = session.get("did_groups", sku["did_group"])
    assert group is not None  # noqa: S101 every SKU has its group
    prefix = inside.get("nanpa_prefix_id")
    if prefix is not None and (session.get("nanpa_prefixes", prefix) or {}).get("did_group") != group["id"]:
        raise refused("nanpa_prefix_id")
    numbers = _CHOOSERS[chosen](session, group, value, refused)
    qty = value if chosen == "qty" else 1
    if len(numbers) < qty and not (backorder and group["back_orders"]):
        raise refused("qty", "exceeds available DIDs count")
    once, monthly = (add_vat(session, Decimal(sku[name])) for name in ("setup_price", "monthly_price"))
    attributes = {
        "qty": qty,
        "nrc": f"{once:.2f}",
        "mrc": f"{monthly:.2f}",
        "setup_price": f"{once:.2f}",
        "monthly_price": f"{monthly:.2f}",
        "prorated_mrc": False,
        "billed_from": None,
        "billed_to": None,
        "did_group_id": group["id"],
    }
    plan = {
        "group": group["id"],
        "qty": qty,
        "numbers": numbers,
        "channels": sku["channels_included_count"],
        "monthly": sku["monthly_price"],
        "cycles": inside.get("billing_cycles_count"),
    }
    return {"type": "did_order_items", "attributes": attributes}, plan


def _channels(
    session: AccountSession, inside: dict[str, Any], refused: Callable[..., HttpError]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the item and plan of channels until the pool renews, at the price of the quantity tier."""
    pool, qty = session.get("capacity_pools", inside.get("capacity_pool_id")), inside.get("qty", 1)
    if pool is None:
        raise refused("capacity_pool_id")
    if qty < pool["minimum_qty_per_order"]:
        raise refused("qty", f"should be at least {pool['minimum_qty_per_order']}")
    price = get_price_tier(session, pool, qty)
    once = add_vat(session, Decimal(price["setup_price"]))
    monthly = add_vat(session, Decimal(price["monthly_price"]) * _rest_of_month(session, pool))
    attributes = {
        "qty": qty,
        "nrc": f"{once:.2f}",
        "mrc": f"{monthly:.2f}",
        "prorated_mrc": True,
        "billed_from": None,
        "billed_to": None,
        "capacity_pool_id": pool["id"],
    }
    return {"type": "capacity_order_items", "attributes": attributes}, {"pool": pool["id"], "qty": qty, "numbers": []}


def _rest_of_month(session: AccountSession, pool: Record) -> Decimal:
    """Return the fraction of the month that new channels are charged for."""
    today = session.now().date()
    ends = date.fromisoformat(pool["renew_date"])
    begins = subtract_month(ends, pool["private"].get("day"))
    return Decimal((ends - today).days) / Decimal((ends - begins).days)


def _by_quantity(session: AccountSession, group: Record, qty: int, _refused: Callable[..., HttpError]) -> list[str]:
    return pick_numbers(session, group, qty)


def _available(session: AccountSession, group: Record, id: str, refused: Callable[..., HttpError]) -> list[str]:
    number = session.get("available_dids", id)
    if number is None or number["did_group"] != group["id"]:
        raise refused("available_did_id")
    return [number["number"]]


def _reserved(session: AccountSession, group: Record, id: str, refused: Callable[..., HttpError]) -> list[str]:
    reservation = session.get("did_reservations", id)
    if reservation is None or reservation["did_group"] != group["id"]:
        raise refused("did_reservation_id")
    session.delete("did_reservations", id)
    return [reservation["number"]]


_CHOOSERS: dict[str, Callable[..., list[str]]] = {
    "qty": _by_quantity,
    "available_did_id": _available,
    "did_reservation_id": _reserved,
}


def _hold(session: AccountSession, plan: dict[str, Any], order: str) -> None:
    """Hold the numbers of a plan while the order is pending."""
    held = hold_account(session)
    for number in plan["numbers"]:
        held.insert(
            "did_reservations",
            {"number": number, "did_group": plan["group"], "description": order, "expires_at": session.stamp()},
        )


def _release(session: AccountSession, plan: dict[str, Any]) -> None:
    held = hold_account(session)
    for hold in held.find("did_reservations", number=plan["numbers"]):
        held.delete("did_reservations", hold["id"])


def _did(session: AccountSession, plan: dict[str, Any], number: str, order: str, until: datetime) -> dict[str, Any]:
    group = session.get("did_groups", plan["group"])
    waiting = bool(group is not None and group["needs_registration"])
    return {
        "id": session.new_id(),
        "number": number,
        "blocked": waiting,
        "awaiting_registration": waiting,
        "terminated": False,
        "emergency_enabled": False,
        "channels_included_count": plan["channels"],
        "dedicated_channels_count": 0,
        "billing_cycles_count": plan["cycles"],
        "created_at": session.stamp(),
        "expires_at": session.stamp(until),
        "did_group": plan["group"],
        "order": order,
        "private": {"monthly": plan["monthly"], "day": session.now().day},
    }
