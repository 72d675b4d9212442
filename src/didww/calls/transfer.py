"""Downloads: a file streamed to disk, under its name only when it is whole."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from didww.calls.answer import error_for
from didww.calls.effects import Call, Close, FileClose, FileOpen, FileWrite, Now, Open, Read
from didww.calls.request import build_download
from didww.exceptions import InvalidValue, UnexpectedResponse
from didww.resources.base import Resource, data_hint
from didww.urls import origin_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww.configuration import Configuration
    from didww.resources.export import Export

__all__ = ["checked_most", "download", "export_url"]

MOST_ERROR_BYTES = 1 << 20
_PIECE = 1 << 20
_GZIP = 15 + 16  # the largest window; gzip only


def checked_most(max_bytes: int) -> int:
    """The most bytes to unpack.

    Raises:
        InvalidValue: It is no whole number from 1.
    """
    if isinstance(max_bytes, bool) or not isinstance(max_bytes, int) or max_bytes < 1:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValue("max_bytes is a whole number from 1.", field="max_bytes")
    return max_bytes


def export_url(export: str | Export) -> str:
    """The address of an export's file.

    Raises:
        InvalidValue: The export has no file yet, or the text is no address.
    """
    if isinstance(export, Resource):
        if not export.url:
            raise InvalidValue(
                f"Export {export.id} has no file yet (status {export.status}). "
                f"Wait for it: exports().wait({export.id!r}).",
                field="url",
            )
        return export.url
    if hint := data_hint(export):
        raise InvalidValue(f"download_export takes an Export, or its url, not ApiResponse.{hint}", field="url")
    if not isinstance(export, str) or not export:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValue(
            "download_export takes an Export, or the url of a completed one; this one has none yet. "
            "Wait for it: exports().wait(id).",
            field="url",
        )
    if origin_of(export) is None:
        # Not shown: its query may be a signature that opens the file to everybody.
        raise InvalidValue(
            "download_export takes an http or https address as the export's url holds it; this is none.", field="url"
        )
    return export


class _Unpacker:
    """Undoes gzip, piece by piece, and says whether the file came to its end.

    Several members one after the other are one file, as gzip has it; the check sum of each is verified by zlib.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._inner = zlib.decompressobj(_GZIP)
        self.whole = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The unpacked bytes of the next packed ones."""
        damaged = False
        try:
            while data:
                if self._inner.eof:
                    if not data.strip(b"\0"):  # padding
                        return
                    self._inner = zlib.decompressobj(_GZIP)
                    self.whole = False
                piece = self._inner.decompress(data, _PIECE)
                data = self._inner.unused_data if self._inner.eof else self._inner.unconsumed_tail
                self.whole = self._inner.eof
                self._size += len(piece)
                if self._size > self._most:
                    raise UnexpectedResponse(
                        f"The file unpacks to more than {self._most} bytes; nothing was kept. Allow more: max_bytes=."
                    )
                if piece:
                    yield piece
        except zlib.error:
            damaged = True
        if damaged:
            raise UnexpectedResponse("The file is not gzip, or is damaged; nothing was kept. Try download_export.")


def download(configuration: Configuration, url: str, path: str, unpacked_most: int | None = None) -> Call[int]:
    """Stream `url` to the file `path`, unpacked if `unpacked_most` says how many bytes that may be.

    Answers the number of bytes that came.

    The bytes go to a file with a temporary name beside it first, which gets its name when all have come; nothing
    half-done is left behind. The key goes along only to the configured origin.
    """
    request = build_download(configuration, url)
    deadline = (yield Now()) + configuration.timeout
    opened = yield Open(request, deadline)
    try:
        if opened.status != 200:
            body = b""
            while len(body) < MOST_ERROR_BYTES and (chunk := (yield Read(opened))):
                body += chunk
            if opened.status >= 400:
                raise error_for(request, opened.status, opened.headers, body)
            away = "" if origin_of(url) == configuration.origin else " (another host than base_url: no key was sent)"
            raise UnexpectedResponse(
                f"GET {path_of(url)} was answered with HTTP {opened.status} instead of the file{away}.",
                status_code=opened.status,
            )
        file = yield FileOpen(path)
        whole = False
        try:
            size = 0
            unpacker = None if unpacked_most is None else _Unpacker(unpacked_most)
            while chunk := (yield Read(opened)):
                size += len(chunk)
                for piece in (chunk,) if unpacker is None else unpacker.feed(chunk):
                    yield FileWrite(file, piece)
            expected = opened.headers.get("content-length", "")
            if expected.isdecimal() and int(expected) != size:
                raise UnexpectedResponse(f"The file was cut off after {size} of {expected} bytes; download it again.")
            if unpacker is not None and not unpacker.whole:
                raise UnexpectedResponse(f"The file was cut off after {size} packed bytes; download it again.")
            whole = True
        finally:
            yield FileClose(file, path if whole else None)
        return size
    finally:
        yield Close(opened)
