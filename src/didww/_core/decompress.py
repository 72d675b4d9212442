"""Decompress gzip and deflate incrementally, with bounded memory, for response bodies and files."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEFLATE", "EITHER", "GZIP", "Decompressor"]

GZIP: Final = 15 + 16
"""gzip only, with the largest window."""
DEFLATE: Final = 15
"""deflate with the two-byte zlib header; negate for raw deflate."""
EITHER: Final = 15 + 32
"""gzip, or deflate with a zlib header, detected from the first bytes."""

_PIECE: Final = 1 << 20
# The rest of the input is copied at the end of each member; small slices keep thousands of tiny members as cheap as one
# large member.
_SLICE: Final = 1 << 12


class Decompressor:
    """An incremental decompressor.

    Accepts several concatenated gzip members and zero padding after a member. zlib verifies the checksum and length of
    each member.

    Attributes:
        whole: Whether the input so far ends with a complete member.
    """

    def __init__(self, form: int = GZIP) -> None:
        self._form = form
        self._inner = zlib.decompressobj(form)
        self.whole = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decompressed bytes of `data`, at most 1 MiB at a time.

        Raises:
            zlib.error: The data is damaged or has another format.
        """
        for start in range(0, len(data), _SLICE):
            yield from self._slice(data[start : start + _SLICE])

    def _slice(self, data: bytes) -> Iterator[bytes]:
        more = True
        while data or more:
            if self.whole:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._inner = zlib.decompressobj(self._form)
            piece = self._inner.decompress(data, _PIECE)
            self.whole = self._inner.eof
            data = self._inner.unused_data if self.whole else self._inner.unconsumed_tail
            more = len(piece) == _PIECE  # zlib may hold more output, although all input is consumed
            if piece:
                yield piece
