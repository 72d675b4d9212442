"""Print the lowest versions of the dependencies in pyproject.toml, as pip constraints.

pip install --constraint <(python scripts/lowest.py) --group dev --editable '.[cli,emulator,sip,otel,redis]'
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

LOWER_BOUND = re.compile(r"(?P<name>[\w.-]+)(?:\[[^\]]*\])?\s*>=\s*(?P<version>[\w.]+)")


def lowest() -> dict[str, str]:
    """Return the lowest versions of the dependencies, the extras and pytest, which loads the package's plugin."""
    text = (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    project = document["project"]
    extras = project["optional-dependencies"].values()
    requirements = [*project["dependencies"], *(requirement for extra in extras for requirement in extra)]
    requirements += [line for line in document["dependency-groups"]["dev"] if re.match(r"pytest\b(?!-)", line)]
    bounds = map(LOWER_BOUND.match, requirements)
    return {bound["name"].lower(): bound["version"] for bound in bounds if bound is not None}


if __name__ == "__main__":
    for name, version in lowest().items():
        print(f"{name}=={version}")
