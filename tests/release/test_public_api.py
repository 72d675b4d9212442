"""`api.txt` is the public API."""

from __future__ import annotations

import pytest

import didww

public_api = pytest.importorskip("public_api", reason="griffe is not installed")


def test_public_api_file_is_up_to_date() -> None:
    """A change of a public name or signature shows in api.txt."""
    changes = public_api.difference()
    assert not changes, f"{changes}\n\napi.txt is outdated. Run: {public_api.COMMAND}"


def test_public_api_file_has_names_methods_and_fields() -> None:
    """The file is not a subset by accident: all names of the package, methods of clients and endpoints, fields."""
    text = public_api.FILE.read_text(encoding="utf-8")
    assert all(f"\nfrom didww import {name}  #" in text for name in didww.__all__)
    assert all(f"\n    def {name}(self" in text for name in ("dids", "iterate", "wait", "upload_file", "request"))
    assert "\n    capacity_limit: int | None = writable(on='update', ge=1, le=32767)\n" in text
