"""Generated files match their sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synchronous import synchronous

ROOT = Path(__file__).parents[2]


def test_generated_files_are_up_to_date() -> None:
    """The generated files match the output of scripts/generate.py."""
    command = [sys.executable, str(ROOT / "scripts" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_synchronous_source_has_no_async_code() -> None:
    """No async keywords, marked lines or names remain."""
    source = (
        "from didww._endpoints.async_base import AsyncEndpoint\n"
        "import anyio  # async\n"
        "# sync: import threading\n"
        "async def run(client: AsyncClient) -> None:\n"
        "    async with client as entered:\n"
        "        return [await one async for one in entered]\n"
    )
    assert synchronous(source) == (
        "from didww._endpoints.base import Endpoint\n"
        "import threading\n"
        "def run(client: Client) -> None:\n"
        "    with client as entered:\n"
        "        return [one for one in entered]\n"
    )


def test_missing_replacement_text_is_reported() -> None:
    """A documentation replacement that matches nothing raises an error."""
    with pytest.raises(ValueError, match=r"async_client\.py has no"):
        synchronous("x", "async_client.py")
