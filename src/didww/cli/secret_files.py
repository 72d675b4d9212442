"""Secrets from files or standard input: options with a secret are visible in the list of processes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["check_new", "read_secret", "write_secrets"]

_MAX_CHARACTERS = 10_000


def read_secret(file: str, option: str) -> str:
    """Return the only line of a file.

    Args:
        file: Path of the file, or `-` for standard input.
        option: The option that names it, for errors.

    Raises:
        UsageError: The file cannot be read, or does not have exactly one line.
    """
    try:
        with click.open_file(file, encoding="utf-8") as stream:
            text: str = stream.read(_MAX_CHARACTERS).removeprefix("\ufeff").strip("\r\n")
    except OSError as error:
        raise click.UsageError(f"{option}: {file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{option}: {file} cannot be read: it is not UTF-8.") from None
    if not text.strip() or "\n" in text:
        raise click.UsageError(f"{option}: {file} must contain one line, the secret.")
    return text


def check_new(path: str) -> None:
    """Check that a file can be created, before anything is sent.

    Raises:
        UsageError: It exists, or its directory cannot be written to.
    """
    if os.path.lexists(path):
        raise click.UsageError(f"--save: {path} exists. Remove it, or name another file.")
    parent = Path(path).resolve().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise click.UsageError(f"--save: {path} cannot be written: {parent} is not a writable directory.")


def write_secrets(path: str, values: Mapping[str, str]) -> None:
    """Write values as JSON to a new file that only the user can read.

    Raises:
        ClickException: It cannot be created.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
