"""Clients of all kinds over real sockets, each used as if it were the synchronous one."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from typing import TYPE_CHECKING, Any

import requests

from didww import AsyncDidwwClient, DidwwClient

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ("sync", "async", "session")
KEY = "k3y-that-nobody-may-see"


class Blocking:
    """Wrap an asynchronous client or accessor with blocking methods, on its own event loop."""

    def __init__(self, client: Any, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not callable(method):  # an accessor that is a property
            return Blocking(method, self._runner)

        def call(*args: Any, **options: Any) -> Any:
            outcome = method(*args, **options)
            return self._runner.run(outcome) if inspect.iscoroutine(outcome) else Blocking(outcome, self._runner)

        return call


@contextlib.contextmanager
def client_of(kind: str, base_url: str, key: str | None = "", **options: Any) -> Iterator[Any]:
    """Yield a client of this kind, and close it afterwards. Pass None as the key to use other credentials."""
    key = KEY if key == "" else key  # read now: tests for leaks replace it
    options.setdefault("rate_limit", None)
    with contextlib.ExitStack() as stack:
        if kind == "async":
            blocking = Blocking(
                AsyncDidwwClient(key, base_url=base_url, **options), stack.enter_context(asyncio.Runner())
            )
            stack.callback(blocking.close)
            yield blocking
            return
        if kind == "session":
            options["session"] = stack.enter_context(requests.Session())
        yield stack.enter_context(DidwwClient(key, base_url=base_url, **options))
