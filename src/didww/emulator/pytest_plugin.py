"""Pytest fixtures, available once this package is installed: an emulator per test, and clients of it.

    def test_numbers(didww_emulator, didww_client):
        didww_emulator.state.seed({"dids": [{"number": "12125550100"}]})
        assert didww_client.dids().list().total_records == 1

Clients speak the default API version; `didww_emulator.client(api_version="2026-11-19")` speaks another one.

Configure it with `@pytest.mark.didww(seed=3, freeze="2026-03-01T12:00:00Z", objects="numbers.yaml", preset="flaky")`;
further arguments go to `Emulator`. The report of a failed test shows the last requests to its emulator.

Every test run in the environment loads this module, so it uses only features that all pytest versions have: old-style
hook wrappers, no stash, no `request.path`.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from weakref import WeakKeyDictionary

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pluggy import Result

    from didww.async_client import AsyncDidwwClient
    from didww.client import DidwwClient
    from didww.emulator.emulator import Emulator

_SHOWN: Final = 20
_OWN: Final = ("freeze", "objects", "preset")
_EMULATORS: Final[WeakKeyDictionary[pytest.Item, Emulator]] = WeakKeyDictionary()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", "didww(seed=0, freeze=None, objects=None, preset=None, ...): configure the test's `didww_emulator`"
    )


@pytest.fixture
def didww_emulator(request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Yield an in-memory emulator for this test."""
    from didww._util.suggest import did_you_mean
    from didww.emulator.emulator import Emulator

    marker = request.node.get_closest_marker("didww")
    options: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    known = [*_OWN, *inspect.signature(Emulator).parameters]
    for name in options:
        if name not in known:
            pytest.fail(f"@pytest.mark.didww takes no {name}.{did_you_mean(name, known)}", pytrace=False)
    if marker is not None and marker.args:
        pytest.fail(f"@pytest.mark.didww takes keyword arguments only: {', '.join(known)}.", pytrace=False)
    freeze, objects, preset = (options.pop(name, None) for name in _OWN)
    with Emulator(**options) as emulator:
        if freeze is not None:
            emulator.clock.freeze(freeze)
        if isinstance(objects, (str, Path)):
            emulator.state.seed_file(Path(request.node.module.__file__).parent / objects)
        elif objects is not None:
            emulator.state.seed(objects)
        for name in _names(preset):
            emulator.faults.preset(name)
        _EMULATORS[request.node] = emulator
        yield emulator


def _names(preset: object) -> list[str]:
    """Return the preset names of a marker: none, one or several."""
    names: Any = [] if preset is None else [preset] if isinstance(preset, str) else preset
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in cast("list[object]", names)):
        pytest.fail(
            f"preset of @pytest.mark.didww must be a name or a list of names, got {preset!r:.80}. Write "
            'preset="flaky", for example.',
            pytrace=False,
        )
    return list(cast("list[str]", names))


@pytest.fixture
def didww_client(didww_emulator: Emulator) -> Iterator[DidwwClient]:
    """Yield a client of `didww_emulator`."""
    with didww_emulator.client() as client:
        yield client


@pytest.fixture
def async_didww_client(didww_emulator: Emulator) -> AsyncDidwwClient:
    """Return an asynchronous client of `didww_emulator`, for any event loop.

    It holds no connection and is not closed: the event loop belongs to the test, and may be running or closed by then.
    """
    return didww_emulator.async_client()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Result[pytest.TestReport], None]:
    """Add the last requests to the report of a failed test."""
    outcome = yield
    if outcome.excinfo is None:
        report = outcome.get_result()
        if report.when != "teardown" and report.failed and (requests := _last_requests(item)):
            report.sections.append(("requests to didww_emulator", requests))


def _last_requests(item: pytest.Item) -> str:
    """Return the last requests of the test, one per line; the emulator and its clock may be in any state."""
    try:
        emulator = _EMULATORS.get(item)
        entries = () if emulator is None else emulator.journal.entries(limit=_SHOWN)
        return "\n".join(entry.line() for entry in reversed(entries))
    except Exception as error:  # noqa: BLE001 an error in this hook would end the whole test run
        return f"cannot be shown: {type(error).__name__}: {error}"
