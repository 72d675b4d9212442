"""What all tests share: helper modules beside the tests, and a check of every response that the emulator gives."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest

for name in [name for name in os.environ if name.startswith("DIDWW_")]:
    del os.environ[name]  # of whoever runs the tests; clients would read them

from support import hypothesis_profiles  # noqa: E402, F401 names the profiles

hypothesis.settings.load_profile("fast")  # --hypothesis-profile=slow comes after this and before the tests

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from didww._core.effects import Request, Response
    from didww.emulator.engine.engine import Engine


def pytest_configure() -> None:
    """Begin to look for secrets, before the first client is made; have Ctrl-C work in a background job, too."""
    from support import secret_canary

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    secret_canary.watch()


def pytest_collection_finish() -> None:
    """What was heard while the modules were imported belongs to no test, whichever is the first."""
    from support import secret_canary

    secret_canary.HEARD.texts.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test in which a secret shows has failed, wherever it shows."""
    from support import secret_canary

    report = yield
    found = secret_canary.shown(
        [*secret_canary.HEARD.texts, *(text for _, text in report.sections), str(report.longrepr or "")]
    )
    if report.when == "teardown":
        secret_canary.HEARD.texts.clear()
    if found:
        report.outcome = "failed"
        report.longrepr = "A secret shows in: " + "\n".join(text[:300] for text in found[:3])
    return report


@pytest.fixture(autouse=True)
def every_answer_keeps_the_contract(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Each response of an engine, in this test, in any thread, is checked against the contract's facts."""
    from didww.emulator.engine.engine import Engine
    from support.contract_check import check
    from support.secret_canary import remember_passwords

    handle = Engine.handle
    broken: list[str] = []

    def checked(self: Engine, asked: Request, **options: bool) -> Response:
        answer = handle(self, asked, **options)
        remember_passwords(asked.body, answer.body)
        try:
            check(asked, answer)
        except AssertionError as error:
            broken.append(f"{asked.method} {asked.url} -> {answer.status}: {error}\n{answer.body[:2000]!r}")
        return answer

    if request.node.get_closest_marker("unchecked") is None:
        monkeypatch.setattr(Engine, "handle", checked)
    yield broken
    assert not broken, "\n".join(broken[:3])
