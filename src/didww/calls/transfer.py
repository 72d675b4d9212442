"""Downloads: a file streamed to disk, under its name only when it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from didww.calls.answer import error_for, path_of
from didww.calls.effects import Call, Close, FileClose, FileOpen, FileWrite, Now, Open, Read
from didww.calls.request import build_download
from didww.configuration import origin_of
from didww.exceptions import InvalidValue, UnexpectedResponse
from didww.resources.base import Resource

if TYPE_CHECKING:
    from didww.configuration import Configuration
    from didww.resources.export import Export

__all__ = ["download", "export_url"]

MOST_ERROR_BYTES = 1 << 20


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
    if not isinstance(export, str) or not export:  # pyright: ignore[reportUnnecessaryIsInstance] untyped callers
        raise InvalidValue(
            "download_export takes an Export, or the url of a completed one; this one has none yet. "
            "Wait for it: exports().wait(id).",
            field="url",
        )
    if not export.startswith(("https://", "http://")):
        raise InvalidValue(f"download_export takes the whole address that the export's url holds, not {export!r}.")
    return export


def download(configuration: Configuration, url: str, path: str) -> Call[int]:
    """Stream `url` to the file `path`; answers the number of bytes.

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
                f"GET {path_of(request)} was answered with HTTP {opened.status} instead of the file{away}.",
                status_code=opened.status,
            )
        file = yield FileOpen(path)
        whole = False
        try:
            size = 0
            while chunk := (yield Read(opened)):
                yield FileWrite(file, chunk)
                size += len(chunk)
            expected = opened.headers.get("content-length", "")
            if expected.isdecimal() and int(expected) != size:
                raise UnexpectedResponse(f"The file was cut off after {size} of {expected} bytes; download it again.")
            whole = True
        finally:
            yield FileClose(file, path if whole else None)
        return size
    finally:
        yield Close(opened)
