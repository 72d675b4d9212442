"""The commands of the Containerfile work: the entry point serves, and the health check sees it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytestmark = pytest.mark.slow

TEXT = (Path(__file__).parents[2] / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "")


def instruction(pattern: str) -> list[str]:
    """Return the arguments of an instruction in exec form."""
    found = re.search(rf"^{pattern}(\[.*\])$", TEXT, re.MULTILINE)
    assert found is not None, pattern
    return [str(word) for word in json.loads(found[1])]


def local(command: list[str], port: str) -> list[str]:
    """Return a command of the container as one of this machine."""
    program = [sys.executable] if command[0] == "python" else [sys.executable, "-u", "-m", "didww"]
    assert command[0] in ("python", "didww")
    return [*program, *(word.replace("8750", port) for word in command[1:])]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM, which `docker stop` sends, ends a process at once there")
def test_container_serves_and_its_health_check_notices(tmp_path: Path) -> None:
    """The check fails before the emulator serves and after it stopped, and passes in between."""
    ready = tmp_path / "ready"
    command = [*instruction("ENTRYPOINT "), *instruction("CMD ")]
    assert command[-2:] == ["--host", "0.0.0.0"]
    loopback = ["--host", "127.0.0.1", "--port", "0", "--ready-file", str(ready)]  # the last one counts
    server = subprocess.Popen([*local(command, "0"), *loopback], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + 60
        while not ready.exists():
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        port = str(urlsplit(ready.read_text(encoding="utf-8").strip()).port)
        check = local(instruction("HEALTHCHECK .*CMD "), port)
        subprocess.run(check, check=True, capture_output=True)
        server.terminate()
        output, _ = server.communicate(timeout=60)
        assert server.returncode == 0, output
        assert subprocess.run(check, check=False, capture_output=True).returncode != 0
    finally:
        if server.poll() is None:
            server.kill()
            server.communicate()


def test_container_needs_only_what_it_copies() -> None:
    """The ignore file lets exactly the copied paths into the build."""
    ignored = Path(__file__).parents[2] / ".dockerignore"
    if not ignored.exists():
        pytest.skip("not a checkout")
    allowed = {line[1:] for line in ignored.read_text(encoding="utf-8").splitlines() if line.startswith("!")}
    copied = {word for words in re.findall(r"^COPY (?!--from)(.*) \S+$", TEXT, re.MULTILINE) for word in words.split()}
    assert allowed == copied
