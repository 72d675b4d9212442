"""The package, the command and the emulator work without the modules and functions that only Unix has."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from support.unix import unix_only

ROOT = Path(__file__).resolve().parents[2]
STRICT = (sys.executable, "-X", "warn_default_encoding", "-W", "error")
"""A missing encoding is an error: that of Windows is not UTF-8."""

IMPORT_ALL = """
import importlib, pkgutil
from support.windows import block_modules
block_modules()
import didww
for module in pkgutil.walk_packages(didww.__path__, "didww."):
    importlib.import_module(module.name)
"""


def environment(home: Path) -> dict[str, str]:
    """The environment of a program, without the variables that tell which shell runs."""
    kept = {name: value for name, value in os.environ.items() if name not in ("SHELL", "MSYSTEM")}
    folders = {name: str(home) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    path = os.pathsep.join((str(ROOT / "src"), str(ROOT / "tests")))
    return {**kept, **folders, "PYTHONPATH": path, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}


def run(home: Path, *arguments: str) -> str:
    """Run Python, check that it succeeds without a word on standard error, and return what it prints."""
    done = subprocess.run(
        [*STRICT, *arguments],
        cwd=home,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_every_module_can_be_imported(tmp_path: Path) -> None:
    """No module of the package imports at its start what only Unix has."""
    run(tmp_path, "-c", IMPORT_ALL)


@unix_only
@pytest.mark.slow
def test_command_works(tmp_path: Path) -> None:
    """A number is bought and its calls are downloaded, with a file for the state, locks and temporary files."""

    def didww(line: str) -> str:
        return run(tmp_path, "-m", "support.windows", "--emulator-file", "state.db", *shlex.split(line))

    didww("trunks create Köln --pstn 442079460999 --yes")
    buy = (
        "numbers buy GB --city London --type local --channels 0 --trunk Köln --reference KTH-1 --yes --query [].number"
    )
    assert re.search(r"4420\d+", didww(buy))
    assert "Köln" in didww("numbers list -o csv --columns number,route")
    didww("exports create cdr_in --last 24h -O calls.csv.gz")
    assert (tmp_path / "calls.csv.gz").read_bytes()[:2] == b"\x1f\x8b"


@unix_only
@pytest.mark.slow
def test_emulator_prints_lines_for_powershell_and_cmd(tmp_path: Path) -> None:
    """It serves, and ends in order: the file that says it is ready is deleted."""
    program = subprocess.Popen(
        [*STRICT, "-u", "-m", "support.windows", "emulator", "--port", "0", "--db", "e.db", "--ready-file", "ready"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert program.stdout is not None
    try:
        told = ""
        while "Console:" not in told and (line := program.stdout.readline()):
            told += line
        found = re.search(r'\$env:DIDWW_BASE_URL = "(http://127\.0\.0\.1:\d+/v3)"\n', told)
        assert found, told
        assert '  $env:DIDWW_API_KEY = "local-key"\n' in told
        assert f"  set DIDWW_BASE_URL={found[1]}\n  set DIDWW_API_KEY=local-key\n" in told
        assert "export" not in told
        assert httpx2.get(f"{found[1]}/balance", headers={"api-key": "local-key"}, timeout=60).status_code == 200
        program.send_signal(signal.SIGTERM)  # stands for Ctrl-Break
        rest, _ = program.communicate(timeout=60)
    finally:
        program.kill()
        program.wait()
        program.stdout.close()
    assert (program.returncode, rest.splitlines()[-1]) == (0, "Stopped.")
    assert not (tmp_path / "ready").exists()


@pytest.mark.slow
def test_tests_can_be_collected(tmp_path: Path) -> None:
    """What only Unix has is imported by the tests that need it, not by their modules.

    The modules are imported as pytest does, but no tests are made of their functions: there are thousands.
    """
    program = (
        "import sys, pytest; from support.windows import block_modules; block_modules()\n"
        "class NoTests:\n    def pytest_pycollect_makeitem(self): return []\n"
        "code = pytest.main(['--collect-only', '-qq', '--assert=plain', '-p', 'no:cacheprovider', '--rootdir', sys.argv[1], sys.argv[1]], "
        "[NoTests()])\n"
        "sys.exit(code != pytest.ExitCode.NO_TESTS_COLLECTED)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT)],
        cwd=ROOT,
        env=environment(tmp_path),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
