"""Downloads over a bad line: what comes after a cut, and what is told of the way."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import AsyncDidwwClient, DidwwClient, Progress
from didww._core.download import download
from didww._drivers.sync import Driver
from didww.configuration import ApiKey, Configuration
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    DidwwError,
    InvalidValueError,
    ServerError,
    UnexpectedResponseError,
)
from support.clients import KEY, KINDS, client_of
from support.hypothesis_profiles import law
from support.real_time import patient, seconds
from support.servers import Server, header, http

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

PLAIN = b"2026-03-01 01:11:42,442079460001,in\n" * 3000 + random.Random(1).randbytes(60_000)
FILE = gzip.compress(PLAIN)
OTHER = gzip.compress(PLAIN[:50_000])
PATH = "/v3/exports/baf6d4cf-e6e8-4920-b15f-b2abc6cb4a7d.csv.gz"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class FileServer:
    """Serves a file with ranges, and hangs up after so many bytes of each response.

    Args:
        cuts: How many bytes of each response's body are sent; the last one repeats; None for all.
        etag: The file's `ETag`, or those of the responses in turn.
        twist: Changes a response: (number of the request, its first byte, head, body) to (head, body).
    """

    def __init__(
        self,
        *cuts: int | None,
        file: bytes = FILE,
        etag: str | None = '"one"',
        twist: Callable[[int, int, list[str], bytes], tuple[str, list[str], bytes] | None] | None = None,
    ) -> None:
        self.cuts = list(cuts) or [None]
        self.file = file
        self.etag = etag
        self.twist = twist
        self.number = 0
        self.ranges: list[str | None] = []
        self.conditions: list[str | None] = []

    def __call__(self, server: Server, connection: socket.socket) -> None:
        while True:
            request = server.receive(connection)
            self.ranges.append(header(request, "range"))
            self.conditions.append(header(request, "if-range"))
            cut = self.cuts.pop(0) if len(self.cuts) > 1 else self.cuts[0]
            status, lines, body = self.answer(self.ranges[-1], self.conditions[-1])
            self.number += 1
            raw = http(body, *lines, status=status)
            if cut is not None and len(body) > cut:
                connection.sendall(raw[: len(raw) - len(body) + cut])
                return
            connection.sendall(raw)

    def answer(self, asked: str | None, condition: str | None) -> tuple[str, list[str], bytes]:
        lines = [] if self.etag is None else [f"ETag: {self.etag}"]
        start = 0
        status = "200 OK"
        if asked is not None and condition == self.etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            status = "206 Partial Content"
            lines.append(f"Content-Range: bytes {start}-{len(self.file) - 1}/{len(self.file)}")
            if start >= len(self.file):
                return "416 Range Not Satisfiable", [f"Content-Range: bytes */{len(self.file)}"], b""
        body = self.file[start:]
        return (self.twist(self.number, start, lines, body) if self.twist else None) or (status, lines, body)


def quick(client: Any) -> Any:
    inner = getattr(client, "_client", client)
    inner._configuration.jitter = lambda: 0.01
    return client


@pytest.mark.parametrize("unpacked", [False, True])
def test_a_download_goes_on_where_it_was_cut(unpacked: bool, kind: str, tmp_path: Path) -> None:
    """Over more cuts than there are retries, as each brought something new; the bytes are those of the file."""
    serve = FileServer(10_000, 1, 20_000, 5_000, 5_000, 3_000, None)
    target = tmp_path / "calls"
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        method = "download_and_decompress_export" if unpacked else "download_export"
        assert getattr(quick(client), method)(f"{server.url}{PATH}", target) == target
    assert target.read_bytes() == (PLAIN if unpacked else FILE)
    assert os.listdir(tmp_path) == ["calls"]  # noqa: PTH208 names are what is compared
    places = list(itertools.accumulate([10_000, 1, 20_000, 5_000, 5_000, 3_000]))
    assert serve.ranges == [None, *(f"bytes={place}-" for place in places)]
    assert serve.conditions == [None, *['"one"'] * 6]
    assert all(header(request, "accept-encoding") == "identity" for request in server.requests)
    assert all(header(request, "api-key") == KEY for request in server.requests)


@pytest.mark.parametrize("etag", [None, 'W/"weak"', '"\u00fc"', "bare", '""', f'"{"x" * 1001}"'])
def test_without_a_strong_etag_it_begins_anew(etag: str | None, kind: str, tmp_path: Path) -> None:
    """Nobody could tell whether it is still the same file."""
    serve = FileServer(10_000, 30_000, None, etag=etag)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == FILE
    assert serve.ranges == [None, None, None]


def test_a_file_that_changed_begins_anew(kind: str, tmp_path: Path) -> None:
    """The service answers with the whole new file; nothing of the old one stays in it."""
    serve = FileServer(10_000, None)

    def twist(number: int, start: int, lines: list[str], body: bytes) -> None:
        if number == 0:
            serve.file, serve.etag = OTHER, '"two"'

    serve.twist = twist
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == OTHER
    assert serve.ranges == [None, "bytes=10000-"]


TWISTS: dict[str, Callable[[list[str], bytes], tuple[str, list[str], bytes]]] = {
    "another place": lambda _, body: (
        "206 Partial Content",
        ['ETag: "one"', f"Content-Range: bytes 9999-{len(FILE) - 1}/{len(FILE)}"],
        FILE[9999:],
    ),
    "another size": lambda lines, body: (
        "206 Partial Content",
        ['ETag: "one"', f"Content-Range: bytes 10000-{len(FILE)}/{len(FILE) + 1}"],
        body + b"x",
    ),
    "another file": lambda lines, body: ("206 Partial Content", ['ETag: "two"', *lines[1:]], body),
    "no place": lambda lines, body: ("206 Partial Content", ['ETag: "one"'], body),
    "garbage": lambda lines, body: ("206 Partial Content", ['ETag: "one"', "Content-Range: bytes ten-/many"], body),
    "huge": lambda lines, body: ("206 Partial Content", ['ETag: "one"', f"Content-Range: bytes {'9' * 5000}-/1"], body),
    "refused": lambda lines, body: ("416 Range Not Satisfiable", ["Content-Range: bytes */5"], b""),
    "refused without a size": lambda lines, body: ("416 Range Not Satisfiable", [], b""),
}


@pytest.mark.parametrize("case", TWISTS)
def test_a_part_that_does_not_fit_is_not_taken(case: str, kind: str, tmp_path: Path) -> None:
    """The download begins anew, and is whole in the end."""
    serve = FileServer(10_000, None, twist=lambda n, _, lines, body: TWISTS[case](lines, body) if n == 1 else None)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == FILE
    assert serve.ranges == [None, "bytes=10000-", None]


def test_everything_had_come_before_the_cut(kind: str, tmp_path: Path) -> None:
    """416 with the size that is there already means that it is done."""
    raw = b"%x\r\n%s\r\n" % (len(FILE), FILE)
    asked: list[str | None] = []

    def serve(server: Server, connection: socket.socket) -> None:
        request = server.receive(connection)
        asked.append(header(request, "range"))
        if asked[-1] is None:  # chunked, and the end is missing
            connection.sendall(b'HTTP/1.1 200 OK\r\nETag: "one"\r\nTransfer-Encoding: chunked\r\n\r\n' + raw)
        else:
            lines = (f"Content-Range: bytes */{len(FILE)}", "Connection: close")
            connection.sendall(http(b"", *lines, status="416 Range Not Satisfiable"))

    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == FILE
    assert asked == [None, f"bytes={len(FILE)}-"]


def test_cuts_that_bring_nothing_come_to_an_end(kind: str, tmp_path: Path) -> None:
    """After as many attempts in vain as there are retries; with none at all after the first. Nothing is kept."""
    for retries in (2, 0):
        serve = FileServer(10_000, 0)
        with Server(serve) as server, client_of(kind, f"{server.url}/v3", max_retries=retries) as client:
            with pytest.raises(ApiConnectionError, match="cut off") as caught:
                quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
        assert serve.number == caught.value.attempts == (1 + 1 + retries if retries else 1)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "attempts"), [("503 Busy", 3), ("429 Too Many", 3), ("500 Oops", 1), ("404 No", 1)])
def test_refusals_are_met_as_in_other_calls(status: str, attempts: int, kind: str, tmp_path: Path) -> None:
    """By the same table; the error is the service's."""
    serve = FileServer(twist=lambda *_: (status, [], b""))
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(DidwwError, match=status[:3]):
            quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert serve.number == attempts
    assert list(tmp_path.iterdir()) == []


@patient
def test_the_deadline_holds_over_all_attempts(kind: str, tmp_path: Path) -> None:
    """A line that is cut again and again does not go on past it."""
    serve = FileServer(1)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3", timeout=seconds(0.6)) as client:
        with pytest.raises((ApiTimeoutError, ApiConnectionError)) as caught:
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert caught.value.elapsed is not None
    assert caught.value.elapsed < seconds(1.2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [len(FILE) // 2, -6, -2])
def test_a_damaged_file_is_not_kept(place: int, kind: str, tmp_path: Path) -> None:
    """Packed files are checked to their last byte even if they are kept as they are; a plain one cannot be."""
    damaged = bytearray(FILE)
    damaged[place] ^= 1
    with Server(FileServer(file=bytes(damaged))) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(UnexpectedResponseError, match="damaged"):
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert list(tmp_path.iterdir()) == []
    with Server(FileServer(file=FILE[:-4])) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(UnexpectedResponseError, match="cut off"):
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    with Server(FileServer(file=PLAIN)) as server, client_of(kind, f"{server.url}/v3") as client:
        client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == PLAIN


def test_progress_of_a_download(kind: str, tmp_path: Path) -> None:
    """In bytes, up to all of them, and never back while the file is the same; what it raises ends the download."""
    told: list[Progress] = []
    serve = FileServer(10_000, None)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls", progress=told.append)
        assert told[-1] == Progress(len(FILE), len(FILE))
        assert [one.done for one in told] == sorted({one.done for one in told})
        assert {one.total for one in told} == {len(FILE)}

        def tired(_: Progress) -> None:
            raise RuntimeError("enough")

        with pytest.raises(RuntimeError, match="enough"):
            client.download_export(f"{server.url}{PATH}", tmp_path / "other", progress=tired)
        with pytest.raises(InvalidValueError, match="progress"):
            client.download_export(f"{server.url}{PATH}", tmp_path / "other", progress=7)
    assert os.listdir(tmp_path) == ["calls"]  # noqa: PTH208 the same


def test_progress_of_an_upload(kind: str) -> None:
    """In bytes of the request that are on their way, up to all of them."""
    from didww.emulator.http.server import running

    told: list[Progress] = []
    with running() as base_url, client_of(kind, base_url) as client:
        client.upload_file(random.Random(2).randbytes(300_000), filename="passport.pdf", progress=told.append)
    done = [one.done for one in told]
    assert len(done) > 4
    assert done == sorted(done)
    assert done[-1] == told[-1].total
    assert told[-1].total is not None
    assert told[-1].total > 300_000


def test_coroutine_functions_are_told_of_progress(tmp_path: Path) -> None:
    """By an asynchronous client, over a socket and in process, up and down."""
    from didww.emulator import Emulator
    from didww.emulator.http.server import running

    async def main() -> None:
        told: list[int] = []

        async def progress(one: Progress) -> None:
            await asyncio.sleep(0)
            told.append(one.done)

        with running() as base_url, Server(FileServer()) as server:
            async with AsyncDidwwClient("key", base_url=f"{server.url}/v3") as client:
                await client.download_export(f"{server.url}{PATH}", tmp_path / "calls", progress=progress)
            assert told[-1] == len(FILE)
            for other in (AsyncDidwwClient("key", base_url=base_url), Emulator().async_client()):
                told.clear()
                async with other:
                    await other.upload_file(b"x" * 100_000, progress=progress)
                assert told[-1] > 100_000

    asyncio.run(main())


class Line:
    """A transport over a line that cuts, refuses and lies as a schedule has it; no time passes."""

    def __init__(self, schedule: list[tuple[str, int]], file: bytes, pieces: int) -> None:
        self.schedule = schedule
        self.file = file
        self.pieces = pieces
        self.open_answers = 0
        self.attempts = 0

    def open(self, request: Any, deadline: float) -> Any:
        self.attempts += 1
        how, size = self.schedule.pop(0) if self.schedule else ("whole", 0)
        if how == "refused":
            raise ApiConnectionError("refused", request_sent=False)
        status, headers, start = 200, {"etag": '"one"'}, 0
        if how == "busy":
            status, headers = 503, {}
        elif "Range" in request.headers and how != "ignored":
            start = int(request.headers["Range"][6:-1]) + (how == "elsewhere")
            status = 206 if start < len(self.file) else 416
            headers["content-range"] = f"bytes {start}-{len(self.file) - 1}/{len(self.file)}"
            if status == 416:
                headers["content-range"] = f"bytes */{len(self.file)}"
        body = self.file[start:] if status < 400 else b""
        if status == 200:
            headers["content-length"] = str(len(body))
        self.open_answers += 1
        line = self

        class Answer:
            def __init__(self) -> None:
                self.status, self.headers = status, headers
                self.left = body[:size] if how == "cut" else body
                self.cut = how == "cut" and size < len(body)

            def read(self) -> bytes:
                piece, self.left = self.left[: line.pieces], self.left[line.pieces :]
                if not piece and self.cut:
                    raise ApiConnectionError("cut off")
                return piece

        return Answer()

    def read(self, opened: Any) -> bytes:
        return opened.read()

    def release(self, opened: Any) -> None:
        self.open_answers -= 1

    def send(self, request: Any, deadline: float) -> Any:
        raise AssertionError

    def close(self) -> None: ...


@law(400)
@given(
    schedule=st.lists(
        st.tuples(
            st.sampled_from(["cut", "cut", "cut", "refused", "busy", "elsewhere", "ignored"]), st.integers(0, 400)
        ),
        max_size=12,
    ),
    size=st.integers(0, 900),
    pieces=st.integers(1, 300),
    packed=st.booleans(),
    retries=st.integers(0, 3),
)
def test_any_line_gives_the_file_or_nothing(
    schedule: list[tuple[str, int]], size: int, pieces: int, packed: bool, retries: int, tmp_path_factory: Any
) -> None:
    """Under any schedule of cuts and wrong answers: the very bytes of the file, or an error and no file at all."""
    folder = tmp_path_factory.mktemp("line")
    plain = (b"2026" + random.Random(size).randbytes(size))[:size]  # no page, which would begin otherwise
    file = gzip.compress(plain) if packed else plain
    line = Line(list(schedule), file, pieces)
    configuration = Configuration(
        credentials=ApiKey("key"), base_url="https://api.example.com/v3", max_retries=retries, jitter=lambda: 0.0
    )
    try:
        answered = Driver(line).run(
            download(configuration, f"https://api.example.com{PATH}", f"{folder}/f", 10_000 if packed else None)
        )
    except DidwwError:
        assert list(folder.iterdir()) == []
    else:
        assert answered == len(file)
        assert (folder / "f").read_bytes() == plain
        assert [one.name for one in folder.iterdir()] == ["f"]
    assert line.open_answers == 0
    assert line.attempts <= 1 + len(schedule) + (retries if not file else 0)
    if not schedule:
        assert (folder / "f").exists() is bool(file)


def test_an_error_of_the_service_is_not_a_file(tmp_path: Path) -> None:
    """503 with a packed page as its body, at the last attempt."""
    serve = FileServer(twist=lambda *_: ("503 Busy", ["Content-Type: text/html"], gzip.compress(b"<html>")))
    with Server(serve) as server, DidwwClient("key", base_url=f"{server.url}/v3", max_retries=0) as client:
        with pytest.raises(ServerError):
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert list(tmp_path.iterdir()) == []
