"""SIP messages, SDP and digest authentication: the only module that imports the SIP library."""

from __future__ import annotations

from aiosipua import SipMessage as _SipMessage
from aiosipua import SipRequest, SipResponse

__all__ = ["SipMessage", "SipRequest", "SipResponse", "parse"]

SipMessage = SipRequest | SipResponse


def parse(data: bytes) -> SipMessage:
    """Parse a message.

    Raises:
        ValueError: It is no SIP message.
    """
    return _SipMessage.parse(data)
