"""Lines for a person, on standard error."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from contextlib import suppress
from typing import Final

import click

from didww._util.text import printable

__all__ = ["colored", "for_shell", "say", "say_error"]

# What the client advises programs, and what it is in a shell.
_ADVICE: Final = (
    (re.compile(r"(\w+)\(\)\.(?:list|one)\((?:filter=)?\{'([^']+)': '([^']*)'\}\)"), r"didww \1 list -f \2=\3"),
    (re.compile(r"(\w+)\(\)\.list\(sort='([^']+)'\)"), r"didww \1 list --sort=\2"),
    (re.compile(r" ?The `report` attribute of this error lists what was done and what may have been done\."), ""),
    (re.compile(r" ?In a trusted private network, pass allow_insecure=True to the client\."), ""),
    (re.compile(r" ?To send it unchecked: QueryParams\(\)[^.]*\.param\(.*?\)\."), ""),
    (re.compile(r"\bbase_url\b(?! ?=)"), "--base-url"),
    (re.compile(r"\btimeout=(?=[.,;\s]|$)"), "--timeout"),
)


def for_shell(text: str) -> str:
    """Return a message of the client with its advice as commands and options."""
    for pattern, replacement in _ADVICE:
        text = pattern.sub(replacement, text)
    return text


def say(text: str) -> None:
    """Print a line, wrapped on a terminal between words; if nobody reads it any more, go on."""
    _print(printable(text), "")


def say_error(text: str) -> None:
    """Print an error."""
    _print(printable(text), "Error: ")


def colored(stream: object) -> bool:
    """Return whether a stream gets colors."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty()) and not os.environ.get("NO_COLOR")


def _print(text: str, start: str) -> None:
    if sys.stderr.isatty():
        indent = re.match(r" *", text)
        text = "\n".join(
            textwrap.wrap(
                f"{start}{text}",
                max(20, shutil.get_terminal_size().columns),
                subsequent_indent=indent[0] + "  " if indent is not None and indent[0] else "",
                break_long_words=False,
                break_on_hyphens=False,
                drop_whitespace=True,
                replace_whitespace=False,
            )
        )
    else:
        text = f"{start}{text}"
    if start and colored(sys.stderr):
        text = click.style(start.rstrip(), fg="red", bold=True) + text[len(start) - 1 :]
    with suppress(OSError):  # a closed standard error must not end what is going on
        click.echo(text, err=True)
