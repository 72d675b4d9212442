"""A lock between the runs of the command on this machine, for one account and one reference."""

from __future__ import annotations

import errno
import hashlib
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww.cli.session import Session

__all__ = ["reference_lock"]

_PAUSE: Final = 0.05


@contextmanager
def reference_lock(session: Session, reference: str | None) -> Generator[None]:
    """Let one run at a time look for a reference and order with it; the others wait.

    Args:
        session: The run.
        reference: The reference; without one there is nothing to wait for.
    """
    if reference is None or session.settings.dry_run:
        yield
        return
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("didww", appauthor=False)) / "locks"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    name = hashlib.sha256(f"{session.client.base_url} {session.settings.emulator_file} {reference}".encode())
    with (folder / name.hexdigest()[:16]).open("a+b") as file, _locked(file):
        yield


@contextmanager
def _locked(file: IO[bytes]) -> Generator[None]:
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        with _locked_on_windows(file):
            yield
    else:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # closing the file releases the lock


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
