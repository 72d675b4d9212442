"""Uploads, from the caller's input to what the service reads: over sockets and in process, with all clients."""

from __future__ import annotations

import asyncio
import contextlib
import email
import gzip
import io
import json
import lzma
import mmap
import os
import sys
import tempfile
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from didww import AsyncDidwwClient, DidwwClient
from didww._core.effects import Request, Response
from didww._drivers.file_source import FileSource
from didww.emulator import Emulator
from didww.emulator.behaviors.files import _decrypt, _public_keys
from didww.emulator.engine.engine import Engine
from didww.emulator.http.server import running
from didww.encrypt import MAX_ENCRYPTED_SIZE, Encrypt
from didww.exceptions import (
    ApiConnectionError,
    ApiTimeoutError,
    AuthenticationError,
    DidwwApiError,
    DidwwClientError,
    DidwwError,
    InvalidValueError,
    UnexpectedResponseError,
    ValidationError,
)
from support.clients import KEY, KINDS, Blocking, client_of
from support.real_time import patient, seconds
from support.servers import Server, header, http

if TYPE_CHECKING:
    import socket

FILE = b"%PDF-1.7 " + bytes(range(256)) * 700
OTHER_KEYS = list(reversed(_public_keys()))


class Service:
    """What an emulator is asked in a test; it may be told to answer something else, or to do something first."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.before: Callable[[Request], Response | None] = lambda request: None

    @property
    def asked(self) -> list[str]:
        return [request.method for request in self.requests]

    def form(self, number: int = -1) -> dict[str, tuple[str | None, bytes]]:
        """The form of an upload: file name and value by name, as the standard library's parser has them."""
        request = [request for request in self.requests if request.method == "POST"][number]
        kind = next(value for name, value in request.headers.items() if name.lower() == "content-type")
        assert isinstance(request.body, bytes)
        whole = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
        fields = {}
        for part in whole.get_payload():
            assert isinstance(part, email.message.Message)
            assert set(part.keys()) <= {"Content-Disposition", "Content-Type"}
            ours = email.message.Message()
            raw = dict(part.raw_items())["Content-Disposition"]
            ours["Content-Disposition"] = raw.encode("ascii", "surrogateescape").decode()
            told = dict(ours.get_params(header="content-disposition"))
            assert told.pop("form-data") == ""
            value = part.get_payload(decode=True)
            assert isinstance(value, bytes)
            fields[told.pop("name")] = (told.pop("filename", None), value)
            assert not told
        return fields

    def file(self, number: int = -1) -> bytes | None:
        """The file in the container, by the emulator's private keys."""
        return _decrypt(self.form(number)["encrypted_files[file]"][1])


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """Everything that any emulator is asked during the test."""
    told = Service()
    handle = Engine.handle

    def handled(self: Engine, request: Request, **options: Any) -> Response:
        told.requests.append(request)
        return told.before(request) or handle(self, request, **options)

    monkeypatch.setattr(Engine, "handle", handled)
    return told


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The address of an emulator on loopback."""
    with running() as base_url:
        yield base_url


@pytest.fixture(params=["in process", "in process, async", *KINDS])
def client(request: pytest.FixtureRequest, served: str, service: Service) -> Iterator[Any]:
    """A client of an emulator, of each kind."""
    if request.param in KINDS:
        with client_of(request.param, served) as made:
            yield made
    elif request.param == "in process":
        yield Emulator().client()
    else:
        with asyncio.Runner() as runner:
            yield Blocking(Emulator().async_client(), runner)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def keys_document(keys: Any) -> bytes:
    items = [{"id": f"key-{n}", "type": "public_keys", "attributes": {"key": key}} for n, key in enumerate(keys)]
    return json.dumps({"data": items}).encode()


def stale(times: int, keys: Any = OTHER_KEYS) -> Callable[[Request], Response | None]:
    """Gives out other keys for the first `times` times."""
    left = [times]

    def before(request: Request) -> Response | None:
        if not request.url.endswith("/public_keys") or not left[0]:
            return None
        left[0] -= 1
        return Response(200, {"content-type": "application/vnd.api+json"}, keys_document(keys))

    return before


# Accepted input


class Reading:
    """Has a `read` and nothing else, and gives less than it is asked for."""

    def __init__(self, data: bytes) -> None:
        self.inner = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self.inner.read(min(size, 1000))


class Unseekable(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *_: Any) -> int:
        raise io.UnsupportedOperation("seek")


def pipe(_: Path) -> Any:
    reading, writing = os.pipe()
    # More than a pipe holds would need a second thread.
    os.write(writing, FILE[:60000])
    os.close(writing)
    return os.fdopen(reading, "rb")


def written(folder: Path, data: bytes = FILE, name: str = "scan.pdf") -> Path:
    (folder / name).write_bytes(data)
    return folder / name


def from_the_middle(_: Path) -> Any:
    stream = io.BytesIO(b"another part" + FILE)
    stream.seek(len(b"another part"))
    return stream


def mapped(folder: Path) -> Any:
    with written(folder).open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def packed(folder: Path) -> Any:
    return gzip.open(written(folder, gzip.compress(FILE)), "rb")


def zipped(_: Path) -> Any:
    held = io.BytesIO()  # no file that only the archive would close, whenever it is collected
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("scan.pdf", FILE)
    return zipfile.ZipFile(held).open("scan.pdf")


def spooled(_: Path) -> Any:
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115 closed by the test
    file.write(FILE)
    file.seek(0)
    return file


SOURCES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "bytes": (lambda _: FILE, "document.enc"),
    "bytearray": (lambda _: bytearray(FILE), "document.enc"),
    "memoryview": (lambda _: memoryview(FILE), "document.enc"),
    "text path": (lambda folder: str(written(folder)), "scan.pdf.enc"),
    "Path": (written, "scan.pdf.enc"),
    "open file": (lambda folder: written(folder).open("rb"), "scan.pdf.enc"),
    "raw file": (lambda folder: written(folder).open("rb", buffering=0), "scan.pdf.enc"),
    "BytesIO": (lambda _: io.BytesIO(FILE), "document.enc"),
    "from the middle": (from_the_middle, "document.enc"),
    "unseekable": (lambda _: Unseekable(FILE), "document.enc"),
    "pipe": (pipe, "document.enc"),
    "read alone": (lambda _: Reading(FILE), "document.enc"),
    "mmap": (mapped, "document.enc"),
    "gzip": (packed, "scan.pdf.enc"),
    "zip": (zipped, "scan.pdf.enc"),
    "spooled": (spooled, "document.enc"),
}


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_any_binary_file_is_uploaded(source: str, client: Any, service: Service, tmp_path: Path) -> None:
    """The service can decrypt the exact bytes and the file name; the record is returned, and streams stay open."""
    make, name = SOURCES[source]
    file = make(tmp_path)
    uploaded = client.upload_file(file, description="A passport")
    expected = FILE[:60000] if source == "pipe" else FILE
    assert service.file() == expected
    assert uploaded.description == "A passport"
    assert uploaded.id
    assert uploaded.expires_at is not None
    assert service.asked == ["GET", "POST"]
    assert service.form()["encrypted_files[file]"][0] == name
    if hasattr(file, "close"):
        assert not file.closed
        file.close()


@pytest.mark.parametrize("source", ["Path", "from the middle", "pipe", "read alone"])
def test_stale_keys_are_refreshed_once(source: str, client: Any, service: Service, tmp_path: Path) -> None:
    """After "outdated fingerprint" the file is encrypted with new keys and sent once more from its start."""
    service.before = stale(1)
    with contextlib.ExitStack() as stack:
        file = SOURCES[source][0](tmp_path)
        if hasattr(file, "close"):
            stack.callback(file.close)
        uploaded = client.upload_file(file)
    assert uploaded.id
    assert service.asked == ["GET", "POST", "GET", "POST"]
    assert service.file() == (FILE[:60000] if source == "pipe" else FILE)
    prints = [service.form(number)["encrypted_files[encryption_fingerprint]"][1].decode() for number in (0, 1)]
    assert prints == [Encrypt.calculate_fingerprint(OTHER_KEYS), Encrypt.calculate_fingerprint(_public_keys())]


def test_stale_keys_after_a_refresh_raise(client: Any, service: Service) -> None:
    """There is no third attempt."""
    service.before = stale(2)
    with pytest.raises(ValidationError, match="outdated fingerprint"):
        client.upload_file(FILE)
    assert service.asked == ["GET", "POST"] * 2


def test_other_rejections_are_not_retried(client: Any, service: Service) -> None:
    """Only "outdated fingerprint" means that a second attempt may succeed."""
    refusal = b'{"errors":[{"title":"is invalid","detail":"file - is invalid","code":"100","status":"422"}]}'
    service.before = lambda request: Response(422, {}, refusal) if request.method == "POST" else None
    with pytest.raises(ValidationError, match="is invalid"):
        client.upload_file(FILE)
    assert service.asked == ["GET", "POST"]


@pytest.mark.parametrize(
    "keys", [[], list(_public_keys())[:1], [*_public_keys(), OTHER_KEYS[0]], ["x", "y"], [None, 5]]
)
def test_response_without_two_keys_raises(keys: Any, client: Any, service: Service) -> None:
    """The error says that it is the service's fault; nothing is sent unencrypted or for one key only."""
    service.before = stale(9, keys)
    with pytest.raises(UnexpectedResponseError, match=rf"{len(keys)} public keys"):
        client.upload_file(FILE)
    assert service.asked == ["GET"]


# Rejected input


def sparse(folder: Path, size: int) -> Path:
    with (folder / "large.pdf").open("wb") as file:
        file.truncate(size)
    return folder / "large.pdf"


class Endless:
    taken = 0

    def read(self, size: int) -> bytes:
        type(self).taken += size
        return bytes(size)


def closed(_: Path) -> Any:
    stream = io.BytesIO(FILE)
    stream.close()
    return stream


def blocked(_: Path) -> Any:
    reading, _writing = os.pipe()
    os.set_blocking(reading, False)
    return os.fdopen(reading, "rb", buffering=0)


class Generous:
    """Gives more than it is asked for, by this much of a request on."""

    def __init__(self, least: int) -> None:
        self.least = least

    def read(self, size: int) -> bytes:
        return bytes(size + 9) if size >= self.least else b""


PACKED = gzip.compress(os.urandom(200))


def unpacking(packed: bytes, kind: Callable[..., Any] = gzip.open) -> Any:
    return kind(io.BytesIO(packed))


def device(name: str) -> Any:
    return Path("/dev", name).open("rb")


def named_pipe(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


class Asynchronous:
    def read(self, size: int) -> Any:
        """What an `async def read` would give, without its warning."""
        return asyncio.sleep


def ended(_: Path) -> Any:
    stream = io.BytesIO(FILE)
    stream.read()
    return stream


REFUSED: dict[str, tuple[Callable[[Path], Any], type[DidwwClientError], str]] = {
    "text stream": (lambda _: io.StringIO("text"), InvalidValueError, "must return bytes from read"),
    "text file": (lambda folder: written(folder).open(encoding="latin-1"), InvalidValueError, "mode 'rb'"),
    "asynchronous": (lambda _: Asynchronous(), InvalidValueError, "must return bytes"),
    "None": (lambda _: None, InvalidValueError, "got NoneType"),
    "number": (lambda _: 5, InvalidValueError, "got int"),
    "list": (lambda _: [FILE], InvalidValueError, "got list"),
    "no bytes": (lambda _: b"", InvalidValueError, "must not be empty"),
    "empty file": (lambda folder: written(folder, b""), InvalidValueError, "must not be empty"),
    "stream at its end": (ended, InvalidValueError, "must not be empty"),
    "empty unseekable": (lambda _: Unseekable(), InvalidValueError, "must not be empty"),
    "large bytes": (lambda _: bytes(MAX_ENCRYPTED_SIZE + 1), InvalidValueError, "at most 20 MB|1 byte to 20 MB"),
    "large file": (
        lambda folder: sparse(folder, MAX_ENCRYPTED_SIZE + 1),
        InvalidValueError,
        "at most 20 MB|1 byte to 20 MB",
    ),
    "huge file": (lambda folder: sparse(folder, 1 << 40), InvalidValueError, "at most 20 MB|1 byte to 20 MB"),
    "large stream": (
        lambda folder: sparse(folder, 1 << 30).open("rb"),
        InvalidValueError,
        "at most 20 MB|1 byte to 20 MB",
    ),
    "endless": (lambda _: Endless(), InvalidValueError, "at most 20 MB|1 byte to 20 MB"),
    "missing": (lambda folder: folder / "nothing.pdf", DidwwClientError, r"Cannot read .*nothing.pdf: No such file"),
    "no name": (lambda _: "", DidwwClientError, "Cannot read a file with an empty name: No such file"),
    "no path": (lambda _: "a\0b", DidwwClientError, "Cannot read .*null"),
    "directory": (lambda folder: folder, DidwwClientError, "not a regular file"),
    "named pipe": (named_pipe, DidwwClientError, "not a regular file"),
    "closed": (closed, DidwwClientError, r"^Cannot read the stream: I/O operation on closed file\.$"),
    "device": (lambda _: "/dev/zero", DidwwClientError, r"^Cannot read /dev/zero: it is not a regular file\.$"),
    "opened device": (lambda _: device("zero"), InvalidValueError, "at most 20 MB|1 byte to 20 MB"),
    "empty device": (lambda _: device("null"), InvalidValueError, "must not be empty"),
    "too generous at once": (lambda _: Generous(0), InvalidValueError, r"read\(0\), got 9 bytes"),
    "too generous": (lambda _: Generous(1), InvalidValueError, r"read\(65536\), got \d+ bytes"),
    "damaged gzip": (lambda _: unpacking(PACKED[:50] + PACKED[70:]), DidwwClientError, "Cannot read "),
    "cut gzip": (lambda _: unpacking(PACKED[:-9]), DidwwClientError, "Cannot read the stream: Compressed"),
    "damaged xz": (
        lambda _: unpacking(b"no xz", lzma.LZMAFile),
        DidwwClientError,
        "Cannot read the stream: Input",
    ),
    "write-only": (lambda folder: (folder / "w").open("wb"), DidwwClientError, "Cannot read .*w: "),
    "non-blocking": (blocked, DidwwClientError, "non-blocking"),
}


if sys.platform == "win32":  # without such devices and sparse files
    for name in ("huge file", "large stream", "named pipe", "device", "opened device", "empty device", "non-blocking"):
        del REFUSED[name]


if Path("/proc/self/status").exists():
    REFUSED["no size"] = (
        lambda _: "/proc/self/status",
        DidwwClientError,
        "Cannot read /proc/self/status: it reports no",
    )


@pytest.mark.parametrize("source", REFUSED)
def test_invalid_files_are_rejected_before_anything_is_sent(
    source: str, client: Any, service: Service, tmp_path: Path
) -> None:
    """Text, no data, too much data and unreadable files each have their error."""
    make, expected, message = REFUSED[source]
    file = make(tmp_path)
    with pytest.raises(expected, match=message) as caught:
        client.upload_file(file)
    assert type(caught.value) is expected
    assert getattr(caught.value, "field", "file") == "file"
    assert caught.value.__cause__ is None
    assert service.requests == []
    if hasattr(file, "close"):
        file.close()


def test_stream_is_not_read_far_beyond_the_limit() -> None:
    """For a stream of unknown length, one byte more than the limit decides."""
    Endless.taken = 0
    with pytest.raises(InvalidValueError):
        Emulator().client().upload_file(Endless())  # type: ignore[arg-type]
    assert MAX_ENCRYPTED_SIZE < Endless.taken <= MAX_ENCRYPTED_SIZE + 1


@pytest.mark.slow
def test_largest_file_is_accepted(service: Service, tmp_path: Path) -> None:
    """The limit is 20 MB encrypted, by path and by stream of known or unknown length; one byte more sends nothing."""
    client = Emulator().client()
    keys = [key.key for key in client.public_keys().list().data]
    largest = MAX_ENCRYPTED_SIZE - Encrypt.encrypted_size(0, keys) + 15  # the padding has one byte at least
    path = sparse(tmp_path, largest)
    with path.open("rb") as file, path.open("rb") as other:
        for one in (path, file, Unseekable(other.read())):
            assert client.upload_file(one).id
            assert len(service.file() or b"") == largest
    uploads = len(service.requests)
    with pytest.raises(InvalidValueError, match=r"at most 20 MB \(20,971,520 bytes\) when encrypted"):
        client.upload_file(sparse(tmp_path, largest + 1))
    assert [one.method for one in service.requests[uploads:]] == ["GET"]  # the keys


@pytest.mark.parametrize("options", [{"description": 5}, {"filename": b"x"}, {"description": ["x"]}])
def test_invalid_texts_are_rejected(options: dict[str, Any], client: Any, service: Service) -> None:
    with pytest.raises(InvalidValueError) as caught:
        client.upload_file(FILE, **options)
    assert caught.value.field in options
    assert service.requests == []


# A file that does not stay as it is


def emptied(path: Path) -> None:
    os.truncate(path, 0)


def shortened(path: Path) -> None:
    os.truncate(path, len(FILE) // 2)


def lengthened(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


def far_longer(path: Path) -> None:
    os.truncate(path, 1 << 30)


def replaced(path: Path) -> None:
    path.unlink()
    path.mkdir()


def other_bytes(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")


def other_file(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(FILE)
    found = path.stat()
    os.utime(other, ns=(found.st_atime_ns, found.st_mtime_ns))
    other.rename(path)


CHANGES = [emptied, shortened, lengthened, far_longer, Path.unlink, replaced, other_bytes, other_file]


@pytest.mark.parametrize("change", [other_bytes, other_file])
def test_file_changed_while_sending_raises(change: Callable[[Path], None], tmp_path: Path) -> None:
    """The bytes after the change may belong to another document."""
    path = written(tmp_path)
    os.utime(path, ns=(1, 1))
    source = FileSource(path, MAX_ENCRYPTED_SIZE)
    assert source.measure() == len(FILE)
    pieces = source.pieces()
    next(pieces)
    change(path)
    with pytest.raises(
        DidwwClientError, match=r"^Cannot send .*scan\.pdf: it changed while it was being sent"
    ) as caught:
        list(pieces)
    assert type(caught.value) is DidwwClientError


@pytest.mark.parametrize("change", CHANGES)
def test_file_changed_before_sending_raises(
    change: Callable[[Path], None], client: Any, service: Service, tmp_path: Path
) -> None:
    """If the length differs from the measured one, the error names the file, and no partial document is uploaded."""
    path = written(tmp_path)
    done: list[Response] = []

    def before(request: Request) -> Response | None:
        if request.method == "GET" and not done:
            done.append(Response(0, {}, b""))
            change(path)
        return None

    service.before = before
    with pytest.raises(DidwwClientError, match=r"scan\.pdf") as caught:
        client.upload_file(path)
    assert type(caught.value) is DidwwClientError
    assert service.asked == ["GET"], "a form that is cut off is not handled"
    written(tmp_path, name="other.pdf")
    assert client.upload_file(tmp_path / "other.pdf").id, "the client can still be used"


class Shrinking(io.BytesIO):
    """Ends early once it has been read for a while, or breaks."""

    def __init__(self, failure: Exception | None = None) -> None:
        super().__init__(FILE)
        self.failure = failure

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() < len(FILE) // 2:
            return super().read(size)
        if self.failure is not None:
            raise self.failure
        return b""


@pytest.mark.parametrize(
    ("failure", "expected", "message"),
    [
        (None, DidwwClientError, "changed while it was being sent"),
        (OSError(5, "Input/output error"), DidwwClientError, r"^Cannot read the stream: Input/output error\.$"),
        (TimeoutError("of the disk"), DidwwClientError, "of the disk"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, "odd"), DidwwClientError, "odd"),
        (RuntimeError("of the caller"), RuntimeError, "of the caller"),
        (EOFError("cut off."), DidwwClientError, r"^Cannot read the stream: cut off\.$"),
        (EOFError(), DidwwClientError, r"^Cannot read the stream: EOFError\.$"),
        (zlib.error("Error -3"), DidwwClientError, "Cannot read the stream: Error -3"),
    ],
)
def test_stream_error_while_sending_propagates(
    failure: Exception | None, expected: type[Exception], message: str, client: Any, service: Service
) -> None:
    """It counts neither as the end of the file nor as a network error."""
    with pytest.raises(expected, match=message) as caught:
        client.upload_file(Shrinking(failure))
    assert type(caught.value) is expected
    assert service.asked == ["GET"]
    assert client.upload_file(FILE).id


# The form


TEXTS = [
    "plain",
    "Straße 5, 東京",
    'with "quotes" and \\ and \\" and ;',
    "two\r\nlines\n\nContent-Type: text/html",
    '\r\n--boundary\r\nContent-Disposition: form-data; name="encrypted_files[file]"\r\n\r\nforged',
    '"; name="encrypted_files[description]',
    "ends in a backslash\\",
    "".join(map(chr, range(1, 32))) + "\x7f\x85\u2028",
    "%22 %0A",
    "x" * 5000,
    "",
]


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_texts_cannot_inject_form_fields(text: str, client: Any, service: Service) -> None:
    """A description arrives unchanged, a file name with escapes; the form always has three fields."""
    uploaded = client.upload_file(FILE, description=text, filename=text)
    form = service.form()
    assert list(form) == [
        "encrypted_files[encryption_fingerprint]",
        "encrypted_files[description]",
        "encrypted_files[file]",
    ]
    assert form["encrypted_files[description]"] == (None, text.encode())
    escaped = "".join(f"%{ord(one):02X}" if one < " " or one in '"\\\x7f' else one for one in text)
    assert form["encrypted_files[file]"][0] == f"{escaped or 'document'}.enc"
    assert service.file() == FILE
    assert uploaded.description == text


def test_undecodable_file_name_is_uploaded(service: Service, tmp_path: Path) -> None:
    """Characters that are not UTF-8 become question marks in the name."""
    path = os.fsdecode(os.fsencode(str(tmp_path)) + b"/caf\xe9.pdf")
    Path(path).write_bytes(FILE)
    client = Emulator().client()
    client.upload_file(path)
    with pytest.raises(InvalidValueError, match="surrogate"):
        client.upload_file(path, description="\ud800")
    assert service.form()["encrypted_files[file]"][0] == "caf?.pdf.enc"


def test_empty_description_is_not_sent(client: Any, service: Service) -> None:
    assert client.upload_file(FILE).description is None
    assert "encrypted_files[description]" not in service.form()


def test_upload_request_format(client: Any, service: Service) -> None:
    """It is a form with Content-Length, the key, and the fingerprint as plain text."""
    client.upload_file(FILE)
    headers = {name.lower(): value for name, value in service.requests[-1].headers.items()}
    body = service.requests[-1].body
    assert headers["content-type"].startswith("multipart/form-data; boundary=")
    assert isinstance(body, bytes)
    assert int(headers["content-length"]) == len(body)
    assert "transfer-encoding" not in headers
    assert headers["api-key"]
    expected = Encrypt.calculate_fingerprint(_public_keys()).encode()
    assert service.form()["encrypted_files[encryption_fingerprint]"] == (None, expected)


# Containers made by hand


def container(data: bytes = FILE) -> bytes:
    return Encrypt.encrypt_with_keys(data, _public_keys())


FINGERPRINT = Encrypt.calculate_fingerprint(_public_keys())


def test_containers_are_uploaded_one_by_one(client: Any, service: Service) -> None:
    """The ids come in the order of the files, and each request has one file."""
    files = [
        {"data": container(b"first"), "description": "one", "filename": "one.pdf.enc"},
        {"data": bytearray(container(b"second"))},
        {"data": container(b"third"), "description": None, "filename": None},
    ]
    ids = client.upload_encrypted_files(fingerprint=f"{FINGERPRINT}\n", files=files)
    assert len(set(ids)) == 3
    assert [service.file(number) for number in range(3)] == [b"first", b"second", b"third"]
    assert service.form(0)["encrypted_files[file]"][0] == "one.pdf.enc"
    assert service.form(1)["encrypted_files[file]"][0] == "document.enc"
    assert service.form(0)["encrypted_files[encryption_fingerprint]"] == (None, FINGERPRINT.encode())
    last = client.upload_encrypted_file(fingerprint=FINGERPRINT, data=container(b"last"), description="x")
    assert last not in ids
    assert client.upload_encrypted_files(fingerprint=FINGERPRINT, files=(one for one in ())) == []
    assert service.asked == ["POST"] * 4


def test_partial_upload_error_lists_completed_files(client: Any, service: Service) -> None:
    """The error's `completed` holds the ids of the files before it; later files are not sent."""
    files = [{"data": container(b"first")}, {"data": container()[:-1]}, {"data": container(b"third")}]
    with pytest.raises(ValidationError, match="file") as caught:
        client.upload_encrypted_files(fingerprint=FINGERPRINT, files=files)
    assert len(caught.value.completed) == 1
    assert service.asked == ["POST"] * 2
    with pytest.raises(ValidationError, match="outdated") as first:
        client.upload_encrypted_file(fingerprint=FINGERPRINT[::-1], data=container())
    assert first.value.completed == ()
    assert DidwwError.completed == ()


GOOD = {"data": container()}
WRONG_FILES: dict[str, tuple[Any, str]] = {
    "no list": (5, "files"),
    "None": (None, "files"),
    "a dict": (GOOD, "files"),
    "a text": ("scan.pdf", "files"),
    "bytes": (container(), "files"),
    "no dict": ([GOOD, container()], "files[1]"),
    "no data": ([GOOD, {"description": "x"}], "files[1]"),
    "text": ([GOOD, {"data": "x"}], "files[1]"),
    "empty": ([GOOD, {"data": b""}], "files[1]"),
    "too large": ([GOOD, {"data": bytes(MAX_ENCRYPTED_SIZE + 1)}], "files[1]"),
    "misspelt": ([GOOD, {"data": container(), "desciption": "x"}], "files[1]"),
    "description": ([GOOD, {"data": container(), "description": 5}], "description"),
    "filename": ([GOOD, {"data": container(), "filename": b"x"}], "filename"),
}


@pytest.mark.parametrize("files", WRONG_FILES)
def test_invalid_containers_are_rejected(files: str, client: Any, service: Service) -> None:
    """All are checked before the first is sent."""
    given, field = WRONG_FILES[files]
    with pytest.raises(InvalidValueError) as caught:
        client.upload_encrypted_files(fingerprint=FINGERPRINT, files=given)
    assert caught.value.field == field
    assert service.requests == []


@pytest.mark.parametrize("fingerprint", ["", "  ", None, 5, b"x"])
def test_fingerprint_is_required(fingerprint: Any, client: Any, service: Service) -> None:
    with pytest.raises(InvalidValueError) as caught:
        client.upload_encrypted_file(fingerprint=fingerprint, data=container())
    assert caught.value.field == "fingerprint"
    assert service.requests == []


# Servers that are slow, or do not want it


CREATED = b'{"data":{"type":"encrypted_files","id":"one","attributes":{"description":null}}}'


def taking(
    post: Callable[[Server, socket.socket, int], None], keys_after: float = 0
) -> Callable[[Server, socket.socket], None]:
    """Gives out the keys, and leaves uploads to `post`, which is told how many bytes are still to come."""

    def serve(server: Server, connection: socket.socket) -> None:
        while True:
            head = b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(4096)
                if not received:
                    return
                head += received
            head, _, begun = head.partition(b"\r\n\r\n")
            server.requests.append(head)
            if head.startswith(b"GET"):
                server.stopped.wait(keys_after)
                connection.sendall(http(keys_document(_public_keys())))
            else:
                post(server, connection, int(header(head, "content-length") or 0) - len(begun))

    return serve


def swallow(server: Server, connection: socket.socket, left: int) -> None:
    while left:
        left -= len(connection.recv(min(left, 1 << 16)) or b"x" * left)


def accept(server: Server, connection: socket.socket, left: int) -> None:
    swallow(server, connection, left)
    connection.sendall(http(CREATED, status="201 Created"))


def stall(server: Server, connection: socket.socket, left: int) -> None:
    server.stopped.wait(60)
    raise ConnectionResetError


@pytest.mark.parametrize("source", ["path", "stream"])
@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(source: str, kind: str, tmp_path: Path) -> None:
    """20 MB are uploaded with less than 1 MB in memory, the server's buffers included."""
    path = sparse(tmp_path, MAX_ENCRYPTED_SIZE - (2 << 10))
    with Server(taking(accept)) as server, client_of(kind, f"{server.url}/v3") as client, path.open("rb") as stream:
        client.upload_file(FILE)  # imports
        tracemalloc.start()
        try:
            assert client.upload_file(path if source == "path" else stream).id == "one"
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 1 << 20
    assert int(header(server.requests[-1], "content-length") or 0) > MAX_ENCRYPTED_SIZE - (1 << 10)


def test_rejection_before_the_body_is_read_is_raised(kind: str, tmp_path: Path) -> None:
    """The response comes before the form was sent completely."""

    def post(server: Server, connection: socket.socket, left: int) -> None:
        connection.sendall(http(b"{}", status="401 Unauthorized"))
        swallow(server, connection, left)

    with Server(taking(post)) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(AuthenticationError):
            client.upload_file(sparse(tmp_path, 4 << 20))


def test_rejection_followed_by_a_closed_connection_is_raised(kind: str, tmp_path: Path) -> None:
    """The response counts although the rest of the form could not be sent."""

    def post(server: Server, connection: socket.socket, left: int) -> None:
        connection.sendall(http(b"{}", status="413 Too Large"))
        raise ConnectionResetError

    with Server(taking(post)) as server, client_of(kind, f"{server.url}/v3") as client:
        for _ in range(3):
            with pytest.raises(DidwwApiError) as caught:
                client.upload_file(sparse(tmp_path, 4 << 20))
            assert caught.value.status_code == 413


def test_closed_connection_during_an_upload_raises(kind: str, tmp_path: Path) -> None:
    """Part of the form was sent, and the outcome is unknown."""

    def post(server: Server, connection: socket.socket, left: int) -> None:
        raise ConnectionResetError

    with Server(taking(post)) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(ApiConnectionError) as caught:
            client.upload_file(sparse(tmp_path, 4 << 20))
    assert caught.value.request_sent
    assert KEY not in f"{caught.value!r}{caught.value}"


@contextlib.contextmanager
def within(longest: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < longest


@pytest.mark.slow
@patient
def test_timeout_covers_keys_and_upload(kind: str, tmp_path: Path) -> None:
    """Time spent on fetching the keys is missing for the upload."""
    with (
        Server(taking(stall, keys_after=seconds(0.5))) as server,
        client_of(kind, f"{server.url}/v3", timeout=seconds(0.8)) as client,
    ):
        with within(seconds(1.25)), pytest.raises(ApiTimeoutError) as caught:
            client.upload_file(sparse(tmp_path, 16 << 20))
        assert len(server.requests) == 2
    assert caught.value.request_sent


class Slow(io.BytesIO):
    pause = 0.1

    def read(self, size: int | None = -1) -> bytes:
        if size:
            time.sleep(seconds(self.pause))
        return super().read(min(size or 0, 1000))


class SlowPipe(Slow, Unseekable):
    pass


@pytest.mark.parametrize("make", [Slow, SlowPipe])
@patient
def test_timeout_covers_a_slow_stream(make: type[Slow], kind: str) -> None:
    """The timeout applies between any two chunks of the file, while measuring and while sending."""
    with Server(taking(accept)) as server, client_of(kind, f"{server.url}/v3", timeout=seconds(0.5)) as client:
        with within(seconds(1.2)), pytest.raises(ApiTimeoutError):
            client.upload_file(make(FILE[:20000]))


@pytest.mark.slow
@patient
def test_timeout_covers_all_containers(kind: str) -> None:
    """It is not per container; the error lists the files uploaded so far."""

    def post(server: Server, connection: socket.socket, left: int) -> None:
        server.stopped.wait(seconds(0.3))
        accept(server, connection, left)

    with Server(taking(post)) as server, client_of(kind, f"{server.url}/v3", timeout=seconds(0.8)) as client:
        with within(seconds(1.2)), pytest.raises(ApiTimeoutError) as caught:
            client.upload_encrypted_files(fingerprint=FINGERPRINT, files=[GOOD] * 9)
    assert caught.value.completed == ("one", "one")


def opened_files(path: Path) -> int:
    """How often this process has `path` open."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += one.readlink() == path
    return found


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks at Linux' list of open files")
@pytest.mark.parametrize("after", [0, 0.005, 0.1])
def test_canceled_upload_releases_everything(after: float, tmp_path: Path) -> None:
    """Cancellation takes effect immediately; the file is closed, and the client stays usable."""
    path = sparse(tmp_path, 16 << 20)
    posts = [stall, accept]

    async def main(base_url: str) -> None:
        async with AsyncDidwwClient(KEY, base_url=base_url) as client:
            task = asyncio.create_task(client.upload_file(path))
            while not opened_files(path):
                await asyncio.sleep(0)
            await asyncio.sleep(after)
            task.cancel()
            with within(30), pytest.raises(asyncio.CancelledError):
                await task
            with within(30):
                while opened_files(path):  # a thread may have been reading
                    await asyncio.sleep(0.01)
            assert (await client.upload_file(path)).id == "one"

    with Server(taking(lambda *args: posts.pop(0)(*args))) as server:
        asyncio.run(main(f"{server.url}/v3"))


def upload_of(content: bytes, name: str = "passport.pdf") -> Any:
    """A file as web frameworks hand it to a handler: its `read` is awaited."""
    from starlette.datastructures import UploadFile

    return UploadFile(io.BytesIO(content), filename=name)


@pytest.mark.parametrize("rotated", [False, True], ids=["at once", "after the keys were replaced"])
def test_web_framework_upload_is_accepted(service: Service, rotated: bool) -> None:
    """The asynchronous client awaits its bytes and uses its file name; the upload stays open."""
    if rotated:
        service.before = stale(1)
    upload = upload_of(FILE)

    async def main() -> None:
        async with Emulator().async_client() as client:
            assert (await client.upload_file(upload)).id

    asyncio.run(main())
    assert service.file() == FILE
    assert service.form()["encrypted_files[file]"][0] == "passport.pdf.enc"
    assert not upload.file.closed


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "got 0 bytes"), (b"x" * (MAX_ENCRYPTED_SIZE + 1), "at most 20 MB|1 byte to 20 MB")],
    ids=["empty", "large"],
)
def test_web_framework_upload_has_the_same_limits(content: bytes, words: str) -> None:
    """Nothing is sent, and no more is read than necessary."""

    async def main() -> None:
        async with AsyncDidwwClient(KEY, base_url="http://127.0.0.1:9/v3") as client:
            with pytest.raises(InvalidValueError, match=words):
                await client.upload_file(upload_of(content))

    asyncio.run(main())


@pytest.mark.parametrize(("piece", "error"), [("text", InvalidValueError), (OSError(5, "broken"), DidwwClientError)])
def test_unreadable_async_file_is_named(piece: Any, error: type[Exception]) -> None:
    """It is handled like any other stream."""

    class Broken:
        async def read(self, size: int = -1) -> Any:
            if isinstance(piece, Exception):
                raise piece
            return piece

    async def main() -> None:
        async with AsyncDidwwClient(KEY, base_url="http://127.0.0.1:9/v3") as client:
            with pytest.raises(error, match=r"must return bytes from read|Cannot read the stream: broken"):
                await client.upload_file(Broken())

    asyncio.run(main())


def test_synchronous_client_rejects_async_files() -> None:
    """It cannot await; the error suggests the plain file inside the framework's file."""
    with DidwwClient(KEY, base_url="http://127.0.0.1:9/v3") as client:
        with pytest.raises(InvalidValueError, match=r"asynchronous one\. Use AsyncDidwwClient.*the \.file"):
            client.upload_file(upload_of(FILE))


@patient
def test_reading_a_file_does_not_block_other_tasks() -> None:
    """Neither a blocking stream nor the encryption blocks the event loop."""

    async def main(base_url: str) -> None:
        async with AsyncDidwwClient(KEY, base_url=base_url) as client:
            stream = Slow(FILE[:1000])
            stream.pause = 0.4
            task = asyncio.create_task(client.upload_file(stream))
            longest, before = 0.0, time.monotonic()
            while not task.done():
                await asyncio.sleep(0.01)
                longest, before = max(longest, time.monotonic() - before), time.monotonic()
            assert (await task).id == "one"
            assert longest < seconds(0.3)

    with Server(taking(accept)) as server:
        asyncio.run(main(f"{server.url}/v3"))


def test_upload_can_be_interrupted(kind: str) -> None:
    """Ctrl-C while the file is read propagates, and the client stays usable."""

    class Interrupted(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 100_000:
                raise KeyboardInterrupt
            return super().read(size)

    if kind == "async":
        pytest.skip("an event loop has its own way with Ctrl-C")
    with Server(taking(accept)) as server, client_of(kind, f"{server.url}/v3") as client:
        with pytest.raises(KeyboardInterrupt):
            client.upload_file(Interrupted(FILE))
        assert client.upload_file(FILE).id == "one"


# The emulator's side


def posted(body: bytes, content_type: str) -> Any:
    engine = Engine()
    sent = {"Api-Key": "key", "Accept": "application/vnd.api+json", "Content-Type": content_type}
    response = engine.handle(Request("POST", "http://127.0.0.1/v3/encrypted_files", sent, body))
    document = json.loads(response.body)
    return response.status, document.get("errors", [{}])[0].get("detail")


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


PRINT = part("encrypted_files[encryption_fingerprint]", FINGERPRINT.encode())
DATA = part("encrypted_files[file]", container(), '; filename="a.enc"')
FORM = "multipart/form-data; boundary=b"


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (PRINT + DATA + b"--b--\r\n", FORM, (201, None)),
        (PRINT + DATA + b"--b--", FORM, (201, None)),
        (b"preamble\r\n" + DATA + PRINT + b"--b--\r\nepilogue", FORM, (201, None)),
        (PRINT + DATA + b"--b--\r\n", 'Multipart/Form-Data; charset=utf-8; boundary="b"', (201, None)),
        (PRINT + DATA + b"--b--\r\n", 'multipart/form-data; Boundary="b"; x=y', (201, None)),
        (PRINT + b"--b--\r\n", FORM, (422, "file - can't be blank")),
        (
            PRINT + DATA.replace(container(), b"")[:0] + part("encrypted_files[file]", b"") + b"--b--\r\n",
            FORM,
            (422, "file - can't be blank"),
        ),
        (PRINT + part("encrypted_files[file]", container()[:-1]) + b"--b--\r\n", FORM, (422, "file - is invalid")),
        (PRINT + part("encrypted_files[file]", b"x") + b"--b--\r\n", FORM, (422, "file - is invalid")),
        (DATA + b"--b--\r\n", FORM, (422, "outdated fingerprint")),
        (part("encrypted_files[items][][file]", container()) + b"--b--\r\n", FORM, (400, "invalid params")),
        (b"{}", "application/vnd.api+json", (400, "invalid params")),
        (b"", FORM, (400, "invalid params")),
        (b"--b--\r\n", FORM, (400, "invalid params")),
        (PRINT + DATA + b"--b--\r\n", "multipart/form-data", (400, "invalid params")),
        (PRINT + DATA + b"--b--\r\n", "multipart/form-data; boundary=other", (400, "invalid params")),
        (PRINT + DATA + b"--b--\r\n", "multipart/form-data; boundary=\u0416", (400, "invalid params")),
        (b"--b\r\nno head\r\n--b--\r\n", FORM, (400, "invalid params")),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else None,  # random bytes are no name
)
@pytest.mark.unchecked
def test_emulator_parses_other_forms(body: bytes, content_type: str, expected: tuple[int, str | None]) -> None:
    """It accepts any well-formed form, and rejects others like the service."""
    assert posted(body, content_type) == expected
