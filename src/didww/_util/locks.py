"""A lock of a file between the processes of this machine, and between the threads that opened it."""

from __future__ import annotations

import errno
import time
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["locked"]

_PAUSE: Final = 0.05


@contextmanager
def locked(file: IO[bytes]) -> Generator[None]:
    """Wait for the lock of an open file, and hold it."""
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        with _locked_on_windows(file):
            yield
    else:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # A process that was forked meanwhile has the file open, too, and would keep the lock.
            fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def _locked_on_windows(file: IO[bytes]) -> Generator[None]:
    import importlib

    msvcrt: Any = importlib.import_module("msvcrt")
    file.seek(0)
    while True:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # Ctrl-C would not end LK_LOCK, which waits
            break
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EDEADLK):
                raise
        time.sleep(_PAUSE)
    try:
        yield
    finally:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)  # Windows may release it long after the file is closed
