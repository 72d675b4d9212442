"""The response that a receiver sends."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CallbackResponse"]


class CallbackResponse(NamedTuple):
    """The response to a request.

    Attributes:
        status: HTTP status. DIDWW treats 200 to 298 as delivered, and retries the callback after any other status.
        body: Short text.
    """

    status: int
    body: str
