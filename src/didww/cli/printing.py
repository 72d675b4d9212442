"""Lines on standard output, while a server runs."""

from __future__ import annotations

import os
import sys

import click

__all__ = ["printable", "tell"]


def tell(line: str, colour: str | None) -> bool:
    """Print a line at once; False if nobody reads any more, as after `... | head`.

    Args:
        line: The text; what cannot be printed has been taken out.
        colour: Its colour, or None. NO_COLOR is heeded; click leaves colours out where the output is no terminal.
    """
    plain = colour is None or bool(os.environ.get("NO_COLOR"))
    try:
        click.echo(line if plain else click.style(line, fg=colour))
        sys.stdout.flush()
    except (OSError, ValueError):  # gone, full, or closed
        return False
    return True


def printable(text: str) -> str:
    """What a stranger sent may not steer the terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
