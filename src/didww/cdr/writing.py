"""Errors of writing files."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from didww.exceptions import DidwwClientError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["written"]


@contextmanager
def written(path: str | os.PathLike[str]) -> Generator[None]:
    """Turn errors of writing into one that names the file or folder.

    Raises:
        DidwwClientError: It cannot be written.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error).splitlines()[0]
    else:
        return
    raise DidwwClientError(f"Cannot write {os.fspath(path)}: {reason}.")
