"""The only place that touches a socket: transports, and the two drivers that run calls over them."""

from __future__ import annotations

from didww.transport.base import AsyncTransport, Transport

__all__ = ["AsyncTransport", "Transport"]
