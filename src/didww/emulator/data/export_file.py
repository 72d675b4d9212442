"""The file of an export, generated lazily into a temporary file.

Its bytes depend only on the calls, so an interrupted download can resume from a regenerated file.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["ExportCache", "ExportFile"]

_GZIP: Final = 31  # zlib's wbits for a gzip header (without a timestamp)
_FAST: Final = 1
_AT_ONCE: Final = 1 << 18
_OPEN: Final = 8


class ExportFile:
    """A gzip file of text lines.

    Args:
        lines: The lines with line endings; consumed lazily.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._made = tempfile.TemporaryFile(prefix="didww-emulator-")  # noqa: SIM115 open as long as it is read
        weakref.finalize(self, self._made.close)
        self._packed = _packed(lines)
        self._size = 0
        self._complete = False
        self._lock = threading.Lock()

    def read(self, at: int, size: int) -> bytes:
        """Return up to `size` bytes from offset `at`; empty at the end."""
        with self._lock:
            self._make(at + size)
            self._made.seek(at)
            return self._made.read(min(size, max(0, self._size - at)))

    def size(self, most: int | None = None) -> int | None:
        """Return the size in bytes; None if it exceeds `most`."""
        with self._lock:
            self._make(None if most is None else most + 1)
            return self._size if self._complete else None

    def _make(self, until: int | None) -> None:
        if self._complete or (until is not None and self._size >= until):
            return
        self._made.seek(self._size)
        for piece in self._packed:
            self._size += self._made.write(piece)
            if until is not None and self._size >= until:
                return
        self._complete = True


class ExportCache:
    """A cache of recently requested files; older ones are regenerated."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, ExportFile] = OrderedDict()

    def get(self, tag: str, make: Callable[[], ExportFile]) -> ExportFile:
        """Return the file of a tag, creating it if needed."""
        file = self._files.pop(tag, None) or make()
        self._files[tag] = file
        while len(self._files) > _OPEN:
            self._files.popitem(last=False)
        return file


def _packed(lines: Iterable[str]) -> Iterator[bytes]:
    packer = zlib.compressobj(_FAST, zlib.DEFLATED, _GZIP)
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size >= _AT_ONCE:
            if piece := packer.compress("".join(waiting).encode()):
                yield piece
            waiting.clear()
            size = 0
    yield packer.compress("".join(waiting).encode()) + packer.flush()
