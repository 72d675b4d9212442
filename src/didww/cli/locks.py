"""A lock between the runs of the command on this machine, for one account and one reference."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from didww._util.locks import locked

if TYPE_CHECKING:
    from collections.abc import Generator

    from didww.cli.session import Session

__all__ = ["reference_lock"]


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
    with (folder / name.hexdigest()[:16]).open("a+b") as file, locked(file):
        yield
