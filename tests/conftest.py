"""What all tests share: helper modules that lie beside the tests can be imported by name."""

from __future__ import annotations

import sys
from pathlib import Path

for folder in ("unit", "core", "contract", "sandbox"):
    sys.path.append(str(Path(__file__).parent / folder))
