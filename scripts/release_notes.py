"""Print the section of CHANGELOG.md for a tag such as v3.3.0, after a check that it is the version of the package."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

__all__ = ["notes"]

ROOT = Path(__file__).resolve().parents[1]


def notes(tag: str) -> str:
    """Return the section.

    Raises:
        ValueError: The tag is not the version, or there is no section.
    """
    version = runpy.run_path(str(ROOT / "src" / "didww" / "version.py"))["__version__"]
    if tag != f"v{version}":
        raise ValueError(f"The tag must be v{version}, as in src/didww/version.py, got {tag}.")
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(
        rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE
    )
    if found is None:
        raise ValueError(f"CHANGELOG.md has no section `## {version} - DATE`.")
    return found[1].strip()


if __name__ == "__main__":
    try:
        print(notes(sys.argv[1]))
    except ValueError as error:
        sys.exit(str(error))
