"""Measure the cost of a call over the bare HTTP library, and how close an iteration comes to the rate limit.

A part of run.py, which prints the rows; `calls.py pages` serves the pages of the iteration.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = "benchmark"
LATENCY = 0.15
RATE = 20
RECORDS = int(os.environ.get("BENCHMARK_RECORDS", "50_000"))
PAGE = 100
TASKS = 50


def iterate() -> dict[str, float]:
    """Return the seconds of an iteration over all records, its requests, and the number of 429 responses."""
    from didww import DidwwClient

    with pages() as base, DidwwClient(KEY, base_url=f"{base}/v3") as client:
        client.balance  # noqa: B018 imports
        started = time.perf_counter()
        found = sum(1 for _ in client.dids().iterate(page_size=PAGE))
        seconds = time.perf_counter() - started
        refused = client.with_options(max_retries=5).dids().list(filter={"number": "0"}).meta["refused"]
    assert found == RECORDS, found
    return {"seconds": seconds, "requests": RECORDS / PAGE, "refused": refused}


def cpu_of_finds(base: str, id_: str) -> dict[str, list[float]]:
    """CPU microseconds of one find over loopback: ours and the bare libraries', alone and in many tasks."""
    import httpx2
    import orjson

    from didww import AsyncDidwwClient, DidwwClient

    url = f"{base}/one/v3/dids/{id_}"
    rounds, each = 12, 400
    times: dict[str, list[float]] = {"ours": [], "bare": [], "ours in tasks": [], "bare in tasks": []}

    with DidwwClient(KEY, base_url=f"{base}/one/v3", rate_limit=None) as client, httpx2.Client() as http:
        turns: dict[str, Callable[[], Any]] = {
            "ours": lambda: client.dids().find(id_).data.number,
            "bare": lambda: orjson.loads(http.get(url).content)["data"]["attributes"]["number"],
        }
        for round_ in range(rounds + 1):
            for name, one in turns.items():
                begun = time.process_time()
                for _ in range(each):
                    one()
                if round_:
                    times[name].append((time.process_time() - begun) / each * 1e6)

    async def main() -> None:
        async def ours(client: AsyncDidwwClient) -> None:
            for _ in range(each // TASKS):
                _ = (await client.dids().find(id_)).data.number

        async def bare(http: httpx2.AsyncClient) -> None:
            for _ in range(each // TASKS):
                _ = orjson.loads((await http.get(url)).content)["data"]["attributes"]["number"]

        async with (
            AsyncDidwwClient(KEY, base_url=f"{base}/one/v3", rate_limit=None) as client,
            httpx2.AsyncClient() as http,
        ):
            for round_ in range(rounds + 1):
                for name, one in (("ours in tasks", lambda: ours(client)), ("bare in tasks", lambda: bare(http))):
                    begun = time.process_time()
                    await asyncio.gather(*(one() for _ in range(TASKS)))
                    if round_:
                        times[name].append((time.process_time() - begun) / each * 1e6)

    asyncio.run(main())
    return times


def cpu_in_process(body: bytes, id_: str) -> dict[str, list[float]]:
    """CPU microseconds of one find without a socket: with nothing, with repetitions, with the rate limiter as well."""
    from didww import DidwwClient
    from didww._core.effects import Response
    from didww.rate_limit.local import RateLimiter
    from didww.transport.inprocess import InProcessTransport

    response = Response(200, {"content-type": "application/vnd.api+json"}, body)
    options: dict[str, dict[str, Any]] = {
        "max_retries=0": {"max_retries": 0, "rate_limit": None},
        "max_retries=2": {"max_retries": 2, "rate_limit": None},
        "and a limiter": {"max_retries": 2, "rate_limit": RateLimiter(1e8)},
    }
    times: dict[str, list[float]] = {name: [] for name in options}
    rounds, each = 12, 2000
    clients = {
        name: DidwwClient(KEY, transport=InProcessTransport(lambda _: response), **option)
        for name, option in options.items()
    }
    for round_ in range(rounds + 1):
        for name, client in clients.items():
            begun = time.process_time()
            for _ in range(each):
                client.dids().find(id_)
            if round_:
                times[name].append((time.process_time() - begun) / each * 1e6)
    return times


def median_ratio(ones: list[float], others: list[float]) -> float:
    """The median of the rounds' ratios."""
    return statistics.median(one / other for one, other in zip(ones, others, strict=True))


@contextmanager
def pages() -> Iterator[str]:
    """The address of a server of pages in a process of its own."""
    process = subprocess.Popen([sys.executable, __file__, "pages"], stdout=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait()


async def serve_pages() -> None:
    """Pages of DIDs after the latency; more than the rate in any second gets a 429 response."""
    came: deque[float] = deque()
    refused = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal refused
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:  # the client is done
                writer.close()
                return
            now = time.monotonic()
            query = parse_qs(urlsplit(head.split()[1].decode()).query)
            if "filter[number]" in query:
                writer.write(http_response(200, {"data": [], "meta": {"refused": refused}}))
                continue
            while came and came[0] <= now - 1:
                came.popleft()
            if len(came) >= RATE:
                refused += 1
                writer.write(http_response(429, {"errors": []}))
                continue
            came.append(now)
            await asyncio.sleep(LATENCY)
            number = int(query.get("page[number]", ["1"])[0])
            writer.write(http_response(200, page(number)))

    server = await asyncio.start_server(handle, "127.0.0.1", 0, limit=1 << 16)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def page(number: int) -> dict[str, Any]:
    first = (number - 1) * PAGE
    data = [
        {
            "type": "dids",
            "id": f"00000000-0000-4000-8000-{first + place:012d}",
            "attributes": {"number": f"4420794{first + place:05d}", "description": None},
        }
        for place in range(PAGE)
    ]
    links = {"next": f"/v3/dids?page%5Bnumber%5D={number + 1}&page%5Bsize%5D={PAGE}"}
    return {"data": data, "meta": {"total_records": RECORDS}, "links": links if first + PAGE < RECORDS else {}}


def http_response(status: int, document: dict[str, Any]) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/vnd.api+json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


if __name__ == "__main__":
    asyncio.run(serve_pages())
