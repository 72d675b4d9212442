"""`scripts/run.py` runs the tasks of the Makefile on any system."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "run.py"
PYTHON = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")


class Programs:
    """The programs that a task has started: each ends at once, with success unless its words contain `fails`."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        self.python = venv.joinpath(*PYTHON)
        self.fails = ""
        self.started: list[str] = []

    def __call__(self, command: tuple[str, ...], cwd: Path) -> Any:
        words = [word.replace(f"{self.venv}{os.sep}", "") for word in command]
        self.started.append(" ".join(words))
        if "venv" in words:
            self.python.parent.mkdir(parents=True, exist_ok=True)
            self.python.touch()
        failed = bool(self.fails) and self.fails in words
        return type("Process", (), {"returncode": 3 if failed else 0})()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script, of a project in `tmp_path`, whose programs are not really started."""
    spec = importlib.util.spec_from_file_location("didww_tasks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    module.programs = Programs(tmp_path / ".venv")
    monkeypatch.setattr(module.subprocess, "Popen", module.programs)
    return module


def test_package_is_installed_once(run: Any, tmp_path: Path) -> None:
    """And again when pyproject.toml has changed."""
    demo = [f"{Path(*PYTHON)} examples/demo.py"]
    assert run.main(["demo"]) == 0
    setup, install, *rest = run.programs.started
    assert setup.endswith("-m venv " + str(tmp_path / ".venv"))
    assert install.endswith("pip install --quiet --disable-pip-version-check --editable .[cli,emulator]")
    assert rest == demo
    run.programs.started.clear()
    assert run.main(["demo"]) == 0
    assert run.programs.started == demo
    newer = (tmp_path / ".venv" / ".package").stat().st_mtime + 10
    os.utime(tmp_path / "pyproject.toml", (newer, newer))
    assert run.main(["demo"]) == 0
    assert run.programs.started[1:] == [setup, install, *demo]  # an environment without pip is completed


def test_interrupted_installation_is_repeated(run: Any) -> None:
    """What is installed only in part is not taken for complete."""
    run.programs.fails = "pip"
    assert run.main(["test"]) == 3
    assert "pytest" not in run.programs.started[-1]
    run.programs.fails = ""
    assert run.main(["test"]) == 0
    assert run.programs.started[-1].endswith("-m pytest -n auto -m not slow")


def test_arguments_are_for_pytest(run: Any) -> None:
    """Files and options."""
    assert run.main(["test", "tests/unit", "-k", "urls"]) == 0
    assert run.programs.started[-1].endswith("-m pytest -n auto -m not slow tests/unit -k urls")


def test_check_stops_before_the_tests_at_a_failure(run: Any) -> None:
    """Its exit code is that of the program. What needs one core runs at the same time."""
    assert run.main(["check", "--profile", "fast"]) == 0
    assert run.programs.started[-1].endswith("--hypothesis-profile=fast")
    run.programs.started.clear()
    run.programs.fails = "mypy"
    assert run.main(["check"]) == 3
    expected = ["ruff format", "ruff check", "-m mypy", "-m pyright", "lint-imports"]
    assert len(run.programs.started) == len(expected)
    assert all(words in line for words, line in zip(expected, run.programs.started, strict=True))


def test_programs_of_windows(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A virtual environment has another layout there."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert run.Environment(tmp_path / ".venv").python == str(tmp_path / ".venv" / "Scripts" / "python.exe")


def test_clean_deletes_only_what_was_generated(run: Any, tmp_path: Path) -> None:
    """A link is deleted, and what it names is kept."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".venv-newest").mkdir()
    (tmp_path / "dist").mkdir()
    (tmp_path / ".venv").mkdir()
    if sys.platform != "win32":
        (tmp_path / "build").symlink_to(tmp_path / "elsewhere")
    assert run.main(["clean"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["elsewhere", "pyproject.toml"]


def test_mistyped_task() -> None:
    """The tasks are named."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "tset"], capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert done.returncode == 2
    assert "demo" in done.stderr


def test_make_has_the_same_tasks() -> None:
    """Each task is a target."""
    targets = next(line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if line.startswith(".PHONY:"))
    spec = importlib.util.spec_from_file_location("didww_tasks", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert {task.__name__ for task in module.TASKS} <= set(targets.split()[1:])
