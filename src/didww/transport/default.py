"""Create the default transport. Its HTTP library is imported here, not by `import didww`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import requests

    from didww.transport.base import AsyncTransport, Transport

__all__ = ["new_async_transport", "new_transport"]


def new_transport(session: requests.Session | None) -> Transport:
    """Return a transport over `session`, or over httpx2 if it is None."""
    if session is not None:
        from didww.transport.requests_session import SessionTransport

        return SessionTransport(session)
    from didww.transport.httpx_sync import HttpTransport

    return HttpTransport()


def new_async_transport() -> AsyncTransport:
    """Return an asynchronous transport over httpx2."""
    from didww.transport.httpx_async import AsyncHttpTransport

    return AsyncHttpTransport()
