"""A lock of a file between the processes of this machine, and between the threads that opened it.

The system releases it when the process ends, even if it is killed.
"""

from __future__ import annotations

import errno
import importlib
import os
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["locked", "try_lock", "unlock"]

_PAUSE: Final = 0.05
_TAKEN: Final = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})


def try_lock(descriptor: int, place: int = 0) -> bool:
    """Lock an open file, unless another one has it locked; return whether it is locked now.

    Args:
        descriptor: The descriptor of the file.
        place: The byte that is locked on Windows, where it cannot be read by others.

    Raises:
        OSError: The file system has no locks.
    """
    try:
        try:
            import fcntl
        except ModuleNotFoundError:  # Windows
            _on_windows(descriptor, place, "LK_NBLCK")  # Ctrl-C would not end LK_LOCK, which waits
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


def unlock(descriptor: int, place: int = 0) -> None:
    """Unlock a file.

    Closing it is not enough: a process that was forked meanwhile has it open, too, and Windows may release the lock
    long after that.
    """
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        _on_windows(descriptor, place, "LK_UNLCK")
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def _on_windows(descriptor: int, place: int, mode: str) -> None:
    msvcrt: Any = importlib.import_module("msvcrt")
    before = os.lseek(descriptor, 0, os.SEEK_CUR)
    os.lseek(descriptor, place, os.SEEK_SET)
    try:
        msvcrt.locking(descriptor, getattr(msvcrt, mode), 1)
    finally:
        os.lseek(descriptor, before, os.SEEK_SET)


@contextmanager
def locked(file: IO[bytes]) -> Generator[None]:
    """Wait for the lock of an open file, and hold it."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        while not try_lock(file.fileno()):
            time.sleep(_PAUSE)
    else:
        fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        unlock(file.fileno())
