"""Numbers and trunks for tests of the `didww` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.resources.configuration.pstn import PstnConfiguration
from didww.resources.order import Order
from didww.resources.order_item.did_order_item import DidOrderItem
from didww.resources.voice_in_trunk import VoiceInTrunk

if TYPE_CHECKING:
    from didww import DidwwClient

__all__ = ["buy", "create_trunk", "sku"]


def sku(client: DidwwClient) -> str:
    """Return the id of a SKU of numbers in London."""
    country = client.countries().one(filter={"iso": "GB"})
    group = client.did_groups().one(
        filter={"country.id": country.id, "area_name": "London", "needs_registration": False, "is_available": True},
        include="stock_keeping_units",
    )
    return group.stock_keeping_units[0].id


def buy(client: DidwwClient, qty: int) -> list[str]:
    """Buy numbers in London and return all numbers of the account."""
    item = DidOrderItem(sku_id=sku(client), qty=qty)
    client.orders().wait(client.orders().create(Order(items=[item])).data)
    return [did.number for did in client.dids().iterate(sort="number")]


def create_trunk(client: DidwwClient, name: str, dst: str = "442079460990") -> VoiceInTrunk:
    """Create a trunk that forwards calls to a phone number."""
    return client.voice_in_trunks().create(VoiceInTrunk(name=name, configuration=PstnConfiguration(dst=dst))).data
