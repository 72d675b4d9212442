"""The emulator of `--emulator`: kept in a file, in this process."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from didww.cli.session import data_directory

if TYPE_CHECKING:
    from didww.emulator import Emulator

__all__ = ["emulator_path", "fault_of", "open_emulator"]

_HEAD: Final = b"SQLite format 3\0"
_OWN_TABLES: Final = frozenset({"meta", "accounts", "filled"})
"""Tables that each state of an emulator has."""
_IN_USE: Final = "is used by another emulator"


def emulator_path(file: str | None) -> Path:
    """Return the path of the file: `file`, or the user's own."""
    return Path(file) if file is not None else data_directory() / "emulator.db"


def fault_of(path: Path) -> str:
    """Return why a file is not the state of an emulator; empty if it is, or does not exist. The file is not touched."""
    if path.is_dir():
        return f"{path} is a directory."
    if not path.exists() or not path.stat().st_size:
        return ""
    with path.open("rb") as file:
        if file.read(len(_HEAD)) != _HEAD:
            return f"{path} is not an emulator file."
    # Immutable: locks and the files beside it are left alone. Without tables, all is still in its log.
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return ""  # changed meanwhile, or damaged: the emulator says so
    return f"{path} is the database of another program." if tables and not tables >= _OWN_TABLES else ""


def open_emulator(file: str | None) -> Emulator:
    """Return the emulator in `file`, or in the user's own file. If another program uses it, wait a few seconds.

    Raises:
        ClickException: The file cannot be used.
    """
    from didww.emulator import Emulator

    path = emulator_path(file)
    try:
        if fault := fault_of(path):
            raise click.ClickException(f"{fault} Pass another --emulator-file.")
        path.parent.mkdir(parents=True, exist_ok=True)
        return Emulator(path=str(path))
    except (OSError, ValueError, sqlite3.Error) as error:
        if _IN_USE in str(error):
            raise click.ClickException(
                f"{path} is in use. Another `didww --emulator` command may be waiting at a question: answer it and try "
                "again, or pass another --emulator-file."
            ) from None
        raise click.ClickException(f"The emulator cannot use {path}: {_why(error, path)}") from None


def _why(error: Exception, path: Path) -> str:
    text = (error.strerror or str(error)) if isinstance(error, OSError) else str(error)
    return f"{text.removeprefix(f'{path} ').rstrip('.')}."
