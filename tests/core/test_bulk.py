"""Bulk writes: the outcome of each item is always known, and nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from didww import AsyncDidwwClient, BulkError, Did, DidOrderItem, DidwwClient, Order, Report
from didww._core.effects import Response
from didww.emulator import Emulator
from didww.emulator.http.server import running
from didww.exceptions import (
    ApiConnectionError,
    ClientClosedError,
    InvalidValueError,
    NotFoundError,
    ServerError,
    ValidationError,
)
from didww.transport.inprocess import AsyncInProcessTransport, InProcessTransport
from support.clients import Blocking
from support.proxy_server import Proxy
from support.real_time import patient, seconds
from support.servers import Server
from support.unix import unix_only

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from didww._core.effects import Request

BASE = "https://api.example.com/v3"
KINDS = ("sync", "async")


def id_of(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def changed(number: int) -> Did:
    did = Did.build(id_of(number))
    did.description = f"number {number}"
    return did


class Desk:
    """Takes writes, counts them by path, and does to each what it is told."""

    def __init__(self, becomes: Callable[[str], Response | Exception | None] = lambda _: None) -> None:
        self.counts: Counter[str] = Counter()
        self.most = self.now = 0
        self.pause = 0.0
        self._becomes = becomes
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        path = request.url.rpartition("/")[2]
        with self._lock:
            self.counts[path] += 1
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(self.pause)
        with self._lock:
            self.now -= 1
        outcome = self._becomes(path)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is not None:
            return outcome
        if request.method == "DELETE":
            return Response(204, {}, b"")
        document: Any = json.loads(request.body) if isinstance(request.body, bytes) else {}
        document["data"].setdefault("id", id_of(sum(self.counts.values())))
        return Response(200, {}, json.dumps(document).encode())


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client_over(kind: str) -> Iterator[Callable[..., Any]]:
    """Makes clients of this kind over a desk; asynchronous ones block."""
    runner = asyncio.Runner()

    def make(desk: Desk, **options: Any) -> Any:
        options = {"rate_limit": None, "max_retries": 0, **options}
        if kind == "sync":
            return DidwwClient("key", base_url=BASE, transport=InProcessTransport(desk.handle), **options)
        transport = AsyncInProcessTransport(desk.handle)
        return Blocking(AsyncDidwwClient("key", base_url=BASE, transport=transport, **options), runner)

    yield make
    runner.close()


def refusing(*numbers: int, status: int = 422) -> Callable[[str], Response | None]:
    body = json.dumps({"errors": [{"title": "is invalid", "source": {"pointer": "/data/attributes/description"}}]})
    wrong = {id_of(number) for number in numbers}
    return lambda path: Response(status, {}, body.encode()) if path in wrong else None


def test_each_item_is_written_once_and_reported_in_order(client_over: Any) -> None:
    """Failed items are in the report with their error; the others are done."""
    desk = Desk(refusing(3, 7))
    dids = [changed(number) for number in range(20)]
    report: Report[Did] = client_over(desk).dids().update_many(dids, concurrency=5)
    assert [item.input for item in report.items] == dids
    assert [item.index for item in report.items] == list(range(20))
    assert [item.index for item in report.failed] == [3, 7]
    assert all(isinstance(item.error, ValidationError) for item in report.failed)
    assert [one.id if one else None for one in report.data] == [
        None if number in (3, 7) else id_of(number) for number in range(20)
    ]
    assert report.remaining == [dids[3], dids[7]]
    assert [did.changes != {} for did in dids] == [number in (3, 7) for number in range(20)]
    assert not report.complete
    assert repr(report) == "Report(done=18, failed=2)"
    with pytest.raises(BulkError, match=r"done=18, failed=2\. First error: HTTP 422: .*is invalid") as caught:
        report.raise_for_failures()
    assert caught.value.report is report
    assert caught.value.__cause__ is report.failed[0].error
    assert set(desk.counts.values()) == {1}
    assert len(desk.counts) == 20


def test_remaining_items_can_be_retried(client_over: Any) -> None:
    """Exactly the report's remaining items are sent again."""
    wrong = {2}
    desk = Desk(lambda path: refusing(*wrong)(path))
    report = client_over(desk).dids().update_many([changed(number) for number in range(5)])
    wrong.clear()
    again = client_over(desk).dids().update_many(report.remaining)
    assert again.complete
    again.raise_for_failures()
    assert desk.counts == {id_of(number): 1 + (number == 2) for number in range(5)}


def test_delete_many_accepts_ids_and_records(client_over: Any) -> None:
    """Each record is deleted once; a duplicate is rejected without a request."""
    desk = Desk()
    report = client_over(desk).orders().delete_many([id_of(1), Order.build(id_of(2)), id_of(1), "no id", 7])
    assert [item.state for item in report.items] == ["done", "done", "failed", "failed", "failed"]
    assert all(isinstance(item.error, InvalidValueError) for item in report.failed)
    assert desk.counts == {id_of(1): 1, id_of(2): 1}
    assert report.data == [None] * 5


def test_concurrency_is_limited() -> None:
    """There are as many threads as requested, and no more than items."""
    desk = Desk()
    desk.pause = 0.02
    client = DidwwClient("key", base_url=BASE, transport=InProcessTransport(desk.handle), rate_limit=None)
    assert client.dids().update_many([changed(number) for number in range(30)], concurrency=6).complete
    assert 2 <= desk.most <= 6
    desk.most = 0
    assert client.dids().update_many([changed(number) for number in range(2)], concurrency=6).complete
    assert desk.most <= 2


def test_bulk_stops_after_the_first_error(client_over: Any, kind: str) -> None:
    """No new item is started; items not taken are not in the report, and remain in the caller's list."""
    failed = threading.Event()
    refuse = refusing(4)

    def outcome(path: str) -> Response | None:
        if kind == "sync" and path > id_of(4):  # another thread may be slow to report the failure
            assert failed.wait(60)
        return refuse(path)

    desk = Desk(outcome)
    dids = [changed(number) for number in range(50)]
    report = (
        client_over(desk)
        .dids()
        .update_many(
            dids, concurrency=2, stop_on_error=True, progress=lambda report: failed.set() if report.failed else None
        )
    )
    assert [item.index for item in report.failed] == [4]
    assert len(report.items) <= 4 + 1 + 2
    assert sum(desk.counts.values()) == len(report.items)


def test_iterable_is_consumed_lazily(client_over: Any) -> None:
    """A generator may have any length; its own error ends the call, and the report has what was done."""
    desk, made = Desk(), []

    def numbers() -> Iterator[Did]:
        for number in range(1000):
            if number == 10:
                raise OSError("the file ended")
            made.append(number)
            assert len(made) <= sum(desk.counts.values()) + 4
            yield changed(number)

    report: Report[Did] = Report()
    with pytest.raises(OSError, match="the file ended"):
        client_over(desk).dids().update_many(numbers(), concurrency=3, report=report)
    assert len(report.done) == 10
    assert sum(desk.counts.values()) == 10
    assert report.total is None


def test_progress_is_called_after_each_item(client_over: Any) -> None:
    """It gets the report, one call at a time; its exceptions end the call, and the report stays correct."""
    desk, told = Desk(), []
    report = (
        client_over(desk)
        .dids()
        .update_many(
            [changed(number) for number in range(12)],
            progress=lambda report: told.append((len(report.done), report.total)),
        )
    )
    assert report.complete
    assert told[-1] == (12, 12)
    assert len(told) == 12

    def tired(report: Report[Did]) -> None:
        if len(report.done) >= 3:
            raise RuntimeError("enough")

    desk, report = Desk(), Report()
    with pytest.raises(RuntimeError, match="enough"):
        client_over(desk).dids().update_many((changed(number) for number in range(50)), report=report, progress=tired)
    assert sum(desk.counts.values()) == len(report.items) == len(report.done) < 20


def test_async_progress_functions_are_awaited() -> None:
    """Each call of an asynchronous client's progress function finishes before the bulk call returns."""
    told: list[str] = []

    async def progress(report: Report[Did]) -> None:
        assert report.done
        told.append("begins")
        await asyncio.sleep(0)
        told.append("ends")

    async def main() -> None:
        transport = AsyncInProcessTransport(Desk().handle)
        async with AsyncDidwwClient("key", base_url=BASE, transport=transport, rate_limit=None) as client:
            await client.dids().update_many([changed(number) for number in range(3)], progress=progress)

    asyncio.run(main())
    assert sorted(told) == ["begins"] * 3 + ["ends"] * 3


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (ApiConnectionError("lost", request_sent=True), "unknown"),
        (ApiConnectionError("refused", request_sent=False), "failed"),
        (Response(500, {}, b""), "unknown"),
        (Response(200, {}, b"<html>"), "unknown"),
        (Response(429, {}, b""), "failed"),
    ],
)
def test_lost_response_is_reported_as_unknown(failure: Any, state: str, client_over: Any) -> None:
    """The outcome is unknown; items certainly not done count as failed and remain."""
    report = client_over(Desk(lambda _: failure)).dids().update_many([changed(1)])
    assert [item.state for item in report.items] == [state]
    assert len(report.unknown) == (state == "unknown")
    assert len(report.remaining) == (state == "failed")


def test_invalid_arguments_send_nothing(client_over: Any) -> None:
    """The error names the argument; a single invalid record is a failure of its own."""
    desk = Desk()
    dids = client_over(desk).dids()
    used: Report[Did] = dids.update_many([changed(1)])
    for call, field in (
        (lambda: dids.update_many(changed(2)), "records"),
        (lambda: dids.update_many("abc"), "records"),
        (lambda: dids.update_many({"a": 1}), "records"),
        (lambda: dids.update_many(5), "records"),
        (lambda: dids.update_many([], concurrency=0), "concurrency"),
        (lambda: dids.update_many([], concurrency=True), "concurrency"),
        (lambda: dids.update_many([], report=used), "report"),
        (lambda: dids.update_many([], report=[]), "report"),
        (lambda: dids.update_many([], progress="x"), "progress"),
    ):
        with pytest.raises(InvalidValueError, match=field) as caught:
            call()
        assert caught.value.field == field
    assert sum(desk.counts.values()) == 1
    report = dids.update_many([Order(), None, changed(3)])
    assert [item.state for item in report.items] == ["failed", "failed", "done"]
    assert dids.update_many([]).complete


@unix_only
@patient
def test_ctrl_c_waits_for_started_items() -> None:
    """KeyboardInterrupt propagates after the report has the outcome of each item."""
    desk = Desk()
    desk.pause = seconds(0.05)
    begun = threading.Event()
    report: Report[Did] = Report()

    def progress(report: Report[Did]) -> None:
        if len(report.done) == 8 and not begun.is_set():
            begun.set()
            os.kill(os.getpid(), signal.SIGINT)

    client = DidwwClient("key", base_url=BASE, transport=InProcessTransport(desk.handle), rate_limit=None)
    with pytest.raises(KeyboardInterrupt):
        client.dids().update_many([changed(number) for number in range(100)], report=report, progress=progress)
    sent = sum(desk.counts.values())
    assert 8 <= sent < 30
    assert [item.state for item in report.items] == ["done"] * sent
    assert set(desk.counts.values()) == {1}


@unix_only
@patient
def test_second_ctrl_c_does_not_wait() -> None:
    """Items without a response are reported as unknown, and no thread is left running."""

    def serve(server: Server, connection: socket.socket) -> None:
        server.receive(connection)
        while connection.recv(1):
            pass

    def press() -> None:
        while len(server.requests) < 3:
            time.sleep(0.01)
        for _ in range(2):
            time.sleep(seconds(0.3))
            os.kill(os.getpid(), signal.SIGINT)

    report: Report[Did] = Report()
    with Server(serve) as server, DidwwClient("key", base_url=f"{server.url}/v3", rate_limit=None) as client:
        threading.Thread(target=press).start()
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.dids().update_many([changed(number) for number in range(9)], report=report, concurrency=3)
        assert time.monotonic() - begun < 30
        for thread in threading.enumerate():
            if thread.name == "didww":
                thread.join(60)
                assert not thread.is_alive()
        assert len(server.requests) == 3
    assert [item.state for item in report.items] == ["sending"] * 3
    assert len(report.unknown) == 3
    assert report.remaining == []


def test_closing_the_client_during_a_bulk_call() -> None:
    """Another thread closes it: the call raises, and sent items are reported as unknown."""

    def close() -> None:
        while len(server.requests) < 3:
            time.sleep(0.01)
        client.close()

    def serve(server: Server, connection: socket.socket) -> None:
        server.receive(connection)
        while connection.recv(1):
            pass

    report: Report[Did] = Report()
    with Server(serve) as server, DidwwClient("key", base_url=f"{server.url}/v3", rate_limit=None) as client:
        threading.Thread(target=close).start()
        with pytest.raises(ClientClosedError):
            client.dids().update_many([changed(number) for number in range(9)], report=report, concurrency=3)
    assert [item.state for item in report.items] == ["sending"] * 3


@pytest.mark.parametrize("failure", [RuntimeError("can't start new thread"), KeyboardInterrupt()])
def test_worker_that_cannot_start_raises_its_own_error(failure: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of three workers cannot start: the first is stopped, and its error is the one that is raised."""
    desk, report, start = Desk(), Report[Did](), threading.Thread.start
    started: list[threading.Thread] = []

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "didww" and started:
            raise failure
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    client = DidwwClient("key", base_url=BASE, transport=InProcessTransport(desk.handle), rate_limit=None)
    with client, pytest.raises(type(failure), match=str(failure) or None):
        client.dids().update_many([changed(number) for number in range(9)], report=report, concurrency=3)
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()
    assert len(report.done) + len(report.unknown) == sum(desk.counts.values())


@pytest.mark.parametrize("times", [1, 2])
@patient
def test_canceled_task_leaves_a_correct_report(times: int) -> None:
    """Canceled once, started items finish; canceled again, their outcome is unknown."""

    class Slow(AsyncInProcessTransport):
        async def send(self, request: Request, deadline: float) -> Response:
            await asyncio.sleep(seconds(0.05))
            response = await super().send(request, deadline)
            await asyncio.sleep(seconds(0.05))
            return response

    async def main() -> None:
        desk, report = Desk(), Report[Did]()
        async with AsyncDidwwClient("key", base_url=BASE, transport=Slow(desk.handle), rate_limit=None) as client:
            dids = [changed(number) for number in range(100)]
            task = asyncio.create_task(client.dids().update_many(dids, report=report, concurrency=4))
            await asyncio.sleep(seconds(0.25))
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(seconds(0.01))
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.sleep(seconds(0.2))
            sent = sum(desk.counts.values())
            assert 4 <= sent < 20
            assert len(report.done) + len(report.unknown) == len(report.items)
            assert len(report.unknown) == (0 if times == 1 else 4)
            assert len(report.done) <= sent <= len(report.items)
            assert set(desk.counts.values()) == {1}

    asyncio.run(main())


@pytest.mark.slow
def test_orders_with_lost_responses_are_placed_once(kind: str) -> None:
    """create_many over sockets loses one response in ten: each order exists once and has its response."""
    chance = random.Random(5)
    with running() as base_url:
        with DidwwClient("key", base_url=base_url, rate_limit=None) as direct:
            group = direct.did_groups().list(filter={"area_name": "London"}, include="stock_keeping_units").data[0]
            sku = str(group.stock_keeping_units[0].id)
            orders = [Order(items=[DidOrderItem(sku_id=sku, qty=1)], allow_back_ordering=True) for _ in range(60)]
            lock = threading.Lock()

            def fate(line: str) -> str:
                with lock:
                    return "lose" if line.startswith("POST") and chance.random() < 0.1 else "pass"

            with Proxy(base_url, fate) as proxy:
                if kind == "sync":
                    with DidwwClient("key", base_url=proxy.base_url, rate_limit=None) as client:
                        report = client.orders().create_many(orders, concurrency=8)
                else:

                    async def main() -> Report[Order]:
                        async with AsyncDidwwClient("key", base_url=proxy.base_url, rate_limit=None) as client:
                            return await client.orders().create_many(orders, concurrency=8)

                    report = asyncio.run(main())
            assert "lose" in proxy.fates
            assert report.complete
            assert len({one.id for one in report.data if one}) == 60 == direct.orders().count()


def test_bulk_writes_reach_the_emulator() -> None:
    """DIDs are bought and described; a missing one fails alone."""
    client = Emulator().client()
    group = client.did_groups().list(filter={"area_name": "London"}, include="stock_keeping_units").data[0]
    item = DidOrderItem(sku_id=group.stock_keeping_units[0].id, qty=10)
    client.orders().wait(client.orders().create(Order(items=[item])).data)
    dids = list(client.dids().iterate())
    for place, did in enumerate(dids):
        did.description = f"agent {place}"
    report = client.dids().update_many([*dids, changed(1)])
    assert [type(item.error) for item in report.failed] == [NotFoundError]
    assert sorted(str(did.description) for did in client.dids().iterate()) == [f"agent {place}" for place in range(10)]


def test_retry_budget_is_shared_by_all_items(client_over: Any) -> None:
    """A server that is down does not get a full set of retries for each item."""
    desk = Desk(lambda _: Response(503, {}, b""))
    client = client_over(desk, max_retries=2)
    inner = getattr(client, "_client", client)
    inner._configuration.jitter = lambda: 0.0
    report = client.dids().update_many([changed(number) for number in range(40)])
    assert all(isinstance(item.error, ServerError) for item in report.items)
    assert sum(desk.counts.values()) <= 40 + 10
