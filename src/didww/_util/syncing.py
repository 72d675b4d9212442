"""Write the names in a folder to disk."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["sync_folder"]

_CANNOT: Final = frozenset({errno.EINVAL, getattr(errno, "ENOTSUP", errno.EINVAL)})


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to disk, so that they survive a power failure, where the system can do that.

    Windows and some network file systems cannot, and a folder may not be listed by everybody who may write into it.

    Raises:
        OSError: The disk is broken.
    """
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
    finally:
        os.close(descriptor)
