"""Files that are written while they come: a temporary name first, and their own when they are whole."""

from __future__ import annotations

import os
import secrets
from typing import IO

from didww.exceptions import DidwwClientError

__all__ = ["close_file", "open_file", "restart_file", "write_file"]


def open_file(path: str) -> IO[bytes]:
    """A new file beside `path`, readable by its owner only: call records are personal data.

    Its name is its own, so that two downloads to the same path do not write into each other, and no link that lies
    there already is followed.

    Raises:
        DidwwClientError: There is no such folder, or it cannot be written.
    """
    name = f"{path}.{secrets.token_hex(4)}.part"
    try:
        return open(name, "xb", opener=lambda path, flags: os.open(path, flags, 0o600))
    except (OSError, ValueError) as error:
        raise DidwwClientError(f"Cannot write {path}: {_reason(error)}.") from None


def write_file(file: IO[bytes], data: bytes) -> None:
    """Write `data`.

    Raises:
        DidwwClientError: The disk is full, or cannot be written any more.
    """
    try:
        file.write(data)
    except OSError as error:
        raise DidwwClientError(f"Cannot write {file.name}: {_reason(error)}.") from None


def restart_file(file: IO[bytes]) -> None:
    """Empty `file`, to write it anew.

    Raises:
        DidwwClientError: It cannot be written.
    """
    try:
        file.seek(0)
        file.truncate()
    except OSError as error:
        raise DidwwClientError(f"Cannot write {file.name}: {_reason(error)}.") from None


def close_file(file: IO[bytes], rename_to: str | None) -> None:
    """Close `file` and give it its name, or remove it.

    Raises:
        DidwwClientError: It cannot be written to its end, or cannot get that name.
    """
    failure: DidwwClientError | None = None
    try:
        if rename_to is not None:
            file.flush()
            os.fsync(file.fileno())
            os.replace(file.name, rename_to)  # noqa: PTH105 pathlib is not worth its import here
    except OSError as error:
        failure = DidwwClientError(f"Cannot write {rename_to}: {_reason(error)}.")
    finally:
        file.close()
    if rename_to is None or failure is not None:
        os.unlink(file.name)  # noqa: PTH108 the same
    if failure is not None:
        raise failure


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
