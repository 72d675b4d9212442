"""Pagination: order, prefetching, duplicates, resuming by cursor, and early exit."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from didww import AsyncDidwwClient, DidwwClient, NotExactlyOneError, QueryParams
from didww._core.effects import Response
from didww.emulator import Emulator
from didww.exceptions import (
    ClientClosedError,
    DidwwClientError,
    InvalidValueError,
    ServerError,
    UnexpectedResponseError,
)
from didww.transport.inprocess import AsyncInProcessTransport, InProcessTransport
from support.hypothesis_profiles import law
from support.real_time import patient, seconds
from support.servers import Server, http

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from didww._core.effects import Request

BASE = "https://api.example.com/v3"


def ids(*numbers: int) -> list[str]:
    return [f"00000000-0000-4000-8000-{number:012d}" for number in numbers]


class Library:
    """A list of DIDs in pages, as the service hands them out."""

    def __init__(
        self, total: int, *, usual: int = 50, most: int = 1000, numbered: bool = True, counted: bool = True
    ) -> None:
        self.ids = ids(*range(total))
        self.most = most
        self.echoed = True
        self.usual = usual
        self.numbered = numbered
        self.counted = counted
        self.asked: list[tuple[int, int]] = []
        self.before: Callable[[int], None] = lambda number: None
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        assert request.method == "GET"
        assert request.url.startswith(f"{BASE}/dids")
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        return self.page(int(query.get("page[number]", 1)), int(query.get("page[size]", self.usual)))

    def page(self, number: int, size: int) -> Response:
        self.before(number)
        with self._lock:
            self.asked.append((number, size))
            asked, size = size, min(size, self.most)
            found = self.ids[(number - 1) * size : number * size]
            last = math.ceil(len(self.ids) / size)
        document: dict[str, Any] = {"data": [{"type": "dids", "id": id, "attributes": {}} for id in found]}
        if self.counted:
            document["meta"] = {"total_records": len(self.ids)}
        if number < last:
            page = f"page[number]={number + 1}" if self.numbered else f"cursor=c{number + 1}&page[number]={number + 1}9"
            document["links"] = {
                "next": f"{BASE}/dids?{quote(f'{page}&page[size]={asked if self.echoed else size}', safe='=&')}"
            }
        return Response(200, {}, json.dumps(document).encode())

    def client(self, **options: Any) -> DidwwClient:
        options.setdefault("rate_limit", None)
        return DidwwClient("key", base_url=BASE, transport=InProcessTransport(self.handle), **options)

    def async_client(self, **options: Any) -> AsyncDidwwClient:
        return AsyncDidwwClient(
            "key", base_url=BASE, transport=AsyncInProcessTransport(self.handle), rate_limit=None, **options
        )


async def taken(walk: Any, number: int | None = None) -> list[str]:
    """The ids of the next records of an asynchronous walk."""
    found: list[str] = []
    async for record in walk:
        found.append(record.id)
        if len(found) == number:
            break
    return found


@law(150)
@given(
    total=st.integers(0, 60),
    size=st.integers(1, 12),
    prefetch=st.integers(0, 9),
    limit=st.one_of(st.none(), st.integers(0, 70)),
    counted=st.booleans(),
)
@example(total=60, size=1, prefetch=9, limit=None, counted=True)
def test_iterate_yields_all_records_in_order(
    total: int, size: int, prefetch: int, limit: int | None, counted: bool
) -> None:
    """For any sizes, each record comes once, each needed page is fetched once, and sync and async agree."""
    library, twin = Library(total, counted=counted), Library(total, counted=counted)
    options: Any = {"page_size": size, "prefetch": prefetch, "limit": limit}
    found = [did.id for did in library.client().dids().iterate(**options)]
    wanted = total if limit is None else min(limit, total)
    assert found == ids(*range(wanted))
    needed = max(1, math.ceil(wanted / size)) if limit != 0 else 0
    assert sorted(library.asked) == [(number, size) for number in range(1, needed + 1)]

    async def main() -> list[str]:
        return await taken(twin.async_client().dids().iterate(**options))

    assert asyncio.run(main()) == found
    assert sorted(twin.asked) == sorted(library.asked)


@law(100)
@given(
    total=st.integers(1, 40),
    size=st.one_of(st.none(), st.integers(1, 9)),
    cut=st.integers(0, 40),
    start=st.integers(1, 3),
    added=st.integers(0, 3),
)
def test_cursor_resumes_after_the_last_record(total: int, size: int | None, cut: int, start: int, added: int) -> None:
    """It works as text, in another client, after records were appended, and before any record was taken."""
    library = Library(total, usual=5)
    walk = library.client().dids().iterate(page=start, page_size=size)
    before = [did.id for did in itertools.islice(walk, cut)]
    token = walk.cursor
    library.ids += ids(*range(1000, 1000 + added))
    whole = [did.id for did in library.client().dids().iterate(page=start, page_size=size)]
    rest = [did.id for did in library.client().dids().iterate(resume=token)]
    assert before + rest == whole

    async def main() -> list[str]:
        return await taken(library.async_client().dids().iterate(resume=token))

    assert asyncio.run(main()) == rest


@law(100)
@given(
    total=st.integers(0, 60),
    most=st.integers(1, 7),
    echoed=st.booleans(),
    prefetch=st.integers(0, 9),
    limit=st.one_of(st.none(), st.integers(1, 70)),
    cut=st.integers(0, 60),
)
def test_shorter_pages_than_requested_are_handled(
    total: int, most: int, echoed: bool, prefetch: int, limit: int | None, cut: int
) -> None:
    """The account's largest page size is unknown: each record comes once, in order, without extra pages.

    The links may have the requested or the actual size, and the iteration can be resumed.
    """
    library = Library(total, most=most)
    library.echoed = echoed
    dids = library.client().dids()
    found = [did.id for did in dids.iterate(page_size=500, prefetch=prefetch, limit=limit)]
    wanted = total if limit is None else min(limit, total)
    assert found == ids(*range(wanted))
    assert sorted(number for number, _ in library.asked) == list(range(1, max(1, math.ceil(wanted / most)) + 1))
    walk = dids.iterate(page_size=500, prefetch=prefetch)
    before = [did.id for did in itertools.islice(walk, cut)]
    assert before + [did.id for did in dids.iterate(resume=walk.cursor)] == ids(*range(total))


def test_capped_pages_are_fetched_concurrently() -> None:
    """The number of pages follows from the actual page size, not from the requested one."""
    library = Library(60, most=5)
    together = threading.Barrier(2)

    def meet(number: int) -> None:
        if number in (4, 5):
            together.wait(30)

    library.before = meet
    assert len(list(library.client().dids().iterate(page_size=100, prefetch=4))) == 60


def test_invalid_page_size_in_a_link_is_ignored() -> None:
    """The requested size is kept."""
    library = Library(20)
    library.echoed = True
    original = library.page

    def page(number: int, size: int) -> Response:
        made = original(number, size)
        assert isinstance(made.body, bytes)
        return Response(200, {}, made.body.replace(b"size%5D=5", b"size%5D=5000"))

    library.page = page  # type: ignore[method-assign]
    assert [did.id for did in library.client().dids().iterate(page_size=5)] == ids(*range(20))


def test_cursor_finds_a_moved_record() -> None:
    """It is found within its page by id; if it is gone, by its position."""
    library = Library(20)
    walk = library.client().dids().iterate(page_size=5)
    assert [next(walk).id for _ in range(7)] == ids(*range(7))
    library.ids.insert(5, ids(900)[0])
    assert [did.id for did in library.client().dids().iterate(resume=walk.cursor, limit=2)] == ids(7, 8)
    library.ids.remove(ids(6)[0])
    assert [did.id for did in library.client().dids().iterate(resume=walk.cursor, limit=2)] == ids(7, 8)


def test_cursor_belongs_to_its_query() -> None:
    """A cursor of another resource or filter, a damaged one, and an additional page raise before anything is sent."""
    library = Library(20)
    client = library.client()
    walk = client.dids().iterate(filter={"number": "442079460001"}, page_size=3)
    next(walk)
    token = walk.cursor
    asked = len(library.asked)
    for call in (
        lambda: client.dids().iterate(resume=token),
        lambda: client.cities().iterate(resume=token),
        lambda: client.dids().iterate(filter={"number": "442079460001"}, resume=token, page_size=4),
        lambda: client.dids().iterate(filter={"number": "442079460001"}, resume=token, page=7),
    ):
        with pytest.raises(InvalidValueError, match="resume"):
            call()
    for garbage in (
        "",
        "x",
        token[:-3],
        "\ud800",
        7,
        base64.urlsafe_b64encode(b"[1,2,3,4,5]").decode(),
        base64.urlsafe_b64encode(b"[" * 9000).decode(),
        base64.urlsafe_b64encode(json.dumps(["q", -1, 3, 0, "x"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["q", 1, 3, 10**400, "x"]).encode()).decode(),
    ):
        with pytest.raises(InvalidValueError, match="resume"):
            client.dids().iterate(resume=garbage)  # type: ignore[arg-type]
    assert len(library.asked) == asked
    assert len(list(client.dids().iterate(filter={"number": "442079460001"}, resume=token))) == 19


@pytest.mark.parametrize(
    ("place", "damaged"),
    [(place, value) for place in (1, 2, 3) for value in (-1, True, 1.0, "1", 1 << 53, [1])]
    + [(1, 0), (1, None), (3, None), (4, 1), (4, None)],
)
def test_damaged_cursor_is_rejected(place: int, damaged: Any) -> None:
    """Page, size and offset must be whole numbers that a page can have, and the id a text; only the size may be None."""
    client = Library(20).client()
    walk = client.dids().iterate(page_size=3)
    next(walk)
    fields = json.loads(base64.urlsafe_b64decode(walk.cursor + "=="))
    fields[place] = damaged
    with pytest.raises(
        InvalidValueError, match="resume must be the `cursor` of an earlier iterator, unchanged"
    ) as error:
        client.dids().iterate(resume=base64.urlsafe_b64encode(json.dumps(fields).encode()).decode())
    assert error.value.field == "resume"


def test_cursor_is_safe_in_urls_and_accepts_padding() -> None:
    """Its text needs no escaping; padding that another program added does not matter."""
    client = Library(20).client()
    walk = client.dids().iterate(page_size=3)
    for did in walk:
        assert re.fullmatch(r"[\w-]+", walk.cursor)
        padding = "=" * (-len(walk.cursor) % 4)
        following = [one.id for one in client.dids().iterate(resume=walk.cursor + padding, limit=1)]
        assert did.id not in following


def test_shifted_records_are_not_repeated() -> None:
    """New records at the front push old ones to the next page; those are not returned again."""
    library = Library(30)
    walk = library.client().dids().iterate(page_size=10, prefetch=0)
    found = [next(walk).id for _ in range(10)]
    library.ids[:0] = ids(901, 902, 903)
    found += [did.id for did in walk]
    assert found == ids(*range(30))


@pytest.mark.parametrize("asynchronous", [False, True])
@patient
def test_pages_are_fetched_concurrently(asynchronous: bool) -> None:
    """The first page is fetched alone; then the window grows to the requested size. All records come in order."""
    served = threading.Semaphore(0)
    most, now, lock = [0], [0], threading.Lock()

    def serve(server: Server, connection: socket.socket) -> None:
        while True:
            request = server.receive(connection)
            number = int(parse_qs(urlsplit(request.split()[1].decode()).query)["page[number]"][0])
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            time.sleep(seconds(0.05 + 0.02 * (number % 3)))  # later pages may arrive earlier
            with lock:
                now[0] -= 1
            response = Library(200).page(number, 10)
            connection.sendall(http(response.body.replace(BASE.encode(), f"{server.url}/v3".encode())))
            served.release()

    with Server(serve) as server:
        options: Any = {"base_url": f"{server.url}/v3", "rate_limit": None}
        if asynchronous:

            async def main() -> list[str]:
                async with AsyncDidwwClient("key", **options) as client:
                    return await taken(client.dids().iterate(page=1, page_size=10, prefetch=5))

            found = asyncio.run(main())
        else:
            with DidwwClient("key", **options) as client:
                found = [str(did.id) for did in client.dids().iterate(page=1, page_size=10, prefetch=5)]
    assert found == ids(*range(200))
    assert most[0] == 5
    assert len(server.requests) == 20


@pytest.mark.parametrize("asynchronous", [False, True])
@patient
def test_leaving_early_cancels_pending_requests(asynchronous: bool) -> None:
    """No more requests are sent, waiting connections are closed, and the iterator's threads end immediately."""
    gone: list[float] = []

    def serve(server: Server, connection: socket.socket) -> None:
        while True:
            request = server.receive(connection)
            number = int(parse_qs(urlsplit(request.split()[1].decode()).query)["page[number]"][0])
            if number > 2:  # never gets a response
                while connection.recv(1):
                    pass
                gone.append(time.monotonic())
                return
            response = Library(100).page(number, 10)
            connection.sendall(http(response.body.replace(BASE.encode(), f"{server.url}/v3".encode())))

    with Server(serve) as server:
        options: Any = {"base_url": f"{server.url}/v3", "rate_limit": None, "timeout": 120}
        begun = time.monotonic()
        if asynchronous:

            async def main() -> None:
                async with AsyncDidwwClient("key", **options) as client:
                    async with client.dids().iterate(page=1, page_size=10) as walk:
                        assert len(await taken(walk, 15)) == 15
                        await asyncio.sleep(seconds(0.2))
                    await asyncio.sleep(seconds(0.2))
                    assert len(gone) == 2

            asyncio.run(main())
        else:
            with DidwwClient("key", **options) as client:
                with client.dids().iterate(page=1, page_size=10) as walk:
                    assert [next(walk).id for _ in range(15)] == ids(*range(15))
                    time.sleep(seconds(0.2))
                for thread in threading.enumerate():
                    if thread.name == "didww":
                        thread.join(60)
                        assert not thread.is_alive()
            for _ in range(3000):
                if len(gone) == 2:
                    break
                time.sleep(0.02)
        assert len(gone) == 2
        assert time.monotonic() - begun < 60
        assert len(server.requests) == 4
        with pytest.raises(StopIteration):
            next(iter([]) if asynchronous else walk)


@pytest.mark.parametrize("asynchronous", [False, True])
def test_closing_the_client_during_iteration(asynchronous: bool) -> None:
    """Prefetched pages are dropped, and the iterator raises that the client is closed. Nothing is left running."""

    def serve(server: Server, connection: socket.socket) -> None:
        while True:
            request = server.receive(connection)
            number = int(parse_qs(urlsplit(request.split()[1].decode()).query)["page[number]"][0])
            if number > 2:
                while connection.recv(1):
                    pass
                return
            connection.sendall(
                http(Library(100).page(number, 10).body.replace(BASE.encode(), f"{server.url}/v3".encode()))
            )

    with Server(serve) as server:
        options: Any = {"base_url": f"{server.url}/v3", "rate_limit": None, "timeout": 120}
        begun = time.monotonic()
        if asynchronous:

            async def main() -> None:
                async with AsyncDidwwClient("key", **options) as client:
                    walk = client.dids().iterate(page=1, page_size=10)
                    assert len([await anext(walk) for _ in range(15)]) == 15
                    await asyncio.sleep(0.1)
                assert len(asyncio.all_tasks()) == 1
                with pytest.raises(ClientClosedError):
                    await taken(walk)

            asyncio.run(main())
        else:
            with DidwwClient("key", **options) as client:
                walk = client.dids().iterate(page=1, page_size=10)
                assert len([next(walk) for _ in range(15)]) == 15
                time.sleep(0.1)
            assert not [thread for thread in threading.enumerate() if thread.name == "didww"]
            with pytest.raises(ClientClosedError):
                list(walk)
        assert time.monotonic() - begun < 60


def test_threads_can_share_an_iterator() -> None:
    """Each record goes to one of them."""
    walk = Library(500).client().dids().iterate(page_size=20)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: [did.id for did in walk], range(8)))
    assert sorted(one for part in found for one in part if one) == ids(*range(500))


def test_failed_page_does_not_lose_earlier_records() -> None:
    """Earlier records are returned before the error is raised; the cursor resumes at the same position."""
    library = Library(50)
    failing = {4: True}

    def before(number: int) -> None:
        if failing.get(number):
            raise ServerError([], 500)

    library.before = before
    walk = library.client().dids().iterate(page_size=10)
    found: list[str | None] = []
    with pytest.raises(ServerError):
        found.extend(did.id for did in walk)
    assert found == ids(*range(30))
    failing.clear()
    found += [did.id for did in library.client().dids().iterate(resume=walk.cursor)]
    assert found == ids(*range(50))
    assert list(walk) == []


def test_links_without_page_numbers_are_followed_sequentially() -> None:
    """Another paging scheme works too, without prefetching."""
    library = Library(25, numbered=False)
    seen: list[str] = []

    def handle(request: Request) -> Response:
        seen.append(request.url)
        number = len(seen)
        return library.page(number, 10)

    client = DidwwClient("key", base_url=BASE, transport=InProcessTransport(handle), rate_limit=None)
    assert [did.id for did in client.dids().iterate(page=(1, 10), prefetch=9)] == ids(*range(25))
    assert len(seen) == 3
    assert "cursor=c2" in seen[1]


@pytest.mark.parametrize("always", ["same page", "next page", "empty pages"])
def test_endless_pages_end_the_iteration(always: str) -> None:
    """The pages repeat, or are empty, and always link to another one."""
    asked: list[str] = []

    def handle(request: Request) -> Response:
        asked.append(request.url)
        assert len(asked) < 50
        number = 2 if always == "same page" else len(asked) + 1
        data = [] if always == "empty pages" else [{"type": "dids", "id": ids(1)[0]}]
        link = f"{BASE}/dids?page%5Bnumber%5D={number}&page%5Bsize%5D=1"
        return Response(
            200, {}, json.dumps({"data": data, "links": {"next": link}, "meta": {"total_records": 9}}).encode()
        )

    client = DidwwClient("key", base_url=BASE, transport=InProcessTransport(handle), rate_limit=None)
    assert len(list(client.dids().iterate(page=(1, 1), prefetch=2))) == (always != "empty pages")


def test_foreign_next_link_is_not_followed() -> None:
    """Its page number is not used either: it raises."""

    def handle(request: Request) -> Response:
        link = "https://elsewhere.example.net/v3/dids?page%5Bnumber%5D=2"
        document = {"data": [{"type": "dids", "id": ids(1)[0]}], "links": {"next": link}}
        return Response(200, {}, json.dumps(document).encode())

    client = DidwwClient("key", base_url=BASE, transport=InProcessTransport(handle), rate_limit=None)
    with pytest.raises(UnexpectedResponseError, match="leads to another host"):
        list(client.dids().iterate())


def test_first_one_and_count_fetch_no_extra_records() -> None:
    """They return the service's numbers, wherever pages exist."""
    library = Library(3)
    dids = library.client().dids()
    found = dids.first()
    assert found is not None
    assert found.id == ids(0)[0]
    assert dids.count() == 3
    with pytest.raises(
        NotExactlyOneError, match=r"dids\(\).one with no filter must match exactly one Did, got 3"
    ) as caught:
        dids.one()
    assert caught.value.found == 3
    assert library.asked == [(1, 1), (1, 1), (1, 2)]
    library.ids = ids(7)
    assert dids.one().id == ids(7)[0]
    library.ids = []
    assert dids.first() is None
    assert dids.count() == 0
    with pytest.raises(NotExactlyOneError, match="got none") as caught:
        dids.one(QueryParams().page(3, 20))
    assert caught.value.found == 0
    assert isinstance(caught.value, DidwwClientError)


def test_unpaginated_lists_behave_the_same() -> None:
    """Countries come as one list: iterating, resuming, first, one and count work in both clients."""
    emulator = Emulator()
    client = emulator.client()
    countries = client.countries().list().data
    assert client.countries().count() == len(countries)
    assert client.countries().first() == countries[0]
    assert client.countries().one(filter={"iso": "GB"}).iso == "GB"
    walk = client.countries().iterate()
    first = [next(walk).id for _ in range(3)]
    assert first == [one.id for one in countries[:3]]
    assert [one.id for one in client.countries().iterate(resume=walk.cursor)] == [one.id for one in countries[3:]]
    with pytest.raises(NotExactlyOneError):
        client.countries().one()

    async def main() -> None:
        async with emulator.async_client() as other:
            assert await other.countries().count() == len(countries)
            found = await other.countries().first()
            assert found is not None
            assert found.id == countries[0].id
            assert (await other.countries().one(filter={"iso": "GB"})).iso == "GB"

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": True}, "limit"),
        ({"prefetch": -1}, "prefetch"),
        ({"prefetch": 101}, "prefetch"),
        ({"prefetch": None}, "prefetch"),
        ({"page_size": 0}, "page_size"),
        ({"page_size": 1001}, "page_size"),
        ({"page_size": "10"}, "page_size"),
        ({"page_size": 10, "page": (1, 20)}, "page_size"),
    ],
)
def test_invalid_arguments_raise_immediately(options: Any, field: str) -> None:
    """The error names the argument before anything is sent, not when the first record is taken."""
    library = Library(3)
    with pytest.raises(InvalidValueError, match=field):
        library.client().dids().iterate(**options)
    with pytest.raises(InvalidValueError, match=field):
        library.async_client().dids().iterate(**options)
    assert library.asked == []
