"""The life of numbers after the purchase: renewals by the clock, cancellation, expiry, history; channels too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from didww import CapacityOrderItem, Did, DidOrderItem, DidwwClient, Order, VoiceInTrunkGroup
from didww.exceptions import NotFoundError, ValidationError
from didww.sandbox import Clock, Sandbox

START = datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(clock=Clock(START, running=False)) as made:
        yield made


def buy(sandbox: Sandbox, client: DidwwClient, qty: int = 1, **item: Any) -> list[Did]:
    """Numbers in New York, which need no registration."""
    filters: Any = {"area_name": "New York", "is_available": True}
    group = client.did_groups().list(filter=filters, include="stock_keeping_units").data[0]
    order = Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty, **item)])
    made = client.orders().create(order).data
    sandbox.clock.advance(1)
    return client.dids().list(filter={"order.id": made.id}, include="did_group.stock_keeping_units").data


def monthly(did: Did) -> Decimal:
    assert did.did_group is not None
    return min(sku.monthly_price for sku in did.did_group.stock_keeping_units)


def money(client: DidwwClient) -> Decimal:
    return client.balance().find().data.balance


def history(client: DidwwClient) -> list[tuple[str, str]]:
    return [(str(one.action), str(one.method)) for one in client.did_history().list(page=(1, 500)).data]


def test_a_year_of_renewals_adds_up(sandbox: Sandbox) -> None:
    """Each month costs each number its price; the day of the month is kept through the short ones."""
    client = sandbox.client()
    dids = buy(sandbox, client, 3)
    price = sum(monthly(did) for did in dids)
    left, ends = money(client), []
    for month in range(1, 13):
        sandbox.clock.freeze(datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC) + timedelta(days=31))
        now = client.dids().list().data
        assert len(now) == 3
        assert {did.expires_at for did in now} == {now[0].expires_at}
        expires = now[0].expires_at
        assert expires is not None
        ends.append((expires.month, expires.day))
    assert ends[:4] == [(3, 31), (4, 30), (5, 31), (6, 30)]
    renewals = (ends[-1][0] - 2) % 12 + 12
    assert left - money(client) == price * renewals


def test_one_leap_is_the_same_as_many_steps() -> None:
    """A clock moved by a year at once does what one moved day by day does."""
    outcomes: list[Any] = []
    for steps in (1, 365):
        with Sandbox(seed=2, clock=Clock(START, running=False)) as sandbox:
            client = sandbox.client()
            buy(sandbox, client, 2)
            buy(sandbox, client, 1, billing_cycles_count=2)
            for _ in range(steps):
                sandbox.clock.advance(timedelta(days=365 / steps))
            outcomes.append(
                (
                    money(client),
                    [(did.number, did.expires_at, did.billing_cycles_count) for did in client.dids().list().data],
                    sorted((one.created_at, one.did_number, str(one.action)) for one in client.did_history().iterate()),
                )
            )
    assert outcomes[0] == outcomes[1]


def test_billing_cycles_run_out(sandbox: Sandbox) -> None:
    """Two more renewals, then it is gone; the last month is not charged again."""
    client = sandbox.client()
    (did,) = buy(sandbox, client, billing_cycles_count=2)
    left = money(client)
    for cycles, day in ((1, "2026-02-28T12:00"), (0, "2026-03-31T12:00")):
        sandbox.clock.freeze(day)
        assert client.dids().find(did.id).data.billing_cycles_count == cycles
    assert left - money(client) == 2 * monthly(did)
    assert client.dids().list(filter={"pending_removal": True}).total_records == 1
    sandbox.clock.freeze("2026-04-30T12:00")
    with pytest.raises(NotFoundError):
        client.dids().find(did.id)
    assert left - money(client) == 2 * monthly(did)
    assert history(client) == [
        ("removed", "system"),
        ("renewed", "system"),
        ("renewed", "system"),
        ("assigned", "api3"),
    ]


def test_canceled_restored_and_canceled_for_good(sandbox: Sandbox) -> None:
    """A canceled number works until its month ends; restored before, it goes on."""
    client = sandbox.client()
    (did,) = buy(sandbox, client)
    did.terminated = True
    client.dids().update(did)
    did.terminated = False
    client.dids().update(did)
    sandbox.clock.advance("40 days")
    assert not client.dids().find(did.id).data.terminated
    again = client.dids().find(did.id).data
    again.terminated = True
    client.dids().update(again)
    left = money(client)
    assert client.dids().list(filter={"terminated": True}).total_records == 1
    sandbox.clock.advance("31 days")
    assert client.dids().list().total_records == 0
    assert money(client) == left
    assert [action for action, _ in history(client)] == [
        "removed",
        "canceled",
        "renewed",
        "restored",
        "canceled",
        "assigned",
    ]


def test_a_number_that_is_gone_leaves_nothing_behind(sandbox: Sandbox) -> None:
    """Its number is in stock again; groups and channels lose it."""
    client = sandbox.client()
    (did,) = buy(sandbox, client)
    assert did.did_group is not None
    group = client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Desk")).data
    pool = next(one for one in client.capacity_pools().list().data if one.name == "North America")
    item = CapacityOrderItem(capacity_pool_id=pool.id, qty=10)
    client.orders().create(Order(items=[item]))
    sandbox.clock.advance(1)
    did.voice_in_trunk_group, did.capacity_pool, did.dedicated_channels_count = group, pool, 4
    did.terminated = True
    client.dids().update(did)
    assert client.capacity_pools().find(pool.id).data.assigned_channels_count == 4
    stock = client.did_groups().find(did.did_group.id).data.meta.total_count
    sandbox.clock.advance("31 days")
    assert client.dids().list().total_records == 0
    assert client.did_groups().find(did.did_group.id).data.meta.total_count == stock + 1
    assert client.capacity_pools().find(pool.id).data.assigned_channels_count == 0
    assert client.voice_in_trunk_groups().find(group.id).data.name == "Desk"


def test_what_cannot_be_paid_is_removed(sandbox: Sandbox) -> None:
    """As far as the money goes, numbers are renewed; the balance does not go below zero by them."""
    client = sandbox.client()
    dids = buy(sandbox, client, 5)
    sandbox.balance.put(monthly(dids[0]) * 2 + Decimal("0.01"))
    sandbox.clock.advance("31 days")
    assert client.dids().list().total_records == 2
    assert money(client) == Decimal("0.01")


def test_history_tells_changes_and_forgets(sandbox: Sandbox) -> None:
    """Counts before and after; after 90 days an entry is gone, and no earlier ones can be asked for."""
    client = sandbox.client()
    (did,) = buy(sandbox, client)
    for cycles in (5, None, 7):
        did.billing_cycles_count = cycles
        client.dids().update(did)
    changes = client.did_history().list(filter={"action": "billing_cycles_count_changed"}, sort="created_at").data
    assert [(one.meta.from_, one.meta.to) for one in changes] == [(None, "5"), ("5", None), (None, "7")]
    assert {one.did_number for one in changes} == {did.number}
    did.billing_cycles_count = 7
    client.dids().update(did)
    assert client.did_history().list().total_records == 4
    sandbox.clock.advance("89 days")
    assert [action for action, _ in history(client)].count("billing_cycles_count_changed") == 3
    sandbox.clock.advance("1 day")
    assert {action for action, _ in history(client)} == {"renewed"}
    with pytest.raises(Exception, match="last 90 days"):
        client.did_history().list(filter={"created_at_gteq": sandbox.clock.now() - timedelta(days=91)})


@pytest.mark.parametrize("cycles", [-1, 1000])
def test_counts_that_cannot_be(sandbox: Sandbox, cycles: int) -> None:
    """0 to 999; the server says so, too."""
    client = sandbox.client()
    (did,) = buy(sandbox, client)
    body = {"data": {"type": "dids", "id": did.id, "attributes": {"billing_cycles_count": cycles}}}
    from scene import Caller

    error = Caller(sandbox.engine, sandbox.key).error("PATCH", f"/dids/{did.id}", body)
    assert error["source"] == {"pointer": "/data/attributes/billing_cycles_count"}
    with pytest.raises((ValidationError, ValueError)):
        did.billing_cycles_count = cycles
        client.dids().update(did)


def test_channels_are_paid_each_month(sandbox: Sandbox) -> None:
    """At the price of their quantity; without the money, those in no use are given up."""
    client = sandbox.client()
    pool = next(one for one in client.capacity_pools().list().data if one.name == "North America")
    client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=60)]))
    sandbox.clock.advance(1)
    left = money(client)
    before = client.capacity_pools().find(pool.id).data
    assert before.renew_date == "2026-02-28"
    sandbox.clock.freeze("2026-03-01")
    after = client.capacity_pools().find(pool.id).data
    assert left - money(client) == 60 * Decimal("3.60")  # 4.00 less 10 % from 50 channels on
    assert after.renew_date == "2026-03-31"
    (did,) = buy(sandbox, client)
    did.capacity_pool, did.dedicated_channels_count = pool, 4
    client.dids().update(did)
    sandbox.balance.put("1.00")
    sandbox.clock.freeze("2026-04-01T12:00:00Z")
    assert client.capacity_pools().find(pool.id).data.total_channels_count == 4
    assert money(client) < 0


def test_many_numbers_are_renewed_in_time() -> None:
    """Numbers of one order are renewed together: a thousand take no thousand turns."""
    import time

    with Sandbox(clock=Clock(START, running=False)) as sandbox, sandbox.client() as client:
        sandbox.state.seed({"balance": "1000000"})
        country = client.countries().list(filter={"iso": "GB"}).data[0]
        filters: Any = {"country.id": country.id, "area_name": "London"}
        group = client.did_groups().list(filter=filters, include="stock_keeping_units").data[0]
        sandbox.stock.put(group.id, 1000)
        client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1000)]))
        sandbox.clock.advance(1)
        started = time.monotonic()
        sandbox.clock.advance("31 days")
        assert time.monotonic() - started < 5
        assert client.did_history().list(filter={"action": "renewed"}).total_records == 1000


def test_amounts_hold_the_tax(sandbox: Sandbox) -> None:
    """Orders and renewals are charged with VAT, rounded to cents; prices of SKUs are shown without."""
    client = sandbox.client()
    assert sandbox.balance.terms(vat="17.5").vat == "17.5"
    (did,) = buy(sandbox, client)
    (order,) = client.orders().list().data
    price = monthly(did)
    gross = (price * Decimal("1.175")).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    assert order.items[0].mrc == gross
    assert order.amount == order.items[0].nrc + gross == Decimal(10_000) - money(client)
    left = money(client)
    sandbox.clock.advance("31 days")
    assert left - money(client) == gross
    for wrong in (-1, 101, "much", float("nan")):
        with pytest.raises(ValueError, match="percentage"):
            sandbox.balance.terms(vat=wrong)


def test_channels_can_be_paid_for_the_rest_of_the_month(sandbox: Sandbox) -> None:
    """If that is agreed: bought on the 14th of 28 days, they cost half, and end with the others."""
    client = sandbox.client()
    sandbox.balance.terms(prorated=True)
    pool = next(one for one in client.capacity_pools().list().data if one.name == "North America")

    def channels() -> Any:
        order = client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=10)])).data
        sandbox.clock.advance(1)
        return client.orders().find(order.id).data.items[0]

    first = channels()
    assert (first.prorated_mrc, first.mrc, str(first.billed_to)) == (False, Decimal("40.00"), "2026-02-28")
    sandbox.clock.freeze("2026-02-14T10:00:00Z")
    second = channels()
    assert (second.prorated_mrc, second.mrc, str(second.billed_to)) == (True, Decimal("20.00"), "2026-02-28")
