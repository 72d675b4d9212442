"""A lock that one process at a time holds, and that the system releases when the process ends, even if it is killed."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING

from didww._util.locks import try_lock, unlock
from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

__all__ = ["FolderLock"]


class FolderLock:
    """A lock in a file, which stays there.

    It is held until it is released and all that uses it has ended: a thread goes on when the task that waits for it is
    canceled.

    Args:
        path: The file; created if missing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._mutex = threading.Lock()
        self._users = 0
        self._released = False

    @contextlib.contextmanager
    def in_use(self) -> Generator[None]:
        """Keep the lock meanwhile.

        Raises:
            DidwwClientError: The lock was released.
        """
        with self._mutex:
            if self._released:
                raise DidwwClientError("The call was canceled.")
            self._users += 1
        try:
            yield
        finally:
            with self._mutex:
                self._users -= 1
                self._unlock_if_unused()

    def acquire(self) -> bool:
        """Take the lock; return False if another process or thread has it. Call it while it is `in_use`.

        Raises:
            OSError: The file cannot be opened, or its file system has no locks.
        """
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            taken = try_lock(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        if not taken:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Release the lock, if it was taken, as soon as nothing uses it."""
        with self._mutex:
            self._released = True
            self._unlock_if_unused()

    def _unlock_if_unused(self) -> None:
        if self._users or not self._released or self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        unlock(descriptor)
        os.close(descriptor)
