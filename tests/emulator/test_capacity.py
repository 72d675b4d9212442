"""Test channels: buying, shared groups, dedicated channels, giving them up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from didww import (
    CapacityOrderItem,
    CapacityPool,
    Did,
    DidwwClient,
    InsufficientBalanceError,
    Order,
    SharedCapacityGroup,
    ValidationError,
)
from didww.emulator import Emulator
from support.api_caller import Caller, document
from support.registration import bought, groups_of

if TYPE_CHECKING:
    pass


def pool_of(client: DidwwClient, name: str = "Europe") -> CapacityPool:
    return next(pool for pool in client.capacity_pools().list(include="countries").data if pool.name == name)


def buy(emulator: Emulator, client: DidwwClient, qty: int, name: str = "Europe") -> Order:
    item = CapacityOrderItem(capacity_pool_id=pool_of(client, name).id, qty=qty)
    order = client.orders().create(Order(items=[item])).data
    emulator.clock.advance(1)
    return client.orders().find(order).data


def counts(client: DidwwClient) -> tuple[int, int]:
    pool = pool_of(client)
    return pool.total_channels_count, pool.assigned_channels_count


def numbers(emulator: Emulator, client: DidwwClient, qty: int, iso: str = "GB") -> list[Did]:
    return bought(
        emulator, client, next(group for group in groups_of(client, iso) if (group.meta.total_count or 0) >= qty), qty
    )


def shared(client: DidwwClient, name: str = "Support", **fields: Any) -> SharedCapacityGroup:
    group = SharedCapacityGroup(name=name, **fields)
    group.capacity_pool = pool_of(client)
    return client.shared_capacity_groups().create(group, include="dids").data


def test_channels_can_be_ordered(emulator: Emulator, client: DidwwClient) -> None:
    """They are charged and added at once; the item has the unit price, which falls with the quantity."""
    assert counts(client) == (0, 0)
    item = CapacityOrderItem(capacity_pool_id=pool_of(client).id, qty=5)
    order = client.orders().create(Order(items=[item])).data
    assert (order.status, order.description, order.amount) == ("completed", "Capacity", Decimal("25.00"))
    (bought,) = order.items
    assert isinstance(bought, CapacityOrderItem)
    assert (bought.qty, bought.mrc, bought.nrc) == (5, Decimal("5.00"), Decimal("0.00"))
    assert counts(client) == (5, 0)
    assert client.balance().find().data.total_balance == Decimal("9975.00")
    steps = client.capacity_pools().find(pool_of(client), include="qty_based_pricings").data.qty_based_pricings
    assert [(step.qty, step.monthly_price) for step in steps] == [(50, Decimal("4.50")), (200, Decimal("3.75"))]
    assert buy(emulator, client, 50).amount == Decimal("225.00")
    assert buy(emulator, client, 200).amount == Decimal("750.00")
    assert counts(client) == (255, 0)


def test_one_channel_can_be_bought(emulator: Emulator, client: DidwwClient) -> None:
    """Pools sell single channels; the default quantity is one."""
    assert {pool.minimum_qty_per_order for pool in client.capacity_pools().list().data} == {1}
    assert buy(emulator, client, 1).amount == Decimal("5.00")
    item = {"type": "capacity_order_items", "attributes": {"capacity_pool_id": pool_of(client).id}}
    Caller(emulator.engine, emulator.key).write("POST", "/orders", document("orders", items=[item]), 201)
    assert counts(client) == (2, 0)


def test_channel_order_follows_the_transition_rule(emulator: Emulator, client: DidwwClient) -> None:
    """Orders of channels can be completed manually like others."""
    emulator.transitions.set("orders", by_hand=True)
    order = buy(emulator, client, 5)
    assert (order.status, counts(client)) == ("pending", (0, 0))
    emulator.transitions.complete(order.id or "")
    assert (client.orders().find(order).data.status, counts(client)) == ("completed", (5, 0))


def test_channel_orders_below_the_minimum_or_balance_are_rejected(emulator: Emulator, client: DidwwClient) -> None:
    """The error has the field and the minimum, or both amounts."""
    pool = pool_of(client).id
    emulator.engine.session(emulator.key).update("capacity_pools", pool, {"minimum_qty_per_order": 5})
    with pytest.raises(ValidationError) as caught:
        buy(emulator, client, 4)
    assert caught.value.fields == {"items[0].qty": ["should be at least 5"]}
    with pytest.raises(InsufficientBalanceError) as poor:
        buy(emulator, client, 5000)
    assert (poor.value.available_balance, poor.value.total_cost) == (Decimal("10000.00"), Decimal("18750.00"))
    assert client.orders().list().total_records == 0
    assert counts(client) == (0, 0)


def test_shared_group_takes_its_channels_from_the_pool(emulator: Emulator, client: DidwwClient) -> None:
    """Up to what is free; they return on deletion, which numbers in the group prevent."""
    buy(emulator, client, 10)
    first, second = numbers(emulator, client, 2)
    group = shared(client, shared_channels_count=6, dids=[first])
    assert counts(client) == (10, 6)
    group.dids.append(second)
    group.shared_channels_count = 10
    group = client.shared_capacity_groups().update(group, include="dids").data
    assert len(group.dids) == 2
    assert counts(client) == (10, 10)
    for call in (
        lambda: shared(client, "Other", shared_channels_count=1),
        lambda: client.shared_capacity_groups().update(changed(group, shared_channels_count=11)),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.fields == {"shared_channels_count": ["exceeds available channels count"]}
    with pytest.raises(ValidationError, match="cannot be removed while active numbers are assigned to it"):
        client.shared_capacity_groups().delete(group)
    group = client.shared_capacity_groups().find(group, include="dids").data
    group.dids = []
    client.shared_capacity_groups().update(group)
    assert client.dids().find(first, include="shared_capacity_group").data.shared_capacity_group is None
    client.shared_capacity_groups().delete(group)
    assert counts(client) == (10, 0)


def changed(record: Any, **fields: Any) -> Any:
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def test_shared_group_names_are_unique(emulator: Emulator, client: DidwwClient) -> None:
    """Creating and renaming are rejected."""
    buy(emulator, client, 5)
    shared(client, shared_channels_count=1)
    other = shared(client, "Other", shared_channels_count=1)
    for call in (
        lambda: shared(client, shared_channels_count=1),
        lambda: client.shared_capacity_groups().update(changed(other, name="Support")),
    ):
        with pytest.raises(ValidationError) as caught:
            call()
        assert caught.value.fields == {"name": ["has already been taken"]}


def test_did_can_have_dedicated_channels(emulator: Emulator, client: DidwwClient) -> None:
    """From a pool of its country, up to what is free; they can return."""
    buy(emulator, client, 5)
    did, other = numbers(emulator, client, 2)
    did.dedicated_channels_count = 3
    with pytest.raises(ValidationError) as caught:
        client.dids().update(did)
    assert caught.value.fields == {"capacity_pool": ["can't be blank"]}
    did.capacity_pool = pool_of(client)
    assert client.dids().update(did).data.dedicated_channels_count == 3
    assert counts(client) == (5, 3)
    other.capacity_pool = pool_of(client)
    other.dedicated_channels_count = 3
    with pytest.raises(ValidationError) as caught:
        client.dids().update(other)
    assert caught.value.fields == {"dedicated_channels_count": ["exceeds available channels count"]}
    did.dedicated_channels_count = 0
    client.dids().update(did)
    assert counts(client) == (5, 0)


def test_pool_only_serves_dids_of_its_countries(emulator: Emulator, client: DidwwClient) -> None:
    """From the DID's side and the group's side, each with its own error."""
    buy(emulator, client, 5)
    (american,) = numbers(emulator, client, 1, "US")
    group = shared(client, shared_channels_count=1)
    for name, value in (("capacity_pool", pool_of(client)), ("shared_capacity_group", group)):
        with pytest.raises(ValidationError) as caught:
            client.dids().update(changed(Did.build(american.id), **{name: value}))
        assert caught.value.fields == {name: ["is not allowed for DID country"]}
    with pytest.raises(ValidationError) as caught:
        shared(client, "Other", shared_channels_count=1, dids=[american])
    assert caught.value.fields == {"dids[0]": ["cannot be applied to shared capacity group"]}


def test_channel_count_can_only_be_reduced(emulator: Emulator, client: DidwwClient) -> None:
    """Only free channels; more are bought by an order."""
    buy(emulator, client, 10)
    shared(client, shared_channels_count=4)
    pool = pool_of(client)
    for count, words in ((11, "at most 10"), (3, "at least 4")):
        with pytest.raises(ValidationError, match=words) as caught:
            client.capacity_pools().update(changed(CapacityPool.build(pool.id), total_channels_count=count))
        assert list(caught.value.fields) == ["total_channels_count"]
    assert client.capacity_pools().update(changed(pool, total_channels_count=4)).data.total_channels_count == 4
    assert client.capacity_pools().list(filter={"has_unassigned_channels": True}).total_records == 0


def test_capacity_pools_are_separate_for_each_account(emulator: Emulator, client: DidwwClient) -> None:
    """Other accounts do not see bought channels."""
    buy(emulator, client, 5)
    assert counts(emulator.client("another-key")) == (0, 0)
