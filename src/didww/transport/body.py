"""Bodies. Taking in that of a response: unpacked on the way, and never more than `MAX_BYTES` of it.

A few kilobytes can unpack to gigabytes, so the size is bounded where the bytes come out, piece by piece. Where they
come from is left to the transports.
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
"""The packings that `Body` can undo."""

MAX_BYTES = 256 << 20
"""Largest body that is taken into memory; the largest pages of the API have a few megabytes."""


class Body:
    """Collects a body.

    Raises:
        UnexpectedResponseError: It is too large, packed in a way that was not asked for, or cannot be unpacked.
    """

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        self._request_id = headers.get("x-request-id")
        self._pieces: list[bytes] = []
        self._size = 0
        self._packing = headers.get("content-encoding", "").strip().lower()
        self._unpacker: Decompressor | None = None
        self._given_up = False

    def feed(self, data: bytes) -> None:
        """Take in the next bytes from the wire."""
        if self._given_up or not data:
            return
        if self._packing in ("", "identity"):
            self._keep(data)
            return
        if self._unpacker is None:
            form = _form(self._packing, data)
            if form is None:
                self._give_up(f"is packed as {self._packing[:40]!r}, which was not asked for")
                return
            self._unpacker = Decompressor(form)
        damaged = False
        try:
            for piece in self._unpacker.feed(data):
                self._keep(piece)
        except zlib.error:
            damaged = True
        if damaged:
            self._give_up("cannot be unpacked", transient=True)

    def whole(self) -> bytes:
        """The body, after the last `feed`."""
        if self._unpacker is not None and not self._unpacker.whole and not self._given_up:
            self._give_up("was cut off inside its packing", transient=True)
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BYTES:
            self._pieces.clear()
            raise self._unusable(f"is larger than {MAX_BYTES >> 20} MiB; ask for smaller pages")
        self._pieces.append(data)

    def _give_up(self, what: str, *, transient: bool = False) -> None:
        """Make do with what came if the status tells all: an error stays the error that it is."""
        if self._status < 400:
            raise self._unusable(what, transient=transient)
        self._given_up = True

    def _unusable(self, what: str, *, transient: bool = False) -> UnexpectedResponseError:
        return UnexpectedResponseError(
            f"The response (HTTP {self._status}) {what}.",
            status_code=self._status,
            request_id=self._request_id,
            transient=transient,
        )


def _form(packing: str, data: bytes) -> int | None:
    """How to unpack a body that begins with `data`; None if it is packed in an unknown way."""
    if packing in ("gzip", "x-gzip"):
        return EITHER
    if packing != "deflate":
        return None
    # Some servers take "deflate" at its word and leave out the two bytes of zlib's head.
    head = data[0] & 0x0F == 8 and (len(data) < 2 or (data[0] << 8 | data[1]) % 31 == 0)
    return DEFLATE if head else -DEFLATE


class ProgressBody:
    """A body to send that counts the bytes that were sent."""

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
    """The body to send; not a local of whoever sends it, as a traceback may show those."""
    return (
        ProgressBody(request.body) if request.body is not None and not isinstance(request.body, bytes) else request.body
    )


def check_length(status: int, headers: Mapping[str, str]) -> None:
    """Refuse a response that tells a length which nothing has; Python makes no number of thousands of digits.

    Raises:
        UnexpectedResponseError: It does, and is no error, of which the status tells enough.
    """
    told = headers.get("content-length", "")
    if status < 400 and told.isdecimal() and len(told) > 18:
        raise UnexpectedResponseError(
            f"The response (HTTP {status}) has a Content-Length of {len(told)} digits.",
            status_code=status,
            request_id=headers.get("x-request-id"),
        )


def lower_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names in lower case; those of one name are joined."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def with_encoding(headers: dict[str, str], packings: str) -> dict[str, str]:
    """`headers`, with `Accept-Encoding` if they do not say it."""
    if any(name.lower() == "accept-encoding" for name in headers):
        return headers
    return {**headers, "Accept-Encoding": packings}
