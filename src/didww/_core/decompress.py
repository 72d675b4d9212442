"""Undoing gzip and deflate piece by piece, for bodies and for files: one rule for what is whole, and bounded work."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DEFLATE", "EITHER", "GZIP", "Decompressor"]

GZIP: Final = 15 + 16
"""gzip alone, with the largest window."""
DEFLATE: Final = 15
"""deflate with the two bytes of zlib's head; minus this without."""
EITHER: Final = 15 + 32
"""gzip, or deflate with that head, told apart by their first bytes."""

_PIECE: Final = 1 << 20
# What is left of the input after a member is copied for the next one; in small slices, thousands of tiny members cost
# no more than one large one.
_SLICE: Final = 1 << 12


class Decompressor:
    """Unpacks what it is fed.

    Several members one after the other are one file, as gzip has it, and zeros behind a member are padding; the check
    sum and length of each are verified by zlib.

    Attributes:
        whole: Whether the input came to an end of its own.
    """

    def __init__(self, form: int = GZIP) -> None:
        self._form = form
        self._inner = zlib.decompressobj(form)
        self.whole = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The unpacked bytes of the next packed ones, at most a MiB at a time.

        Raises:
            zlib.error: They are not packed so, or damaged.
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
            more = len(piece) == _PIECE  # there may be more inside, although all of the input was taken
            if piece:
                yield piece
