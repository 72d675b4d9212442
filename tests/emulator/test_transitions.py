"""Test transition rules: at once, after a delay, after some reads, or manually; and the outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from didww import AddressVerification, DidOrderItem, DidwwClient, Export, Order
from didww.emulator import Clock, Emulator
from support.registration import bought, groups_of, person

START = datetime(2026, 3, 15, 12, tzinfo=UTC)
SPAN = {"from": "2026-03-01 00:00:00", "to": "2026-03-02 00:00:00"}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False)) as emulator:
        yield emulator


def create_order(client: DidwwClient) -> str:
    (group, *_) = groups_of(client, "GB", area_name="London")
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1)
    return client.orders().create(Order(items=[item])).data.id


def create_export(client: DidwwClient) -> str:
    return client.exports().create(Export(export_type="cdr_in", filters=SPAN)).data.id


def create_verification(emulator: Emulator, client: DidwwClient) -> str:
    """Create an address verification without documents."""
    (group, *_) = groups_of(client, "US", is_available=True)
    emulator.transitions.reset("orders")
    dids = bought(emulator, client, group)
    assert group.country is not None
    _, address = person(client, group.country)
    return client.address_verifications().create(AddressVerification(address=address, dids=dids)).data.id


MAKERS: dict[str, tuple[Callable[[Emulator, DidwwClient], str], Callable[[DidwwClient, str], str], str]] = {
    "orders": (
        lambda _, client: create_order(client),
        lambda client, record: str(client.orders().find(record).data.status),
        "completed",
    ),
    "exports": (
        lambda _, client: create_export(client),
        lambda client, record: str(client.exports().find(record).data.status),
        "completed",
    ),
    "address_verifications": (
        create_verification,
        lambda client, record: str(client.address_verifications().find(record).data.status),
        "approved",
    ),
}
BEGINNING = {"orders": "pending", "exports": "pending", "address_verifications": "pending"}
HAND = {"orders": "complete", "exports": "complete", "address_verifications": "approve"}


@pytest.mark.parametrize("type", MAKERS)
def test_transition_rules_decide_when_records_change(emulator: Emulator, type: str) -> None:
    """At once, after a delay, after a number of reads, or manually."""
    make, status, done = MAKERS[type]
    client = emulator.client()
    emulator.transitions.set(type, after=0)
    assert status(client, make(emulator, client)) == done

    emulator.transitions.set(type, after="1 hour")
    id = make(emulator, client)
    emulator.clock.advance("59 min")
    assert status(client, id) != done
    emulator.clock.advance("1 min")
    assert status(client, id) == done

    emulator.transitions.set(type, reads=3)
    id = make(emulator, client)
    seen = [status(client, id) for _ in range(4)]
    assert done not in seen[:3]
    assert seen[3] == done

    emulator.transitions.set(type, by_hand=True)
    id = make(emulator, client)
    emulator.clock.advance("10 days")
    assert status(client, id) != done
    assert id in [record.id for record in emulator.transitions.waiting()]
    decided = getattr(emulator.transitions, HAND[type])(id)
    assert decided.status == done == status(client, id)
    assert id not in [record.id for record in emulator.transitions.waiting()]
    with pytest.raises(ValueError, match=f"is {done} already"):
        getattr(emulator.transitions, HAND[type])(id)

    emulator.transitions.reset(type)
    id = make(emulator, client)
    assert status(client, id) == BEGINNING[type]
    emulator.clock.advance(1)
    assert status(client, id) == done


def test_export_is_processing_before_it_completes_by_reads(emulator: Emulator) -> None:
    """The steps are spread over the reads."""
    emulator.transitions.set("exports", reads=4)
    client = emulator.client()
    id = create_export(client)
    seen = [str(client.exports().find(id).data.status) for _ in range(5)]
    assert seen == ["pending", "pending", "processing", "processing", "completed"]


def test_pending_records_can_be_decided_early(emulator: Emulator) -> None:
    """A record that waits for the clock or for reads can be decided manually, once."""
    client = emulator.client()
    emulator.transitions.set("orders", after="1 day")
    id = create_order(client)
    assert emulator.transitions.complete(id).status == "completed"
    emulator.transitions.set("orders", reads=1)
    other = create_order(client)
    assert emulator.transitions.cancel(other).status == "canceled"
    emulator.clock.advance("2 days")
    for _ in range(3):
        assert client.orders().find(other).data.status == "canceled"
    assert client.dids().list(filter={"order.id": id}).total_records == 1
    assert client.dids().list(filter={"order.id": other}).total_records == 0


def test_canceled_order_is_refunded(emulator: Emulator) -> None:
    """Canceled by DIDWW or by a rule: the balance and the stock are restored."""
    client = emulator.client()
    before = client.balance().find().data.total_balance
    emulator.transitions.set("orders", outcome="cancel")
    id = create_order(client)
    assert client.balance().find().data.total_balance < before
    emulator.clock.advance(1)
    assert client.orders().find(id).data.status == "canceled"
    assert client.balance().find().data.total_balance == before


def test_manually_completed_order_still_needs_stock(emulator: Emulator) -> None:
    """Once the stock is there, the order completes at once."""
    client = emulator.client()
    (group, *_) = groups_of(client, "GB", area_name="London")
    emulator.stock.put(group.id, 1)
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=3)
    id = client.orders().create(Order(items=[item])).data.id
    assert emulator.transitions.complete(id).status == "pending"
    assert emulator.stock.show(group.id).count == 0
    emulator.stock.put(group.id, 1)
    assert client.orders().find(id).data.status == "pending"
    emulator.stock.put(group.id, 5)
    assert client.orders().find(id).data.status == "completed"
    assert client.dids().list(filter={"order.id": id}).total_records == 3
    assert emulator.stock.show(group.id).count == 4


def test_transition_rules_survive_a_restart(tmp_path: Any) -> None:
    """The state file keeps the rules and the pending records."""
    path = str(tmp_path / "state.db")
    with Emulator(path=path, clock=Clock(START, running=False)) as emulator:
        emulator.transitions.set("orders", reads=2)
        id = create_order(emulator.client())
        emulator.transitions.set("orders", by_hand=True)
        other = create_order(emulator.client())
    with Emulator(path=path, clock=Clock(START, running=False)) as emulator:
        assert emulator.transitions.show()["orders"].by_hand
        client = emulator.client()
        assert [str(client.orders().find(id).data.status) for _ in range(3)] == ["pending", "pending", "completed"]
        assert [record.id for record in emulator.transitions.waiting()] == [other]
        assert emulator.transitions.complete(other).status == "completed"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": "order", "after": 1}, "did you mean 'orders'"),
        ({"type": "dids", "after": 1}, "has no transitions"),
        ({"type": "orders", "after": 1, "reads": 1}, "one of after=, reads= and by_hand="),
        ({"type": "orders", "reads": -1}, "0 to 1000000"),
        ({"type": "orders", "after": "soon"}, "not a duration"),
        ({"type": "orders", "outcome": "reject"}, "complete, cancel"),
        ({"type": "exports", "outcome": "approve"}, "complete"),
    ],
)
def test_invalid_transition_rules_are_rejected(emulator: Emulator, arguments: dict[str, Any], message: str) -> None:
    """The error lists the valid choices."""
    with pytest.raises(ValueError, match="(?i)" + message):
        emulator.transitions.set(**arguments)
    assert emulator.transitions.show() == {}


@pytest.mark.parametrize("outcome", ["approve", "reject", "complete", "cancel"])
def test_deciding_an_unknown_record_raises_lookup_error(emulator: Emulator, outcome: str) -> None:
    """Nothing with the id is pending."""
    with pytest.raises(LookupError, match="No record with id 'x'"):
        getattr(emulator.transitions, outcome)("x")
