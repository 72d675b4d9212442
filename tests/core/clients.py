"""Clients of all kinds over real sockets, each to be used as if it were the synchronous one."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import requests

from didww import AsyncDidwwClient, DidwwClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS = ("sync", "async", "session")
KEY = "k3y-that-nobody-may-see"


class Blocking:
    """An asynchronous client whose methods block, over an event loop of its own."""

    def __init__(self, client: AsyncDidwwClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda *args, **options: self._runner.run(method(*args, **options))

    def with_options(self, **options: Any) -> Blocking:
        return Blocking(self._client.with_options(**options), self._runner)


@contextlib.contextmanager
def client_of(kind: str, base_url: str, **options: Any) -> Iterator[Any]:
    """A client of this kind, closed afterwards."""
    with contextlib.ExitStack() as stack:
        if kind == "async":
            blocking = Blocking(
                AsyncDidwwClient(KEY, base_url=base_url, **options), stack.enter_context(asyncio.Runner())
            )
            stack.callback(blocking.close)
            yield blocking
            return
        if kind == "session":
            options["session"] = stack.enter_context(requests.Session())
        yield stack.enter_context(DidwwClient(KEY, base_url=base_url, **options))
