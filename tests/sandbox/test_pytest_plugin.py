"""The pytest plugin: fixtures that need no conftest, isolated, with xdist too, and what a failure shows."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import didww

PROGRAM = """
import pytest
from didww import VoiceInTrunkGroup

@pytest.mark.parametrize("n", range(6))
def test_alone(didww_sandbox, didww_client, n):
    didww_client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main"))
    assert didww_client.voice_in_trunk_groups().list().total_records == 1
    didww_sandbox.journal.assert_called("POST", "/voice_in_trunk_groups", times=1)

@pytest.mark.anyio
async def test_async(async_didww_client, anyio_backend):
    assert (await async_didww_client.balance().find()).data.balance == 10000

@pytest.mark.didww(freeze="2026-03-01", seed=3, objects={"dids": [{"number": "12125550100"}]})
def test_marked(didww_sandbox, didww_client):
    assert didww_sandbox.clock.now().isoformat() == "2026-03-01T00:00:00+00:00"
    assert didww_client.dids().list().data[0].number == "12125550100"

@pytest.mark.didww(objects="numbers.yaml", preset="maintenance")
def test_file_and_preset(didww_sandbox, didww_client):
    assert didww_sandbox.faults.rules()
    didww_sandbox.faults.clear()
    assert didww_client.dids().list().total_records == 2
"""
MARKED_WRONGLY = """
import pytest
@pytest.mark.didww(freezee="2026-03-01")
def test_misspelt(didww_sandbox):
    pass
@pytest.mark.didww("flaky")
def test_without_a_name(didww_sandbox):
    pass
@pytest.mark.didww(preset=["maintenance", "export-stuck"])
def test_two(didww_sandbox):
    assert len({one.status for one in didww_sandbox.faults.rules()}) > 1
"""
FAILING = """
import pytest
def test_fails(didww_sandbox, didww_client):
    didww_client.countries().list(filter={"iso": "GB"})
    assert False
"""
YAML = 'dids:\n  - number: "12125550100"\n  - number: "12125550101"\n'


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    installed = any(one.name == "didww" for one in importlib.metadata.entry_points(group="pytest11"))
    plugin = [] if installed else ["-p", "didww.sandbox.pytest_plugin"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--strict-markers",
        "-W",
        "error",
        "--rootdir",
        str(folder),
        *plugin,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment["PYTHONPATH"] = str(Path(didww.__file__).parents[1])
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=120, env=environment
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_fixtures(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Each test has a sandbox of its own; the marker says how it is made."""
    (tmp_path / "test_program.py").write_text(PROGRAM)
    (tmp_path / "numbers.yaml").write_text(YAML)
    done = run(tmp_path, *workers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert " passed" in done.stdout


def test_a_failure_shows_the_requests(tmp_path: Path) -> None:
    """What was asked of the sandbox stands below the traceback."""
    (tmp_path / "test_failing.py").write_text(FAILING)
    done = run(tmp_path)
    assert done.returncode == 1
    assert "requests to didww_sandbox" in done.stdout
    assert "GET /countries?filter[iso]=GB -> 200" in done.stdout


def test_a_marker_that_cannot_be_says_what_can(tmp_path: Path) -> None:
    """A misspelt name, and an argument without one."""
    (tmp_path / "test_marks.py").write_text(MARKED_WRONGLY, encoding="utf-8")
    done = run(tmp_path)
    assert "2 errors" in done.stdout
    assert "1 passed" in done.stdout
    assert "takes no freezee. Did you mean 'freeze'?" in done.stdout
    assert "takes names: freeze, objects, preset, path, seed" in done.stdout


def test_it_is_light(tmp_path: Path) -> None:
    """A test run that does not use it imports nothing of the SDK."""
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n    heavy = ('msgspec', 'httpx2', 'didww.client', 'didww.sandbox.engine')\n"
        "    assert not [name for name in heavy if name in sys.modules]\n"
    )
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout


def test_it_is_declared() -> None:
    """The package names the plugin, so that installing it is enough."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\ndidww = "didww.sandbox.pytest_plugin"' in project
