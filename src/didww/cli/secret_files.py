"""Secrets from files or standard input: options with a secret are visible in the list of processes."""

from __future__ import annotations

import click

__all__ = ["read_secret"]

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
