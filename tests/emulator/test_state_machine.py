"""Run random operations: orders, money, stock, routing, channels and time stay consistent."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from didww import (
    AvailableDidOrderItem,
    CapacityOrderItem,
    Did,
    DidOrderItem,
    DidReservation,
    DidwwApiError,
    Order,
    PstnConfiguration,
    ReservationDidOrderItem,
    SharedCapacityGroup,
    ValidationError,
    VoiceInTrunk,
    VoiceInTrunkGroup,
)
from didww.emulator import Clock, Emulator
from support.hypothesis_profiles import law

START = datetime(2026, 1, 31, 10, tzinfo=UTC)
NAMES = ("New York", "Chicago")
PICK = st.integers(0, 10**6)


class Account(RuleBasedStateMachine):
    """Do everything that a client can do with an account, and keep a ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.emulator = Emulator(seed=4, clock=Clock(START, running=False))
        self.client: Any = self.emulator.client(max_retries=0)
        self.session = self.emulator.engine.session(self.emulator.key)
        self.groups: list[Any] = []
        for name in NAMES:
            group = self.client.did_groups().list(filter={"area_name": name}, include="stock_keeping_units").data[0]
            self.emulator.stock.put(group.id, 6)
            self.groups.append(group)
        self.pool = next(pool for pool in self.client.capacity_pools().list().data if pool.name == "North America")
        self.money = Decimal(10_000)
        self.names = 0

    def teardown(self) -> None:
        self.emulator.close()

    # Client operations

    def name(self) -> str:
        self.names += 1
        return f"Name {self.names}"

    def place(self, item: Any, *, back: bool) -> Order | None:
        before = self.money
        try:
            order = self.client.orders().create(Order(items=[item], allow_back_ordering=back)).data
        except DidwwApiError as error:
            assert error.status_code in (400, 422), error
            assert self.now() == before
            return None
        assert order.amount == sum(item.qty * (item.nrc + item.mrc) for item in order.items)
        self.money -= order.amount
        return order  # type: ignore[no-any-return]

    def now(self) -> Decimal:
        return self.client.balance().find().data.balance  # type: ignore[no-any-return]

    @rule(n=PICK, qty=st.integers(1, 8), back=st.booleans(), cycles=st.sampled_from((None, 0, 1, 5)))
    def buys_some(self, n: int, qty: int, back: bool, cycles: int | None) -> None:
        group = self.groups[n % 2]
        more: Any = {} if cycles is None else {"billing_cycles_count": cycles}
        item = DidOrderItem(sku_id=group.stock_keeping_units[n % 2].id, qty=qty, **more)
        stock = self.client.did_groups().find(group.id).data.meta.total_count
        order = self.place(item, back=back)
        assert order is not None or (qty > stock and not back) or self.now() < 100

    @rule(n=PICK)
    def buys_one(self, n: int) -> None:
        group = self.groups[n % 2]
        available = self.client.available_dids().list(filter={"did_group.id": group.id}).data
        if available:
            item = AvailableDidOrderItem(
                sku_id=group.stock_keeping_units[0].id, available_did_id=available[n % len(available)].id
            )
            self.place(item, back=True)

    @rule(n=PICK)
    def reserves(self, n: int) -> None:
        group = self.groups[n % 2]
        available = self.client.available_dids().list(filter={"did_group.id": group.id}).data
        if available:
            try:
                self.client.did_reservations().create(DidReservation(available_did=available[n % len(available)]))
            except DidwwApiError as error:
                assert self.client.did_reservations().list().total_records == 10, error

    @rule(n=PICK, buy=st.booleans())
    def uses_a_reservation(self, n: int, buy: bool) -> None:
        held = self.client.did_reservations().list().data
        if not held:
            return
        reservation = held[n % len(held)]
        if not buy:
            self.client.did_reservations().delete(reservation.id)
            return
        group = self.groups[n % 2]
        item = ReservationDidOrderItem(sku_id=group.stock_keeping_units[0].id, did_reservation_id=reservation.id)
        self.place(item, back=True)

    @rule(n=PICK)
    def cancels_an_order(self, n: int) -> None:
        orders = list(self.client.orders().iterate(page_size=100))
        if orders:
            order = orders[n % len(orders)]
            try:
                self.client.orders().delete(order.id)
            except DidwwApiError as error:
                assert error.status_code == 422
                assert order.status != "pending" or order.description == "Capacity"
            else:
                self.money += order.amount

    @rule(n=PICK, group=st.booleans(), routed=st.booleans())
    def routes(self, n: int, group: bool, routed: bool) -> None:
        dids = self.dids()
        if not dids:
            return
        did = dids[n % len(dids)]
        if group:
            did.voice_in_trunk_group = (
                self.client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name=self.name())).data if routed else None
            )
        else:
            trunk = VoiceInTrunk(name=self.name(), configuration=PstnConfiguration(dst="447700900123"))
            did.voice_in_trunk = self.client.voice_in_trunks().create(trunk).data if routed else None
        self.client.dids().update(did)

    @rule(n=PICK)
    def deletes_a_route(self, n: int) -> None:
        used = {did[name] for did in self.session.find("dids") for name in ("voice_in_trunk", "voice_in_trunk_group")}
        for endpoint in (self.client.voice_in_trunks(), self.client.voice_in_trunk_groups()):
            routes = endpoint.list().data
            if routes and n % 3 == 0:
                id = routes[n % len(routes)].id
                with pytest.raises(ValidationError) if id in used else nullcontext():
                    endpoint.delete(id)

    @rule(n=PICK, terminated=st.booleans(), cycles=st.sampled_from((None, 0, 2)))
    def ends_or_goes_on(self, n: int, terminated: bool, cycles: int | None) -> None:
        dids = self.dids()
        if dids:
            did = dids[n % len(dids)]
            did.terminated, did.billing_cycles_count = terminated, cycles
            self.client.dids().update(did)

    @rule(qty=st.integers(1, 60))
    def buys_channels(self, qty: int) -> None:
        order = self.place(CapacityOrderItem(capacity_pool_id=self.pool.id, qty=qty), back=True)
        assert (order is None) == (qty < self.pool.minimum_qty_per_order) or self.money < 500

    @rule(n=PICK, channels=st.integers(0, 20))
    def uses_channels(self, n: int, channels: int) -> None:
        dids = self.dids()
        try:
            if n % 3 == 0 or not dids:
                shared = SharedCapacityGroup(
                    name=self.name(),
                    shared_channels_count=channels,
                    capacity_pool=self.pool,
                    dids=dids[: n % 3],
                    metered_channels_count=0,
                )
                self.client.shared_capacity_groups().create(shared)
            else:
                did = dids[n % len(dids)]
                did.capacity_pool, did.dedicated_channels_count = self.pool, channels
                self.client.dids().update(did)
        except DidwwApiError as error:
            pool = self.client.capacity_pools().find(self.pool.id).data
            assert error.status_code == 422
            assert channels > pool.total_channels_count - pool.assigned_channels_count - 20

    @rule(n=PICK)
    def gives_channels_up(self, n: int) -> None:
        for group in self.client.shared_capacity_groups().list().data[: n % 2]:
            try:
                self.client.shared_capacity_groups().delete(group.id)
            except DidwwApiError as error:
                assert error.status_code == 422
        pool = self.client.capacity_pools().find(self.pool.id).data
        free = pool.total_channels_count - pool.assigned_channels_count
        pool.total_channels_count -= n % (free + 1)
        self.client.capacity_pools().update(pool)

    # External changes

    @rule(n=PICK, count=st.integers(0, 8))
    def stock_comes_and_goes(self, n: int, count: int) -> None:
        self.emulator.stock.put(self.groups[n % 2].id, count)

    @rule(amount=st.sampled_from(("0.00", "1.50", "20.00", "5000.00")))
    def money_is_put(self, amount: str) -> None:
        self.emulator.balance.put(amount)
        self.money = Decimal(amount)

    @rule(by=st.sampled_from(("0.5 s", "1 min", "11 min", "1 day", "14 days", "27 days")))
    def time_passes(self, by: str) -> None:
        before = {did["id"]: did for did in self.session.find("dids")}
        pools = {pool["id"]: pool for pool in self.session.find("capacity_pools")}
        # Ordered channels arrive half a second later, before any renewal.
        coming = sum(
            item["attributes"]["qty"]
            for order in self.session.find("orders", status="pending")
            for item in order["items"]
            if item["attributes"].get("capacity_pool_id") == self.pool.id
        )
        self.emulator.clock.advance(by)
        spent = Decimal(0)
        for did in self.session.find("dids"):
            was = before.get(did["id"])
            if was is not None and was["expires_at"] != did["expires_at"]:
                assert not was["terminated"]
                assert was["billing_cycles_count"] != 0
                spent += Decimal(did["private"]["monthly"])
        for pool in self.session.find("capacity_pools"):
            was = pools[pool["id"]]
            # The month of an empty pool starts with its first channels, which are paid already.
            if was["renew_date"] != pool["renew_date"] and was["total_channels_count"]:
                steps = {50: "3.60", 200: "3.00"}
                count = was["total_channels_count"] + coming
                price = next((Decimal(p) for q, p in sorted(steps.items(), reverse=True) if q <= count), Decimal(4))
                spent += price * pool["total_channels_count"]
        self.money -= spent

    # Invariants

    def dids(self) -> list[Did]:
        include = ["voice_in_trunk", "voice_in_trunk_group"]
        return list(self.client.dids().iterate(include=include, page_size=100))

    @invariant()
    def money_adds_up(self) -> None:
        assert self.now() == self.money

    @invariant()
    def numbers_belong_to_one_owner(self) -> None:
        mine = [did["number"] for did in self.session.find("dids")]
        held = [reservation["number"] for reservation in self.session.find("did_reservations")]
        assert max(Counter(mine + held).values(), default=1) == 1
        orders = {order["id"]: order for order in self.session.find("orders")}
        bought = Counter(did["order"] for did in self.session.find("dids"))
        for id, count in bought.items():
            assert orders[id]["status"] == "completed"
            assert count <= sum(item["attributes"]["qty"] for item in orders[id]["items"])

    @invariant()
    def stock_is_consistent(self) -> None:
        for group in self.groups:
            record = self.session.get("did_groups", group.id) or {}
            stock = self.client.did_groups().find(group.id).data.meta.total_count
            mine = self.session.count("dids", did_group=group.id) + self.session.count(
                "did_reservations", did_group=group.id
            )
            assert 0 <= stock <= max(0, record["total_count"] - mine)
            listed = self.client.available_dids().list(filter={"did_group.id": group.id}).data
            assert not {available.number for available in listed} & {did["number"] for did in self.session.find("dids")}

    @invariant()
    def routes_lead_somewhere(self) -> None:
        for did in self.dids():
            assert did.voice_in_trunk is None or did.voice_in_trunk_group is None

    @invariant()
    def channels_are_not_used_twice(self) -> None:
        pool = self.session.get("capacity_pools", self.pool.id) or {}
        used = sum(group["shared_channels_count"] for group in self.session.find("shared_capacity_groups"))
        used += sum(
            did["dedicated_channels_count"] or 0 for did in self.session.find("dids", capacity_pool=self.pool.id)
        )
        assert pool["assigned_channels_count"] == used <= pool["total_channels_count"]

    @precondition(lambda self: self.names % 7 == 3)
    @invariant()
    def a_snapshot_is_the_same(self) -> None:
        before = (self.now(), [did.number for did in self.dids()])
        self.emulator.state.snapshot("here")
        self.emulator.stock.put(self.groups[0].id, 0)
        self.emulator.state.restore("here")
        assert (self.now(), [did.number for did in self.dids()]) == before


Account.TestCase.settings = law(25, stateful_step_count=30, suppress_health_check=list(HealthCheck))
TestAccount = Account.TestCase
