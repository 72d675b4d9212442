"""What all tests share: helper modules beside the tests, and a check of every answer that the sandbox gives."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

for folder in ("unit", "core", "contract", "sandbox"):
    sys.path.append(str(Path(__file__).parent / folder))

if TYPE_CHECKING:
    from collections.abc import Iterator

    from didww.calls.effects import Request, Response
    from didww.sandbox.engine import Engine


@pytest.fixture(autouse=True)
def every_answer_keeps_the_contract(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Each answer of an engine, in this test, in any thread, is checked against the contract's facts."""
    from answers import check
    from didww.sandbox.engine import Engine

    handle = Engine.handle
    broken: list[str] = []

    def checked(self: Engine, asked: Request) -> Response:
        answer = handle(self, asked)
        try:
            check(asked, answer)
        except AssertionError as error:
            broken.append(f"{asked.method} {asked.url} -> {answer.status}: {error}\n{answer.body[:2000]!r}")
        return answer

    if request.node.get_closest_marker("unchecked") is None:
        monkeypatch.setattr(Engine, "handle", checked)
    yield broken
    assert not broken, "\n".join(broken[:3])
