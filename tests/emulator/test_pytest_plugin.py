"""Test the pytest plugin: fixtures without a conftest, isolation, xdist, failure reports."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

import didww

pytestmark = pytest.mark.slow

PROGRAM = """
import pytest
from didww import VoiceInTrunkGroup

@pytest.mark.parametrize("n", range(6))
def test_emulators_are_isolated(didww_emulator, didww_client, n):
    didww_client.voice_in_trunk_groups().create(VoiceInTrunkGroup(name="Main"))
    assert didww_client.voice_in_trunk_groups().list().total_records == 1
    didww_emulator.journal.assert_called("POST", "/voice_in_trunk_groups", times=1)

@pytest.mark.anyio
async def test_async(async_didww_client, anyio_backend):
    assert (await async_didww_client.balance().find()).data.balance == 10000

@pytest.mark.didww(freeze="2026-03-01", seed=3, objects={"dids": [{"number": "12125550100"}]})
def test_marked(didww_emulator, didww_client):
    assert didww_emulator.clock.now().isoformat() == "2026-03-01T00:00:00+00:00"
    assert didww_client.dids().list().data[0].number == "12125550100"

@pytest.mark.didww(objects="numbers.yaml", preset="maintenance")
def test_file_and_preset(didww_emulator, didww_client):
    assert didww_emulator.faults.rules()
    didww_emulator.faults.clear()
    assert didww_client.dids().list().total_records == 2
"""
MARKED_WRONGLY = """
import pytest
@pytest.mark.didww(freezee="2026-03-01")
def test_misspelled(didww_emulator):
    pass
@pytest.mark.didww("flaky")
def test_without_a_name(didww_emulator):
    pass
@pytest.mark.didww(preset=5)
def test_invalid_preset(didww_emulator):
    pass
@pytest.mark.didww(preset=["flaky", 5])
def test_invalid_preset_in_a_list(didww_emulator):
    pass
@pytest.mark.didww(preset=["maintenance", "export-stuck"])
def test_two_presets(didww_emulator):
    assert len({rule.status for rule in didww_emulator.faults.rules()}) > 1
"""
FAILING = """
import pytest
def test_fails(didww_emulator, didww_client):
    didww_client.countries().list(filter={"iso": "GB"})
    assert False

@pytest.fixture
def number(didww_client):
    return didww_client.dids().list(filter={"number": "12025550100"}).data[0]

def test_setup_fails(number):
    pass
"""
LOOPS = """
import asyncio
import threading
import pytest

@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield loop
    assert asyncio.get_event_loop_policy().get_event_loop() is loop
    loop.close()
    asyncio.set_event_loop(None)

@pytest.fixture
def running(loop):  # as under Playwright or in a notebook: while the test and its fixtures run, so does a loop
    asyncio._set_running_loop(loop)
    yield loop
    assert asyncio.get_running_loop() is loop
    asyncio._set_running_loop(None)

def test_a_loop_of_its_own(loop, async_didww_client):
    assert loop.run_until_complete(async_didww_client.balance().find()).data.balance == 10000

def test_a_running_loop(running, async_didww_client):
    def elsewhere():
        assert asyncio.run(async_didww_client.balance().find()).data.balance == 10000
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
"""
STATES = """
from freezegun import freeze_time

def test_without_a_journal(didww_emulator, didww_client):
    didww_emulator.journal = None
    assert False

def test_in_a_freeze(didww_emulator, didww_client):
    freeze_time("2026-03-01").start()  # until the process ends
    didww_client.countries().list(filter={"iso": "GB"})
    assert False
"""
OLD = """
import sys
import pytest

def hookimpl(function=None, hookwrapper=False, optionalhook=False, tryfirst=False, trylast=False):
    return real(function, hookwrapper, optionalhook, tryfirst, trylast)

real, pytest.hookimpl = pytest.hookimpl, hookimpl
for name in ("Stash", "StashKey"):
    delattr(pytest, name)
import didww.emulator.pytest_plugin
"""
YAML = 'dids:\n  - number: "12125550100"\n  - number: "12125550101"\n'


def run(folder: Path, *arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    installed = python != sys.executable or any(
        entry_point.name == "didww" for entry_point in importlib.metadata.entry_points(group="pytest11")
    )
    plugin = [] if installed else ["-p", "didww.emulator.pytest_plugin"]
    command = [
        python,
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
        [*command, *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
        env=environment,
    )


@pytest.mark.parametrize("workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)])
def test_plugin_fixtures(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """Each test has its own emulator, configured by the marker."""
    (tmp_path / "test_program.py").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "numbers.yaml").write_text(YAML, encoding="utf-8")
    done = run(tmp_path, *workers)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout
    assert " passed" in done.stdout


def test_failed_test_reports_emulator_requests(tmp_path: Path) -> None:
    """Requests are listed below the traceback, for failed fixtures too."""
    (tmp_path / "test_failing.py").write_text(FAILING, encoding="utf-8")
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("requests to didww_emulator") == 2
    assert "GET /countries?filter[iso]=GB -> 200" in done.stdout
    assert "GET /dids?filter[number]=12025550100 -> 200" in done.stdout


def test_invalid_marker_error_lists_valid_arguments(tmp_path: Path) -> None:
    """A misspelled name, a positional argument, a preset that is not a name."""
    (tmp_path / "test_marks.py").write_text(MARKED_WRONGLY, encoding="utf-8")
    done = run(tmp_path)
    assert "4 errors" in done.stdout
    assert "1 passed" in done.stdout
    assert "must be a name or a list of names, got 5. Write" in done.stdout
    assert "must be a name or a list of names, got ['flaky', 5]. Write" in done.stdout
    assert "takes no freezee. Did you mean 'freeze'?" in done.stdout
    assert "takes keyword arguments only: freeze, objects, preset, path, seed" in done.stdout


def test_plugin_imports_the_sdk_lazily(tmp_path: Path) -> None:
    """A test run that does not use the plugin does not import the SDK."""
    (tmp_path / "test_light.py").write_text(
        "import sys\ndef test_light():\n    heavy = ('msgspec', 'httpx2', 'didww.client', 'didww.emulator.engine.engine')\n"
        "    assert not [name for name in heavy if name in sys.modules]\n",
        encoding="utf-8",
    )
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout


def test_plugin_leaves_event_loops_unchanged(tmp_path: Path) -> None:
    """The asynchronous client keeps the event loop that a test has set or runs."""
    (tmp_path / "test_loops.py").write_text(LOOPS, encoding="utf-8")
    done = run(tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_report_errors_do_not_stop_the_run(tmp_path: Path) -> None:
    """Without a journal or with a frozen clock, only the test itself fails."""
    pytest.importorskip("freezegun")
    (tmp_path / "test_states.py").write_text(STATES, encoding="utf-8")
    done = run(tmp_path)
    assert "INTERNALERROR" not in done.stdout + done.stderr
    assert "cannot be shown: AttributeError" in done.stdout
    assert "2 failed" in done.stdout


def test_plugin_works_without_newer_pytest_features() -> None:
    """The plugin loads with old pytest versions: no new-style wrappers, no stash."""
    environment = {**os.environ, "PYTHONPATH": str(Path(didww.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", OLD], check=True, timeout=120, env=environment)


@pytest.mark.skipif("OLD_PYTEST" not in os.environ, reason="OLD_PYTEST names no Python with an old pytest (.ci/run)")
def test_plugin_runs_with_an_old_pytest(tmp_path: Path) -> None:
    """The plugin works and breaks no run."""
    (tmp_path / "test_plain.py").write_text("def test_plain():\n    pass\n", encoding="utf-8")
    (tmp_path / "test_failing.py").write_text(FAILING, encoding="utf-8")
    done = run(tmp_path, python=os.environ["OLD_PYTEST"])
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "GET /countries?filter[iso]=GB -> 200" in done.stdout


def test_plugin_entry_point_is_declared() -> None:
    """Installing the package is enough to load the plugin."""
    project = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert '[project.entry-points.pytest11]\ndidww = "didww.emulator.pytest_plugin"' in project
