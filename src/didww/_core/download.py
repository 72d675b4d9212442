"""Downloads: a file streamed to disk, gone on with after a cut, checked, and under its name only when it is whole.

A cut-off download goes on where it was if the service gave the file a strong `ETag`: the rest is asked for with `Range`
and `If-Range`, so that two versions of a file are never put together. Otherwise it begins anew.
"""

from __future__ import annotations

import os
import re
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from didww._core.attempts import Attempt, Failure, acquire_permit, slow_down, with_retries
from didww._core.decompress import Decompressor
from didww._core.effects import (
    Call,
    Close,
    FileClose,
    FileOpen,
    FileRestart,
    FileWrite,
    Notify,
    Open,
    Opened,
    Read,
    Request,
    Response,
    callback,
    clock,
)
from didww._core.events import RequestFailed, RequestStarted, ResponseReceived
from didww._core.request import build_download
from didww._core.response import error_for, retry_after_of
from didww._core.retry import BROKEN, kind_of
from didww._core.trace import CallTrace, with_trace
from didww._schema.resource import Resource, data_hint
from didww._util.coerce import whole_number
from didww._util.text import shown
from didww._util.urls import origin_of, path_of
from didww.exceptions import ApiConnectionError, DidwwError, InvalidValueError, UnexpectedResponseError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from didww.configuration import Configuration
    from didww.resources.export import Export

__all__ = ["Progress", "check_max_bytes", "download", "export_url", "target_path"]

MAX_ERROR_BYTES: Final = 1 << 20
MAX_CHECKED: Final = 100 << 30
"""Unpacked bytes up to which the end of a packed file is checked; nobody has that many call records."""
_GZIP_HEAD: Final = b"\x1f\x8b"
_BEFORE_TEXT: Final = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Byte order marks and spaces; in UTF-16 a zero byte stands before or after each letter."""
_PAGE_STARTS: Final = (b"<", b"{", b"[")
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
"""What proxies and portals send in place of the file."""
_TEXTS: Final = re.compile(r"(text|application)/(plain|json|xml)")
"""Media types of what is no file either, unless its bytes are packed."""
_AWAY: Final = " (another host than base_url: no key was sent)"
_STRONG: Final = re.compile(r'"[!#-~]{1,1000}"')  # in ASCII, so that it can be sent back
_RANGE: Final = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)


class Progress(NamedTuple):
    """How far a transfer has come.

    Attributes:
        done: Bytes so far; it may go back, when a transfer has to begin anew.
        total: Bytes in all; None if the service does not say.
    """

    done: int
    total: int | None


def check_max_bytes(max_bytes: int) -> int:
    """The most bytes to unpack.

    Raises:
        InvalidValueError: It is no whole number from 1.
    """
    whole = whole_number(max_bytes)
    if whole is None or whole < 1:
        raise InvalidValueError(
            f"max_bytes must be a whole number from 1, got {shown(max_bytes)}. Leave it out for the default.",
            field="max_bytes",
        )
    return whole


def target_path(path: str | bytes | os.PathLike[str]) -> str:
    """The path of a file to write, as text.

    Raises:
        InvalidValueError: It is no path.
    """
    try:
        return os.fsdecode(path)
    except TypeError:
        raise InvalidValueError(
            f"file_path must be a path (str, bytes or os.PathLike), got {type(path).__name__}. Name the file to write.",
            field="file_path",
        ) from None


def export_url(export: str | Export) -> str:
    """The address of an export's file.

    Raises:
        InvalidValueError: The export has no file yet, or the text is no address.
    """
    if isinstance(export, Resource):
        if not export.url:
            raise InvalidValueError(
                f"Export {export.id} has no file yet (status {export.status}). "
                f"Wait for it: exports().wait({export.id!r}).",
                field="url",
            )
        return export.url
    if hint := data_hint(export):
        raise InvalidValueError(f"download_export takes an Export, or its url, not ApiResponse.{hint}", field="url")
    if not isinstance(export, str) or not export:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(
            "download_export takes an Export, or the url of a completed one; this one has none yet. "
            "Wait for it: exports().wait(id).",
            field="url",
        )
    if origin_of(export) is None:
        # Not shown: its query may be a signature that opens the file to everybody.
        raise InvalidValueError(
            "download_export takes an http or https address as the export's url holds it; this is none.", field="url"
        )
    return export


class _Cut(Exception):  # noqa: N818 nobody sees it
    """The file did not come to its end; the error that says so is raised when it is not tried again."""

    def __init__(self, error: DidwwError, kind: str | int, retry_after: float | None = None) -> None:
        self.error = error
        self.kind = kind
        self.retry_after = retry_after
        super().__init__()


class _Download:
    """A file as far as it has come, and what is done to get the rest."""

    def __init__(
        self,
        configuration: Configuration,
        url: str,
        path: str,
        most: int | None,
        progress: Callable[[Progress], object] | None,
    ) -> None:
        self._configuration = configuration
        self._url = url
        self._path = path
        self._most = most
        self._progress = progress
        self._file: IO[bytes] | None = None
        self._farthest = 0
        self._forget()

    def _forget(self) -> None:
        self._size = 0
        self._total: int | None = None
        self._etag = ""
        self._called = ""
        self._unpacked = 0
        self._unpacker = Decompressor() if self._most is not None else None

    def run(self) -> Call[int]:
        """Run all attempts; return the number of bytes received."""
        trace = CallTrace(build_download(self._configuration, self._url))
        return with_trace(self._configuration, trace, self._run)

    def _run(self, trace: CallTrace) -> Call[int]:
        whole = False
        try:
            size = yield from with_retries(
                self._configuration, trace, lambda attempt: self._attempt(attempt, trace), creating=False
            )
            whole = True
            return size
        finally:
            if self._file is not None:
                yield FileClose(self._file, self._path if whole else None)

    def _attempt(self, attempt: Attempt, trace: CallTrace) -> Call[int | Failure[int]]:
        """One request for what is missing."""
        request = self._request()
        try:
            yield from self._receive(request, attempt, trace)
            self._check_whole()
        except _Cut as cut:
            # A large file comes to its end over a bad line, too: an attempt that brought something new does not count.
            progress = self._size > self._farthest
            self._farthest = max(self._farthest, self._size)
            return Failure(
                request=request, kind=cut.kind, error=cut.error, retry_after=cut.retry_after, progress=progress
            )
        return self._size

    def _request(self) -> Request:
        request = build_download(self._configuration, self._url)
        if self._size and self._etag:
            request.headers["Range"] = f"bytes={self._size}-"
            request.headers["If-Range"] = self._etag
        return request

    def _receive(self, request: Request, attempt: Attempt, trace: CallTrace) -> Call[None]:
        """Send one request and store what it brings.

        Raises:
            _Cut: Not all came, and the rest can be requested.
        """
        configuration = self._configuration
        if origin_of(self._url) == configuration.origin:
            yield from acquire_permit(configuration, request, attempt)
        sent_at = yield from clock()
        yield Notify(RequestStarted(request, attempt.number), configuration.observers)
        opened: Opened | None = None
        try:
            opened = cast("Opened", (yield Open(request, attempt.deadline)))
            now = yield from clock()
            trace.respond(opened.status, opened.headers)
            configuration.server_clock.hear(opened.headers)
            head = Response(opened.status, opened.headers, b"")
            yield Notify(ResponseReceived(request, attempt.number, head, now - sent_at), configuration.observers)
            if (yield from self._begin(request, opened)):
                while chunk := (yield Read(opened)):
                    yield from self._take(chunk)
        except ApiConnectionError as error:
            now = yield from clock()
            yield Notify(RequestFailed(request, attempt.number, error, now - sent_at), configuration.observers)
            raise _Cut(error, kind_of(error)) from None
        finally:
            if opened is not None:
                yield Close(opened)

    def _begin(self, request: Request, opened: Opened) -> Call[bool]:
        """Judge the head of a response: whether bytes of the file follow, at the place where they are wanted."""
        if opened.status == 200:
            media_type = opened.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type in _PAGES:
                raise self._is_a_page(media_type)
            yield from self._restart()
            self._called = media_type
            length = opened.headers.get("content-length", "")
            self._total = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else None
            etag = opened.headers.get("etag", "")
            self._etag = etag if _STRONG.fullmatch(etag) else ""
            return True
        if "Range" in request.headers and opened.status in (206, 416):
            found = _RANGE.fullmatch(opened.headers.get("content-range", "").strip())
            begins, total = (found[1], found[3]) if found is not None else (None, "*")
            if opened.status == 416 and total == str(self._size) and self._total in (None, self._size):
                self._total = self._size
                return False  # all had come before the cut
            same = opened.headers.get("etag", self._etag) == self._etag
            known = total == "*" or self._total is None or total == str(self._total)
            if opened.status == 206 and begins == str(self._size) and same and known:
                return True
            yield from self._restart()
            text = f"GET {path_of(self._url)} returned another part of the file than was asked for."
            raise _Cut(UnexpectedResponseError(text, status_code=opened.status), BROKEN)
        body = b""
        while len(body) < MAX_ERROR_BYTES and (chunk := (yield Read(opened))):
            body += chunk
        if opened.status >= 400:
            error = error_for(request, opened.status, opened.headers, body)
            asked = retry_after_of(opened.headers)
            if opened.status == 429:
                yield from slow_down(self._configuration, asked)
            raise _Cut(error, opened.status, asked)
        away = "" if origin_of(self._url) == self._configuration.origin else _AWAY
        raise UnexpectedResponseError(
            f"GET {path_of(self._url)} returned HTTP {opened.status} instead of the file{away}.",
            status_code=opened.status,
        )

    def _is_a_page(self, what: str) -> UnexpectedResponseError:
        return UnexpectedResponseError(
            f"GET {path_of(self._url)} returned a page ({what}) instead of the file; nothing was kept. "
            "Check proxies on the way.",
            status_code=200,
        )

    def _restart(self) -> Call[None]:
        """Begin anew: nothing of what came is kept."""
        if self._file is None:
            self._file = yield FileOpen(self._path)
        elif self._size:
            yield FileRestart(self._file)
        self._forget()

    def _take(self, chunk: bytes) -> Call[None]:
        """Take in the next bytes.

        Raises:
            UnexpectedResponseError: They are a page, cannot be unpacked, or are too many.
        """
        assert self._file is not None  # noqa: S101 `_begin` has opened it
        if not self._size and chunk.lstrip(_BEFORE_TEXT).startswith(_PAGE_STARTS):
            raise self._is_a_page("HTML, XML or JSON")
        if not self._size and _TEXTS.fullmatch(self._called) and not _GZIP_HEAD.startswith(chunk[:2]):
            raise self._is_a_page(self._called)
        if not self._size and self._most is None and chunk.startswith(_GZIP_HEAD):
            self._unpacker = Decompressor()  # to check the end of the file by
        self._size += len(chunk)
        if self._most is None:
            yield FileWrite(self._file, chunk)
        damaged = False
        try:
            for piece in self._unpacker.feed(chunk) if self._unpacker is not None else ():
                self._unpacked += len(piece)
                if self._most is not None:
                    if self._unpacked > self._most:
                        raise UnexpectedResponseError(
                            f"The file unpacks to more than {self._most} bytes; nothing was kept. Raise `max_bytes=`."
                        )
                    yield FileWrite(self._file, piece)
                elif self._unpacked > MAX_CHECKED:
                    self._unpacker = None
                    break
        except zlib.error:
            damaged = True
        if damaged:
            what = "is damaged" if self._most is None else "is not gzip, or is damaged"
            hint = "Download it again." if self._most is None else "Try download_export."
            raise UnexpectedResponseError(f"The file {what}; nothing was kept. {hint}")
        if self._progress is not None:
            yield callback(self._progress, Progress(self._size, self._total))

    def _check_whole(self) -> None:
        """Nothing, if all has come.

        Raises:
            _Cut: Something is missing, and may be had.
            UnexpectedResponseError: Something is missing of the file itself.
        """
        if self._total is not None and self._total != self._size:
            text = f"The file was cut off after {self._size} of {self._total} bytes; download it again."
            raise _Cut(UnexpectedResponseError(text), BROKEN)
        if not self._size or (self._unpacker is not None and not self._unpacker.whole):
            what = f"was cut off after {self._size} packed bytes" if self._size else "is empty"
            error = UnexpectedResponseError(f"The file {what}; nothing was kept. Download it again.")
            if self._total is None:
                raise _Cut(error, BROKEN)
            raise error


def download(
    configuration: Configuration,
    url: str,
    path: str,
    unpacked_most: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Call[int]:
    """Stream `url` to the file `path`, unpacked if `unpacked_most` says how many bytes that may be.

    Return the number of bytes received.

    The bytes go to a file with a temporary name beside it first, which gets its name when all have come; nothing
    half-done is left behind. The key goes along only to the configured origin.
    """
    if progress is not None and not callable(progress):
        raise InvalidValueError("progress is a function of a Progress: bytes done, and in total.", field="progress")
    configuration.check_secure(url, "url")
    return _Download(configuration, url, path, unpacked_most, progress).run()
