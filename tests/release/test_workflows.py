"""The workflows of GitHub: pinned actions, few permissions, sessions and files that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

pytestmark = pytest.mark.skipif(not WORKFLOWS, reason="not a checkout")


def steps(workflow: Path) -> list[dict[str, Any]]:
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]
    return [step for job in jobs.values() for step in job.get("steps", [])]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_to_commits(workflow: Path) -> None:
    """With the version in a comment, which Dependabot updates too."""
    used = re.findall(r"uses: +(?!\./)(.*)", workflow.read_text(encoding="utf-8"))
    assert [line for line in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_each_action_has_one_pin() -> None:
    """No workflow was forgotten in an update."""
    pins = {tuple(step["uses"].split("@")) for workflow in WORKFLOWS for step in steps(workflow) if "uses" in step}
    assert len(pins) == len({name for name, _ in pins})


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_given_to_single_jobs(workflow: Path) -> None:
    """A workflow starts without permissions; each job names its own; only publishing jobs may write."""
    document = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert document["permissions"] == {}
    written = {
        (workflow.stem, name): sorted(scope for scope, level in job["permissions"].items() if level == "write")
        for name, job in document["jobs"].items()
    }
    allowed = {
        ("release", "pypi"): ["id-token"],
        ("release", "github"): ["contents"],
    }
    assert {name: scopes for name, scopes in written.items() if scopes} == {
        name: scopes for name, scopes in allowed.items() if name[0] == workflow.stem
    }


def test_workflows_call_what_exists() -> None:
    """The sessions of nox, the targets of make and the scripts that they run are there."""
    text = "\n".join(workflow.read_text(encoding="utf-8") for workflow in WORKFLOWS)
    sessions = set(re.findall(r"^def (\w+)\(session", (ROOT / "noxfile.py").read_text(encoding="utf-8"), re.MULTILINE))
    assert {name.partition("-")[0] for name in re.findall(r'--session "?([\w-]+)', text)} <= sessions
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"\bmake (?:[A-Z]+=\w+ )*(\w+)", text)) <= {*targets.split()}
    assert [name for name in re.findall(r"python (scripts/\S+)", text) if not (ROOT / name).exists()] == []
