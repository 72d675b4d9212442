"""Print lines to standard output while a server runs."""

from __future__ import annotations

import json
import os
import sys

import click
import msgspec

__all__ = ["json_line", "tell"]


def tell(line: str, color: str | None) -> bool:
    """Print a line and flush it; return False if the output is closed, as after `... | head`.

    Args:
        line: The text, printable characters only.
        color: Name of the color, or None. Ignored if NO_COLOR is set, or if the output is not a terminal.
    """
    plain = color is None or bool(os.environ.get("NO_COLOR"))
    try:
        click.echo(line if plain else click.style(line, fg=color))
        sys.stdout.flush()
    except (OSError, ValueError):  # broken pipe, full disk, or closed
        return False
    return True


def json_line(value: object) -> str:
    """Return `value` as one line of JSON, with control and bidirectional characters escaped."""
    line = msgspec.json.encode(value).decode()
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)
