"""The response of a receiver to a request."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CallbackResponse"]


class CallbackResponse(NamedTuple):
    """The response to a request.

    Attributes:
        status: HTTP status. DIDWW takes 200 to 298 for delivered, and sends the callback again after anything else.
        body: A short text.
    """

    status: int
    body: str
