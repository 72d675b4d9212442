"""The wheel and the source distribution: their contents, and the version in all its places."""

from __future__ import annotations

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import didww
from didww import DidwwClient
from didww.version import API_VERSIONS
from support.scripted_transport import Scripted, json_response

pytest.importorskip("hatchling", reason="hatchling is not installed")

ROOT = Path(__file__).parents[2]
DIST_INFO = f"didww_sdk-{didww.__version__}.dist-info"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with the wheel and the source distribution of this tree."""
    target = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target)], cwd=ROOT, check=True, capture_output=True
    )
    return target


@pytest.fixture
def wheel(built: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(next(built.glob("*.whl")))


def project_files() -> set[str]:
    """Return the files that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        pytest.skip("not a checkout of git")
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def test_version_is_the_same_everywhere(wheel: zipfile.ZipFile) -> None:
    """`src/didww/version.py` decides the metadata, `didww.__version__`, `didww --version` and User-Agent."""
    metadata = email.message_from_bytes(wheel.read(f"{DIST_INFO}/METADATA"))
    assert (metadata["Name"], metadata["Version"]) == ("didww-sdk", didww.__version__)

    command = [sys.executable, "-m", "didww", "--version"]
    printed = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    assert printed.strip() == f"didww {didww.__version__} (API {', '.join(API_VERSIONS)})"

    transport = Scripted(json_response(200, {"data": []}))
    DidwwClient("key", transport=transport).countries().list()
    assert transport.requests[0].headers["User-Agent"] == f"didww-python/{didww.__version__}"


def test_wheel_has_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Each file of `src/didww`, the license and the entry points; no test and no script."""
    names = {name for name in wheel.namelist() if not name.endswith("/")}
    package = {name.removeprefix("src/") for name in project_files() if name.startswith("src/didww/")}
    info = {f"{DIST_INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}
    assert names == package | info
    assert names >= {
        "didww/py.typed",
        "didww/cli/presets/data/asterisk.toml",
        "didww/emulator/console/templates/style.css",
        "didww/emulator/data/catalog.json.gz",
    }


def test_source_distribution_has_every_file_of_the_project(built: Path) -> None:
    """So the tests, the documentation and the scripts work in an unpacked source distribution."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}
    assert names == {*project_files(), "PKG-INFO"}
