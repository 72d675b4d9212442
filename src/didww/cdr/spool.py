"""Files of records that were acknowledged and are not in a dataset yet.

Each writer has a file of its own, which it locks: one JSON object per line. The system releases the lock when the
process ends, so that another process can take over what a killed one left behind. A line is complete when it ends with
a line break; what follows the last line break was never acknowledged.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from typing import TYPE_CHECKING, Final

from didww._util.locks import try_lock, unlock
from didww._util.syncing import sync_folder
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Spool", "SpoolFile"]

_ENDING: Final = ".jsonl"
_REJECTED: Final = ".rejected"
_FAR: Final = 1 << 30
"""On Windows, locked bytes cannot be read: this one is far behind the records."""


class SpoolFile:
    """A file of a spool, locked by this object until `delete` or `let_go`.

    Args:
        path: The file.
        descriptor: Its open descriptor, which holds the lock.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.lines = 0
        self._descriptor = descriptor
        self._size = 0

    def write(self, lines: Sequence[bytes]) -> None:
        """Append lines, and return once they are on the disk. If that fails, none of them stays.

        Raises:
            OSError: The disk is full or broken.
        """
        data = memoryview(b"".join(line + b"\n" for line in lines))
        try:
            done = 0
            while done < len(data):
                done += os.write(self._descriptor, data[done:])
            os.fsync(self._descriptor)
        except BaseException:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
                os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += len(data)
        self.lines += len(lines)

    def read(self) -> list[bytes]:
        """Return the complete lines, each once: DIDWW repeats records whose response it did not get."""
        content = self.path.read_bytes()
        return list(dict.fromkeys(content[: content.rfind(b"\n") + 1].splitlines()))

    def set_aside(self, lines: Sequence[bytes]) -> Path:
        """Write lines to a file beside this one, whole or not at all; repeated, it has the same content."""
        path = self.path.with_suffix(_REJECTED + _ENDING)
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600)
        with open(descriptor, "wb") as file:  # noqa: PTH123 a descriptor
            file.writelines(line + b"\n" for line in lines)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
        sync_folder(path.parent)
        return path

    def delete(self) -> None:
        """Delete the file: all of its records are in the dataset."""
        if sys.platform == "win32":  # where open files cannot be deleted
            self.let_go()
        # Another process may have taken over the unlocked file, found its records in the dataset, and deleted it.
        self.path.unlink(missing_ok=True)
        self.let_go()

    def let_go(self) -> None:
        """Unlock the file, so that any process can take it over."""
        if self._descriptor >= 0:
            unlock(self._descriptor, _FAR)
        self.forget()

    def forget(self) -> None:
        """Close the file in a process that was forked: the lock is that of its parent."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class Spool:
    """A folder of spool files.

    Args:
        folder: The folder; created if missing, readable only by its owner, as call records are personal data.

    Raises:
        DidwwClientError: The folder cannot be created.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _unusable(folder, error) from None

    def create(self) -> SpoolFile:
        """Create a file and lock it.

        Raises:
            DidwwClientError: The folder is not writable.
        """
        try:
            while True:
                path = self.folder / f"{secrets.token_hex(8)}{_ENDING}"
                file = _locked(path, os.O_CREAT | os.O_EXCL)
                if file is not None:  # otherwise another process took it over before it was locked
                    sync_folder(self.folder)
                    return file
        except OSError as error:
            raise _unusable(self.folder, error) from None

    def abandoned(self) -> Iterator[SpoolFile]:
        """Yield the files that nobody has locked, and lock them: those of processes that ended.

        Raises:
            DidwwClientError: A file cannot be opened, or the file system has no locks.
        """
        for path in sorted(self.folder.glob(f"*{_ENDING}")):
            if path.name.endswith(_REJECTED + _ENDING):
                continue
            try:
                file = _locked(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise _unusable(self.folder, error) from None
            if file is not None:
                yield file

    def has_files(self) -> bool:
        """Return whether there are files of records, locked or not."""
        return any(not path.name.endswith(_REJECTED + _ENDING) for path in self.folder.glob(f"*{_ENDING}"))

    def rejected(self) -> tuple[Path, ...]:
        """Return the files of records that could not be read."""
        return tuple(sorted(self.folder.glob(f"*{_REJECTED}{_ENDING}")))


_BINARY: Final = getattr(os, "O_BINARY", 0)


def _locked(path: Path, flags: int = 0) -> SpoolFile | None:
    """Open a file and lock it; return None if another one has it locked, or has deleted it."""
    descriptor = os.open(path, os.O_RDWR | flags | _BINARY, 0o600)
    taken = False
    try:
        taken = try_lock(descriptor, _FAR) and path.exists()
    finally:
        if not taken:
            os.close(descriptor)
    return SpoolFile(path, descriptor) if taken else None


def _unusable(folder: Path, error: OSError) -> DidwwClientError:
    return DidwwClientError(
        f"Cannot write to the spool {folder}: {error.strerror or error}. Pass the path of a writable local folder as "
        "spool=."
    )
