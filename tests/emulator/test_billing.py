"""Test billing: renewals by the clock, cancellation, expiry, history, channels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from didww import (
    CapacityOrderItem,
    CapacityPool,
    CredentialsAndIpAuthenticationMethod,
    Did,
    DidGroup,
    DidOrderItem,
    DidwwClient,
    EmergencyCallingService,
    EmergencyVerification,
    Order,
    SharedCapacityGroup,
    VoiceInTrunkGroup,
    VoiceOutTrunk,
)
from didww.emulator import Clock, Emulator
from didww.emulator.behaviors.dids import take_over
from didww.exceptions import NotFoundError, ValidationError
from support.api_caller import Caller, work
from support.registration import groups_of, person

START = datetime(2026, 1, 31, 10, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=Clock(START, running=False)) as emulator:
        yield emulator


def buy(emulator: Emulator, client: DidwwClient, qty: int = 1, **item: Any) -> list[Did]:
    """Buy numbers in New York, which need no registration."""
    filters: Any = {"area_name": "New York", "is_available": True}
    group = client.did_groups().list(filter=filters, include="stock_keeping_units").data[0]
    order = Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=qty, **item)])
    made = client.orders().create(order).data
    emulator.clock.advance(1)
    return client.dids().list(filter={"order.id": made.id}, include="did_group.stock_keeping_units").data


def monthly(did: Did) -> Decimal:
    assert did.did_group is not None
    return min(sku.monthly_price for sku in did.did_group.stock_keeping_units)


def money(client: DidwwClient) -> Decimal:
    return client.balance().find().data.balance


def history(client: DidwwClient) -> list[tuple[str, str]]:
    return [(str(entry.action), str(entry.method)) for entry in client.did_history().iterate(page_size=100)]


def order_dids(emulator: Emulator, client: DidwwClient, group: DidGroup, sku: int = 0, **item: Any) -> list[Did]:
    """Order numbers of a group by one of its SKUs."""
    made = client.orders().create(
        Order(items=[DidOrderItem(**{"sku_id": group.stock_keeping_units[sku].id, "qty": 1, **item})])
    )
    emulator.clock.advance(1)
    return client.dids().list(filter={"order.id": made.data.id}).data


def channels(emulator: Emulator, client: DidwwClient, qty: int, name: str = "North America") -> CapacityPool:
    """Buy channels and return their pool."""
    item = CapacityOrderItem(capacity_pool_id=pool_of(client, name).id, qty=qty)
    client.orders().create(Order(items=[item]))
    emulator.clock.advance(1)
    return pool_of(client, name)


def pool_of(client: DidwwClient, name: str = "North America") -> CapacityPool:
    return next(pool for pool in client.capacity_pools().list().data if pool.name == name)


def create_service(
    emulator: Emulator, client: DidwwClient, group: DidGroup, dids: list[Did]
) -> EmergencyCallingService:
    """Create an active emergency service for numbers of a group."""
    assert group.country is not None
    verification = EmergencyVerification()
    _, verification.address = person(client, group.country)
    verification.dids = dids
    verification = client.emergency_verifications().create(verification, include="emergency_calling_service").data
    emulator.clock.advance(1)
    assert verification.emergency_calling_service is not None
    return client.emergency_calling_services().find(verification.emergency_calling_service, include="dids").data


def test_balance_adds_up_after_a_year(emulator: Emulator) -> None:
    """Orders and monthly prices of numbers, channels and services account for the whole difference."""
    client = emulator.client()
    pool = channels(emulator, client, 50)
    urgent = groups_of(client, "US", features="emergency")[0]
    service = create_service(emulator, client, urgent, order_dids(emulator, client, urgent))
    assert service.meta.monthly_price is not None
    # From January 31 to January 15 there are eleven renewals: on February 28, March 31 ... December 31.
    due = 11 * (50 * Decimal("3.60") + service.meta.monthly_price + urgent.stock_keeping_units[0].monthly_price)
    for iso, sku, qty, cycles, renewals in (
        ("GB", 0, 3, None, 11),
        ("GB", 1, 1, 20, 11),
        ("CA", 0, 1, 3, 3),
        ("AT", 1, 2, 0, 0),
    ):
        group = next(group for group in groups_of(client, iso) if (group.meta.total_count or 0) >= qty)
        more = {} if cycles is None else {"billing_cycles_count": cycles}
        assert len(order_dids(emulator, client, group, sku, qty=qty, **more)) == qty
        due += renewals * qty * group.stock_keeping_units[sku].monthly_price
    orders = client.orders().list().data
    assert len(orders) == 7
    due += sum(order.amount for order in orders)
    emulator.clock.freeze("2027-01-15T12:00:00Z")
    assert Decimal(10_000) - money(client) == due
    assert client.dids().list().total_records == 1 + 3 + 1
    assert client.orders().list().total_records == len(orders)
    assert client.capacity_pools().find(pool).data.renew_date == "2027-01-31"
    assert client.emergency_calling_services().find(service).data.renew_date == "2027-01-31"
    assert {did.expires_at.date().isoformat() for did in client.dids().list().data if did.expires_at} == {"2027-01-31"}


def test_renewals_keep_the_day_of_the_month(emulator: Emulator) -> None:
    """Each month costs the price of each number; short months do not move the day."""
    client = emulator.client()
    dids = buy(emulator, client, 3)
    price = sum(monthly(did) for did in dids)
    balance, ends = money(client), []
    for month in range(1, 13):
        emulator.clock.freeze(datetime(2026 + month // 12, month % 12 + 1, 1, tzinfo=UTC) + timedelta(days=31))
        now = client.dids().list().data
        assert len(now) == 3
        assert {did.expires_at for did in now} == {now[0].expires_at}
        expires = now[0].expires_at
        assert expires is not None
        ends.append((expires.month, expires.day))
    assert ends[:4] == [(3, 31), (4, 30), (5, 31), (6, 30)]
    renewals = (ends[-1][0] - 2) % 12 + 12
    assert balance - money(client) == price * renewals


@pytest.mark.slow
def test_one_large_advance_equals_many_small_ones() -> None:
    """Advancing by a year has the same result as advancing day by day."""
    outcomes: list[Any] = []
    for steps in (1, 365):
        with Emulator(seed=2, clock=Clock(START, running=False)) as emulator:
            client = emulator.client()
            buy(emulator, client, 2)
            buy(emulator, client, 1, billing_cycles_count=2)
            for _ in range(steps):
                emulator.clock.advance(timedelta(days=365 / steps))
            outcomes.append(
                (
                    money(client),
                    [(did.number, did.expires_at, did.billing_cycles_count) for did in client.dids().list().data],
                    sorted(
                        (entry.created_at, entry.did_number, str(entry.action))
                        for entry in client.did_history().iterate()
                    ),
                )
            )
    assert outcomes[0] == outcomes[1]


def test_did_is_removed_after_its_last_billing_cycle(emulator: Emulator) -> None:
    """Two more renewals; the last month is not charged again."""
    client = emulator.client()
    (did,) = buy(emulator, client, billing_cycles_count=2)
    balance = money(client)
    for cycles, day in ((1, "2026-02-28T12:00"), (0, "2026-03-31T12:00")):
        emulator.clock.freeze(day)
        assert client.dids().find(did.id).data.billing_cycles_count == cycles
    assert balance - money(client) == 2 * monthly(did)
    assert client.dids().list(filter={"billing_cycles_count": 0}).total_records == 1
    emulator.clock.freeze("2026-04-30T12:00")
    with pytest.raises(NotFoundError):
        client.dids().find(did.id)
    assert balance - money(client) == 2 * monthly(did)
    assert history(client) == [
        ("removed", "system"),
        ("renewed", "system"),
        ("renewed", "system"),
        ("assigned", "api3"),
    ]


def test_canceled_did_can_be_restored_until_its_month_ends(emulator: Emulator) -> None:
    """It works until then; a restored one continues."""
    client = emulator.client()
    (did,) = buy(emulator, client)
    did.terminated = True
    client.dids().update(did)
    did.terminated = False
    client.dids().update(did)
    emulator.clock.advance("40 days")
    assert not client.dids().find(did.id).data.terminated
    again = client.dids().find(did.id).data
    again.terminated = True
    client.dids().update(again)
    balance = money(client)
    assert client.dids().list(filter={"terminated": True}).total_records == 1
    emulator.clock.advance("31 days")
    assert client.dids().list().total_records == 0
    assert money(client) == balance
    assert [action for action, _ in history(client)] == [
        "removed",
        "canceled",
        "renewed",
        "restored",
        "canceled",
        "assigned",
    ]


def test_removed_did_returns_to_stock_and_frees_its_channels(emulator: Emulator) -> None:
    """Trunk groups and pools lose it."""
    client = emulator.client()
    (did,) = buy(emulator, client)
    assert did.did_group is not None
    group = client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Desk")).data
    pool = next(pool for pool in client.capacity_pools().list().data if pool.name == "North America")
    item = CapacityOrderItem(capacity_pool_id=pool.id, qty=10)
    client.orders().create(Order(items=[item]))
    emulator.clock.advance(1)
    did.voice_in_trunk_group, did.capacity_pool, did.dedicated_channels_count = group, pool, 4
    did.terminated = True
    client.dids().update(did)
    assert client.capacity_pools().find(pool.id).data.assigned_channels_count == 4
    stock = client.did_groups().find(did.did_group.id).data.meta.total_count
    emulator.clock.advance("31 days")
    assert client.dids().list().total_records == 0
    assert client.did_groups().find(did.did_group.id).data.meta.total_count == stock + 1
    assert client.capacity_pools().find(pool.id).data.assigned_channels_count == 0
    assert client.voice_in_trunk_groups().find(group.id).data.name == "Desk"


def test_references_to_a_removed_did_are_cleared(emulator: Emulator) -> None:
    """Its emergency service, shared group and outbound trunk continue without it."""
    client = emulator.client()
    group = groups_of(client, "US", features="emergency")[0]
    gone, stays = order_dids(emulator, client, group, qty=2)
    service = create_service(emulator, client, group, [gone, stays])
    pool = channels(emulator, client, 5)
    shared = SharedCapacityGroup(name="Desk", shared_channels_count=2)
    shared.capacity_pool, shared.dids = pool, [gone]
    shared = client.shared_capacity_groups().create(shared).data
    trunk = VoiceOutTrunk(
        name="Out",
        on_cli_mismatch_action="replace_cli",
        authentication_method=CredentialsAndIpAuthenticationMethod(allowed_sip_ips=["192.0.2.1"]),
    )
    trunk.default_did, trunk.dids, trunk.emergency_dids = gone, [gone, stays], [gone]
    trunk = client.voice_out_trunks().create(trunk).data
    gone.terminated = True
    client.dids().update(gone)
    emulator.clock.advance("31 days")

    service = client.emergency_calling_services().find(service, include="dids").data
    assert (service.status, [did.id for did in service.dids]) == ("active", [stays.id])
    trunk = client.voice_out_trunks().find(trunk, include=["dids", "emergency_dids"]).data
    assert ([did.id for did in trunk.dids], trunk.emergency_dids) == ([stays.id], [])
    kept = emulator.engine.session(emulator.key).get("voice_out_trunks", trunk.id)
    assert kept is not None
    assert kept["default_did"] is None
    client.shared_capacity_groups().delete(shared)  # rejected while a number is in it
    assert pool_of(client).assigned_channels_count == 0


def test_deleted_did_is_removed_immediately(emulator: Emulator) -> None:
    """History records the request, its channels are free, and it is not charged again."""
    client = emulator.client()
    (did,) = buy(emulator, client)
    pool = channels(emulator, client, 5)
    did.capacity_pool, did.dedicated_channels_count = pool, 4
    client.dids().update(did)
    client.dids().delete(did)
    assert pool_of(client).assigned_channels_count == 0
    assert history(client) == [("removed", "api3"), ("assigned", "api3")]
    balance = money(client)
    emulator.clock.advance("31 days")
    assert balance - money(client) == 5 * pool.monthly_price


def test_dids_are_removed_if_the_balance_cannot_renew_them(emulator: Emulator) -> None:
    """Numbers renew while the balance lasts; renewals never make it negative."""
    client = emulator.client()
    dids = buy(emulator, client, 5)
    emulator.balance.put(monthly(dids[0]) * 2 + Decimal("0.01"))
    emulator.clock.advance("31 days")
    assert client.dids().list().total_records == 2
    assert money(client) == Decimal("0.01")


def test_history_records_changes_and_is_purged(emulator: Emulator) -> None:
    """Entries have the counts before and after; they are removed after 90 days."""
    client = emulator.client()
    (did,) = buy(emulator, client)
    for cycles in (5, None, 7):
        did.billing_cycles_count = cycles
        client.dids().update(did)
    changes = client.did_history().list(filter={"action": "billing_cycles_count_changed"}, sort="created_at").data
    assert [(entry.meta.from_, entry.meta.to) for entry in changes] == [(None, "5"), ("5", None), (None, "7")]
    assert {entry.did_number for entry in changes} == {did.number}
    entries = Caller(emulator.engine, emulator.key).get("/did_history")["data"]
    assert [entry.get("meta") for entry in entries][::-1] == [
        None,
        *({"from": before, "to": after} for before, after in ((None, "5"), ("5", None), (None, "7"))),
    ]
    did.billing_cycles_count = 7
    client.dids().update(did)
    assert client.did_history().list().total_records == 4
    emulator.clock.advance("89 days")
    assert [action for action, _ in history(client)].count("billing_cycles_count_changed") == 3
    emulator.clock.advance("1 day")
    assert {action for action, _ in history(client)} == {"renewed"}
    with pytest.raises(Exception, match="last 90 days"):
        client.did_history().list(filter={"created_at_gteq": emulator.clock.now() - timedelta(days=91)})


@pytest.mark.parametrize("cycles", [-1, 1000])
def test_invalid_billing_cycles_return_422(emulator: Emulator, cycles: int) -> None:
    """0 to 999, checked by the emulator too."""
    client = emulator.client()
    (did,) = buy(emulator, client)
    body = {"data": {"type": "dids", "id": did.id, "attributes": {"billing_cycles_count": cycles}}}
    error = Caller(emulator.engine, emulator.key).error("PATCH", f"/dids/{did.id}", body)
    assert error["source"] == {"pointer": "/data/attributes/billing_cycles_count"}
    with pytest.raises((ValidationError, ValueError)):
        did.billing_cycles_count = cycles
        client.dids().update(did)


def test_channels_are_charged_monthly(emulator: Emulator) -> None:
    """At the price for their quantity; unused ones are given up if the balance is too low."""
    client = emulator.client()
    pool = next(pool for pool in client.capacity_pools().list().data if pool.name == "North America")
    client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=60)]))
    emulator.clock.advance(1)
    balance = money(client)
    before = client.capacity_pools().find(pool.id).data
    assert before.renew_date == "2026-02-28"
    emulator.clock.freeze("2026-03-01")
    after = client.capacity_pools().find(pool.id).data
    assert balance - money(client) == 60 * Decimal("3.60")  # 4.00 less 10 % for 50 channels or more
    assert after.renew_date == "2026-03-31"
    (did,) = buy(emulator, client)
    did.capacity_pool, did.dedicated_channels_count = pool, 4
    client.dids().update(did)
    emulator.balance.put("1.00")
    emulator.clock.freeze("2026-04-01T12:00:00Z")
    assert client.capacity_pools().find(pool.id).data.total_channels_count == 4
    assert money(client) < 0


def test_channels_given_up_are_not_charged_again(emulator: Emulator) -> None:
    """An empty pool keeps its date; channels bought meanwhile are charged until then, and monthly from then on."""
    client = emulator.client()
    pool = channels(emulator, client, 10)
    assert pool.renew_date == "2026-02-28"
    emulator.clock.freeze("2026-02-10T10:00:00Z")
    pool.total_channels_count = 0
    client.capacity_pools().update(pool)
    emulator.clock.freeze("2026-02-20T10:00:00Z")
    balance = money(client)
    pool = channels(emulator, client, 10)
    assert pool.renew_date == "2026-02-28"
    assert balance - money(client) == 10 * Decimal("1.14")  # 8 of 28 days of 4.00
    balance = money(client)
    emulator.clock.freeze("2026-02-28T01:00:00Z")
    assert balance - money(client) == 10 * pool.monthly_price
    assert {pool.renew_date for pool in client.capacity_pools().list().data} == {"2026-03-31"}


def effort(number: int, *, apart: int = 0, **fields: Any) -> int:
    """Return the work of SQLite at the end of the first month, in hundreds of its instructions.

    Args:
        number: The number of DIDs.
        apart: Seconds between the ends of their months.
        fields: More fields of each DID.
    """
    with Emulator(clock=Clock(START, running=False)) as emulator:
        session = emulator.engine.session(emulator.key)
        pool, group = session.find("capacity_pools")[0]["id"], session.find("did_groups", limit=1)[0]["id"]
        begun = datetime(2026, 2, 28, 10, tzinfo=UTC)
        take_over(
            session,
            [
                {
                    "id": session.new_id(),
                    "number": f"44207946{n:04}",
                    "expires_at": session.stamp(begun + n * timedelta(seconds=apart)),
                    "did_group": group,
                    "capacity_pool": pool,
                    "dedicated_channels_count": 0,
                    "private": {"monthly": "0.01", "day": 31},
                    **fields,
                }
                for n in range(number)
            ],
        )
        with work(emulator) as steps:
            emulator.clock.freeze("2026-02-28T12:00:00Z")
            emulator.client().balance().find()
        return steps[0]


@pytest.mark.parametrize("fields", [{}, {"apart": 1}, {"terminated": True}, {"terminated": True, "apart": 1}])
@pytest.mark.slow
def test_renewal_cost_is_linear(fields: dict[str, Any]) -> None:
    """Four times the numbers are four times the work, renewing together or one by one."""
    few, many = effort(100, **fields), effort(400, **fields)
    assert few > 0
    assert many < 6 * few


def test_renewals_are_batched_by_order() -> None:
    """A thousand numbers of one order renew together."""
    with Emulator(clock=Clock(START, running=False)) as emulator, emulator.client() as client:
        emulator.state.seed({"balance": "1000000"})
        country = client.countries().list(filter={"iso": "GB"}).data[0]
        filters: Any = {"country.id": country.id, "area_name": "London"}
        group = client.did_groups().list(filter=filters, include="stock_keeping_units").data[0]
        emulator.stock.put(group.id, 1000)
        client.orders().create(Order(items=[DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=1000)]))
        emulator.clock.advance(1)
        with work(emulator) as steps:
            emulator.clock.advance("31 days")
        assert steps[0] < 6_000
        assert client.did_history().list(filter={"action": "renewed"}).total_records == 1000


def test_order_and_renewal_amounts_include_vat(emulator: Emulator) -> None:
    """Rounded to cents; SKU prices are without VAT."""
    client = emulator.client()
    assert emulator.balance.terms(vat="17.5").vat == "17.5"
    (did,) = buy(emulator, client)
    (order,) = client.orders().list().data
    price = monthly(did)
    gross = (price * Decimal("1.175")).quantize(Decimal("0.01"), "ROUND_HALF_UP")
    assert order.items[0].mrc == gross
    assert order.amount == order.items[0].nrc + gross == Decimal(10_000) - money(client)
    balance = money(client)
    emulator.clock.advance("31 days")
    assert balance - money(client) == gross
    for wrong in (-1, 101, "much", float("nan")):
        with pytest.raises(ValueError, match="percentage"):
            emulator.balance.terms(vat=wrong)


def test_first_month_of_channels_is_prorated(emulator: Emulator) -> None:
    """Bought on the 14th of 28 days they cost half, paid until the day before the pool renews."""
    client = emulator.client()
    pool = next(pool for pool in client.capacity_pools().list().data if pool.name == "North America")
    assert pool.renew_date == "2026-02-28"

    def channels() -> Order:
        return client.orders().create(Order(items=[CapacityOrderItem(capacity_pool_id=pool.id, qty=10)])).data

    whole = channels()
    (item,) = whole.items
    assert (item.prorated_mrc, item.mrc, whole.amount) == (True, Decimal("4.00"), Decimal("40.00"))
    emulator.clock.freeze("2026-02-14T10:00:00Z")
    half = channels()
    (item,) = half.items
    assert (item.prorated_mrc, item.mrc, half.amount) == (True, Decimal("2.00"), Decimal("20.00"))
    assert (item.billed_from, item.billed_to) == ("2026-02-14", "2026-02-27")
    balance = money(client)
    emulator.clock.freeze("2026-02-28T10:00:00Z")
    assert balance - money(client) == 20 * pool.monthly_price
