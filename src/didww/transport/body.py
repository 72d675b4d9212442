"""Request and response bodies: decompress response bodies, up to `MAX_BYTES`.

A few kilobytes can decompress to gigabytes, so the decompressed size is limited, piece by piece. The transports read
the bytes.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from didww._core.decompress import DEFLATE, EITHER, Decompressor
from didww.exceptions import UnexpectedResponseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from didww._core.effects import Request, Stream

__all__ = ["ACCEPT_ENCODING", "Body", "ProgressBody", "check_length", "content_of", "lower_headers", "with_encoding"]

ACCEPT_ENCODING = "gzip, deflate"
"""The content encodings that `Body` can decode."""

MAX_BYTES = 256 << 20
"""Maximum size of a body in memory. The largest pages of the API have a few megabytes."""


class Body:
    """Collects and decompresses a response body.

    Raises:
        UnexpectedResponseError: The body is too large, has an unexpected content encoding, or cannot be decompressed.
    """

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self._request_id = headers.get("x-request-id")
        self._pieces: list[bytes] = []
        self._size = 0
        self._encoding = headers.get("content-encoding", "").strip().lower()
        self._decompressor: Decompressor | None = None
        self._given_up = False

    def feed(self, data: bytes) -> None:
        """Add the next bytes from the connection."""
        if self._given_up or not data:
            return
        if self._encoding in ("", "identity"):
            self._keep(data)
            return
        if self._decompressor is None:
            form = _form(self._encoding, data)
            if form is None:
                self._give_up(f"has an unexpected Content-Encoding, {self._encoding[:40]!r}")
                return
            self._decompressor = Decompressor(form)
        damaged = False
        try:
            for piece in self._decompressor.feed(data):
                self._keep(piece)
        except zlib.error:
            damaged = True
        if damaged:
            self._give_up("cannot be decompressed", transient=True)

    def whole(self) -> bytes:
        """Return the whole body, after the last `feed`."""
        if self._decompressor is not None and not self._decompressor.whole and not self._given_up:
            self._give_up("ends before its compressed data is complete", transient=True)
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BYTES:
            self._pieces.clear()
            raise self._unusable(f"is larger than {MAX_BYTES >> 20} MiB; request smaller pages")
        self._pieces.append(data)

    def _give_up(self, problem: str, *, transient: bool = False) -> None:
        """Raise for a successful response. For an error status, keep the body so far: the status is sufficient."""
        if self._status < 400:
            raise self._unusable(problem, transient=transient)
        self._given_up = True

    def _unusable(self, problem: str, *, transient: bool = False) -> UnexpectedResponseError:
        return UnexpectedResponseError(
            f"The response (HTTP {self._status}) {problem}.",
            status_code=self._status,
            request_id=self._request_id,
            transient=transient,
        )


def _form(encoding: str, data: bytes) -> int | None:
    """Return the zlib format of a body that begins with `data`, or None if its encoding is unknown."""
    if encoding in ("gzip", "x-gzip"):
        return EITHER
    if encoding != "deflate":
        return None
    # Some servers send raw deflate data, without the two-byte zlib header.
    has_header = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
    return DEFLATE if has_header else -DEFLATE


class ProgressBody:
    """A request body that reports the number of bytes sent."""

    def __init__(self, body: Stream) -> None:
        self._body = body

    def __len__(self) -> int:
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._body:
            yield piece
            size += len(piece)
            self._body.sent(size)


def content_of(request: Request) -> bytes | ProgressBody | None:
    """Return the body to send. Callers do not store it in a local variable, which a traceback could show."""
    return (
        ProgressBody(request.body) if request.body is not None and not isinstance(request.body, bytes) else request.body
    )


def check_length(status: int, headers: Mapping[str, str]) -> None:
    """Reject an absurd Content-Length; Python refuses to convert numbers with thousands of digits.

    Raises:
        UnexpectedResponseError: The Content-Length has more than 18 digits, and the status is not an error.
    """
    length = headers.get("content-length", "")
    if status < 400 and length.isdecimal() and len(length) > 18:
        raise UnexpectedResponseError(
            f"The response (HTTP {status}) has a Content-Length of {len(length)} digits.",
            status_code=status,
            request_id=headers.get("x-request-id"),
        )


def lower_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by lowercase name; repeated headers are joined with a comma."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def with_encoding(headers: dict[str, str], encodings: str) -> dict[str, str]:
    """Return `headers` with an `Accept-Encoding` of `encodings`, unless they already have one."""
    if any(name.lower() == "accept-encoding" for name in headers):
        return headers
    return {**headers, "Accept-Encoding": encodings}
