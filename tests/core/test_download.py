"""Downloads with decompression: bombs, damage, truncated files, and who gets the key."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import subprocess
import sys
import tempfile
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from didww import DidwwClient
from didww._drivers import files
from didww.exceptions import (
    ApiConnectionError,
    DidwwClientError,
    DidwwError,
    InvalidValueError,
    NotFoundError,
    ServerError,
    UnexpectedResponseError,
)
from support.clients import KEY, KINDS, client_of
from support.hypothesis_profiles import law
from support.scripted_transport import Scripted, json_response
from support.servers import Server, header, http, once, responding
from support.unix import unix_only

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

CSV = b"Date/Time Start (UTC),Source\n" + b"2026-03-01 01:11:42,442079460001\n" * 5000
NOISE = random.Random(0).randbytes(3 << 20)
PACKED = gzip.compress(CSV)
PATH = "/v3/exports/baf6d4cf-e6e8-4920-b15f-b2abc6cb4a7d.csv.gz"


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def chunked(body: bytes) -> bytes:
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


def unframed(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body


WHOLE: dict[str, tuple[bytes, bytes]] = {
    "one member": (http(PACKED), CSV),
    "two members": (http(PACKED + gzip.compress(b"more")), CSV + b"more"),
    "a thousand members": (http(gzip.compress(b"x\n") * 1000), b"x\n" * 1000),
    "an empty member between": (http(PACKED + gzip.compress(b"") + PACKED), CSV * 2),
    "padding": (http(PACKED + bytes(5000)), CSV),
    "nothing packed": (http(gzip.compress(b"")), b""),
    "does not shrink": (http(gzip.compress(NOISE)), NOISE),
    "chunked": (chunked(PACKED), CSV),
    "until the connection ends": (unframed(PACKED), CSV),
    "called packed": (http(PACKED, "Content-Encoding: gzip", "Content-Type: text/csv"), CSV),
    "stored with a name": (http(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03calls.csv\0" + PACKED[10:]), CSV),
}


@pytest.mark.parametrize("case", WHOLE)
def test_complete_file_is_decompressed(case: str, kind: str, tmp_path: Path) -> None:
    """Any compression and framing works; an existing file is replaced, and only its owner can read the new one."""
    raw, expected = WHOLE[case]
    target = tmp_path / "calls.csv"
    target.write_bytes(b"old")
    with Server(once(raw)) as server, client_of(kind, f"{server.url}/v3") as client:
        assert client.download_and_decompress_export(f"{server.url}{PATH}", str(target)) == target
    assert target.read_bytes() == expected
    assert os.listdir(tmp_path) == ["calls.csv"]  # noqa: PTH208 names are what is compared
    assert target.stat().st_mode & 0o077 == 0
    assert header(server.requests[0], "api-key") == KEY
    assert header(server.requests[0], "accept-encoding") == "identity"


def flipped(data: bytes, place: int) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 0x55
    return bytes(changed)


BROKEN: dict[str, tuple[bytes, type[DidwwError], str]] = {
    "cut off in the packing": (http(PACKED[:-9]), UnexpectedResponseError, "truncated after"),
    "cut off in the check sum": (http(PACKED[:-1]), UnexpectedResponseError, "truncated after"),
    "cut off in the head": (http(PACKED[:5]), UnexpectedResponseError, "truncated after"),
    "cut off in the second": (http(PACKED + PACKED[:50]), UnexpectedResponseError, "truncated after"),
    "cut off without a length": (unframed(PACKED[:-9]), UnexpectedResponseError, "truncated after"),
    "nothing": (http(b""), UnexpectedResponseError, "is empty"),
    "nothing in chunks": (chunked(b""), UnexpectedResponseError, "is empty"),
    "fewer bytes than told": (http(PACKED, length=len(PACKED) + 1), ApiConnectionError, "incomplete"),
    "chunks cut off": (chunked(PACKED)[:-5], ApiConnectionError, "incomplete"),
    "damaged": (http(flipped(PACKED, len(PACKED) // 2)), UnexpectedResponseError, "damaged"),
    "wrong check sum": (http(flipped(PACKED, -8)), UnexpectedResponseError, "damaged"),
    "wrong length": (http(flipped(PACKED, -1)), UnexpectedResponseError, "damaged"),
    "second one damaged": (http(PACKED + flipped(PACKED, -8)), UnexpectedResponseError, "damaged"),
    "something behind": (http(PACKED + b"garbage"), UnexpectedResponseError, "damaged"),
    "plain": (http(CSV), UnexpectedResponseError, "not gzip"),
    "page": (http(b"<html></html>"), UnexpectedResponseError, r"a page \(HTML, XML or JSON\)"),
    "called a page": (
        http(PACKED, "Content-Type: text/html; charset=utf-8"),
        UnexpectedResponseError,
        r"\(text/html\)",
    ),
    "zeros": (http(bytes(100)), UnexpectedResponseError, "not gzip"),
    "bomb": (http(gzip.compress(bytes(50 << 20), 9)), UnexpectedResponseError, "more than 1000000 bytes"),
    "bomb of many": (http(gzip.compress(bytes(999_999)) * 2), UnexpectedResponseError, "more than 1000000 bytes"),
    "one byte too many": (http(gzip.compress(bytes(1_000_001))), UnexpectedResponseError, "more than 1000000 bytes"),
    "not there": (http(b"", status="404 Not Found"), NotFoundError, "404"),
    "server's fault": (http(b"<html>", status="503 Busy"), ServerError, "503"),
    "redirect": (http(b"", "Location: https://files.example.com/", status="302 Found"), UnexpectedResponseError, "302"),
    "no content": (http(b"", status="204 No Content"), UnexpectedResponseError, "204"),
    "a part": (http(PACKED, status="206 Partial Content"), UnexpectedResponseError, "206"),
}

HUNG_UP = {"cut off without a length", "fewer bytes than told", "chunks cut off"}


@pytest.mark.parametrize("case", BROKEN)
def test_incomplete_file_is_not_kept(case: str, kind: str, tmp_path: Path) -> None:
    """No file or part file remains, an existing file is unchanged, and the client stays usable."""
    raw, expected, message = BROKEN[case]
    target = tmp_path / "calls.csv"
    target.write_bytes(b"old")
    kept, hung_up = responding(raw, http(PACKED)), [once(raw), once(http(PACKED))]

    def serve(server: Server, connection: socket.socket) -> None:
        # A connection that is kept must not be hung up, or the next request may meet its end.
        (hung_up.pop(0) if case in HUNG_UP else kept)(server, connection)

    with Server(serve) as server, client_of(kind, f"{server.url}/v3", max_retries=0) as client:
        with pytest.raises(expected, match=message) as caught:
            client.download_and_decompress_export(f"{server.url}{PATH}", target, max_bytes=1_000_000)
        assert os.listdir(tmp_path) == ["calls.csv"]  # noqa: PTH208 names are what is compared
        assert target.read_bytes() == b"old"
        assert KEY not in f"{caught.value!r}{caught.value}"
        client.download_and_decompress_export(f"{server.url}{PATH}", target)
    assert target.read_bytes() == CSV


def test_max_bytes_is_inclusive(tmp_path: Path) -> None:
    """Exactly `max_bytes` may arrive, not one less."""
    client = DidwwClient(
        KEY,
        base_url="https://api.example.com/v3",
        transport=Scripted(json_response(body=gzip.compress(bytes(1_000_000)))),
    )
    client.download_and_decompress_export(f"https://api.example.com{PATH}", tmp_path / "a", max_bytes=1_000_000)
    assert (tmp_path / "a").stat().st_size == 1_000_000


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(kind: str, tmp_path: Path) -> None:
    """50 MB are decompressed with a few chunks in memory; so is a bomb in one compressed chunk."""
    raw = http(gzip.compress(bytes(50 << 20)) + gzip.compress(NOISE))
    with Server(responding(raw)) as server, client_of(kind, f"{server.url}/v3") as client:
        client.download_and_decompress_export(f"{server.url}{PATH}", tmp_path / "a")  # imports
        tracemalloc.start()
        try:
            client.download_and_decompress_export(f"{server.url}{PATH}", tmp_path / "a")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert (tmp_path / "a").stat().st_size == (50 << 20) + len(NOISE)
    assert peak < 5 << 20


@given(cut=st.integers(0, len(PACKED) - 1))
@law(60)
def test_truncated_file_is_always_detected(cut: int) -> None:
    """A file that ends early anywhere is detected, even without a Content-Length."""
    with tempfile.TemporaryDirectory() as folder:
        with pytest.raises(UnexpectedResponseError):
            fetched(PACKED[:cut], Path(folder) / "a")
        assert not list(Path(folder).iterdir())


@given(place=st.integers(0, len(PACKED) - 1), bit=st.integers(0, 7))
@law(60)
def test_no_flipped_bit_changes_the_saved_file(place: int, bit: int) -> None:
    """It is an error, or affects only metadata such as the time in the gzip header."""
    changed = bytearray(PACKED)
    changed[place] ^= 1 << bit
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "a"
        try:
            fetched(bytes(changed), target)
        except UnexpectedResponseError:
            assert not list(Path(folder).iterdir())
        else:
            assert target.read_bytes() == CSV


def fetched(body: bytes, target: Path) -> None:
    transport = Scripted(json_response(body=body))
    client = DidwwClient(KEY, base_url="https://api.example.com/v3", transport=transport)
    client._configuration.jitter = lambda: 0.0
    client.download_and_decompress_export(f"https://api.example.com{PATH}", target)


# Where the key goes


METHODS: list[Callable[..., Any]] = [
    lambda client, url, path: client.download_export(url, path),
    lambda client, url, path: client.download_and_decompress_export(url, path),
]


@pytest.mark.parametrize("download", METHODS)
def test_another_origin_never_gets_the_key(download: Callable[..., Any], kind: str, tmp_path: Path) -> None:
    """The file is fetched without the key and without the client's own headers."""
    own = {"headers": {"X-Mine": "of the caller"}}
    with Server(responding(http(PACKED))) as api, Server(responding(http(PACKED))) as other:
        with client_of(kind, f"{api.url}/v3", **own) as client:
            for url in (f"{other.url}{PATH}", f"http://localhost:{api.port}{PATH}", f"{api.url}{PATH}"):
                download(client, url, tmp_path / "a")
    assert (tmp_path / "a").exists()
    everything = b"".join(other.requests) + api.requests[0]
    assert KEY.encode() not in everything
    assert b"of the caller" not in everything
    assert header(api.requests[1], "api-key") == KEY
    assert header(api.requests[1], "x-mine") == "of the caller"


@pytest.mark.parametrize("download", METHODS)
def test_redirect_never_gets_the_key(download: Callable[..., Any], kind: str, tmp_path: Path) -> None:
    """The other server gets no request."""
    with Server(responding(http(PACKED))) as other:
        moved = http(b"", f"Location: {other.url}{PATH}", status="307 Temporary Redirect")
        with Server(responding(moved)) as api, client_of(kind, f"{api.url}/v3") as client:
            with pytest.raises(UnexpectedResponseError, match="307"):
                download(client, f"{api.url}{PATH}", tmp_path / "a")
    assert other.connections == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("download", METHODS)
def test_url_with_a_password_gets_no_key(download: Callable[..., Any], kind: str, tmp_path: Path) -> None:
    """A URL that looks like ours but leads elsewhere gets no request."""
    with Server(responding(http(PACKED))) as other, client_of(kind, "https://api.example.com/v3") as client:
        with pytest.raises(InvalidValueError, match="http or https URL"):
            download(client, f"https://api.example.com@127.0.0.1:{other.port}{PATH}", tmp_path / "a")
    assert other.connections == 0


@pytest.mark.parametrize("most", [None, "x", 0, -1, True, 1.5])
def test_max_bytes_must_be_an_integer(most: Any, kind: str, tmp_path: Path) -> None:
    """Anything else raises before anything is sent."""
    with client_of(kind, "http://127.0.0.1:9/v3") as client, pytest.raises(InvalidValueError, match="max_bytes"):
        client.download_and_decompress_export(f"http://127.0.0.1:9{PATH}", tmp_path / "a", max_bytes=most)


def test_path_may_be_bytes(kind: str, tmp_path: Path) -> None:
    """This works as for `open`."""
    with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
        client.download_export(f"{server.url}{PATH}", os.fsencode(tmp_path / "a"))
    assert (tmp_path / "a").read_bytes() == PACKED


# Where the file goes


@pytest.mark.parametrize("name", ["nowhere/a.csv", "folder", "a\0b", ""])
def test_unwritable_path_is_named_in_the_error(name: str, kind: str, tmp_path: Path) -> None:
    """Nothing is left behind."""
    (tmp_path / "folder").mkdir()
    target = f"{tmp_path}/{name}"
    with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(DidwwClientError, match="Cannot write"):
            client.download_and_decompress_export(f"{server.url}{PATH}", target)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


# Replaced files and leftovers


@pytest.mark.parametrize("method", ["download_export", "download_and_decompress_export"])
@pytest.mark.parametrize(
    "raw",
    [
        http(b"<html>Log in</html>", "Content-Type: text/html"),
        http(b"Log in", "Content-Type: Text/HTML; charset=utf-8"),
        http(b"\xef\xbb\xbf \r\n<!DOCTYPE html><p>Log in"),
        http(b'{"errors": []}', "Content-Type: application/vnd.api+json"),
        http(b'[{"error": 1}]'),
        http(b'"Log in"', "Content-Type: application/json"),
        http(b"Please log in", "Content-Type: text/plain; charset=utf-8"),
        http("<html>".encode("utf-16")),
        http(b""),
        http(b"", "Content-Type: text/csv"),
        chunked(b""),
        unframed(b""),
    ],
)
def test_html_page_or_empty_body_is_not_an_export(raw: bytes, method: str, kind: str, tmp_path: Path) -> None:
    """A 200 of a portal or proxy does not replace an existing file."""
    target = tmp_path / "calls"
    target.write_bytes(b"good records")
    with Server(once(raw)) as server, client_of(kind, f"{server.url}/v3", max_retries=0) as client:
        with pytest.raises(UnexpectedResponseError, match=r"a page|is empty"):
            getattr(client, method)(f"{server.url}{PATH}", target)
    assert target.read_bytes() == b"good records"
    assert os.listdir(tmp_path) == ["calls"]  # noqa: PTH208 names are what is compared


def test_content_type_does_not_decide_what_an_export_is(kind: str, tmp_path: Path) -> None:
    """Servers that do not know `.csv.gz` call it plain text, and plain CSV may have any type."""
    for raw, kept in (
        (http(PACKED, "Content-Type: text/plain"), PACKED),
        (http(CSV, "Content-Type: text/csv"), CSV),
        (http(CSV), CSV),
    ):
        with Server(once(raw)) as server, client_of(kind, f"{server.url}/v3", max_retries=0) as client:
            client.download_export(f"{server.url}{PATH}", tmp_path / "calls")
        assert (tmp_path / "calls").read_bytes() == kept


@pytest.mark.parametrize("method", ["download_export", "download_and_decompress_export"])
@pytest.mark.parametrize("target", [3, None, ["calls.csv"]])
def test_invalid_path_is_rejected(target: Any, method: str, kind: str) -> None:
    """Nothing is sent."""
    with client_of(kind, "http://127.0.0.1:9/v3", max_retries=0) as client:
        with pytest.raises(
            InvalidValueError, match=r"file_path must be a path .*, got (int|NoneType|list)\. Name the file"
        ):
            getattr(client, method)(f"http://127.0.0.1:9{PATH}", target)


@pytest.fixture
def open_files_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to rename and to delete what is open, as Windows does."""
    held = Path("/proc/self/fd")
    if not held.exists():
        pytest.skip("what is open cannot be seen here")

    def refusing(change: Callable[..., None]) -> Callable[..., None]:
        def changed(path: str, *rest: Any, **options: Any) -> None:
            names = set()
            for one in held.iterdir():
                with contextlib.suppress(OSError):
                    names.add(str(one.readlink()))
            if os.path.realpath(path) in names:
                raise PermissionError(13, "The process cannot access the file because it is being used")
            change(path, *rest, **options)

        return changed

    for name in ("replace", "rename", "unlink", "remove"):
        monkeypatch.setattr(os, name, refusing(getattr(os, name)))
    monkeypatch.setattr(files, "_keep_lock", lambda _: None)  # as there


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_part_file_is_locked_until_renamed(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process that cleans up between closing and renaming does not remove it."""
    target, replace = tmp_path / "calls", os.replace

    def replace_later(source: str, name: str) -> None:
        files._remove_unlocked(source)  # a lock of another open file: the same as one of another process
        replace(source, name)

    monkeypatch.setattr(os, "replace", replace_later)
    with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
        client.download_export(f"{server.url}{PATH}", target)
    assert target.read_bytes() == PACKED
    assert os.listdir(tmp_path) == ["calls"]  # noqa: PTH208 the same


@pytest.mark.usefixtures("open_files_stay")
def test_part_file_is_closed_before_renaming(kind: str, tmp_path: Path) -> None:
    """Renaming and cleanup work even where open files cannot be touched."""
    target = tmp_path / "calls.csv.gz"
    with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
        for _ in range(2):
            client.download_export(f"{server.url}{PATH}", target)
    with Server(once(http(PACKED[:-9]))) as server, client_of(kind, f"{server.url}/v3", max_retries=0) as client:
        with pytest.raises(UnexpectedResponseError):
            client.download_export(f"{server.url}{PATH}", target)
    assert target.read_bytes() == PACKED
    assert os.listdir(tmp_path) == ["calls.csv.gz"]  # noqa: PTH208 names are what is compared


@pytest.mark.usefixtures("open_files_stay")
def test_ready_file_appears_only_when_complete(tmp_path: Path) -> None:
    """The server's ready file is renamed in the same way."""
    from didww.emulator.http.server import write_ready_file

    for base_url in ("http://127.0.0.1:1/v3", "http://127.0.0.1:2/v3"):
        write_ready_file(tmp_path / "ready", base_url)
        assert (tmp_path / "ready").read_text(encoding="utf-8") == f"{base_url}\n"
    assert os.listdir(tmp_path) == ["ready"]  # noqa: PTH208 the same


@unix_only
@pytest.mark.parametrize("linked", [False, True])
def test_pipe_is_not_replaced(kind: str, tmp_path: Path, *, linked: bool) -> None:
    """Pipes, devices and links to them raise an error that says what to do, before the file is fetched."""
    target = tmp_path / "calls"
    os.mkfifo(tmp_path / "pipe" if linked else target)
    if linked:
        target.symlink_to("pipe")
    with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
        for path in (target, Path("/dev/null")):
            with pytest.raises(DidwwClientError, match=r"pipe or a device\. Download to a regular file"):
                client.download_export(f"{server.url}{PATH}", path)
    assert target.is_fifo()
    assert target.is_symlink() is linked
    assert Path("/dev/null").is_char_device()
    assert len(list(tmp_path.iterdir())) == 1 + linked


@unix_only
def test_symlink_is_replaced_and_its_target_is_kept(kind: str, tmp_path: Path) -> None:
    """Someone who may write to the folder cannot redirect the download to another file."""
    (tmp_path / "elsewhere").write_bytes(b"of somebody else")
    (tmp_path / "calls").symlink_to("elsewhere")
    (tmp_path / "broken").symlink_to("nowhere")
    with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
        for name in ("calls", "broken"):
            client.download_export(f"{server.url}{PATH}", tmp_path / name)
            assert not (tmp_path / name).is_symlink()
            assert (tmp_path / name).read_bytes() == PACKED
    assert (tmp_path / "elsewhere").read_bytes() == b"of somebody else"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("body", [NOISE, NOISE[:70_001]], ids=["while it comes", "at its end"])
@pytest.mark.parametrize("limit", [70_000, 0])
def test_full_disk_leaves_no_file(
    body: bytes, limit: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`DidwwClientError` is raised whenever it is detected; an existing file stays."""
    resource = pytest.importorskip("resource")
    target = tmp_path / "calls"
    target.write_bytes(b"old")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python would leave cut-off files of its own
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Server(responding(http(gzip.compress(body)))) as server, client_of(kind, f"{server.url}/v3") as client:
        for method in (client.download_export, client.download_and_decompress_export):
            with pytest.raises(DidwwClientError, match="Cannot write") as caught:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
                try:
                    method(f"{server.url}{PATH}", target)
                finally:
                    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            assert type(caught.value) is DidwwClientError
            assert os.listdir(tmp_path) == ["calls"]  # noqa: PTH208 the same
    assert target.read_bytes() == b"old"


KILLED = """
import sys
from didww import DidwwClient

def progress(done):
    print("begun", flush=True)

with DidwwClient("key", base_url=sys.argv[1]) as client:
    client.download_export(f"{sys.argv[1]}/exports/a.csv.gz", sys.argv[2], progress=progress)
"""


def test_leftover_part_files_are_removed(kind: str, tmp_path: Path) -> None:
    """The next download to the same path removes them; files of living processes and other files stay."""
    target = tmp_path / "calls"
    others = {"calls.part", "calls.12345678.part.txt", "calls.1234567g.part", "other.12345678.part"}
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / "calls.00000000.part").write_bytes(b"left by an older kernel")
    with Server(once(http(PACKED[:100], length=len(PACKED)), stall=True)) as stalling:
        command = [sys.executable, "-c", KILLED, f"{stalling.url}/v3", str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"begun\n"
            (left,) = {path.name for path in tmp_path.iterdir()} - others
            with Server(responding(http(PACKED))) as server, client_of(kind, f"{server.url}/v3") as client:
                client.download_export(f"{server.url}{PATH}", target)
                assert {path.name for path in tmp_path.iterdir()} == {*others, left, "calls"}
                process.kill()
                process.wait()
                assert (tmp_path / left).exists()
                client.download_export(f"{server.url}{PATH}", target)
    assert {path.name for path in tmp_path.iterdir()} == {*others, "calls"}
    assert target.read_bytes() == PACKED


def test_concurrent_downloads_to_the_same_path_are_independent(tmp_path: Path) -> None:
    """Each file is complete, and the last one stays."""
    target = tmp_path / "calls"
    transport = Scripted(json_response(body=PACKED))
    client = DidwwClient(KEY, base_url="https://api.example.com/v3", transport=transport, rate_limit=None)
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(client.download_export, f"https://api.example.com{PATH}", target) for _ in range(200)]
        assert {call.result() for call in calls} == {target}
    assert target.read_bytes() == PACKED
    assert os.listdir(tmp_path) == ["calls"]  # noqa: PTH208 the same


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="there are no names of open files")
def test_open_file_name_is_not_replaced(kind: str, tmp_path: Path) -> None:
    """/dev/stdout is a link to one: replacing it would break it for everyone."""
    with (tmp_path / "out").open("wb") as held, Server(responding(http(PACKED))) as server:
        link, chain = tmp_path / "link", tmp_path / "chain"
        link.symlink_to(f"/proc/self/fd/{held.fileno()}")
        chain.symlink_to(link)
        with client_of(kind, f"{server.url}/v3") as client:
            for target in (link, chain, Path(f"/proc/self/fd/{held.fileno()}")):
                with pytest.raises(DidwwClientError, match="is a file descriptor of the process"):
                    client.download_export(f"{server.url}{PATH}", target)
        assert link.is_symlink()
        assert chain.is_symlink()
