"""One account of the emulator, seen in both API versions, and the marks of tests of their differences."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from didww import DidwwClient
from didww.emulator import Emulator
from didww.transport.inprocess import InProcessTransport
from didww.version import API_VERSIONS
from support.api_caller import Caller
from support.contract_facts import NEW, rows
from support.token_caller import TokenCaller

if TYPE_CHECKING:
    from didww._core.effects import Request, Response
    from didww.version import ApiVersion

__all__ = ["Account", "account", "both_versions", "covers"]

both_versions = pytest.mark.parametrize("version", API_VERSIONS)


def covers(*ids: str) -> Any:
    """Mark a test as the one of some differences in words, and run it in both versions."""
    known = {row.id for row in rows()}
    assert set(ids) <= known, f"no such rows: {set(ids) - known}"
    return both_versions


class Account:
    """An account with a caller and a client of each version."""

    def __init__(self, key: str | None = None) -> None:
        self.emulator = _emulator()
        self.key = key or self.emulator.key
        engine = self.emulator.engine
        self._callers: dict[str, Caller] = {version: Caller(engine, self.key) for version in API_VERSIONS}
        self._callers[NEW] = TokenCaller(engine, self.key)
        self._clients: dict[str, DidwwClient] = {}
        self.sent: list[Request] = []

    def caller(self, version: str) -> Caller:
        """Return the caller of a version."""
        return self._callers[version]

    def client(self, version: ApiVersion) -> Any:
        """Return the client of a version; `sent` has what it sends to the main API."""
        if version not in self._clients:
            transport = InProcessTransport(self._handle)
            self._clients[version] = DidwwClient(
                self.key, base_url="http://127.0.0.1/v3", transport=transport, rate_limit=None, api_version=version
            )
        return self._clients[version]

    def _handle(self, request: Request) -> Response:
        if not request.url.endswith("/token"):
            self.sent.append(request)
        return self.emulator.engine.handle(request)


@functools.cache
def _emulator() -> Emulator:
    return Emulator(seed=3)


@functools.cache
def account(key: str | None = None) -> Account:
    """Return the account of a key; all tests of a process share the emulator."""
    return Account(key)
