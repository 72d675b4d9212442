"""Write downloads to temporary files and rename them when they are complete.

A killed process leaves its temporary file behind. The next download to the same path deletes it: a file that is being
written is locked, and the system releases the lock when the process ends.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import stat
import sys
from typing import IO

from didww.exceptions import DidwwClientError

__all__ = ["close_file", "open_file", "restart_file", "write_file"]

_PART = re.compile(r"\.[0-9a-f]{8}\.part")

_ours: set[str] = set()
"""Temporary names in use by this process, which its other threads must not delete."""


def open_file(path: str) -> IO[bytes]:
    """Open a new temporary file next to `path`, readable only by its owner, as call records are personal data.

    The name is unique, so that simultaneous downloads to the same path do not interfere and existing links are not
    followed.

    Raises:
        DidwwClientError: The directory does not exist or is not writable, or `path` is not a regular file.
    """
    try:
        _check_target(path)
        _remove_leftovers(path)
        while True:
            name = f"{path}.{secrets.token_hex(4)}.part"
            _ours.add(name)
            try:
                # pathlib is not worth its import here.
                file = open(name, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))  # noqa: SIM115
            except BaseException:
                _ours.discard(name)
                raise
            _lock(file)
            if os.path.exists(name):  # noqa: PTH110 the same
                return file
            file.close()  # another process deleted it before it was locked
            _ours.discard(name)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error) from None


def write_file(file: IO[bytes], data: bytes) -> None:
    """Write `data`.

    Raises:
        DidwwClientError: The disk is full or no longer writable.
    """
    try:
        file.write(data)
    except OSError as error:
        raise _cannot_write(file.name, error) from None


def restart_file(file: IO[bytes]) -> None:
    """Truncate `file` to write it again from the start.

    Raises:
        DidwwClientError: The file cannot be written.
    """
    try:
        file.seek(0)
        file.truncate()
    except OSError as error:
        raise _cannot_write(file.name, error) from None


def close_file(file: IO[bytes], rename_to: str | None) -> None:
    """Close `file` and rename it to `rename_to`, or delete it if that is None.

    Raises:
        DidwwClientError: The file cannot be written or renamed. It is deleted.
    """
    renamed = False
    lock = _keep_lock(file)
    try:
        # Close it first, because Windows cannot rename an open file. Elsewhere `lock` keeps it locked meanwhile.
        with file:
            if rename_to is not None:
                file.flush()
                os.fsync(file.fileno())
        if rename_to is not None:
            _check_target(rename_to)
            os.replace(file.name, rename_to)  # noqa: PTH105 the same
            renamed = True
    except OSError as error:
        if rename_to is not None:  # errors of a discarded file do not matter
            raise _cannot_write(rename_to, error) from None
    finally:
        if not renamed:
            _remove(file.name)
        if lock is not None:
            os.close(lock)
        _ours.discard(file.name)


def _check_target(path: str) -> None:
    """Check that `path` can be replaced by a file.

    Raises:
        OSError: `path`, or the target of its link, is a directory, a pipe or a device.
    """
    if not path:
        raise OSError(errno.ENOENT, "the path is empty")
    if _is_descriptor(path):
        raise OSError(errno.EINVAL, "it is a file descriptor of the process. Download to a regular file")
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 the same
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device. Download to a regular file and copy it")


def _is_descriptor(path: str) -> bool:
    """Return whether `path` is, or links to, a file descriptor such as /dev/stdout or /dev/fd/1."""
    for _ in range(40):  # the maximum number of links that the system follows
        folder = os.path.realpath(os.path.dirname(path) or ".")  # noqa: PTH120 the same
        if folder.startswith("/proc/"):
            return True
        try:
            path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118 the same
        except OSError:
            return False
    return False


def _lock(file: IO[bytes]) -> None:
    """Lock `file` while it is being written."""
    if sys.platform != "win32":  # where open files cannot be deleted
        import fcntl

        # Some network file systems do not support locks; leftovers are not deleted there.
        with contextlib.suppress(OSError):
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def _keep_lock(file: IO[bytes]) -> int | None:
    """Return a descriptor that keeps `file` locked after it is closed. Close it after renaming the file."""
    if sys.platform == "win32":  # where it would keep the file open
        return None
    try:
        return os.dup(file.fileno())
    except (OSError, ValueError):
        return None


def _remove_leftovers(path: str) -> None:
    """Delete temporary files of killed processes that were writing to `path`."""
    folder, name = os.path.split(path)
    with contextlib.suppress(OSError), os.scandir(folder or os.curdir) as entries:
        leftovers = [
            f"{path}{entry.name[len(name) :]}"
            for entry in entries
            if entry.name.startswith(name)
            and _PART.fullmatch(entry.name, len(name))
            and entry.is_file(follow_symlinks=False)
        ]
        for leftover in leftovers:
            if leftover not in _ours:
                _remove_unlocked(leftover)


def _remove_unlocked(name: str) -> None:
    """Delete a file unless it is locked by a writer."""
    if sys.platform == "win32":
        _remove(name)
        return
    import fcntl

    with contextlib.suppress(OSError), open(name, "r+b") as file:  # noqa: PTH123 the same
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(name)


def _remove(name: str) -> None:
    with contextlib.suppress(OSError):
        os.unlink(name)  # noqa: PTH108 the same


def _cannot_write(path: str, error: Exception) -> DidwwClientError:
    hint = " Close it in other programs." if isinstance(error, PermissionError) and sys.platform == "win32" else ""
    return DidwwClientError(f"Cannot write {path}: {getattr(error, 'strerror', None) or error}.{hint}")
