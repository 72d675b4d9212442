"""Files that are written while they come: a temporary name first, and their own when they are whole.

A process that is killed leaves the file with the temporary name behind. The next one that writes to the same path
removes it: whoever writes a file holds a lock on it, which the system releases when the process ends, however it ends.
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
"""Temporary names that this process uses, from before the file is there: its other threads leave them alone."""


def open_file(path: str) -> IO[bytes]:
    """Open a new file beside `path`, readable by its owner only: call records are personal data.

    Its name is its own, so that two downloads to the same path do not write into each other, and no link that lies
    there already is followed.

    Raises:
        DidwwClientError: There is no such folder, it cannot be written, or `path` is something else than a file.
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
            file.close()  # another process took it for a leftover before it was locked
            _ours.discard(name)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error) from None


def write_file(file: IO[bytes], data: bytes) -> None:
    """Write `data`.

    Raises:
        DidwwClientError: The disk is full, or cannot be written any more.
    """
    try:
        file.write(data)
    except OSError as error:
        raise _cannot_write(file.name, error) from None


def restart_file(file: IO[bytes]) -> None:
    """Empty `file`, to write it anew.

    Raises:
        DidwwClientError: It cannot be written.
    """
    try:
        file.seek(0)
        file.truncate()
    except OSError as error:
        raise _cannot_write(file.name, error) from None


def close_file(file: IO[bytes], rename_to: str | None) -> None:
    """Close `file` and give it its name, or remove it.

    Raises:
        DidwwClientError: It cannot be written to its end, or cannot get that name; it was removed.
    """
    renamed = False
    lock = _keep_lock(file)
    try:
        # Closed first: Windows renames no file that is open. Elsewhere `lock` keeps it locked until it has its name.
        with file:
            if rename_to is not None:
                file.flush()
                os.fsync(file.fileno())
        if rename_to is not None:
            _check_target(rename_to)
            os.replace(file.name, rename_to)  # noqa: PTH105 the same
            renamed = True
    except OSError as error:
        if rename_to is not None:  # what is not wanted need not get to the disk
            raise _cannot_write(rename_to, error) from None
    finally:
        if not renamed:
            _remove(file.name)
        if lock is not None:
            os.close(lock)
        _ours.discard(file.name)


def _check_target(path: str) -> None:
    """Refuse what a file must not take the place of.

    Raises:
        OSError: `path`, or what a link of that name leads to, is a folder, a pipe or a device.
    """
    if not path:
        raise OSError(errno.ENOENT, "the path is empty")
    if _is_descriptor(path):
        raise OSError(errno.EINVAL, "it stands for an open file of the process. Download to a regular file")
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 the same
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a pipe or a device. Download to a regular file, and copy it from there")


def _is_descriptor(path: str) -> bool:
    """Whether `path` is, or is a link to, a name that the system gives an open file: /dev/stdout, /dev/fd/1."""
    for _ in range(40):  # as many links as the system follows
        folder = os.path.realpath(os.path.dirname(path) or ".")  # noqa: PTH120 the same
        if folder.startswith("/proc/"):
            return True
        try:
            path = os.path.join(folder, os.readlink(path))  # noqa: PTH115, PTH118 the same
        except OSError:
            return False
    return False


def _lock(file: IO[bytes]) -> None:
    """Mark `file` as one that somebody writes."""
    if sys.platform != "win32":  # where nobody can remove an open file
        import fcntl

        # Some network file systems have no locks: nobody gets one there, and so nothing is removed.
        with contextlib.suppress(OSError):
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)


def _keep_lock(file: IO[bytes]) -> int | None:
    """What holds the lock of `file` after it is closed; close it when the file has its name."""
    if sys.platform == "win32":  # where it would keep the file open
        return None
    try:
        return os.dup(file.fileno())
    except (OSError, ValueError):
        return None


def _remove_leftovers(path: str) -> None:
    """Remove the files that processes left which were killed while they wrote to `path`."""
    folder, name = os.path.split(path)
    with contextlib.suppress(OSError), os.scandir(folder or os.curdir) as entries:
        found = [
            f"{path}{entry.name[len(name) :]}"
            for entry in entries
            if entry.name.startswith(name)
            and _PART.fullmatch(entry.name, len(name))
            and entry.is_file(follow_symlinks=False)
        ]
        for leftover in found:
            if leftover not in _ours:
                _remove_unlocked(leftover)


def _remove_unlocked(name: str) -> None:
    """Remove a file unless somebody writes it."""
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
    return DidwwClientError(f"Cannot write {path}: {getattr(error, 'strerror', None) or error}.")
