"""Calls over real sockets through a fault-injecting proxy to the served emulator."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from didww import (
    ApiConnectionError,
    ApiTimeoutError,
    AsyncDidwwClient,
    DidOrderItem,
    DidwwClient,
    DidwwError,
    Order,
    ServerError,
    UnexpectedResponseError,
)
from didww.emulator.http.server import running
from support.clients import KINDS, client_of
from support.proxy_server import Proxy
from support.real_time import patient, seconds

FAST = 0.05

pytestmark = pytest.mark.slow


def quick(client: Any) -> Any:
    """The same client with shorter pauses."""
    inner = getattr(client, "_client", client)
    inner._configuration.jitter = lambda: FAST
    return client


def london(client: Any) -> str:
    group = client.did_groups().list(filter={"area_name": "London"}, include="stock_keeping_units").data[0]
    return str(group.stock_keeping_units[0].id)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fate", ["refuse", "lose", "cut", "html", "busy", "long"])
def test_read_succeeds_after_one_failure(fate: str, kind: str) -> None:
    """Whatever happens to the first attempt, the second one's response is returned."""
    fates = iter([fate])
    with running() as base_url, Proxy(base_url, lambda _: next(fates, "pass")) as proxy:
        with client_of(kind, proxy.base_url, timeout=120) as client:
            response = quick(client).balance().find()
    assert response.attempts == 2
    assert proxy.fates == [fate, "pass"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("refuse", ApiConnectionError),
        ("lose", ApiConnectionError),
        ("cut", (ApiConnectionError, UnexpectedResponseError)),
        ("html", ServerError),
    ],
)
def test_lasting_failure_raises_an_error_with_the_attempt_count(fate: str, error: Any, kind: str) -> None:
    """Two retries are followed by the error."""
    with running() as base_url, Proxy(base_url, lambda _: fate) as proxy:
        with client_of(kind, proxy.base_url, timeout=120) as client, pytest.raises(error, match="3 attempts") as caught:
            quick(client).balance().find()
    assert getattr(caught.value, "attempts", 3) == 3
    assert len(proxy.fates) == 3


@pytest.mark.parametrize("kind", KINDS)
@patient
def test_dripping_response_ends_at_the_deadline(kind: str) -> None:
    """A byte every 0.4 seconds does not extend the call."""
    with running() as base_url, Proxy(base_url, lambda _: "drip") as proxy:
        with client_of(kind, proxy.base_url, timeout=seconds(1.5)) as client:
            begun = time.monotonic()
            with pytest.raises(ApiTimeoutError):
                client.countries().list()
            assert 1.3 <= time.monotonic() - begun < seconds(3)


@pytest.mark.parametrize("kind", KINDS)
def test_order_with_a_broken_connection_is_not_resent(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection broke after sending and the order is not found: one attempt, and an error that explains it."""
    monkeypatch.setattr("didww._core.retry.FIRST_PAUSE", FAST)  # between the lookups, which are as many as always
    with running() as base_url:
        with DidwwClient("key", base_url=base_url) as direct:
            sku = london(direct)
        with Proxy(base_url, lambda line: "refuse" if line.startswith("POST") else "pass") as proxy:
            with client_of(kind, proxy.base_url, timeout=120) as client:
                with pytest.raises(ApiConnectionError, match="not found within") as caught:
                    client.orders().create(Order(items=[DidOrderItem(sku_id=sku, qty=1)]))
                assert client.orders().list(filter=caught.value.lookup).data == []
    assert proxy.fates.count("refuse") == caught.value.attempts == 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fate", ["lose", "cut", "long"])
def test_order_with_a_lost_response_is_found(fate: str, kind: str) -> None:
    """Exactly one order was placed."""
    fates = iter([fate])
    with running() as base_url:
        with DidwwClient("key", base_url=base_url) as direct:
            sku = london(direct)
        with Proxy(base_url, lambda line: next(fates, "pass") if line.startswith("POST") else "pass") as proxy:
            with client_of(kind, proxy.base_url, timeout=120) as client:
                order = quick(client).orders().create(Order(items=[DidOrderItem(sku_id=sku, qty=1)])).data
                found = client.orders().list().data
    assert [one.id for one in found] == [order.id]


def test_thousand_orders_with_lost_responses_are_placed_once_each() -> None:
    """Sixteen threads lose one response in ten: the server has each order once, and each caller gets its own."""
    rng, lock = random.Random(5), threading.Lock()

    def fate(line: str) -> str:
        with lock:
            return "lose" if line.startswith("POST") and rng.random() < 0.1 else "pass"

    placed: list[Order] = []
    with running() as base_url, Proxy(base_url, fate) as proxy:
        client = DidwwClient("key", base_url=proxy.base_url, rate_limit=None, timeout=60)
        client._configuration.jitter = lambda: FAST
        sku = london(client)

        def place(number: int) -> None:
            order = Order(items=[DidOrderItem(sku_id=sku, qty=1)], external_reference_id=f"order-{number}")
            placed.append(client.orders().create(order).data)

        with ThreadPoolExecutor(16) as threads:
            list(threads.map(place, range(1000)))
        with DidwwClient("key", base_url=base_url, rate_limit=None) as direct:
            there = list(direct.orders().iterate(page=(1, 100)))
        client.close()
    assert proxy.fates.count("lose") > 50
    assert len(there) == 1000
    assert {one.external_reference_id for one in there} == {f"order-{number}" for number in range(1000)}
    assert {one.id for one in placed} == {one.id for one in there}


def test_five_hundred_tasks_share_one_client() -> None:
    """A proxy drops every twentieth request; all calls succeed."""
    rng = random.Random(7)

    async def main(base_url: str) -> int:
        async with AsyncDidwwClient("key", base_url=base_url, rate_limit=None, max_retries=5) as client:
            client._configuration.jitter = lambda: FAST
            client._configuration.budget._remaining = 1000.0
            responses = await asyncio.gather(
                *(client.countries().list(filter={"iso": "GB"}) for _ in range(500)), return_exceptions=True
            )
        return sum(not isinstance(one, (DidwwError, BaseException)) for one in responses)

    with running() as base_url, Proxy(base_url, lambda _: "refuse" if rng.random() < 0.05 else "pass") as proxy:
        assert asyncio.run(main(proxy.base_url)) == 500


@pytest.mark.parametrize("kind", ["threads", "tasks"])
def test_client_survives_mixed_failures(kind: str) -> None:
    """32 workers meet 429, bursts of 5xx, resets at any point, HTML pages and wrong lengths.

    Each read is correct, each order exists once, each DID has its last description, and no thread, task or connection
    is left.
    """
    rng, lock, count = random.Random(11), threading.Lock(), [0]

    def fate(line: str) -> str:
        with lock:
            count[0] += 1
            if count[0] % 60 < 8:
                return "busy"
            if count[0] % 60 in range(30, 36) and not line.startswith("POST"):
                return "boom"
            odds = [("lose", 0.03), ("cut", 0.03), ("long", 0.02), ("html", 0.02), ("refuse", 0.03)]
            if count[0] in range(20, 20 + len(odds)):  # each of them happens, whatever the random numbers are
                return odds[count[0] - 20][0]
            return next((name for name, chance in odds if rng.random() < chance), "pass")

    def early() -> bool:
        with lock:
            return rng.random() < 0.02

    options: Any = {"rate_limit": None, "timeout": 60, "max_retries": 20}
    with running() as base_url, DidwwClient("key", base_url=base_url, rate_limit=None) as direct:
        sku = london(direct)
        direct.orders().wait(direct.orders().create(Order(items=[DidOrderItem(sku_id=sku, qty=10)])).data)
        dids = list(direct.dids().iterate())
        for number, did in enumerate(dids):
            did.description = f"number {number}"
        orders = [Order(items=[DidOrderItem(sku_id=sku, qty=1)]) for _ in range(64)]
        with Proxy(base_url, fate, early) as proxy:
            if kind == "threads":
                with DidwwClient("key", base_url=proxy.base_url, **options) as client:
                    calmed(client)
                    with ThreadPoolExecutor(32) as threads:
                        found = list(threads.map(lambda _: client.balance().find().data.id, range(200)))
                        walks = list(
                            threads.map(
                                lambda _: [c.id for c in client.cities().iterate(page_size=100, limit=450)], range(8)
                            )
                        )
                    report = client.orders().create_many(orders, concurrency=32)
                    updates = client.dids().update_many(dids, concurrency=32)
            else:

                async def main() -> tuple[Any, ...]:
                    async with AsyncDidwwClient("key", base_url=proxy.base_url, **options) as client:
                        calmed(client)

                        async def one() -> str:
                            return str((await client.balance().find()).data.id)

                        async def walk() -> list[Any]:
                            return [city.id async for city in client.cities().iterate(page_size=100, limit=450)]

                        return (
                            await asyncio.gather(*(one() for _ in range(200))),
                            await asyncio.gather(*(walk() for _ in range(8))),
                            await client.orders().create_many(orders, concurrency=32),
                            await client.dids().update_many(dids, concurrency=32),
                        )

                found, walks, report, updates = asyncio.run(main())
        assert set(found) == {direct.balance().find().data.id}
        assert walks == [[city.id for city in direct.cities().iterate(limit=450)]] * 8
        updates.raise_for_failures()
        assert report.failed == []
        found_later = [direct.orders().list(filter=item.error.lookup).data for item in report.unknown]
        assert all(len(found) <= 1 for found in found_later)
        assert direct.orders().count() == 1 + len(report.done) + sum(map(len, found_later))
        assert {item.data.id for item in report.done} <= {one.id for one in direct.orders().iterate()}
        assert len(report.done) >= 55
        texts = {did.id: did.description for did in direct.dids().iterate(filter={"id": [did.id for did in dids]})}
        assert texts == {did.id: f"number {number}" for number, did in enumerate(dids)}
    assert {"busy", "boom", "lose", "cut", "long", "html", "refuse"} <= set(proxy.fates)
    for thread in threading.enumerate():
        if thread.name == "didww":
            thread.join(60)
            assert not thread.is_alive()


def calmed(client: Any) -> None:
    """Shorter pauses, and no end of repetitions."""
    client._configuration.jitter = lambda: FAST
    client._configuration.budget._remaining = client._configuration.budget._most = 10_000.0
