"""Numbers that need registration, and someone to register them to, for tests of the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem

if TYPE_CHECKING:
    from support.command import Command

__all__ = ["ADDRESS", "PERSON", "buy", "requests_to"]

PERSON = (
    "identities create --type personal --first-name Alex --last-name Example --phone '+44 20 7946 0000'"
    " --country DE --birth-date 1980-01-31"
)
ADDRESS = "addresses create --identity Example --street '1 Example Street' --city Berlin --postal-code 10115"


def buy(didww: Command, country: str, kind: str, qty: int = 1, **filters: Any) -> list[str]:
    """Buy numbers of a country and type, and return them."""
    client: Any = didww.client
    query = {
        "country.id": client.countries().one(filter={"iso": country}).id,
        "did_group_type.id": client.did_group_types().one(filter={"name": kind}).id,
        "is_available": True,
        **filters,
    }
    group = client.did_groups().first(filter=query, include="stock_keeping_units")
    order = Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty)])
    order = client.orders().wait(client.orders().create(order).data).data
    return [did.number for did in client.dids().iterate(filter={"order.id": order.id}, sort="number")]


def requests_to(didww: Command, path: str, method: str = "POST") -> int:
    """Return how many requests to a path succeeded."""
    entries = didww.emulator.journal.entries(method=method, path=path)
    return sum(entry.status < 400 for entry in entries)
