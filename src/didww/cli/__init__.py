"""The `didww` command. Its dependencies are loaded on use; install them with the extra `didww-sdk[cli]`."""

from __future__ import annotations

import sys
from typing import cast

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # httpcore2 imports trio where it is installed, which doubles its time; the command does not use it.
    cast("dict[str, object]", sys.modules).setdefault("trio", None)
    try:
        from didww.cli.app import run

        code = run()
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("didww"):
            raise
        sys.exit(f'The didww command needs {error.name}. Install it with: pip install "didww-sdk[cli,emulator]"')
    except KeyboardInterrupt:  # before the command has begun
        code = 130
    sys.exit(code)
