"""Prints the lowest version that pyproject.toml allows of each package that it names, as constraints for pip.

pip install --constraint <(python scripts/lowest.py) --group dev --editable '.[cli,emulator,otel,redis]'
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

LOWER_BOUND = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*>=\s*(?P<version>[\w.]+)")


def lowest() -> dict[str, str]:
    """Return the lowest versions of what the package needs, of its extras, and of pytest, which loads its plugin."""
    text = (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    project = document["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    named += [one for one in document["dependency-groups"]["dev"] if re.match(r"pytest\b(?!-)", one)]
    found = (LOWER_BOUND.match(one) for one in named)
    return {bound["name"].lower(): bound["version"] for bound in found if bound is not None}


if __name__ == "__main__":
    for name, version in lowest().items():
        print(f"{name}=={version}")
