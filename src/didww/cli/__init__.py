"""The `didww` command. Its commands are loaded when run; what it needs beyond the SDK is the extra `didww-sdk[cli]`."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    try:
        from didww.cli.commands import command
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("didww"):
            raise
        sys.exit(f'The didww command needs {error.name}: install this package with its extras "cli" and "emulator".')
    command()
