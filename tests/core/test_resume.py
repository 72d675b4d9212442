"""Downloads over an unreliable connection: resuming and progress."""

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
from didww._core.download import RemoteFile, download
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
            status, lines, body = self.respond(self.ranges[-1], self.conditions[-1])
            self.number += 1
            raw = http(body, *lines, status=status)
            if cut is not None and len(body) > cut:
                connection.sendall(raw[: len(raw) - len(body) + cut])
                return
            connection.sendall(raw)

    def respond(self, range_header: str | None, condition: str | None) -> tuple[str, list[str], bytes]:
        lines = [] if self.etag is None else [f"ETag: {self.etag}"]
        start = 0
        status = "200 OK"
        if range_header is not None and condition == self.etag:
            start = int(range_header.removeprefix("bytes=").removesuffix("-"))
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
def test_download_resumes_after_a_cut(unpacked: bool, kind: str, tmp_path: Path) -> None:
    """There may be more cuts than retries as long as each attempt makes progress; the bytes equal the file."""
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
def test_download_restarts_without_a_strong_etag(etag: str | None, kind: str, tmp_path: Path) -> None:
    """It could not be verified that the file is unchanged."""
    serve = FileServer(10_000, 30_000, None, etag=etag)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == FILE
    assert serve.ranges == [None, None, None]


def test_download_restarts_if_the_file_changed(kind: str, tmp_path: Path) -> None:
    """The service sends the whole new file; nothing of the old one remains."""
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
def test_mismatched_range_restarts_the_download(case: str, kind: str, tmp_path: Path) -> None:
    """The download starts over and is complete in the end."""
    serve = FileServer(10_000, None, twist=lambda n, _, lines, body: TWISTS[case](lines, body) if n == 1 else None)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == FILE
    assert serve.ranges == [None, "bytes=10000-", None]


def test_range_not_satisfiable_at_the_end_means_complete(kind: str, tmp_path: Path) -> None:
    """A 416 with the size that was already received means that the download is complete."""
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


def test_attempts_without_progress_are_limited(kind: str, tmp_path: Path) -> None:
    """There are as many as retries; with zero retries the first cut raises. No file is kept."""
    for retries in (2, 0):
        serve = FileServer(10_000, 0)
        with Server(serve) as server, client_of(kind, f"{server.url}/v3", max_retries=retries) as client:
            with pytest.raises(ApiConnectionError, match="incomplete") as caught:
                quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
        assert serve.number == caught.value.attempts == (1 + 1 + retries if retries else 1)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("status", "attempts"), [("503 Busy", 3), ("429 Too Many", 3), ("500 Oops", 1), ("404 No", 1)])
def test_error_responses_follow_the_retry_table(status: str, attempts: int, kind: str, tmp_path: Path) -> None:
    """The final error is the service's."""
    serve = FileServer(twist=lambda *_: (status, [], b""))
    with Server(serve) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(DidwwError, match=status[:3]):
            quick(client).download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert serve.number == attempts
    assert list(tmp_path.iterdir()) == []


@patient
def test_deadline_covers_all_attempts(kind: str, tmp_path: Path) -> None:
    """Repeated cuts do not extend it."""
    serve = FileServer(1)
    with Server(serve) as server, client_of(kind, f"{server.url}/v3", timeout=seconds(0.6)) as client:
        with pytest.raises((ApiTimeoutError, ApiConnectionError)) as caught:
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert caught.value.elapsed is not None
    assert caught.value.elapsed < seconds(1.2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("place", [len(FILE) // 2, -6, -2])
def test_damaged_file_is_not_kept(place: int, kind: str, tmp_path: Path) -> None:
    """Compressed files are verified to the last byte even if saved compressed; a plain one cannot be verified."""
    damaged = bytearray(FILE)
    damaged[place] ^= 1
    with Server(FileServer(file=bytes(damaged))) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(UnexpectedResponseError, match="damaged"):
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert list(tmp_path.iterdir()) == []
    with Server(FileServer(file=FILE[:-4])) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(UnexpectedResponseError, match="truncated"):
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    with Server(FileServer(file=PLAIN)) as server, client_of(kind, f"{server.url}/v3") as client:
        client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert (tmp_path / "calls").read_bytes() == PLAIN


def test_download_reports_progress(kind: str, tmp_path: Path) -> None:
    """It counts bytes up to the total, never decreases for the same file, and its exceptions end the download."""
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


def test_upload_reports_progress(kind: str) -> None:
    """It counts the bytes of the request that were sent, up to the total."""
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


def test_progress_is_reported_to_async_functions(tmp_path: Path) -> None:
    """The asynchronous client awaits them for uploads and downloads, over a socket and in process."""
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
def test_download_gives_the_exact_file_or_none(
    schedule: list[tuple[str, int]], size: int, pieces: int, packed: bool, retries: int, tmp_path_factory: Any
) -> None:
    """Any sequence of cuts and wrong responses ends in the exact bytes, or in an error without a file."""
    folder = tmp_path_factory.mktemp("line")
    plain = (b"2026" + random.Random(size).randbytes(size))[:size]  # no page, which would begin otherwise
    file = gzip.compress(plain) if packed else plain
    line = Line(list(schedule), file, pieces)
    configuration = Configuration(
        credentials=ApiKey("key"), base_url="https://api.example.com/v3", max_retries=retries, jitter=lambda: 0.0
    )
    try:
        source = RemoteFile(f"https://api.example.com{PATH}", "")
        downloaded = Driver(line).run(download(configuration, source, f"{folder}/f", 10_000 if packed else None))
    except DidwwError:
        assert list(folder.iterdir()) == []
    else:
        assert downloaded.size == len(file)
        assert (folder / "f").read_bytes() == plain
        assert [one.name for one in folder.iterdir()] == ["f"]
    assert line.open_answers == 0
    assert line.attempts <= 1 + len(schedule) + (retries if not file else 0)
    if not schedule:
        assert (folder / "f").exists() is bool(file)


def test_compressed_error_body_is_not_saved(tmp_path: Path) -> None:
    """The last attempt gets a 503 with a gzip page."""
    serve = FileServer(twist=lambda *_: ("503 Busy", ["Content-Type: text/html"], gzip.compress(b"<html>")))
    with Server(serve) as server, DidwwClient("key", base_url=f"{server.url}/v3", max_retries=0) as client:
        with pytest.raises(ServerError):
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
    assert list(tmp_path.iterdir()) == []
