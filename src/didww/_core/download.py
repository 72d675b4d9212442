"""Download files to disk, resuming after connection errors, and rename them only when they are complete.

An interrupted download resumes with `Range` and `If-Range` if the file has a strong `ETag`, so that two versions of a
file are never mixed. Otherwise it starts over.
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
from didww._core.response import error_for
from didww._core.retry import BROKEN, kind_of, retry_after_of
from didww._core.trace import CallTrace, with_trace
from didww._schema.resource import Resource, data_hint
from didww._util.coerce import whole_number
from didww._util.text import shown
from didww._util.urls import origin_of, path_of
from didww.exceptions import ApiConnectionError, DidwwError, InvalidValueError, UnexpectedResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from didww._core.tokens import Signer
    from didww.configuration import Configuration
    from didww.resources.export import Export
    from didww.services import Service

__all__ = [
    "Downloaded",
    "Progress",
    "RemoteFile",
    "check_max_bytes",
    "download",
    "export_file",
    "target_path",
]

MAX_ERROR_BYTES: Final = 1 << 20
MAX_CHECKED: Final = 100 << 30
"""Maximum decompressed size up to which the end of a gzip file is verified."""
_GZIP_HEAD: Final = b"\x1f\x8b"
_BEFORE_TEXT: Final = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Byte order marks, white space, and the zero bytes of UTF-16."""
_PAGE_STARTS: Final = (b"<", b"{", b"[")
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
"""Media types that proxies and portals send instead of the file."""
_TEXTS: Final = re.compile(r"(text|application)/(plain|json|xml)")
"""Media types that are not an export either, unless the content is gzip."""
_AWAY: Final = " (not the host of base_url: no credentials were sent)"
_EXPORT_AS_IS: Final = "Try download_export."
_STRONG: Final = re.compile(r'"[!#-~]{1,1000}"')  # ASCII only, as it is sent back in a header
_RANGE: Final = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18}|\*)", re.ASCII | re.IGNORECASE)


class Progress(NamedTuple):
    """The progress of a transfer.

    Attributes:
        done: Bytes transferred so far; decreases when a transfer starts over.
        total: Size in bytes; None if unknown.
    """

    done: int
    total: int | None


class RemoteFile(NamedTuple):
    """A file to download.

    Attributes:
        url: Its URL.
        as_is: What to write in an error to get the file without decompressing it.
        service: The service that has it.
        compressed: Whether it must be a gzip file, even if it is stored as it is.
        modified_since: An HTTP date: download the file only if it was changed later. Empty to download it always.
    """

    url: str
    as_is: str
    service: Service = "api"
    compressed: bool = False
    modified_since: str = ""


class Downloaded(NamedTuple):
    """The result of a download.

    Attributes:
        status: HTTP status: 200, or 304 if the file has not changed, so that nothing was written.
        headers: The headers of the response.
        size: The number of bytes received.
    """

    status: int
    headers: Mapping[str, str]
    size: int


def check_max_bytes(max_bytes: int) -> int:
    """Return `max_bytes` as an int.

    Raises:
        InvalidValueError: It is not a whole number above 0.
    """
    whole = whole_number(max_bytes)
    if whole is None or whole < 1:
        raise InvalidValueError(
            f"max_bytes must be a whole number above 0, got {shown(max_bytes)}. Omit it for the default.",
            field="max_bytes",
        )
    return whole


def target_path(path: str | bytes | os.PathLike[str]) -> str:
    """Return the path of a file to write as text.

    Raises:
        InvalidValueError: `path` is not a path.
    """
    try:
        return os.fsdecode(path)
    except TypeError:
        raise InvalidValueError(
            f"file_path must be a path (str, bytes or os.PathLike), got {type(path).__name__}. Name the file to write.",
            field="file_path",
        ) from None


def export_file(export: str | Export) -> RemoteFile:
    """Return the file of an export.

    Raises:
        InvalidValueError: The export has no file yet, or the text is not a URL.
    """
    if isinstance(export, Resource):
        if not export.url:
            raise InvalidValueError(
                f"Export {export.id} has no file yet (status {export.status}). "
                f"Wait for it: exports().wait({export.id!r}).",
                field="url",
            )
        return RemoteFile(export.url, _EXPORT_AS_IS)
    if hint := data_hint(export):
        raise InvalidValueError(f"export must be an Export or its url, got ApiResponse.{hint}", field="url")
    if not isinstance(export, str) or not export:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValueError(
            f"export must be an Export or the url of a completed one, got {shown(export)}. "
            "Wait until the file is ready: exports().wait(id).",
            field="url",
        )
    if origin_of(export) is None:
        # The value is not shown: its query may be a signature that gives access to the file.
        raise InvalidValueError(
            "export must be an Export or an http or https URL, got other text. Pass the export's `url`.", field="url"
        )
    return RemoteFile(export, _EXPORT_AS_IS)


class _IncompleteFileError(Exception):
    """An incomplete file; `error` is raised if there is no retry."""

    def __init__(self, error: DidwwError, kind: str | int, retry_after: float | None = None) -> None:
        self.error = error
        self.kind = kind
        self.retry_after = retry_after
        super().__init__()


class _Download:
    """The state of one download."""

    def __init__(
        self,
        configuration: Configuration,
        source: RemoteFile,
        path: str,
        max_bytes: int | None,
        progress: Callable[[Progress], object] | None,
    ) -> None:
        self._configuration = configuration
        self._source = source
        self._url = source.url
        self._signer: Signer | None = None
        self._path = path
        self._max_bytes = max_bytes
        self._progress = progress
        self._file: IO[bytes] | None = None
        self._farthest = 0
        self._status = 0
        self._headers: Mapping[str, str] = {}
        self._reset()

    def _reset(self) -> None:
        self._size = 0
        self._total: int | None = None
        self._etag = ""
        self._media_type = ""
        self._unpacked = 0
        self._unpacker = Decompressor() if self._max_bytes is not None or self._source.compressed else None

    def run(self) -> Call[Downloaded]:
        """Run all attempts and return the result."""
        request = self._request()
        if request.audience:
            # Imported only by programs that use tokens.
            from didww._core.tokens import Signer

            self._signer = Signer()
        trace = CallTrace(request)
        return with_trace(self._configuration, trace, self._run)

    def _run(self, trace: CallTrace) -> Call[Downloaded]:
        whole = False
        try:
            downloaded = yield from with_retries(
                self._configuration, trace, lambda attempt: self._attempt(attempt, trace), creating=False
            )
            whole = downloaded.status != 304
            return downloaded
        finally:
            if self._file is not None:
                yield FileClose(self._file, self._path if whole else None)

    def _attempt(self, attempt: Attempt, trace: CallTrace) -> Call[Downloaded | Failure[Downloaded]]:
        """Request the missing bytes once."""
        request = self._request()
        try:
            yield from self._receive(request, attempt, trace)
            if self._status != 304:
                self._check_whole()
        except _IncompleteFileError as cut:
            # Attempts that make progress do not count, so that a large file completes over an unstable connection.
            progress = self._size > self._farthest
            self._farthest = max(self._farthest, self._size)
            if progress and self._signer is not None:
                self._signer.allow_another()
            return Failure(
                request=request, kind=cut.kind, error=cut.error, retry_after=cut.retry_after, progress=progress
            )
        return Downloaded(self._status, self._headers, self._size)

    def _request(self) -> Request:
        request = build_download(self._configuration, self._url, self._source.service)
        if self._source.modified_since:
            request.headers["If-Modified-Since"] = self._source.modified_since
        if self._size and self._etag:
            request.headers["Range"] = f"bytes={self._size}-"
            request.headers["If-Range"] = self._etag
        return request

    def _receive(self, request: Request, attempt: Attempt, trace: CallTrace) -> Call[None]:
        """Send one request, with a token if it needs one, and write the bytes received.

        Raises:
            _IncompleteFileError: The body is incomplete, and the rest can be requested.
        """
        signer = self._signer
        if signer is None:
            yield from self._transfer(request, attempt, trace)
            return
        token = yield from signer.token(self._configuration, request, attempt)
        if not (yield from self._transfer(signer.signed(request, token), attempt, trace)):
            token = yield from signer.token(self._configuration, request, attempt, token)
            yield from self._transfer(signer.signed(request, token), attempt, trace)
        token.accepted = True

    def _transfer(self, request: Request, attempt: Attempt, trace: CallTrace) -> Call[bool]:
        """Send one request and write the bytes received. Return False to repeat it with another token.

        Raises:
            _IncompleteFileError: The body is incomplete, and the rest can be requested.
        """
        configuration = self._configuration
        if self._at_service:
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
            if self._signer is not None and self._signer.replaces(configuration, opened.status):
                return False
            if (yield from self._begin(request, opened)):
                while chunk := (yield Read(opened)):
                    yield from self._take(chunk)
        except ApiConnectionError as error:
            now = yield from clock()
            yield Notify(RequestFailed(request, attempt.number, error, now - sent_at), configuration.observers)
            raise _IncompleteFileError(error, kind_of(error)) from None
        finally:
            if opened is not None:
                yield Close(opened)
        return True

    @property
    def _at_service(self) -> bool:
        return origin_of(self._url) == self._configuration.origins[self._source.service]

    def _begin(self, request: Request, opened: Opened) -> Call[bool]:
        """Check the status and headers of a response; return whether the wanted bytes follow."""
        if opened.status == 200:
            media_type = opened.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type in _PAGES:
                raise self._is_a_page(media_type)
            yield from self._restart()
            self._status, self._headers = opened.status, opened.headers
            self._media_type = media_type
            length = opened.headers.get("content-length", "")
            self._total = int(length) if length.isascii() and length.isdecimal() and len(length) < 19 else None
            etag = opened.headers.get("etag", "")
            self._etag = etag if _STRONG.fullmatch(etag) else ""
            return True
        if opened.status == 304 and self._source.modified_since:
            self._status, self._headers = opened.status, opened.headers
            return False
        if "Range" in request.headers and opened.status in (206, 416):
            content_range = _RANGE.fullmatch(opened.headers.get("content-range", "").strip())
            start, total = (content_range[1], content_range[3]) if content_range is not None else (None, "*")
            if opened.status == 416 and total == str(self._size) and self._total in (None, self._size):
                self._total = self._size
                return False  # the file was already complete
            same = opened.headers.get("etag", self._etag) == self._etag
            known = total == "*" or self._total is None or total == str(self._total)
            if opened.status == 206 and start == str(self._size) and same and known:
                return True
            yield from self._restart()
            text = f"GET {path_of(self._url)} returned a different range than requested."
            raise _IncompleteFileError(UnexpectedResponseError(text, status_code=opened.status), BROKEN)
        body = b""
        while len(body) < MAX_ERROR_BYTES and (chunk := (yield Read(opened))):
            body += chunk
        if opened.status >= 400:
            error = error_for(request, opened.status, opened.headers, body)
            retry_after = retry_after_of(opened.headers)
            if opened.status == 429:
                yield from slow_down(self._configuration, retry_after)
            raise _IncompleteFileError(error, opened.status, retry_after)
        away = "" if self._at_service else _AWAY
        raise UnexpectedResponseError(
            f"GET {path_of(self._url)} returned HTTP {opened.status} instead of the file{away}.",
            status_code=opened.status,
        )

    def _is_a_page(self, what: str) -> UnexpectedResponseError:
        return UnexpectedResponseError(
            f"GET {path_of(self._url)} returned a page ({what}) instead of the file; nothing was saved. "
            "Check for a proxy between this machine and DIDWW.",
            status_code=200,
        )

    def _restart(self) -> Call[None]:
        """Start over and discard the bytes received so far."""
        if self._file is None:
            self._file = yield FileOpen(self._path)
        elif self._size:
            yield FileRestart(self._file)
        self._reset()

    def _take(self, chunk: bytes) -> Call[None]:
        """Check and write the next bytes.

        Raises:
            UnexpectedResponseError: The content is a page, cannot be decompressed, or is too large.
        """
        assert self._file is not None  # noqa: S101 `_begin` has opened it
        if not self._size and chunk.lstrip(_BEFORE_TEXT).startswith(_PAGE_STARTS):
            raise self._is_a_page("HTML, XML or JSON")
        if not self._size and _TEXTS.fullmatch(self._media_type) and not _GZIP_HEAD.startswith(chunk[:2]):
            raise self._is_a_page(self._media_type)
        if not self._size and self._unpacker is None and chunk.startswith(_GZIP_HEAD):
            self._unpacker = Decompressor()  # to verify that the file is complete
        self._size += len(chunk)
        if self._max_bytes is None:
            yield FileWrite(self._file, chunk)
        damaged = False
        try:
            for piece in self._unpacker.feed(chunk) if self._unpacker is not None else ():
                self._unpacked += len(piece)
                if self._max_bytes is not None:
                    if self._unpacked > self._max_bytes:
                        raise UnexpectedResponseError(
                            f"The file decompresses to more than {self._max_bytes} bytes; nothing was saved. "
                            "Raise `max_bytes=`."
                        )
                    yield FileWrite(self._file, piece)
                elif self._unpacked > MAX_CHECKED:
                    self._unpacker = None
                    break
        except zlib.error:
            damaged = True
        if damaged:
            gzip_needed = self._max_bytes is not None or self._source.compressed
            what = "is damaged or not gzip" if gzip_needed else "is damaged"
            hint = "Download it again." if self._max_bytes is None else self._source.as_is
            raise UnexpectedResponseError(f"The file {what}; nothing was saved. {hint}")
        if self._progress is not None:
            yield callback(self._progress, Progress(self._size, self._total))

    def _check_whole(self) -> None:
        """Check that the file is complete.

        Raises:
            _IncompleteFileError: Bytes are missing, and another attempt may get them.
            UnexpectedResponseError: The file at the service is itself truncated.
        """
        if self._total is not None and self._total != self._size:
            text = f"The file was truncated after {self._size} of {self._total} bytes. Download it again."
            raise _IncompleteFileError(UnexpectedResponseError(text), BROKEN)
        if not self._size or (self._unpacker is not None and not self._unpacker.whole):
            what = f"was truncated after {self._size} compressed bytes" if self._size else "is empty"
            error = UnexpectedResponseError(f"The file {what}; nothing was saved. Download it again.")
            if self._total is None:
                raise _IncompleteFileError(error, BROKEN)
            raise error


def download(
    configuration: Configuration,
    source: RemoteFile,
    path: str,
    max_bytes: int | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Call[Downloaded]:
    """Stream a remote file to the file `path` and return the result.

    Decompresses the file if `max_bytes` is set, up to that size. Writes to a temporary file in the same directory and
    renames it when it is complete, so no partial file remains. Sends credentials only to the origin of its service.
    """
    if progress is not None and not callable(progress):
        raise InvalidValueError(
            f"progress must be a function that takes a Progress, got {type(progress).__name__}.", field="progress"
        )
    configuration.check_secure(source.url, "url")
    return _Download(configuration, source, path, max_bytes, progress).run()
