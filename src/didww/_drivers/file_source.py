"""Read a file to upload in chunks, from bytes, a path or a binary stream."""

from __future__ import annotations

import inspect
import os
import stat
import sys
import zlib
from typing import IO, TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from didww.exceptions import DidwwClientError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["AsyncFile", "File", "FileSource"]

File: TypeAlias = "bytes | str | os.PathLike[str] | IO[bytes]"


class AsyncFile(Protocol):
    """A file with an asynchronous `read`, such as the `UploadFile` of a web framework."""

    async def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes; returns no bytes at the end."""
        ...


_PIECE = 1 << 16
# The errors of reading. The last two come from decompressing streams, such as of a damaged gzip file.
_UNREADABLE = (OSError, ValueError, EOFError, zlib.error)


class FileSource:
    """A file to upload.

    Reads a stream from its current position. Reads a stream that is not seekable, or whose `read` is asynchronous, into
    memory first, up to `max_size` + 1 bytes.

    Args:
        file: Bytes, a path, or a binary stream, which is not closed.
        max_size: Maximum size in bytes.

    Raises:
        InvalidValueError: `file` is of another type.
    """

    def __init__(self, file: File | AsyncFile, max_size: int) -> None:
        self._data: bytes | bytearray | None = bytes(file) if isinstance(file, (bytes, bytearray, memoryview)) else None
        self._path = os.fspath(file) if isinstance(file, (str, os.PathLike)) else None
        self._stream = cast("IO[bytes]", file) if self._data is None and self._path is None else None
        self._buffer: bytearray | None = None
        self._start = 0
        self._identity: tuple[int, ...] = ()
        self._size = 0
        self._max_size = max_size
        if self._data is None and self._path is None and not callable(getattr(file, "read", None)):
            raise InvalidValueError(
                f"file must be bytes, a path, or a stream opened in binary mode, got {type(file).__name__}.",
                field="file",
            )
        self.awaited: bool = inspect.iscoroutinefunction(getattr(file, "read", None))

    @property
    def name(self) -> str:
        """The name of the file, without directories; empty if it has none."""
        name: object = self._path
        if name is None:  # the `name` of an upload can be that of the form field
            own = getattr(self._stream, "__dict__", {})  # avoids properties, which can warn or compute a name
            name = own.get("filename") or getattr(self._stream, "name", "")
        return os.path.basename(name) if isinstance(name, str) else ""  # noqa: PTH119 pathlib is not worth its import here

    def measure(self) -> int | None:
        """Return the size in bytes, or None while reading a stream of unknown length. Repeat until it returns a size.

        Call it before `pieces`.

        Raises:
            InvalidValueError: The stream returns something other than bytes, such as text.
            DidwwClientError: The file cannot be read.
        """
        try:
            size = self._measured()
        except Exception as error:  # noqa: BLE001 converted or re-raised
            raise self._convert_error(error) from None
        self._size = size or 0
        return size

    async def receive(self) -> int | None:
        """Do the same as `measure` for a stream with an asynchronous `read`."""
        try:
            size_limit = self._next_size()
            size = self._append(self._checked(await cast("AsyncFile", self._stream).read(size_limit), size_limit))
        except Exception as error:  # noqa: BLE001 converted or re-raised
            raise self._convert_error(error) from None
        self._size = size or 0
        return size

    def pieces(self) -> Iterator[bytes]:
        """Yield as many bytes as were measured. Each call starts from the beginning.

        Raises:
            DidwwClientError: The file cannot be read, or has changed since it was measured.
        """
        remaining = self._size
        try:
            for piece in self._read():
                remaining -= len(piece)
                if remaining < 0:
                    break
                yield piece
        except Exception as error:  # noqa: BLE001 converted or re-raised
            raise self._convert_error(error) from None
        if remaining:
            raise self._changed()

    @property
    def _label(self) -> str:
        if self._path is not None:
            return self._path or "a file with an empty name"
        return self.name or "the stream"

    def _measured(self) -> int | None:
        if self._data is not None:
            return len(self._data)
        if self._path is not None:
            status = os.stat(self._path)  # noqa: PTH116 the same
            if not stat.S_ISREG(status.st_mode):
                raise OSError(0, "it is not a regular file")
            if not status.st_size and _has_more(self._path):
                raise OSError(0, "it reports no size, like files in /proc. Read it and pass its bytes")
            self._identity = _identity(status)
            return status.st_size
        if self.awaited:
            raise InvalidValueError(
                "file must have a synchronous read(), got an asynchronous one. Use AsyncDidwwClient, or pass the bytes "
                "or the .file of an UploadFile.",
                field="file",
            )
        stream = cast("IO[bytes]", self._stream)
        if self._buffer is None:
            self._next(0)
            # Objects with only a `read`, such as a request body, have no `seekable`.
            if getattr(stream, "seekable", bool)():
                self._start = stream.tell()
                stream.seek(0, os.SEEK_END)
                size = stream.tell() - self._start
                stream.seek(self._start)
                if size > 0:
                    return size
            # Also for seekable streams without a size, such as devices.
            self._buffer = bytearray()
        return self._append(self._next(self._next_size()))

    def _next_size(self) -> int:
        return min(_PIECE, self._max_size + 1 - len(self._buffer or b""))

    def _append(self, piece: bytes) -> int | None:
        """Append a chunk to the buffer; return its size if this was the last chunk."""
        if self._buffer is None:
            self._buffer = bytearray()
        self._buffer += piece
        if piece and len(self._buffer) <= self._max_size:
            return None
        self._data = self._buffer
        return len(self._data)

    def _read(self) -> Iterator[bytes]:
        if self._data is not None:
            for start in range(0, len(self._data), _PIECE):
                yield bytes(self._data[start : start + _PIECE])
        elif self._path is not None:
            with open(self._path, "rb") as file:  # noqa: PTH123 the same
                if _identity(os.fstat(file.fileno())) != self._identity:
                    raise self._changed()
                while piece := file.read(_PIECE):
                    yield piece
            # Detect a replaced or modified file of the same size.
            if _identity(os.stat(self._path)) != self._identity:  # noqa: PTH116 the same
                raise self._changed()
        else:
            cast("IO[bytes]", self._stream).seek(self._start)
            while piece := self._next(_PIECE):
                yield piece

    def _next(self, size: int) -> bytes:
        """Read at most `size` bytes of the stream; returns no bytes at its end."""
        return self._checked(cast("IO[bytes]", self._stream).read(size), size)

    def _checked(self, piece: Any, size: int) -> bytes:
        if isinstance(piece, bytes):
            if len(piece) > size:
                raise InvalidValueError(
                    f"file must return at most the requested bytes from read({size}), got {len(piece)} bytes.",
                    field="file",
                )
            return piece
        if piece is None:
            raise OSError(0, "it is non-blocking and has nothing to read yet")
        raise InvalidValueError(
            f"file must return bytes from read(), got {type(piece).__name__}. Open files with mode 'rb'.", field="file"
        )

    def _changed(self) -> DidwwClientError:
        return DidwwClientError(f"Cannot send {self._label}: it changed while it was being sent. Send it again.")

    def _convert_error(self, error: Exception) -> Exception:
        """Convert an error of reading to one of this package; return any other error unchanged."""
        lzma_error = getattr(sys.modules.get("lzma"), "LZMAError", ())
        if isinstance(error, DidwwClientError) or not isinstance(
            error, (*_UNREADABLE, *([lzma_error] if lzma_error else ()))
        ):
            return error
        reason = str(getattr(error, "strerror", None) or error).rstrip(".") or type(error).__name__
        return DidwwClientError(f"Cannot read {self._label}: {reason}.")


def _identity(status: os.stat_result) -> tuple[int, ...]:
    """Return values that change when the file is replaced or modified."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _has_more(path: str) -> bool:
    """Return whether a file of size 0 has content."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 the same
        return bool(file.read(1))
