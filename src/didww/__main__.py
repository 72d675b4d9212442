"""`python -m didww`: the command `didww`, where scripts are not on the path."""

from __future__ import annotations

from didww.cli import main

if __name__ == "__main__":  # processes that are spawned import this module
    main()
