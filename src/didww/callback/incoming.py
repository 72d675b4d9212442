"""Normalize incoming requests: headers in any form, size limits, decompression and JSON parsing. No I/O."""

from __future__ import annotations

import gzip
import io
import logging
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

import msgspec

from didww._util.text import Sparing
from didww.exceptions import CallbackRejectedError, InvalidValueError

__all__ = [
    "Headers",
    "Rejections",
    "check_size",
    "gunzip",
    "header",
    "normalize_headers",
    "objects_of",
    "pairs_of",
    "read_before",
]

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]]
"""Request headers: a mapping, or pairs of text or bytes. Names are case-insensitive."""

MAX_OBJECTS: Final = 10_000
"""Maximum number of objects in one body; DIDWW sends up to 1,000."""
_MAX_LINES: Final = 10

log = logging.getLogger("didww.callback")


class Rejections:
    """Logs rejected requests, at most ten lines a minute, so that an attacker cannot fill the disk."""

    def __init__(self) -> None:
        self._lines = Sparing(_MAX_LINES)

    def log(self, text: str) -> None:
        """Log a line, or count it as suppressed and report the count with the next line."""
        suppressed = self._lines.take()
        if suppressed is not None:
            more = f" {suppressed} more were rejected since the last line." if suppressed else ""
            log.warning("%s%s", text, more)


def pairs_of(headers: Headers) -> list[tuple[str, str]]:
    """Return the headers as pairs of text."""
    items = getattr(headers, "items", None)
    pairs = cast("Iterable[tuple[object, object]]", headers if items is None else items())
    return [(_text(name), _text(value)) for name, value in pairs]


def normalize_headers(headers: Headers) -> dict[str, list[str]]:
    """Return the values of each header by its lowercase name."""
    values: dict[str, list[str]] = {}
    for name, value in pairs_of(headers):
        values.setdefault(name.lower(), []).append(value.strip())
    return values


def read_before(named: dict[str, list[str]], body: bytes) -> str:
    """Return a hint for the log if a body was sent but is empty here; otherwise an empty string."""
    length = next(iter(named.get("content-length", ())), "0")
    if body or not length.isdecimal() or not length.strip("0"):
        return ""
    return (
        f" Its body of {length:.20} bytes is empty here: code that ran before the receiver has already read it. Pass "
        "the framework's cached copy of the body."
    )


def header(named: dict[str, list[str]], name: str) -> str | None:
    """Return the value of a header, or None if it is missing.

    Raises:
        CallbackRejectedError: The header occurs more than once.
    """
    values = named.get(name.lower(), ())
    if len(values) > 1:
        raise CallbackRejectedError(f"The request has {len(values)} {name} headers, expected one.")
    return values[0] if values else None


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, (bytes, bytearray)) else str(value)


def check_size(body: bytes, max_bytes: int) -> bytes:
    """Return `body` if it is not larger than `max_bytes`.

    Raises:
        CallbackRejectedError: The body is too large.
        InvalidValueError: The body is not bytes.
    """
    value = cast("object", body)
    if not isinstance(value, (bytes, bytearray, memoryview)):
        hint = " For text, pass body.encode()." if isinstance(value, str) else ""
        raise InvalidValueError(f"body must be the raw request body, got {type(value).__name__}.{hint}", field="body")
    if len(body) > max_bytes:
        raise CallbackRejectedError(
            f"The body has {len(body)} bytes; the limit is {max_bytes} (max_bytes).", reason="too_large"
        )
    return body


def gunzip(body: bytes, max_bytes: int) -> bytes:
    """Decompress gzip data with one or more members.

    Raises:
        CallbackRejectedError: The data is not gzip, is truncated, or decompresses to more than `max_bytes`.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as compressed:
            content = compressed.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CallbackRejectedError(f"The body is not gzip, or is truncated: {error}.") from None
    if len(content) > max_bytes:
        raise CallbackRejectedError(
            f"The body decompresses to more than {max_bytes} bytes (max_bytes).", reason="too_large"
        )
    return content


def _decoded(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def objects_of(body: bytes) -> list[dict[str, Any]]:
    """Return the objects of a JSON body: a single object, an array, or one object per line.

    Raises:
        CallbackRejectedError: The body contains anything else.
    """
    try:
        content = _decoded(body)
    except ValueError as whole_error:
        if body.count(b"\n") > 2 * MAX_OBJECTS:  # empty lines are skipped below
            raise CallbackRejectedError(f"The body has more than {2 * MAX_OBJECTS} lines.") from None
        # A byte order mark is not JSON. Lines may end with CR LF.
        lines = [line for line in body.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
        if not 1 <= len(lines) <= MAX_OBJECTS:
            raise CallbackRejectedError(f"The body must have 1 to {MAX_OBJECTS} lines, got {len(lines)}.") from None
        try:
            content = [_decoded(line) for line in lines]
        except ValueError as line_error:
            reason = whole_error if len(lines) < 2 else line_error
            raise CallbackRejectedError(f"The body is not valid JSON: {reason}.") from None
    objects = cast("list[Any]", content if isinstance(content, list) else [content])
    if len(objects) > MAX_OBJECTS:
        raise CallbackRejectedError(f"The body has {len(objects)} objects; the limit is {MAX_OBJECTS}.")
    if not all(isinstance(item, dict) for item in objects):
        raise CallbackRejectedError("The body must contain only JSON objects.")
    return objects
