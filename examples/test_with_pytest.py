"""Test a program of your own with pytest: each test has an emulator of its own, without a server.

Run: pytest test_with_pytest.py
Variables: none, the tests use the emulator only. The function under test works with any client, also with one for
DIDWW that reads DIDWW_API_KEY, and DIDWW_ENVIRONMENT or DIDWW_BASE_URL.
Cost: nothing. It connects to no other machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from didww import DidOrderItem, DidwwClient, InsufficientBalanceError, Order, OrderStatus, ServerError

if TYPE_CHECKING:
    from didww.emulator import Emulator


def buy(client: DidwwClient, area: str, reference: str) -> str:
    """Buy a number in an area, once for each reference. This is the function under test."""
    group = client.did_groups().first(
        filter={"area_name": area, "is_available": True, "needs_registration": False}, include="stock_keeping_units"
    )
    if group is None:
        raise LookupError(f"No numbers of {area} are in stock.")
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
    order = Order(items=[item], external_reference_id=reference)
    order = client.orders().wait(client.orders().create(order, once=True).data).data
    return client.dids().one(filter={"order.id": order.id}).number


def test_it_buys_a_number(didww_client: DidwwClient) -> None:
    number = buy(didww_client, "Leeds", "PO-1")
    assert didww_client.dids().one(filter={"number": number}).terminated is False


def test_a_restart_does_not_buy_again(didww_client: DidwwClient) -> None:
    assert buy(didww_client, "Leeds", "PO-1") == buy(didww_client, "Leeds", "PO-1")
    assert didww_client.orders().count(filter={"status": OrderStatus.COMPLETED}) == 1


def test_nothing_is_bought_without_money(didww_emulator: Emulator, didww_client: DidwwClient) -> None:
    didww_emulator.balance.put(1)
    with pytest.raises(InsufficientBalanceError):
        buy(didww_client, "Leeds", "PO-1")
    assert didww_client.dids().count() == 0


def test_a_lost_response_does_not_buy_twice(didww_emulator: Emulator, didww_client: DidwwClient) -> None:
    didww_emulator.faults.add(method="POST", resource="orders", lost_response=True, times=1)
    buy(didww_client, "Leeds", "PO-1")
    assert didww_client.dids().count() == 1


@pytest.mark.didww(preset="maintenance")
def test_maintenance_is_reported(didww_client: DidwwClient) -> None:
    with pytest.raises(ServerError):
        buy(didww_client.with_options(max_retries=0), "Leeds", "PO-1")
