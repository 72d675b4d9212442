"""What a caller hands over as a file to send: bytes, a path, or a binary stream. Read while it is sent, in pieces."""

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
    """What a web framework hands over for an upload: a file whose `read` is awaited."""

    async def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; none at the end."""
        ...


_PIECE = 1 << 16
# What reading fails with: the last two of streams that unpack, e.g. of a damaged gzip file.
_UNREADABLE = (OSError, ValueError, EOFError, zlib.error)


class FileSource:
    """A file to send.

    A stream is read from where it stands; one that cannot go back is read into memory first, `most` bytes and one more.
    So is one whose `read` is asynchronous.

    Args:
        file: The bytes, a path, or a stream opened for reading bytes, which is left open.
        most: Largest file that anybody would send.

    Raises:
        InvalidValueError: It is nothing of these.
    """

    def __init__(self, file: File | AsyncFile, most: int) -> None:
        self._data: bytes | bytearray | None = bytes(file) if isinstance(file, (bytes, bytearray, memoryview)) else None
        self._path = os.fspath(file) if isinstance(file, (str, os.PathLike)) else None
        self._stream = cast("IO[bytes]", file) if self._data is None and self._path is None else None
        self._coming: bytearray | None = None
        self._start = 0
        self._seen: tuple[int, ...] = ()
        self._size = 0
        self._most = most
        if self._data is None and self._path is None and not callable(getattr(file, "read", None)):
            raise InvalidValueError(
                f"A file to send is bytes, a path, or a stream opened for reading bytes, not {type(file).__name__}.",
                field="file",
            )
        self.awaited: bool = inspect.iscoroutinefunction(getattr(file, "read", None))

    @property
    def name(self) -> str:
        """The file's own name, without folders; empty if it has none."""
        name: object = self._path
        if name is None:  # of an upload, `name` may be that of the form's field
            own = getattr(self._stream, "__dict__", {})  # not what a property of a library makes up, or warns of
            name = own.get("filename") or getattr(self._stream, "name", "")
        return os.path.basename(name) if isinstance(name, str) else ""  # noqa: PTH119 pathlib is not worth its import here

    def measure(self) -> int | None:
        """Number of bytes, or None while a stream of unknown length is being read: call again until there is one.

        To be called before `pieces`.

        Raises:
            InvalidValueError: The stream gives no bytes, e.g. text.
            DidwwClientError: It cannot be read.
        """
        try:
            size = self._measured()
        except Exception as error:  # noqa: BLE001 explained, or raised again
            raise self._explained(error) from None
        self._size = size or 0
        return size

    async def receive(self) -> int | None:
        """The same for a stream whose `read` is asynchronous."""
        try:
            most = self._most_of_piece()
            size = self._taken(self._checked(await cast("AsyncFile", self._stream).read(most), most))
        except Exception as error:  # noqa: BLE001 explained, or raised again
            raise self._explained(error) from None
        self._size = size or 0
        return size

    def pieces(self) -> Iterator[bytes]:
        """The bytes, as many as were measured; each call begins anew.

        Raises:
            DidwwClientError: It cannot be read, or is not what was measured any more.
        """
        left = self._size
        try:
            for piece in self._read():
                left -= len(piece)
                if left < 0:
                    break
                yield piece
        except Exception as error:  # noqa: BLE001 explained, or raised again
            raise self._explained(error) from None
        if left:
            raise self._changed()

    @property
    def _label(self) -> str:
        if self._path is not None:
            return self._path or "a file without a name"
        return self.name or "the stream"

    def _measured(self) -> int | None:
        if self._data is not None:
            return len(self._data)
        if self._path is not None:
            found = os.stat(self._path)  # noqa: PTH116 the same
            if not stat.S_ISREG(found.st_mode):
                raise OSError(0, "it is no regular file")
            if not found.st_size and _has_more(self._path):
                raise OSError(0, "it tells no size, as those in /proc do; read it, and give its bytes")
            self._seen = _identity(found)
            return found.st_size
        if self.awaited:
            raise InvalidValueError(
                "The read() of this file is asynchronous. Use AsyncDidwwClient, or give its bytes; of an UploadFile, "
                "its .file.",
                field="file",
            )
        stream = cast("IO[bytes]", self._stream)
        if self._coming is None:
            self._next(0)
            # What merely has a `read`, e.g. the body of a request, has no `seekable`.
            if getattr(stream, "seekable", bool)():
                self._start = stream.tell()
                stream.seek(0, os.SEEK_END)
                size = stream.tell() - self._start
                stream.seek(self._start)
                if size > 0:
                    return size
            # Also for what can seek and tells no size, e.g. devices.
            self._coming = bytearray()
        return self._taken(self._next(self._most_of_piece()))

    def _most_of_piece(self) -> int:
        return min(_PIECE, self._most + 1 - len(self._coming or b""))

    def _taken(self, piece: bytes) -> int | None:
        """The number of bytes, if this piece of a stream that is read into memory was the last one."""
        if self._coming is None:
            self._coming = bytearray()
        self._coming += piece
        if piece and len(self._coming) <= self._most:
            return None
        self._data = self._coming
        return len(self._data)

    def _read(self) -> Iterator[bytes]:
        if self._data is not None:
            for start in range(0, len(self._data), _PIECE):
                yield bytes(self._data[start : start + _PIECE])
        elif self._path is not None:
            with open(self._path, "rb") as file:  # noqa: PTH123 the same
                if _identity(os.fstat(file.fileno())) != self._seen:
                    raise self._changed()
                while piece := file.read(_PIECE):
                    yield piece
            # Another file of the same size, or the same one with other bytes.
            if _identity(os.stat(self._path)) != self._seen:  # noqa: PTH116 the same
                raise self._changed()
        else:
            cast("IO[bytes]", self._stream).seek(self._start)
            while piece := self._next(_PIECE):
                yield piece

    def _next(self, size: int) -> bytes:
        """The next bytes of the stream, at most `size`; empty at its end."""
        return self._checked(cast("IO[bytes]", self._stream).read(size), size)

    def _checked(self, piece: Any, size: int) -> bytes:
        if isinstance(piece, bytes):
            if len(piece) > size:
                raise InvalidValueError(
                    f"The stream to send gives {len(piece)} bytes when it is asked for {size}: its read(size) must "
                    "give no more than that.",
                    field="file",
                )
            return piece
        if piece is None:
            raise OSError(0, "it is non-blocking and has nothing to read yet")
        raise InvalidValueError(
            f"The stream to send gives {type(piece).__name__}, not bytes. Open a file with mode 'rb'.", field="file"
        )

    def _changed(self) -> DidwwClientError:
        return DidwwClientError(f"Cannot send {self._label}: it changed while it was being sent; send it again.")

    def _explained(self, error: Exception) -> Exception:
        """The error of this package for one of reading; any other, of the caller's own stream, as it is."""
        of_lzma = getattr(sys.modules.get("lzma"), "LZMAError", ())
        if isinstance(error, DidwwClientError) or not isinstance(
            error, (*_UNREADABLE, *([of_lzma] if of_lzma else ()))
        ):
            return error
        reason = str(getattr(error, "strerror", None) or error).rstrip(".") or type(error).__name__
        return DidwwClientError(f"Cannot read {self._label}: {reason}.")


def _identity(found: os.stat_result) -> tuple[int, ...]:
    """What tells a file from another one, and from itself with other bytes."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _has_more(path: str) -> bool:
    """Whether a file that has no size has bytes."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 the same
        return bool(file.read(1))
