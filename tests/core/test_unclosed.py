"""Unclosed clients warn when they are garbage-collected, and leave no connection open."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import subprocess
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from didww import AsyncDidwwClient, DidwwClient
from support.clients import KEY
from support.servers import Server, http

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

BALANCE = b'{"data": {"type": "balances", "id": "1", "attributes": {}}}'


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class Counting(Server):
    """Answers every request, and counts the connections that are open."""

    def __init__(self) -> None:
        super().__init__(self._respond)
        self.held = 0

    def _respond(self, _: Server, connection: socket.socket) -> None:
        self.held += 1
        try:
            while True:
                self.receive(connection)
                connection.sendall(http(BALANCE))
        finally:
            self.held -= 1

    @property
    def left(self) -> int:
        """How many connections are open, once those that were closed are told."""
        until = time.monotonic() + 30
        while self.held and time.monotonic() < until:
            time.sleep(0.01)
        return self.held


@pytest.fixture
def server() -> Iterator[Counting]:
    with Counting() as at:
        yield at


@contextlib.contextmanager
def telling() -> Iterator[list[str]]:
    """What is warned of in the block."""
    texts: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield texts
        gc.collect()
    texts += [str(one.message) for one in caught]


def sync_client(server: Server) -> DidwwClient:
    return DidwwClient(KEY, base_url=f"{server.url}/v3", rate_limit=None)


def async_client(server: Server) -> AsyncDidwwClient:
    return AsyncDidwwClient(KEY, base_url=f"{server.url}/v3", rate_limit=None)


SYNC = ["unclosed DidwwClient: its connections are still open. Use `with`, or call close()."]
ASYNC = ["unclosed AsyncDidwwClient: its connections are still open. Use `async with`, or await close()."]


def used(client: DidwwClient) -> None:
    client.balance().find()


def used_by_threads(client: DidwwClient) -> None:
    threads = [threading.Thread(target=used, args=(client,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def used_and_failed(client: DidwwClient) -> None:
    client.balance().find()
    with contextlib.suppress(ValueError):
        client.dids().list(filter={"no": "such"})  # type: ignore[misc]


def closed(client: DidwwClient) -> None:
    client.balance().find()
    client.close()


def closed_by_its_twin(client: DidwwClient) -> None:
    client.balance().find()
    client.with_options(timeout=3).close()


def never_used(client: DidwwClient) -> None:
    assert client.base_url


def in_a_block(client: DidwwClient) -> None:
    with client:
        client.balance().find()


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (used, SYNC),
        (used_by_threads, SYNC),
        (used_and_failed, SYNC),
        (closed, []),
        (closed_by_its_twin, []),
        (never_used, []),
        (in_a_block, []),
    ],
)
def test_garbage_collected_client_warns_and_closes(
    use: Callable[[DidwwClient], None], expected: list[str], server: Counting
) -> None:
    """It warns once if it holds connections, and closes them."""
    with telling() as texts:
        client = sync_client(server)
        use(client)
        del client
    assert texts == expected
    assert server.left == 0


async def aused(client: AsyncDidwwClient) -> None:
    await client.balance().find()


async def aused_by_tasks(client: AsyncDidwwClient) -> None:
    await asyncio.gather(*(client.balance().find() for _ in range(3)))


async def aclosed(client: AsyncDidwwClient) -> None:
    await client.balance().find()
    await client.close()


async def anever_used(client: AsyncDidwwClient) -> None:
    assert client.base_url


@pytest.mark.parametrize("where", ["task", "thread", "between"])
@pytest.mark.parametrize(
    ("use", "expected"), [(aused, ASYNC), (aused_by_tasks, ASYNC), (aclosed, []), (anever_used, [])]
)
def test_garbage_collected_async_client_warns_and_closes(
    use: Callable[[AsyncDidwwClient], Any], expected: list[str], where: str, server: Counting
) -> None:
    """This holds in a task, in another thread, and while its loop is idle."""

    async def make() -> list[AsyncDidwwClient]:
        client = async_client(server)
        await use(client)
        return [client]

    async def main() -> None:
        held = await make()
        if where == "thread":
            await asyncio.to_thread(held.clear)
        held.clear()
        await asyncio.sleep(0.01)

    with telling() as texts, asyncio.Runner(debug=True) as runner:
        if where == "between":
            held = runner.run(make())
            held.clear()
            runner.run(asyncio.sleep(0.01))
        else:
            runner.run(main())
        gc.collect()
        assert server.left == 0
    assert texts == expected


def test_garbage_collected_async_client_without_a_loop(server: Counting) -> None:
    """Its connections can no longer be closed properly; asyncio may warn too."""
    with telling() as texts:
        client = async_client(server)
        asyncio.run(aused(client))
        del client
    assert ASYNC[0] in texts
    assert server.left == 0


def test_copy_of_a_client_keeps_the_connections(server: Counting) -> None:
    """There is no warning as long as one of the sharing clients is alive."""
    with telling() as texts:
        client = sync_client(server)
        used(client)
        twin = client.with_options(timeout=3)
        del client
        gc.collect()
        used(twin)
        assert server.connections == 1
        twin.close()
        del twin
    assert texts == []


def test_accessor_keeps_the_connections(server: Counting) -> None:
    """Code that holds an accessor need not hold the client."""
    with telling() as texts:
        balance = sync_client(server).balance()
        balance.find()
        gc.collect()
        balance.find()
        assert server.connections == 1
        del balance
    assert texts == SYNC


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_forked_child_does_not_warn(kind: str, server: Counting) -> None:
    """The connections belong to the parent, which continues to use them."""
    with asyncio.Runner() as runner:
        held: list[Any] = [sync_client(server) if kind == "sync" else async_client(server)]

        def use() -> None:
            used(held[0]) if kind == "sync" else runner.run(aused(held[0]))

        use()
        child = os.fork()
        if child == 0:
            status = 1
            with contextlib.suppress(BaseException), warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                held.clear()
                gc.collect()
                status = len(caught)
            os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        use()
        assert server.connections == 1
        held[0].close() if kind == "sync" else runner.run(held[0].close())


SCRIPTS = {
    "sync": "client = DidwwClient('k', base_url=url); client.balance().find()",
    "in a cycle": "client = DidwwClient('k', base_url=url); client.balance().find(); c = [client]; c.append(c)",
    "async": "client = AsyncDidwwClient('k', base_url=url)\nasync def f(): await client.balance().find()\nasyncio.run(f())",
    "async, in the loop": (
        "async def f():\n client = AsyncDidwwClient('k', base_url=url)\n await client.balance().find()\nasyncio.run(f())"
    ),
    "in a thread": (
        "client = DidwwClient('k', base_url=url)\n"
        "t = threading.Thread(target=lambda: client.balance().find()); t.start(); t.join()"
    ),
}


@pytest.mark.parametrize("script", SCRIPTS)
@pytest.mark.parametrize("filters", ["default", "ignore", "error"])
def test_interpreter_exit_does_not_warn(script: str, filters: str, server: Counting) -> None:
    """A script that forgets to close exits cleanly under any warning filter."""
    code = f"import asyncio, sys, threading\nfrom didww import AsyncDidwwClient, DidwwClient\nurl = sys.argv[1]\n{SCRIPTS[script]}"
    done = subprocess.run(
        [sys.executable, "-W", f"{filters}::ResourceWarning", "-c", code, f"{server.url}/v3"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr or filters == "error"
    if filters == "ignore" or not script.startswith("async"):
        assert done.stderr == ""
    assert server.left == 0


def test_partially_constructed_client_does_not_warn() -> None:
    """Its constructor raised."""
    with telling() as texts, contextlib.suppress(ValueError):
        DidwwClient(KEY, timeout=-1)
    assert texts == []
