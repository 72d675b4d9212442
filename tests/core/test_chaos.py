"""Calls over real sockets through a proxy that does harm, to the served sandbox."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clients import KINDS, client_of
from didww import (
    ConnectionFailed,
    DeadlineExceeded,
    DidOrderItem,
    DidwwClient,
    DidwwError,
    Order,
    ServerError,
    UnexpectedResponse,
)
from didww.sandbox.server import running
from proxy import Proxy

FAST = 0.05


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
def test_reading_survives_one_bad_moment(fate: str, kind: str) -> None:
    """Whatever becomes of the first attempt, the second one's answer is had."""
    fates = iter([fate])
    with running() as base_url, Proxy(base_url, lambda _: next(fates, "pass")) as proxy:
        with client_of(kind, proxy.base_url, timeout=20) as client:
            answer = quick(client).balance().find()
    assert answer.attempts == 2
    assert proxy.fates == [fate, "pass"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fate", "error"),
    [
        ("refuse", ConnectionFailed),
        ("lose", ConnectionFailed),
        ("cut", (ConnectionFailed, UnexpectedResponse)),
        ("html", ServerError),
    ],
)
def test_a_bad_day_ends_in_an_error_that_counts_the_attempts(fate: str, error: Any, kind: str) -> None:
    """Two repetitions, then the error."""
    with running() as base_url, Proxy(base_url, lambda _: fate) as proxy:
        with client_of(kind, proxy.base_url, timeout=20) as client, pytest.raises(error, match="3 attempts") as caught:
            quick(client).balance().find()
    assert getattr(caught.value, "attempts", 3) == 3
    assert len(proxy.fates) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_that_drips_is_cut_off_in_time(kind: str) -> None:
    """A byte every 0.4 seconds keeps no call alive."""
    with running() as base_url, Proxy(base_url, lambda _: "drip") as proxy:
        with client_of(kind, proxy.base_url, timeout=1.5) as client:
            begun = time.monotonic()
            with pytest.raises(DeadlineExceeded):
                client.countries().list()
            assert 1.3 <= time.monotonic() - begun < 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fate", ["lose", "cut", "long", "refuse"])
def test_an_order_whose_answer_was_lost_is_found(fate: str, kind: str) -> None:
    """One order, the one that was placed; nothing was bought twice."""
    fates = iter([fate])
    with running() as base_url:
        with DidwwClient("key", base_url=base_url) as direct:
            sku = london(direct)
        with Proxy(base_url, lambda line: next(fates, "pass") if line.startswith("POST") else "pass") as proxy:
            with client_of(kind, proxy.base_url, timeout=20) as client:
                order = quick(client).orders().create(Order(items=[DidOrderItem(sku_id=sku, qty=1)])).data
                found = client.orders().list().data
    assert [one.id for one in found] == [order.id]


def test_a_thousand_orders_with_lost_answers_are_a_thousand_orders() -> None:
    """Sixteen threads, one answer in ten lost: as many orders on the server as were placed, each answered by its own."""
    dice, lock = random.Random(5), threading.Lock()

    def fate(line: str) -> str:
        with lock:
            return "lose" if line.startswith("POST") and dice.random() < 0.1 else "pass"

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
            there = list(direct.orders().iterate(page=(1, 500)))
        client.close()
    assert proxy.fates.count("lose") > 50
    assert len(there) == 1000
    assert {one.external_reference_id for one in there} == {f"order-{number}" for number in range(1000)}
    assert {one.id for one in placed} == {one.id for one in there}


def test_five_hundred_tasks_share_one_client() -> None:
    """Through a proxy that drops every twentieth request: all are answered."""
    dice = random.Random(7)

    async def main(base_url: str) -> int:
        from didww import AsyncDidwwClient

        async with AsyncDidwwClient("key", base_url=base_url, rate_limit=None, max_retries=5) as client:
            client._configuration.jitter = lambda: FAST
            client._configuration.budget._left = 1000.0
            answers = await asyncio.gather(
                *(client.countries().list(filter={"iso": "GB"}) for _ in range(500)), return_exceptions=True
            )
        return sum(not isinstance(one, (DidwwError, BaseException)) for one in answers)

    with running() as base_url, Proxy(base_url, lambda _: "refuse" if dice.random() < 0.05 else "pass") as proxy:
        assert asyncio.run(main(proxy.base_url)) == 500
