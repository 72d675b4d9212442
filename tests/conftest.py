"""Shared setup: helper modules, and a contract check of every response that the emulator gives."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest

for name in [name for name in os.environ if name.startswith("DIDWW_")]:
    del os.environ[name]  # from the environment of the test run; clients would read them

from support import hypothesis_profiles  # noqa: E402, F401 names the profiles

hypothesis.settings.load_profile("fast")  # --hypothesis-profile=slow comes after this and before the tests

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from didww._core.effects import Request, Response
    from didww.emulator.engine.engine import Engine


def pytest_configure() -> None:
    """Watch for secrets before the first client is created; make Ctrl-C work in a background job, too."""
    from support import secret_canary

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    secret_canary.watch()


def pytest_collection_finish() -> None:
    """Drop what was recorded during import: it belongs to no test."""
    from support import secret_canary

    secret_canary.HEARD.texts.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test in which a secret shows anywhere."""
    from support import secret_canary

    report = yield
    leaks = secret_canary.shown(
        [*secret_canary.HEARD.texts, *(text for _, text in report.sections), str(report.longrepr or "")]
    )
    if report.when == "teardown":
        secret_canary.HEARD.texts.clear()
    if leaks:
        report.outcome = "failed"
        report.longrepr = "A secret shows in: " + "\n".join(text[:300] for text in leaks[:3])
    return report


@pytest.fixture(autouse=True)
def every_response_matches_the_contract(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Check each response of an engine in this test, in any thread, against the contract's facts."""
    from didww.emulator.engine.engine import Engine
    from support.contract_check import check
    from support.secret_canary import remember_passwords

    handle = Engine.handle
    broken: list[str] = []

    def checked(self: Engine, api_request: Request, **options: bool) -> Response:
        response = handle(self, api_request, **options)
        remember_passwords(api_request.body, response.body)
        try:
            check(api_request, response)
        except AssertionError as error:
            broken.append(
                f"{api_request.method} {api_request.url} -> {response.status}: {error}\n{response.body[:2000]!r}"
            )
        return response

    if request.node.get_closest_marker("unchecked") is None:
        monkeypatch.setattr(Engine, "handle", checked)
    yield broken
    assert not broken, "\n".join(broken[:3])


@pytest.fixture
def no_rate_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients have no rate limit by default: with it, tests of many requests wait for permits most of the time."""
    from didww import AsyncDidwwClient, DidwwClient

    for client in (DidwwClient, AsyncDidwwClient):
        monkeypatch.setitem(client.__init__.__kwdefaults__, "rate_limit", None)
