"""HTTP transports, the only code that uses sockets.

This package exports only the protocols. The HTTP libraries are loaded when a transport is created.
"""

from __future__ import annotations

from didww.transport.base import AsyncTransport, Transport

__all__ = ["AsyncTransport", "Transport"]
