"""Test that the parity page matches the code, and the code matches the page."""

from __future__ import annotations

from pathlib import Path

import pytest

from didww._schema.registry import class_of
from didww.emulator import Engine
from didww.emulator.parity import DECIDED, DIFFERS, operations, page
from didww.version import API_VERSIONS
from support.api_caller import Caller, Scene
from support.token_caller import TokenCaller

OLD, NEW = API_VERSIONS
PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "emulator-parity.md"
MEDIA_TYPE = "application/vnd.api+json"


def test_parity_page_is_up_to_date() -> None:
    """Update it with `python -m didww.emulator.parity > docs/explanation/emulator-parity.md`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_parity_notes_match_existing_operations() -> None:
    """Every note is about an existing operation, and no decision is listed twice."""
    offered = {(type, name) for type, name, _, _ in operations()}
    assert set(DIFFERS) <= offered
    assert len({what for what, _ in DECIDED}) == len(DECIDED)


@pytest.mark.unchecked
def test_every_operation_is_implemented() -> None:
    """No operation returns 404 for its path, 405 or 501."""
    engine = Engine()
    callers = {OLD: Caller(engine), NEW: TokenCaller(engine)}
    count = 0
    for type, name, method, path in operations():
        cls = class_of(type)
        assert cls is not None
        version = next(version for version in API_VERSIONS if cls._versions.includes(version))
        body = {"data": {}} if method in ("POST", "PATCH") else None
        response = callers[version].send(method, path.replace("{id}", "nothing"), body)
        count += 1
        assert response.status in (200, 400, 404, 422), (method, path, response.status, response.body)
        if response.status == 404:
            assert b"ecord not found" in response.body, (method, path, response.body)
        assert name in ("list", "find", "create", "update", "delete")
    assert count > 100


@pytest.mark.unchecked
def test_relationship_urls_are_read_only() -> None:
    """Writing to them returns 501 with an explanation."""
    scene = Scene()
    did = scene.ids["dids"][0]
    path = f"/dids/{did}/relationships/voice_in_trunk"
    assert scene.caller.get(path)
    for method in ("POST", "PATCH", "DELETE"):
        response = scene.caller.send(method, path, {"data": None})
        assert response.status == 501, method
        assert b"The emulator does not implement" in response.body
