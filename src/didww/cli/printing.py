"""Lines on standard output, while a server runs."""

from __future__ import annotations

import json
import os
import sys

import click
import msgspec

__all__ = ["json_line", "tell"]


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


def json_line(value: object) -> str:
    """Return `value` as JSON in one line, with escapes for what would steer a terminal or turn text around."""
    line = msgspec.json.encode(value).decode()
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
