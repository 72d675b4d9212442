"""The changelog: fragments of changelog.d, the section of a release, its notes."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import didww
import release_notes

ROOT = Path(__file__).parents[2]
TYPES = [
    one["directory"]
    for one in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["towncrier"]["type"]
]
NAME = re.compile(rf"(\+[a-z0-9-]+|\d+)\.({'|'.join(TYPES)})\.md")


def test_fragments_have_valid_names() -> None:
    """Towncrier would leave out a file with another name."""
    names = {path.name for path in (ROOT / "changelog.d").iterdir()} - {"README.md"}
    assert [name for name in names if not NAME.fullmatch(name)] == []


def test_readme_names_the_types() -> None:
    """The table has the types of pyproject.toml."""
    text = (ROOT / "changelog.d" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == TYPES


def test_release_moves_fragments_into_the_changelog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new section stands above the older ones, and its text becomes the notes of the release."""
    pytest.importorskip("towncrier", reason="towncrier is not installed")
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "+resume.added.md").write_text(
        "Downloads resume after\na lost connection.\n", encoding="utf-8"
    )
    (tmp_path / "changelog.d" / "12.fixed.md").write_text("Orders of no items raise an error.\n", encoding="utf-8")
    command = [sys.executable, "-m", "towncrier", "build", "--yes", "--version", didww.__version__]
    subprocess.run([*command, "--date", "2027-01-02"], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "src" / "didww").mkdir(parents=True)
    shutil.copy(Path(didww.__file__).with_name("version.py"), tmp_path / "src" / "didww")
    monkeypatch.setattr(release_notes, "ROOT", tmp_path)
    assert release_notes.notes(f"v{didww.__version__}") == (
        "### Added\n\n- Downloads resume after\n  a lost connection.\n\n"
        "### Fixed\n\n- Orders of no items raise an error. (#12)"
    )
    headings = re.findall("^## .*$", (tmp_path / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == f"## {didww.__version__} - 2027-01-02"
    assert len(headings) > 1


def test_release_needs_its_version_and_its_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag that is not the version, or a version without a section, publishes nothing."""
    with pytest.raises(ValueError, match=r"The tag must be v[\d.]+, as in src/didww/version\.py, got v0\.0\.0\."):
        release_notes.notes("v0.0.0")

    (tmp_path / "src" / "didww").mkdir(parents=True)
    (tmp_path / "src" / "didww" / "version.py").write_text('__version__ = "9.9.9"\n', encoding="utf-8")
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 9.9.8 - 2027-01-01\n", encoding="utf-8")
    monkeypatch.setattr(release_notes, "ROOT", tmp_path)
    with pytest.raises(ValueError, match="has no section `## 9"):
        release_notes.notes("v9.9.9")
