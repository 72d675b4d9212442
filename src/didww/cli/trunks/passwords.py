"""The password that a trunk authenticates with: from a file, standard input or a question, never from an option."""

from __future__ import annotations

import sys
from typing import Final

import click

from didww.cli.framework import SectionOption
from didww.cli.secret_files import read_secret

__all__ = ["auth_password", "password_option"]

password_option: Final = click.option(
    "--auth-password-file",
    cls=SectionOption,
    section="Authentication to the host",
    metavar="FILE",
    help="File with the password of --auth-user; - for standard input. Defaults to asking.",
)


def auth_password(user: str, file: str | None) -> str:
    """Return the password of a user.

    Raises:
        UsageError: It cannot be read, or there is no terminal to ask at.
    """
    if file is None:
        if not sys.stdin.isatty():
            raise click.UsageError(
                "--auth-user needs a password, and there is no terminal to ask at. Pass it with "
                "--auth-password-file FILE, or - for standard input."
            )
        text: str = click.prompt(f"Password of {user}", hide_input=True, err=True)
        return text
    return read_secret(file, "--auth-password-file")
