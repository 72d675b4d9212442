"""What `make` does not do: other Pythons, other versions, the built wheel, coverage, mutations, the last release.

nox -l                             lists the sessions
nox -s tests-3.13 -- tests/unit    runs some tests only

`make` is the way to work on the package (CONTRIBUTING.md). A session uses the Pythons that are here and skips others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False  # "Python interpreter 3.14 not found" skips that session
nox.options.reuse_venv = "yes"

PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
if PYENV.is_dir():  # its commands are those of the versions in this variable
    os.environ.setdefault("PYENV_VERSION", ":".join(sorted(path.name for path in PYENV.glob("3.1[1-9].*"))))

ROOT = Path(__file__).parent
DEV = nox.project.dependency_groups(nox.project.load_toml(ROOT / "pyproject.toml"), "dev")
EXTRAS = ".[cli,emulator,sip,otel,redis]"
FAST = ("-q", "-m", "not slow")


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Run the fast tests, or those named after `--`, on one Python."""
    session.install(*DEV, "--editable", EXTRAS)
    session.run("pytest", *FAST, *(session.posargs or ["-n", "auto"]))


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """Run tests with the lowest versions that pyproject.toml allows."""
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text(str(session.run("python", "scripts/lowest.py", silent=True)), encoding="utf-8")
    session.install(*DEV, "--editable", EXTRAS, env={"PIP_CONSTRAINT": str(constraints.resolve())})
    session.run("pytest", *FAST, *(session.posargs or ["tests/unit", "tests/core"]))


@nox.session
def newest(session: nox.Session) -> None:
    """Run tests with the newest versions of everything, pre-releases too."""
    session.install("--upgrade", "--pre", *DEV, "--editable", EXTRAS)
    session.run("pytest", *FAST, *(session.posargs or ["tests/unit", "tests/core"]))


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and the sdist, check them, and test the installed wheel without `src`."""
    distributions, elsewhere = Path(session.create_tmp()) / "dist", Path(session.create_tmp()) / "elsewhere"
    for directory in (distributions, elsewhere):
        shutil.rmtree(directory, ignore_errors=True)
    session.install("build", "twine", "check-wheel-contents")
    session.run("python", "-m", "build", "--outdir", str(distributions))
    built = next(distributions.glob("*.whl")).resolve()
    session.run("twine", "check", "--strict", *map(str, distributions.iterdir()))
    session.run("check-wheel-contents", str(built))

    session.install(*DEV, f"{built}[cli,emulator,sip,otel,redis]")
    session.install("--force-reinstall", "--no-deps", str(built))  # the last one may have had the same version
    for name in ("tests", "scripts", "examples", "docs", "pyproject.toml", "README.md", "Containerfile"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        elsewhere.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, elsewhere / name)
    session.chdir(elsewhere)
    where = str(session.run("python", "-c", "import didww; print(didww.__file__)", silent=True))
    if "site-packages" not in where:
        session.error(f"The tests would not use the wheel: {where}")
    source = ["unit/test_generated.py", "docs", "release", "windows"]  # look at the files of the repository
    source = [f"--ignore=tests/{name}" for name in source]
    session.run("pytest", *FAST, *source, *(session.posargs or ["-n", "auto"]))
    session.run("pytest", "-q", "tests/release/test_container.py")
    session.run("didww", "--version")


@nox.session(python="3.11")
def coverage(session: nox.Session) -> None:
    """Measure how much of the package the fast tests run, by lines and branches, against the gate in pyproject.toml."""
    session.install(*DEV, "coverage>=7.11", "--editable", EXTRAS)
    session.run("coverage", "erase")
    imports = (  # they look at what a fresh process imports, and coverage is there too
        "--deselect=tests/unit/test_public.py::test_importing_didww_imports_no_libraries",
        "--deselect=tests/core/test_shared_limits.py::test_shared_limits_are_imported_only_when_used",
    )
    session.run("coverage", "run", "-m", "pytest", *FAST, *imports, *(session.posargs or ["-n", "2"]))
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", *(["--fail-under=0"] if session.posargs else []))


@nox.session(python="3.11")
def mutation(session: nox.Session) -> None:
    """Change the logic of calls in many small ways, and list the changes that no test notices. Takes half an hour."""
    session.install(*DEV, "mutmut>=3.8", ".[cli,emulator,sip,otel,redis]")
    session.run("pip", "uninstall", "--yes", "--quiet", "didww-sdk")  # its dependencies remain
    shutil.rmtree("mutants", ignore_errors=True)
    mutated = ROOT / "mutants" / "src"
    mutated.mkdir(parents=True)  # Python remembers that a path does not exist
    session.env["PYTHONPATH"] = str(mutated)
    session.run("mutmut", "run", "--max-children", "2", *session.posargs)
    session.run("mutmut", "results")


@nox.session
def api(session: nox.Session) -> None:
    """Show how the public API differs from the last release, and fail if a public module lost something."""
    found = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0", "HEAD^"], capture_output=True, text=True, check=False
    )
    if found.returncode:
        session.skip("There is no release yet: no tag to compare with.")
    tag = found.stdout.strip()
    session.run("git", "--no-pager", "diff", "--unified=0", tag, "--", "api.txt", external=True)
    session.install("griffe>=2")  # it leaves out private modules, so not the methods of endpoints
    session.run("python", "-m", "griffe", "check", "didww", "--search", "src", "--against", tag, "--verbose")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Build the site: `make docs`."""
    session.run("make", "docs", external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the workflows of GitHub; `make check` checks the code."""
    session.install("check-jsonschema", "zizmor")
    session.run("zizmor", "--offline", "--no-progress", "--min-severity", "medium", ".github")
    for schema, files in (
        ("github-workflows", (ROOT / ".github" / "workflows").glob("*.yml")),
        ("github-issue-forms", (ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml")),
        ("dependabot", [ROOT / ".github" / "dependabot.yml"]),
    ):
        session.run("check-jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files))
