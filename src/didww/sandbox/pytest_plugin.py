"""Fixtures for pytest, there as soon as this package is installed: a sandbox for each test, and clients of it.

    def test_numbers(didww_sandbox, didww_client):
        didww_sandbox.state.seed({"dids": [{"number": "12125550100"}]})
        assert didww_client.dids().list().total_records == 1

`@pytest.mark.didww(seed=3, freeze="2026-03-01T12:00:00Z", objects="numbers.yaml", preset="flaky")` says otherwise; more
arguments go to `Sandbox`. A test that fails shows what was asked of its sandbox.
"""

from __future__ import annotations

import asyncio
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from didww.aio import AsyncDidwwClient
    from didww.client import DidwwClient
    from didww.sandbox.local import Sandbox

_SHOWN = 20
_OWN = ("freeze", "objects", "preset")
_KEPT = pytest.StashKey["Sandbox"]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "didww(seed=0, freeze=None, objects=None, preset=None, ...): how the test's `didww_sandbox` is made"
    )


@pytest.fixture
def didww_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox of the test's own, in memory."""
    from didww.sandbox.local import Sandbox
    from didww.words import did_you_mean

    marker = request.node.get_closest_marker("didww")
    options: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    known = [*_OWN, *inspect.signature(Sandbox).parameters]
    for name in options:
        if name not in known:
            pytest.fail(f"@pytest.mark.didww takes no {name}.{did_you_mean(name, known)}", pytrace=False)
    if marker is not None and marker.args:
        pytest.fail(f"@pytest.mark.didww takes names: {', '.join(known)}.", pytrace=False)
    freeze, objects, preset = (options.pop(name, None) for name in _OWN)
    with Sandbox(**options) as sandbox:
        if freeze is not None:
            sandbox.clock.freeze(freeze)
        if isinstance(objects, (str, Path)):
            sandbox.state.seed_file(request.path.parent / objects)
        elif objects is not None:
            sandbox.state.seed(objects)
        for one in [preset] if isinstance(preset, str) else preset or ():
            sandbox.faults.preset(one)
        request.node.stash[_KEPT] = sandbox
        yield sandbox


@pytest.fixture
def didww_client(didww_sandbox: Sandbox) -> Iterator[DidwwClient]:
    """A client of `didww_sandbox`."""
    with didww_sandbox.client() as client:
        yield client


@pytest.fixture
def async_didww_client(didww_sandbox: Sandbox) -> Iterator[AsyncDidwwClient]:
    """An asynchronous client of `didww_sandbox`, for any event loop."""
    client = didww_sandbox.async_client()
    yield client
    asyncio.run(client.close())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the last requests of a test that failed."""
    report = yield
    sandbox = item.stash.get(_KEPT, None)
    if report.when == "call" and report.failed and sandbox is not None:
        entries = sandbox.journal.entries(limit=_SHOWN)
        if entries:
            report.sections.append(("requests to didww_sandbox", "\n".join(one.line() for one in reversed(entries))))
    return report
