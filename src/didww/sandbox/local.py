"""The sandbox in the same process: clients without a socket and without a thread, and a clock that can be moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from didww.sandbox.clock import Clock
from didww.sandbox.engine import Engine

if TYPE_CHECKING:
    from didww.aio import AsyncDidwwClient
    from didww.client import DidwwClient

__all__ = ["Sandbox"]

BASE_URL = "http://sandbox.example.com/v3"


class Sandbox:
    """A local DIDWW in this process.

    Args:
        path: A file to keep everything in; memory if left out.
        seed: Decides ids, prices, stock and calls; the same seed makes the same catalogue.
        api_key: The one key that is taken; any key if left out, each an account of its own with 10,000 USD.
        clock: The clock; real time if left out. `clock.advance(seconds)` makes what is to happen by then happen.

    Example:
        >>> sandbox = Sandbox()
        >>> sandbox.client().countries().list(filter={"iso": "GB"}).data[0].name
        'United Kingdom'
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        seed: int = 0,
        api_key: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.engine = Engine(path=path, seed=seed, api_key=api_key, clock=self.clock)

    def client(self, api_key: str = "sandbox-key", **options: Any) -> DidwwClient:
        """A client of this sandbox.

        Args:
            api_key: Which account; made at first use.
            options: More arguments of `DidwwClient`; there is no rate limit unless said.
        """
        from didww.client import DidwwClient
        from didww.transport.inprocess import InProcessTransport

        options.setdefault("rate_limit", None)
        transport = InProcessTransport(self.engine.handle)
        return DidwwClient(api_key, base_url=BASE_URL, transport=transport, **options)

    def async_client(self, api_key: str = "sandbox-key", **options: Any) -> AsyncDidwwClient:
        """An asynchronous client of this sandbox.

        Args:
            api_key: Which account; made at first use.
            options: More arguments of `AsyncDidwwClient`; there is no rate limit unless said.
        """
        from didww.aio import AsyncDidwwClient
        from didww.transport.inprocess import AsyncInProcessTransport

        options.setdefault("rate_limit", None)
        transport = AsyncInProcessTransport(self.engine.handle)
        return AsyncDidwwClient(api_key, base_url=BASE_URL, transport=transport, **options)

    def close(self) -> None:
        """Close the store."""
        self.engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()
