"""Starts `didww emulator` on a free loopback port and lets the PyPI package `didww` drive it (drive.py).

The exit code is that of the driver: 0 if every flow went as it should. The package lives in the environment that the
benchmarks use too (`.venv-vendor`, made when missing; VENDOR_VENV names another).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "benchmarks"))

import run as benchmarks  # noqa: E402 the folder is no package

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "parity"
PATIENCE = 30  # seconds until the emulator has to be there


@contextmanager
def emulator() -> Iterator[str]:
    """The base URL of an emulator in a process of its own, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        ready, log = Path(folder, "ready"), Path(folder, "log")
        command = [
            sys.executable,
            "-m",
            "didww",
            "emulator",
            "--rate-limit=0",  # the package drives a server on this machine faster than 20 requests a second
            "--port",
            "0",
            "--api-key",
            KEY,
            "--ready-file",
            str(ready),
        ]
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + PATIENCE
            while not ready.exists():
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit(f"The emulator did not start:\n{log.read_text('utf-8')}")
                time.sleep(0.05)
            yield ready.read_text(encoding="utf-8").strip()
        finally:
            process.terminate()
            process.wait()


def main() -> int:
    try:
        interpreter, isolated, *_ = benchmarks.vendor()
        benchmarks.output_of([interpreter, isolated, "-c", "import didww.client"])
    except benchmarks.NotMeasuredError as error:
        sys.exit(f"No environment with {benchmarks.VENDOR}: {error}")
    with emulator() as base_url:
        print(f"{benchmarks.VENDOR} against the emulator at {base_url}\n", flush=True)
        return subprocess.run([interpreter, isolated, str(HERE / "drive.py"), base_url, KEY], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
