"""Test faults: which requests they match, their effects in process and over a socket, presets."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from didww import DidOrderItem, DidwwClient, Export, Order
from didww._server.asgi_server import wait_until_started
from didww.emulator import Emulator
from didww.emulator.engine.rate_limit import RateLimit
from didww.emulator.http.server import Server
from didww.exceptions import ApiConnectionError, ApiTimeoutError, DidwwApiError, DidwwError, UnexpectedResponseError
from support.real_time import patient, seconds

DOORS = ("in process", "in process, async", "served")


@contextmanager
def served(emulator: Emulator) -> Iterator[str]:
    """Serve an emulator and return its base URL."""
    server = Server(emulator)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until_started(server, thread)
        yield server.base_url
    finally:
        server.stop()
        thread.join(timeout=60)


@contextmanager
def doors(door: str, **options: Any) -> Iterator[tuple[Emulator, Any]]:
    """Return an emulator and a function that reads the balance, in process or over HTTP."""
    options = {"max_retries": 0, "timeout": 60.0, **options}
    with Emulator(seed=1) as emulator:
        if door == "in process":
            with emulator.client(**options) as client:
                yield emulator, lambda: str(client.balance().find().data.balance)
        elif door == "served":
            with served(emulator) as base, DidwwClient("key", base_url=base, rate_limit=None, **options) as client:
                yield emulator, lambda: str(client.balance().find().data.balance)
        else:

            async def ask() -> str:
                async with emulator.async_client(**options) as client:
                    return str((await client.balance().find()).data.balance)

            yield emulator, lambda: asyncio.run(ask())


@pytest.mark.unchecked
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [
        ({"status": 503}, DidwwApiError, "503"),
        ({"status": 503, "body": '{"errors":[{"detail":"Down for an hour"}]}'}, DidwwApiError, "Down for an hour"),
        ({"status": 429, "retry_after": 7}, DidwwApiError, "Too Many Requests"),
        ({"status": 422}, DidwwApiError, "is invalid"),
        ({"status": 404}, DidwwApiError, "404"),
        ({"status": 200, "body": "{}"}, UnexpectedResponseError, "balance"),
        ({"empty": True}, UnexpectedResponseError, "empty body"),
        ({"html": True}, UnexpectedResponseError, "HTML"),
        ({"cut": 0}, ApiConnectionError, "failed"),
        ({"cut": 30}, ApiConnectionError, "failed"),
        ({"lost_response": True}, ApiConnectionError, "failed"),
        pytest.param({"latency": 300}, ApiTimeoutError, "timeout", marks=pytest.mark.slow),
        pytest.param({"drip": 300}, ApiTimeoutError, "timeout", marks=pytest.mark.slow),
    ],
)
@patient
def test_faults_have_the_same_effect_for_every_transport(
    door: str, fault: dict[str, Any], error: type[DidwwError], text: str
) -> None:
    """The error is the same, and a fault with times=1 applies once."""
    timeout = seconds(0.4) if "latency" in fault or "drip" in fault else 60.0
    with doors(door, timeout=timeout) as (emulator, balance):
        assert balance() == "10000.00"
        rule = emulator.faults.add(times=1, **fault)
        started = time.monotonic()
        with pytest.raises(error, match=text) as failed:
            balance()
        assert time.monotonic() - started < 60
        if fault.get("retry_after"):
            assert getattr(failed.value, "retry_after", None) == 7
        assert balance() == "10000.00"
        assert [rule.hits for rule in emulator.faults.rules()] == [1]
        assert emulator.journal.entries(limit=2)[1].fault == rule.id


@pytest.mark.parametrize("door", DOORS)
def test_latency_and_drip_delay_valid_responses(door: str) -> None:
    """A slow response is valid if the timeout allows it."""
    with doors(door) as (emulator, balance):
        emulator.faults.add(latency="200 ms")
        started = time.monotonic()
        assert balance() == "10000.00"
        assert time.monotonic() - started >= 0.2
        emulator.faults.clear()
        emulator.faults.add(drip=0.2)
        started = time.monotonic()
        assert balance() == "10000.00"
        assert time.monotonic() - started >= 0.15


@pytest.mark.parametrize("door", DOORS[:2])
def test_faults_match_their_conditions(door: str) -> None:
    """Method, path, resource, nth, times and probability."""
    with doors(door) as (emulator, balance):

        def outcomes(count: int) -> str:
            marks = ""
            for _ in range(count):
                try:
                    balance()
                    marks += "."
                except DidwwApiError:
                    marks += "x"
            emulator.faults.clear()
            return marks

        for nowhere in ({"method": "POST"}, {"path": "/orders"}, {"resource": "orders"}, {"path": "/balance/*"}):
            emulator.faults.add(status=500, **nowhere)
        assert outcomes(3) == "..."
        for here in ({"method": "get"}, {"path": "/balance"}, {"resource": "balances"}, {"path": "/b*"}):
            emulator.faults.add(status=500, **here)
            assert outcomes(1) == "x"
        emulator.faults.add(status=500, nth=3)
        assert outcomes(5) == "..x.."
        emulator.faults.add(status=500, times=2)
        assert outcomes(5) == "xx..."
        emulator.faults.add(status=500, probability=0)
        assert outcomes(5) == "....."
        emulator.state.reset()
        emulator.faults.add(status=500, probability=0.5)
        drawn = outcomes(40)
        assert 8 < drawn.count("x") < 32
        emulator.state.reset()
        emulator.faults.add(status=500, probability=0.5)
        assert outcomes(40) == drawn


def test_lost_response_faults_process_the_request() -> None:
    """The order exists, and the client finds it instead of creating another."""
    with Emulator() as emulator, emulator.client() as client:
        groups = client.did_groups().list(filter={"is_available": True}, include="stock_keeping_units", page=(1, 1))
        item = DidOrderItem(sku_id=groups.data[0].stock_keeping_units[0].id, qty=1)
        emulator.faults.add(method="POST", resource="orders", lost_response=True, times=1)
        created = client.orders().create(Order(items=[item])).data
        assert [order.id for order in client.orders().list().data] == [created.id]
        emulator.journal.assert_called("POST", "/orders", times=1)


@pytest.mark.slow
def test_fault_presets() -> None:
    """Presets work as named, and a client with retries survives the transient ones."""
    with Emulator(seed=3) as emulator, emulator.client(max_retries=8) as client:
        emulator.faults.preset("flaky")
        assert {str(client.balance().find().data.balance) for _ in range(15)} == {"10000.00"}
        assert any(rule.hits for rule in emulator.faults.rules())
        emulator.faults.clear()
        emulator.faults.preset("export-stuck")
        span = {"from": _day(emulator, 2), "to": _day(emulator, 1)}
        export = client.exports().create(Export(export_type="cdr_in", filters=span)).data
        emulator.clock.advance("1 day")
        assert client.exports().find(export.id).data.status == "processing"
        assert emulator.transitions.complete(export.id).status == "completed"
        emulator.faults.clear()
        emulator.faults.preset("maintenance")
        with pytest.raises(DidwwApiError) as refused:
            client.with_options(max_retries=0).balance().find()
        assert refused.value.status_code == 503
        with pytest.raises(ValueError, match="Did you mean 'flaky'"):
            emulator.faults.preset("flakey")


def _day(emulator: Emulator, back: int) -> str:
    from datetime import timedelta

    return f"{emulator.clock.now() - timedelta(days=back):%Y-%m-%d} 00:00:00"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "The rule has no effect"),
        ({"callback": "drop", "html": True}, "A callback rule accepts only"),
        ({"callback": "drop", "empty": True}, "A callback rule accepts only"),
        ({"nth": 2}, "The rule has no effect"),
        ({"status": 99}, "status must be from 200 to 599, got 99"),
        ({"status": 503, "nth": 0}, "nth must be at least 1, got 0"),
        ({"status": 503, "times": 0}, "times must be at least 1, got 0"),
        ({"status": 503, "probability": 1.5}, "probability must be from 0 to 1, got 1.5"),
        ({"status": 503, "probability": float("nan")}, "probability must be from 0 to 1, got nan"),
        ({"cut": -1}, "cut must be at least 0, got -1"),
        ({"latency": "soon"}, "not a duration"),
        ({"latency": "2 h"}, "at most one hour"),
        ({"body": "x"}, "add for example status=503"),
        ({"retry_after": 3}, "add for example status=503"),
        ({"status": 503, "path": "orders"}, "must begin with a slash"),
        ({"status": 503, "resource": "order"}, "Did you mean 'orders'"),
        ({"callback": "drop", "path": "/orders"}, "accepts only resource"),
        ({"callback": "drop", "status": 503}, "accepts only resource"),
    ],
)
def test_invalid_fault_rules_are_rejected(fault: dict[str, Any], message: str) -> None:
    """The error names the problem, and no rule is added."""
    with closing(Emulator()) as emulator:
        with pytest.raises(ValueError, match=message):
            emulator.faults.add(**fault)
        assert emulator.faults.rules() == []


def test_faults_can_be_removed() -> None:
    """By id; an unknown id raises an error."""
    with Emulator() as emulator:
        first, second = emulator.faults.add(status=500), emulator.faults.add(status=501)
        emulator.faults.remove(first.id)
        assert [rule.id for rule in emulator.faults.rules()] == [second.id]
        with pytest.raises(LookupError, match=f"no fault {first.id}"):
            emulator.faults.remove(first.id)


@pytest.mark.unchecked
@pytest.mark.parametrize("door", DOORS)
def test_requests_over_the_rate_limit_return_429(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second later requests succeed again."""
    now = [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("didww.emulator.engine.rate_limit.time", clock)
    with doors(door) as (emulator, balance):
        emulator._rate_limit = RateLimit(20)  # as `Emulator(rate_limit=20)`
        for _ in range(20):
            balance()
        with pytest.raises(DidwwApiError) as refused:
            balance()
        assert refused.value.status_code == 429
        assert refused.value.errors == [{"status": "429", "detail": "Too Many Requests"}]
        now[0] += 1.05
        assert balance() == "10000.00"
