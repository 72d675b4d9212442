"""What is generated follows from its sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from synchronous import synchronous

ROOT = Path(__file__).parents[2]


def test_generated_files_are_up_to_date() -> None:
    """After a change of a declaration or of the asynchronous source, scripts/generate.py was run."""
    command = [sys.executable, str(ROOT / "scripts" / "generate.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_synchronous_source_has_no_trace_of_the_asynchronous() -> None:
    """Words, marked lines and names."""
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


def test_a_missing_text_is_reported() -> None:
    """A replacement of documentation that finds nothing is an error, not a silent difference."""
    with pytest.raises(ValueError, match=r"async_client\.py has no"):
        synchronous("x", "async_client.py")
