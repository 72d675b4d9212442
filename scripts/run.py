"""Run a task of this project, on any system: `python scripts/run.py demo`.

Each task sets up what it needs in a virtual environment, once. `make demo` is the same as `python scripts/run.py demo`.
Needs only Python 3.11 or newer.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parents[1]
GENERATED = (
    *(".venv-*", "dist", "build", "mutants", ".nox", ".coverage*"),
    *(".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache"),
)


class TaskFailedError(Exception):
    """A program has failed; its exit code is the argument."""


class Environment:
    """The virtual environment of the tasks.

    Files in it, named stamps, say what has been installed completely, and when.

    Args:
        folder: Its folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
        self.python = str(self._programs / ("python.exe" if sys.platform == "win32" else "python"))
        self._package = folder / ".package"
        self._tools = folder / ".tools"
        self._docs = folder / ".docs"

    def need_package(self) -> None:
        """Install the package with its extras, unless that was done since pyproject.toml changed."""
        if _is_newer(self._package, ROOT / "pyproject.toml"):
            return
        print(f"Setting up {self.folder} with the package (once) ...", flush=True)
        _run(sys.executable, "-m", "venv", str(self.folder))  # completes one that was interrupted, too
        self._install("--editable", ".[cli,emulator]")
        self._package.touch()

    def need_tools(self) -> None:
        """Install what the tests and checks need, too."""
        self.need_package()
        if _is_newer(self._tools, self._package):
            return
        print("Installing what the tests and checks need, about 1.5 GB (once) ...", flush=True)
        self._install("--upgrade", "pip>=25.1")
        self._install("--group", "dev", "--group", "bench", "--editable", ".[cli,emulator,sip,cdr]")
        self._tools.touch()

    def need_docs(self) -> None:
        """Install what the site needs, too."""
        self.need_tools()
        if not _is_newer(self._docs, self._tools):
            self._install("--group", "docs")
            self._docs.touch()

    def program(self, name: str) -> str:
        """Return the path of a program that was installed."""
        return shutil.which(name, path=str(self._programs)) or str(self._programs / name)

    def _install(self, *arguments: str) -> None:
        _run(self.python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments)


def _is_newer(stamp: Path, source: Path) -> bool:
    return stamp.exists() and stamp.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _run(*command: str, show: bool = False) -> None:
    _run_all([command], show=show)


def _run_all(commands: Sequence[tuple[str, ...]], *, show: bool) -> None:
    """Run programs at the same time, wait for all, and raise the first one's failure."""
    processes: list[subprocess.Popen[bytes]] = []
    for command in commands:
        if show:
            print(*(word.removeprefix(f"{ROOT}{os.sep}") for word in command), flush=True)
        processes.append(subprocess.Popen(command, cwd=ROOT))
    for process in processes:
        while process.returncode is None:
            with contextlib.suppress(KeyboardInterrupt):  # which the program gets, too
                process.wait()
    for process in processes:
        if process.returncode:
            raise TaskFailedError(process.returncode if process.returncode > 0 else 128 - process.returncode)


def demo(venv: Environment, options: Any) -> None:  # noqa: ARG001
    """Start the emulator, buy and route numbers, and print each step."""
    venv.need_package()
    _run(venv.python, "examples/demo.py")


def test(venv: Environment, options: Any) -> None:
    """Run the fast tests; arguments are passed to pytest."""
    venv.need_tools()
    _run(venv.python, "-m", "pytest", "-n", "auto", "-m", "not slow", *options.arguments, show=True)


def check(venv: Environment, options: Any) -> None:
    """Check formatting and types, and run all tests, each law with all its examples (--profile=fast: with few)."""
    if options.with_docs:
        venv.need_docs()
    venv.need_tools()
    _run(venv.program("ruff"), "format", "--check", ".", show=True)
    _run(venv.program("ruff"), "check", ".", show=True)
    typed = [(venv.python, "-m", "mypy"), (venv.python, "-m", "pyright", "--pythonpath", venv.python)]
    _run_all([*typed, (venv.program("lint-imports"),)], show=True)  # each uses one core
    # More than there are cores: a third of the time, the tests wait for processes, servers and browsers.
    workers = str((os.cpu_count() or 1) + 2)
    _run(venv.python, "-m", "pytest", "-n", workers, f"--hypothesis-profile={options.profile}", show=True)


def docs(venv: Environment, options: Any) -> None:  # noqa: ARG001
    """Build the site of the documentation, in build/site."""
    venv.need_docs()
    _run(venv.python, "scripts/build_site.py")


def format(venv: Environment, options: Any) -> None:  # noqa: ARG001
    """Format the code, and apply safe fixes."""
    venv.need_tools()
    _run(venv.program("ruff"), "format", ".", show=True)
    _run(venv.program("ruff"), "check", "--fix", ".", show=True)


def bench(venv: Environment, options: Any) -> None:  # noqa: ARG001
    """Print the benchmarks; not on Windows."""
    venv.need_tools()
    _run(venv.python, "benchmarks/run.py")


def parity(venv: Environment, options: Any) -> None:  # noqa: ARG001
    """Drive the emulator with the PyPI package `didww`."""
    venv.need_tools()
    _run(venv.python, "parity/start.py")


def clean(venv: Environment, options: Any) -> None:  # noqa: ARG001
    """Delete the virtual environments and what the tools have made."""
    for path in (ROOT / ".venv", *(path for pattern in GENERATED for path in ROOT.glob(pattern))):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


TASKS = (demo, test, check, docs, format, bench, parity, clean)


def main(arguments: list[str] | None = None) -> int:
    """Run a task, and return the exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 the text is for those who have an older one
        print(
            "Python 3.11 or newer is needed; run: make PYTHON=python3.11, or py -3.11 scripts/run.py.", file=sys.stderr
        )
        return 1
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", default=".venv", help="folder of the virtual environment; defaults to .venv")
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    for task in TASKS:
        added = tasks.add_parser(task.__name__, help=task.__doc__, description=task.__doc__)
        added.set_defaults(task=task, arguments=[])
        if task is check:
            added.add_argument("--profile", choices=("fast", "slow"), default="slow", help="profile of hypothesis")
            added.add_argument("--with-docs", action="store_true", help="install what the test of the site needs, too")
    options, options.arguments = parser.parse_known_args(arguments)
    if options.arguments and options.task is not test:
        parser.error(f"unrecognized arguments: {' '.join(options.arguments)}")
    try:
        options.task(Environment(ROOT / options.venv), options)
    except TaskFailedError as failure:
        return int(failure.args[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
