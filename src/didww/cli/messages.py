"""Lines for a person, on standard error."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

from didww._util.text import printable

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["colored", "for_shell", "say", "say_error", "show_version_warnings"]

# What the client advises programs, and what it is in a shell.
_ADVICE: Final = (
    (re.compile(r"(\w+)\(\)\.(?:list|one)\((?:filter=)?\{'([^']+)': '([^']*)'\}\)"), r"didww \1 list -f \2=\3"),
    (re.compile(r"(\w+)\(\)\.list\(sort='([^']+)'\)"), r"didww \1 list --sort=\2"),
    (re.compile(r" ?The `report` attribute of this error lists what was done and what may have been done\."), ""),
    (re.compile(r" ?In a trusted private network, pass allow_insecure=True to the client\."), ""),
    (re.compile(r" ?To send it unchecked: QueryParams\(\)[^.]*\.param\(.*?\)\."), ""),
    (
        re.compile(r"([\d-]+) (is the last version that has it\.) ((?:Use|Read|Filter by|Sort by) .+?) instead\."),
        r"\1 \2 \3 instead, or pass --api-version \1.",
    ),
    (re.compile(r"Only clients with api_version='([\d-]+)' have it\."), r"Pass --api-version \1."),
    (re.compile(r"\bapi_version=['\"]?(\d{4}-\d\d-\d\d)['\"]?(?: to the client)?"), r"--api-version \1"),
    (re.compile(r"(?<=Use )the attribute number_type\b[^.]*?,?(?= instead)"), "--number-type of didww did-groups list"),
    (re.compile(r"(?<=Use )the attribute pop_code\b[^.]*?,?(?= instead)"), "--pop of didww trunks create"),
    (re.compile(r"\bdecompress=True\b"), "--decompress"),
    (re.compile(r"Check scope= and api_version=, and expires_in= of the TokenProvider\."), "Check --api-version."),
    (
        re.compile(r"Check service_urls\b"),
        "Check DIDWW_VOICE_IN_PRICES_URL, DIDWW_VOICE_OUT_PRICES_URL and DIDWW_SMS_PRICES_URL",
    ),
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


def show_version_warnings() -> Callable[[], None]:
    """Print warnings about the API version as lines for a person; return a function that ends this."""
    import warnings

    from didww.exceptions import ApiVersionWarning

    show = warnings.showwarning

    def show_as_line(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, ApiVersionWarning):
            say(f"Warning: {for_shell(str(message))}")
        else:
            show(message, category, *place, **more)

    def end() -> None:
        warnings.showwarning = show

    warnings.showwarning = show_as_line
    return end


def colored(stream: object) -> bool:
    """Return whether a stream gets colors."""
    isatty = getattr(stream, "isatty", None)
    return isatty is not None and bool(isatty()) and not os.environ.get("NO_COLOR")


def _print(text: str, start: str) -> None:
    text = f"{start}{text}"
    if sys.stderr.isatty():
        text = _wrapped(text, max(20, shutil.get_terminal_size().columns))
    if start and colored(sys.stderr):
        text = click.style(start.rstrip(), fg="red", bold=True) + text[len(start) - 1 :]
    with suppress(OSError):  # a closed standard error must not end what is going on
        click.echo(text, err=True)


def _wrapped(text: str, width: int) -> str:
    """Return a text wrapped between words; a command in it stays whole, so that it can be copied."""
    command = _COMMAND.search(text)
    before = text if command is None else text[: command.start()].rstrip()
    indent = " " * (len(text) - len(text.lstrip(" ")))
    lines = textwrap.wrap(
        before, width, subsequent_indent=indent and f"{indent}  ", break_long_words=False, break_on_hyphens=False
    )
    if command is not None:
        rest = text[command.start() :]
        if lines and len(lines[-1]) + 1 + len(rest) <= width:
            lines[-1] += f" {rest}"
        else:
            lines.append(rest)
    return "\n".join(lines)


_COMMAND: Final = re.compile(r"(?<![\w/.-])didww (?=[\w-])")
