"""The emulator of `--emulator`: kept in a file, in this process."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import click

from didww.cli.session import data_directory

if TYPE_CHECKING:
    from didww.emulator import Emulator

__all__ = ["emulator_path", "open_emulator"]


def emulator_path(file: str | None) -> Path:
    """Return the path of the file: `file`, or the user's own."""
    return Path(file) if file is not None else data_directory() / "emulator.db"


def open_emulator(file: str | None) -> Emulator:
    """Return the emulator in `file`, or in the user's own file."""
    from didww.emulator import Emulator

    path = emulator_path(file)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Emulator(path=str(path))
    except (OSError, ValueError, sqlite3.Error) as error:
        raise click.ClickException(f"--emulator-file: cannot use {path}: {error}") from None
